#pragma once

#include <string>

#include "tipple/json/pull.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// Beyond 64 bits a number is the nearest double, as in the reference.
schema::Value to_value(const json::pull::Number& number);

/// Compact JSON of an object or list that stays whole. Dates and times in ISO form, decimals as text, bytes in base64; NaN and infinities
/// become null.
std::string to_json_text(const schema::Value& value);

}  // namespace tipple::normalize
