#include "cli/parallel_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <new>
#include <system_error>
#include <thread>

#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/pipeline_session.h"
#include "cli/rows_printer.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

/// Longer than any load.
constexpr double shared_lock_timeout_seconds = 24.0 * 3600;

const char* status_of(int exit_code) {
    if (exit_code == exit_done) return "done";
    if (exit_code == exit_partial) return "partial";
    const bool is_stopped = exit_code == exit_timeout || exit_code == exit_interrupted || exit_code == exit_terminated;
    return is_stopped ? "stopped" : "failed";
}

void print_endings(const Program& program, const std::vector<std::string>& pipelines, const std::vector<Ending>& endings) {
    destination::QueryResult table{.columns = {{"pipeline", "VARCHAR"}, {"status", "VARCHAR"}, {"exit code", "BIGINT"}, {"seconds", "DOUBLE"}}, .rows = {}};
    for (std::size_t i = 0; i < pipelines.size(); ++i) {
        const bool was_begun = endings[i].seconds > 0;
        table.rows.push_back({pipelines[i], endings[i].status, was_begun ? std::to_string(endings[i].exit_code) : std::string(),
                              was_begun ? fmt::format("{:.2f}", endings[i].seconds) : std::string()});
    }
    const std::string text = format_table(table, program.terminal);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

/// What a pipeline throws ends that pipeline alone.
int guarded(const Program& program, const std::string& pipeline, const std::function<int()>& run) {
    const auto fail = [&](const Error& error) {
        report_failure(program, pipeline, error, pipeline);
        return to_exit_code(error.kind());
    };
    try {
        return run();
    } catch (const Error& error) {
        return fail(error);
    } catch (const std::bad_alloc&) {
        return fail(Error(ErrorKind::local, "out of memory; close other programs, or give less with --memory, or --parallel"));
    } catch (const std::exception& error) {
        say_lines(fmt::format("this is a defect of tipple, please report it: {}", error.what()), pipeline);
        return exit_bug;
    }
}

}  // namespace

Share divide(std::size_t memory_bytes, std::size_t count) {
    const std::size_t share = memory_bytes / count;
    if (share < limits::memory_min) {
        throw Error(ErrorKind::usage, "a memory of {} MiB is {} MiB for each of {} pipelines that run at the same time, and each needs {}: give --memory {}MiB, or a smaller --parallel",
                    memory_bytes >> 20, share >> 20, count, limits::memory_min >> 20, (limits::memory_min >> 20) * count);
    }
    return {.memory_bytes = share,
            .workers = std::max<std::size_t>(std::max(1U, std::thread::hardware_concurrency()) / count, 1),
            .shared_lock_timeout_seconds = shared_lock_timeout_seconds};
}

std::vector<std::string> find_sharing(Program& program, const std::vector<project::PipelineDefinition>& pipelines) {
    std::map<std::string, std::vector<std::string>> by_place;
    for (const project::PipelineDefinition& pipeline : pipelines) {
        // Places that are named by files or folders are theirs who write them; servers see to that themselves.
        if (pipeline.destination.entry->endings.empty()) continue;
        try {
            const LoadTarget target = make_load_target(program, pipeline.destination, pipeline.config, {});
            by_place[target.destination->identity()].push_back(pipeline.name);
        } catch (const Error&) {
            // The pipeline's own run will say what is wrong.
            continue;
        }
    }
    std::vector<std::string> sharing;
    for (const auto& [place, names] : by_place) {
        if (names.size() > 1) sharing.insert(sharing.end(), names.begin(), names.end());
    }
    return sharing;
}

void report_failure(const Program& program, const std::string& pipeline, const Error& error, const std::string& name) {
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(failure_event(pipeline, error, program.clock)));
        std::fflush(stdout);
    }
    say_error(program, program.log.with("pipeline", pipeline), fmt::format("pipeline \"{}\": {}", pipeline, error.what()), name);
}

int run_side_by_side(Program& program, const std::vector<std::string>& pipelines, std::size_t together, bool keeps_going, const SignalWatch& signals,
                     const std::function<int(std::size_t pipeline)>& run_one) {
    std::vector<Ending> endings(pipelines.size());
    std::atomic<std::size_t> next{0};
    std::atomic<bool> has_failed{false};
    const auto work = [&] {
        while (!signals.token().stop_requested() && (keeps_going || !has_failed)) {
            const std::size_t i = next++;
            if (i >= pipelines.size()) return;
            const Stopwatch watch(program.clock);
            Ending ending;
            ending.exit_code = guarded(program, pipelines[i], [&] { return run_one(i); });
            ending.status = status_of(ending.exit_code);
            ending.seconds = std::max(watch.seconds(), 1e-9);
            if (ending.status == "failed") has_failed = true;
            endings[i] = std::move(ending);
        }
    };
    {
        std::vector<std::jthread> threads;
        try {
            while (threads.size() + 1 < together) threads.emplace_back(work);
        } catch (const std::system_error& reason) {
            program.log.warning("only {} pipelines run at the same time: {}", threads.size() + 1, reason.what());
        }
        work();
    }
    if (!program.global.is_json && !program.global.is_quiet) print_endings(program, pipelines, endings);
    int exit_code = exit_done;
    for (const Ending& ending : endings) {
        if (ending.status == "failed") return keeps_going && pipelines.size() > 1 ? exit_partial : ending.exit_code;
        if (ending.exit_code != exit_done) exit_code = ending.exit_code;
    }
    return exit_code;
}

}  // namespace tipple::cli
