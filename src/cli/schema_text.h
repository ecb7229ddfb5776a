#pragma once

#include <string>

#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

namespace tipple::cli {

/// `decimal(12,2)`, `timestamp`, or `(no type yet)`.
std::string type_text(const schema::Column& column);

/// Block YAML with members in their order, text as it is.
std::string to_yaml(const json::Object& document);

}  // namespace tipple::cli
