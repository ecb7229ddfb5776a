#include "tipple/destinations/duckdb/load.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/strategies.h"
#include "tipple/destination/system_tables.h"
#include "tipple/destination/undo_sql.h"
#include "tipple/destinations/duckdb/stored.h"
#include "tipple/destinations/duckdb/types.h"

namespace tipple::destinations::duckdb {

using destination::LoadedTable;
using package::JobFile;
using package::SegmentColumn;
using schema::Disposition;

namespace {

/// Ids of rows of a file: the prefix and the row's number, in characters that keep their length and
/// order, so that neighbours share most of them.
std::string row_id_expression(const std::string& prefix) {
    return fmt::format("{} || to_base(file_row_number, 36, 6)", engine::quote_literal(prefix));
}

/// An expression that makes a column of a Parquet file what the package says it is.
std::string reference_expression(const std::string& file_column, const columns::ColumnType& type) {
    const std::string name = engine::quote_identifier(file_column);
    // Lists and structs become JSON by this; by an implicit cast they would become DuckDB's own
    // notation.
    return type.type == schema::DataType::json ? fmt::format("to_json({})", name) : name;
}

/// The column out of the engine's `NOT NULL constraint failed: table.column`; empty for another message.
std::string column_without_value(std::string_view message) {
    constexpr std::string_view start = "NOT NULL constraint failed: ";
    const std::size_t at = message.find(start);
    const std::size_t dot = at == std::string_view::npos ? at : message.find('.', at + start.size());
    return dot == std::string_view::npos ? std::string() : std::string(message.substr(dot + 1));
}

engine::EngineOptions engine_options(const MemoryPlan& memory, const std::string& temp_folder) {
    return {
        .memory_bytes = memory.engine_bytes, .threads = memory.threads, .temp_folder = temp_folder};
}

}  // namespace

Load::Load(const Place& place, const destination::DestinationContext& context,
           const destination::Capabilities& capabilities, const package::Package& package)
    : place_(place),
      context_(context),
      capabilities_(capabilities),
      package_(package),
      temp_folder_(context.temp_folder.empty() ? std::string()
                                               : io::join_path(context.temp_folder, "duckdb")),
      memory_(plan_memory(package, context.memory_bytes, context.threads)) {
    add_tables();
    remove_spills();
    // The engine makes a folder for what it spills, but not the folders above it.
    if (!context_.temp_folder.empty()) context_.files->create_folders(context_.temp_folder);
    session_ =
        std::make_unique<Session>(place,
                                  SessionOptions{.mode = engine::AttachMode::read_write,
                                                 .engine = engine_options(memory_, temp_folder_),
                                                 .block_bytes = memory_.block_bytes},
                                  context.log);
    engine::Engine& engine = session_->engine();
    // Whatever is committed is written by the checkpoint that the commit makes, once: below the
    // default threshold it would be written to the log first and again when the file is closed. A
    // crash before the checkpoint's end leaves the file as it was.
    engine.execute("SET checkpoint_threshold = '1KB'");
    const MemoryPlan planned = memory_;
    fit_to_blocks(memory_, session_->block_bytes());
    if (memory_.threads != planned.threads) engine.execute(fmt::format("SET threads = {}", memory_.threads));
    if (memory_.engine_bytes != planned.engine_bytes)
        engine.execute(fmt::format("SET memory_limit = '{}B'", memory_.engine_bytes));
    register_streams();
    engine.execute("BEGIN");
    catalog_ = session_->read_catalog();
    check_fence();
    check_foreign_tables();
    for (const std::string& table : package_.manifest().removal.dropped) {
        std::erase_if(catalog_.tables, [&](const auto& known) { return name_rule.key(known.first) == name_rule.key(table); });
    }
    check_types();
}

Load::~Load() {
    // Closing the connection rolls back.
    merges_.clear();
    session_.reset();
    try {
        remove_spills();
    } catch (const std::exception& error) {
        context_.log.warning("temporary files were not removed: {}", error.what());
    }
}

void Load::remove_spills() {
    if (!temp_folder_.empty() && context_.files != nullptr) context_.files->remove(temp_folder_);
}

void Load::add_tables() {
    for (const package::TableLoad& load : package_.manifest().loads) {
        if (load.disposition == Disposition::skip) continue;
        if (load.disposition == Disposition::merge) add_merge(load);
        for (const std::string& name : load.tables) add_table(load, name);
    }
    for (const JobFile& job : package_.manifest().jobs) {
        TIPPLE_ASSERT(job.rows == 0 || state_of(job.table).name == job.table);
    }
}

void Load::add_merge(const package::TableLoad& load) {
    const schema::Table& root = package_.schema().require(load.root);
    const schema::MergeStrategy strategy = destination::require_merge_strategy(root, capabilities_);
    plans_[load.root] = destination::plan_merge(root, load.tables.size() > 1, strategy, load_id_time_us(package_.load_id()));
}

void Load::add_table(const package::TableLoad& load, const std::string& name) {
    const schema::Table& table = package_.schema().require(name);
    TableState state{.name = name, .root = load.root, .disposition = load.disposition};
    for (const schema::Column& column : table.columns()) {
        if (column.is_complete())
            state.columns.push_back({column.name(), columns::column_type(column)});
    }
    if (!table.is_nested() && table.find(schema::load_id_column) != nullptr) {
        state.constants.emplace_back(schema::load_id_column, engine::quote_literal(package_.load_id()));
    }
    for (const JobFile* job : package_.jobs_of(name)) {
        state.rows += job->rows;
        if (!job->reference) state.job_rows += job->rows;
    }
    state.dropped = std::make_shared<DroppedRows>();
    state.stream = fmt::format("rows_{}", tables_.size());
    state.key_stream = fmt::format("keys_{}", tables_.size());
    state.loaded.table = name;
    if (load.disposition == Disposition::merge) {
        const destination::MergePlan& plan = plans_.at(load.root);
        if (!plan.staged_columns.empty()) state.key_columns = Merge::staged_columns(package_.schema(), plan, table);
        if (!table.is_nested() && plan.strategy == schema::MergeStrategy::scd2) {
            for (auto& constant : destination::validity(plan, dialect())) state.constants.push_back(std::move(constant));
        }
    }
    tables_.push_back(std::move(state));
}

std::vector<std::string> Load::TableState::constant_names() const {
    std::vector<std::string> names;
    for (const auto& [column, literal] : constants) names.push_back(column);
    return names;
}

Load::TableState& Load::state_of(const std::string& table) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const TableState& state) { return state.name == table; });
    TIPPLE_ASSERT(found != tables_.end());
    return *found;
}

