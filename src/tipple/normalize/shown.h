#pragma once

#include <string>

#include "tipple/schema/value.h"

namespace tipple::normalize {

/// The value for messages, as text that may be cut.
std::string shown(const schema::Value& value);
/// The same, of a text in quotes: "7" is not 7.
std::string shown_with_type(const schema::Value& value);

}  // namespace tipple::normalize
