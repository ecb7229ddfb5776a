#pragma once

#include "tipple/json/pull.h"
#include "tipple/json/value.h"

namespace tipple::json {

/// Reads the element, and all below it, into a value. `depth` counts the objects and lists around it.
pull::Fault read_value(pull::Element& element, Value& value, int depth = 1);

}  // namespace tipple::json