bool Load::has_root_numbers(const std::string& root) const {
    const auto plan = plans_.find(root);
    return plan != plans_.end() && schema::has_key_ids(plan->second.strategy);
}

void Load::register_streams() {
    for (const TableState& table : tables_) {
        if (table.job_rows == 0) continue;
        const RowsOptions options{
            .files = context_.files,
            .package = &package_,
            .table = table.name,
            .has_root_numbers = has_root_numbers(table.root),
            .batch_rows = batch_rows(package_.manifest(), table.name, memory_),
            .batch_bytes = memory_.batch_bytes};
        session_->engine().register_stream(
            table.stream, table_rows(options, table.columns, table.constant_names(), table.dropped,
                                     [this](std::uint64_t rows) {
                                         if (on_rows_) on_rows_(rows);
                                     }));
        if (table.key_columns.empty()) continue;
        std::vector<SegmentColumn> keys;
        for (const std::string& key : table.key_columns) {
            const schema::Column* column = package_.schema().require(table.name).find(key);
            const bool is_number = key == schema::root_number_column;
            keys.push_back({key, is_number ? columns::ColumnType{.type = schema::DataType::bigint} : columns::column_type(*column)});
        }
        session_->engine().register_stream(table.key_stream, table_keys(options, keys));
    }
}

void Load::check_fence() {
    const destination::SqlWriter& sql = session_->sql();
    engine::Engine& engine = session_->engine();
    const package::Manifest& manifest = package_.manifest();
    const std::string& dataset = session_->dataset();
    package::Fence found;
    if (has_table(catalog_, destination::loads_table)) {
        const std::string select =
            fmt::format("SELECT 1 FROM {} WHERE load_id = {}", sql.table(destination::loads_table),
                        sql.literal(manifest.load_id));
        if (engine.query_value(select)) {
            throw Error(ErrorKind::conflict, "load {} is already in dataset \"{}\"", manifest.load_id,
                        dataset);
        }
        if (has_table(catalog_, destination::state_table)) {
            const engine::Result state = engine.query(sql.select_state(manifest.pipeline));
            if (!state.rows.empty()) {
                found.state_version = std::stoll(state.rows[0][0].value_or("0"));
                found.state_hash = state.rows[0][1].value_or("");
            }
        }
    }
    if (has_table(catalog_, destination::version_table)) {
        found.schema_hash =
            engine.query_value(sql.select_schema_hash(package_.schema().name())).value_or("");
    }
    if (found == package_.fence()) return;
    throw Error(ErrorKind::conflict,
                "another run of pipeline \"{}\" changed dataset \"{}\" after this one had started "
                "(state {} then, {} now; "
                "schema {} then, {} now): nothing was loaded, run again",
                manifest.pipeline, dataset, package_.fence().state_version.value_or(0),
                found.state_version.value_or(0), package_.fence().schema_hash, found.schema_hash);
}

