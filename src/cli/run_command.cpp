#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <set>

#include "cli/exit_code.h"
#include "cli/parallel_runs.h"
#include "cli/pipeline_session.h"
#include "cli/program.h"
#include "cli/run_session.h"
#include "cli/signals.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

std::vector<std::string> chosen_pipelines(const project::Project& project, const RunArguments& arguments) {
    const std::vector<std::string> known = project.pipelines();
    if (known.empty()) throw Error(ErrorKind::usage, "{} has no pipeline; one is a table [pipeline.NAME] with source and destination", project.path());
    if (arguments.runs_all && !arguments.pipelines.empty()) throw Error(ErrorKind::usage, "--all means every pipeline: give it, or names");
    if (arguments.runs_all) return known;
    if (!arguments.pipelines.empty()) return arguments.pipelines;
    if (known.size() == 1) return known;
    throw Error(ErrorKind::usage, "which pipeline? {} has {}; give names, or --all", project.path(), list_near({}, known));
}

pipeline::RunOptions run_options(const project::PipelineDefinition& pipeline, const RunArguments& arguments) {
    using pipeline::Refresh;
    pipeline::RunOptions options = pipeline.options;
    options.select = arguments.resources;
    options.limit = arguments.limit;
    options.checkpoint = arguments.checkpoint;
    if (arguments.max_delete) options.delete_limit = schema::DeleteLimit::parse(*arguments.max_delete);
    options.allows_empty = arguments.allows_empty;
    options.is_dry_run = arguments.is_dry_run;
    if (arguments.refresh == "drop_sources") options.refresh = Refresh::drop_sources;
    if (arguments.refresh == "drop_resources") options.refresh = Refresh::drop_resources;
    if (arguments.refresh == "drop_data") options.refresh = Refresh::drop_data;
    return options;
}

/// Texts are turned into what the records have when they come.
schema::Value bound(const std::optional<std::string>& text) { return text ? schema::Value(*text) : schema::Value(); }

PipelineSession open_session(Program& program, const project::PipelineDefinition& pipeline, const RunArguments& arguments, const LoadResources& resources) {
    PipelineSession session = open_pipeline(program, pipeline, {.since = bound(arguments.since), .until = bound(arguments.until)}, resources);
    if (arguments.retry_budget_seconds) session.target.config.retry_budget_seconds = *arguments.retry_budget_seconds;
    return session;
}

LoadResources resources_of(const RunArguments& arguments, const SignalWatch& signals) {
    return {.workers = arguments.workers,
            .memory_bytes = arguments.memory_bytes,
            .lock_timeout_seconds = arguments.lock_timeout_seconds,
            .adopts_tables = arguments.adopts_tables,
            .stop = signals.token()};
}

int run_session(Program& program, const project::PipelineDefinition& pipeline, const PipelineSession& session, const RunArguments& arguments, const SignalWatch& signals,
                Company company) {
    return run_and_report(program, session.target, *session.source, run_options(pipeline, arguments),
                          {.target = pipeline.name, .dataset = {}, .is_dry_run = arguments.is_dry_run, .shows_all_tables = program.global.verbosity > 0}, signals,
                          company);
}

int run_together(Program& program, const std::vector<project::PipelineDefinition>& pipelines, const RunArguments& arguments, const SignalWatch& signals) {
    const std::size_t together = std::min(arguments.parallel, pipelines.size());
    const Share share = divide(arguments.memory_bytes > 0 ? arguments.memory_bytes : limits::memory_default, together);
    const std::vector<std::string> sharing = find_sharing(program, pipelines);
    std::vector<std::string> names;
    for (const project::PipelineDefinition& pipeline : pipelines) names.push_back(pipeline.name);
    // What sessions are made of is the program's, and not for several threads at once.
    std::mutex mutex;
    return run_side_by_side(program, names, together, arguments.keeps_going, signals, [&](std::size_t i) {
        const project::PipelineDefinition& pipeline = pipelines[i];
        LoadResources resources = resources_of(arguments, signals);
        resources.memory_bytes = std::min(share.memory_bytes, pipeline.memory_bytes.value_or(share.memory_bytes));
        if (resources.workers == 0) resources.workers = pipeline.workers.value_or(share.workers);
        const bool is_sharing = std::find(sharing.begin(), sharing.end(), pipeline.name) != sharing.end();
        if (is_sharing && resources.lock_timeout_seconds <= 0 && !pipeline.lock_timeout_seconds) resources.lock_timeout_seconds = share.shared_lock_timeout_seconds;
        std::unique_lock lock(mutex);
        const PipelineSession session = open_session(program, pipeline, arguments, resources);
        lock.unlock();
        return run_session(program, pipeline, session, arguments, signals, Company::among_others);
    });
}

}  // namespace

int run_run(Program& program, const RunArguments& arguments) {
    const std::vector<std::string> names = chosen_pipelines(require_project(program), arguments);
    const std::vector<project::PipelineDefinition> pipelines = read_pipelines(program, names);
    const bool is_parallel = arguments.parallel > 1 && names.size() > 1;
    if (is_parallel && std::set<std::string>(names.begin(), names.end()).size() < names.size()) {
        throw Error(ErrorKind::usage, "a pipeline is named twice, and cannot run beside itself; name each once, or leave --parallel out");
    }
    SignalWatch signals([&](int signal) { say_stopping(program, signal); });
    if (arguments.timeout_seconds > 0) signals.stop_after(arguments.timeout_seconds);
    if (is_parallel) return run_together(program, pipelines, arguments, signals);
    int exit_code = exit_done;
    for (const project::PipelineDefinition& pipeline : pipelines) {
        if (pipelines.size() > 1 && !program.global.is_json && !program.global.is_quiet) {
            fmt::print("{}{}\n", &pipeline == &pipelines.front() ? "" : "\n", program.terminal.styled(Style::bold, "pipeline " + pipeline.name));
            std::fflush(stdout);
        }
        try {
            const PipelineSession session = open_session(program, pipeline, arguments, resources_of(arguments, signals));
            const int code = run_session(program, pipeline, session, arguments, signals, Company::alone);
            if (code != exit_done) exit_code = code;
            if (signals.received() != 0) return exit_code;
        } catch (const Error& error) {
            if (!arguments.keeps_going || pipelines.size() == 1) throw error.with_context(fmt::format("pipeline \"{}\"", pipeline.name));
            report_failure(program, pipeline.name, error, "");
            exit_code = exit_partial;
        }
    }
    return exit_code;
}

}  // namespace tipple::cli
