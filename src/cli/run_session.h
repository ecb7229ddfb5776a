#pragma once

#include <string>

#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// Runs a pipeline as `load` and `run` do: shows progress, the summary and what there is to note. Returns the exit code; that of a signal or a
/// timeout when it was stopped. Throws Error.
int run_and_report(Program& program, const LoadTarget& target, extract::SourceDriver& source, const pipeline::RunOptions& options,
                   const SummaryOptions& summary, const SignalWatch& signals);

/// Says on stderr that the run ends in order.
void say_stopping(const Program& program, int signal);

}  // namespace tipple::cli
