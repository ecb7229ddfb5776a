#pragma once

#include "tipple/destination/destination.h"

namespace tipple::destinations {

/// Adds every kind of destination that this build has.
void add_builtin(destination::Registry& registry);

}  // namespace tipple::destinations
