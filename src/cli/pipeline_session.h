#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/program.h"
#include "tipple/source/hinted_source.h"

namespace tipple::cli {

/// Both sides of a pipeline of the project, made but not opened.
struct PipelineSession {
    std::unique_ptr<extract::SourceDriver> source;
    LoadTarget target;
};

/// Pipelines of the project by name, all of them before anything is opened, so that what is wrong is told at once. Throws Error(usage).
std::vector<project::PipelineDefinition> read_pipelines(Program& program, const std::vector<std::string>& names);

/// `resources`: what is 0 there is as the pipeline says.
PipelineSession open_pipeline(Program& program, const project::PipelineDefinition& pipeline, const extract::CursorRange& range, LoadResources resources);

}  // namespace tipple::cli
