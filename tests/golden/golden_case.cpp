#include "golden_case.h"

#include <algorithm>

#include "canonical.h"
#include "case_source.h"
#include "tipple/core/error.h"
#include "tipple/destination/strategies.h"
#include "tipple/destinations/builtin.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::golden {

namespace {

/// Values longer than this are cut in a difference.
constexpr std::size_t shown_max = 600;

std::string shown(const json::Value& value) {
    std::string text = json::to_text(value);
    if (text.size() > shown_max) text = text.substr(0, shown_max) + " ...";
    return text;
}

/// Objects compare without regard to the order of their members.
json::Value sorted(const json::Value& value) { return json::parse(json::to_text(value, {.key_order = json::KeyOrder::sorted})); }

class Differences {
public:
    void expect_equal(const std::string& what, const json::Value& expected, const json::Value& got) {
        if (sorted(expected) == sorted(got)) return;
        if (expected.is_object() && got.is_object()) {
            for (const json::Member& member : expected.as_object()) {
                const json::Value* other = got.as_object().find(member.name);
                if (other == nullptr) {
                    lines.push_back(fmt::format("{}.{}: expected {}, missing", what, member.name, shown(member.value)));
                } else {
                    expect_equal(what + "." + member.name, member.value, *other);
                }
            }
            for (const json::Member& member : got.as_object()) {
                if (expected.as_object().find(member.name) == nullptr) {
                    lines.push_back(fmt::format("{}.{}: not expected, but is {}", what, member.name, shown(member.value)));
                }
            }
            return;
        }
        if (expected.is_array() && got.is_array() && expected.as_array().size() == got.as_array().size()) {
            for (std::size_t i = 0; i < expected.as_array().size(); ++i) {
                expect_equal(fmt::format("{}[{}]", what, i), expected.as_array()[i], got.as_array()[i]);
            }
            return;
        }
        lines.push_back(fmt::format("{}: expected {}\n      got {}", what, shown(expected), shown(got)));
    }
    std::vector<std::string> lines;
};

class CaseRunner {
public:
    CaseRunner(const json::Object& document, const std::string& folder, Store& store)
        : document_(document),
          pipeline_(document.find("pipeline")->as_object()),
          folder_(folder),
          files_(io::local_file_system()),
          store_(store) {
        destinations::add_builtin(registry_);
        check_supported(pipeline_, {"name", "dataset", "schema", "naming", "max_identifier_length", "max_table_nesting", "settings",
                                    "schema_contract", "root_key", "replace_strategy", "import_tables", "config"}, "pipeline");
    }

    std::vector<std::string> run() {
        const json::Array& runs = document_.find("runs")->as_array();
        const json::Array& expects = document_.find("expect")->as_array();
        Differences differences;
        store_.clear();
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const json::Object& run = runs[i].as_object();
            check_supported(run, {"resources", "sources", "drop", "refresh", "sql", "fresh_workdir", "new_process", "loose", "run", "source", "config"}, "run");
            run_sql(run);
            if (run.find("fresh_workdir") != nullptr) files_->remove(data_folder());
            std::string error;
            try {
                run_once(run);
            } catch (const Error& caught) {
                error = caught.what();
                discard_pending();
            }
            compare(fmt::format("run {}", i + 1), expects[i].as_object(), error, differences);
            if (!differences.lines.empty()) break;
        }
        return differences.lines;
    }

private:
    static void check_supported(const json::Object& object, std::vector<std::string> known, const char* what) {
        for (const json::Member& member : object) {
            if (std::find(known.begin(), known.end(), member.name) == known.end()) {
                throw Error(ErrorKind::usage, "this runner does not know \"{}\" of a {}", member.name, what);
            }
        }
    }

    /// The table name among the run's arguments beats those of all resources.
    static json::Value with_table_name(json::Value resources, const json::Value* arguments) {
        const json::Value* name = arguments != nullptr ? arguments->as_object().find("table_name") : nullptr;
        if (name == nullptr) return resources;
        for (json::Value& resource : resources.as_array()) resource.as_object().set("table_name", *name);
        return resources;
    }

    std::string text(const char* key) const { return pipeline_.find(key)->as_text(); }
    std::string data_folder() const { return io::join_path(folder_, "data"); }

