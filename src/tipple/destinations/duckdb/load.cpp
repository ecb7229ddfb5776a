#include "tipple/destinations/duckdb/load.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/refused_rows.h"
#include "tipple/destination/replaced_rows.h"
#include "tipple/destination/stored.h"
#include "tipple/destination/undo_sql.h"
#include "tipple/destinations/duckdb/types.h"
#include "tipple/engine/column_types.h"
#include "tipple/io/process.h"

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

/// The stream of a table's rows, and that of its keys.
std::string rows_stream(const destination::TableLoadState& table) { return fmt::format("rows_{}", table.number); }
std::string keys_stream(const destination::TableLoadState& table) { return fmt::format("keys_{}", table.number); }

/// Of the memory, so much may lie between blocks that are in use. Measured with 5 GB of nested JSON: without a bound it is 80 MB in the end, and less costs time.
constexpr std::size_t free_share = 12;

/// Enough to see which column is the largest.
constexpr std::size_t sampled_rows = 16;

engine::EngineOptions engine_options(const MemoryPlan& memory, const std::string& temp_folder) {
    return {
        .memory_bytes = memory.engine_bytes, .threads = memory.threads, .temp_folder = temp_folder};
}

}  // namespace

NewFile::~NewFile() {
    if (is_kept_) return;
    try {
        files_.remove(path_);
    } catch (const std::exception& error) {
        log_.warning("the database file that the load had made was not removed: {}", error.what());
    }
}

Load::Load(const Place& place, const destination::DestinationContext& context,
           const destination::Capabilities& capabilities, const package::Package& package)
    : place_(place),
      context_(context),
      capabilities_(capabilities),
      package_(package),
      temp_folder_(context.temp_folder.empty() ? std::string()
                                               : io::join_path(context.temp_folder, "duckdb")),
      plan_(package_, capabilities),
      memory_(plan_memory(package, context.memory_bytes, context.threads)) {
    remove_spills();
    // The engine makes a folder for what it spills, but not the folders above it.
    if (!context_.temp_folder.empty()) context_.files->create_folders(context_.temp_folder);
    const bool was_there = context_.files->find(place_.path) != nullptr;
    try {
        session_ = std::make_unique<Session>(place,
                                             SessionOptions{.mode = engine::AttachMode::read_write,
                                                            .engine = engine_options(memory_, temp_folder_),
                                                            .layout = memory_.layout},
                                             context.log);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::local && !was_there) remove_head();
        throw;
    }
    if (context_.files->find(place_.path) == nullptr) {
        throw Error(ErrorKind::locked, "database file {} was removed by a load that failed, at the moment it was opened here; run again", place_.path);
    }
    // Somebody else may have made it meanwhile.
    if (!was_there && session_->is_empty()) new_file_ = std::make_unique<NewFile>(*context_.files, place_.path, context_.log);
    engine::Engine& engine = session_->engine();
    // Whatever is committed is written by the checkpoint that the commit makes, once: below the
    // default threshold it would be written to the log first and again when the file is closed. A
    // crash before the checkpoint's end leaves the file as it was.
    engine.execute("SET checkpoint_threshold = '1KB'");
    if (memory_.layout.row_group_rows != 0) {
        engine.execute("SET write_buffer_row_group_count = 1");
    } else if (!new_file_ && memory_.memory_bytes != 0 && session_->widest_table() > wide_columns) {
        // The checkpoint would put small row groups of wide rows together to large ones, which take more memory than there is.
        engine.execute("SET max_vacuum_tasks = 0");
    }
    const MemoryPlan planned = memory_;
    fit_to_blocks(memory_, session_->block_bytes(), [this](const std::string& table) { return find_largest_column(table); });
    if (memory_.threads != planned.threads) engine.set_threads(memory_.threads);
    if (memory_.engine_bytes != planned.engine_bytes) engine.set_memory(memory_.engine_bytes);
    register_streams();
    engine.execute("BEGIN");
    // What lists the columns of a file takes the engine 9 ms, for it binds every view that it has itself.
    if (!new_file_) catalog_ = session_->read_catalog();
    destination::check_fence(*session_, catalog_, package_);
    if (!context_.adopt_tables) destination::check_foreign_tables(*session_, catalog_, plan_);
    for (const std::string& table : package_.manifest().removal.dropped) {
        std::erase_if(catalog_.tables, [&](const auto& known) { return name_rule.key(known.first) == name_rule.key(table); });
    }
    destination::check_types(catalog_, package_, plan_, session_->sql().dialect(), engine::keeps_values);
}

