#include "tipple/pipeline/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <span>
#include <thread>

#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/core/counted.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/core/random.h"
#include "tipple/destination/sql.h"
#include "tipple/destination/strategies.h"
#include "tipple/destination/system_tables.h"
#include "tipple/normalize/row_ids.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/pipeline/column_log.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/file_ledger.h"
#include "tipple/pipeline/input_log.h"
#include "tipple/pipeline/load.h"
#include "tipple/pipeline/outcome.h"
#include "tipple/pipeline/parts.h"
#include "tipple/pipeline/quarantine.h"
#include "tipple/pipeline/removal.h"
#include "tipple/pipeline/resources.h"
#include "tipple/pipeline/schema_files.h"
#include "tipple/pipeline/snapshots.h"
#include "tipple/pipeline/state.h"
#include "tipple/pipeline/table_reports.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/widening.h"

namespace tipple::pipeline {

namespace {

/// Job files are rotated at this size, so that a broken one costs little to find.
constexpr std::uint64_t job_bytes_max = std::uint64_t{256} << 20;

constexpr std::string_view lock_file = "lock";

/// Member of a manifest's notes: which files were read, as they were then.
constexpr std::string_view inputs_note = "inputs";

/// Keys are broken at the separator unless a schema migrated from an old engine says otherwise.
bool breaks_paths(const schema::Schema& schema) {
    const json::Value* setting = schema.normalizers().find("use_break_path_on_normalize");
    return setting == nullptr || !setting->is_bool() || setting->as_bool();
}

/// nullptr when no table of the schema has any.
std::shared_ptr<const schema::Filters> find_filters(const schema::Schema& schema, const schema::NamingConvention& names) {
    const bool has_filters = std::any_of(schema.tables().begin(), schema.tables().end(), [](const auto& table) { return table->properties().find("filters") != nullptr; });
    return has_filters ? std::make_shared<const schema::Filters>(schema, names.separator()) : nullptr;
}

/// Columns whose type is wider than it was.
std::vector<package::WidenedColumn> widened_columns(const schema::Schema& schema, const schema::Schema& before) {
    std::vector<package::WidenedColumn> widened;
    for (const auto& old : before.tables()) {
        const schema::Table* table = schema.find(old->name());
        if (table == nullptr) continue;
        for (const schema::Column& column : old->columns()) {
            const schema::Column* now = table->find(column.name());
            if (now == nullptr || !now->is_complete() || !column.is_complete() || !schema::is_wider(*now, column)) continue;
            widened.push_back({table->name(), column.name(), *column.data_type()});
        }
    }
    return widened;
}

void set_naming(schema::Schema& schema, const std::optional<std::string>& naming) {
    if (!naming || *naming == schema.naming()) return;
    for (const auto& table : schema.tables()) {
        if (table->is_internal() || table->normalizer_hint("seen-data").is_null()) continue;
        throw Error(ErrorKind::usage, "schema \"{}\" names tables and columns by {}, and table \"{}\" has rows under such names; {} would give them others. Load into "
                                      "another dataset, or keep the naming",
                    schema.name(), schema.naming(), table->name(), *naming);
    }
    schema.normalizers().set("names", *naming);
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

void add_counts(RunReport& report, ExtractResult& extracted) {
    report.records += extracted.records;
    report.records_in_place += extracted.records_in_place;
    report.filtered_records += extracted.filtered_records;
    report.unwanted_records += extracted.unwanted_records;
    report.bytes_read += extracted.bytes_read;
    report.skipped_count += extracted.skipped_count;
    for (SkippedRecord& skipped : extracted.skipped) {
        if (report.skipped.size() < limits::bad_records_named_max) report.skipped.push_back(std::move(skipped));
    }
    report.quarantined_count += extracted.quarantined_count;
    report.bad_input_count += extracted.bad_input_count;
    for (BadInput& bad : extracted.bad_inputs) {
        if (report.bad_inputs.size() < limits::bad_records_named_max) report.bad_inputs.push_back(std::move(bad));
    }
    report.discarded_rows += extracted.discarded_rows;
    report.discarded_values += extracted.discarded_values;
    report.filtered_rows += extracted.filtered_rows;
    report.filtered_values += extracted.filtered_values;
    for (const auto& [resource, figures] : extracted.metrics) {
        for (const auto& [name, value] : figures) report.metrics[resource][name] += value;
    }
    report.null_only.insert(report.null_only.end(), extracted.null_only.begin(), extracted.null_only.end());
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
    if (config_.schema_name.empty()) config_.schema_name = schema::default_schema_name(config_.name);
    config_.dataset = dataset_of(config_, destination);
    config_.workers = std::max<std::size_t>(config_.workers, 1);
    if (config_.widens && !destination.capabilities().widens_columns) {
        throw Error(ErrorKind::usage, "columns of {} cannot be made wider yet: load without --widen, values of another type go to variant columns",
                    destination.description());
    }
}

std::unique_ptr<io::FileLock> Pipeline::try_lock() {
    files_.create_folders(folder_);
    return files_.try_lock(io::join_path(folder_, lock_file), fmt::format("pid {} since {}\n", getpid(), utc_text(clock_.now_us())));
}

std::unique_ptr<io::FileLock> Pipeline::lock() {
    std::unique_ptr<io::FileLock> lock = try_lock();
    if (lock == nullptr) {
        std::string holder = files_.read_text(io::join_path(folder_, lock_file));
        holder.erase(std::remove(holder.begin(), holder.end(), '\n'), holder.end());
        throw Error(ErrorKind::locked, "another run of pipeline \"{}\" into {} goes on ({}); wait for it, or stop it, and run again", config_.name,
                    destination_.description(), holder);
    }
    return lock;
}

/// What the destination had when the run began, and what has become of the sources' memory since.
struct Pipeline::Start {
    std::map<std::string, schema::Schema, std::less<>> schemas;
    std::optional<destination::StoredState> state;
    std::string newest_load_id;  ///< at the destination
    destination::Catalog catalog;
    std::int64_t next_load_us = 0;
    json::Object sources;
    /// Schema and resource of each ledger of this run, by what the destination tells tables apart by.
    std::map<std::string, std::pair<std::string, std::string>> ledgers = {};
};

/// A package on its way: all that a run does to one schema.
struct Pipeline::Draft {
    std::string load_id;
    schema::Schema schema;
    package::Fence fence;
    std::vector<SelectedSource> sources;
    std::unique_ptr<package::PackageWriter> package;
    package::Removal removal;
    std::vector<package::TableLoad> loads;
    std::vector<columns::ColumnMove> moves;
    std::vector<package::WidenedColumn> widened;
    json::Object schema_change;
    json::Array births;
    std::vector<extract::InputFile> inputs;
    std::uint64_t input_digest = 0;
    std::vector<TableReport> tables;
    std::optional<package::Package> closed;
    std::size_t discarded_rows = 0;  ///< left out by contracts
};

/// What is known of the tables before anything is read.
struct Pipeline::Declaration {
    const DeclareContext& context;
    /// The schema with what the resources say, and as it was without.
    schema::Schema declared;
    schema::Schema before;
    std::vector<ActiveResource> resources;
    normalize::SchemaWriter* writer = nullptr;
    /// New in this run, and open to new columns as long as it goes on.
    std::set<std::string> first_run_tables = {};
};

Pipeline::Start Pipeline::read_start() const {
    Start start{.schemas = {}, .state = {}, .newest_load_id = {}, .catalog = {}, .next_load_us = clock_.now_us(), .sources = {}};
    std::optional<destination::StoredDataset> stored = destination_.read_dataset();
    if (!stored) return start;
    start.schemas = std::move(stored->schemas);
    start.state = std::move(stored->state);
    start.sources = sources_of(start.state);
    start.newest_load_id = stored->newest_load_id;
    start.catalog = std::move(stored->catalog);
    // Load ids must go up, whatever the clock does: their order is what tells the newest state.
    if (!start.newest_load_id.empty()) start.next_load_us = std::max(start.next_load_us, load_id_time_us(start.newest_load_id) + 1);
    return start;
}

Pipeline::Draft Pipeline::draft(Start& start, const std::string& schema_name) const {
    Draft draft;
    draft.load_id = load_id_at(start.next_load_us++);
    if (const auto known = start.schemas.find(schema_name); known != start.schemas.end()) {
        draft.schema = known->second;
        draft.fence.schema_hash = draft.schema.version_hash();
    } else {
        draft.schema = schema::Schema::make(schema_name, config_.naming.value_or(std::string(schema::default_naming)));
    }
    if (start.state) {
        draft.fence.state_version = start.state->version;
        draft.fence.state_hash = start.state->version_hash;
    }
    return draft;
}

/// One draft for each schema, in the order of their names.
std::vector<Pipeline::Draft> Pipeline::make_drafts(const std::vector<SourceInput>& inputs, const RunOptions& options, Start& start, std::stop_token stop) const {
    std::map<std::string, std::vector<SelectedSource>> by_schema;
    std::vector<std::string> names;
    for (const SourceInput& input : inputs) {
        SelectedSource source{.driver = input.driver, .resources = input.driver->resources(stop)};
        for (const extract::ResourceSpec& resource : source.resources) {
            names.push_back(resource.name);
            if (!resource.definition.empty()) names.push_back(resource.definition);
        }
        if (!options.select.empty()) {
            std::erase_if(source.resources, [&](const extract::ResourceSpec& resource) {
                const bool is_read = std::any_of(options.select.begin(), options.select.end(), [&](const std::string& wanted) {
                    return wanted == resource.name || wanted == resource.definition;
                });
                if (!is_read) source.unread_tables.push_back(resource.table.empty() ? resource.name : resource.table);
                return !is_read;
            });
        }
        by_schema[input.schema_name.empty() ? config_.schema_name : input.schema_name].push_back(std::move(source));
    }
    for (const std::string& wanted : options.select) {
        if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
        const std::optional<std::string> near = did_you_mean(wanted, names);
        throw Error(ErrorKind::usage, "there is no resource \"{}\"{}; there are: {}", wanted, near ? fmt::format(", did you mean \"{}\"?", *near) : "",
                    list_near(wanted, names));
    }
    std::vector<Draft> drafts;
    for (auto& [schema_name, sources] : by_schema) {
        drafts.push_back(draft(start, schema_name));
        drafts.back().sources = std::move(sources);
    }
    return drafts;
}

std::vector<package::Manifest> Pipeline::finish_pending(package::PackageStore& store, RunReport& report, Observer& observer, std::stop_token stop) {
    std::vector<package::Manifest> finished;
    std::vector<package::Package> pending = store.pending();
    // Of the packages of one run, the state comes last: it says that the rows of all are there.
    std::stable_partition(pending.begin(), pending.end(), [](const package::Package& package) { return !package.manifest().has_new_state; });
    for (const package::Package& package : pending) {
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
    const LoadContext context{.destination = destination_, .files = files_, .clock = clock_, .log = log_, .retry_budget_seconds = config_.retry_budget_seconds};
    try {
        for (const destination::LoadedTable& table : load_package(package, origin, context, observer, stop)) {
            if (table.missing > 0) report.missing_rows[table.table] += table.missing;
        }
    } catch (const LoadInDoubt& error) {
        note_error(package, error, nullptr);
        throw still_waits(package, error);
    } catch (const LoadFailed& failed) {
        observer.on_job_failed(failed.failure());
        give_up(store, package, origin, failed, &failed.failure());
    } catch (const Error& error) {
        give_up(store, package, origin, error, nullptr);
    }
    observer.on_package_loaded(package.load_id(), package.manifest().rows());
    log_.info("load {} committed into {}: {} rows in {:.2f} s", package.load_id(), destination_.description(), package.manifest().rows(), watch.seconds());
    report.load_ids.push_back(package.load_id());
    for (const package::JobFile& job : package.manifest().jobs) {
        report.jobs.push_back({.load_id = package.load_id(), .name = job.name, .table = job.table, .rows = job.rows, .bytes = job.bytes});
    }
    ColumnLog(files_, folder_).add(package.manifest());
    store.finish(package, package::PackageState::loaded);
    report.seconds.load += watch.seconds();
}

/// For whoever asks later why the package was not loaded. The disk may be the reason, so this may fail too.
void Pipeline::note_error(const package::Package& package, const Error& error, const JobFailure* failure) {
    try {
        package::Package noted = package;
        noted.journal(clock_, "error", failure != nullptr ? to_json(*failure) : json::Object{{"kind", to_text(error.kind())}, {"message", error.what()}});
    } catch (const Error& reason) {
        log_.warning("the error could not be noted in package {}: {}", package.load_id(), reason.what());
    }
}

Error Pipeline::still_waits(const package::Package& package, const Error& error) const {
    return Error(error.kind(), "{}\n  the rows wait in package {}; the next run of pipeline \"{}\" into {} loads them first", error.what(), package.load_id(), config_.name,
                 destination_.description());
}

/// What becomes of a package that was not loaded. One that can never be loaded must not stand in the way of every later run, and one that
/// is read again by whoever repeats the command must not be loaded too.
void Pipeline::give_up(package::PackageStore& store, const package::Package& package, PackageOrigin origin, const Error& error, const JobFailure* failure) {
    const bool is_own = origin == PackageOrigin::this_run;
    if (error.kind() == ErrorKind::cancelled) {
        for (const std::string& id : is_own ? store.pending_ids() : std::vector<std::string>()) store.discard(id);
        throw error;
    }
    note_error(package, error, failure);
    if (can_succeed_later(error.kind())) {
        throw still_waits(package, error);
    }
    // The others of the run go with it: among them may be the state, which says that these rows are there.
    for (const package::Package& waiting : store.pending()) store.finish(waiting, package::PackageState::failed);
    if (is_own) throw error;
    throw error.with_context(fmt::format("package {} of an earlier run (of {} UTC, {}) cannot be loaded and was given up, read its data again",
                                         package.load_id(), package.manifest().created_at.substr(0, 16), counted(package.manifest().rows(), "row")));
}

std::shared_ptr<const schema::NamingConvention> Pipeline::naming(const schema::Schema& schema) const {
    std::size_t length_max = destination_.capabilities().identifier_length_max;
    if (config_.identifier_length_max) length_max = std::min(length_max, *config_.identifier_length_max);
    return schema::NamingConvention::make(schema.naming(), length_max);
}

/// All is read: kinds of values that were kept apart become columns.
void Pipeline::settle(Draft& draft, const Start& start, const normalize::Rules& rules, const normalize::KindLog& kinds, normalize::SchemaWriter& writer) const {
    const destination::NameRule names{destination_.capabilities().is_case_sensitive};
    const auto has_large_integers = [&](const std::string& table, const std::string& column) {
        if (start.catalog.find(table, names) == nullptr) return false;
        const destination::QueryResult result =
            destination_.query(destination::count_large_integers(destination_.quote_table(table), destination::standard_name(column)), {});
        return result.rows.at(0).at(0) != "0";
    };
    schema::Schema schema = *writer.snapshot();
    draft.moves = normalize::settle_kinds(rules, kinds, has_large_integers, schema);
    writer.reset(std::move(schema));
}

/// Extracts and normalizes the draft's sources into its package.
void Pipeline::normalize(package::PackageStore& store, Draft& draft, Start& start, const RunOptions& options, RunReport& report, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    const double load_before = report.seconds.load;
    const SchemaFiles schema_files(files_, config_.schema_import_folder, config_.schema_export_folder);
    schema_files.import_into(draft.schema);
    schema::Schema declared = draft.schema;
    SourceState state = source_state(start.sources, declared.name());
    std::vector<std::string> resource_names;
    for (const SelectedSource& source : draft.sources) {
        for (const extract::ResourceSpec& resource : source.resources) resource_names.push_back(resource.name);
    }
    draft.removal = refresh(options.refresh, resource_names, config_.naming.value_or(declared.naming()), declared, state);
    const schema::Schema before = declared;
    set_naming(declared, config_.naming);
    apply_settings(declared, config_.schema_settings);
    for (const SelectedSource& source : draft.sources) {
        if (std::string description = source.driver->description(); !description.empty()) declared.extras().set("description", std::move(description));
    }
    // What the source says of all its tables is said anew in each run; what was said of a table stays with the table.
    schema::store_contract(declared.settings(), config_.schema_contract);
    const std::shared_ptr<const schema::NamingConvention> names = naming(declared);
    const DeclareContext declare{.naming = *names, .root_key = config_.root_key, .max_nesting = config_.max_nesting};
    const auto check_disposition = [&](const schema::Table& root) {
        destination::check_disposition(root, destination_.capabilities(), config_.replace_strategy);
    };
    std::vector<ActiveResource> resources;
    std::vector<std::string> unread;
    for (SelectedSource& source : draft.sources) {
        for (const std::string& table : source.unread_tables) unread.push_back(table_name(table, *names));
        for (ActiveResource& resource : declare_resources(std::move(source.resources), options, declare, declared)) {
            resource.driver = source.driver;
            if (const schema::Table* table = declared.find(resource.table)) check_disposition(*table);
            if (resource.disposition == schema::Disposition::replace) {
                // What is read is all there will be, so nothing that was read before counts. Having been asked to forget, the source has a
                // state, as in the reference, if an empty one.
                state.erase_resource(resource.spec.name);
                if (start.sources.find(declared.name()) == nullptr) start.sources.set(declared.name(), json::Object());
            }
            resource.checkpoint = options.checkpoint ? options.checkpoint : resource.spec.checkpoint;
            if (resource.spec.keeps_ledger) open_ledger(resource, *names, declared, start, options);
            resources.push_back(std::move(resource));
        }
    }
    require_parts(resources, declared, destination_.capabilities(), config_);
    check_snapshots(resources, unread, declared, options, destination_.capabilities());
    const normalize::Rules rules{
        .naming = names,
        .inference = std::make_shared<const schema::Inference>(declared, clock_.now_us()),
        .filters = find_filters(declared, *names),
        .breaks_paths = breaks_paths(declared),
        .collisions = options.collisions,
        .widens = config_.widens,
        .keeps_bad_records = options.on_bad_record == OnBadRecord::quarantine,
        .kept_time_digits = destination_.capabilities().kept_time_digits,
        .load_id = draft.load_id,
        .row_id_prefix = options.row_id_prefix.empty() ? random_id(normalize::RowIdMaker::prefix_length) : options.row_id_prefix};
    if (draft.package != nullptr) schema_files.offer(declared);
    normalize::SchemaWriter writer(declared);
    Declaration declaration{.context = declare, .declared = declared, .before = before, .resources = std::move(resources), .writer = &writer};
    const auto commit_part = [&](ExtractResult part) {
        set_source_state(start.sources, declared.name(), SourceState(state.document()));
        conclude(draft, declaration, options, std::move(part), report);
        load_part(store, draft, start, report, observer, stop);
        this->declare(declaration, options, draft.schema);
        writer.begin_part(declaration.declared);
        return draft.package.get();
    };
    const ExtractContext context{.config = config_,
                                 .options = options,
                                 .declare = declare,
                                 .capabilities = destination_.capabilities(),
                                 .state = state,
                                 .temp_folder = temp_folder(),
                                 .clock = clock_,
                                 .log = log_,
                                 .commit_part = commit_part};
    ExtractResult extracted = extract_and_normalize(declaration.resources, rules, writer, draft.package.get(), context, observer, stop);
    check_complete(declaration.resources, extracted);
    set_source_state(start.sources, declared.name(), std::move(state));
    for (const ActiveResource& resource : declaration.resources) {
        if (!resource.is_left_out) continue;
        report.warnings.push_back(fmt::format("table \"{}\" is new, and the schema contract leaves new tables out: nothing of resource \"{}\" was loaded (make it "
                                              "with --contract evolve first)",
                                              resource.table, resource.spec.name));
    }

    if (config_.widens) settle(draft, start, rules, extracted.kinds, writer);
    conclude(draft, declaration, options, std::move(extracted), report);
    report.seconds.extract += watch.seconds() - (report.seconds.load - load_before);
}

/// Whether rows of changed files can be put in the place of the earlier ones.
void Pipeline::check_reload(const ActiveResource& resource, const schema::Schema& schema) const {
    const auto refuse = [&](std::string_view reason) {
        throw Error(ErrorKind::usage, "resource \"{}\": on_change = \"reload\" takes the rows of an earlier version of a file away, but {}; give on_change = \"ignore\", or \"fail\"",
                    resource.spec.name, reason);
    };
    if (!destination_.capabilities().replaces_rows) refuse(fmt::format("{} cannot: what is written there stays", destination_.description()));
    if (resource.spec.table_by) refuse("its records choose their tables");
    const schema::Table* root = schema.find(resource.table);
    if (resource.disposition != schema::Disposition::merge || root == nullptr) return;
    const schema::MergeStrategy strategy = destination::require_merge_strategy(*root, destination_.capabilities());
    if (strategy == schema::MergeStrategy::scd2 || strategy == schema::MergeStrategy::cdc) {
        refuse(fmt::format("the merge strategy {} keeps a history of them", schema::to_text(strategy)));
    }
}

/// A ledger is of one resource of one schema: files that another one has loaded would be taken for loaded.
void Pipeline::check_ledger(const ActiveResource& resource, const schema::Schema& schema, Start& start) const {
    const destination::NameRule names{destination_.capabilities().is_case_sensitive};
    const std::string key = names.key(resource.ledger_table);
    const auto refuse = [&](std::string_view other_schema, std::string_view other) {
        throw Error(ErrorKind::usage, "the ledgers of resource \"{}\" of schema \"{}\" and resource \"{}\" of schema \"{}\" would be one table, \"{}\": give one of the resources another "
                                      "name, or load into another dataset",
                    resource.spec.name, schema.name(), other, other_schema, resource.ledger_table);
    };
    const auto [first, is_first] = start.ledgers.try_emplace(key, schema.name(), resource.spec.name);
    if (!is_first) refuse(first->second.first, first->second.second);
    const auto check = [&](const schema::Schema& stored) {
        for (const auto& table : stored.tables()) {
            const bool is_own = stored.name() == schema.name() && table->resource() == resource.spec.name;
            if (!is_own && is_ledger(table->name()) && names.key(table->name()) == key) refuse(stored.name(), table->resource());
        }
    };
    check(schema);
    for (const auto& [name, stored] : start.schemas) {
        if (name != schema.name()) check(stored);
    }
}

/// What the resource's ledger is, and what it holds. It begins anew with the resource.
void Pipeline::open_ledger(ActiveResource& resource, const schema::NamingConvention& names, const schema::Schema& schema, Start& start, const RunOptions& options) const {
    const std::string& name = resource.spec.name;
    if (!destination_.capabilities().reads_rows) {
        throw Error(ErrorKind::usage, "resource \"{}\" keeps a ledger of its files at the destination, which {} cannot hold; give it state = \"watermark\", or \"none\"", name,
                    destination_.description());
    }
    if (!resource.spec.input_column.empty()) check_reload(resource, schema);
    resource.ledger_table = pipeline::ledger_table(name, names);
    check_ledger(resource, schema, start);
    const schema::Table* known = schema.find(resource.ledger_table);
    const bool begins_anew = options.refresh != Refresh::none || resource.disposition == schema::Disposition::replace;
    const bool is_there = known != nullptr && start.catalog.find(resource.ledger_table, {destination_.capabilities().is_case_sensitive}) != nullptr;
    resource.ledger = std::make_shared<StoredLedger>(destination_, is_there && !begins_anew ? resource.ledger_table : std::string());
}

/// What was read, a part or all of it, becomes the schema of the draft and what its load has to do.
void Pipeline::conclude(Draft& draft, Declaration& declaration, const RunOptions& options, ExtractResult extracted, RunReport& report) const {
    schema::Schema& declared = declaration.declared;
    const schema::Schema& before = declaration.before;
    const std::span<const ActiveResource> all = declaration.resources;
    const std::span<const ActiveResource> resources = all.subspan(extracted.first_resource, extracted.end_resource - extracted.first_resource);
    add_counts(report, extracted);
    for (const DataWarning& note : extracted.notes) report.warnings.push_back(to_text(note));
    draft.schema = *declaration.writer->snapshot();
    draft.schema_change = declaration.writer->change();
    draft.inputs = std::move(extracted.inputs);
    draft.input_digest = extracted.input_digest;
    draft.discarded_rows = extracted.discarded_rows;
    // The reference saves a schema after extract, when it holds what was declared, and again after normalize; so its versions count by two in a
    // first run, and ours do.
    for (const auto& [resource, table] : extracted.chosen_tables) declare_table(resource->spec, table, options, declaration.context, declared);
    // What is not read yet brings its tables when it is, and what brought nothing is declared anew for each part.
    erase_unused(declared, all, extracted);
    erase_unused(draft.schema, all, extracted);
    draft.births = describe_births(extracted.births, draft.moves, before, draft.schema);
    for (std::string& text : describe_variants(draft.births, draft.schema)) report.warnings.push_back(std::move(text));
    for (const ActiveResource& resource : resources) {
        if (extracted.rows.contains(resource.ledger_table) || draft.schema.find(resource.ledger_table) != nullptr) {
            declare_ledger(draft.schema, resource.ledger_table, resource.spec.name, resource.disposition);
        }
    }
    const bool has_quarantine = extracted.rows.contains(std::string(quarantine_table));
    if (has_quarantine && draft.schema.find(quarantine_table) == nullptr) draft.schema.set_table(quarantine_definition());
    if (options.keeps_contract) {
        restore_contracts(declared, before);
        restore_contracts(draft.schema, before);
    }
    declared.bump();
    draft.schema.continue_from(declared);
    check_unbound_columns(draft.schema, extracted.rows);
    end_first_run(draft.schema, extracted.rows, declaration.first_run_tables);
    mark_seen_data(draft.schema, extracted.rows);
    draft.loads = plan_loads(draft.schema, resources, extracted.rows, extracted.replaced, declaration.context.naming);
    add_missing_flags(draft.schema, draft.loads);
    for (const package::TableLoad& load : draft.loads) {
        destination::check_disposition(draft.schema.require(load.root), destination_.capabilities(), config_.replace_strategy);
    }
    if (config_.widens) draft.widened = widened_columns(draft.schema, before);
    describe_tables(draft.tables, draft.schema, before, extracted.rows, draft.widened);
    add_tables(report.tables, draft.tables);
}

/// The tables of the resources, on top of `schema`. Again for each part of a run, since what nothing came for is not kept.
void Pipeline::declare(Declaration& declaration, const RunOptions& options, const schema::Schema& schema) const {
    declaration.before = schema;
    declaration.declared = schema;
    std::vector<extract::ResourceSpec> specs;
    for (const ActiveResource& resource : declaration.resources) specs.push_back(resource.spec);
    const std::vector<ActiveResource> again = declare_resources(std::move(specs), options, declaration.context, declaration.declared);
    for (std::size_t i = 0; i < again.size(); ++i) declaration.resources[i].new_tables = again[i].new_tables;
    go_on_with_first_run(declaration.declared, declaration.first_run_tables);
}

/// Loads what was read so far, and makes the draft one of what follows.
void Pipeline::load_part(package::PackageStore& store, Draft& draft, Start& start, RunReport& report, Observer& observer, std::stop_token stop) {
    const PipelineState state = next_state(start.state, config_, {draft.schema.name()}, destination_.reference_type(), start.sources);
    close(draft, state.is_changed || !draft.removal.dropped.empty() ? std::optional(state.document) : std::nullopt, report);
    if (draft.closed) {
        load(store, *draft.closed, PackageOrigin::this_run, report, observer, std::move(stop));
        start.newest_load_id = draft.load_id;
        if (draft.closed->manifest().has_new_state) {
            const auto text = [&](std::string_view name) { return state.document.find(name)->as_text(); };
            start.state = destination::StoredState{.version = state.document.find("_state_version")->as_int(),
                                                   .version_hash = text("_version_hash"),
                                                   .load_id = draft.load_id,
                                                   .document = state.document};
        }
        start.schemas.insert_or_assign(draft.schema.name(), draft.schema);
        SchemaFiles(files_, config_.schema_import_folder, config_.schema_export_folder).write_export(draft.schema);
    }
    start.next_load_us = std::max(start.next_load_us, clock_.now_us());
    std::vector<SelectedSource> sources = std::move(draft.sources);
    draft = this->draft(start, draft.schema.name());
    draft.sources = std::move(sources);
    draft.package = store.create(draft.load_id, job_bytes_max);
}

/// `state` is what the package carries, if any. Leaves `closed` empty when there is nothing to be loaded.
void Pipeline::close(Draft& draft, std::optional<json::Object> state, RunReport& report) {
    // One that the reference has defined stays: its descriptions count in the schema's hash.
    const schema::Table definition = destination::state_table_definition();
    if (state && draft.schema.find(definition.name()) == nullptr) draft.schema.set_table(definition);
    draft.schema.bump();
    // Rows came and a contract left all of them out: that is a load too, of nothing.
    if (draft.loads.empty() && draft.removal.empty() && !state && draft.discarded_rows == 0) return;
    package::PackageContent content;
    content.manifest.pipeline = config_.name;
    content.manifest.dataset = config_.dataset;
    content.manifest.schema_name = draft.schema.name();
    content.manifest.destination = destination_.identity();
    content.manifest.created_at = utc_text(load_id_time_us(draft.load_id));
    content.manifest.tool_version = config_.tool_version;
    content.manifest.loads = draft.loads;
    content.manifest.removal = draft.removal;
    content.manifest.moves = draft.moves;
    content.manifest.widened = draft.widened;
    content.manifest.has_new_state = state.has_value();
    if (!draft.inputs.empty()) content.manifest.notes.set(inputs_note, to_hex(draft.input_digest));
    if (!draft.births.empty()) content.manifest.notes.set(ColumnLog::note, std::move(draft.births));
    content.schema = draft.schema;
    content.schema_change = std::move(draft.schema_change);
    if (state) content.state = *std::move(state);
    content.fence = draft.fence;
    report.package_bytes += draft.package->bytes();
    draft.closed = draft.package->close(std::move(content), clock_);
    report.rows += draft.closed->manifest().rows();
}

/// Closes the packages of the run. The state goes into that of the default schema, else into the last one; it is loaded behind the others.
void Pipeline::close_all(std::vector<Draft>& drafts, const Start& start, RunReport& report) {
    std::vector<std::string> names;
    bool is_state_forced = false;
    for (const Draft& draft : drafts) {
        names.push_back(draft.schema.name());
        // Whoever keeps a state of his own must hear that tables are gone.
        is_state_forced = is_state_forced || !draft.removal.dropped.empty();
    }
    if (names.empty()) return;
    PipelineState state = next_state(start.state, config_, names, destination_.reference_type(), start.sources);
    const std::string default_schema = state.document.find("default_schema_name")->as_text();
    auto carrier = std::find_if(drafts.begin(), drafts.end(), [&](const Draft& draft) { return draft.package != nullptr && draft.schema.name() == default_schema; });
    if (carrier == drafts.end()) carrier = std::find_if(drafts.begin(), drafts.end(), [](const Draft& draft) { return draft.package != nullptr; });
    if (carrier == drafts.end()) return;
    std::rotate(carrier, carrier + 1, drafts.end());
    for (Draft& draft : drafts) {
        if (draft.package == nullptr) continue;
        const bool has_state = &draft == &drafts.back() && (state.is_changed || is_state_forced);
        close(draft, has_state ? std::optional(std::move(state.document)) : std::nullopt, report);
        draft.package.reset();
    }
}

/// The package of an interrupted run that holds what this run has read: the same files, unchanged, with as many rows for each table.
const package::Manifest* Pipeline::find_repeated(const std::vector<package::Manifest>& finished, const Draft& draft) {
    if (draft.inputs.empty()) return nullptr;
    const json::Value inputs = to_hex(draft.input_digest);
    for (const package::Manifest& manifest : finished) {
        const json::Value* others = manifest.notes.find(inputs_note);
        const bool has_same_rows = std::all_of(draft.tables.begin(), draft.tables.end(),
                                               [&](const TableReport& table) { return manifest.rows_of(table.table) == table.rows; });
        if (others != nullptr && *others == inputs && manifest.loads == draft.loads && has_same_rows) return &manifest;
    }
    return nullptr;
}

/// The same command again, after it was interrupted: its rows are there now, and must not be there twice.
void Pipeline::leave_out_repeated(Draft& draft, const package::Manifest& repeated, RunReport& report) {
    report.warnings.push_back(fmt::format("these files had been read by the interrupted run whose package {} was loaded now; they were not loaded "
                                          "once more (to have their rows twice, run again)",
                                          repeated.load_id));
    report.rows += repeated.rows();
    log_inputs(draft.inputs, repeated.load_id);
    draft.package.reset();
}

/// Says when rows were appended that an earlier load had read from the same file.
void Pipeline::note_inputs(const Start& start, const Draft& draft, RunReport& report) {
    const InputLog log(files_, inputs_path());
    const bool appends = std::any_of(draft.tables.begin(), draft.tables.end(), [&](const TableReport& table) {
        const schema::Table* known = draft.schema.find(table.table);
        return known != nullptr && draft.schema.disposition_of(*known) == schema::Disposition::append;
    });
    for (const extract::InputFile& input : draft.inputs) {
        const std::optional<std::string> earlier = log.find(input);
        // A destination that was deleted meanwhile has nothing of that load.
        if (!appends || !earlier || *earlier > start.newest_load_id) continue;
        report.warnings.push_back(fmt::format("{} was loaded before, unchanged, by load {} of {}: its rows are there twice now (--disposition replace, or "
                                              "merge with --key, would not double them)",
                                              input.path, *earlier, utc_text(load_id_time_us(*earlier)).substr(0, 16)));
    }
    log_inputs(draft.inputs, draft.load_id);
}

void Pipeline::log_inputs(const std::vector<extract::InputFile>& inputs, const std::string& load_id) {
    InputLog log(files_, inputs_path());
    log.add(inputs, load_id);
    log.save();
}

RunReport Pipeline::begin_report() const {
    return {.run_id = to_hex(random_bytes(4)), .pipeline = config_.name, .dataset = config_.dataset, .destination = destination_.description()};
}

package::PackageStore Pipeline::open_store() {
    package::PackageStore store(files_, folder_);
    if (const std::size_t count = store.remove_leftovers(); count > 0) log_.info("removed {} unfinished packages of killed runs", count);
    files_.remove(temp_folder());
    // Of a run that was killed while it wrote it; the next one need not write any.
    files_.remove(inputs_path() + ".new");
    return store;
}

void Pipeline::load_all(package::PackageStore& store, const std::vector<Draft>& drafts, const Start& start, RunReport& report, Observer& observer,
                        std::stop_token stop) {
    for (const Draft& draft : drafts) {
        if (!draft.closed) continue;
        load(store, *draft.closed, PackageOrigin::this_run, report, observer, stop);
        SchemaFiles(files_, config_.schema_import_folder, config_.schema_export_folder).write_export(draft.schema);
        note_inputs(start, draft, report);
    }
    store.retain(config_.packages_kept);
}

RunReport Pipeline::run(extract::SourceDriver& driver, const RunOptions& options, Observer& observer, std::stop_token stop) {
    return run({SourceInput{.driver = &driver, .schema_name = {}}}, options, observer, std::move(stop));
}

RunReport Pipeline::run(const std::vector<SourceInput>& sources, const RunOptions& options, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    RunReport report = begin_report();
    if (!options.run_id.empty()) report.run_id = options.run_id;
    // What cannot be written is said before everything has been read.
    if (!options.is_dry_run) destination_.check_writable();
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store = open_store();
    std::vector<package::Manifest> finished;
    if (!options.is_dry_run) finished = finish_pending(store, report, observer, stop);

    Start start = read_start();
    const json::Object sources_at_start = start.sources;
    const std::size_t loads_before = report.load_ids.size();
    std::vector<Draft> drafts = make_drafts(sources, options, start, stop);
    const auto is_in_parts = [&](const extract::ResourceSpec& resource) { return options.checkpoint || resource.checkpoint; };
    const bool has_parts = std::any_of(drafts.begin(), drafts.end(), [&](const Draft& draft) {
        return std::any_of(draft.sources.begin(), draft.sources.end(), [&](const SelectedSource& source) {
            return std::any_of(source.resources.begin(), source.resources.end(), is_in_parts);
        });
    });
    if (has_parts && drafts.size() > 1) {
        throw Error(ErrorKind::usage, "a run of several schemas cannot be committed in parts: their loads belong together; run one source at a time, or without --checkpoint");
    }
    try {
        read_and_load(store, drafts, start, finished, options, report, observer, stop);
    } catch (const Error& error) {
        const std::size_t loads = report.load_ids.size() - loads_before;
        if (loads == 0) throw;
        Error after(error.kind(), "{}\n  before that, {} {} committed; the next run goes on behind them", outcome_of_part(error.what()), format_count(loads),
                    loads == 1 ? "load was" : "loads were");
        if (error.retry_after()) after.set_retry_after(*error.retry_after());
        throw after;
    }
    report.cursors = compare_cursors(sources_at_start, start.sources);
    files_.remove(temp_folder());
    report.seconds.total = watch.seconds();
    return report;
}

void Pipeline::read_and_load(package::PackageStore& store, std::vector<Draft>& drafts, Start& start, const std::vector<package::Manifest>& finished, const RunOptions& options,
                             RunReport& report, Observer& observer, std::stop_token stop) {
    const std::size_t loads_before = report.load_ids.size();
    for (Draft& draft : drafts) {
        if (!options.is_dry_run) draft.package = store.create(draft.load_id, job_bytes_max);
        const json::Object sources_before = start.sources;
        RunOptions rest = options;
        if (rest.limit) *rest.limit -= std::min(*rest.limit, report.records);
        normalize(store, draft, start, rest, report, observer, stop);
        const package::Manifest* repeated = report.load_ids.size() == loads_before ? find_repeated(finished, draft) : nullptr;
        if (repeated != nullptr) {
            leave_out_repeated(draft, *repeated, report);
            start.sources = sources_before;
        }
    }
    close_all(drafts, start, report);
    if (!drafts.empty()) report.schema = drafts.back().schema;
    load_all(store, drafts, start, report, observer, stop);
}

void Pipeline::refuse_pending(const package::PackageStore& store, std::string_view action) const {
    if (const std::vector<std::string> waiting = store.pending_ids(); !waiting.empty()) {
        throw Error(ErrorKind::usage, "package {} of an earlier run waits to be loaded into {}: run the pipeline once more (or tipple packages retry, or discard), then {}",
                    waiting.front(), destination_.description(), action);
    }
}

/// A package that only takes away, and always carries a state.
void Pipeline::load_removal(package::PackageStore& store, std::vector<Draft>& drafts, const Start& start, RunReport& report, Observer& observer, std::stop_token stop) {
    Draft& draft = drafts.front();
    draft.package = store.create(draft.load_id, job_bytes_max);
    PipelineState next = next_state(start.state, config_, {draft.schema.name()}, destination_.reference_type(), start.sources);
    close(draft, std::move(next.document), report);
    draft.package.reset();
    report.schema = draft.schema;
    load_all(store, drafts, start, report, observer, std::move(stop));
}

RunReport Pipeline::drop(const DropOptions& options, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    RunReport report = begin_report();
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store = open_store();
    refuse_pending(store, "drop");
    Start start = read_start();
    const std::string schema_name = options.schema_name.empty() ? default_schema_of(start.state).value_or(config_.schema_name) : options.schema_name;
    if (!start.schemas.contains(schema_name)) {
        throw Error(ErrorKind::usage, "there is nothing to drop: no load of a source with the schema \"{}\" is in {}", schema_name, destination_.description());
    }
    if (options.resources.empty() && options.state_paths.empty() && options.state_values.empty() && !options.drop_all) return report;
    std::vector<Draft> drafts(1);
    Draft& draft = drafts.front();
    draft = this->draft(start, schema_name);
    SourceState state = source_state(start.sources, schema_name);
    const ResourceNames names = options.drop_all ? ResourceNames::all() : ResourceNames(options.resources);
    if (options.state_only) {
        // A ledger is what a resource remembers, although it is a table.
        draft.removal.truncated = reset_resources(names, draft.schema, state);
        std::erase_if(draft.removal.truncated, [](const std::string& table) { return !is_ledger(table); });
    } else {
        draft.removal.dropped = remove_resources(names, draft.schema, state);
    }
    for (const std::string& path : options.state_paths) erase_state_path(state, path);
    for (const auto& [path, value] : options.state_values) set_state_path(state, path, value);
    set_source_state(start.sources, schema_name, std::move(state));
    // As the reference does it, a drop is always a load.
    load_removal(store, drafts, start, report, observer, stop);
    report.seconds.total = watch.seconds();
    return report;
}

RunReport Pipeline::undo(const UndoOptions& options, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock_);
    RunReport report = begin_report();
    const std::unique_ptr<io::FileLock> held = lock();
    package::PackageStore store = open_store();
    refuse_pending(store, "undo");
    UndoPlan plan = plan_undo(destination_, config_.name, options);
    Start start = read_start();
    std::vector<Draft> drafts(1);
    Draft& draft = drafts.front();
    draft = this->draft(start, plan.schema_name);
    draft.removal.undone_loads = std::move(plan.load_ids);
    draft.removal.undone_rows = std::move(plan.rows);
    start.sources = std::move(plan.sources);
    // The state of the loads goes with them, so one is written even if it says the same.
    load_removal(store, drafts, start, report, observer, stop);
    report.seconds.total = watch.seconds();
    return report;
}

}  // namespace tipple::pipeline
