#pragma once

#include "tipple/json/pull.h"
#include "tipple/json/value.h"

namespace tipple::json {

/// Reads the value at the cursor, and all below it. `depth` counts the objects and lists around it.
pull::Fault read_value(pull::Cursor& cursor, Value& value, int depth = 1);

}  // namespace tipple::json
