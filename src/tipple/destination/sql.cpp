#include "tipple/destination/sql.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/random.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

std::string SqlWriter::list(const std::vector<std::string>& columns) const {
    std::vector<std::string> quoted;
    for (const std::string& column : columns) quoted.push_back(name(column));
    return join(quoted, ", ");
}

std::string SqlWriter::create_table(const schema::Table& table) const {
    std::vector<std::string> clauses;
    for (const schema::Column& column : table.columns()) {
        if (!column.is_complete()) continue;
        clauses.push_back(fmt::format("{} {}{}", name(column.name()), dialect_.column_type(column),
                                      column.is_nullable() ? "" : " NOT NULL"));
    }
    return fmt::format("CREATE TABLE {}{} ({})", table.is_internal() ? "IF NOT EXISTS " : "",
                       this->table(table.name()), join(clauses, ", "));
}

std::string SqlWriter::add_column(std::string_view table, const schema::Column& column) const {
    return fmt::format("ALTER TABLE {} ADD COLUMN {} {}{}", this->table(table), name(column.name()),
                       dialect_.column_type(column), column.is_nullable() ? "" : " NOT NULL");
}

std::string SqlWriter::insert_schema(const schema::Schema& schema, std::int64_t time_us) const {
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({}, {}, {}, {}, {}, {})", table(version_table),
        list({"version", "engine_version", "inserted_at", "schema_name", "version_hash", "schema"}), schema.version(),
        schema::engine_version, dialect_.timestamp_literal(time_us), literal(schema.name()),
        literal(schema.version_hash()), literal(json::to_text(schema.to_document())));
}

std::string SqlWriter::insert_load(const std::string& load_id, const schema::Schema& schema,
                                   std::int64_t time_us) const {
    return fmt::format("INSERT INTO {} ({}) VALUES ({}, {}, 0, {}, {})", table(loads_table),
                       list({"load_id", "schema_name", "status", "inserted_at", "schema_version_hash"}),
                       literal(load_id), literal(schema.name()), dialect_.timestamp_literal(time_us),
                       literal(schema.version_hash()));
}

std::string SqlWriter::insert_state(const json::Object& state, const std::string& pipeline, const std::string& load_id,
                                    std::int64_t time_us) const {
    const json::Value* version = state.find("_state_version");
    const json::Value* engine = state.find("_state_engine_version");
    const json::Value* hash = state.find("_version_hash");
    TIPPLE_ASSERT(version != nullptr && version->is_int());
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({}, {}, {}, {}, {}, {}, {}, {})", table(state_table),
        list({"version", "engine_version", "pipeline_name", "state", "created_at", "version_hash",
              std::string(schema::load_id_column), std::string(schema::id_column)}),
        version->as_int(), engine != nullptr && engine->is_int() ? engine->as_int() : state_engine_version,
        literal(pipeline), literal(encode_state(state)), dialect_.timestamp_literal(time_us),
        hash != nullptr && hash->is_text() ? literal(hash->as_text()) : literal(state_hash(state)), literal(load_id),
        literal(random_id(state_row_id_length)));
}

std::string SqlWriter::select_state(const std::string& pipeline) const {
    const std::string load_id = name(schema::load_id_column);
    return fmt::format(
        "SELECT s.{0}, s.{1}, s.{2}, s.{3} FROM {4} AS s JOIN {5} AS l ON l.{6} = s.{2} WHERE s.{7} = {8} AND l.{9} = 0"
        " ORDER BY s.{2} DESC LIMIT 1",
        name("version"), name("version_hash"), load_id, name("state"), table(state_table), table(loads_table),
        name("load_id"), name("pipeline_name"), literal(pipeline), name("status"));
}

std::string SqlWriter::select_schemas() const {
    return fmt::format(
        "SELECT {0}, {1} FROM (SELECT {0}, {1}, row_number() OVER (PARTITION BY {0} ORDER BY {2} DESC) AS n FROM {3}) AS v"
        " WHERE n = 1",
        name("schema_name"), name("schema"), name("inserted_at"), table(version_table));
}

std::string SqlWriter::select_schema_hash(const std::string& schema_name) const {
    return fmt::format("SELECT {} FROM {} WHERE {} = {} ORDER BY {} DESC LIMIT 1", name("version_hash"),
                       table(version_table), name("schema_name"), literal(schema_name), name("inserted_at"));
}

// ---- merge ----

std::vector<std::string> MergeKeys::columns() const {
    std::vector<std::string> all = primary;
    all.insert(all.end(), merge.begin(), merge.end());
    if (hard_delete) all.push_back(*hard_delete);
    if (dedup_sort) all.push_back(*dedup_sort);
    if (!row_key.empty()) all.push_back(row_key);
    std::vector<std::string> unique;
    for (std::string& column : all) {
        if (std::find(unique.begin(), unique.end(), column) == unique.end()) unique.push_back(std::move(column));
    }
    return unique;
}

std::optional<std::string> row_key_of(const schema::Table& table) {
    for (const char* hint : {"row_key", "unique"}) {
        for (const std::string& column : table.columns_with(hint)) {
            if (table.find(column)->is_complete()) return column;
        }
    }
    const std::vector<std::string> primary = table.columns_with("primary_key");
    if (primary.size() == 1 && table.find(primary[0])->is_complete()) return primary[0];
    return std::nullopt;
}

