#include "tipple/pipeline/run_record.h"

#include "tipple/schema/types.h"

namespace tipple::pipeline {

void StepLog::on_step_started(Step step) {
    entries_[static_cast<std::size_t>(step)] = Entry{.last = {.step = step}};
    next_.on_step_started(step);
}

void StepLog::on_progress(const Progress& progress) {
    entries_[static_cast<std::size_t>(progress.step)] = Entry{.last = progress};
    next_.on_progress(progress);
}

void StepLog::on_step_finished(Step step, const Progress& progress) {
    entries_[static_cast<std::size_t>(step)] = Entry{.last = progress, .is_finished = true};
    next_.on_step_finished(step, progress);
}

void StepLog::on_package_loaded(const std::string& load_id, std::uint64_t rows) {
    loads_.push_back(load_id);
    loaded_rows_ += rows;
    next_.on_package_loaded(load_id, rows);
}

void StepLog::on_job_failed(const JobFailure& failure) {
    failures_.push_back(failure);
    next_.on_job_failed(failure);
}

void StepLog::on_retry(const std::string& message, double delay_seconds) {
    ++retries_;
    next_.on_retry(message, delay_seconds);
}

namespace {

json::Array steps_array(const StepLog& steps, const RunReport* report) {
    json::Array list;
    for (const Step step : {Step::extract, Step::load}) {
        const std::optional<StepLog::Entry>& entry = steps.entry(step);
        if (!entry) continue;
        json::Object object{{"step", to_text(step)}, {"status", entry->is_finished ? "done" : "failed"}};
        double seconds = entry->last.seconds;
        if (report != nullptr) seconds = step == Step::extract ? report->seconds.extract : report->seconds.load;
        object.set("seconds", seconds);
        if (step == Step::extract) {
            object.set("records", report != nullptr ? report->records : entry->last.records);
            object.set("bytes", report != nullptr ? report->bytes_read : entry->last.bytes_read);
        } else {
            object.set("rows", report != nullptr ? report->rows : entry->last.rows);
        }
        list.push_back(std::move(object));
    }
    return list;
}

json::Array tables_array(const RunReport& report) {
    json::Array list;
    for (const TableReport& table : report.tables) {
        json::Object columns;
        for (const schema::Column& column : table.new_columns) columns.set(column.name(), std::string(schema::to_text(*column.data_type())));
        list.push_back(json::Object{{"table", table.table}, {"rows", table.rows}, {"is_new", table.is_new}, {"new_columns", std::move(columns)}});
    }
    return list;
}

json::Array jobs_array(const RunReport& report) {
    json::Array list;
    for (const JobReport& job : report.jobs) {
        list.push_back(json::Object{{"load", job.load_id}, {"job", job.name}, {"table", job.table}, {"rows", job.rows}, {"bytes", job.bytes}});
    }
    return list;
}

json::Array failures_array(const StepLog& steps) {
    json::Array list;
    for (const JobFailure& failure : steps.failures()) list.emplace_back(to_json(failure));
    return list;
}

json::Array cursors_array(const RunReport& report) {
    json::Array list;
    for (const CursorReport& cursor : report.cursors) {
        list.push_back(json::Object{{"resource", cursor.resource}, {"cursor", cursor.cursor}, {"before", cursor.before}, {"after", cursor.after}});
    }
    return list;
}

json::Array texts(const std::vector<std::string>& list) {
    json::Array array;
    for (const std::string& text : list) array.emplace_back(text);
    return array;
}

json::Object left_out(const RunReport& report) {
    return {{"by_cursors", report.filtered_records},
            {"by_conditions", report.unwanted_records},
            {"bad_records", report.skipped_count},
            {"quarantined", report.quarantined_count},
            {"bad_files", report.bad_input_count},
            {"rows_by_contract", report.discarded_rows},
            {"values_by_contract", report.discarded_values},
            {"rows_by_filters", report.filtered_rows},
            {"values_by_filters", report.filtered_values}};
}

const char* status_of(int exit_code, const Error* error) {
    if (error != nullptr) return error->kind() == ErrorKind::cancelled ? "stopped" : "failed";
    return exit_code == 0 ? "done" : "partial";
}

}  // namespace

json::Object make_run_record(const RunFacts& facts, const StepLog& steps, const RunReport* report, const Error* error) {
    json::Object record{{"v", 1}, {"run", facts.run_id}, {"pipeline", facts.pipeline}, {"status", status_of(facts.exit_code, error)}};
    record.set("exit_code", facts.exit_code);
    record.set("started_at", facts.started_at);
    record.set("finished_at", facts.finished_at);
    record.set("seconds", facts.seconds);
    record.set("source", facts.source);
    record.set("destination", facts.destination);
    record.set("dataset", facts.dataset);
    record.set("steps", steps_array(steps, report));
    record.set("retries", steps.retries());
    record.set("loads", texts(steps.loads()));
    record.set("pending_finished", report != nullptr ? report->pending_finished : 0);
    record.set("rows", report != nullptr ? report->rows : steps.loaded_rows());
    record.set("tables", report != nullptr ? tables_array(*report) : json::Array());
    record.set("jobs", report != nullptr ? jobs_array(*report) : json::Array());
    record.set("failed_jobs", failures_array(steps));
    record.set("cursors", report != nullptr ? cursors_array(*report) : json::Array());
    record.set("left_out", report != nullptr ? json::Value(left_out(*report)) : json::Value());
    record.set("warnings", report != nullptr ? texts(report->warnings) : json::Array());
    record.set("peak_memory", facts.peak_memory_bytes);
    record.set("cpu_seconds", facts.cpu_seconds);
    record.set("error", error != nullptr ? json::Value(json::Object{{"kind", to_text(error->kind())}, {"message", error->what()}}) : json::Value());
    record.set("tipple", facts.tool_version);
    return record;
}

}  // namespace tipple::pipeline
