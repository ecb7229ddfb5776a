#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/destination/sql.h"
#include "tipple/schema/delete_missing.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/schema.h"

/// What merging a package's rows into their tables takes, and the SQL text of it that stores share.
namespace tipple::destination {

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
    /// Identifies rows of the root; what rows below it refer to. Empty when the table has no such
    /// column and no tables below it.
    std::string row_key;

    bool has_keys() const { return !primary.empty() || !merge.empty(); }
    bool removes_duplicates() const { return !primary.empty() && !is_deduplicated; }
    /// Every column of the root that says something about merging, each once.
    std::vector<std::string> columns() const;
};

/// Throws Error(usage) when a table with others below it has no row key.
MergeKeys merge_keys(const schema::Table& root, bool has_nested_tables);
/// The column by which rows of a nested table name their root row. Throws Error(usage) when there
/// is none.
std::string root_key_of(const schema::Schema& schema, const schema::Table& nested);
/// The column by which rows of a nested table name the row above them, if there is one.
std::optional<std::string> parent_key_of(const schema::Table& nested);
/// The column that identifies rows, if there is one.
std::optional<std::string> row_key_of(const schema::Table& table);
/// The same, but throw Error(usage) when there is none.
std::string require_parent_key(const schema::Table& nested);
std::string require_row_key(const schema::Table& table);

/// Versions of rows: what scd2 needs to know.
struct RowVersions {
    std::string column;  ///< tells versions apart
    std::string valid_from;
    std::string valid_to;
    std::int64_t boundary_us = 0;  ///< versions of this load begin then, those before it end
    /// Stands in `valid_to` of active rows; nothing = null.
    std::optional<std::int64_t> active_us;
};

/// How the rows of a package's root table, and those below them, get into their tables.
struct MergePlan {
    schema::MergeStrategy strategy = schema::MergeStrategy::delete_insert;
    MergeKeys keys;
    /// Condition on staged rows; empty = none.
    std::string source_filter;
    /// Condition on rows at the destination, with placeholders; empty = none.
    std::string destination_scope;
    /// Rows equal to the known one in these columns are left alone; empty = none are.
    std::vector<std::string> compared;
    RowVersions versions;
    /// Columns of the root's rows that must be staged.
    std::vector<std::string> staged_columns;
    /// Row ids are made anew for every load, so equal rows do not have equal ids.
    bool has_random_ids = true;
    /// Row keys of roots may come twice in a load, so rows below them are told apart by schema::root_number_column.
    bool has_root_numbers = false;
    /// The load is a full snapshot: what becomes of rows whose primary key it does not have.
    std::optional<schema::DeleteMissing> missing = {};
    /// When the load was made, by its id.
    std::int64_t load_time_us = 0;
};

/// `load_time_us`: the load's, by its id. Throws Error(usage) when the hints of `root` contradict each other.
MergePlan plan_merge(const schema::Table& root, bool has_nested_tables, schema::MergeStrategy strategy, std::int64_t load_time_us);

/// scd2: the columns of validity with their values in all rows of the load.
std::vector<Constant> validity(const MergePlan& plan);

/// What the statements of a merge are about.
struct MergeRelations {
    std::string target;  ///< name of the root table
    /// SQL text of a relation with the columns `MergePlan::staged_columns` and a position, unique per row and ascending in the order
    /// of arrival: the rows that take part.
    std::string staged;
    /// The same of all rows of the load, where a source filter leaves rows out.
    std::string loaded;
    std::string position;  ///< SQL text of that column
};

/// Statements of a merge.
class MergeSql {
public:
    MergeSql(const SqlWriter& writer, const MergePlan& plan, MergeRelations relations)
        : writer_(writer),
          plan_(plan),
          keys_(plan.keys),
          target_(std::move(relations.target)),
          staged_(std::move(relations.staged)),
          loaded_(std::move(relations.loaded)),
          position_(std::move(relations.position)) {}

    /// Of the loaded rows: positions of those that the source filter leaves out, and those that take part.
    std::string select_filtered() const;
    std::string select_unfiltered() const;

    // ---- delete-insert ----

    /// Positions of the rows that are not inserted: duplicates of a primary key but for the first,
    /// then rows marked for deletion. A marked row that wins over its duplicates deletes them all.
    std::string select_dropped() const;
    /// Row keys of the others.
    std::string select_kept_row_keys() const;
    /// Number of rows that must be inserted, counted without positions.
    std::string count_kept() const;
    /// DELETE statements for the rows of the target that have the primary key or the merge key of a
    /// staged row, or are in the destination scope. Null equals nothing.
    std::vector<std::string> delete_matches() const;
    /// Row keys of those rows.
    std::string select_matched_row_keys() const;

    // ---- upsert, insert-only, cdc ----

    /// A SELECT of what is to become of each staged row: its primary key (`key_1`, …), `root_number`, `position` and flags `is_repeated` (not the
    /// first of its primary key), `is_marked` (for deletion), `is_known` (the key is at the destination), `is_unchanged`.
    std::string select_fates() const;
    /// Over a relation `fates` made by it: which rows are not inserted, and which have nothing inserted below them.
    std::string dropped_fates() const;
    std::string childless_fates() const;
    /// DELETE statements for rows of the target whose place a staged row takes, or that are marked; for cdc also those that are absent.
    std::vector<std::string> delete_replaced(const std::string& fates) const;
    /// Row keys of rows of the target below which all rows go.
    std::string select_replaced_row_keys(const std::string& fates) const;

    // ---- rows that a full snapshot does not have ----

    /// Rows of the target; without those that are flagged as missing already, where missing rows are flagged.
    std::string count_known() const;
    /// Of those, the ones whose primary key no staged row has.
    std::string count_missing() const;
    std::string select_missing_row_keys() const;
    /// DELETE or, where they are flagged, UPDATE.
    std::string settle_missing() const;
    /// Row keys of flagged rows whose primary key a staged row has.
    std::string select_returned_row_keys() const;
    std::string unflag_returned() const;
    /// What the flag of rows that are missing from this load on holds.
    std::string missing_since() const;

    // ---- scd2 ----

    /// Positions of staged rows whose version is active already.
    std::string select_active_versions() const;
    /// Row keys of the others.
    std::string select_new_version_row_keys() const;
    /// Row keys of all staged rows.
    std::string select_staged_row_keys() const;
    /// Ends active versions that are absent from the staged.
    std::string retire_absent() const;

private:
    std::string is_marked(std::string_view alias) const;
    std::string first_order() const;
    std::string equal_keys(const std::vector<std::string>& key, std::string_view alias) const;
    std::string match(const std::vector<std::string>& key) const;
    std::vector<std::string> match_conditions() const;
    std::string fate_keys() const;
    std::string scope() const;
    std::string partition() const;
    std::string is_changed(std::string_view alias) const;
    std::string has_staged_key() const;
    std::string is_missing() const;
    std::string is_returned() const;
    std::string is_active() const;
    std::string has_active_version() const;
    std::string ranked(std::string_view column) const;
    std::string target_column(std::string_view column) const { return writer_.table(target_) + "." + writer_.name(column); }

    const SqlWriter& writer_;
    const MergePlan& plan_;
    const MergeKeys& keys_;
    std::string target_;
    std::string staged_;
    std::string loaded_;
    std::string position_;
};

}  // namespace tipple::destination
