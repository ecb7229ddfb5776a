#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/confirmation.h"
#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/program.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/json/path.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/pipeline/source_state.h"

namespace tipple::cli {

namespace {

using Stored = std::optional<destination::StoredDataset>;

/// What the destination has of the pipeline; throws when that is nothing.
const destination::StoredState& require_state(const LoadTarget& target, const Stored& stored) {
    if (stored && stored->state) return *stored->state;
    throw Error(ErrorKind::usage, "pipeline \"{}\" remembers nothing yet in {}: nothing was loaded, or it keeps no state", target.config.name,
                target.destination->description());
}

/// What the source of the pipeline remembers: paths start here.
json::Value source_memory(const LoadTarget& target, const Stored& stored) {
    const destination::StoredState& state = require_state(target, stored);
    const json::Value* sources = state.document.is_object() ? state.document.as_object().find("sources") : nullptr;
    if (sources == nullptr || !sources->is_object()) return json::Object();
    return pipeline::source_state(sources->as_object(), target.config.schema_name).document();
}

void print_document(const json::Value& value) { fmt::print("{}\n", json::to_text(value, {.spacing = json::Spacing::pretty})); }

int get_state(const Program& program, const LoadTarget& target, const Stored& stored, const std::string& path) {
    const json::Value memory = source_memory(target, stored);
    const std::vector<const json::Value*> found = json::Path::parse(path).find_all(memory);
    if (found.empty()) throw Error(ErrorKind::usage, "nothing is remembered under \"{}\"; see tipple state show", path);
    if (program.global.is_json) {
        json::Array values;
        for (const json::Value* value : found) values.push_back(*value);
        print_document(json::Object{{"v", 1}, {"path", path}, {"values", std::move(values)}});
        return exit_done;
    }
    for (const json::Value* value : found) fmt::print("{}\n", value->is_text() ? value->as_text() : json::to_text(*value, {.spacing = json::Spacing::pretty}));
    return exit_done;
}

/// JSON where it is, else text.
json::Value parse_value(const std::string& text) {
    json::Value value;
    return json::try_parse(text, value) ? value : json::Value(text);
}

int report_change(const Program& program, const pipeline::RunReport& report, const std::string& what) {
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(report_event(report, exit_done, program.clock)));
    } else if (!program.global.is_quiet) {
        fmt::print("{} in {}   load {}\n", what, report.destination, report.load_ids.empty() ? "-" : report.load_ids.back());
    }
    return exit_done;
}

pipeline::Pipeline make_pipeline(Program& program, const LoadTarget& target) {
    return pipeline::Pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
}

/// How a change is asked for.
struct Consent {
    bool is_dry_run = false;
    bool is_confirmed = false;
};

int change(Program& program, const LoadTarget& target, const pipeline::DropOptions& options, const std::string& question, const std::string& done, Consent consent) {
    if (consent.is_dry_run) {
        show_plan(program, question);
        return exit_done;
    }
    if (!confirm(program, question, consent.is_confirmed)) return exit_done;
    pipeline::Observer observer;
    return report_change(program, make_pipeline(program, target).drop(options, observer, {}), done);
}

std::vector<std::string> resources_of(const schema::Schema& schema) {
    std::vector<std::string> names;
    for (const auto& table : schema.tables()) {
        // A resource may have several tables.
        const bool is_root = !table->is_nested() && !table->is_internal() && !table->resource().empty();
        if (is_root && std::find(names.begin(), names.end(), table->resource()) == names.end()) names.push_back(table->resource());
    }
    return names;
}

/// The schema that has these resources: sources by name load into a database under schemas of their own.
std::string schema_of(const LoadTarget& target, const Stored& stored, const std::vector<std::string>& resources) {
    if (!stored) return target.config.schema_name;
    const auto has_all = [&](const schema::Schema& schema) {
        const std::vector<std::string> known = resources_of(schema);
        return std::all_of(resources.begin(), resources.end(), [&](const std::string& name) { return std::find(known.begin(), known.end(), name) != known.end(); });
    };
    if (const auto own = stored->schemas.find(target.config.schema_name); own != stored->schemas.end() && has_all(own->second)) return own->first;
    for (const auto& [name, schema] : stored->schemas) {
        if (has_all(schema)) return name;
    }
    return target.config.schema_name;
}

