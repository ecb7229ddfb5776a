#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tipple/api/source.h"
#include "tipple/core/limits.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/pipeline/observer.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/report.h"

namespace tipple {

/// What a run did: loads, tables, rows, warnings, figures that resources counted.
using LoadInfo = pipeline::RunReport;
/// What one run is asked to do beyond what its resources say.
using pipeline::RunOptions;
/// Hears of a run while it goes on.
using pipeline::Observer;

/// Where a pipeline loads to: the name of a kind, a path, a URL, or a program's own destination.
class DestinationChoice {
public:
    DestinationChoice(const char* text) : choice_(std::string(text)) {}
    DestinationChoice(std::string text) : choice_(std::move(text)) {}
    DestinationChoice(destination::DestinationEntry entry) : choice_(std::move(entry)) {}
    const std::variant<std::string, destination::DestinationEntry>& get() const { return choice_; }

private:
    std::variant<std::string, destination::DestinationEntry> choice_;
};

/// What stays the same over the runs of a pipeline.
struct PipelineOptions {
    std::string name;
    /// "duckdb" = the file `<name>.duckdb`.
    DestinationChoice destination = "duckdb";
    /// Empty = the pipeline's name.
    std::string dataset = {};
    /// Folder for packages and locks; empty = the one that the command has.
    std::string data_folder = {};
    /// Threads that normalize; 0 = one per core.
    std::size_t workers = 0;
    /// For all that the pipeline does, the destination's engine included.
    std::size_t memory_bytes = limits::memory_default;
    /// How long to wait for a database that another process holds.
    double lock_timeout_seconds = 10;
    /// How long a load waits, all attempts together, for an error to pass that may pass.
    double retry_budget_seconds = limits::retry_budget_seconds_default;
    /// Load into tables that exist and were not made by a pipeline.
    bool adopts_tables = false;
    /// Nothing is logged unless one is given.
    Log log = {};
};

/// A pipeline inside of a program: nothing is printed, nothing exits, errors are exceptions. Different pipelines may run on different threads at once; one runs
/// on one thread at a time.
class Pipeline {
public:
    /// Throws Error(usage) for options that do not fit each other.
    explicit Pipeline(PipelineOptions options);
    ~Pipeline();
    Pipeline(Pipeline&&) noexcept;

    /// Loads what an interrupted run left behind, then reads all resources of `source` and loads them in one transaction. Throws Error; the
    /// destination is then as it was, but for loads of earlier runs.
    LoadInfo run(const Source& source, const RunOptions& options = {});
    /// The same, with somebody who hears of it, and a way to end it: Error(cancelled).
    LoadInfo run(const Source& source, const RunOptions& options, Observer& observer, std::stop_token stop = {});
    /// Reads from the destination; tables are named as `table_name` does. Throws Error(usage) where the destination cannot be asked.
    destination::QueryResult query(std::string_view sql);
    /// A table's name in a query: quoted, with its dataset.
    std::string table_name(std::string_view table) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple
