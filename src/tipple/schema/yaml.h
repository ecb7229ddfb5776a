#pragma once

#include <string>

#include "tipple/json/value.h"

/// YAML, the form in which people keep schema documents.
namespace tipple::schema {

/// Block YAML with members in their order, text as it is.
std::string to_yaml(const json::Object& document);

/// The one document in `text`. `name` says where it is from. Throws Error(usage) with the line at fault.
json::Value parse_yaml(const std::string& text, const std::string& name);

}  // namespace tipple::schema
