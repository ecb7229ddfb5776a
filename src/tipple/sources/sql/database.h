#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/config/option_spec.h"
#include "tipple/core/log.h"
#include "tipple/json/value.h"
#include "tipple/schema/value.h"

/// A database as a source: what differs between Postgres, SQLite and DuckDB. What is the same for all (which tables, which columns, the text of a query,
/// cursors, splitting) is in sql.cpp.
namespace tipple::sources::sql {

struct TableName {
    std::string schema;  ///< empty where the database has none
    std::string name;    ///< as the database has it, case kept
    bool is_view = false;
    bool operator==(const TableName&) const = default;
};

/// A column as the database declares it.
struct DeclaredColumn {
    std::string name;
    std::string declared;  ///< the type as the database writes it, for messages
    /// What its values become; nothing = the database says no type, so the values decide.
    std::optional<columns::ColumnType> type;
    /// As the schema has it: bits of an integer (16, 32), digits of a time's fraction, length of text and binary; nothing = not limited. Digits of
    /// decimals are in `type`.
    std::optional<int> precision;
    bool is_nullable = true;
    /// False = the user may not read it: reading the table without leaving it out fails.
    bool is_readable = true;
    std::string comment;
    /// What Database::stored_form found, for the database itself; 0 = nothing.
    int stored_form = 0;
};

struct ForeignKey {
    std::vector<std::string> columns;
    TableName referenced;
    std::vector<std::string> referenced_columns;
};

struct TableInfo {
    TableName name;
    std::vector<DeclaredColumn> columns;
    std::vector<std::string> primary_key;
    std::vector<ForeignKey> foreign_keys;
    std::string comment;
    std::optional<std::uint64_t> rows_estimate;
};

/// One statement that gives rows, complete, in the dialect of its database.
struct Select {
    std::string sql;
    std::vector<DeclaredColumn> columns;  ///< of its rows, in order
};

/// Up to where a cursor reads in this run, and what that is worth. Nothing that commits late is read again or searched for: where it is guaranteed, nothing
/// at or below `upper` can come any more that a snapshot from now on does not see.
struct CursorBound {
    /// The greatest value there is to read, inclusive; null = there is none.
    schema::Value upper;
    /// The greatest value is none of the column's type: everything is read, and how such rows are taken is the cursor's matter. `upper` is null then.
    bool is_open = false;
    /// What else values must meet to be read, as SQL, where `upper` alone does not keep out what lies behind all that will ever come; empty = nothing. Says nothing of rows
    /// without a value.
    std::string condition = {};
    /// What the next look at the same cursor wants to know again (CursorQuery::memory): kept beside the cursor and committed with it. Null = nothing.
    json::Value memory;
    /// For `tipple check` and the log: what is guaranteed, and what it would take when it is not.
    bool is_guaranteed = false;
    std::string explanation;
};

enum class BoundSide { lower, upper };

/// What a cursor column is looked at for.
struct CursorQuery {
    TableInfo table;
    DeclaredColumn column;
    std::string condition;  ///< of the user's `where`; empty = none
    std::string query = {};  ///< of the user, instead of the table; empty = none
    /// Up to where it has been read; null = never.
    schema::Value last = {};
    /// CursorBound::memory of the run before; null = there is none.
    json::Value memory = {};
};

/// Rows as they are read: in columns, or as records where a column's type is that of its values and they do not agree on one.
using Rows = std::variant<columns::Batch, std::vector<schema::Value>>;

struct ReadLimits {
    std::size_t memory_bytes = 0;
    std::size_t threads = 1;
    std::string temp_folder;
};

/// One database. Calls of one object come from one thread at a time; `read` may be called on several objects that `another` made. A stop request ends a statement
/// also at the server, with Error(cancelled).
class Database {
public:
    virtual ~Database() = default;
    /// For people, without secrets.
    virtual std::string description() const = 0;
    /// Where tables are when nobody names a schema; empty where there are none.
    virtual std::string default_schema() const = 0;
    /// Tables and views of all schemas, without those of the system.
    virtual std::vector<TableName> tables(std::stop_token stop) = 0;
    /// Throws Error(usage) for a table that is not there.
    virtual TableInfo reflect(const TableName& table, std::stop_token stop) = 0;
    /// What columns a query of the user gives.
    virtual std::vector<DeclaredColumn> describe(const std::string& query, std::stop_token stop) = 0;

