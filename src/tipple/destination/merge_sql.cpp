#include "tipple/destination/merge_sql.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::destination {

using schema::MergeStrategy;

std::vector<std::string> MergeKeys::columns() const {
    std::vector<std::string> all = primary;
    all.insert(all.end(), merge.begin(), merge.end());
    if (hard_delete) all.push_back(*hard_delete);
    if (dedup_sort) all.push_back(*dedup_sort);
    if (!row_key.empty()) all.push_back(row_key);
    std::vector<std::string> unique;
    for (std::string& column : all) {
        if (std::find(unique.begin(), unique.end(), column) == unique.end())
            unique.push_back(std::move(column));
    }
    return unique;
}

std::optional<std::string> row_key_of(const schema::Table& table) {
    for (const char* hint : {"row_key", "unique"}) {
        for (const std::string& column : table.columns_with(hint)) {
            if (table.find(column)->is_complete()) return column;
        }
    }
    // A table that keeps versions of rows has no hint: its row ids come again with a version.
    if (const schema::Column* id = table.find(schema::id_column); id != nullptr && id->is_complete()) return id->name();
    const std::vector<std::string> primary = table.columns_with("primary_key");
    if (primary.size() == 1 && table.find(primary[0])->is_complete()) return primary[0];
    return std::nullopt;
}

std::optional<std::string> parent_key_of(const schema::Table& nested) {
    const std::vector<std::string> columns = nested.columns_with("parent_key");
    if (columns.empty()) return std::nullopt;
    return columns[0];
}

std::string require_parent_key(const schema::Table& nested) {
    if (std::optional<std::string> key = parent_key_of(nested)) return *key;
    throw Error(ErrorKind::usage, "nested table \"{}\" cannot be merged: no column of it has the hint parent_key, so its rows cannot be found by those of table \"{}\"",
                nested.name(), nested.parent());
}

std::string require_row_key(const schema::Table& table) {
    if (std::optional<std::string> key = row_key_of(table)) return *key;
    throw Error(ErrorKind::usage, "table \"{}\" cannot be merged: no column identifies its rows (hint row_key or unique, or a primary key of one column)", table.name());
}

std::string root_key_of(const schema::Schema& schema, const schema::Table& nested) {
    const std::vector<std::string> columns = nested.columns_with("root_key");
    if (!columns.empty()) return columns[0];
    // The parent of a direct child is the root.
    const auto parent_key = parent_key_of(nested);
    if (parent_key && !schema.require(nested.parent()).is_nested()) return *parent_key;
    throw Error(ErrorKind::usage,
                "nested table \"{}\" cannot be merged: no column of it has the hint root_key, so "
                "its rows cannot be found "
                "by those of table \"{}\"",
                nested.name(), schema.root_of(nested).name());
}

MergeKeys merge_keys(const schema::Table& root, bool has_nested_tables) {
    MergeKeys keys;
    for (const schema::Column& column : root.columns()) {
        if (!column.is_complete()) continue;
        if (column.flag("primary_key")) keys.primary.push_back(column.name());
        if (column.flag("merge_key")) keys.merge.push_back(column.name());
        if (column.flag("hard_delete") && !keys.hard_delete) {
            keys.hard_delete = column.name();
            keys.is_hard_delete_flag = column.data_type() == schema::DataType::bool_;
        }
        const json::Value* sort = column.hints().find("dedup_sort");
        if (sort != nullptr && sort->is_text() && !keys.dedup_sort) {
            keys.dedup_sort = column.name();
            keys.is_dedup_descending = sort->as_text() == "desc";
        }
    }
    const json::Value* deduplicated = root.properties().find("x-stage-data-deduplicated");
    keys.is_deduplicated =
        deduplicated != nullptr && deduplicated->is_bool() && deduplicated->as_bool();
    keys.row_key = row_key_of(root).value_or("");
    if (has_nested_tables && keys.row_key.empty()) {
        throw Error(ErrorKind::usage,
                    "table \"{}\" cannot be merged with the tables below it: no column identifies "
                    "its rows (hint row_key or "
                    "unique, or a primary key of one column)",
                    root.name());
    }
    return keys;
}

