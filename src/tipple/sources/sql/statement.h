#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/incremental/spec.h"
#include "tipple/sources/sql/database.h"

/// The text of what a database is asked.
namespace tipple::sources::sql {

/// What a cursor asks for. Null values are no bounds.
struct CursorRange {
    DeclaredColumn column;
    schema::Value start;
    schema::Value end;
    /// Up to where there is anything to read in this run, inclusive.
    schema::Value upper;
    /// CursorBound::condition.
    std::string condition = {};
    incremental::Range range_start = incremental::Range::closed;
    incremental::Range range_end = incremental::Range::open;
    incremental::LastValue last_value_func = incremental::LastValue::max;
    incremental::MissingCursor on_missing = incremental::MissingCursor::raise;
    incremental::RowOrder order = incremental::RowOrder::none;
    /// Something depends on the order: what is not read lies behind what is.
    bool needs_exact_order = false;

    /// Of an ordered one: whether values grow. `order` is that of the cursor's own sense, in which a least value lies ahead.
    bool is_ascending() const { return (order == incremental::RowOrder::asc) == (last_value_func == incremental::LastValue::max); }
};

/// One SELECT. Columns are always listed.
struct Statement {
    TableName table;
    /// Instead of a table.
    std::string query;
    std::vector<DeclaredColumn> columns;
    std::string where;
    /// Of a part of the table.
    std::string part;
    std::optional<CursorRange> cursor;
    /// What rows of one cursor value are ordered by.
    std::vector<std::string> key;
    std::optional<std::uint64_t> limit;
};

std::string to_sql(const Database& database, const Statement& statement);

/// `"schema"."table"`.
std::string quoted_table(const Database& database, const TableName& table);
/// The table as it is quoted, or the query in brackets where there is one, as it stands behind FROM.
std::string relation_of(const std::string& quoted_table, const std::string& query);
std::string quoted_relation(const Database& database, const TableName& table, const std::string& query);

/// The greatest value of the column where `condition` holds (empty = everywhere); null when there is none. Nothing when it is not of the column's type, as SQLite keeps
/// texts among numbers.
std::optional<schema::Value> greatest_value(Database& database, const CursorQuery& cursor, std::stop_token stop);

}  // namespace tipple::sources::sql
