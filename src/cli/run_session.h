#pragma once

#include <string>

#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// Whether the terminal is a run's own.
enum class Company { alone, among_others };

/// Runs a pipeline as `load` and `run` do: shows progress, the summary and what there is to note. Returns the exit code; that of a signal or a
/// timeout when it was stopped. Throws Error. Among others, which run on other threads, its lines on stderr begin with the pipeline's name and its summary comes at once.
int run_and_report(Program& program, const LoadTarget& target, extract::SourceDriver& source, const pipeline::RunOptions& options,
                   const SummaryOptions& summary, const SignalWatch& signals, Company company = Company::alone);

/// Says on stderr that the run ends in order.
void say_stopping(const Program& program, int signal);

}  // namespace tipple::cli
