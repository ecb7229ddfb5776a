#include "tipple/pipeline/extract.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "tipple/core/bounded_queue.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/incremental/slot.h"
#include "tipple/normalize/content_ids.h"
#include "tipple/normalize/times.h"
#include "tipple/pipeline/page_normalizer.h"
#include "tipple/pipeline/parallel_read.h"
#include "tipple/pipeline/quarantine.h"
#include "tipple/pipeline/resources.h"
#include "tipple/pipeline/run_together.h"
#include "tipple/pipeline/stage.h"

namespace tipple::pipeline {

namespace {

/// How many pages may lie between the oldest page that is not admitted and the newest one in work, per worker.
constexpr std::uint64_t window_per_worker = 4;

}  // namespace

/// What a source writes into.
class StageOutput final : public extract::Output {
public:
    StageOutput(Stage& stage, Reading& reading, const ResourceState& state) : stage_(stage), reading_(reading), state_(state) {}

    void write(extract::Page page) override {
        if (reading_.cursor && !state_.is_used()) checkpoint();
        stage_.write(reading_, std::move(page));
    }
    void checkpoint() override {
        if (stage_.is_checkpoint_due(reading_.resource)) stage_.take_checkpoint(reading_);
    }
    bool offer_file(const extract::FileOffer& offer) override { return stage_.offer_file(reading_, offer); }
    void restart_input() override { stage_.restart_input(reading_); }
    void begin_input(const extract::InputFile& input) override { stage_.begin_input(reading_, input); }
    void end_input() override { stage_.end_input(reading_); }
    void discard_input(const Error& error) override { stage_.discard_input(reading_, error); }
    void materialize() override { stage_.materialize(reading_); }
    void skip(const extract::SkippedText& skipped) override { stage_.skip(reading_, skipped); }
    void report(const extract::ReadProgress& progress) override {
        stage_.bytes_read_ = bytes_before_ + progress.bytes_read;
        stage_.bytes_total_ = progress.bytes_total ? bytes_before_ + *progress.bytes_total : 0;
    }
    void count(std::string_view metric, std::int64_t by) override { stage_.count(reading_.resource, metric, by); }
    bool wants_more() const override { return !stage_.is_limit_reached_ && !reading_.is_closed; }

private:
    Stage& stage_;
    Reading& reading_;
    const ResourceState& state_;
    std::uint64_t bytes_before_ = stage_.bytes_read_;
};

/// What a source sees of its cursor.
class StageCursor final : public extract::CursorView {
public:
    StageCursor(Stage& stage, const Reading& reading) : stage_(stage), reading_(reading), start_(reading.cursor->start().start) {}

    const schema::Value& start() const override { return start_; }
    const schema::Value& end() const override { return reading_.resource.spec.incremental->end_value; }
    schema::Value last() override { return stage_.last_value(reading_); }

private:
    Stage& stage_;
    const Reading& reading_;
    schema::Value start_;
};

/// The sources of a run, between the first one and the last one that is read.
class ReadSources {
public:
    ReadSources(const std::vector<ActiveResource>& resources, const std::stop_token& stop) {
        std::map<extract::SourceDriver*, std::vector<extract::ResourceSpec>> wanted;
        for (const ActiveResource& resource : resources) {
            if (resource.is_left_out) continue;
            if (!wanted.contains(resource.driver)) order_.push_back(resource.driver);
            wanted[resource.driver].push_back(resource.spec);
        }
        try {
            for (; begun_ < order_.size(); ++begun_) order_[begun_]->begin(wanted[order_[begun_]], stop);
        } catch (...) {
            finish();
            throw;
        }
    }
    ReadSources(const ReadSources&) = delete;
    ReadSources& operator=(const ReadSources&) = delete;
    ~ReadSources() { finish(); }

private:
    /// One that has failed to begin may hold something too.
    void finish() const {
        for (std::size_t i = 0; i < order_.size() && i <= begun_; ++i) order_[i]->finish();
    }

    std::vector<extract::SourceDriver*> order_;
    std::size_t begun_ = 0;
};

void Stage::fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (error_ == nullptr) error_ = std::move(error);
    stop_.request_stop();
    admitted_.notify_all();
}

void Stage::finish_thread() {
    const std::lock_guard lock(mutex_);
    --threads_running_;
    finished_.notify_all();
}