    void run_sql(const json::Object& run) {
        const json::Value* sql = run.find("sql");
        if (sql == nullptr) return;
        const json::Array statements = sql->is_array() ? sql->as_array() : json::Array{*sql};
        for (const json::Value& statement : statements) {
            std::string text_of = statement.as_text();
            for (std::size_t at = text_of.find("{dataset}"); at != std::string::npos; at = text_of.find("{dataset}")) {
                text_of.replace(at, 9, quote_identifier(text("dataset")));
            }
            store_.execute(text_of);
        }
    }

    pipeline::PipelineConfig config() const {
        pipeline::PipelineConfig config;
        config.name = text("name");
        config.schema_name = text("schema");
        config.dataset = text("dataset");
        config.data_folder = data_folder();
        config.tool_version = "golden";
        if (const json::Value* naming = pipeline_.find("naming")) config.naming = naming->as_text();
        if (const json::Value* length = pipeline_.find("max_identifier_length")) config.identifier_length_max = static_cast<std::size_t>(length->as_int());
        if (const json::Value* contract = pipeline_.find("schema_contract")) config.schema_contract = *contract;
        if (const json::Value* nesting = pipeline_.find("max_table_nesting")) config.max_nesting = static_cast<int>(nesting->as_int());
        if (const json::Value* root_key = pipeline_.find("root_key")) config.root_key = root_key->as_bool();
        if (const json::Value* settings = pipeline_.find("settings")) config.schema_settings = settings->as_object();
        if (const json::Value* strategy = pipeline_.find("replace_strategy")) config.replace_strategy = destination::require_replace_strategy(strategy->as_text());
        if (const json::Value* tables = pipeline_.find("import_tables")) config.schema_import_folder = write_import(tables->as_object());
        apply_environment(pipeline_, config);
        return config;
    }

    /// A folder with the document of a schema that has these tables, as they are in documents.
    std::string write_import(const json::Object& tables) const {
        json::Object document = schema::Schema::make(text("schema")).to_document();
        for (const json::Member& table : tables) document.find("tables")->as_object().set(table.name, table.value);
        std::string folder = io::join_path(folder_, "import");
        files_->create_folders(folder);
        files_->write_text_durably(io::join_path(folder, text("schema") + ".schema.json"), json::to_text(document));
        return folder;
    }

    /// Settings of the reference's environment that mean something here.
    static void apply_environment(const json::Object& holder, pipeline::PipelineConfig& config) {
        const json::Value* environment = holder.find("config");
        if (environment == nullptr) return;
        check_supported(environment->as_object(), {"SCHEMA__NAMING", "DESTINATION__REPLACE_STRATEGY"}, "environment");
        for (const json::Member& setting : environment->as_object()) {
            if (setting.name == "SCHEMA__NAMING") {
                config.naming = setting.value.as_text();
            } else {
                config.replace_strategy = destination::require_replace_strategy(setting.value.as_text());
            }
        }
    }

    std::unique_ptr<destination::Destination> make_destination() const {
        const pipeline::PipelineConfig pipeline_config = config();
        destination::DestinationContext context;
        context.options = store_.options();
        context.dataset = pipeline_config.dataset;
        context.pipeline = pipeline_config.name;
        context.schema_name = pipeline_config.schema_name;
        context.tool_version = "golden";
        context.memory_bytes = std::size_t{256} << 20;
        context.threads = 1;
        context.temp_folder = io::join_path(folder_, "temp");
        context.files = files_.get();
        context.clock = &clock_;
        return registry_.find(store_.destination())->make(context);
    }

