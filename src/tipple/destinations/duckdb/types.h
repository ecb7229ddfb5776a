#pragma once

#include <string>
#include <string_view>

#include "tipple/destination/sql.h"

namespace tipple::destinations::duckdb {

/// The type a complete column gets. Throws Error(usage) when DuckDB has none for it.
std::string column_type(const schema::Column& column);

/// Whether a column of the type `to`, as the catalog names it, takes any value of the type `from` unchanged or with an error. Elsewhere the engine
/// would round, cut or guess without a word.
bool keeps_values(std::string_view from, std::string_view to);

inline constexpr destination::NameRule name_rule{.is_case_sensitive = false};

destination::SqlDialect dialect();

/// Columns of row ids are compressed with zstd in new tables, which costs a fifth of the time of what the engine would choose and takes no more room.
/// Files of storage versions before v1.2 cannot hold it.
std::string id_storage(const schema::Column& column);

}  // namespace tipple::destinations::duckdb
