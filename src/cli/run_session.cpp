#include "cli/run_session.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/progress_view.h"
#include "tipple/io/process.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::cli {

namespace {

int exit_code_of(int signal) {
    if (signal == SIGALRM) return exit_timeout;
    return signal == SIGTERM ? exit_terminated : exit_interrupted;
}

}  // namespace

void say_stopping(const Program& program, int signal) {
    if (program.global.is_quiet) return;
    fmt::print(stderr, "\n{}; again to stop at once (nothing is lost either way)\n", signal == SIGALRM ? "the time is up, stopping" : "stopping");
}

int run_and_report(Program& program, const LoadTarget& target, extract::SourceDriver& source, const pipeline::RunOptions& options,
                   const SummaryOptions& summary, const SignalWatch& signals) {
    const std::unique_ptr<pipeline::Observer> view = make_progress_view(program.global, program.terminal, program.clock);
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
    pipeline::RunReport report;
    try {
        report = pipeline.run(source, options, *view, signals.token());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::cancelled) throw;
        fmt::print(stderr, "stopped: {} is as it was before this run; run the same command again to load\n", target.destination->description());
        return exit_code_of(signals.received());
    }
    const int exit_code = report.skipped_count > 0 ? exit_partial : exit_done;
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(report_event(report, exit_code, program.clock)));
    } else if (!program.global.is_quiet) {
        const std::string text = format_summary(report, summary, io::process_usage(), program.terminal);
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (!program.global.is_quiet || report.skipped_count > 0) print_notes(report, program.terminal);
    return exit_code;
}

}  // namespace tipple::cli
