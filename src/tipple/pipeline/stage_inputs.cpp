#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/pipeline/input_log.h"
#include "tipple/pipeline/outcome.h"
#include "tipple/pipeline/stage.h"

namespace tipple::pipeline {

namespace {

/// Rows of a ledger that make a batch worth writing.
constexpr std::uint64_t ledger_batch_rows = 4'096;

/// One file in one state.
std::uint64_t number_of(const extract::InputFile& input) { return xxh3_64(fmt::format("{}\n{}\n{}", input.path, input.size, input.modified_ns)); }

template <typename List>
void shorten(List& list, std::size_t size) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(size), list.end());
}

}  // namespace

ResultMark::ResultMark(const ExtractResult& result, const std::string& ledger)
    : records_in_place_(result.records_in_place),
      filtered_records_(result.filtered_records),
      unwanted_records_(result.unwanted_records),
      skipped_count_(result.skipped_count),
      quarantined_count_(result.quarantined_count),
      discarded_rows_(result.discarded_rows),
      discarded_values_(result.discarded_values),
      filtered_rows_(result.filtered_rows),
      filtered_values_(result.filtered_values),
      bad_input_count_(result.bad_input_count),
      skipped_(result.skipped.size()),
      null_only_(result.null_only.size()),
      births_(result.births.size()),
      bad_inputs_(result.bad_inputs.size()),
      chosen_tables_(result.chosen_tables.size()),
      replaced_(result.replaced.contains(ledger) ? result.replaced.at(ledger).size() : 0),
      notes_(result.notes),
      kinds_(result.kinds),
      rows_(result.rows),
      reached_(result.reached) {}

void ResultMark::roll_back(ExtractResult& result, const std::string& ledger) && {
    result.records_in_place = records_in_place_;
    result.filtered_records = filtered_records_;
    result.unwanted_records = unwanted_records_;
    result.skipped_count = skipped_count_;
    result.quarantined_count = quarantined_count_;
    result.discarded_rows = discarded_rows_;
    result.discarded_values = discarded_values_;
    result.filtered_rows = filtered_rows_;
    result.filtered_values = filtered_values_;
    result.bad_input_count = bad_input_count_;
    shorten(result.skipped, skipped_);
    shorten(result.null_only, null_only_);
    shorten(result.births, births_);
    shorten(result.bad_inputs, bad_inputs_);
    shorten(result.chosen_tables, chosen_tables_);
    if (result.replaced.contains(ledger)) shorten(result.replaced.at(ledger), replaced_);
    result.notes = std::move(notes_);
    result.kinds = std::move(kinds_);
    result.rows = std::move(rows_);
    result.reached = std::move(reached_);
}

/// Where what follows can be taken back to.
AdmissionMark Stage::mark(const Reading& reading) const {
    return {.result = ResultMark(result_, reading.resource.ledger_table),
            .schema = schema_.snapshot(),
            .cursor = reading.cursor,
            .yields = reading.yields,
            .reading_records = reading.records,
            .routing_columns = routing_columns_,
            .declared = declared_,
            .unwanted = unwanted_,
            .records = records_,
            .rows = rows_};
}

/// Before anything of an input counts.
void Stage::mark_input(Reading& reading, const std::shared_ptr<Input>& input) {
    // Of what is read side by side, nothing is taken back.
    if (marked_ == input || reading.is_side_by_side) return;
    write_quarantine();
    write_ledger(reading, ledger_batch_rows);
    input_mark_ = mark(reading);
    marked_ = input;
    if (package_ != nullptr) package_->mark();
}

/// Pages in work may rest on what goes. The resource has not ended: nothing is taken back behind that.
void Stage::roll_back(Reading& reading, AdmissionMark mark) {
    std::move(mark.result).roll_back(result_, reading.resource.ledger_table);
    schema_.reset(*mark.schema);
    reading.cursor = std::move(mark.cursor);
    reading.yields = mark.yields;
    reading.records = mark.reading_records;
    routing_columns_ = mark.routing_columns;
    declared_ = std::move(mark.declared);
    unwanted_ = std::move(mark.unwanted);
    records_ = mark.records;
    rows_ = mark.rows;
    quarantine_.rows().clear();
    input_mark_.reset();
    marked_.reset();
    ++rollbacks_;
}

void Stage::fail_committed(const Reading& reading) const {
    throw Error(ErrorKind::usage, "resource \"{}\" has to be read again in another way, and a part of it is committed already: run it without --checkpoint",
                reading.resource.spec.name);
}

void Stage::begin_ledger(Reading& reading) {
    const ActiveResource& resource = reading.resource;
    if (resource.ledger != nullptr) reading.ledger.emplace(resource.ledger_table, rules_.load_id, context_.state.find_resource(resource.spec.name));
}

void Stage::restart_input(Reading& reading) {
    std::unique_lock lock(mutex_);
    drain(lock);
    if (has_ended(reading)) return;
    if (reading.input->is_discarded) {
        take_discard_back(reading, *reading.input);
    } else {
        roll_back_input(reading, *reading.input);
    }
    reading.input->records = 0;
}

