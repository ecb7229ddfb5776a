#pragma once

#include "tipple/source/source.h"

namespace tipple::sources {

/// Adds every source that was compiled in.
void add_builtin(source::Registry& registry);

}  // namespace tipple::sources
