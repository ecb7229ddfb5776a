#include <algorithm>

#include "tipple/config/table_reader.h"
#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/destination/strategies.h"
#include "tipple/project/endpoints.h"
#include "tipple/project/project.h"
#include "tipple/project/resource_hints.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/naming.h"

namespace tipple::project {

using config::Node;
using config::Problems;
using config::TableReader;

namespace {

/// The keys that `read_resource_hints` knows.
const std::vector<std::string> hint_keys = {"enabled", "table",   "disposition", "strategy",    "primary_key",
                                            "merge_key", "columns", "contract",    "max_nesting", "checkpoint", "cursor",
                                            "delete_missing", "max_delete", "allow_empty", "where",      "limit",       "depends",
                                            "steps"};

void read_config(TableReader& reader, PipelineDefinition& pipeline, Problems& problems) {
    pipeline.config.name = pipeline.name;
    pipeline.config.schema_name = reader.text("schema").value_or(pipeline.name);
    pipeline.config.dataset = reader.text("dataset").value_or("");
    pipeline.description = reader.text("description").value_or("");
    const std::vector<std::string> namings = schema::NamingConvention::known_names();
    std::vector<std::pair<std::string, std::string>> choices;
    for (const std::string& name : namings) choices.emplace_back(name, name);
    pipeline.config.naming = reader.one_of("naming", choices);
    if (const Node* contract = reader.find("contract")) {
        pipeline.config.schema_contract = config::to_json(*contract);
        try {
            schema::parse_contract(pipeline.config.schema_contract);
        } catch (const Error& error) {
            problems.add(contract->place, error.what());
        }
    }
    pipeline.config.root_key = reader.boolean("root_key");
    if (const std::optional<std::string> strategy = reader.text("replace_strategy")) {
        try {
            pipeline.config.replace_strategy = destination::require_replace_strategy(*strategy);
        } catch (const Error& error) {
            reader.problem("replace_strategy", error.what());
        }
    }
    if (const std::optional<std::int64_t> workers = reader.integer("workers", 1)) pipeline.workers = static_cast<std::size_t>(*workers);
    if (const std::optional<std::uint64_t> memory = reader.size("memory")) {
        pipeline.memory_bytes = *memory;
        if (*memory < limits::memory_min) reader.problem("memory", fmt::format("\"memory\" is too little; at least {}MiB", limits::memory_min >> 20));
    }
    if (const std::optional<std::int64_t> seconds = reader.integer("retry_budget")) pipeline.config.retry_budget_seconds = static_cast<double>(*seconds);
    if (const std::optional<std::int64_t> packages = reader.integer("packages_kept")) pipeline.config.packages_kept = static_cast<std::size_t>(*packages);
    if (const std::optional<std::int64_t> seconds = reader.integer("lock_timeout")) pipeline.lock_timeout_seconds = static_cast<double>(*seconds);
}

void read_run_options(TableReader& reader, pipeline::RunOptions& options) {
    using normalize::Collisions;
    using pipeline::OnBadRecord;
    options.collisions =
        reader.one_of<Collisions>("collisions", {{"keep", Collisions::keep}, {"fail", Collisions::fail}, {"suffix", Collisions::suffix}}).value_or(options.collisions);
    const std::vector<std::pair<std::string, OnBadRecord>> choices = {
        {"fail", OnBadRecord::fail}, {"skip", OnBadRecord::skip}, {"quarantine", OnBadRecord::quarantine}};
    options.on_bad_record = reader.one_of("on_bad_record", choices).value_or(options.on_bad_record);
}

/// Reads the resources of a pipeline: what every source understands, and the options of its own.
class ResourcesReader {
public:
    ResourcesReader(PipelineDefinition& pipeline, const Project& project, Problems& problems) : pipeline_(pipeline), project_(project), problems_(problems) {}

