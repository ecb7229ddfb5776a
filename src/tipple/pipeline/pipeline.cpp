#include "tipple/pipeline/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/core/random.h"
#include "tipple/destination/strategies.h"
#include "tipple/destination/system_tables.h"
#include "tipple/normalize/row_ids.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/forget.h"
#include "tipple/pipeline/input_log.h"
#include "tipple/pipeline/load.h"
#include "tipple/pipeline/resources.h"
#include "tipple/pipeline/state.h"

namespace tipple::pipeline {

namespace {

/// Job files are rotated at this size, so that a broken one costs little to find.
constexpr std::uint64_t job_bytes_max = std::uint64_t{256} << 20;

/// Member of a manifest's notes: which files were read, as they were then.
constexpr std::string_view inputs_note = "inputs";

std::string inputs_hash(const std::vector<source::InputFile>& inputs) {
    json::Array files;
    for (const source::InputFile& input : inputs) files.push_back(json::Array{input.path, input.size, input.modified_ns});
    return to_hex(xxh3_64(json::to_text(files)));
}

/// Keys are broken at the separator unless a schema migrated from an old engine says otherwise.
bool breaks_paths(const schema::Schema& schema) {
    const json::Value* setting = schema.normalizers().find("use_break_path_on_normalize");
    return setting == nullptr || !setting->is_bool() || setting->as_bool();
}

/// What the run did to each table, roots before what is nested in them.
void describe_tables(RunReport& report, const schema::Schema& schema, const schema::Schema& before, const std::map<std::string, std::uint64_t>& rows) {
    for (const auto& root : schema.tables()) {
        if (root->is_nested() || root->is_internal()) continue;
        for (const schema::Table* table : schema.chain_of(root->name())) {
            const auto count = rows.find(table->name());
            if (count == rows.end()) continue;
            const schema::Table* old = before.find(table->name());
            TableReport entry{.table = table->name(), .parent = table->parent(), .rows = count->second, .new_columns = {}};
            entry.is_new = old == nullptr || !old->has_complete_columns();
            for (const schema::Column& column : table->columns()) {
                const schema::Column* known = old != nullptr ? old->find(column.name()) : nullptr;
                if (column.is_complete() && (known == nullptr || !known->is_complete())) entry.new_columns.push_back(column);
            }
            report.tables.push_back(std::move(entry));
        }
    }
}

/// Detectors and preferred types are replaced, rules for default hints are added to those that are there.
void apply_settings(schema::Schema& schema, const json::Object& settings) {
    for (const json::Member& setting : settings) {
        if (setting.name != "default_hints" || !setting.value.is_object()) {
            schema.settings().set(setting.name, setting.value);
            continue;
        }
        json::Value& hints = schema.settings()["default_hints"];
        if (!hints.is_object()) hints = json::Object();
        for (const json::Member& hint : setting.value.as_object()) {
            json::Value& rules = hints.as_object()[hint.name];
            if (!rules.is_array()) rules = json::Array();
            for (const json::Value& rule : hint.value.as_array()) {
                json::Array& list = rules.as_array();
                if (std::find(list.begin(), list.end(), rule) == list.end()) list.push_back(rule);
            }
        }
    }
}

std::string dataset_of(const PipelineConfig& config, const destination::Destination& destination) {
    return config.dataset.empty() ? destination.capabilities().default_dataset : config.dataset;
}

}  // namespace

const char* to_text(Step step) { return step == Step::extract ? "extract" : "load"; }

std::size_t destination_memory(const PipelineConfig& config) {
    return config.memory_bytes - std::min(limits::program_bytes, config.memory_bytes / 4);
}

std::string pipeline_folder(const PipelineConfig& config, const destination::Destination& destination) {
    const std::string key = destination.identity() + "\n" + dataset_of(config, destination);
    return io::join_path(config.data_folder, fmt::format("{}-{}", config.name, to_hex(xxh3_64(key)).substr(0, 12)));
}

Pipeline::Pipeline(PipelineConfig config, destination::Destination& destination, io::FileSystem& files, const Clock& clock, Log log)
    : config_(std::move(config)),
      destination_(destination),
      files_(files),
      clock_(clock),
      log_(std::move(log)),
      folder_(pipeline_folder(config_, destination)) {
    if (config_.schema_name.empty()) config_.schema_name = config_.name;
    config_.dataset = dataset_of(config_, destination);
    config_.workers = std::max<std::size_t>(config_.workers, 1);
}

std::unique_ptr<io::FileLock> Pipeline::lock() {
    files_.create_folders(folder_);
    const std::string path = io::join_path(folder_, "lock");
    std::unique_ptr<io::FileLock> lock = files_.try_lock(path, fmt::format("pid {} since {}\n", getpid(), utc_text(clock_.now_us())));
    if (lock == nullptr) {
        std::string holder = files_.read_text(path);
        holder.erase(std::remove(holder.begin(), holder.end(), '\n'), holder.end());
        throw Error(ErrorKind::locked, "another run of pipeline \"{}\" into {} goes on ({}); wait for it, or stop it, and run again", config_.name,
                    destination_.description(), holder);
    }
    return lock;
}

/// What the destination had when the run began.
struct Pipeline::Start {
    schema::Schema schema;
    std::optional<destination::StoredState> state;
    package::Fence fence;
    std::string load_id;
    std::string newest_load_id;  ///< at the destination
};

/// What extract and normalize left.
struct Pipeline::Normalized {
    schema::Schema schema;
    std::vector<package::TableLoad> loads;
    json::Object schema_change;
    std::vector<source::InputFile> inputs;
    json::Object sources;  ///< what they remember from here on
};

Pipeline::Start Pipeline::read_start() const {
    Start start;
    std::int64_t now_us = clock_.now_us();
    std::optional<destination::StoredDataset> stored = destination_.read_dataset();
    start.schema = schema::Schema::make(config_.schema_name, config_.naming);
    if (stored) {
        if (const auto known = stored->schemas.find(config_.schema_name); known != stored->schemas.end()) {
            start.schema = known->second;
            start.fence.schema_hash = start.schema.version_hash();
        }
        start.newest_load_id = stored->newest_load_id;
        start.state = std::move(stored->state);
        // Load ids must go up, whatever the clock does: their order is what tells the newest state.
        if (!stored->newest_load_id.empty()) now_us = std::max(now_us, load_id_time_us(stored->newest_load_id) + 1);
    }
    if (start.state) {
        start.fence.state_version = start.state->version;
        start.fence.state_hash = start.state->version_hash;
    }
    start.load_id = load_id_at(now_us);
    return start;
}

std::vector<package::Manifest> Pipeline::finish_pending(package::PackageStore& store, RunReport& report, Observer& observer, std::stop_token stop) {
    std::vector<package::Manifest> finished;
    for (const package::Package& package : store.pending()) {
        observer.on_pending_package(package.load_id());
        log_.info("finishing package {} of an earlier run", package.load_id());
        load(store, package, PackageOrigin::earlier_run, report, observer, stop);
        ++report.pending_finished;
        finished.push_back(package.manifest());
    }
    return finished;
}

void Pipeline::load(package::PackageStore& store, const package::Package& package, PackageOrigin origin, RunReport& report,
                    Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    try {
        load_package(package, origin, destination_, clock_, log_, observer, stop);
    } catch (const Error& error) {
        give_up(store, package, origin, error);
    }
    report.load_ids.push_back(package.load_id());
    store.finish(package, package::PackageState::loaded);
    report.seconds.load += watch.seconds();
}

/// What becomes of a package that was not loaded. One that can never be loaded must not stand in the way of every later run, and one that
/// is read again by whoever repeats the command must not be loaded too.
void Pipeline::give_up(package::PackageStore& store, const package::Package& package, PackageOrigin origin, const Error& error) {
    const bool is_own = origin == PackageOrigin::this_run;
    if (error.kind() == ErrorKind::cancelled) {
        if (is_own) store.discard(package);
        throw error;
    }
    const bool can_succeed_later = error.kind() == ErrorKind::transient || error.kind() == ErrorKind::local || error.kind() == ErrorKind::remote ||
                                   error.kind() == ErrorKind::locked;
    if (can_succeed_later) {
        throw Error(error.kind(), "{}\n  the rows wait in package {}; the next run of pipeline \"{}\" into {} loads them first", error.what(),
                    package.load_id(), config_.name, destination_.description());
    }
    store.finish(package, package::PackageState::failed);
    if (is_own) throw error;
    throw error.with_context(fmt::format("package {} of an earlier run (of {} UTC, {} rows) cannot be loaded and was given up, read its data again",
                                         package.load_id(), package.manifest().created_at.substr(0, 16), package.manifest().rows()));
}

std::shared_ptr<const schema::NamingConvention> Pipeline::naming(const schema::Schema& schema) const {
    std::size_t length_max = destination_.capabilities().identifier_length_max;
    if (config_.identifier_length_max) length_max = std::min(length_max, *config_.identifier_length_max);
    return schema::NamingConvention::make(schema.naming(), length_max);
}

Pipeline::Normalized Pipeline::normalize(source::SourceDriver& driver, Start& start, package::PackageWriter* package, const RunOptions& options,
                                         RunReport& report, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    const schema::Schema before = start.schema;
    apply_settings(start.schema, config_.schema_settings);
    // What the source says of all its tables is said anew in each run; what was said of a table stays with the table.
    start.schema.settings().erase("schema_contract");
    if (!config_.schema_contract.is_null()) start.schema.settings().set("schema_contract", config_.schema_contract);
    const std::shared_ptr<const schema::NamingConvention> names = naming(start.schema);
    const DeclareContext declare{.naming = *names, .root_key = config_.root_key, .max_nesting = config_.max_nesting};
    const std::vector<ActiveResource> resources = declare_resources(driver.resources(stop), options, declare, start.schema);
    const auto check_disposition = [&](const schema::Table& root) {
        destination::check_disposition(root, destination_.capabilities(), config_.replace_strategy);
    };
    for (const ActiveResource& resource : resources) {
        if (const schema::Table* table = start.schema.find(resource.table)) check_disposition(*table);
    }
    const normalize::Rules rules{
        .naming = names,
        .inference = std::make_shared<const schema::Inference>(start.schema, clock_.now_us()),
        .breaks_paths = breaks_paths(start.schema),
        .collisions = options.collisions,
        .load_id = start.load_id,
        .row_id_prefix = options.row_id_prefix.empty() ? random_id(normalize::RowIdMaker::prefix_length) : options.row_id_prefix};
    normalize::SchemaWriter writer(start.schema);
    json::Object sources = sources_of(start.state);
    SourceState state = source_state(sources, start.schema.name());
    for (const ActiveResource& resource : resources) {
        // What is read is all there will be, so nothing that was read before counts.
        if (resource.disposition != schema::Disposition::replace) continue;
        state.erase_resource(resource.spec.name);
        // Having been asked to forget, the source has a state, as in the reference, if an empty one.
        if (sources.find(start.schema.name()) == nullptr) sources.set(start.schema.name(), json::Object());
    }
    const ExtractContext context{.config = config_,
                                 .options = options,
                                 .declare = declare,
                                 .capabilities = destination_.capabilities(),
                                 .state = state,
                                 .temp_folder = temp_folder(),
                                 .clock = clock_,
                                 .log = log_};
    ExtractResult extracted = extract_and_normalize(driver, resources, rules, writer, package, context, observer, stop);
    report.records = extracted.records;
    report.records_in_place = extracted.records_in_place;
    report.filtered_records = extracted.filtered_records;
    report.bytes_read = extracted.bytes_read;
    report.skipped_count = extracted.skipped_count;
    report.skipped = std::move(extracted.skipped);
    report.discarded_rows = extracted.discarded_rows;
    report.discarded_values = extracted.discarded_values;
    report.null_only = std::move(extracted.null_only);
    for (const DataWarning& note : extracted.notes) report.warnings.push_back(to_text(note));
    for (const ActiveResource& resource : resources) {
        if (!resource.is_left_out) continue;
        report.warnings.push_back(fmt::format("table \"{}\" is new, and the schema contract leaves new tables out: nothing of resource \"{}\" was loaded (make it "
                                              "with --contract evolve first)",
                                              resource.table, resource.spec.name));
    }

    Normalized normalized{.schema = *writer.snapshot(), .loads = {}, .schema_change = writer.change(), .inputs = std::move(extracted.inputs), .sources = std::move(sources)};
    set_source_state(normalized.sources, normalized.schema.name(), std::move(state));
    // The reference saves a schema after extract, when it holds what was declared, and again after normalize; so its versions count by two in a
    // first run, and ours do.
    for (const auto& [resource, table] : extracted.chosen_tables) declare_table(resource->spec, table, options, declare, start.schema);
    erase_unused(start.schema, resources, extracted);
    erase_unused(normalized.schema, resources, extracted);
    start.schema.bump();
    normalized.schema.continue_from(start.schema);
    check_unbound_columns(normalized.schema, extracted.rows);
    end_first_run(normalized.schema, extracted.rows);
    mark_seen_data(normalized.schema, extracted.rows);
    normalized.loads = plan_loads(normalized.schema, resources, extracted.rows);
    for (const package::TableLoad& load : normalized.loads) check_disposition(normalized.schema.require(load.root));
    describe_tables(report, normalized.schema, before, extracted.rows);
    report.seconds.extract = watch.seconds();
    return normalized;
}

/// Nothing when there is nothing to be loaded.
std::optional<package::Package> Pipeline::close(package::PackageWriter& package, const Start& start, Normalized& normalized, RunReport& report) {
    PipelineState state = next_state(start.state, config_, config_.dataset, destination_.reference_type(), normalized.sources);
    // One that the reference has defined stays: its descriptions count in the schema's hash.
    const schema::Table definition = destination::state_table_definition();
    if (state.is_changed && normalized.schema.find(definition.name()) == nullptr) normalized.schema.set_table(definition);
    normalized.schema.bump();
    // Rows came and a contract left all of them out: that is a load too, of nothing.
    if (normalized.loads.empty() && !state.is_changed && report.discarded_rows == 0) return std::nullopt;
    package::PackageContent content;
    content.manifest.pipeline = config_.name;
    content.manifest.dataset = config_.dataset;
    content.manifest.schema_name = config_.schema_name;
    content.manifest.destination = destination_.identity();
    content.manifest.created_at = utc_text(load_id_time_us(start.load_id));
    content.manifest.tool_version = config_.tool_version;
    content.manifest.loads = std::move(normalized.loads);
    content.manifest.has_new_state = state.is_changed;
    if (!normalized.inputs.empty()) content.manifest.notes.set(inputs_note, inputs_hash(normalized.inputs));
    content.schema = normalized.schema;
    content.schema_change = std::move(normalized.schema_change);
    content.state = std::move(state.document);
    content.fence = start.fence;
    report.package_bytes = package.bytes();
    package::Package closed = package.close(std::move(content), clock_);
    report.rows = closed.manifest().rows();
    return closed;
}

/// The package of an interrupted run that holds what this run has read: the same files, unchanged, with as many rows for each table.
const package::Manifest* Pipeline::find_repeated(const std::vector<package::Manifest>& finished, const Normalized& normalized,
                                                 const RunReport& report) {
    if (normalized.inputs.empty()) return nullptr;
    const json::Value inputs = inputs_hash(normalized.inputs);
    for (const package::Manifest& manifest : finished) {
        const json::Value* others = manifest.notes.find(inputs_note);
        const bool has_same_rows = std::all_of(report.tables.begin(), report.tables.end(),
                                               [&](const TableReport& table) { return manifest.rows_of(table.table) == table.rows; });
        if (others != nullptr && *others == inputs && manifest.loads == normalized.loads && has_same_rows) return &manifest;
    }
    return nullptr;
}

/// Says when rows were appended that an earlier load had read from the same file.
void Pipeline::note_inputs(const Start& start, const Normalized& normalized, RunReport& report) {
    const InputLog log(files_, io::join_path(folder_, "inputs.json"));
    const bool appends = std::any_of(report.tables.begin(), report.tables.end(), [&](const TableReport& table) {
        const schema::Table* known = report.schema.find(table.table);
        return known != nullptr && report.schema.disposition_of(*known) == schema::Disposition::append;
    });
    for (const source::InputFile& input : normalized.inputs) {
        const std::optional<std::string> earlier = log.find(input);
        // A destination that was deleted meanwhile has nothing of that load.
        if (!appends || !earlier || *earlier > start.newest_load_id) continue;
        report.warnings.push_back(fmt::format("{} was loaded before, unchanged, by load {} of {}: its rows are there twice now (--disposition replace, or "
                                              "merge with --key, would not double them)",
                                              input.path, *earlier, utc_text(load_id_time_us(*earlier)).substr(0, 16)));
    }
    log_inputs(normalized.inputs, start.load_id);
}

void Pipeline::log_inputs(const std::vector<source::InputFile>& inputs, const std::string& load_id) {
    InputLog log(files_, io::join_path(folder_, "inputs.json"));
    log.add(inputs, load_id);
    log.save();
}

RunReport Pipeline::run(source::SourceDriver& driver, const RunOptions& options, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    RunReport report{.run_id = to_hex(random_bytes(4)),
                     .pipeline = config_.name,
                     .dataset = config_.dataset,
                     .destination = destination_.description()};
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store(files_, folder_);
    if (const std::size_t count = store.remove_leftovers(); count > 0) log_.info("removed {} unfinished packages of killed runs", count);
    files_.remove(temp_folder());
    std::vector<package::Manifest> finished;
    if (!options.is_dry_run) finished = finish_pending(store, report, observer, stop);

    Start start = read_start();
    std::unique_ptr<package::PackageWriter> package;
    if (!options.is_dry_run) package = store.create(start.load_id, job_bytes_max);
    Normalized normalized = normalize(driver, start, package.get(), options, report, observer, stop);
    if (const package::Manifest* repeated = find_repeated(finished, normalized, report)) {
        // The same command again, after it was interrupted: its rows are there now, and must not be there twice.
        report.warnings.push_back(fmt::format("these files had been read by the interrupted run whose package {} was loaded now; they were not loaded "
                                              "once more (to have their rows twice, run again)",
                                              repeated->load_id));
        report.rows = repeated->rows();
        log_inputs(normalized.inputs, repeated->load_id);
        package.reset();
    }
    std::optional<package::Package> closed;
    if (package != nullptr) closed = close(*package, start, normalized, report);
    package.reset();
    report.schema = normalized.schema;
    if (closed) {
        load(store, *closed, PackageOrigin::this_run, report, observer, stop);
        note_inputs(start, normalized, report);
        store.retain(config_.packages_kept);
    }
    files_.remove(temp_folder());
    report.seconds.total = watch.seconds();
    return report;
}

}  // namespace tipple::pipeline