void Load::check_foreign_tables() {
    std::map<std::string, bool> known;
    if (has_table(catalog_, destination::version_table)) {
        const engine::Result schemas = session_->engine().query(session_->sql().select_schemas());
        for (const auto& row : schemas.rows) {
            const json::Value document = destination::decode_schema(row[1].value_or(""));
            const json::Value* tables = document.as_object().find("tables");
            if (tables == nullptr || !tables->is_object()) continue;
            for (const json::Member& table : tables->as_object())
                known[name_rule.key(table.name)] = true;
        }
    }
    if (context_.adopt_tables) return;
    for (const TableState& table : tables_) {
        if (!has_table(catalog_, table.name) || known.contains(name_rule.key(table.name))) continue;
        throw Error(ErrorKind::usage,
                    "table \"{}\" of dataset \"{}\" exists, but no load made it: it is not written "
                    "to unless --adopt is "
                    "given. Or load into another table or dataset",
                    table.name, session_->dataset());
    }
}

void Load::check_types() {
    for (const TableState& table : tables_) {
        const auto* there = table.rows == 0 ? nullptr : catalog_.find(table.name, name_rule);
        if (there == nullptr) continue;
        std::map<std::string, std::string_view> types;
        for (const destination::CatalogColumn& column : *there) types.emplace(name_rule.key(column.name), column.type);
        for (const schema::Column& column : package_.schema().require(table.name).columns()) {
            if (!column.is_complete()) continue;
            const auto found = types.find(name_rule.key(column.name()));
            const std::string type = column_type(column);
            if (found == types.end() || keeps_values(type, found->second)) continue;
            throw Error(ErrorKind::usage,
                        "table \"{}\", column \"{}\": the rows to be loaded have {}, the column in the database is {}, which would change "
                        "values without a word. Change the column's type in the database, or load into another table or dataset",
                        table.name, column.name(), type, found->second);
        }
    }
}

void Load::drop(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        session_->engine().execute(fmt::format("DROP TABLE IF EXISTS {}", session_->sql().table(table)));
    }
}

void Load::truncate(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        if (has_table(catalog_, table)) session_->engine().execute(fmt::format("DELETE FROM {}", session_->sql().table(table)));
    }
}

void Load::apply(const destination::DdlPlan& plan) {
    engine::Engine& engine = session_->engine();
    const destination::SqlWriter& sql = session_->sql();
    engine.execute(sql.create_schema());
    for (const schema::Table& table :
         {destination::version_table_definition(), destination::loads_table_definition(),
          destination::state_table_definition()}) {
        if (!has_table(catalog_, table.name())) engine.execute(sql.create_table(table));
    }
    for (const schema::Table& table : plan.create) engine.execute(sql.create_table(table));
    for (const destination::DdlPlan::AddColumns& addition : plan.add) {
        for (const schema::Column& column : addition.columns)
            engine.execute(sql.add_column(addition.table, column));
    }
}

void Load::undo() {
    destination::undo_loads(session_->sql(), package_.schema(), catalog_, name_rule, package_.manifest().removal,
                            [&](const std::string& statement) { return session_->engine().execute(statement); });
}

// ---- rows ----

/// Over a Parquet file of the package. `file_row_number` can be used in the expressions.
std::string Load::reference_select(const JobFile& job, const std::vector<std::string>& expressions,
                                   const std::string& condition) const {
    return fmt::format("SELECT {} FROM read_parquet({}, file_row_number = true){}",
                       join(expressions, ", "),
                       engine::quote_path(job.reference->path),
                       condition.empty() ? "" : " WHERE " + condition);
}

