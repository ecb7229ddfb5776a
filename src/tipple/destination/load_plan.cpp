#include "tipple/destination/load_plan.h"

#include <algorithm>

#include "tipple/core/text.h"
#include "tipple/destination/merge.h"
#include "tipple/destination/strategies.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

using package::SegmentColumn;
using schema::Disposition;

bool TableLoadState::is_constant(std::string_view column) const {
    return std::any_of(constants.begin(), constants.end(), [&](const Constant& constant) { return constant.column == column; });
}

void TableLoadState::check_counts() const {
    if (loaded.inserted == rows - dropped->count()) return;
    throw Error(ErrorKind::data, "table \"{}\": {} rows were inserted, the package has {}{}", name, loaded.inserted, rows,
                dropped->count() == 0 ? "" : fmt::format(", {} of which are duplicates or deletions", dropped->count()));
}

LoadPlan::LoadPlan(const package::Package& package, const Capabilities& capabilities) {
    for (const package::TableLoad& load : package.manifest().loads) {
        if (load.disposition == Disposition::skip) continue;
        if (load.disposition == Disposition::merge && !capabilities.appends_merges) {
            const schema::Table& root = package.schema().require(load.root);
            const schema::MergeStrategy strategy = require_merge_strategy(root, capabilities);
            merges_[load.root] = plan_merge(root, load.tables.size() > 1, strategy, load_id_time_us(package.load_id()));
            merges_[load.root].missing = load.delete_missing;
        }
        if (load.replaced) replacing_[load.root] = &load;
        for (const std::string& name : load.tables) add_table(package, load, name);
    }
    for (const package::JobFile& job : package.manifest().jobs) {
        TIPPLE_ASSERT(job.rows == 0 || require(job.table).name == job.table);
    }
}

void LoadPlan::add_table(const package::Package& package, const package::TableLoad& load, const std::string& name) {
    const schema::Table& table = package.schema().require(name);
    TableLoadState& state = tables_.emplace_back(
        TableLoadState{.name = name, .root = load.root, .number = tables_.size(), .disposition = load.disposition, .loaded = {.table = name}});
    for (const schema::Column& column : table.columns()) {
        if (column.is_complete()) state.columns.push_back({column.name(), columns::column_type(column)});
    }
    if (!table.is_nested() && table.find(schema::load_id_column) != nullptr) {
        state.constants.push_back({std::string(schema::load_id_column), package.load_id()});
    }
    for (const package::JobFile* job : package.jobs_of(name)) {
        state.rows += job->rows;
        if (!job->reference) state.job_rows += job->rows;
    }
    const MergePlan* merge = find_merge(load.root);
    if (merge == nullptr) return;
    if (!table.is_nested() && merge->strategy == schema::MergeStrategy::scd2) {
        for (Constant& constant : validity(*merge)) state.constants.push_back(std::move(constant));
    }
    if (merge->staged_columns.empty()) return;
    for (const std::string& key : Merge::staged_columns(package.schema(), *merge, table)) {
        const bool is_number = key == schema::root_number_column;
        state.key_columns.push_back(
            {key, is_number ? columns::ColumnType{.type = schema::DataType::bigint} : columns::column_type(*table.find(key))});
    }
}

TableLoadState& LoadPlan::require(std::string_view table) {
    const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const TableLoadState& state) { return state.name == table; });
    TIPPLE_ASSERT(found != tables_.end());
    return *found;
}

const MergePlan* LoadPlan::find_merge(const std::string& root) const {
    const auto found = merges_.find(root);
    return found == merges_.end() ? nullptr : &found->second;
}

const package::TableLoad* LoadPlan::find_replacing(const TableLoadState& table) const {
    const auto found = replacing_.find(table.name);
    return found == replacing_.end() ? nullptr : found->second;
}

bool LoadPlan::has_root_numbers(const std::string& root) const {
    const MergePlan* plan = find_merge(root);
    return plan != nullptr && schema::has_key_ids(plan->strategy);
}

Error missing_value_error(const std::string& table, const std::string& column) {
    return Error(ErrorKind::data,
                 "table \"{}\", column \"{}\": a record has no value for it, or one of another type than the column's, but the column must not be null, "
                 "being a key or declared so. Nothing was loaded: correct the data",
                 table, column);
}

void check_fence(SqlSession& session, const Catalog& catalog, const package::Package& package) {
    const SqlWriter& sql = session.sql();
    const package::Manifest& manifest = package.manifest();
    const auto has_table = [&](std::string_view table) { return catalog.find(table, session.names()) != nullptr; };
    package::Fence found;
    if (has_table(loads_table)) {
        if (session.query_value(sql.select_load({.load_id = manifest.load_id}))) {
            throw Error(ErrorKind::conflict, "load {} is already in dataset \"{}\"", manifest.load_id, session.dataset());
        }
        if (has_table(state_table)) {
            const std::vector<QueryRow> state = session.query(sql.select_state(manifest.pipeline));
            if (!state.empty()) {
                found.state_version = std::stoll(state[0][0].value_or("0"));
                found.state_hash = state[0][1].value_or("");
            }
        }
    }
    if (has_table(version_table)) found.schema_hash = session.query_value(sql.select_schema_hash(package.schema().name())).value_or("");
    require_fence(found, package, session.dataset());
}