std::optional<std::string> parent_key_of(const schema::Table& nested) {
    const std::vector<std::string> columns = nested.columns_with("parent_key");
    if (columns.empty()) return std::nullopt;
    return columns[0];
}

std::string root_key_of(const schema::Schema& schema, const schema::Table& nested) {
    const std::vector<std::string> columns = nested.columns_with("root_key");
    if (!columns.empty()) return columns[0];
    // The parent of a direct child is the root.
    const auto parent_key = parent_key_of(nested);
    if (parent_key && !schema.require(nested.parent()).is_nested()) return *parent_key;
    throw Error(ErrorKind::usage,
                "nested table \"{}\" cannot be merged: no column of it has the hint root_key, so its rows cannot be found "
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
    keys.is_deduplicated = deduplicated != nullptr && deduplicated->is_bool() && deduplicated->as_bool();
    keys.row_key = row_key_of(root).value_or("");
    if (has_nested_tables && keys.row_key.empty()) {
        throw Error(ErrorKind::usage,
                    "table \"{}\" cannot be merged with the tables below it: no column identifies its rows (hint row_key or "
                    "unique, or a primary key of one column)",
                    root.name());
    }
    return keys;
}

std::string MergeSql::is_marked(std::string_view alias) const {
    const std::string column = fmt::format("{}.{}", alias, writer_.name(*keys_.hard_delete));
    return keys_.is_hard_delete_flag ? fmt::format("coalesce({}, false)", column) : fmt::format("{} IS NOT NULL", column);
}

std::string MergeSql::select_dropped() const {
    std::vector<std::string> conditions;
    if (keys_.removes_duplicates()) {
        std::string first;
        if (keys_.dedup_sort) {
            // Ends with the position, so that equal values have one winner, whatever the number of threads.
            first = fmt::format(
                "SELECT {0} FROM (SELECT {0}, row_number() OVER (PARTITION BY {1} ORDER BY {2} {3} NULLS LAST, {0}) AS n"
                " FROM {4}) AS r WHERE n = 1",
                position_, writer_.list(keys_.primary), writer_.name(*keys_.dedup_sort),
                keys_.is_dedup_descending ? "DESC" : "ASC", staged_);
        } else {
            first = fmt::format("SELECT min({}) FROM {} GROUP BY {}", position_, staged_, writer_.list(keys_.primary));
        }
        conditions.push_back(fmt::format("s.{} NOT IN ({})", position_, first));
    }
    if (keys_.hard_delete) conditions.push_back(is_marked("s"));
    if (conditions.empty()) conditions.push_back("false");
    return fmt::format("SELECT s.{} FROM {} AS s WHERE {}", position_, staged_, join(conditions, " OR "));
}

std::string MergeSql::count_kept() const {
    if (!keys_.removes_duplicates()) {
        return fmt::format("SELECT count(*) FROM {} AS s{}", staged_,
                           keys_.hard_delete ? fmt::format(" WHERE NOT ({})", is_marked("s")) : "");
    }
    const std::string groups = writer_.list(keys_.primary);
    if (!keys_.hard_delete) {
        return fmt::format("SELECT count(*) FROM (SELECT DISTINCT {} FROM {}) AS k", groups, staged_);
    }
    const std::string order = keys_.dedup_sort ? fmt::format("{} {} NULLS LAST, {}", writer_.name(*keys_.dedup_sort),
                                                             keys_.is_dedup_descending ? "DESC" : "ASC", position_)
                                               : position_;
    return fmt::format(
        "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY {} ORDER BY {}) AS n, {} AS is_marked FROM {} AS s) AS r"
        " WHERE n = 1 AND NOT is_marked",
        groups, order, is_marked("s"), staged_);
}

std::string MergeSql::exists(const std::vector<std::string>& key) const {
    std::vector<std::string> equalities;
    for (const std::string& column : key) {
        equalities.push_back(fmt::format("s.{0} = d.{0}", writer_.name(column)));
    }
    return fmt::format("EXISTS (SELECT 1 FROM {} AS s WHERE {})", staged_, join(equalities, " AND "));
}

/// One per kind of key and not both joined by OR, which engines can only answer by comparing every row with every other.
std::vector<std::string> MergeSql::match_conditions() const {
    std::vector<std::string> conditions;
    if (!keys_.primary.empty()) conditions.push_back(exists(keys_.primary));
    if (!keys_.merge.empty()) conditions.push_back(exists(keys_.merge));
    return conditions;
}

std::vector<std::string> MergeSql::delete_matches(std::string_view target) const {
    std::vector<std::string> statements;
    for (const std::string& condition : match_conditions()) {
        statements.push_back(fmt::format("DELETE FROM {} AS d WHERE {}", writer_.table(target), condition));
    }
    return statements;
}

std::string MergeSql::select_matched_row_keys(std::string_view target) const {
    std::vector<std::string> selects;
    for (const std::string& condition : match_conditions()) {
        selects.push_back(fmt::format("SELECT d.{} AS row_key FROM {} AS d WHERE {}", writer_.name(keys_.row_key),
                                      writer_.table(target), condition));
    }
    return join(selects, " UNION ");
}

}  // namespace tipple::destination