namespace {

bool is_set(const schema::Table& table, std::string_view property) {
    const json::Value* value = table.properties().find(property);
    return value != nullptr && value->is_bool() && value->as_bool();
}

std::string first_with(const schema::Table& table, std::string_view hint) {
    const std::vector<std::string> columns = table.columns_with(hint);
    return columns.empty() ? std::string() : columns.front();
}

/// The columns whose values tell whether a row has changed: its version, else all but keys and what the loader fills in.
std::vector<std::string> compared_columns(const schema::Table& root) {
    if (const std::string version = first_with(root, "x-row-version"); !version.empty()) return {version};
    std::vector<std::string> columns;
    for (const schema::Column& column : root.columns()) {
        const bool is_key = column.flag("primary_key") || column.flag("row_key") || column.flag("parent_key") || column.flag("root_key") ||
                            column.flag("hard_delete");
        if (column.is_complete() && !is_key && column.name() != schema::load_id_column) columns.push_back(column.name());
    }
    return columns;
}

RowVersions row_versions(const schema::Table& root, std::int64_t load_time_us) {
    RowVersions versions{.column = first_with(root, "x-row-version"), .valid_from = first_with(root, "x-valid-from"), .valid_to = first_with(root, "x-valid-to")};
    const json::Value* boundary = root.properties().find("x-boundary-timestamp");
    const bool has_boundary = boundary != nullptr && !boundary->is_null();
    versions.boundary_us = has_boundary ? schema::require_time_us("x-boundary-timestamp", *boundary) : load_time_us;
    const json::Value* active = root.find(versions.valid_to)->hints().find("x-active-record-timestamp");
    if (active != nullptr && !active->is_null()) versions.active_us = schema::require_time_us("x-active-record-timestamp", *active);
    return versions;
}

void add_column(std::vector<std::string>& columns, const std::string& column) {
    if (!column.empty() && std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
}

std::vector<std::string> staged_columns(const schema::Table& root, const MergePlan& plan) {
    std::vector<std::string> columns;
    if (plan.has_root_numbers) columns.emplace_back(schema::root_number_column);
    // Conditions of users may ask for any column.
    const bool needs_all = !plan.source_filter.empty() || plan.destination_scope.find("{staging_table}") != std::string::npos;
    if (needs_all) {
        for (const schema::Column& column : root.columns()) {
            if (column.is_complete()) columns.push_back(column.name());
        }
        return columns;
    }
    const bool needs_none = plan.strategy == MergeStrategy::delete_insert && !plan.keys.has_keys() && !plan.keys.hard_delete &&
                            plan.destination_scope.empty();
    if (needs_none) return columns;
    for (const std::string& column : plan.keys.columns()) columns.push_back(column);
    for (const std::string& column : plan.compared) add_column(columns, column);
    add_column(columns, plan.versions.column);
    // A relation has a column at least.
    if (columns.empty()) columns.push_back(std::string(schema::id_column));
    return columns;
}

}  // namespace

MergePlan plan_merge(const schema::Table& root, bool has_nested_tables, MergeStrategy strategy, std::int64_t load_time_us) {
    MergePlan plan{.strategy = strategy, .keys = merge_keys(root, has_nested_tables)};
    if (strategy != MergeStrategy::insert_only) plan.source_filter = schema::expand_condition("source_filter", root.text("x-merge-source-filter"), {});
    const bool has_scope = strategy == MergeStrategy::delete_insert || strategy == MergeStrategy::cdc || strategy == MergeStrategy::scd2;
    if (has_scope) plan.destination_scope = root.text("x-merge-destination-scope");
    const bool compares = strategy == MergeStrategy::upsert || strategy == MergeStrategy::cdc;
    if (compares && is_set(root, "x-merge-skip-unchanged-rows")) plan.compared = compared_columns(root);
    if (strategy == MergeStrategy::scd2) plan.versions = row_versions(root, load_time_us);
    plan.has_root_numbers = has_nested_tables && schema::has_key_ids(strategy);
    plan.has_random_ids = !schema::has_key_ids(strategy) && plan.versions.column != schema::id_column;
    plan.staged_columns = staged_columns(root, plan);
    plan.load_time_us = load_time_us;
    return plan;
}

std::vector<Constant> validity(const MergePlan& plan) {
    const RowVersions& versions = plan.versions;
    Constant valid_to{.column = versions.valid_to, .value = {}};
    if (versions.active_us) valid_to.value = *versions.active_us;
    return {{versions.valid_from, versions.boundary_us}, std::move(valid_to)};
}

std::string MergeSql::is_marked(std::string_view alias) const {
    if (!keys_.hard_delete) return "false";
    const std::string column = fmt::format("{}.{}", alias, writer_.name(*keys_.hard_delete));
    return keys_.is_hard_delete_flag ? fmt::format("coalesce({}, false)", column)
                                     : fmt::format("{} IS NOT NULL", column);
}

/// Ends with the position, so that equal values have one winner, whatever the number of threads.
std::string MergeSql::first_order() const {
    if (!keys_.dedup_sort) return "s." + position_;
    return fmt::format("s.{} {} NULLS LAST, s.{}", writer_.name(*keys_.dedup_sort), keys_.is_dedup_descending ? "DESC" : "ASC", position_);
}

/// Not by `position NOT IN (...)`, for which some stores compare every row with every other.
std::string MergeSql::ranked(std::string_view column) const {
    const std::string number = fmt::format("row_number() OVER (PARTITION BY {} ORDER BY {})", writer_.list(keys_.primary), first_order());
    return fmt::format("SELECT s.{0}, {1} AS n, {2} AS is_marked FROM {3} AS s", column, keys_.removes_duplicates() ? number : "1", is_marked("s"),
                       staged_);
}

std::string MergeSql::select_dropped() const {
    return fmt::format("SELECT r.{} FROM ({}) AS r WHERE r.n > 1 OR r.is_marked", position_, ranked(position_));
}

std::string MergeSql::select_kept_row_keys() const {
    const std::string row_key = writer_.name(keys_.row_key);
    return fmt::format("SELECT r.{} AS row_key FROM ({}) AS r WHERE r.n = 1 AND NOT r.is_marked", row_key, ranked(row_key));
}

std::string MergeSql::count_kept() const {
    if (!keys_.removes_duplicates()) {
        return fmt::format("SELECT count(*) FROM {} AS s{}", staged_,
                           keys_.hard_delete ? fmt::format(" WHERE NOT ({})", is_marked("s")) : "");
    }
    const std::string groups = writer_.list(keys_.primary);
    if (!keys_.hard_delete) {
        return fmt::format("SELECT count(*) FROM (SELECT DISTINCT {} FROM {}) AS k", groups,
                           staged_);
    }
    return fmt::format(
        "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY {} ORDER BY {}) AS n, {} AS "
        "is_marked FROM {} AS s) AS r"
        " WHERE n = 1 AND NOT is_marked",
        groups, first_order(), is_marked("s"), staged_);
}

std::string MergeSql::equal_keys(const std::vector<std::string>& key, std::string_view alias) const {
    std::vector<std::string> equalities;
    for (const std::string& column : key) {
        equalities.push_back(fmt::format("s.{0} = {1}.{0}", writer_.name(column), alias));
    }
    return join(equalities, " AND ");
}

std::string MergeSql::match(const std::vector<std::string>& key) const {
    return fmt::format("EXISTS (SELECT 1 FROM {} AS s WHERE {})", staged_, equal_keys(key, "d"));
}

/// One per kind of key and not both joined by OR, which engines can only answer by comparing every
/// row with every other.
std::vector<std::string> MergeSql::match_conditions() const {
    std::vector<std::string> conditions;
    if (!keys_.primary.empty()) conditions.push_back(match(keys_.primary));
    if (!keys_.merge.empty()) conditions.push_back(match(keys_.merge));
    return conditions;
}

/// Names in it are the user's, so the target has no alias there.
std::string MergeSql::scope() const {
    const std::pair<std::string_view, std::string> values[] = {{"table", writer_.table(target_)}, {"staging_table", loaded_}};
    return "(" + schema::expand_condition("destination_scope", plan_.destination_scope, values) + ")";
}

std::vector<std::string> MergeSql::delete_matches() const {
    if (!plan_.destination_scope.empty()) return {fmt::format("DELETE FROM {} WHERE {}", writer_.table(target_), scope())};
    std::vector<std::string> statements;
    for (const std::string& condition : match_conditions()) {
        statements.push_back(
            fmt::format("DELETE FROM {} AS d WHERE {}", writer_.table(target_), condition));
    }
    return statements;
}

std::string MergeSql::select_matched_row_keys() const {
    if (!plan_.destination_scope.empty()) {
        return fmt::format("SELECT {} AS row_key FROM {} WHERE {}", writer_.name(keys_.row_key), writer_.table(target_), scope());
    }
    std::vector<std::string> selects;
    for (const std::string& condition : match_conditions()) {
        selects.push_back(fmt::format("SELECT d.{} AS row_key FROM {} AS d WHERE {}",
                                      writer_.name(keys_.row_key), writer_.table(target_),
                                      condition));
    }
    return join(selects, " UNION ");
}

// ---- source filter ----

std::string MergeSql::select_filtered() const {
    return fmt::format("SELECT {} FROM {} WHERE NOT coalesce(({}), false)", position_, loaded_, plan_.source_filter);
}

std::string MergeSql::select_unfiltered() const {
    return fmt::format("SELECT * FROM {} WHERE ({})", loaded_, plan_.source_filter);
}

// ---- upsert, insert-only, cdc ----

std::string MergeSql::is_changed(std::string_view alias) const {
    std::vector<std::string> differences;
    for (const std::string& column : plan_.compared) {
        differences.push_back(fmt::format("s.{0} IS DISTINCT FROM {1}.{0}", writer_.name(column), alias));
    }
    return join(differences, " OR ");
}

/// Keys have names of their own here, which cannot meet those of the other columns.
std::string MergeSql::fate_keys() const {
    std::vector<std::string> equalities;
    for (std::size_t i = 0; i < keys_.primary.size(); ++i) {
        equalities.push_back(fmt::format("f.key_{} = {}", i + 1, target_column(keys_.primary[i])));
    }
    return join(equalities, " AND ");
}

/// What is known of a staged row comes by one join: a subquery per row and flag is more than some stores can take apart.
std::string MergeSql::select_fates() const {
    std::vector<std::string> columns;
    for (const std::string& column : keys_.primary) columns.push_back(fmt::format("s.{} AS key_{}", writer_.name(column), columns.size() + 1));
    columns.push_back(plan_.has_root_numbers ? fmt::format("s.{} AS root_number", writer_.name(schema::root_number_column)) : "0 AS root_number");
    columns.push_back(fmt::format("s.{} AS position", position_));
    std::vector<std::string> partition;
    for (const std::string& column : keys_.primary) partition.push_back("s." + writer_.name(column));
    const std::string number = fmt::format("row_number() OVER (PARTITION BY {} ORDER BY {})", join(partition, ", "), first_order());
    columns.push_back(fmt::format("{} AS is_repeated", keys_.removes_duplicates() ? number + " > 1" : "false"));
    columns.push_back(is_marked("s") + " AS is_marked");
    columns.emplace_back("k.position IS NOT NULL AS is_known");
    const bool compares = !plan_.compared.empty();
    columns.push_back(compares ? fmt::format("coalesce(NOT ({}) AND NOT k.is_changed, false) AS is_unchanged", is_marked("s")) : "false AS is_unchanged");
    const std::string known = fmt::format("SELECT s.{0} AS position, bool_or({1}) AS is_changed FROM {2} AS s JOIN {3} AS d ON {4} GROUP BY s.{0}", position_,
                                          compares ? is_changed("d") : "true", staged_, writer_.table(target_), equal_keys(keys_.primary, "d"));
    return fmt::format("SELECT {} FROM {} AS s LEFT JOIN ({}) AS k ON k.position = s.{}", join(columns, ", "), staged_, known, position_);
}

std::string MergeSql::dropped_fates() const {
    switch (plan_.strategy) {
        case MergeStrategy::insert_only:
            return "is_repeated OR is_marked OR is_known";
        case MergeStrategy::cdc:
            return "is_repeated OR is_marked OR is_unchanged";
        default:
            // As in the reference, a row that is marked for deletion and not known comes, without anything below it.
            return "is_repeated OR (is_marked AND is_known) OR is_unchanged";
    }
}

std::string MergeSql::childless_fates() const { return "is_repeated OR is_marked"; }

/// Which rows of the target a load may delete or close because they are absent from it.
std::string MergeSql::partition() const {
    if (!plan_.destination_scope.empty()) return " AND " + scope();
    if (keys_.merge.empty()) return "";
    std::vector<std::string> equalities;
    // A null is no value of a key by itself, but can be a part of one.
    const char* comparison = keys_.merge.size() > 1 ? "IS NOT DISTINCT FROM" : "=";
    for (const std::string& column : keys_.merge) {
        equalities.push_back(fmt::format("s.{} {} {}", writer_.name(column), comparison, target_column(column)));
    }
    return fmt::format(" AND EXISTS (SELECT 1 FROM {} AS s WHERE {})", staged_, join(equalities, " AND "));
}

std::vector<std::string> MergeSql::delete_replaced(const std::string& fates) const {
    std::vector<std::string> statements;
    if (plan_.strategy == MergeStrategy::cdc) {
        statements.push_back(fmt::format("DELETE FROM {} WHERE NOT EXISTS (SELECT 1 FROM {} AS f WHERE {}){}", writer_.table(target_), fates, fate_keys(),
                                         partition()));
    }
    statements.push_back(fmt::format("DELETE FROM {} WHERE EXISTS (SELECT 1 FROM {} AS f WHERE {} AND NOT f.is_repeated AND NOT f.is_unchanged)",
                                     writer_.table(target_), fates, fate_keys()));
    return statements;
}

std::string MergeSql::select_replaced_row_keys(const std::string& fates) const {
    const std::string is_matched = fmt::format("EXISTS (SELECT 1 FROM {} AS f WHERE {})", fates, fate_keys());
    std::string condition = is_matched;
    if (plan_.strategy == MergeStrategy::cdc) condition += fmt::format(" OR (NOT {}{})", is_matched, partition());
    return fmt::format("SELECT {} AS row_key FROM {} WHERE {}", writer_.name(keys_.row_key), writer_.table(target_), condition);
}

// ---- rows that a full snapshot does not have ----

std::string MergeSql::has_staged_key() const {
    return fmt::format("EXISTS (SELECT 1 FROM {} AS s WHERE {})", staged_, equal_keys(keys_.primary, writer_.table(target_)));
}

/// Null equals nothing, so a row without a key is missing; the load has it anew.
std::string MergeSql::is_missing() const {
    const std::string is_unknown = "NOT " + has_staged_key();
    if (plan_.missing->mode == schema::DeleteMissing::Mode::hard) return is_unknown;
    return fmt::format("{} IS NULL AND {}", target_column(schema::deleted_at_column), is_unknown);
}

std::string MergeSql::count_known() const {
    const bool flags = plan_.missing->mode == schema::DeleteMissing::Mode::soft;
    return fmt::format("SELECT count(*) FROM {}{}", writer_.table(target_),
                       flags ? fmt::format(" WHERE {} IS NULL", target_column(schema::deleted_at_column)) : "");
}

std::string MergeSql::count_missing() const { return fmt::format("SELECT count(*) FROM {} WHERE {}", writer_.table(target_), is_missing()); }

std::string MergeSql::select_missing_row_keys() const {
    return fmt::format("SELECT {} AS row_key FROM {} WHERE {}", writer_.name(keys_.row_key), writer_.table(target_), is_missing());
}

std::string MergeSql::settle_missing() const {
    const std::string target = writer_.table(target_);
    if (plan_.missing->mode == schema::DeleteMissing::Mode::hard) return fmt::format("DELETE FROM {} WHERE {}", target, is_missing());
    return fmt::format("UPDATE {} SET {} = {} WHERE {}", target, writer_.name(schema::deleted_at_column), missing_since(), is_missing());
}

std::string MergeSql::missing_since() const { return writer_.dialect().timestamp_literal(plan_.load_time_us); }

std::string MergeSql::is_returned() const {
    return fmt::format("{} IS NOT NULL AND {}", target_column(schema::deleted_at_column), has_staged_key());
}

std::string MergeSql::select_returned_row_keys() const {
    return fmt::format("SELECT {} AS row_key FROM {} WHERE {}", writer_.name(keys_.row_key), writer_.table(target_), is_returned());
}

std::string MergeSql::unflag_returned() const {
    return fmt::format("UPDATE {} SET {} = NULL WHERE {}", writer_.table(target_), writer_.name(schema::deleted_at_column), is_returned());
}

// ---- scd2 ----

std::string MergeSql::is_active() const {
    const std::string column = target_column(plan_.versions.valid_to);
    if (!plan_.versions.active_us) return column + " IS NULL";
    return fmt::format("{} = {}", column, writer_.dialect().timestamp_literal(*plan_.versions.active_us));
}

std::string MergeSql::has_active_version() const {
    const std::string column = writer_.name(plan_.versions.column);
    return fmt::format("EXISTS (SELECT 1 FROM {} WHERE {} = s.{} AND {})", writer_.table(target_), target_column(plan_.versions.column), column, is_active());
}

std::string MergeSql::select_active_versions() const {
    return fmt::format("SELECT s.{} FROM {} AS s WHERE {}", position_, staged_, has_active_version());
}

std::string MergeSql::select_staged_row_keys() const {
    return fmt::format("SELECT s.{} AS row_key FROM {} AS s", writer_.name(keys_.row_key), staged_);
}

std::string MergeSql::select_new_version_row_keys() const { return fmt::format("{} WHERE NOT {}", select_staged_row_keys(), has_active_version()); }

/// As in the reference, nothing is absent while a staged version is null.
std::string MergeSql::retire_absent() const {
    const std::string version = writer_.name(plan_.versions.column);
    const std::string stored = target_column(plan_.versions.column);
    return fmt::format(
        "UPDATE {0} SET {1} = {2} WHERE {3} AND {4} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {5} AS s WHERE s.{6} = {4}) AND NOT EXISTS (SELECT 1 "
        "FROM {5} AS s WHERE s.{6} IS NULL){7}",
        writer_.table(target_), writer_.name(plan_.versions.valid_to), writer_.dialect().timestamp_literal(plan_.versions.boundary_us), is_active(),
        stored, staged_, version, partition());
}

}  // namespace tipple::destination
