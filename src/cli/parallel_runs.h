#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/signals.h"

/// Pipelines side by side.
namespace tipple::cli {

/// What each of the pipelines that run at the same time may use.
struct Share {
    std::size_t memory_bytes = 0;
    std::size_t workers = 0;
    /// For a place that others of them load into too: it is theirs for as long as their loads take.
    double shared_lock_timeout_seconds = 0;
};

/// `memory_bytes`: of the whole process. Throws Error(usage) when it is too little for `count` pipelines.
Share divide(std::size_t memory_bytes, std::size_t count);

/// Names of the pipelines that load into a place of files that is written by one at a time, and that another one of them loads into as well.
std::vector<std::string> find_sharing(Program& program, const std::vector<project::PipelineDefinition>& pipelines);

/// How one pipeline has ended.
struct Ending {
    std::string status = "not begun";
    int exit_code = 0;
    double seconds = 0;
};

/// Runs pipelines, `together` at a time, each on a thread of its own. `run_one` returns the exit code and is called on those threads; what it throws is told and counts as
/// the end of that pipeline alone. After it, or a signal, no more are begun, unless `keeps_going` allows it. Returns the exit code of all: that of the first pipeline that
/// has failed, or of the last one that has ended otherwise than well.
int run_side_by_side(Program& program, const std::vector<std::string>& pipelines, std::size_t together, bool keeps_going, const SignalWatch& signals,
                     const std::function<int(std::size_t pipeline)>& run_one);

/// A failure that the others are not to suffer from. `name`: as say_lines has it.
void report_failure(const Program& program, const std::string& pipeline, const Error& error, const std::string& name);

}  // namespace tipple::cli
