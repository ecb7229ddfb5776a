#pragma once

#include "tipple/json/value.h"
#include "tipple/schema/value.h"

namespace tipple::schema {

/// A JSON document as a typed value. Numbers beyond 64 bits are doubles already.
Value to_value(const json::Value& document);

/// The same where only scalars matter: of lists and objects, only that they are such, so these are empty.
Value to_scalar(const json::Value& document);

}  // namespace tipple::schema
