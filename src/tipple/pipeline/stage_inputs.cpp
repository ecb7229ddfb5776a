#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/pipeline/stage.h"

namespace tipple::pipeline {

namespace {

/// Rows of a ledger that make a batch worth writing.
constexpr std::uint64_t ledger_batch_rows = 4'096;

}  // namespace

/// Where what follows can be taken back to.
AdmissionMark Stage::mark(Reading& reading) {
    // Inputs that were read are not taken back, and not to be copied for each of them.
    std::vector<extract::InputFile> inputs = std::exchange(result_.inputs, {});
    AdmissionMark mark{.result = result_,
                       .schema = schema_.snapshot(),
                       .cursor = reading.cursor,
                       .yields = reading.yields,
                       .routing_columns = routing_columns_,
                       .declared = declared_,
                       .unwanted = unwanted_,
                       .records = records_,
                       .rows = rows_};
    result_.inputs = std::move(inputs);
    return mark;
}

/// Before anything of an input counts.
void Stage::mark_input(Reading& reading, const std::shared_ptr<Input>& input) {
    if (marked_ == input.get()) return;
    write_quarantine();
    write_ledger(reading, ledger_batch_rows);
    input_mark_ = mark(reading);
    marked_ = input.get();
    if (package_ != nullptr) package_->mark(package::PackageWriter::Mark::inner);
}

/// Pages in work may rest on what goes.
void Stage::roll_back(Reading& reading, AdmissionMark mark) {
    mark.result.metrics = std::move(result_.metrics);
    mark.result.inputs = std::move(result_.inputs);
    result_ = std::move(mark.result);
    schema_.reset(*mark.schema);
    reading.cursor = std::move(mark.cursor);
    reading.yields = mark.yields;
    reading.is_closed = false;
    routing_columns_ = mark.routing_columns;
    declared_ = std::move(mark.declared);
    unwanted_ = std::move(mark.unwanted);
    records_ = mark.records;
    rows_ = mark.rows;
    is_limit_reached_ = false;
    quarantine_.clear();
    marked_ = nullptr;
    ++rollbacks_;
}

void Stage::fail_committed(const Reading& reading) const {
    throw Error(ErrorKind::usage, "resource \"{}\" has to be read again in another way, and a part of it is committed already: run it without --checkpoint",
                reading.resource.spec.name);
}

void Stage::restart(Reading& reading) {
    std::unique_lock lock(mutex_);
    drain(lock);
    if (!resource_mark_) fail_committed(reading);
    forget_surplus(reading);
    roll_back(reading, *resource_mark_);
    if (package_ != nullptr) package_->roll_back(package::PackageWriter::Mark::outer);
    reading.input = std::make_shared<Input>(extract::InputFile{});
    if (!reading.ledger) return;
    reading.ledger->clear();
    LedgerWriter::set_memory(context_.state.resource(reading.resource.spec.name), resource_mark_->ledger);
}

void Stage::restart_input(Reading& reading) {
    std::unique_lock lock(mutex_);
    drain(lock);
    if (marked_ != reading.input.get()) return;
    if (!input_mark_) fail_committed(reading);
    forget_surplus(reading);
    roll_back_input(reading);
    reading.input->records = 0;
}

void Stage::roll_back_input(Reading& reading) {
    TIPPLE_ASSERT(input_mark_.has_value());
    roll_back(reading, *std::exchange(input_mark_, std::nullopt));
    if (package_ != nullptr) package_->roll_back(package::PackageWriter::Mark::inner);
}

bool Stage::can_discard(const WorkItem& work, const Error& error) const {
    return work.reading->resource.spec.skips_bad_inputs && error.kind() == ErrorKind::data && !work.input->file.path.empty();
}

/// What else comes of the input is not admitted.
void Stage::discard(Reading& reading, Input& input, const Error& error) {
    if (marked_ == &input) roll_back_input(reading);
    if (std::exchange(input.is_discarded, true)) return;
    ++result_.bad_input_count;
    if (result_.bad_inputs.size() < limits::bad_records_named_max) {
        result_.bad_inputs.push_back({.resource = reading.resource.spec.name, .path = input.file.path, .error = error.what()});
    }
}

void Stage::discard_input(Reading& reading, const Error& error) {
    std::unique_lock lock(mutex_);
    drain(lock);
    discard(reading, *reading.input, error);
}

/// When there are so many rows, and never while something may be taken back that was written later.
void Stage::write_ledger(Reading& reading, std::uint64_t rows_min) {
    if (!reading.ledger) return;
    if (reading.ledger->is_waiting()) reading.ledger->collect(head_, context_.state.resource(reading.resource.spec.name));
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
    reading.input = std::make_shared<Input>(input);
    const bool is_known = reading.ledger || !known_inputs_.emplace(input.path, input.modified_ns).second;
    if (!is_known) result_.inputs.push_back(input);
}

void Stage::end_input(Reading& reading) {
    const std::lock_guard lock(mutex_);
    reading.input->end_number = next_number_;
    if (reading.ledger) reading.ledger->finish(reading.input);
}

}  // namespace tipple::pipeline
