#include "tipple/pipeline/job_failure.h"

namespace tipple::pipeline {

json::Object to_json(const JobFailure& failure) {
    const auto text = [](const std::string& value) { return value.empty() ? json::Value() : json::Value(value); };
    return {{"load", failure.load_id},
            {"job", text(failure.job)},
            {"table", text(failure.table)},
            {"file", text(failure.file)},
            {"row", failure.row == 0 ? json::Value() : json::Value(failure.row)},
            {"record", text(failure.record)},
            {"kind", to_text(failure.kind)},
            {"retryable", can_succeed_later(failure.kind)},
            {"message", failure.message}};
}

}  // namespace tipple::pipeline
