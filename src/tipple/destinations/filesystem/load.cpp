#include "tipple/destinations/filesystem/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/destination/package_rows.h"
#include "tipple/destination/sql.h"
#include "tipple/destination/system_tables.h"
#include "tipple/destinations/filesystem/views.h"
#include "tipple/engine/column_types.h"

namespace tipple::destinations::filesystem {

using destination::LoadedTable;
using package::JobFile;
using schema::Disposition;

namespace {

constexpr std::size_t batch_bytes_min = std::size_t{1} << 20;
constexpr std::size_t batch_bytes_max = std::size_t{64} << 20;
constexpr std::size_t engine_bytes_min = std::size_t{32} << 20;
/// States of a pipeline that are kept, as the reference does.
constexpr std::size_t states_kept_max = 100;

std::size_t batch_bytes_of(std::size_t memory_bytes) {
    return memory_bytes == 0 ? batch_bytes_max : std::clamp(memory_bytes / 8, batch_bytes_min, batch_bytes_max);
}

/// While one batch is written the next one is read.
engine::EngineOptions engine_options(const destination::DestinationContext& context) {
    const std::size_t batches = 2 * batch_bytes_of(context.memory_bytes);
    const std::size_t memory = context.memory_bytes == 0 ? 0 : std::max(engine_bytes_min, context.memory_bytes - std::min(context.memory_bytes, batches));
    return {.memory_bytes = memory, .threads = context.threads, .temp_folder = {}};
}

/// `2026-11-24T17:04:18.123456+00:00`, as the reference writes times.
std::string time_text(std::int64_t time_us) {
    std::string text = utc_text(time_us);
    text.pop_back();
    return text + "+00:00";
}

/// A hash as part of a file's name.
std::string hash_text(const std::string& hash) {
    std::string bytes;
    return try_parse_base64(hash, bytes) ? to_hex(bytes) : to_hex(hash);
}

/// Jobs of a package are numbered: `<table>.<number>.arrow`. As wide as the ids of the reference. Its first digits are those of the rows' checksum: two loads of
/// the same microsecond have the same load id, and must not overwrite each other.
std::string file_id(const JobFile& job) {
    constexpr std::size_t checksum_digits = 4;
    const std::size_t end = job.name.rfind('.');
    const std::size_t start = job.name.rfind('.', end - 1) + 1;
    return fmt::format("{}{:0>6}", to_hex(job.checksum).substr(0, checksum_digits), job.name.substr(start, end - start));
}

/// Tells packages with one load id apart.
std::string identity_of(const package::Manifest& manifest) {
    std::string text = fmt::format("{}\n{}\n", manifest.pipeline, manifest.created_at);
    for (const JobFile& job : manifest.jobs) text += fmt::format("{} {}\n", job.name, to_hex(job.checksum));
    return to_hex(xxh3_64(text));
}

std::int64_t int_of(const json::Object& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value != nullptr && value->is_int() ? value->as_int() : 0;
}

destination::SqlDialect types_dialect() {
    destination::SqlDialect dialect;
    dialect.column_type = engine::column_type;
    dialect.names = {.is_case_sensitive = false};
    return dialect;
}

/// Files are read as what the package says, so every value that may be in them must be one of that type too: one that is not would make the table unreadable.
bool can_read_files(std::string_view of_package, std::string_view of_files) {
    constexpr std::array<std::string_view, 5> integers = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"};
    const auto from = std::find(integers.begin(), integers.end(), of_files);
    const auto to = std::find(integers.begin(), integers.end(), of_package);
    if (from != integers.end() && to != integers.end()) return from <= to;
    return of_package == of_files || (of_package == "VARCHAR" && of_files != "BLOB");
}

}  // namespace

destination::Catalog catalog_of(const std::map<std::string, schema::Schema, std::less<>>& schemas) {
    destination::Catalog catalog;
    const auto add = [&](const schema::Table& table) {
        std::vector<destination::CatalogColumn> columns;
        for (const schema::Column& column : table.columns()) {
            if (column.is_complete()) columns.push_back({.name = column.name(), .type = engine::column_type(column), .is_nullable = column.is_nullable()});
        }
        if (!columns.empty()) catalog.tables.insert_or_assign(table.name(), std::move(columns));
    };
    for (const auto& [name, schema] : schemas) {
        for (const auto& table : schema.tables()) add(*table);
    }
    for (const schema::Table& table : {destination::version_table_definition(), destination::loads_table_definition(), destination::state_table_definition()}) add(table);
    return catalog;
}

Load::Load(const Place& place, const destination::DestinationContext& context, const destination::Capabilities& capabilities, const package::Package& package)
    : place_(place),
      context_(context),
      package_(package),
      plan_(package_, capabilities),
      dataset_(place.open()),
      guard_(dataset_->lock(context.lock_timeout, fmt::format("pid {} since {}, load {}\n", getpid(), utc_text(context.clock->now_us()), package.load_id()), context.stop)),
      layout_(dataset_->layout()),
      before_(dataset_->read(layout_)),
      batch_bytes_(batch_bytes_of(context.memory_bytes)),
      engine_(engine_options(context)) {
    dataset_->settle(before_);
    if (!before_.intents.empty()) before_ = dataset_->read(layout_);
    schemas_ = schemas_of(*dataset_, before_);
    catalog_ = catalog_of(schemas_);
    changes_.load_id = package_.load_id();
    changes_.package = identity_of(package_.manifest());
    changes_.rebase = [this](const Snapshot& now, Changes& changes) { rebase(now, changes); };
    check_fence(before_);
    if (!context_.adopt_tables) check_foreign_tables();
    for (const TableState& table : plan_.tables()) {
        layout_.path({.schema = package_.schema().name(), .table = table.name, .load_id = package_.load_id(), .file_id = "0", .ending = place_.format.ending()});
    }
    const destination::SqlDialect dialect = types_dialect();
    for (const std::string& table : package_.manifest().removal.dropped) {
        std::erase_if(catalog_.tables, [&](const auto& known) { return dialect.names.key(known.first) == dialect.names.key(table); });
    }
    check_names(dialect);
    destination::check_types(catalog_, package_, plan_, dialect, can_read_files);
}

Load::~Load() {
    if (changes_.may_be_there) return;
    try {
        dataset_->roll_back(changes_);
    } catch (const std::exception& error) {
        context_.log.warning("what was written of a load that failed lies there still, though nobody sees it: {}", error.what());
    }
}

void Load::check_fence(const Snapshot& now) const {
    const package::Manifest& manifest = package_.manifest();
    if (now.has_load(manifest.load_id)) throw Error(ErrorKind::conflict, "load {} is already in {}", manifest.load_id, dataset_->name());
    package::Fence found;
    if (const SystemFile* state = now.newest_state(manifest.pipeline)) {
        const destination::StoredState stored = stored_state(*dataset_, *state);
        found.state_version = stored.version;
        found.state_hash = stored.version_hash;
    }
    const std::string& name = package_.schema().name();
    if (const SystemFile* newest = now.newest_schema(name)) {
        const SystemFile* known = before_.newest_schema(name);
        const bool is_known = known != nullptr && known->path == newest->path;
        found.schema_hash = is_known ? schemas_.at(name).version_hash() : stored_schema(*dataset_, *newest).version_hash();
    }
    destination::require_fence(found, package_, place_.dataset);
}

/// Readers do not tell such names apart, whichever schema they are of.
void Load::check_names(const destination::SqlDialect& dialect) const {
    std::map<std::string, std::string> known_by_key;
    for (const auto& [known, columns] : catalog_.tables) known_by_key.try_emplace(dialect.names.key(known), known);
    for (const TableState& table : plan_.tables()) {
        const auto known = known_by_key.find(dialect.names.key(table.name));
        if (known == known_by_key.end() || known->second == table.name) continue;
        throw Error(ErrorKind::usage,
                    "table \"{}\": the dataset has a table \"{}\", whose name differs in case only: load it under another name (--as) or into another dataset", table.name,
                    known->second);
    }
}

void Load::check_foreign_tables() const {
    std::vector<std::string> paths = before_.foreign;
    if (!dataset_->keeps_leftovers()) paths.insert(paths.end(), before_.unfinished.begin(), before_.unfinished.end());
    for (const TableState& table : plan_.tables()) {
        if (catalog_.find(table.name, {.is_case_sensitive = false}) != nullptr) continue;
        for (const std::string& path : paths) {
            const std::optional<FileName> name = layout_.parse(path);
            if (!(name ? name->table == table.name : path.starts_with(table.name + "/"))) continue;
            throw Error(ErrorKind::usage,
                        "table \"{}\": its files would lie beside {}, which no load has made: nothing is written there unless --adopt is given, and that file is no part of "
                        "the table then either. Or load into another table or dataset",
                        table.name, dataset_->path(path));
        }
    }
}

void Load::drop(const std::vector<std::string>& tables) {
    truncate(tables);
    // Nobody is to read what is gone out of an older version of the schema.
    for (const SystemFile& file : before_.schemas) {
        if (file.owner == package_.schema().name()) removed_.insert(file.path);
    }
}

void Load::truncate(const std::vector<std::string>& tables) {
    emptied_.insert(tables.begin(), tables.end());
}

/// Files are read as what the schema says, so there is nothing to be made; but values must fit the type they are read as.
void Load::apply(const destination::DdlPlan& plan) {
    for (const destination::DdlPlan::WidenColumn& wider : plan.widen) {
        if (wider.from != schema::DataType::bigint || wider.column.data_type() != schema::DataType::double_) continue;
        const Tables tables = tables_of(*dataset_, before_, schemas_);
        const std::optional<std::string> count = engine_.query_value(destination::count_large_integers(
            fmt::format("({}) AS t", select_statement(tables, wider.table, line_bytes_default)), engine::quote_identifier(wider.column.name())));
        if (destination::to_count(count) == 0) continue;
        throw Error(ErrorKind::conflict,
                    "table \"{}\", column \"{}\": it was to become double, but has got {} whole numbers since the run started that no double holds. "
                    "Nothing was loaded: run again",
                    wider.table, wider.column.name(), *count);
    }
}

std::uint64_t Load::count_rows(const std::string& table, const std::vector<DataFile>& files) {
    Tables tables = tables_of(*dataset_, before_, schemas_);
    auto& by_format = tables.files[table];
    by_format.clear();
    for (const DataFile& file : files) by_format[file.format].emplace_back([&] { return dataset_->local_path(file.path); });
    return destination::to_count(engine_.query_value(fmt::format("SELECT count(*) FROM ({})", select_statement(tables, table, line_bytes_default))));
}

void Load::undo() {
    const package::Removal& removal = package_.manifest().removal;
    const auto is_undone = [&](const std::string& load_id) { return std::find(removal.undone_loads.begin(), removal.undone_loads.end(), load_id) != removal.undone_loads.end(); };
    for (const auto& [table, files] : before_.files) {
        std::vector<DataFile> undone;
        std::copy_if(files.begin(), files.end(), std::back_inserter(undone), [&](const DataFile& file) { return is_undone(file.name.load_id); });
        if (undone.empty()) continue;
        const auto expected = std::find_if(removal.undone_rows.begin(), removal.undone_rows.end(), [&, &name = table](const package::UndoneRows& rows) { return rows.table == name; });
        const std::uint64_t there = count_rows(table, undone);
        const std::uint64_t counted = expected != removal.undone_rows.end() ? expected->rows : 0;
        if (there != counted) {
            throw Error(ErrorKind::conflict,
                        "table \"{}\": {} rows of the loads to be undone are there now, {} were there when they were counted; nothing was removed, try again", table, there,
                        counted);
        }
        for (const DataFile& file : undone) removed_.insert(file.path);
    }
    for (const SystemFile& state : before_.states) {
        if (is_undone(state.id)) removed_.insert(state.path);
    }
    std::size_t records = 0;
    for (const SystemFile& load : before_.loads) {
        if (!is_undone(load.id)) continue;
        removed_.insert(load.path);
        ++records;
    }
    if (records != removal.undone_loads.size()) {
        throw Error(ErrorKind::conflict, "{} of the {} loads to be undone are there: nothing was removed", records, removal.undone_loads.size());
    }
}

// ---- rows ----

std::size_t Load::batch_rows(const std::string& table) const {
    const std::uint64_t rows = std::max<std::uint64_t>(package_.manifest().rows_of(table), 1);
    const std::uint64_t row_bytes = package_.manifest().raw_bytes_of(table) / rows + 1;
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(batch_bytes_ / row_bytes, 2'048, static_cast<std::uint64_t>(limits::row_group_rows)));
}

/// The rows of one job, in which nothing is null that must not be.
columns::ArrowSource Load::rows_of(const TableState& table, const JobFile& job) const {
    std::vector<std::string> hidden;
    for (const destination::Constant& constant : table.constants) hidden.push_back(constant.column);
    columns::ArrowSource source = destination::table_rows({.files = context_.files,
                                                           .package = &package_,
                                                           .table = table.name,
                                                           .job = &job,
                                                           .has_root_numbers = table.disposition == Disposition::merge,
                                                           .batch_rows = batch_rows(table.name),
                                                           .batch_bytes = batch_bytes_},
                                                          table.columns, hidden, table.dropped, [this](std::uint64_t rows) {
                                                              if (on_rows_) on_rows_(rows);
                                                          });
    std::set<std::string> needed;
    for (const schema::Column& column : package_.schema().require(table.name).columns()) {
        if (column.is_complete() && !column.is_nullable()) needed.insert(column.name());
    }
    source.next = [next = std::move(source.next), needed = std::move(needed), name = table.name] {
        std::unique_ptr<columns::Batch> batch = next();
        for (std::size_t i = 0; batch != nullptr && i < batch->columns.size(); ++i) {
            if (batch->columns[i].null_count() > 0 && needed.contains(batch->names[i])) throw destination::missing_value_error(name, batch->names[i]);
        }
        return batch;
    };
    return source;
}

void Load::write_job(TableState& table, const JobFile& job, std::stop_token stop) {
    TIPPLE_ASSERT(!job.reference);
    std::vector<std::string> expressions;
    for (const schema::Column& column : package_.schema().require(table.name).columns()) {
        if (!column.is_complete()) continue;
        const std::string name = engine::quote_identifier(column.name());
        expressions.push_back(table.is_constant(column.name()) ? fmt::format("{} AS {}", engine::quote_literal(package_.load_id()), name)
                                                               : written_expression(column, place_.format.format));
    }
    const std::string stream = fmt::format("rows_{}", streams_++);
    const std::string staged = io::join_path(dataset_->staging_folder(package_.load_id()), stream);
    engine_.register_stream(stream, rows_of(table, job));
    const std::uint64_t written = engine_.execute(
        copy_statement(fmt::format("SELECT {} FROM memory.main.{}", join(expressions, ", "), stream), staged, place_.format, batch_rows(table.name)), stop);
    const std::unique_ptr<io::WriteFile> file = context_.files->open_append(staged);
    file->sync();
    file->close();
    changes_.staged.push_back({.staged = staged,
                       .path = layout_.path({.schema = package_.schema().name(),
                                             .table = table.name,
                                             .load_id = package_.load_id(),
                                             .file_id = file_id(job),
                                             .ending = place_.format.ending()})});
    table.loaded.inserted += written;
}

void Load::load(const destination::LoadJob& job, std::stop_token stop) {
    TableState& table = plan_.require(job.table);
    TIPPLE_ASSERT(!table.is_loaded && !is_finished_);
    on_rows_ = job.on_rows;
    if (table.disposition == Disposition::replace) emptied_.insert(table.name);
    if (table.disposition == Disposition::merge && table.name == table.root) {
        context_.log.warning("table \"{}\": rows are appended, not merged, as the option \"merge\" says: what has the same key is there twice", table.name);
    }
    try {
        for (const JobFile* each : package_.jobs_of(table.name)) {
            if (each->rows > 0) write_job(table, *each, stop);
        }
    } catch (const Error& error) {
        throw error.with_context(fmt::format("table \"{}\"", table.name));
    }
    table.is_loaded = true;
}

// ---- the end ----

std::vector<LoadedTable> Load::finish() {
    TIPPLE_ASSERT(!is_finished_);
    std::vector<LoadedTable> result;
    for (TableState& table : plan_.tables()) {
        // A table that got no rows is emptied all the same when it is replaced.
        if (!table.is_loaded && table.disposition == Disposition::replace) emptied_.insert(table.name);
        TIPPLE_ASSERT(table.rows == 0 || table.is_loaded);
        table.check_counts();
        result.push_back(table.loaded);
    }
    prepare_system_rows();
    is_finished_ = true;
    return result;
}

void Load::prepare_system_rows() {
    const schema::Schema& schema = package_.schema();
    const std::int64_t now_us = context_.clock->now_us();
    const std::string load_id = package_.load_id();
    const auto stored = schemas_.find(schema.name());
    if (stored == schemas_.end() || stored->second.version_hash() != schema.version_hash() || !package_.manifest().removal.dropped.empty()) {
        // The newest schema is the one stored last: a clock that went back must not hide it.
        const std::int64_t newest_us = before_.schemas.empty() ? 0 : load_id_time_us(before_.schemas.back().id);
        const std::int64_t time_us = std::max(now_us, newest_us + 1);
        changes_.rows.push_back({.path = fmt::format("{}/{}__{}__{}.jsonl", destination::version_table, schema.name(), load_id_at(time_us), hash_text(schema.version_hash())),
                         .object = {{"version_hash", schema.version_hash()},
                                    {"schema_name", schema.name()},
                                    {"version", schema.version()},
                                    {"engine_version", schema::engine_version},
                                    {"inserted_at", time_text(time_us)},
                                    {"schema", json::to_text(schema.to_document())}}});
    }
    if (package_.manifest().has_new_state) {
        const json::Object& state = package_.state().as_object();
        const std::string& pipeline = package_.manifest().pipeline;
        changes_.rows.push_back({.path = fmt::format("{}/{}__{}__{}.jsonl", destination::state_table, pipeline, load_id, hash_text(schema.version_hash())),
                         .object = {{"version", int_of(state, "_state_version")},
                                    {"engine_version", destination::state_engine_version},
                                    {"pipeline_name", pipeline},
                                    {"state", destination::encode_state(state)},
                                    {"created_at", time_text(now_us)},
                                    {"version_hash", destination::stored_state_hash(state)},
                                    {std::string(schema::load_id_column), load_id}}});
    }
    changes_.record = {.path = fmt::format("{}/{}__{}.jsonl", destination::loads_table, schema.name(), load_id),
               .object = {{"load_id", load_id},
                          {"schema_name", schema.name()},
                          {"status", 0},
                          {"inserted_at", time_text(now_us)},
                          {"schema_version_hash", schema.version_hash()}}};
}

std::set<std::string> Load::removed_of(const Snapshot& now) const {
    std::set<std::string> removed = removed_;
    for (const std::string& table : emptied_) {
        const auto files = now.files.find(table);
        if (files == now.files.end()) continue;
        for (const DataFile& file : files->second) removed.insert(file.path);
    }
    if (!package_.manifest().has_new_state) return removed;
    std::vector<std::string> known;
    for (const SystemFile& state : now.states) {
        if (state.owner == package_.manifest().pipeline) known.push_back(state.path);
    }
    for (std::size_t i = 0; i + states_kept_max <= known.size(); ++i) removed.insert(known[i]);
    return removed;
}

void Load::rebase(const Snapshot& now, Changes& changes) const {
    check_fence(now);
    const package::Removal& removal = package_.manifest().removal;
    if (!removal.undone_loads.empty() || !removal.dropped.empty()) {
        throw Error(ErrorKind::conflict, "dataset \"{}\" was loaded into by somebody else meanwhile: nothing was removed, try again", place_.dataset);
    }
    changes.removed = removed_of(now);
}

void Load::commit() {
    TIPPLE_ASSERT(is_finished_);
    changes_.removed = removed_of(before_);
    changes_.undone = package_.manifest().removal.undone_loads;
    dataset_->commit(changes_, layout_, before_);
    try {
        dataset_->tidy_up(changes_);
    } catch (const Error& error) {
        context_.log.warning("the load is there, but tidying up after it failed, which the next load does: {}", error.what());
    }
    guard_.reset();
}

}  // namespace tipple::destinations::filesystem
