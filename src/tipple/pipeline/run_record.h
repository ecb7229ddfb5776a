#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/json/value.h"
#include "tipple/pipeline/observer.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/report.h"

namespace tipple::pipeline {

/// Hands everything on to another observer, and remembers how far each step came: of a run that fails, that is all there is.
class StepLog final : public Observer {
public:
    /// `next` outlives this.
    explicit StepLog(Observer& next) : next_(next) {}

    void on_step_started(Step step) override;
    void on_progress(const Progress& progress) override;
    void on_step_finished(Step step, const Progress& progress) override;
    void on_pending_package(const std::string& load_id) override { next_.on_pending_package(load_id); }
    void on_package_loaded(const std::string& load_id, std::uint64_t rows) override;
    void on_job_failed(const JobFailure& failure) override;
    void on_retry(const std::string& message, double delay_seconds) override;

    struct Entry {
        Progress last;
        bool is_finished = false;
    };
    const std::optional<Entry>& entry(Step step) const { return entries_[static_cast<std::size_t>(step)]; }
    std::uint64_t retries() const { return retries_; }
    /// What was committed, packages of earlier runs included.
    const std::vector<std::string>& loads() const { return loads_; }
    std::uint64_t loaded_rows() const { return loaded_rows_; }
    const std::vector<JobFailure>& failures() const { return failures_; }

private:
    Observer& next_;
    std::array<std::optional<Entry>, 2> entries_;
    std::uint64_t retries_ = 0;
    std::vector<std::string> loads_;
    std::vector<JobFailure> failures_;
    std::uint64_t loaded_rows_ = 0;
};

/// What is known of a run besides its report.
struct RunFacts {
    std::string run_id;
    std::string pipeline;
    std::string source;
    std::string dataset;
    std::string destination;
    std::string tool_version;
    std::string started_at;
    std::string finished_at;
    double seconds = 0;
    int exit_code = 0;
    std::uint64_t peak_memory_bytes = 0;
    double cpu_seconds = 0;
};

/// The record of a run: docs/internals/run-records.md. `report` is nullptr when the run failed with `error`.
json::Object make_run_record(const RunFacts& facts, const StepLog& steps, const RunReport* report, const Error* error);

}  // namespace tipple::pipeline
