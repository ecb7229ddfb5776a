#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tipple/pipeline/job_failure.h"

namespace tipple::pipeline {

/// The two steps of a run: extract, which normalizes as it goes, and load.
enum class Step { extract, load };
const char* to_text(Step step);

struct Progress {
    Step step = Step::extract;
    std::string resource;
    std::uint64_t records = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes_read = 0;
    std::optional<std::uint64_t> bytes_total;
    /// Of the load: what is to be loaded in all.
    std::optional<std::uint64_t> rows_total;
    double seconds = 0;
};

/// Hears of a run while it goes on. Called on the thread that called `run`, several times a second at most.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on_step_started(Step) {}
    virtual void on_progress(const Progress&) {}
    virtual void on_step_finished(Step, const Progress&) {}
    /// A package of an earlier run is loaded, or closed, first.
    virtual void on_pending_package(const std::string& /*load_id*/) {}
    /// Its rows are committed.
    virtual void on_package_loaded(const std::string& /*load_id*/, std::uint64_t /*rows*/) {}
    /// A load has failed, and is not tried again in this run.
    virtual void on_job_failed(const JobFailure&) {}
    virtual void on_retry(const std::string& /*message*/, double /*delay_seconds*/) {}
};

}  // namespace tipple::pipeline