/// A worker has found it bad, and its source finds that it has changed meanwhile: what is read now counts.
void Stage::take_discard_back(const Reading& reading, Input& input) {
    input.is_discarded = false;
    --result_.bad_input_count;
    const auto is_it = [&](const BadInput& bad) { return bad.resource == reading.resource.spec.name && bad.path == input.file.path; };
    const auto named = std::find_if(result_.bad_inputs.rbegin(), result_.bad_inputs.rend(), is_it);
    if (named != result_.bad_inputs.rend()) result_.bad_inputs.erase(std::next(named).base());
    note_input(reading, input);
}

/// An input that has brought nothing yet has no mark.
void Stage::roll_back_input(Reading& reading, const Input& input) {
    if (input.is_committed) fail_committed(reading);
    if (marked_.get() != &input) return;
    roll_back(reading, *std::exchange(input_mark_, std::nullopt));
    if (package_ != nullptr) package_->roll_back();
}

bool Stage::can_discard(const WorkItem& work, const Error& error) const {
    return work.reading->resource.spec.skips_bad_inputs && error.kind() == ErrorKind::data && !work.input->file.path.empty();
}

/// What else comes of the input is not admitted.
void Stage::discard(Reading& reading, Input& input, const Error& error) {
    roll_back_input(reading, input);
    if (std::exchange(input.is_discarded, true)) return;
    forget_input(reading, input);
    ++result_.bad_input_count;
    if (result_.bad_inputs.size() < limits::bad_records_named_max) {
        result_.bad_inputs.push_back({.resource = reading.resource.spec.name, .path = input.file.path, .error = without_outcome(error.what())});
    }
}

void Stage::discard_input(Reading& reading, const Error& error) {
    std::unique_lock lock(mutex_);
    drain(lock);
    if (has_ended(reading)) return;
    reading.is_input_open = false;
    discard(reading, *reading.input, error);
}

/// When there are so many rows, and never while something may be taken back that was written later.
void Stage::write_ledger(Reading& reading, std::uint64_t rows_min) {
    if (!reading.ledger) return;
    reading.ledger->collect(head_);
    if (reading.ledger->rows() < rows_min) return;
    const std::optional<package::EncodedBatch> batch = reading.ledger->take();
    if (!batch) return;
    std::vector<std::string>& replaced = result_.replaced[batch->table];
    for (std::string& file : reading.ledger->take_replaced()) replaced.push_back(std::move(file));
    if (package_ != nullptr) package_->write(*batch);
    result_.rows[batch->table] += batch->rows;
    rows_ += batch->rows;
}

void Stage::begin_input(Reading& reading, const extract::InputFile& input) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<Input> before = std::exchange(reading.input, std::make_shared<Input>(input));
    reading.is_input_open = true;
    if (reading.ledger) return;
    if (before->file == input && !before->is_discarded) {
        reading.input->is_noted = before->is_noted;  // begun anew
        return;
    }
    note_input(reading, *reading.input);
}

namespace {

/// Whether it matters that a file is read again: not where a ledger leaves it out, or a cursor what it had before.
bool notes_inputs(const Reading& reading) {
    const std::optional<incremental::Spec>& cursor = reading.resource.spec.incremental;
    const bool goes_on = reading.cursor && cursor->end_value.is_null() && !cursor->lag && !cursor->begins_anew;
    return !reading.ledger && !goes_on;
}

}  // namespace

/// So that loading it twice can be noticed.
void Stage::note_input(const Reading& reading, Input& input) {
    if (!notes_inputs(reading) || input.file.path.empty()) return;
    const std::uint64_t number = number_of(input.file);
    result_.input_digest += number;
    if (result_.inputs.size() >= noted_inputs_max || !noted_inputs_.insert(number).second) return;
    result_.inputs.push_back(input.file);
    input.is_noted = true;
}

/// It is not loaded, so it was not read.
void Stage::forget_input(const Reading& reading, const Input& input) {
    if (!notes_inputs(reading) || input.file.path.empty()) return;
    const std::uint64_t number = number_of(input.file);
    result_.input_digest -= number;
    if (!input.is_noted) return;
    noted_inputs_.erase(number);
    const auto noted = std::find(result_.inputs.rbegin(), result_.inputs.rend(), input.file);
    result_.inputs.erase(std::next(noted).base());
}

void Stage::end_input(Reading& reading) {
    const std::lock_guard lock(mutex_);
    reading.is_input_open = false;
    reading.input->end_number = next_number_;
    if (!reading.ledger) return;
    reading.ledger->finish(reading.input);
    if (reading.ledger->waiting() < ledger_batch_rows || marked_ == reading.input) return;
    // Inputs that bring nothing never come to mark_input, where entries are written else.
    if (marked_ != nullptr && marked_->end_number > head_) return;
    input_mark_.reset();
    marked_.reset();
    write_ledger(reading, ledger_batch_rows);
}

}  // namespace tipple::pipeline