/// Names, checked before anybody is asked.
void check_resources(Program& program, const LoadTarget& target, const Stored& stored, const std::vector<std::string>& names) {
    std::vector<std::string> known;
    if (stored) {
        if (const auto schema = stored->schemas.find(target.config.schema_name); schema != stored->schemas.end()) known = resources_of(schema->second);
    }
    for (const std::string& name : names) {
        if (name.starts_with("re:") || std::find(known.begin(), known.end(), name) != known.end()) continue;
        const std::vector<std::string> waiting = package::PackageStore(*program.files, pipeline::pipeline_folder(target.config, *target.destination)).pending_ids();
        if (!waiting.empty()) {
            // A drop that was killed behind its commit would look as if there had been nothing to drop.
            throw Error(ErrorKind::usage, "no resource \"{}\" is in {}, but package {} of an earlier run waits, which may be what dropped it or what brings it: finish it with tipple packages retry, then look again",
                        name, target.destination->description(), waiting.front());
        }
        throw Error(ErrorKind::usage, "no resource \"{}\" was ever loaded by pipeline \"{}\"; {}", name, target.config.name,
                    known.empty() ? "none was" : suggestion(name, known));
    }
}

}  // namespace

int run_state(Program& program, const StateArguments& arguments) {
    LoadTarget target = open_load_target(program, arguments.target, "", {});
    const std::vector<std::string>& rest = arguments.arguments;
    const Stored stored = target.destination->read_dataset();
    target.config.schema_name = schema_of(target, stored, arguments.action == StateAction::reset ? rest : std::vector<std::string>());
    switch (arguments.action) {
        case StateAction::show:
            print_document(program.global.is_json ? require_state(target, stored).document : source_memory(target, stored));
            return exit_done;
        case StateAction::get:
            return get_state(program, target, stored, rest[0]);
        case StateAction::set: {
            pipeline::DropOptions options{.schema_name = target.config.schema_name};
            options.state_values.emplace_back(rest[0], parse_value(rest[1]));
            return change(program, target, options,
                          fmt::format("this will set {} to {} in what pipeline \"{}\" remembers in {}\n", rest[0], rest[1], target.config.name, target.destination->description()),
                          fmt::format("{} is {} now", rest[0], rest[1]), {arguments.is_dry_run, arguments.is_confirmed});
        }
        case StateAction::reset:
            check_resources(program, target, stored, rest);
            return change(program, target, pipeline::DropOptions{.resources = rest, .state_only = true, .schema_name = target.config.schema_name},
                                  fmt::format("this will forget what {} remember in {}; the next run reads them from the beginning\n", join(rest, ", "), target.destination->description()),
                                  fmt::format("{}: forgotten", join(rest, ", ")), {arguments.is_dry_run, arguments.is_confirmed});
    }
    return exit_done;
}

int run_drop(Program& program, const DropArguments& arguments) {
    if (arguments.resources.empty() != arguments.drops_all) {
        throw Error(ErrorKind::usage, "which resources? give names, or --all{}", arguments.drops_all ? ", not both" : "");
    }
    LoadTarget target = open_load_target(program, arguments.target, "", {});
    const Stored stored = target.destination->read_dataset();
    target.config.schema_name = schema_of(target, stored, arguments.resources);
    check_resources(program, target, stored, arguments.resources);
    const std::string which = arguments.drops_all ? "all resources" : join(arguments.resources, ", ");
    const pipeline::DropOptions options{.resources = arguments.resources,
                                        .drop_all = arguments.drops_all,
                                        .state_only = arguments.is_state_only,
                                        .schema_name = target.config.schema_name};
    const char* what = arguments.is_state_only ? "forget what is remembered of" : "drop the tables of, and forget what is remembered of,";
    return change(program, target, options, fmt::format("this will {} {} in {}\n", what, which, target.destination->description()),
                          fmt::format("{}: {}", which, arguments.is_state_only ? "forgotten" : "dropped"), {arguments.is_dry_run, arguments.is_confirmed});
}

int run_sync(Program& program, const SyncArguments& arguments) {
    const LoadTarget target = open_load_target(program, arguments.target, "", {});
    const std::string folder = pipeline::pipeline_folder(target.config, *target.destination);
    const std::vector<std::string> waiting = package::PackageStore(*program.files, folder).pending_ids();
    const std::string packages = fmt::format("{} package{} that wait{}", waiting.size(), waiting.size() == 1 ? "" : "s", waiting.size() == 1 ? "s" : "");
    const std::string question = fmt::format("this will forget what is kept here of pipeline \"{}\" ({}); what is in {} stays\n", target.config.name, packages,
                                             target.destination->description());
    if (arguments.is_dry_run) {
        show_plan(program, question);
        return exit_done;
    }
    if (!confirm(program, question, arguments.is_confirmed)) return exit_done;
    pipeline::Pipeline pipeline = make_pipeline(program, target);
    for (const std::string& id : waiting) pipeline.discard_package(id);
    program.files->remove(io::join_path(folder, "inputs.json"));
    if (program.global.is_json) {
        print_document(json::Object{{"v", 1}, {"pipeline", target.config.name}, {"discarded_packages", json::Array(waiting.begin(), waiting.end())}});
    } else if (!program.global.is_quiet) {
        fmt::print("{} discarded; the destination alone counts now\n", packages);
    }
    return exit_done;
}

}  // namespace tipple::cli