    /// What rows are sorted by where their order must be that of their values: `order_expression`, unless what is stored sorts in another way, such as times as text.
    virtual std::string sort_expression(const DeclaredColumn& column) const { return order_expression(column); }

    /// What reading may use, where the database itself runs in this process.
    virtual void set_limits(const ReadLimits& /*limits*/) {}

    virtual std::string quote(std::string_view name) const = 0;
    /// A value as SQL writes it, of the column's type, as a bound of a cursor. Where it cannot be written exactly as it is stored: one that lets more rows
    /// through. Each is looked at again.
    virtual std::string bound_literal(const schema::Value& value, const DeclaredColumn& column, BoundSide side) const = 0;
    /// The expression that gives the column as `read` takes it; mostly its quoted name.
    virtual std::string select_expression(const DeclaredColumn& column) const { return quote(column.name); }
    /// The expression by which a cursor is compared and sorted: its order must be that of `incremental::compare` (texts by code point, whatever the
    /// column's collation is); mostly its quoted name.
    virtual std::string order_expression(const DeclaredColumn& column) const { return quote(column.name); }

    /// Fixes what all reads of this run see, where the database can: one snapshot for all tables.
    virtual void begin_snapshot(std::stop_token stop) = 0;
    /// One more connection that sees the same snapshot; nullptr when there can be none, and when there is no snapshot: rows that change meanwhile would be in two
    /// ranges of a divided table, or in none.
    virtual std::unique_ptr<Database> another(std::stop_token stop) = 0;
    /// How values of a cursor's column are stored, where the type leaves it open: its bounds and its order are written accordingly. Kept in DeclaredColumn::stored_form.
    virtual int stored_form(const CursorQuery& /*cursor*/, std::stop_token /*stop*/) { return 0; }
    /// Up to where a cursor may read now. Called before `begin_snapshot` of the run it is for.
    virtual CursorBound bound(const CursorQuery& cursor, std::stop_token stop) = 0;
    /// Conditions that divide the table's rows into about `parts` ranges, in order, none twice: by a column, or where `by` is empty as suits the database. One empty condition when
    /// it cannot be divided.
    virtual std::vector<std::string> split(const TableInfo& table, const std::string& by, std::size_t parts, std::stop_token stop) = 0;

    /// Hands over the rows in batches of up to `batch_rows` and about `batch_bytes`, in the order of the statement. False from `take` ends it, also at the server.
    virtual void read(const Select& select, std::size_t batch_rows, std::size_t batch_bytes, std::stop_token stop,
                      const std::function<bool(Rows)>& take) = 0;
};

/// A kind of database, as its file announces it.
struct DatabaseKind {
    std::string name;
    std::vector<std::string> schemes;  ///< of URLs
    std::vector<std::string> endings;  ///< of files, with the dot
    /// Besides `uri`, which says where the database is: a URL with one of the schemes, or a path.
    std::vector<config::OptionSpec> options;
    /// Whether a file that begins so is one of its databases; empty where databases are no files.
    std::function<bool(std::string_view head)> owns_file;
    /// `options` has `uri` when it was given. Connects at the first call that needs it, or at once. Throws Error that names no secret.
    std::function<std::unique_ptr<Database>(const config::Options& options, Log log)> open;
};

DatabaseKind postgres_kind();
DatabaseKind sqlite_kind();
DatabaseKind duckdb_kind();

}  // namespace tipple::sources::sql
