#pragma once

#include <cstdint>
#include <string>

#include "tipple/core/error.h"
#include "tipple/json/value.h"

namespace tipple::pipeline {

/// Why a load failed, and at which of its jobs. Empty texts and 0 = not known, or of no single job.
struct JobFailure {
    std::string load_id;
    std::string job;
    std::string table;
    /// The job's file: one that is loaded where it lies, else `jobs/NAME` in the folder of the package.
    std::string file;
    std::uint64_t row = 0;  ///< from 1: in a file that is loaded where it lies, else among the rows of the table in the load
    std::string record;     ///< what the row holds, as JSON, shortened
    ErrorKind kind = ErrorKind::data;
    std::string message;
};

/// `load`, `job`, `table`, `file`, `row`, `record` (null where not known), `kind`, `retryable`, `message`: as events, run records and journals of packages have it.
json::Object to_json(const JobFailure& failure);

}  // namespace tipple::pipeline
