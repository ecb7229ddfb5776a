#pragma once

#include <string>

#include "tipple/schema/schema.h"

namespace tipple::cli {

/// `decimal(12,2)`, `timestamp`, or `(no type yet)`.
std::string type_text(const schema::Column& column);

}  // namespace tipple::cli
