#pragma once

#include "tipple/source/source.h"

namespace tipple::sources {

/// Adds every source that was compiled in.
void add_builtin(extract::Registry& registry);

}  // namespace tipple::sources