Load::~Load() {
    // Closing the connection rolls back.
    merges_.clear();
    new_file_.reset();
    session_.reset();
    try {
        remove_spills();
    } catch (const std::exception& error) {
        context_.log.warning("temporary files were not removed: {}", error.what());
    }
}

/// A new file that the engine has made and does not open, or of which it has written a part where files have their names at once (no hard links). Nothing but the
/// heads can be in a file of that size.
void Load::remove_head() const {
    constexpr std::uint64_t heads_bytes = 3 * 4'096;
    const std::unique_ptr<io::FileInfo> file = context_.files->find(place_.path);
    if (file == nullptr || file->size > heads_bytes) return;
    const NewFile removed(*context_.files, place_.path, context_.log);
}

/// By the table's first rows; those of files by reference are not looked at.
std::string Load::find_largest_column(const std::string& name) const {
    const auto table = std::find_if(plan_.tables().begin(), plan_.tables().end(), [&](const TableState& each) { return each.name == name; });
    TIPPLE_ASSERT(table != plan_.tables().end());
    package::TableReader rows(*context_.files, package_, name, table->columns, sampled_rows, memory_.batch_bytes, package::OtherColumns::skip);
    const std::unique_ptr<columns::Batch> sample = rows.next();
    if (sample == nullptr) return {};
    std::size_t largest = 0;
    for (std::size_t i = 1; i < sample->columns.size(); ++i) {
        if (sample->columns[i].view().byte_size() > sample->columns[largest].view().byte_size()) largest = i;
    }
    return sample->names[largest];
}

void Load::remove_spills() {
    if (!temp_folder_.empty() && context_.files != nullptr) context_.files->remove(temp_folder_);
}

void Load::register_streams() {
    for (const TableState& table : plan_.tables()) {
        if (table.job_rows == 0) continue;
        const destination::RowsOptions options{
            .files = context_.files,
            .package = &package_,
            .table = table.name,
            .selected = table.selected,
            .has_root_numbers = plan_.has_root_numbers(table.root),
            .batch_rows = batch_rows(package_.manifest(), table.name, memory_),
            .batch_bytes = memory_.batch_bytes};
        std::vector<std::string> hidden;
        for (const destination::Constant& constant : table.constants) hidden.push_back(constant.column);
        session_->engine().register_stream(rows_stream(table), destination::table_rows(options, table.columns, hidden, table.dropped, [this](std::uint64_t rows) {
                                               if (on_rows_) on_rows_(rows);
                                               if (memory_.memory_bytes != 0) io::release_free_memory(memory_.memory_bytes / free_share);
                                           }));
        if (!table.key_columns.empty()) session_->engine().register_stream(keys_stream(table), destination::table_keys(options, table.key_columns));
    }
}

void Load::drop(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        session_->engine().execute(fmt::format("DROP TABLE IF EXISTS {}", session_->sql().table(table)));
    }
}

void Load::truncate(const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        if (catalog_.find(table, name_rule) != nullptr) session_->engine().execute(fmt::format("DELETE FROM {}", session_->sql().table(table)));
    }
}

