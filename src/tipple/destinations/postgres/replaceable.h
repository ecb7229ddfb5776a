#pragma once

#include <string>

#include "tipple/destinations/postgres/session.h"

namespace tipple::destinations::postgres {

/// Whether another table may take the place of `table` without anything being lost: nothing was made or granted for it, nothing else depends on
/// it, and it is ours. `table` is a name in the session's dataset.
bool is_replaceable(Session& session, const std::string& table);

}  // namespace tipple::destinations::postgres
