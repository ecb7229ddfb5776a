#include "tipple/pipeline/load.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "tipple/core/random.h"

namespace tipple::pipeline {

namespace {

/// Attempts at one package, and the wait before the second one; it doubles from then on.
constexpr int attempts_max = 5;
constexpr double first_delay_seconds = 0.5;
constexpr std::chrono::milliseconds progress_interval{100};

void apply_and_commit(package::Package& package, destination::Destination& destination, const Clock& clock, std::atomic<std::uint64_t>& rows_done,
                      std::stop_token stop) {
    const std::unique_ptr<destination::LoadTransaction> transaction = destination.begin(package);
    std::vector<std::string> tables;
    for (const package::TableLoad& load : package.manifest().loads) tables.insert(tables.end(), load.tables.begin(), load.tables.end());
    const package::Removal& removal = package.manifest().removal;
    if (!removal.dropped.empty()) transaction->drop(removal.dropped);
    transaction->apply(
        destination::plan_ddl(package.schema(), tables, transaction->catalog(), destination.capabilities(), package.manifest().widened));
    if (!removal.truncated.empty()) transaction->truncate(removal.truncated);
    if (!removal.undone_loads.empty()) transaction->undo();
    for (const package::TableLoad& load : package.manifest().loads) {
        for (const std::string& table : load.tables) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            transaction->load({.table = table, .disposition = load.disposition, .on_rows = [&](std::uint64_t rows) { rows_done += rows; }}, stop);
        }
    }
    transaction->finish();
    package.journal(clock, "committing");
    transaction->commit();
    package.journal(clock, "committed");
}

/// The transaction runs on a thread of its own, so that this one can tell how far it is.
void load_and_report(package::Package& package, destination::Destination& destination, const Clock& clock, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(clock);
    std::atomic<std::uint64_t> rows_done = 0;
    std::future<void> work =
        std::async(std::launch::async, [&] { apply_and_commit(package, destination, clock, rows_done, stop); });
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
    work.get();
    look();
    observer.on_step_finished(Step::load, progress);
}

/// Waits, or returns early when a stop is requested.
void wait(double seconds, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, std::chrono::duration<double>(seconds), [] { return false; });
}

/// Between half and all of the delay, so that several programs do not try again at the same moment.
double with_jitter(double seconds) {
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    return seconds * (0.5 + 0.5 * byte / 255.0);
}

}  // namespace

void load_package(package::Package package, PackageOrigin origin, destination::Destination& destination, const Clock& clock, const Log& log,
                  Observer& observer, std::stop_token stop) {
    if (package.manifest().destination != destination.identity()) {
        throw Error(ErrorKind::usage, "package {} was made for {}, not for {}", package.load_id(), package.manifest().destination,
                    destination.description());
    }
    observer.on_step_started(Step::load);
    bool may_be_loaded = origin == PackageOrigin::earlier_run;
    double delay = first_delay_seconds;
    for (int attempt = 1;; ++attempt) {
        if (may_be_loaded && destination.has_load(package.load_id())) {
            log.info("load {} is at the destination already: the package is closed", package.load_id());
            package.journal(clock, "found at the destination");
            return;
        }
        try {
            load_and_report(package, destination, clock, observer, stop);
            return;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::transient || attempt == attempts_max || stop.stop_requested()) throw;
            // The connection may have broken after the commit was done.
            may_be_loaded = true;
            const double seconds =
                error.retry_after() ? std::chrono::duration<double>(*error.retry_after()).count() : with_jitter(delay);
            observer.on_retry(error.what(), seconds);
            wait(seconds, stop);
            delay *= 2;
        }
    }
}

}  // namespace tipple::pipeline