    void run_once(const json::Object& run) {
        const std::unique_ptr<destination::Destination> destination = make_destination();
        pipeline::PipelineConfig pipeline_config = config();
        apply_environment(run, pipeline_config);
        if (const json::Value* source = run.find("source")) {
            check_supported(source->as_object(), {"schema_contract", "root_key", "max_table_nesting", "select"}, "run's source");
            if (const json::Value* root_key = source->as_object().find("root_key")) pipeline_config.root_key = root_key->as_bool();
            if (const json::Value* nesting = source->as_object().find("max_table_nesting")) pipeline_config.max_nesting = static_cast<int>(nesting->as_int());
            if (const json::Value* contract = source->as_object().find("schema_contract")) pipeline_config.schema_contract = *contract;
        }
        pipeline::Pipeline pipeline(pipeline_config, *destination, *files_, clock_, Log());
        pipeline::Observer observer;
        if (const json::Value* drop = run.find("drop")) {
            pipeline.drop(make_drop(drop->as_object()), observer, {});
            return;
        }
        pipeline::RunOptions options;
        if (const json::Value* source = run.find("source")) options.select = make_names(source->as_object().find("select"));
        if (const json::Value* refresh = run.find("refresh")) options.refresh = make_refresh(*refresh);
        if (const json::Value* arguments = run.find("run")) {
            check_supported(arguments->as_object(), {"schema_contract", "write_disposition", "columns", "primary_key", "table_name"}, "run's arguments");
            if (const json::Value* columns = arguments->as_object().find("columns")) options.columns = make_columns(*columns);
            if (const json::Value* key = arguments->as_object().find("primary_key")) options.primary_key = make_names(key);
            if (const json::Value* contract = arguments->as_object().find("schema_contract")) options.schema_contract = *contract;
            if (const json::Value* disposition = arguments->as_object().find("write_disposition")) {
                const bool is_object = disposition->is_object();
                options.disposition = schema::find_disposition((is_object ? *disposition->as_object().find("disposition") : *disposition).as_text());
                if (is_object) options.merge = merge_options(disposition->as_object());
            }
        }
        json::Value renamed;
        std::vector<std::unique_ptr<extract::SourceDriver>> drivers;
        std::vector<pipeline::SourceInput> sources;
        const auto add = [&](const std::string& schema, const json::Value& resources) {
            drivers.push_back(make_case_source(schema, resources.as_array()));
            sources.push_back({.driver = drivers.back().get(), .schema_name = schema});
        };
        if (const json::Value* several = run.find("sources")) {
            for (const json::Value& source : several->as_array()) {
                check_supported(source.as_object(), {"schema", "resources"}, "source");
                add(source.as_object().find("schema")->as_text(), *source.as_object().find("resources"));
            }
        } else {
            renamed = with_table_name(*run.find("resources"), run.find("run"));
            add(run.find("loose") != nullptr ? default_schema(*destination) : text("schema"), renamed);
        }
        pipeline.run(sources, options, observer, {});
    }

    /// Where resources without a source go: the first schema the pipeline ever had, else one that has its name.
    std::string default_schema(destination::Destination& destination) const {
        const std::optional<destination::StoredDataset> stored = destination.read_dataset();
        const json::Value* known = stored && stored->state ? stored->state->document.as_object().find("default_schema_name") : nullptr;
        if (known != nullptr && known->is_text()) return known->as_text();
        std::string name = text("name");
        constexpr std::string_view suffix = "_pipeline";
        if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
        return schema::NamingConvention::make("snake_case", 64)->normalize_path(name);
    }

    static pipeline::Refresh make_refresh(const json::Value& mode) {
        if (mode == json::Value("drop_sources")) return pipeline::Refresh::drop_sources;
        if (mode == json::Value("drop_resources")) return pipeline::Refresh::drop_resources;
        if (mode == json::Value("drop_data")) return pipeline::Refresh::drop_data;
        throw Error(ErrorKind::usage, "this runner does not know the refresh {}", json::to_text(mode));
    }

    static pipeline::DropOptions make_drop(const json::Object& document) {
        check_supported(document, {"resources", "state_paths", "drop_all", "state_only", "schema"}, "drop");
        pipeline::DropOptions options;
        options.resources = make_names(document.find("resources"));
        options.state_paths = make_names(document.find("state_paths"));
        if (const json::Value* all = document.find("drop_all")) options.drop_all = all->as_bool();
        if (const json::Value* only = document.find("state_only")) options.state_only = only->as_bool();
        if (const json::Value* schema = document.find("schema")) options.schema_name = schema->as_text();
        return options;
    }

    void discard_pending() {
        const std::unique_ptr<destination::Destination> destination = make_destination();
        package::PackageStore store(*files_, pipeline::pipeline_folder(config(), *destination));
        for (const std::string& id : store.pending_ids()) store.discard(id);
    }

