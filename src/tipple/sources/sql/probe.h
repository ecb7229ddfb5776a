#pragma once

#include <string>

#include "tipple/source/source.h"
#include "tipple/sources/sql/table_reader.h"

namespace tipple::sources::sql {

/// What `tipple check` says of a resource: columns, key, size, and of its cursor what is guaranteed, or which one it could have.
std::string describe_plan(const TablePlan& plan, const extract::ResourceSpec& spec, const std::optional<CursorBound>& bound);

}  // namespace tipple::sources::sql
