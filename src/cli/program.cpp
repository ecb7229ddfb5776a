#include "cli/program.h"

#include <algorithm>
#include <thread>

#include "cli/load_summary.h"
#include "cli/version.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/engine/engine.h"
#include "tipple/io/data_folder.h"
#include "tipple/io/process.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::cli {

std::string data_folder(const GlobalArguments& global) {
    return global.data_folder.empty() ? io::default_data_folder() : global.data_folder;
}

project::ProjectOptions Program::project_options() const {
    return {.file = global.project_file,
            .folder = global.project_folder,
            .profile = global.profile,
            .assignments = global.settings,
            .environment = environment,
            .dlt_folder = io::default_dlt_folder(),
            .secrets_folder = config::mounted_secrets_folder};
}

const project::Project* find_project(Program& program) {
    if (!program.has_looked_for_project) {
        program.project = project::Project::find(*program.files, program.project_options());
        program.has_looked_for_project = true;
    }
    return program.project ? &*program.project : nullptr;
}

const project::Project& require_project(Program& program) {
    if (const project::Project* project = find_project(program)) return *project;
    throw Error(ErrorKind::usage, "there is no {} in this folder or above it; tipple init writes one, and -C DIR or -f FILE name another place", project::file_name);
}

namespace {

/// Whether a text names a destination by itself. No name of a project has a dot or slash in it.
bool is_path_or_url(const Program& program, const std::string& text) {
    try {
        program.destinations.require_for(text);
        return true;
    } catch (const Error&) {
        return false;
    }
}

Target target_of_project(Program& program, const std::string& target, const std::string& dataset) {
    const project::Project* project = find_project(program);
    if (project == nullptr) program.destinations.require_for(target);
    config::Problems problems;
    Target found;
    const std::size_t slash = target.find('/');
    const std::string connection = target.substr(0, slash);
    if (project->has_pipeline(target)) {
        found = {.destination = project->destination_of(target, program.destinations, problems), .dataset = project->dataset_of(target), .pipeline = target};
    } else if (project->has_connection(connection)) {
        found = {.destination = project->connection(connection, program.destinations, problems),
                 .dataset = slash == std::string::npos ? "" : target.substr(slash + 1),
                 .pipeline = {}};
    } else {
        std::vector<std::string> known = project->pipelines();
        for (const std::string& name : project->connections()) known.push_back(name);
        throw Error(ErrorKind::usage, "\"{}\" is no pipeline or connection of {}{}, and no path or URL of a database", excerpt(target), project->path(),
                    known.empty() ? "" : fmt::format(" ({})", suggestion(target, known)));
    }
    problems.throw_if_any();
    if (!dataset.empty()) found.dataset = dataset;
    return found;
}

destination::DestinationContext base_context(const Program& program, const project::DestinationChoice& choice) {
    destination::DestinationContext context;
    context.options = choice.options;
    context.tool_version = version_text();
    context.memory_bytes = limits::memory_default;
    context.threads = std::max(1U, std::thread::hardware_concurrency());
    context.files = program.files.get();
    context.clock = &program.clock;
    context.log = program.log;
    return context;
}

}  // namespace

Target resolve_target(Program& program, const std::string& target, const std::string& dataset) {
    if (!is_path_or_url(program, target)) return target_of_project(program, target, dataset);
    const destination::DestinationEntry& entry = program.destinations.require_for(target);
    return {.destination = {.entry = &entry, .options = entry.parse(target)}, .dataset = dataset, .pipeline = {}};
}

void require_there(const Program& program, const std::string& target) {
    if (!is_path_or_url(program, target) || target.find("://") != std::string::npos || program.files->find(target) != nullptr) return;
    throw Error(ErrorKind::usage, "\"{}\" does not exist", target);
}

void say_error(const Program& program, const Log& log, std::string_view text, const std::string& name) {
    const bool has_file = !program.global.log_file.empty();
    const bool is_json = program.global.log_format == LogFormat::json;
    if (has_file || is_json) log.error("{}", text);
    if (!has_file && is_json) return;
    const Terminal terminal = program.terminal.of_stderr();
    constexpr std::string_view mark = "error:";
    say_lines(fmt::format("{} {}", terminal.styled(Style::red, mark), prose(text, mark.size() + 1, terminal)), name);
}

project::PipelineDefinition read_pipeline(Program& program, const std::string& name) {
    config::Problems problems;
    project::PipelineDefinition pipeline = require_project(program).pipeline(name, {program.sources, program.destinations}, problems);
    problems.throw_if_any();
    return pipeline;
}

LoadTarget make_load_target(Program& program, const project::DestinationChoice& choice, pipeline::PipelineConfig given, const LoadResources& resources) {
    LoadTarget target{.config = std::move(given), .destination = {}};
    pipeline::PipelineConfig& config = target.config;
    config.workers = resources.workers > 0 ? resources.workers : std::max(1U, std::thread::hardware_concurrency());
    config.memory_bytes = resources.memory_bytes;
    io::bound_allocator(config.memory_bytes);
    engine::bound_allocator(config.memory_bytes);
    config.data_folder = io::join_path(data_folder(program.global), "pipelines");
    config.tool_version = version_text();

    destination::DestinationContext context = base_context(program, choice);
    context.dataset = config.dataset;
    context.memory_bytes = pipeline::destination_memory(config);
    context.threads = config.workers;
    context.data_folder = config.data_folder;
    context.lock_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(resources.lock_timeout_seconds * 1000));
    context.stop = resources.stop;
    context.adopt_tables = resources.adopts_tables;
    if (!config.max_nesting) config.max_nesting = choice.entry->max_nesting;
    const std::unique_ptr<destination::Destination> probe = choice.entry->make(context);
    if (config.dataset.empty()) config.dataset = probe->capabilities().default_dataset;
    if (config.name.empty()) config.name = fmt::format("load_{}", config.dataset);
    if (config.schema_name.empty()) config.schema_name = config.name;
    context.dataset = config.dataset;
    context.pipeline = config.name;
    context.schema_name = config.schema_name;
    context.temp_folder = io::join_path(pipeline::pipeline_folder(config, *probe), "temp");
    target.destination = choice.entry->make(context);
    return target;
}

LoadTarget open_load_target(Program& program, const std::string& text, const std::string& dataset, LoadResources resources, const std::string& pipeline) {
    const Target target = resolve_target(program, text, dataset);
    pipeline::PipelineConfig config;
    std::optional<std::size_t> memory_bytes;
    if (!target.pipeline.empty()) {
        config::Problems problems;
        project::PipelineDefinition definition = require_project(program).settings_of(target.pipeline, problems);
        problems.throw_if_any();
        config = std::move(definition.config);
        memory_bytes = definition.memory_bytes;
    }
    if (resources.memory_bytes == 0) resources.memory_bytes = memory_bytes.value_or(limits::memory_default);
    if (!pipeline.empty()) config.name = config.schema_name = pipeline;
    config.dataset = target.dataset;
    return make_load_target(program, target.destination, std::move(config), resources);
}

std::unique_ptr<destination::Destination> open_target(Program& program, const Target& target) {
    destination::DestinationContext context = base_context(program, target.destination);
    context.dataset = target.dataset;
    context.pipeline = target.pipeline;
    return target.destination.entry->make(context);
}

std::unique_ptr<destination::Destination> open_target(Program& program, const std::string& target, const std::string& dataset) {
    return open_target(program, resolve_target(program, target, dataset));
}

}  // namespace tipple::cli