    void read(const Node* defaults, const Node* resources) {
        if (defaults != nullptr && defaults->find("depends") != nullptr) {
            problems_.add(defaults->find("depends")->place, "\"defaults\": \"depends\" is for single resources: all of them would wait for each other");
        }
        const Node nothing;
        if (defaults == nullptr) defaults = &nothing;
        auto [hints_of_all, options_of_all] = read_one("", "\"defaults\"", *defaults);
        pipeline_.hints.all = std::move(hints_of_all);
        if (has_patterns() && (resources == nullptr || has_only_exclusions(*resources))) {
            pipeline_.source.context.resources.push_back({.name = "*", .options = std::move(options_of_all), .settings = *defaults});
        }
        if (resources == nullptr) return;
        const Node known = without_unknown(*defaults);
        TableReader check(*resources, "\"resources\"", problems_);
        for (const auto& [name, member] : resources->members) {
            const std::string what = fmt::format("resource \"{}\"", name);
            TableReader form(member, what, problems_);
            Node settings = merge_defaults(known, member);
            auto [hints, options] = read_one(name, what, settings);
            if (defines_resources()) {
                const bool is_told = hints.is_enabled || pipeline_.source.entry->takes_disabled_resources;
                if (is_told) {
                    pipeline_.source.context.resources.push_back(
                        {.name = name, .options = std::move(options), .settings = std::move(settings), .is_enabled = hints.is_enabled});
                }
                // One that is switched off need not say what it would read.
                if (!hints.is_enabled) continue;
                if (has_patterns() && name.starts_with('-')) {
                    if (!member.members.empty()) problems_.add(member.place, fmt::format("{} leaves tables out, so it has no keys", what));
                    continue;
                }
            }
            pipeline_.hints.resources.push_back(std::move(hints));
        }
        check_dependencies(*resources);
    }

private:
    /// A resource that is switched off is not waited for.
    void check_dependencies(const Node& resources) {
        std::vector<std::string> disabled;
        for (const auto& [name, member] : resources.members) {
            const Node* is_enabled = member.find("enabled");
            if (is_enabled != nullptr && is_enabled->is_scalar() && config::scalar_text(*is_enabled) == "false") disabled.push_back(name);
            const Node* depends = member.find("depends");
            if (depends == nullptr || !defines_resources() || has_patterns()) continue;
            for (const std::string& other : TableReader(member, fmt::format("resource \"{}\"", name), problems_).texts("depends").value_or(std::vector<std::string>())) {
                if (resources.find(other) != nullptr) continue;
                const std::optional<std::string> near = did_you_mean(other, resources.names());
                problems_.add(depends->place, fmt::format("resource \"{}\" depends on \"{}\", which is no resource of this pipeline{}", name, excerpt(other),
                                                          near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
            }
        }
        for (extract::ResourceHints& hints : pipeline_.hints.resources) {
            std::erase_if(hints.depends, [&](const std::string& other) { return std::find(disabled.begin(), disabled.end(), other) != disabled.end(); });
        }
    }

    bool has_patterns() const { return pipeline_.source.entry != nullptr && pipeline_.source.entry->names_are_patterns; }

    static bool has_only_exclusions(const Node& resources) {
        return std::all_of(resources.members.begin(), resources.members.end(), [](const auto& member) { return member.first.starts_with('-'); });
    }

    bool defines_resources() const { return pipeline_.source.entry != nullptr && !pipeline_.source.entry->resource_options.empty(); }

    /// Whether a key that every source has is an option of this source itself: conditions in a language of its own, steps that it does.
    bool is_own_option(std::string_view name) const {
        const extract::SourceEntry* entry = pipeline_.source.entry;
        return entry != nullptr && std::any_of(entry->resource_options.begin(), entry->resource_options.end(), [&](const config::OptionSpec& spec) { return spec.name == name; });
    }

    std::pair<extract::ResourceHints, config::Options> read_one(const std::string& name, const std::string& what, const Node& node) {
        TableReader reader(node, what, problems_);
        const extract::SourceEntry* entry = pipeline_.source.entry;
        extract::ResourceHints hints = read_resource_hints(name, what, reader, problems_, {.has_where = is_own_option("where"), .has_steps = is_own_option("steps")});
        if (entry == nullptr) {
            note_misspelled_hints(node, what);
            return {std::move(hints), config::Options()};
        }
        std::vector<std::string> others = hint_keys;
        std::erase_if(others, [&](const std::string& key) { return is_own_option(key); });
        return {std::move(hints), read_options(node, others, {.own = &entry->resource_options, .of_source = &entry->options}, what, project_, problems_)};
    }

    /// What is unknown there was told once, and need not be told of every resource.
    Node without_unknown(Node defaults) const {
        std::erase_if(defaults.members, [&](const auto& member) {
            if (std::find(hint_keys.begin(), hint_keys.end(), member.first) != hint_keys.end() || !defines_resources()) return false;
            const std::vector<config::OptionSpec>& specs = pipeline_.source.entry->resource_options;
            return std::none_of(specs.begin(), specs.end(), [&](const config::OptionSpec& spec) {
                return spec.name == member.first || spec.name.starts_with(member.first + "_");
            });
        });
        return defaults;
    }

    /// Of a source that is not known nothing can be said about its options, but for those that look like a hint.
    void note_misspelled_hints(const Node& node, const std::string& what) {
        for (const auto& [name, member] : node.members) {
            if (std::find(hint_keys.begin(), hint_keys.end(), name) != hint_keys.end()) continue;
            if (const std::optional<std::string> near = did_you_mean(name, hint_keys)) {
                problems_.add(member.place, fmt::format("{} has no key \"{}\"; did you mean \"{}\"?", what, excerpt(name), *near));
            }
        }
    }

    PipelineDefinition& pipeline_;
    const Project& project_;
    Problems& problems_;
};

}  // namespace

PipelineDefinition Project::settings_of(const std::string& name, Problems& problems) const {
    const Node* written = find_in("pipeline", name);
    TIPPLE_ASSERT(written != nullptr);
    PipelineDefinition pipeline;
    pipeline.name = name;
    Node node = *written;
    std::erase_if(node.members, [](const auto& member) { return member.first == "source" || member.first == "defaults" || member.first == "resources" || member.first == "destination"; });
    node = resolve(node, {"pipeline", name}, problems);
    TableReader reader(node, fmt::format("pipeline \"{}\"", name), problems);
    read_config(reader, pipeline, problems);
    if (pipeline.config.dataset.empty()) pipeline.config.dataset = dataset_of(name);
    return pipeline;
}

PipelineDefinition Project::pipeline(const std::string& name, const Registries& registries, Problems& problems) const {
    PipelineDefinition pipeline;
    pipeline.name = name;
    const std::string what = fmt::format("pipeline \"{}\"", name);
    if (!has_pipeline(name)) {
        problems.add(fmt::format("{} has no {}; {}", path_, what,
                                 suggestion(name, pipelines())));
        return pipeline;
    }
    Node node = resolved({"pipeline", name}, problems);
    TableReader reader(node, what, problems);
    read_config(reader, pipeline, problems);
    if (pipeline.config.dataset.empty()) pipeline.config.dataset = dataset_of(name);
    read_run_options(reader, pipeline.options);
    if (const Node* source = reader.find("source")) {
        pipeline.source = read_source(*source, what, *this, registries.sources, problems);
        if (pipeline.source.entry != nullptr) {
            fill_source(pipeline.source, *source, dlt_settings_of_source(*files_, *this, pipeline.source.entry->name, name), *this);
        }
    } else {
        reader.problem("source", "\"source\" is missing: what is read");
    }
    reader.find("destination");
    pipeline.destination = destination_of(name, registries.destinations, problems);
    const Node* defaults = reader.find("defaults");
    ResourcesReader(pipeline, *this, problems).read(defaults, reader.find("resources"));
    reader.refuse_others();
    return pipeline;
}

}  // namespace tipple::project