void require_fence(const package::Fence& found, const package::Package& package, const std::string& dataset) {
    if (found == package.fence()) return;
    throw Error(ErrorKind::conflict,
                "another run of pipeline \"{}\" changed dataset \"{}\" after this one had started (state {} then, {} now; schema {} then, {} "
                "now): nothing was loaded, run again",
                package.manifest().pipeline, dataset, package.fence().state_version.value_or(0), found.state_version.value_or(0),
                package.fence().schema_hash, found.schema_hash);
}

void check_foreign_tables(SqlSession& session, const Catalog& catalog, const LoadPlan& plan) {
    std::map<std::string, bool> known;
    if (catalog.find(version_table, session.names()) != nullptr) {
        for (const QueryRow& row : session.query(session.sql().select_schemas())) {
            const json::Value document = decode_schema(row[1].value_or(""));
            const json::Value* tables = document.as_object().find("tables");
            if (tables == nullptr || !tables->is_object()) continue;
            for (const json::Member& table : tables->as_object()) known[session.names().key(table.name)] = true;
        }
    }
    for (const TableLoadState& table : plan.tables()) {
        if (catalog.find(table.name, session.names()) == nullptr || known.contains(session.names().key(table.name))) continue;
        throw Error(ErrorKind::usage,
                    "table \"{}\" of dataset \"{}\" exists, but no load made it: it is not written to unless --adopt is given. Or load into "
                    "another table or dataset",
                    table.name, session.dataset());
    }
}

void check_types(const Catalog& catalog, const package::Package& package, const LoadPlan& plan, const SqlDialect& dialect,
                 bool (*keeps_values)(std::string_view from, std::string_view to)) {
    const NameRule& names = dialect.names;
    const std::vector<package::WidenedColumn>& widened = package.manifest().widened;
    for (const TableLoadState& table : plan.tables()) {
        const auto* there = table.rows == 0 ? nullptr : catalog.find(table.name, names);
        if (there == nullptr) continue;
        std::map<std::string, std::string_view> types;
        for (const CatalogColumn& column : *there) types.emplace(names.key(column.name), column.type);
        for (const schema::Column& column : package.schema().require(table.name).columns()) {
            const bool is_widened = std::any_of(widened.begin(), widened.end(), [&](const package::WidenedColumn& each) {
                return each.table == table.name && each.column == column.name();
            });
            if (!column.is_complete() || is_widened) continue;
            const auto found = types.find(names.key(column.name()));
            const std::string type = dialect.column_type(column);
            if (found == types.end() || keeps_values(type, found->second)) continue;
            throw Error(ErrorKind::usage,
                        "table \"{}\", column \"{}\": the rows to be loaded have {}, the column in the database is {}, which would change "
                        "values without a word. Change the column's type in the database, or load into another table or dataset",
                        table.name, column.name(), type, found->second);
        }
    }
}

void check_widening(SqlSession& session, const DdlPlan::WidenColumn& wider) {
    if (wider.from != schema::DataType::bigint || wider.column.data_type() != schema::DataType::double_) return;
    const auto count = session.query_int(count_large_integers(session.sql().table(wider.table), session.sql().name(wider.column.name())));
    if (count.value_or(0) == 0) return;
    throw Error(ErrorKind::conflict,
                "table \"{}\", column \"{}\": it was to become double, but has got {} whole numbers since the run started that no double holds. "
                "Nothing was loaded: run again",
                wider.table, wider.column.name(), *count);
}

void create_system_tables(SqlSession& session, const Catalog& catalog) {
    if (!session.has_dataset()) session.execute(session.sql().create_schema());
    for (const schema::Table& table : {version_table_definition(), loads_table_definition(), state_table_definition()}) {
        if (catalog.find(table.name(), session.names()) == nullptr) session.execute(session.sql().create_table(table));
    }
}

void write_system_rows(SqlSession& session, const package::Package& package, std::int64_t now_us) {
    const SqlWriter& sql = session.sql();
    const schema::Schema& schema = package.schema();
    if (!package.manifest().removal.dropped.empty()) {
        // Nobody is to read what is gone out of an older version of the schema.
        session.execute(sql.delete_schemas(schema.name()));
    }
    if (session.query_value(sql.select_schema_hash(schema.name())) != schema.version_hash()) {
        // The newest schema is the one inserted last: a clock that went back must not hide it.
        const auto newest = session.query_int(sql.select_newest_schema_us());
        session.execute(sql.insert_schema(schema, newest ? std::max(now_us, *newest + 1) : now_us));
    }
    if (package.manifest().has_new_state) {
        TIPPLE_ASSERT(package.state().is_object());
        const json::Object& state = package.state().as_object();
        session.execute_with(sql.insert_state(state, package.manifest().pipeline, package.load_id(), now_us), encode_state(state));
    }
    session.execute(sql.insert_load(package.load_id(), schema, now_us));
}

}  // namespace tipple::destination
