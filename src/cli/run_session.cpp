#include "cli/run_session.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/progress_view.h"
#include "cli/version.h"
#include "tipple/core/hash.h"
#include "tipple/core/random.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/io/process.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/pipeline/run_history.h"
#include "tipple/pipeline/run_record.h"

namespace tipple::cli {

namespace {

int exit_code_of(int signal) {
    if (signal == SIGALRM) return exit_timeout;
    return signal == SIGTERM ? exit_terminated : exit_interrupted;
}

void print_event(const json::Value& event) {
    fmt::print("{}\n", json::to_text(event));
    std::fflush(stdout);
}

/// Keeps the record of one run, however it ends.
class Recorder {
public:
    Recorder(Program& program, const LoadTarget& target, const extract::SourceDriver& source, std::string run_id, pipeline::Observer& view)
        : program_(program), steps_(view), watch_(program.clock), folder_(pipeline::pipeline_folder(target.config, *target.destination)) {
        facts_.run_id = std::move(run_id);
        facts_.pipeline = target.config.name;
        facts_.source = source.name();
        facts_.dataset = target.config.dataset;
        facts_.destination = target.destination->description();
        facts_.tool_version = version_text();
        facts_.started_at = utc_text(program.clock.now_us());
    }

    const std::string& run_id() const { return facts_.run_id; }
    pipeline::Observer& observer() { return steps_; }
    const pipeline::StepLog& steps() const { return steps_; }

    json::Object started_event(const Clock& clock) const {
        return {{"v", 1},
                {"ts", utc_text(clock.now_us())},
                {"event", "run.started"},
                {"run", facts_.run_id},
                {"pipeline", facts_.pipeline},
                {"source", facts_.source},
                {"destination", facts_.destination},
                {"dataset", facts_.dataset}};
    }

    void finish(int exit_code, const pipeline::RunReport* report, const Error* error) {
        const io::ProcessUsage usage = io::process_usage();
        facts_.exit_code = exit_code;
        facts_.finished_at = utc_text(program_.clock.now_us());
        facts_.seconds = watch_.seconds();
        facts_.peak_memory_bytes = usage.peak_resident_bytes;
        facts_.cpu_seconds = usage.cpu_seconds;
        try {
            pipeline::RunHistory(*program_.files, folder_).save(pipeline::make_run_record(facts_, steps_, report, error));
        } catch (const Error& failed) {
            // What the run did is done, and how it ended is told in any case.
            program_.log.warning("the record of run {} could not be written: {}", facts_.run_id, failed.what());
        }
    }

private:
    Program& program_;
    pipeline::StepLog steps_;
    Stopwatch watch_;
    std::string folder_;
    pipeline::RunFacts facts_;
};

}  // namespace

void say_stopping(const Program& program, int signal) {
    if (program.global.is_quiet) return;
    fmt::print(stderr, "\n{}; again to stop at once (nothing is lost either way)\n", signal == SIGALRM ? "the time is up, stopping" : "stopping");
}

int run_and_report(Program& program, const LoadTarget& target, extract::SourceDriver& source, const pipeline::RunOptions& options,
                   const SummaryOptions& summary, const SignalWatch& signals, Company company) {
    const bool is_among_others = company == Company::among_others;
    const std::string voice = is_among_others ? target.config.name : std::string();
    const std::string run_id = to_hex(random_bytes(4));
    const std::unique_ptr<pipeline::Observer> view =
        make_progress_view(program.global, program.terminal, program.clock, {.run = run_id, .pipeline = target.config.name, .is_among_others = is_among_others});
    Recorder recorder(program, target, source, run_id, *view);
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock,
                                program.log.with("pipeline", target.config.name).with("run", recorder.run_id()));
    pipeline::RunOptions named = options;
    named.run_id = recorder.run_id();
    if (program.global.is_json) print_event(recorder.started_event(program.clock));
    pipeline::RunReport report;
    try {
        report = pipeline.run(source, named, recorder.observer(), signals.token());
    } catch (const Error& error) {
        const bool is_stopped = error.kind() == ErrorKind::cancelled;
        const int exit_code = is_stopped ? exit_code_of(signals.received()) : to_exit_code(error.kind());
        if (!options.is_dry_run) recorder.finish(exit_code, nullptr, &error);
        if (!is_stopped) throw;
        if (program.global.is_json) {
            json::Object event = failure_event(target.config.name, error, program.clock).as_object();
            event.set("status", "stopped");
            event.set("run", run_id);
            event.set("exit_code", exit_code);
            print_event(event);
        }
        if (recorder.steps().loads().empty()) {
            say_lines(fmt::format("stopped: {} is as it was before this run; run the same command again to load", target.destination->description()), voice);
        } else {
            say_lines(fmt::format("stopped: {} with {} {} committed to {}; run the same command again to go on from there", counted(recorder.steps().loads().size(), "load"),
                                  counted(recorder.steps().loaded_rows(), "row"), recorder.steps().loads().size() == 1 ? "was" : "were", target.destination->description()),
                      voice);
        }
        return exit_code;
    }
    const bool is_partial = report.skipped_count > 0 || report.bad_input_count > 0;
    const int exit_code = is_partial ? exit_partial : exit_done;
    if (!options.is_dry_run) recorder.finish(exit_code, &report, nullptr);
    if (program.global.is_json) {
        for (const json::Value& event : schema_events(report, program.clock)) print_event(event);
        print_event(report_event(report, exit_code, program.clock));
    } else if (!program.global.is_quiet) {
        std::string text = format_summary(report, summary, io::process_usage(), program.terminal);
        if (is_among_others) text = fmt::format("{}\n{}\n", program.terminal.styled(Style::bold, "pipeline " + voice), text);
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (!program.global.is_quiet || is_partial) say_lines(format_notes(report, program.terminal), voice);
    return exit_code;
}

}  // namespace tipple::cli
