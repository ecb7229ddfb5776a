#pragma once

#include <string>

#include "tipple/destination/sql.h"

namespace tipple::destinations::duckdb {

/// The type a complete column gets. Throws Error(usage) when DuckDB has none for it.
std::string column_type(const schema::Column& column);

destination::SqlDialect dialect();

}  // namespace tipple::destinations::duckdb