KeySelects Load::key_selects(const TableState& table) const {
    KeySelects selects;
    if (table.key_columns.empty()) return selects;
    if (table.job_rows > 0)
        selects.push_back(fmt::format("SELECT * FROM memory.main.{}", table.key_stream));
    std::uint64_t first = table.job_rows;
    for (const JobFile* job : package_.jobs_of(table.name)) {
        if (!job->reference) continue;
        std::vector<std::string> expressions;
        for (const std::string& key : table.key_columns) {
            const auto& columns = job->reference->columns;
            const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& pair) {
                return pair.second.name == key;
            });
            if (found != columns.end()) {
                expressions.push_back(reference_expression(found->first, found->second.type));
            } else {
                expressions.push_back(key == schema::id_column
                                          ? row_id_expression(job->reference->row_id_prefix)
                                          : "NULL");
            }
        }
        expressions.push_back(fmt::format("file_row_number + {}", first));
        selects.push_back(reference_select(*job, expressions, ""));
        first += job->rows;
    }
    return selects;
}

void Load::check_reference(const JobFile& job) const {
    const auto info = context_.files->find(job.reference->path);
    if (info != nullptr && info->size == job.reference->size &&
        info->modified_ns == job.reference->modified_ns)
        return;
    throw Error(ErrorKind::data,
                "file {} {} after it was taken into the package: run again to read it anew",
                job.reference->path, info == nullptr ? "was removed" : "was changed");
}

void Load::insert_reference(TableState& table, const JobFile& job, std::uint64_t first,
                            std::stop_token stop) {
    check_reference(job);
    std::vector<std::string> targets;
    std::vector<std::string> expressions;
    for (const auto& [file_column, column] : job.reference->columns) {
        targets.push_back(column.name);
        expressions.push_back(reference_expression(file_column, column.type));
    }
    const schema::Table& definition = package_.schema().require(table.name);
    if (definition.find(schema::id_column) != nullptr) {
        targets.emplace_back(schema::id_column);
        expressions.push_back(row_id_expression(job.reference->row_id_prefix));
    }
    for (const auto& [column, literal] : table.constants) {
        targets.push_back(column);
        expressions.push_back(literal);
    }
    // Dropped rows are few: duplicates inside one load.
    std::vector<std::string> numbers;
    for (std::uint64_t row = 0; table.dropped->count() > 0 && row < job.rows; ++row) {
        if (table.dropped->contains(first + row)) numbers.push_back(std::to_string(row));
    }
    const std::string condition =
        numbers.empty()
            ? ""
            : fmt::format("file_row_number NOT IN (SELECT unnest([{}]))", join(numbers, ", "));
    const std::uint64_t inserted = session_->engine().execute(
        fmt::format("INSERT INTO {} ({}) {}", session_->sql().table(table.name),
                    session_->sql().list(targets), reference_select(job, expressions, condition)),
        stop);
    check_reference(job);
    if (inserted + numbers.size() != job.rows) {
        throw Error(ErrorKind::data, "file {}: {} rows were read, the package counted {}",
                    job.reference->path, inserted + numbers.size(), job.rows);
    }
    table.loaded.inserted += inserted;
    if (on_rows_) on_rows_(job.rows);
}

void Load::insert_rows(TableState& table, std::stop_token stop) {
    if (table.job_rows > 0) {
        const std::vector<std::string> constants = table.constant_names();
        std::vector<std::string> targets;
        for (const SegmentColumn& column : table.columns) {
            if (std::find(constants.begin(), constants.end(), column.name) == constants.end()) targets.push_back(column.name);
        }
        std::string literals;
        for (const auto& [column, literal] : table.constants) {
            targets.push_back(column);
            literals += ", " + literal;
        }
        table.loaded.inserted += session_->engine().execute(
            fmt::format("INSERT INTO {} ({}) SELECT *{} FROM memory.main.{}",
                        session_->sql().table(table.name), session_->sql().list(targets), literals,
                        table.stream),
            stop);
    }
    std::uint64_t first = table.job_rows;
    for (const JobFile* job : package_.jobs_of(table.name)) {
        if (!job->reference) continue;
        insert_reference(table, *job, first, stop);
        first += job->rows;
    }
}

Merge& Load::prepare_merge(const std::string& root, std::stop_token stop) {
    const auto found = merges_.find(root);
    if (found != merges_.end()) return found->second;
    std::vector<MergeTable> members;
    for (const TableState& table : tables_) {
        if (table.root != root) continue;
        MergeTable member{
            .name = table.name, .rows = table.rows, .existed = has_table(catalog_, table.name)};
        member.selects = key_selects(table);
        member.dropped = table.dropped;
        members.push_back(std::move(member));
    }
    Merge& merge =
        merges_.try_emplace(root, *session_, package_.schema(), plans_.at(root), std::move(members), merges_.size())
            .first->second;
    merge.prepare(stop);
    for (const MergeTable& member : merge.tables())
        state_of(member.name).loaded.deleted = member.deleted;
    return merge;
}

