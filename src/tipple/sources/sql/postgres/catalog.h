#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "tipple/postgres/connection.h"
#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql::postgres {

/// Tables, views, materialized and foreign tables that the user may see. Not those of the system and of extensions, and no partitions: their rows are in the
/// table they are parts of.
std::vector<TableName> list_tables(tipple::postgres::Connection& connection, const std::stop_token& stop);

/// What a catalog says of tables.
struct Reflected {
    TableInfo info;
    bool has_row_security = false;  ///< the user sees only some of its rows
};
struct ReflectOptions {
    /// Empty = all there are.
    TableName table;
    columns::ColumnType unlimited_numeric;
};
/// By schema and name. Three statements, however many tables they are.
using ReflectedTables = std::map<std::pair<std::string, std::string>, Reflected>;
ReflectedTables reflect_tables(tipple::postgres::Connection& connection, const ReflectOptions& options, const std::stop_token& stop);

/// What types of a result become.
std::vector<DeclaredColumn> describe_columns(tipple::postgres::Connection& connection, const tipple::postgres::Result& result, const columns::ColumnType& unlimited_numeric,
                                             const std::stop_token& stop);

}  // namespace tipple::sources::sql::postgres
