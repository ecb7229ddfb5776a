#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

/// SQL text that stores with SQL share. What differs between them is a value, `SqlDialect`.
namespace tipple::destination {

struct SqlDialect {
    std::string (*quote_identifier)(std::string_view name) = nullptr;
    std::string (*quote_literal)(std::string_view text) = nullptr;
    /// The store's type for a complete column. Throws Error(usage) when it has none.
    std::string (*column_type)(const schema::Column& column) = nullptr;
    /// A point in time, in microseconds since 1970 UTC, for a column of logical type timestamp.
    std::string (*timestamp_literal)(std::int64_t time_us) = nullptr;
};

/// Statements about the tables of one dataset. `dataset` is the quoted text in front of table names, without the dot.
class SqlWriter {
public:
    SqlWriter(const SqlDialect& dialect, std::string dataset) : dialect_(dialect), dataset_(std::move(dataset)) {}

    const SqlDialect& dialect() const { return dialect_; }
    std::string name(std::string_view identifier) const { return dialect_.quote_identifier(identifier); }
    std::string literal(std::string_view text) const { return dialect_.quote_literal(text); }
    /// `"dataset"."table"`.
    std::string table(std::string_view table) const { return dataset_ + "." + name(table); }
    /// `"a", "b"`.
    std::string list(const std::vector<std::string>& columns) const;

    std::string create_schema() const { return "CREATE SCHEMA IF NOT EXISTS " + dataset_; }
    /// Columns in the table's order, NOT NULL where it says so. Tables of the loader are made only if they are not there.
    std::string create_table(const schema::Table& table) const;
    std::string add_column(std::string_view table, const schema::Column& column) const;

    std::string insert_schema(const schema::Schema& schema, std::int64_t time_us) const;
    std::string insert_load(const std::string& load_id, const schema::Schema& schema, std::int64_t time_us) const;
    /// `state` is the pipeline's whole document.
    std::string insert_state(const json::Object& state, const std::string& pipeline, const std::string& load_id,
                             std::int64_t time_us) const;
    /// version, version_hash, load id and encoded document of the newest state of `pipeline` whose load is complete.
    std::string select_state(const std::string& pipeline) const;
    /// schema_name and document of the newest schema of each name.
    std::string select_schemas() const;
    /// version_hash of the newest schema of a name.
    std::string select_schema_hash(const std::string& schema_name) const;

private:
    SqlDialect dialect_;
    std::string dataset_;
};

/// By what the rows of a root table and those below it are matched and merged.
struct MergeKeys {
    std::vector<std::string> primary;
    std::vector<std::string> merge;
    /// Rows marked in this column delete instead of being inserted.
    std::optional<std::string> hard_delete;
    /// The column is a flag; otherwise any value is a mark.
    bool is_hard_delete_flag = false;
    /// Which of several rows with one primary key stays: the first by this column.
    std::optional<std::string> dedup_sort;
    bool is_dedup_descending = false;
    /// The caller promises that no primary key occurs twice.
    bool is_deduplicated = false;
    /// Identifies rows of the root; what rows below it refer to. Empty when the table has no such column and no tables below it.
    std::string row_key;

    bool has_keys() const { return !primary.empty() || !merge.empty(); }
    bool removes_duplicates() const { return !primary.empty() && !is_deduplicated; }
    /// Every column of the root that says something about merging, each once.
    std::vector<std::string> columns() const;
};

/// Throws Error(usage) when a table with others below it has no row key.
MergeKeys merge_keys(const schema::Table& root, bool has_nested_tables);
/// The column by which rows of a nested table name their root row. Throws Error(usage) when there is none.
std::string root_key_of(const schema::Schema& schema, const schema::Table& nested);
/// The column by which rows of a nested table name the row above them, if there is one.
std::optional<std::string> parent_key_of(const schema::Table& nested);
/// The column that identifies rows, if there is one.
std::optional<std::string> row_key_of(const schema::Table& table);

/// Statements of a delete-insert merge over a relation `staged` (SQL text) that has the columns of `MergeKeys` and a position, unique per
/// row and ascending in the order of arrival.
class MergeSql {
public:
    MergeSql(const SqlWriter& writer, const MergeKeys& keys, std::string staged, std::string position)
        : writer_(writer), keys_(keys), staged_(std::move(staged)), position_(std::move(position)) {}

    /// Positions of the rows that are not inserted: duplicates of a primary key but for the first, then rows marked for deletion. A
    /// marked row that wins over its duplicates deletes them all.
    std::string select_dropped() const;
    /// Number of rows that must be inserted, counted without positions.
    std::string count_kept() const;
    /// DELETE statements for the rows of `target` that have the primary key or the merge key of a staged row. Null equals nothing.
    std::vector<std::string> delete_matches(std::string_view target) const;
    /// Row keys of those rows.
    std::string select_matched_row_keys(std::string_view target) const;

private:
    std::string is_marked(std::string_view alias) const;
    std::string exists(const std::vector<std::string>& key) const;
    std::vector<std::string> match_conditions() const;

    const SqlWriter& writer_;
    const MergeKeys& keys_;
    std::string staged_;
    std::string position_;
};

}  // namespace tipple::destination