void Load::load(const destination::LoadJob& job, std::stop_token stop) {
    TableState& table = state_of(job.table);
    TIPPLE_ASSERT(table.disposition == job.disposition && !table.is_loaded && !is_finished_);
    on_rows_ = job.on_rows;
    try {
        switch (table.disposition) {
            case Disposition::replace:
                table.loaded.deleted = session_->engine().execute(
                    fmt::format("DELETE FROM {}", session_->sql().table(table.name)), stop);
                break;
            case Disposition::merge:
                prepare_merge(table.root, stop);
                break;
            case Disposition::append:
            case Disposition::skip:
                break;
        }
        insert_rows(table, stop);
    } catch (const Error& error) {
        if (const std::string column = column_without_value(error.what()); !column.empty()) {
            throw Error(ErrorKind::data,
                        "table \"{}\", column \"{}\": a record has no value for it, or one of another type than the column's, but the column "
                        "must not be null, being a key or declared so. Nothing was loaded: correct the data",
                        table.name, column);
        }
        throw error.with_context(fmt::format("table \"{}\"", table.name));
    }
    table.is_loaded = true;
}

void Load::check_counts(const TableState& table) const {
    const std::uint64_t expected = table.rows - table.dropped->count();
    if (table.loaded.inserted == expected) return;
    throw Error(
        ErrorKind::data, "table \"{}\": {} rows were inserted, the package has {}{}", table.name,
        table.loaded.inserted, table.rows,
        table.dropped->count() == 0
            ? ""
            : fmt::format(", {} of which are duplicates or deletions", table.dropped->count()));
}

std::vector<LoadedTable> Load::finish() {
    TIPPLE_ASSERT(!is_finished_);
    std::vector<LoadedTable> result;
    for (TableState& table : tables_) {
        // A table that got no rows is emptied all the same when it is replaced.
        if (table.rows == 0 && !table.is_loaded && table.disposition == Disposition::replace) {
            load({.table = table.name, .disposition = table.disposition}, {});
        }
        TIPPLE_ASSERT(table.rows == 0 || table.is_loaded);
        check_counts(table);
        result.push_back(table.loaded);
    }
    write_system_rows();
    is_finished_ = true;
    return result;
}

void Load::write_system_rows() {
    engine::Engine& engine = session_->engine();
    const destination::SqlWriter& sql = session_->sql();
    const schema::Schema& schema = package_.schema();
    const std::int64_t now_us = context_.clock->now_us();
    if (!package_.manifest().removal.dropped.empty()) {
        // Nobody is to read what is gone out of an older version of the schema.
        engine.execute(fmt::format("DELETE FROM {} WHERE schema_name = {}", sql.table(destination::version_table), sql.literal(schema.name())));
    }
    const auto stored_hash = engine.query_value(sql.select_schema_hash(schema.name()));
    if (stored_hash != schema.version_hash()) {
        // The newest schema is the one inserted last: a clock that went back must not hide it.
        const auto newest = session_->query_int(fmt::format(
            "SELECT epoch_us(max(inserted_at)) FROM {}", sql.table(destination::version_table)));
        engine.execute(sql.insert_schema(schema, newest ? std::max(now_us, *newest + 1) : now_us));
    }
    if (package_.manifest().has_new_state) {
        TIPPLE_ASSERT(package_.state().is_object());
        engine.execute(sql.insert_state(package_.state().as_object(), package_.manifest().pipeline,
                                        package_.load_id(), now_us));
    }
    engine.execute(sql.insert_load(package_.load_id(), schema, now_us));
}

/// Whether the load record is in the file, asked of a fresh reader.
bool Load::is_committed() {
    session_.reset();
    try {
        Session reader(place_, {.mode = engine::AttachMode::read_only, .engine = {}}, context_.log);
        return has_load(reader, package_.load_id());
    } catch (const Error&) {
        return false;
    }
}

void Load::commit() {
    TIPPLE_ASSERT(is_finished_);
    try {
        session_->engine().execute("COMMIT");
        session_->close();
    } catch (const Error& error) {
        // A commit is more than one step: the log may be durable although working it into the file
        // failed, for want of room on the disk for example. Then the load is there, and whoever
        // opens the file next does the rest.
        if (!is_committed()) throw;
        context_.log.warning("the load is committed, but tidying the database file failed: {}",
                             error.what());
    }
}

}  // namespace tipple::destinations::duckdb
