#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/core/bounded_queue.h"
#include "tipple/pipeline/page_normalizer.h"
#include "tipple/pipeline/quarantine.h"

/// The extract step while it runs: extract.cpp has the threads and the order of pages, stage_inputs.cpp what is taken back.
namespace tipple::pipeline {

class StageOutput;
class StageCursor;

/// One run of the stage: the threads, what they share, and the order in which pages are admitted.
class Stage {
public:
    /// `bytes_ahead`: what pages may hold that wait for their turn, see ParallelRead.
    Stage(const normalize::Rules& rules, normalize::SchemaWriter& schema, package::PackageWriter* package, const ExtractContext& context, std::size_t bytes_ahead)
        : rules_(rules),
          schema_(schema),
          package_(package),
          context_(context),
          quarantine_(rules.load_id),
          bytes_ahead_(bytes_ahead),
          budget_(context.config.memory_bytes / 3 - bytes_ahead),
          queue_(context.config.workers * 2) {}

    ExtractResult run(const std::vector<ActiveResource>& resources, Observer& observer, std::stop_token stop);

private:
    friend class StageOutput;
    friend class StageCursor;
    friend class ParallelRead;

    void settle(const std::vector<ActiveResource>& resources);
    void extract(const std::vector<ActiveResource>& resources);
    void work();
    void submit(DoneItem done, PageNormalizer& normalizer);
    void admit(DoneItem& done, PageNormalizer& normalizer);
    bool try_admit(const DoneItem& done, std::size_t records_max);
    void note_births(const DoneItem& done, const schema::Schema& before);
    bool declare_chosen_tables(const DoneItem& done);
    void admit_bad_records(const DoneItem& done);
    void admit_notes(const DoneItem& done);
    void put_aside(const ActiveResource& resource, std::string_view root_table, SkippedRecord record, std::string_view text);
    void write_quarantine();
    void fail(std::exception_ptr error);
    void drain(std::unique_lock<std::mutex>& lock);
    void read_alone(const ActiveResource& resource, std::size_t place);
    void begin(Reading& reading);
    void read(Reading& reading);
    bool is_behind_end(const Reading& reading, const Error& error);
    void end(Reading& reading);
    void close(Reading& reading, std::uint64_t end_number);
    void forget_surplus(const Reading& reading);
    /// No more is wanted of it. Known for certain when all its pages are admitted.
    bool has_ended(const Reading& reading) const { return reading.is_closed || is_limit_reached_; }
    AdmissionMark mark(const Reading& reading) const;
    void mark_input(Reading& reading, const std::shared_ptr<Input>& input);
    void roll_back(Reading& reading, AdmissionMark mark);
    void roll_back_input(Reading& reading, const Input& input);
    void note_input(const Reading& reading, Input& input);
    void forget_input(const Reading& reading, const Input& input);
    void take_discard_back(const Reading& reading, Input& input);
    void begin_ledger(Reading& reading);
    bool can_discard(const WorkItem& work, const Error& error) const;
    void discard(Reading& reading, Input& input, const Error& error);
    void write_ledger(Reading& reading, std::uint64_t rows_min);
    void save_cursor(Reading& reading);
    void settle_resource(Reading& reading);
    bool is_checkpoint_due(const ActiveResource& resource) const;
    void take_checkpoint(Reading& reading);
    void commit_part(Observer& observer, const Stopwatch& watch);
    void wait_for_threads(Observer& observer, const Stopwatch& watch);
    void admit_cursor(const DoneItem& done);
    std::size_t records_left(const Reading& reading) const;
    std::optional<std::uint64_t> records_wanted(const Reading& reading) const;
    void finish_thread();
    Progress progress(const Stopwatch& watch) const;

    // For StageOutput and StageCursor.
    void write(Reading& reading, extract::Page page);
    bool offer_file(Reading& reading, const extract::FileOffer& offer);
    void restart_input(Reading& reading);
    [[noreturn]] void fail_committed(const Reading& reading) const;
    void skip(Reading& reading, const extract::SkippedText& skipped);
    void begin_input(Reading& reading, const extract::InputFile& input);
    void end_input(Reading& reading);
    void discard_input(Reading& reading, const Error& error);
    void materialize(Reading& reading);
    void count(const ActiveResource& resource, std::string_view metric, std::int64_t by);
    schema::Value last_value(const Reading& reading);
    void add_skipped(SkippedRecord record);

    const normalize::Rules& rules_;
    normalize::SchemaWriter& schema_;
    package::PackageWriter* package_;
    const ExtractContext& context_;
    Quarantine quarantine_;
    const std::size_t bytes_ahead_;
    /// Outlives the pages in the queue, which hold parts of it.
    MemoryBudget budget_;
    BoundedQueue<WorkItem> queue_;
    std::stop_source stop_;
    std::atomic<std::uint64_t> next_number_{0};
    std::atomic<bool> is_limit_reached_{false};

    // Progress, read by the observing thread.
    std::atomic<std::uint64_t> bytes_read_{0};
    std::atomic<std::uint64_t> bytes_total_{0};
    std::atomic<std::uint64_t> records_{0};
    std::atomic<std::uint64_t> rows_{0};

    /// Everything below is guarded by this.
    mutable std::mutex mutex_;
    std::condition_variable_any admitted_;
    std::condition_variable_any finished_;
    std::uint64_t head_ = 0;
    /// Columns that pages have added so far and that change where values of other names go: JSON columns, and those kept for one name.
    std::uint64_t routing_columns_ = 0;
    /// Tables that records have chosen so far, normalized. Those that are unwanted are in `unwanted_` too, which is replaced, never changed.
    std::set<std::string> declared_;
    std::shared_ptr<const UnwantedTables> unwanted_ = std::make_shared<const UnwantedTables>();
    std::map<std::uint64_t, DoneItem> ready_;
    /// Where the input whose pages are admitted now began. Nothing when a part of it is committed.
    std::optional<AdmissionMark> input_mark_;
    /// Of which input `input_mark_` is; both or none.
    std::shared_ptr<Input> marked_;
    /// How often something was taken back: what was normalized before that may rest on it.
    std::uint64_t rollbacks_ = 0;
    /// Pages refer to them.
    std::deque<Reading> readings_;
    ExtractResult result_;
    std::exception_ptr error_;
    std::size_t threads_running_ = 0;
    /// The reading thread waits until what it has read so far is committed.
    bool is_checkpoint_taken_ = false;
    /// Of the part that is being read.
    std::size_t first_resource_ = 0;
    std::size_t current_resource_ = 0;
    std::uint64_t records_before_ = 0;
    std::uint64_t bytes_before_ = 0;
    Stopwatch part_watch_{context_.clock};
    std::string resource_name_;
    /// By number, those in `result_.inputs`.
    std::set<std::uint64_t> noted_inputs_;
};

}  // namespace tipple::pipeline
