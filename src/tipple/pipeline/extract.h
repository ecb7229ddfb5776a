#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/core/memory_budget.h"
#include "tipple/destination/destination.h"
#include "tipple/normalize/rules.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/observer.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/report.h"
#include "tipple/pipeline/source_state.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// A resource on its way through one run.
struct ActiveResource {
    source::ResourceSpec spec;
    std::string table;  ///< normalized
    schema::Disposition disposition = schema::Disposition::append;
};

/// What extract and normalize work with. All referenced objects outlive the stage.
struct ExtractContext {
    const PipelineConfig& config;
    const RunOptions& options;
    const destination::Capabilities& capabilities;
    /// What the source remembers; changed while it is read.
    SourceState& state;
    std::string temp_folder;
    const Clock& clock;
    Log log;
};

/// What came out of it.
struct ExtractResult {
    std::uint64_t records = 0;
    std::uint64_t records_in_place = 0;  ///< of those, in files that the load reads where they lie
    std::uint64_t bytes_read = 0;
    std::uint64_t filtered_records = 0;  ///< left out by cursors
    std::uint64_t skipped_count = 0;
    std::vector<SkippedRecord> skipped;
    std::uint64_t discarded_rows = 0;    ///< by schema contracts
    std::uint64_t discarded_values = 0;
    std::vector<normalize::NullOnlyColumn> null_only;
    std::map<std::string, std::uint64_t> rows;  ///< by table
    std::vector<source::InputFile> inputs;
};

/// Reads resources one after the other on one thread, and normalizes their pages on `workers` others, admitting results in page order.
/// `package` is nullptr for a dry run. Blocks; the observer is called on the calling thread. The first error ends all and is thrown.
ExtractResult extract_and_normalize(source::SourceDriver& driver, const std::vector<ActiveResource>& resources,
                                    const normalize::Rules& rules, normalize::SchemaWriter& schema, package::PackageWriter* package,
                                    const ExtractContext& context, Observer& observer, std::stop_token stop);

}  // namespace tipple::pipeline
