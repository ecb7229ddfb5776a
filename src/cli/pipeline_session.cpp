#include "cli/pipeline_session.h"

namespace tipple::cli {

std::vector<project::PipelineDefinition> read_pipelines(Program& program, const std::vector<std::string>& names) {
    const project::Project& project = require_project(program);
    std::vector<project::PipelineDefinition> pipelines;
    config::Problems problems;
    for (const std::string& name : names) pipelines.push_back(project.pipeline(name, {program.sources, program.destinations}, problems));
    problems.throw_if_any();
    return pipelines;
}

PipelineSession open_pipeline(Program& program, const project::PipelineDefinition& pipeline, const extract::CursorRange& range, LoadResources resources) {
    extract::SourceContext context = pipeline.source.context;
    context.log = program.log;
    extract::SourceHints hints = pipeline.hints;
    hints.range = range;
    if (resources.workers == 0) resources.workers = pipeline.workers.value_or(0);
    if (resources.memory_bytes == 0) resources.memory_bytes = pipeline.memory_bytes.value_or(limits::memory_default);
    if (resources.lock_timeout_seconds <= 0) resources.lock_timeout_seconds = pipeline.lock_timeout_seconds.value_or(lock_timeout_seconds_default);
    return {.source = extract::with_hints(program.sources.make(pipeline.source.entry->name, context), std::move(hints)),
            .target = make_load_target(program, pipeline.destination, pipeline.config, resources)};
}

}  // namespace tipple::cli