void Stage::write(Reading& reading, extract::Page page) {
    if (is_limit_reached_ || reading.is_closed) return;
    const std::size_t bytes = page_memory(page);
    if (!budget_.acquire(bytes, stop_.get_token())) throw Error(ErrorKind::cancelled, "stopped");
    WorkItem item{.number = next_number_++, .reading = &reading, .input = reading.input, .page = std::move(page), .hold = MemoryHold(budget_, bytes)};
    if (!queue_.push(std::move(item), stop_.get_token())) throw Error(ErrorKind::cancelled, "stopped");
}

/// Waits until every page written so far is admitted.
void Stage::drain(std::unique_lock<std::mutex>& lock) {
    admitted_.wait(lock, stop_.get_token(), [&] { return head_ == next_number_; });
    if (stop_.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
}

void Stage::skip(Reading& reading, const extract::SkippedText& skipped) {
    const ActiveResource& resource = reading.resource;
    std::unique_lock lock(mutex_);
    drain(lock);
    if (has_ended(reading) || reading.input->is_discarded) return;
    mark_input(reading, reading.input);
    SkippedRecord record{.origin = skipped.origin.name,
                 .byte_offset = skipped.origin.byte_offset,
                 .line = skipped.origin.line,
                 .record = skipped.origin.record,
                 .table = resource.table,
                 .column = skipped.column,
                 .reason = skipped.reason,
                 .text_excerpt = excerpt(skipped.text, 200)};
    if (context_.options.on_bad_record != OnBadRecord::quarantine) return add_skipped(std::move(record));
    put_aside(resource, resource.table, std::move(record), skipped.text);
}

/// Rows wait in memory until what they came from is read to its end, since it may begin anew; no more of them than this.
constexpr std::size_t quarantine_bytes_max = std::size_t{32} << 20;

void Stage::put_aside(const ActiveResource& resource, std::string_view root_table, SkippedRecord record, std::string_view text) {
    quarantine_.add(resource.spec.name, root_table, record, text);
    ++result_.quarantined_count;
    add_skipped(std::move(record));
    if (quarantine_.rows().bytes() < quarantine_bytes_max) return;
    throw Error(ErrorKind::data, "resource \"{}\": more than {} of records would go to the quarantine, the last one of {}; that many are no exception: look at "
                                 "them with --dry-run or --limit and mend the source or the schema, or leave them out with --on-bad-record skip",
                resource.spec.name, "32 MiB", result_.skipped.empty() ? resource.spec.name : result_.skipped.back().place());
}

void Stage::write_quarantine() {
    const std::optional<package::EncodedBatch> batch = quarantine_.rows().take();
    if (!batch) return;
    if (package_ != nullptr) package_->write(*batch);
    result_.rows[batch->table] += batch->rows;
    rows_ += batch->rows;
}

void Stage::materialize(Reading& reading) {
    const ActiveResource& resource = reading.resource;
    if (resource.spec.table_by) {
        throw Error(ErrorKind::usage, "resource \"{}\": a table cannot be made before a record has chosen it", resource.spec.name);
    }
    std::unique_lock lock(mutex_);
    drain(lock);
    mark_input(reading, reading.input);
    const std::shared_ptr<const schema::Schema> snapshot = schema_.snapshot();
    const schema::Table* table = snapshot->find(resource.table);
    normalize::TableProposal proposal{.table = resource.table, .parent = {}, .is_new = table == nullptr, .columns = {}};
    for (const std::string_view column : {schema::load_id_column, schema::id_column}) {
        const schema::Column* known = table != nullptr ? table->find(column) : nullptr;
        if (known == nullptr) proposal.columns.push_back(rules_.inference->make_column(column, schema::DataType::text));
    }
    const bool is_admitted = schema_.admit({proposal}) == normalize::SchemaWriter::Admission::admitted;
    TIPPLE_ASSERT(is_admitted);
    result_.rows.try_emplace(resource.table, 0);
}

void Stage::count(const ActiveResource& resource, std::string_view metric, std::int64_t by) {
    const std::lock_guard lock(mutex_);
    result_.metrics[resource.spec.name][std::string(metric)] += by;
}

schema::Value Stage::last_value(const Reading& reading) {
    std::unique_lock lock(mutex_);
    drain(lock);
    return reading.cursor->last();
}

void Stage::add_skipped(SkippedRecord record) {
    ++result_.skipped_count;
    if (result_.skipped.size() < limits::bad_records_named_max) result_.skipped.push_back(std::move(record));
}

bool Stage::offer_file(Reading& reading, const extract::FileOffer& offer) {
    const ActiveResource& resource = reading.resource;
    // A dry run reads the rows like any other: it has no package to refer to a file in.
    if (package_ == nullptr || rules_.widens || !context_.capabilities.loads_file_references || context_.options.limit) return false;
    // Nobody looks at the rows of a file that is not read.
    if (resource.spec.incremental || has_limit(resource.spec) || resource.spec.where != nullptr || resource.spec.steps != nullptr || resource.is_put_aside) return false;
    std::unique_lock lock(mutex_);
    drain(lock);
    mark_input(reading, reading.input);
    const std::shared_ptr<const schema::Schema> snapshot = schema_.snapshot();
    const schema::Table* table = snapshot->find(resource.table);
    // Ids of rows that stay where they are are made of the rows' numbers.
    if (normalize::row_id_source(table) != normalize::RowIdSource::position) return false;
    // Rows that lack their key are left out one by one, when they may be left out.
    if (context_.options.on_bad_record != OnBadRecord::fail && !normalize::required_key(table).empty()) return false;
    package::FileReference reference{.path = offer.path, .size = offer.size, .modified_ns = offer.modified_ns, .columns = {}, .row_id_prefix = {}};
    normalize::TableProposal proposal{.table = resource.table, .parent = {}, .is_new = table == nullptr, .columns = {}};
    const auto propose = [&](schema::Column column) {
        const schema::Column* known = table != nullptr ? table->find(column.name()) : nullptr;
        if (known == nullptr) proposal.columns.push_back(std::move(column));
        return known == nullptr || (known->is_complete() && columns::column_type(*known) == columns::column_type(column));
    };
    for (const auto& [name, type] : offer.columns) {
        const std::string column = rules_.naming->normalize_path(name);
        const bool is_taken = std::any_of(reference.columns.begin(), reference.columns.end(),
                                          [&](const auto& other) { return other.second.name == column; });
        if (is_taken || column.starts_with(schema::internal_prefix)) return false;
        if (!propose(normalize::declare_column(rules_, column, type))) return false;
        // The engine that reads the file would round what the column has no digits for.
        if (const schema::Column* known = table != nullptr ? table->find(column) : nullptr; known != nullptr && normalize::kept_unit_us(rules_, *known) != 1) return false;
        reference.columns.emplace_back(name, package::SegmentColumn{column, type});
    }
    const bool has_load_id = propose(rules_.inference->make_column(schema::load_id_column, schema::DataType::text));
    const bool has_id = propose(rules_.inference->make_column(schema::id_column, schema::DataType::text));
    if (!has_load_id || !has_id || schema_.admit({proposal}) != normalize::SchemaWriter::Admission::admitted) return false;
    for (const schema::Column& column : proposal.columns) {
        if (column.name().starts_with(schema::internal_prefix)) continue;
        result_.births.push_back({.table = resource.table, .column = column.name(), .reason = normalize::TypeReason::source, .place = {.origin = offer.path}});
    }
    // The file takes the place of one page: its rows' ids begin like that page's.
    const std::uint64_t number = next_number_++;
    ++head_;
    reference.row_id_prefix = normalize::RowIdMaker(rules_.row_id_prefix, number).prefix();
    package_->add_reference(resource.table, std::move(reference), offer.rows);
    result_.records_in_place += offer.rows;
    result_.rows[resource.table] += offer.rows;
    reading.input->records += offer.rows;
    rows_ += offer.rows;
    records_ += offer.rows;
    return true;
}

/// What is known before anything is read.
void Stage::settle(const std::vector<ActiveResource>& resources) {
    const std::lock_guard lock(mutex_);
    auto unwanted = std::make_shared<UnwantedTables>();
    for (const ActiveResource& resource : resources) {
        if (resource.is_put_aside) unwanted->insert(resource.table);
    }
    unwanted_ = std::move(unwanted);
    for (const std::string& id : context_.options.settled_quarantine) quarantine_.resolve(id);
    write_quarantine();
}

void Stage::extract(const std::vector<ActiveResource>& resources) {
    try {
        settle(resources);
        const ReadSources sources(resources, stop_.get_token());
        for (std::size_t at = 0; at < resources.size() && !is_limit_reached_;) {
            const ParallelGroup group = find_group(std::span(resources).subspan(at));
            at += std::max(group.count, std::size_t{1});
            if (group.count > 0) {
                ParallelRead(*this, group.resources).run();
            } else if (const ActiveResource& resource = resources[at - 1]; !resource.is_left_out) {
                read_alone(resource, at - 1);
            }
        }
    } catch (...) {
        const std::exception_ptr error = std::current_exception();
        // An error in a page that was read before comes first, whatever the timing.
        std::unique_lock lock(mutex_);
        admitted_.wait(lock, stop_.get_token(), [&] { return head_ == next_number_; });
        lock.unlock();
        fail(error);
    }
    queue_.close();
    finish_thread();
}

void Stage::read_alone(const ActiveResource& resource, std::size_t place) {
    Reading& reading = readings_.emplace_back(resource);
    {
        const std::lock_guard lock(mutex_);
        resource_name_ = resource.spec.name;
        current_resource_ = place;
        begin(reading);
    }
    read(reading);
    end(reading);
}

void Stage::begin(Reading& reading) {
    const extract::ResourceSpec& spec = reading.resource.spec;
    const json::Object* state = context_.state.find_resource(spec.name);
    reading.input = std::make_shared<Input>(extract::InputFile{});
    begin_ledger(reading);
    reading.is_closed = spec.limit == 0 || spec.records_max == 0;
    reading.end_number = next_number_;
    if (spec.incremental && spec.incremental->scope == incremental::Scope::resource) {
        const std::vector<std::string>& key = context_.options.primary_key ? *context_.options.primary_key : spec.primary_key;
        reading.cursor.emplace(*spec.incremental, spec.name, key, state != nullptr ? incremental::find_slot(*state, *spec.incremental) : nullptr);
    }
}

void Stage::read(Reading& reading) {
    if (reading.is_closed) return;
    const extract::ResourceSpec& spec = reading.resource.spec;
    ResourceState state(context_.state, spec.name);
    StageOutput output(*this, reading, state);
    std::optional<StageCursor> cursor;
    if (reading.cursor) cursor.emplace(*this, reading);
    const extract::ResourceContext source_context{.stop = stop_.get_token(),
                                                 .state = &state,
                                                 .cursor = cursor ? &*cursor : nullptr,
                                                 .ledger = reading.resource.ledger.get(),
                                                 .page_bytes = context_.options.page_bytes,
                                                 .record_bytes_max = context_.config.memory_bytes / 8,
                                                 .threads = context_.config.workers,
                                                 .memory_bytes = context_.config.memory_bytes / 2,
                                                 .skips_bad_records = context_.options.on_bad_record != OnBadRecord::fail,
                                                 .temp_folder = context_.temp_folder,
                                                 .log = context_.log,
                                                 .records_max = records_wanted(reading),
                                                 .may_end_early = context_.options.limit || has_limit(spec) || reading.resource.checkpoint,
                                                 .run_together = [this](std::vector<extract::Task> tasks) { run_together(std::move(tasks), stop_.get_token()); }};
    try {
        reading.resource.driver->read(spec, source_context, output);
    } catch (const Error& error) {
        if (!is_behind_end(reading, error)) throw;
    }
}

/// How far a source gets before it hears that no more is wanted is a matter of timing; what goes wrong there must not be.
bool Stage::is_behind_end(const Reading& reading, const Error& error) {
    std::unique_lock lock(mutex_);
    drain(lock);
    if (!has_ended(reading)) return false;
    context_.log.info("resource \"{}\" failed behind what was wanted of it: {}", reading.resource.spec.name, error.what());
    return true;
}

bool Stage::is_checkpoint_due(const ActiveResource& resource) const {
    if (!resource.checkpoint || package_ == nullptr || records_ == records_before_) return false;
    const extract::Checkpoint& every = *resource.checkpoint;
    return (every.records > 0 && records_ - records_before_ >= every.records) || (every.seconds > 0 && part_watch_.seconds() >= every.seconds);
}

/// Waits until all that was written so far is committed.
void Stage::take_checkpoint(Reading& reading) {
    // An input that has an entry in a ledger, or may be left out, is one whole.
    if (reading.is_input_open && (reading.ledger || reading.resource.spec.skips_bad_inputs)) return;
    std::unique_lock lock(mutex_);
    drain(lock);
    // An end that was reached meanwhile ends the resource, and with it the part.
    if (has_ended(reading)) return;
    settle_resource(reading);
    is_checkpoint_taken_ = true;
    finished_.notify_all();
    admitted_.wait(lock, stop_.get_token(), [&] { return !is_checkpoint_taken_; });
    if (stop_.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
}

/// Nothing else goes on: the reading thread waits in take_checkpoint, the workers for pages.
void Stage::commit_part(Observer& observer, const Stopwatch& watch) {
    ExtractResult part = std::exchange(result_, {});
    part.first_resource = first_resource_;
    part.end_resource = current_resource_ + 1;
    part.records = records_ - records_before_;
    part.bytes_read = bytes_read_ - bytes_before_;
    // What can be said when all is read only: a column may get its values later, and files are read when their resource is.
    result_.null_only = std::move(part.null_only);
    result_.inputs = std::exchange(part.inputs, {});
    result_.input_digest = part.input_digest;
    result_.notes = std::exchange(part.notes, {});
    part.null_only.clear();
    observer.on_step_finished(Step::extract, progress(watch));
    package_ = context_.commit_part(std::move(part));
    observer.on_step_started(Step::extract);
    declared_.clear();
    first_resource_ = current_resource_;
    records_before_ = records_;
    bytes_before_ = bytes_read_;
    part_watch_.restart();
}

/// All its pages are admitted, and what its cursor has come to is remembered.
void Stage::end(Reading& reading) {
    std::unique_lock lock(mutex_);
    drain(lock);
    forget_surplus(reading);
    const extract::ResourceSpec& spec = reading.resource.spec;
    if (reading.cursor && reading.cursor->has_become_coarse()) {
        context_.log.warning("resource \"{}\": more than {} records share the last value of cursor \"{}\", and each is remembered; a cursor with finer values needs less",
                             spec.name, incremental::Cursor::many_records, spec.incremental->cursor_path);
    }
    settle_resource(reading);
}

/// What was read so far stays, and is remembered. All of it is admitted.
void Stage::settle_resource(Reading& reading) {
    save_cursor(reading);
    write_quarantine();
    write_ledger(reading, 1);
    if (reading.ledger && reading.ledger->has_moved()) reading.ledger->remember(context_.state.resource(reading.resource.spec.name));
    input_mark_.reset();
    if (marked_ != nullptr) marked_->is_committed = true;
    marked_.reset();
}

void Stage::save_cursor(Reading& reading) {
    if (!reading.cursor) return;
    const extract::ResourceSpec& spec = reading.resource.spec;
    if (std::optional<json::Object> slot = reading.cursor->slot()) incremental::set_slot(context_.state.resource(spec.name), *spec.incremental, *std::move(slot));
}

void Stage::close(Reading& reading, std::uint64_t end_number) {
    reading.end_number = end_number;
    reading.is_closed = true;
}

/// Pages of a resource that was closed are numbered as if the source had not written more than was wanted. All are admitted.
void Stage::forget_surplus(const Reading& reading) {
    if (!reading.is_closed || reading.is_side_by_side) return;
    head_ = reading.end_number;
    next_number_ = reading.end_number;
}

void Stage::work() {
    try {
        PageNormalizer normalizer(rules_);
        while (std::optional<WorkItem> item = queue_.pop(stop_.get_token())) {
            DoneItem done;
            std::shared_ptr<const UnwantedTables> unwanted;
            {
                std::unique_lock lock(mutex_);
                const std::uint64_t window = window_per_worker * context_.config.workers;
                admitted_.wait(lock, stop_.get_token(), [&] { return item->number < head_ + window; });
                if (stop_.stop_requested()) break;
                done.routing_columns = routing_columns_;
                done.rollbacks = rollbacks_;
                if (item->reading->cursor) done.crowded_value = item->reading->cursor->crowded_value();
                unwanted = unwanted_;
            }
            done.work = std::move(*item);
            try {
                normalizer.run(done, schema_.snapshot(), *unwanted, SIZE_MAX);
            } catch (const Error&) {
                // What is wrong with this page counts only if no earlier page is at fault, and against the schema as it is by then.
                done.error = std::current_exception();
            }
            submit(std::move(done), normalizer);
        }
    } catch (...) {
        fail(std::current_exception());
    }
    finish_thread();
}

/// Whoever completes the oldest page admits it and all that were waiting for it.
void Stage::submit(DoneItem done, PageNormalizer& normalizer) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = done.work.number;
    ready_.emplace(number, std::move(done));
    while (!ready_.empty() && ready_.begin()->first == head_ && !stop_.stop_requested()) {
        DoneItem next = std::move(ready_.begin()->second);
        ready_.erase(ready_.begin());
        try {
            admit(next, normalizer);
        } catch (const Error& error) {
            if (!can_discard(next.work, error)) throw;
            discard(*next.work.reading, *next.work.input, error);
        }
        ++head_;
    }
    admitted_.notify_all();
}

/// A source that gives up behind so many must not be one whose records are left out here.
std::optional<std::uint64_t> Stage::records_wanted(const Reading& reading) const {
    const std::size_t left = records_left(reading);
    if (left == SIZE_MAX || reading.resource.spec.where != nullptr || reading.resource.spec.steps != nullptr) return std::nullopt;
    return left;
}

std::size_t Stage::records_left(const Reading& reading) const {
    const auto left_of = [](const std::optional<std::uint64_t>& limit, std::uint64_t records) {
        return limit ? static_cast<std::size_t>(*limit - std::min(*limit, records)) : SIZE_MAX;
    };
    return std::min(left_of(context_.options.limit, records_), left_of(reading.resource.spec.records_max, reading.records));
}

/// False when a table was met for the first time: what its hints say was not known to whoever normalized the page.
bool Stage::declare_chosen_tables(const DoneItem& done) {
    bool is_known = true;
    for (const std::string& raw : done.result.chosen_tables) {
        const std::string name = table_name(raw, *rules_.naming);
        if (!declared_.insert(name).second) {
            is_known = is_known && !unwanted_->contains(name);
            continue;
        }
        is_known = false;
        const ActiveResource& resource = done.work.reading->resource;
        schema::Schema next = *schema_.snapshot();
        if (declare_table(resource.spec, raw, context_.options, context_.declare, next) == TableVerdict::admitted) {
            schema_.reset(std::move(next));
            result_.chosen_tables.emplace_back(&resource, raw);
        } else {
            auto unwanted = std::make_shared<UnwantedTables>(*unwanted_);
            unwanted->insert(name);
            unwanted_ = std::move(unwanted);
        }
    }
    return is_known;
}

/// False when the page must be done again, against the schema as it is now.
bool Stage::try_admit(const DoneItem& done, std::size_t records_max) {
    const normalize::PageResult& result = done.result;
    if (!done.is_judged_now() || done.error != nullptr || done.rollbacks != rollbacks_ || !declare_chosen_tables(done) || result.records > records_max) return false;
    if (done.snapshot != schema_.snapshot()) {
        // What is left out may fit a column that an earlier page has added: a number too large for an integer is a double there.
        const bool leaves_out = !result.bad_records.empty() || result.discarded_rows > 0 || result.discarded_values > 0;
        if (leaves_out || done.routing_columns != routing_columns_) return false;
    }
    const std::shared_ptr<const schema::Schema> before = schema_.snapshot();
    if (schema_.admit(result.proposals) == normalize::SchemaWriter::Admission::conflict) return false;
    note_births(done, *before);
    for (const normalize::TableProposal& proposal : result.proposals) {
        routing_columns_ += static_cast<std::uint64_t>(std::count_if(proposal.columns.begin(), proposal.columns.end(), [](const schema::Column& column) {
            return column.data_type() == schema::DataType::json || column.hints().find(schema::source_name_hint) != nullptr;
        }));
    }
    return true;
}

/// Of the columns that the page was the first to bring.
void Stage::note_births(const DoneItem& done, const schema::Schema& before) {
    const auto* json = std::get_if<extract::JsonPage>(&done.work.page);
    std::size_t offset = 0;
    std::size_t line = 0;
    for (const normalize::TableProposal& proposal : done.result.proposals) {
        const schema::Table* table = before.find(proposal.table);
        for (std::size_t i = 0; i < proposal.origins.size(); ++i) {
            const std::string& name = proposal.columns[i].name();
            const schema::Column* known = table != nullptr ? table->find(name) : nullptr;
            if ((known != nullptr && known->is_complete()) || name.starts_with(schema::internal_prefix)) continue;
            const normalize::ColumnOrigin& origin = proposal.origins[i];
            if (json != nullptr && origin.offset != offset) {
                offset = origin.offset;
                line = count_lines({reinterpret_cast<const char*>(json->text.data()), offset});
            }
            RecordPlace place = place_in(origin_of(done.work.page), done.offset_of(origin.offset), line, done.place_of(origin.record_index));
            // A column of the source is that of all its records.
            if (origin.reason == normalize::TypeReason::source) place.record = 0;
            result_.births.push_back({.table = proposal.table, .column = name, .reason = origin.reason, .place = std::move(place), .value = origin.value});
        }
    }
}

void Stage::admit(DoneItem& done, PageNormalizer& normalizer) {
    if (done.work.reading->is_closed || done.work.input->is_discarded) return;
    const std::size_t left = records_left(*done.work.reading);
    // A limit of the resource itself closes it with the page that reaches it.
    if (left == 0) {
        is_limit_reached_ = true;
        return;
    }
    mark_input(*done.work.reading, done.work.input);
    for (int attempt = 1; !try_admit(done, left); ++attempt) {
        // Again, now that everything before this page is known. Nothing can be in its way this time, but that its records choose tables
        // that were not declared yet.
        TIPPLE_ASSERT(attempt <= 3);
        done.error = nullptr;
        done.rollbacks = rollbacks_;
        done.is_next = true;
        normalizer.run(done, schema_.snapshot(), *unwanted_, left);
    }
    admit_bad_records(done);
    admit_notes(done);
    result_.kinds.add(done.result.kinds);
    done.work.reading->records += done.result.records;
    if (done.unwanted_records) result_.unwanted_records += done.unwanted_records->size();
    admit_cursor(done);
    for (const package::EncodedBatch& batch : done.batches) {
        if (package_ != nullptr) package_->write(batch);
        result_.rows[batch.table] += batch.rows;
        rows_ += batch.rows;
    }
    done.work.input->records += done.result.records;
    for (normalize::NullOnlyColumn& column : done.result.null_only) {
        if (std::find(result_.null_only.begin(), result_.null_only.end(), column) == result_.null_only.end()) {
            result_.null_only.push_back(std::move(column));
        }
    }
    records_ += done.result.records;
    result_.discarded_rows += done.result.discarded_rows;
    result_.discarded_values += done.result.discarded_values;
    result_.filtered_rows += done.result.filtered_rows;
    result_.filtered_values += done.result.filtered_values;
    if (context_.options.limit && records_ >= *context_.options.limit) is_limit_reached_ = true;
}

void Stage::admit_notes(const DoneItem& done) {
    const extract::Origin& origin = origin_of(done.work.page);
    for (const normalize::DataNote& note : done.result.notes) {
        const auto same = std::find_if(result_.notes.begin(), result_.notes.end(), [&](const DataWarning& other) { return other.note.is_same_as(note); });
        if (same != result_.notes.end()) {
            same->note.count += note.count;
        } else if (result_.notes.size() < limits::data_notes_max) {
            result_.notes.push_back({note, to_text(place_in(origin, done.offset_of(note.offset), note.line, done.place_of(note.record_index)))});
        }
    }
}

/// Takes what the page says of the cursor, and sees whether more pages are wanted.
void Stage::admit_cursor(const DoneItem& done) {
    Reading& reading = *done.work.reading;
    bool is_last = false;
    if (done.fold) {
        reading.cursor->take(*done.fold);
        is_last = reading.cursor->is_done();
        result_.filtered_records += done.fold->dropped.size();
    }
    const bool has_left_out = done.unwanted_records && !done.unwanted_records->empty();
    const bool passes = done.fold ? done.fold->kept > 0 || (done.fold->records == 0 && !has_left_out) : done.result.records > 0 || !has_left_out;
    if (passes) {
        ++reading.yields;
        if (table_of(done.work.page).empty()) result_.reached.insert(reading.resource.table);
    }
    const extract::ResourceSpec& spec = reading.resource.spec;
    if (is_last || reading.yields == spec.limit || reading.records == spec.records_max) close(reading, done.work.number + 1);
}

void Stage::admit_bad_records(const DoneItem& done) {
    const extract::Origin& origin = origin_of(done.work.page);
    const std::string& own_table = table_of(done.work.page);
    const std::string page_table = own_table.empty() ? done.work.reading->resource.table : table_name(own_table, *rules_.naming);
    for (const normalize::BadRecord& bad : done.result.bad_records) {
        const std::string& root_table = bad.chosen_table.empty() ? page_table : bad.chosen_table;
        const RecordPlace place = place_in(origin, done.offset_of(bad.offset), bad.line, done.place_of(bad.record_index));
        SkippedRecord record{.origin = place.origin,
                             .byte_offset = place.byte_offset,
                             .line = place.line,
                             .record = place.record,
                             .table = bad.table.empty() ? root_table : bad.table,
                             .column = bad.column,
                             .reason = bad.reason,
                             .text_excerpt = bad.text_excerpt};
        const bool is_quarantined = bad.is_quarantined || (!bad.breaks_contract && context_.options.on_bad_record == OnBadRecord::quarantine);
        if (is_quarantined) {
            put_aside(done.work.reading->resource, root_table, std::move(record), bad.text);
            continue;
        }
        if (bad.breaks_contract || context_.options.on_bad_record == OnBadRecord::fail) {
            throw Error(ErrorKind::data, "{}: table \"{}\"{}: {}\n  record: {}\n  nothing was loaded; {}", record.place(), record.table,
                        record.column.empty() ? "" : fmt::format(", column \"{}\"", record.column), record.reason, record.text_excerpt,
                        bad.breaks_contract ? fmt::format("{}: another --contract (contract in a project)", bad.remedy.empty() ? "to let such changes in, or leave them out" : bad.remedy)
                                            : "to leave such records out: --on-bad-record skip (on_bad_record in a project), or quarantine to keep them for later");
        }
        add_skipped(std::move(record));
    }
}

Progress Stage::progress(const Stopwatch& watch) const {
    Progress progress{.step = Step::extract, .resource = resource_name_};
    progress.records = records_;
    progress.rows = rows_;
    progress.bytes_read = bytes_read_;
    if (bytes_total_ > 0) progress.bytes_total = bytes_total_;
    progress.seconds = watch.seconds();
    return progress;
}

void Stage::wait_for_threads(Observer& observer, const Stopwatch& watch) {
    std::unique_lock lock(mutex_);
    while (threads_running_ > 0) {
        finished_.wait_for(lock, std::chrono::milliseconds(100), [&] { return threads_running_ == 0 || is_checkpoint_taken_; });
        const Progress now = progress(watch);
        const bool has_part = is_checkpoint_taken_;
        lock.unlock();
        if (has_part) {
            try {
                commit_part(observer, watch);
            } catch (...) {
                fail(std::current_exception());
            }
        } else {
            observer.on_progress(now);
        }
        lock.lock();
        if (has_part) is_checkpoint_taken_ = false;
        admitted_.notify_all();
    }
}

ExtractResult Stage::run(const std::vector<ActiveResource>& resources, Observer& observer, std::stop_token stop) {
    const Stopwatch watch(context_.clock);
    observer.on_step_started(Step::extract);
    const std::stop_callback forward(stop, [&] { fail(std::make_exception_ptr(Error(ErrorKind::cancelled, "stopped"))); });
    {
        std::vector<std::jthread> threads;
        const std::size_t wanted = context_.config.workers + 1;
        threads_running_ = wanted;
        try {
            while (threads.size() < context_.config.workers) threads.emplace_back([&] { work(); });
            threads.emplace_back([&] { extract(resources); });
        } catch (const std::system_error& reason) {
            // Those that were started hear of it.
            fail(std::make_exception_ptr(Error(ErrorKind::local, "{} threads cannot be started: {}; give fewer with --workers", wanted, reason.what())));
            queue_.close();
            for (std::size_t i = threads.size(); i < wanted; ++i) finish_thread();
        }
        wait_for_threads(observer, watch);
    }
    if (error_ != nullptr) std::rethrow_exception(error_);
    result_.first_resource = first_resource_;
    result_.end_resource = resources.size();
    result_.records = records_ - records_before_;
    result_.bytes_read = bytes_read_ - bytes_before_;
    // What had nothing but nulls in one page may have got its values from another.
    erase_typed(result_.null_only, *schema_.snapshot(), rules_.naming->separator());
    std::sort(result_.null_only.begin(), result_.null_only.end());
    observer.on_step_finished(Step::extract, progress(watch));
    return std::move(result_);
}

ExtractResult extract_and_normalize(const std::vector<ActiveResource>& resources, const normalize::Rules& rules, normalize::SchemaWriter& schema, package::PackageWriter* package,
                                    const ExtractContext& context, Observer& observer, std::stop_token stop) {
    Stage stage(rules, schema, package, context, ParallelRead::bytes_ahead(resources, context.config.memory_bytes / 3));
    return stage.run(resources, observer, std::move(stop));
}

}  // namespace tipple::pipeline