void Load::apply(const destination::DdlPlan& plan) {
    engine::Engine& engine = session_->engine();
    const destination::SqlWriter& sql = session_->sql();
    destination::create_system_tables(*session_, catalog_);
    for (const schema::Table& table : plan.create) engine.execute(sql.create_table(table));
    for (const destination::DdlPlan::AddColumns& addition : plan.add) {
        for (const schema::Column& column : addition.columns)
            engine.execute(sql.add_column(addition.table, column));
    }
    for (const destination::DdlPlan::WidenColumn& wider : plan.widen) {
        destination::check_widening(*session_, wider);
        engine.execute(sql.widen_column(wider.table, wider.column));
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
    return fmt::format("SELECT {} FROM read_parquet({}, file_row_number = true, hive_partitioning = false){}",
                       join(expressions, ", "),
                       engine::quote_path(job.reference->path),
                       condition.empty() ? "" : " WHERE " + condition);
}

/// Over the keys of all rows with their positions behind them; one per place where rows lie.
std::vector<std::string> Load::key_selects(const TableState& table) const {
    std::vector<std::string> selects;
    if (table.key_columns.empty()) return selects;
    if (table.job_rows > 0)
        selects.push_back(fmt::format("SELECT * FROM memory.main.{}", keys_stream(table)));
    std::uint64_t first = table.job_rows;
    for (const JobFile* job : package_.jobs_of(table.name)) {
        if (!job->reference) continue;
        std::vector<std::string> expressions;
        for (const SegmentColumn& key : table.key_columns) {
            const auto& columns = job->reference->columns;
            const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& pair) {
                return pair.second.name == key.name;
            });
            if (found != columns.end()) {
                expressions.push_back(reference_expression(found->first, found->second.type));
            } else {
                expressions.push_back(key.name == schema::id_column
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

/// Runs a statement that inserts rows of the table, those of a registered stream unless its name is empty. Throws RowsRefused when one of them is at fault.
std::uint64_t Load::insert(const TableState& table, const std::string& statement, const std::string& stream, std::stop_token stop) {
    try {
        if (stream.empty() || !memory_.has_all_threads) return session_->engine().execute(statement, stop);
        return session_->engine().insert_stream(statement, stream, package_.schema().require(table.name).columns().size(), stop);
    } catch (const Error& error) {
        // A key that is missing in another table may be in this very load, and lacks when only a part of it is loaded.
        if (error.kind() != ErrorKind::data || std::string_view(error.what()).find("foreign key constraint") != std::string_view::npos) throw;
        const std::string column = column_without_value(error.what());
        const Error shown = column.empty() ? error.with_context(fmt::format("table \"{}\"", table.name)) : destination::missing_value_error(table.name, column);
        throw destination::RowsRefused(shown, {.table = table.name, .column = column, .dropped = table.dropped});
    }
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
    for (const destination::Constant& constant : table.constants) {
        targets.push_back(constant.column);
        expressions.push_back(session_->sql().literal(constant));
    }
    const destination::RowRange& selected = *table.selected;
    // Dropped rows are few: duplicates inside one load.
    std::vector<std::string> numbers;
    for (std::uint64_t row = 0; table.dropped->count() > 0 && row < job.rows; ++row) {
        if (table.dropped->contains(first + row)) numbers.push_back(std::to_string(row));
    }
    std::vector<std::string> conditions;
    if (!numbers.empty()) conditions.push_back(fmt::format("file_row_number NOT IN (SELECT unnest([{}]))", join(numbers, ", ")));
    if (table.is_part()) conditions.push_back(fmt::format("file_row_number + {0} >= {1} AND file_row_number + {0} < {1} + {2}", first, selected.first, selected.count));
    const std::uint64_t inserted =
        insert(table,
               fmt::format("INSERT INTO {} ({}) {}", session_->sql().table(table.name), session_->sql().list(targets),
                           reference_select(job, expressions, join(conditions, " AND "))),
               "", stop);
    check_reference(job);
    if (!table.is_part() && inserted + numbers.size() != job.rows) {
        throw Error(ErrorKind::data, "file {}: {} rows were read, the package counted {}",
                    job.reference->path, inserted + numbers.size(), job.rows);
    }
    table.loaded.inserted += inserted;
    if (on_rows_) on_rows_(job.rows);
}

void Load::insert_rows(TableState& table, std::stop_token stop) {
    if (table.job_rows > table.selected->first) {
        std::vector<std::string> targets;
        for (const SegmentColumn& column : table.columns) {
            if (!table.is_constant(column.name)) targets.push_back(column.name);
        }
        std::string literals;
        for (const destination::Constant& constant : table.constants) {
            targets.push_back(constant.column);
            literals += ", " + session_->sql().literal(constant);
        }
        table.loaded.inserted +=
            insert(table,
                   fmt::format("INSERT INTO {} ({}) SELECT *{} FROM memory.main.{}", session_->sql().table(table.name), session_->sql().list(targets),
                               literals, rows_stream(table)),
                   rows_stream(table), stop);
    }
    std::uint64_t first = table.job_rows;
    for (const JobFile* job : package_.jobs_of(table.name)) {
        if (!job->reference) continue;
        insert_reference(table, *job, first, stop);
        first += job->rows;
    }
}

destination::Merge& Load::prepare_merge(const std::string& root, std::stop_token stop) {
    const auto found = merges_.find(root);
    if (found != merges_.end()) return found->second;
    std::vector<destination::MergeTable> members;
    for (const TableState& table : plan_.tables()) {
        if (table.root != root) continue;
        const auto stage = [this, selects = key_selects(table)](const std::string& temporary, std::stop_token stop_staging) {
            std::uint64_t rows = 0;
            for (const std::string& select : selects) rows += session_->execute(fmt::format("INSERT INTO {} {}", temporary, select), stop_staging);
            return rows;
        };
        members.push_back({.name = table.name,
                           .rows = table.rows,
                           .existed = catalog_.find(table.name, name_rule) != nullptr,
                           .stage = stage,
                           .dropped = table.dropped});
    }
    destination::Merge& merge =
        merges_.try_emplace(root, *session_, package_.schema(), *plan_.find_merge(root), std::move(members), merges_.size()).first->second;
    merge.prepare(stop);
    for (const destination::MergeTable& member : merge.tables()) {
        destination::LoadedTable& loaded = plan_.require(member.name).loaded;
        loaded.deleted += member.deleted;
        loaded.missing = member.missing;
    }
    return merge;
}

void Load::load(const destination::LoadJob& job, std::stop_token stop) {
    TableState& table = plan_.require(job.table);
    TIPPLE_ASSERT(table.disposition == job.disposition && !table.is_loaded && !is_finished_);
    on_rows_ = job.on_rows;
    *table.selected = job.only;
    try {
        if (const package::TableLoad* replacing = plan_.find_replacing(table)) {
            destination::delete_replaced(*session_, package_.schema(), catalog_, *replacing, table.number, stop,
                                         [&](const std::string& name, std::uint64_t rows) { plan_.require(name).loaded.deleted += rows; });
        }
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
    } catch (const destination::RowsRefused&) {
        throw;
    } catch (const Error& error) {
        throw error.with_context(fmt::format("table \"{}\"", table.name));
    }
    table.is_loaded = true;
}

std::vector<LoadedTable> Load::finish() {
    TIPPLE_ASSERT(!is_finished_);
    std::vector<LoadedTable> result;
    for (TableState& table : plan_.tables()) {
        // A table that got no rows is emptied all the same when it is replaced.
        if (table.rows == 0 && !table.is_loaded && table.disposition == Disposition::replace) {
            load({.table = table.name, .disposition = table.disposition}, {});
        }
        TIPPLE_ASSERT(table.rows == 0 || table.is_loaded);
        table.check_counts();
        result.push_back(table.loaded);
    }
    destination::write_system_rows(*session_, package_, context_.clock->now_us());
    is_finished_ = true;
    return result;
}

/// Whether the load record is in the file, asked of a fresh reader.
bool Load::is_committed() {
    session_.reset();
    try {
        Session reader(place_, {.mode = engine::AttachMode::read_only, .engine = {}}, context_.log);
        return destination::has_load(reader, destination::load_key(package_));
    } catch (const Error&) {
        return false;
    }
}

void Load::commit() {
    TIPPLE_ASSERT(is_finished_);
    // From here on, an error does not tell whether there is something in it.
    if (new_file_ != nullptr) new_file_->keep();
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
