#pragma once

#include <string>
#include <string_view>

#include "tipple/destination/sql.h"

namespace tipple::destinations::duckdb {

inline constexpr destination::NameRule name_rule{.is_case_sensitive = false};

destination::SqlDialect dialect();

/// Columns of row ids are compressed with zstd in new tables, which costs a fifth of the time of what the engine would choose and takes no more room.
/// Files of storage versions before v1.2 cannot hold it.
std::string id_storage(const schema::Column& column);

}  // namespace tipple::destinations::duckdb
