#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

/// SQL text that stores with SQL share. What differs between them is a value, `SqlDialect`.
namespace tipple::destination {

/// A name and a text in the quotes of the SQL standard, which all stores with SQL understand: for queries through `Destination::query`, whose
/// dialect is not known.
std::string standard_name(std::string_view name);
std::string standard_literal(std::string_view text);
/// `IN ('a', 'b')`.
std::string standard_in_list(const std::vector<std::string>& texts);
/// A whole number out of a query's row; 0 when it is null.
std::uint64_t to_count(const std::optional<std::string>& value);

struct SqlDialect {
    std::string (*quote_identifier)(std::string_view name) = nullptr;
    std::string (*quote_literal)(std::string_view text) = nullptr;
    /// The store's type for a complete column. Throws Error(usage) when it has none.
    std::string (*column_type)(const schema::Column& column) = nullptr;
    /// A point in time, in microseconds since 1970 UTC, for a column of logical type timestamp.
    std::string (*timestamp_literal)(std::int64_t time_us) = nullptr;
    /// What stands behind a column's type in a new table, with a space in front; may be left out.
    std::string (*column_storage)(const schema::Column& column) = nullptr;
    /// The way back: an expression for the microseconds of a timestamp expression, as a whole number.
    std::string (*timestamp_us)(std::string_view expression) = nullptr;
    NameRule names;
    /// In front of a temporary table's quoted name, and behind its definition.
    std::string_view temporary_prefix;
    std::string_view temporary_suffix;
    /// In front of the name of a temporary table that was filled, so that the store knows what is in it; empty = it knows.
    std::string_view analyze;
};

/// The value of a column that is the same for all rows of a load: null, text, or a point in time in microseconds since 1970 UTC.
struct Constant {
    std::string column;
    std::variant<std::monostate, std::string, std::int64_t> value;
    bool operator==(const Constant&) const = default;
};

/// A query for how many whole numbers of a column are no doubles. Both names quoted.
std::string count_large_integers(std::string_view table, std::string_view column);

enum class SqlLayout {
    line,   ///< for a store
    lines,  ///< a column per line, for people
};

/// Statements about the tables of one dataset. `dataset` is the quoted text in front of table
/// names, without the dot.
class SqlWriter {
public:
    SqlWriter(const SqlDialect& dialect, std::string dataset)
        : dialect_(dialect), dataset_(std::move(dataset)) {}

    const SqlDialect& dialect() const { return dialect_; }
    std::string name(std::string_view identifier) const {
        return dialect_.quote_identifier(identifier);
    }
    std::string literal(std::string_view text) const { return dialect_.quote_literal(text); }
    std::string literal(const Constant& constant) const;
    /// `"dataset"."table"`.
    std::string table(std::string_view table) const { return dataset_ + "." + name(table); }
    /// `"a", "b"`.
    std::string list(const std::vector<std::string>& columns) const;

    /// The name of a temporary table, which lasts as long as the transaction that makes it.
    std::string temporary(std::string_view name) const { return std::string(dialect_.temporary_prefix) + this->name(name); }
    /// `columns`: their definitions.
    std::string create_temporary(const std::string& temporary, const std::vector<std::string>& columns) const;
    std::string create_temporary_as(const std::string& temporary, const std::string& select) const;

    std::string create_schema() const { return "CREATE SCHEMA IF NOT EXISTS " + dataset_; }
    /// Columns in the table's order, NOT NULL where it says so. Tables of the loader are made only
    /// if they are not there.
    std::string create_table(const schema::Table& table, SqlLayout layout = SqlLayout::line) const;
    std::string add_column(std::string_view table, const schema::Column& column) const;

    std::string widen_column(std::string_view table, const schema::Column& column) const;

    std::string insert_schema(const schema::Schema& schema, std::int64_t time_us) const;
    std::string insert_load(const std::string& load_id, const schema::Schema& schema,
                            std::int64_t time_us) const;
    /// `state` is the pipeline's whole document. `$1` stands for what `encode_state` makes of it.
    std::string insert_state(const json::Object& state, const std::string& pipeline,
                             const std::string& load_id, std::int64_t time_us) const;
    /// version, version_hash, load id and encoded document of the newest state of `pipeline` whose
    /// load is complete.
    std::string select_state(const std::string& pipeline) const;
    /// schema_name and document of the newest schema of each name.
    std::string select_schemas() const;
    /// version_hash of the newest schema of a name.
    std::string select_schema_hash(const std::string& schema_name) const;
    /// When the newest schema of all was inserted, in microseconds; NULL when there is none.
    std::string select_newest_schema_us() const;
    std::string delete_schemas(const std::string& schema_name) const;
    /// A row when the load record is there.
    std::string select_load(const LoadKey& load) const;
    /// A row when the state that the load brings is there.
    std::string select_state_of(const LoadKey& load) const;
    /// The greatest load id.
    std::string select_newest_load() const;

private:
    SqlDialect dialect_;
    std::string dataset_;
};

}  // namespace tipple::destination
