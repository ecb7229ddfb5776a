#pragma once

#include <cstddef>

#include "tipple/columns/column.h"
#include "tipple/schema/value.h"

namespace tipple::columns {

/// One value of a column as a typed value. For single values: columns are worked on as columns.
schema::Value value_at(const ColumnView& column, std::size_t row);
/// The same with the nanoseconds that the source had: for what is said of the value, or made of it before it is in a column.
schema::Value exact_value_at(const ColumnView& column, std::size_t row);

}  // namespace tipple::columns
