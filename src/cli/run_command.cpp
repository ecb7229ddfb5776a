#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/pipeline_session.h"
#include "cli/program.h"
#include "cli/run_session.h"
#include "cli/signals.h"
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
    throw Error(ErrorKind::usage, "which pipeline? {} has {}; give names, or --all", project.path(), join(known, ", "));
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

int run_pipeline(Program& program, const project::PipelineDefinition& pipeline, const RunArguments& arguments, const SignalWatch& signals) {
    PipelineSession session = open_pipeline(program, pipeline, {.since = bound(arguments.since), .until = bound(arguments.until)},
                                                  {.workers = arguments.workers,
                                                   .memory_bytes = arguments.memory_bytes,
                                                   .lock_timeout_seconds = arguments.lock_timeout_seconds,
                                                   .adopts_tables = arguments.adopts_tables,
                                                   .stop = signals.token()});
    if (arguments.retry_budget_seconds) session.target.config.retry_budget_seconds = *arguments.retry_budget_seconds;
    return run_and_report(program, session.target, *session.source, run_options(pipeline, arguments),
                          {.target = pipeline.name, .dataset = {}, .is_dry_run = arguments.is_dry_run, .shows_all_tables = program.global.verbosity > 0}, signals);
}

/// A failure that the others are not to suffer from.
void report_failure(const Program& program, const std::string& pipeline, const Error& error) {
    if (program.global.is_json) fmt::print("{}\n", json::to_text(failure_event(pipeline, error, program.clock)));
    say_error(program, program.log.with("pipeline", pipeline), fmt::format("pipeline \"{}\": {}", pipeline, error.what()));
}

}  // namespace

int run_run(Program& program, const RunArguments& arguments) {
    const std::vector<std::string> names = chosen_pipelines(require_project(program), arguments);
    const std::vector<project::PipelineDefinition> pipelines = read_pipelines(program, names);
    SignalWatch signals([&](int signal) { say_stopping(program, signal); });
    if (arguments.timeout_seconds > 0) signals.stop_after(arguments.timeout_seconds);
    int exit_code = exit_done;
    for (const project::PipelineDefinition& pipeline : pipelines) {
        if (pipelines.size() > 1 && !program.global.is_json && !program.global.is_quiet) {
            fmt::print("{}{}\n", &pipeline == &pipelines.front() ? "" : "\n", program.terminal.styled(Style::bold, "pipeline " + pipeline.name));
            std::fflush(stdout);
        }
        try {
            const int code = run_pipeline(program, pipeline, arguments, signals);
            if (code != exit_done) exit_code = code;
            if (signals.received() != 0) return exit_code;
        } catch (const Error& error) {
            if (!arguments.keeps_going || pipelines.size() == 1) throw error.with_context(fmt::format("pipeline \"{}\"", pipeline.name));
            report_failure(program, pipeline.name, error);
            exit_code = exit_partial;
        }
    }
    return exit_code;
}

}  // namespace tipple::cli
