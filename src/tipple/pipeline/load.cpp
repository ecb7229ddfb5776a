#include "tipple/pipeline/load.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "tipple/destination/refused_rows.h"
#include "tipple/io/process.h"
#include "tipple/pipeline/retries.h"

namespace tipple::pipeline {

namespace {

constexpr std::chrono::milliseconds progress_interval{100};

/// `table`: the one whose rows are being loaded; empty before and behind them.
std::vector<destination::LoadedTable> apply_and_commit(package::Package& package, destination::Destination& destination, const Clock& clock,
                                                       std::atomic<std::uint64_t>& rows_done, std::string& table, std::stop_token stop) {
    const std::unique_ptr<destination::LoadTransaction> transaction = destination.begin(package);
    destination::prepare_tables(*transaction, package, destination.capabilities());
    for (const package::TableLoad& load : package.manifest().loads) {
        for (const std::string& each : load.tables) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            table = each;
            transaction->load({.table = each, .disposition = load.disposition, .on_rows = [&](std::uint64_t rows) { rows_done += rows; }}, stop);
        }
    }
    table.clear();
    std::vector<destination::LoadedTable> loaded = transaction->finish();
    package.journal(clock, "committing");
    transaction->commit();
    package.journal(clock, "committed");
    return loaded;
}

/// The transaction runs on a thread of its own, so that this one can tell how far it is.
std::vector<destination::LoadedTable> load_and_report(package::Package& package, destination::Destination& destination, const Clock& clock, Observer& observer,
                                                      std::string& table, std::stop_token stop) {
    const Stopwatch watch(clock);
    // What extract has used is not what the destination can use.
    io::release_free_memory();
    std::atomic<std::uint64_t> rows_done = 0;
    std::future<std::vector<destination::LoadedTable>> work =
        std::async(std::launch::async, [&] { return apply_and_commit(package, destination, clock, rows_done, table, stop); });
    Progress progress{.step = Step::load, .resource = destination.description()};
    progress.rows_total = package.manifest().rows();
    const auto look = [&] {
        progress.rows = rows_done;
        progress.seconds = watch.seconds();
    };
    while (work.wait_for(progress_interval) != std::future_status::ready) {
        look();
        observer.on_progress(progress);
    }
    std::vector<destination::LoadedTable> loaded = work.get();
    look();
    observer.on_step_finished(Step::load, progress);
    return loaded;
}

/// Waits, or returns early when a stop is requested.
void wait(double seconds, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, std::chrono::duration<double>(seconds), [] { return false; });
}

/// Of a table with one job it is that one.
JobFailure failure_of(const package::Package& package, const std::string& table, const Error& error) {
    JobFailure failure{.load_id = package.load_id(), .table = table, .kind = error.kind(), .message = error.what()};
    const std::vector<const package::JobFile*> jobs = table.empty() ? std::vector<const package::JobFile*>() : package.jobs_of(table);
    if (jobs.size() == 1) {
        failure.job = jobs.front()->name;
        failure.file = jobs.front()->reference ? jobs.front()->reference->path : "jobs/" + jobs.front()->name;
    }
    return failure;
}

/// The error with the row, and the file that it lies in, behind its message.
LoadFailed refused_row(const package::Package& package, const destination::RowsRefused& refused, const std::optional<destination::RefusedRow>& row) {
    if (!row) return {refused, failure_of(package, refused.known().table, refused)};
    const Error error(refused.kind(), "{}\n  {}", refused.what(), destination::to_text(*row));
    return {error,
            {.load_id = package.load_id(),
             .job = row->job,
             .table = row->table,
             .file = row->path.empty() ? "jobs/" + row->job : row->path,
             .row = row->row,
             .record = row->record,
             .kind = error.kind(),
             .message = error.what()}};
}

}  // namespace

std::vector<destination::LoadedTable> load_package(package::Package package, PackageOrigin origin, const LoadContext& context, Observer& observer,
                                                   std::stop_token stop) {
    destination::Destination& destination = context.destination;
    if (package.manifest().destination != destination.identity()) {
        throw Error(ErrorKind::usage, "package {} was made for {}, not for {}", package.load_id(), package.manifest().destination,
                    destination.description());
    }
    observer.on_step_started(Step::load);
    bool may_be_loaded = origin == PackageOrigin::earlier_run;
    Retries retries(context.retry_budget_seconds);
    Stopwatch watch(context.clock);
    std::string table;
    while (true) {
        bool is_asking = may_be_loaded;
        table.clear();
        try {
            const bool is_there = may_be_loaded && destination.has_load(destination::load_key(package));
            is_asking = false;
            if (is_there) {
                context.log.info("load {} is at the destination already: the package is closed", package.load_id());
                package.journal(context.clock, "found at the destination");
                return {};
            }
            watch = Stopwatch(context.clock);
            return load_and_report(package, destination, context.clock, observer, table, stop);
        } catch (const destination::RowsRefused& refused) {
            context.log.info("looking for the row that {} refuses", destination.description());
            const destination::RowSearch search{
                .destination = destination, .package = package, .files = context.files, .clock = context.clock, .load_seconds = watch.seconds()};
            throw refused_row(package, refused, destination::locate_refused_row(refused, search, stop));
        } catch (const Error& error) {
            const std::optional<double> seconds = stop.stop_requested() ? std::nullopt : retries.next(error);
            if (!seconds) {
                if (is_asking && error.kind() != ErrorKind::cancelled && error.kind() != ErrorKind::transient) throw LoadInDoubt(error);
                if (error.kind() == ErrorKind::cancelled || stop.stop_requested()) throw;
                if (error.kind() != ErrorKind::transient || retries.attempts() == 1) throw LoadFailed(error, failure_of(package, table, error));
                const Error given_up(error.kind(), "{}\n  tried {} times in {} seconds (--retry-budget)", error.what(), retries.attempts(), context.retry_budget_seconds);
                throw LoadFailed(given_up, failure_of(package, table, given_up));
            }
            // The connection may have broken after the commit was done.
            may_be_loaded = true;
            observer.on_retry(error.what(), *seconds);
            wait(*seconds, stop);
        }
    }
}

}  // namespace tipple::pipeline