    void compare(const std::string& run, const json::Object& expected, const std::string& error, Differences& differences) {
        const json::Value& expected_error = *expected.find("error");
        if (expected_error.is_null() != error.empty()) {
            differences.lines.push_back(fmt::format("{}: expected {}, got {}", run, expected_error.is_null() ? "success" : shown(expected_error),
                                                    error.empty() ? "success" : "error: " + error));
            return;
        }
        if (!error.empty()) {
            const json::Value* contains = expected_error.as_object().find("contains");
            for (const json::Value& part : contains != nullptr ? contains->as_array() : json::Array()) {
                if (error.find(part.as_text()) == std::string::npos) {
                    differences.lines.push_back(fmt::format("{}: the error does not name \"{}\": {}", run, part.as_text(), error));
                }
            }
        }
        const std::unique_ptr<destination::Destination> destination = make_destination();
        const std::optional<destination::StoredDataset> stored = destination->read_dataset();
        const auto schema = stored ? stored->schemas.find(text("schema")) : decltype(stored->schemas.find(""))();
        const bool has_schema = stored && schema != stored->schemas.end();
        CanonicalDataset dataset;
        const json::Value* ids = document_.find("ids");
        if (stored) dataset = read_canonical(store_, text("dataset"), all_tables(*stored), ids != nullptr ? *ids : json::Value());
        const json::Value& tables = *expected.find("tables");
        if (!tables.is_null()) differences.expect_equal(run + " tables", tables, dataset.tables);
        if (!error.empty()) return;
        // Cases of our own say only what they are about.
        if (expected.find("schema") == nullptr) return;
        if (has_schema) {
            differences.expect_equal(run + " schema", *expected.find("schema"), canonical_schema(schema->second));
            const json::Value* version = expected.find("schema_version");
            if (version != nullptr) differences.expect_equal(run + " schema_version", *version, schema->second.version());
        }
        differences.expect_equal(run + " loads", *expected.find("loads"), dataset.loads);
        // State rows are left out of a case once one of its loads has failed.
        if (expected.find("system")->as_object().find("_dlt_pipeline_state") == nullptr) dataset.system.erase("_dlt_pipeline_state");
        differences.expect_equal(run + " system", *expected.find("system"), dataset.system);
        differences.expect_equal(run + " state", canonical_state(*expected.find("state")), state_of(stored, text("schema")));
        compare_others(run, expected, stored, differences);
    }

    /// Schemas and states of sources beside the one of the case.
    static void compare_others(const std::string& run, const json::Object& expected, const std::optional<destination::StoredDataset>& stored,
                               Differences& differences) {
        const json::Value* schemas = expected.find("other_schemas");
        for (const json::Member& other : schemas != nullptr ? schemas->as_object() : json::Object()) {
            const auto found = stored->schemas.find(other.name);
            const json::Value got = found != stored->schemas.end() ? json::Value(canonical_schema(found->second)) : json::Value();
            differences.expect_equal(run + " schema " + other.name, other.value, got);
        }
        const json::Value* states = expected.find("other_states");
        for (const json::Member& other : states != nullptr ? states->as_object() : json::Object()) {
            differences.expect_equal(run + " state " + other.name, canonical_state(other.value), state_of(stored, other.name));
        }
    }

    /// The tables of all schemas of the dataset, that of the case first.
    schema::Schema all_tables(const destination::StoredDataset& stored) const {
        const auto own = stored.schemas.find(text("schema"));
        schema::Schema all = own != stored.schemas.end() ? own->second : schema::Schema();
        for (const auto& [name, schema] : stored.schemas) {
            for (const auto& table : schema.tables()) {
                if (all.find(table->name()) == nullptr) all.set_table(*table);
            }
        }
        return all;
    }

    static json::Value state_of(const std::optional<destination::StoredDataset>& stored, const std::string& schema) {
        if (!stored || !stored->state || !stored->state->document.is_object()) return json::Object();
        const json::Value* sources = stored->state->document.as_object().find("sources");
        const json::Value* own = sources != nullptr && sources->is_object() ? sources->as_object().find(schema) : nullptr;
        return own != nullptr ? canonical_state(*own) : json::Value(json::Object());
    }

    const json::Object& document_;
    const json::Object& pipeline_;
    std::string folder_;
    std::unique_ptr<io::FileSystem> files_;
    Store& store_;
    SystemClock clock_;
    destination::Registry registry_;
};

}  // namespace

Outcome run_case(const json::Value& document, const std::string& folder, Store& store) {
    Outcome outcome;
    try {
        outcome.differences = CaseRunner(document.as_object(), folder, store).run();
        outcome.has_passed = outcome.differences.empty();
    } catch (const std::exception& error) {
        outcome.differences = {error.what()};
    }
    return outcome;
}

}  // namespace tipple::golden
