#pragma once

#include <string>
#include <vector>

#include "tipple/schema/schema.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/settings.h"

/// What a database declares, as the schema says it.
namespace tipple::sources::sql {

/// The columns that are read: those of `include` in its order, without those of `exclude`. Throws Error(usage) for a name that the table does not have, and when
/// none is left.
std::vector<DeclaredColumn> choose_columns(const TableInfo& table, const ResourceSettings& settings);

schema::Column column_hints(const DeclaredColumn& column, const ReflectSettings& reflect);

/// Hints for the whole table: what it is for, and which tables its foreign keys refer to; `resources` are those that are read, by what they are called at the source.
json::Object table_hints(const TableInfo& table, const std::vector<std::pair<TableName, std::string>>& resources, const ReflectSettings& reflect);

/// `bigint`, `decimal(12,2)`, `timestamp without zone`, for people.
std::string type_text(const DeclaredColumn& column);

}  // namespace tipple::sources::sql
