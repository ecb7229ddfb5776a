#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/core/memory_budget.h"
#include "tipple/destination/destination.h"
#include "tipple/normalize/kinds.h"
#include "tipple/normalize/rules.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/column_log.h"
#include "tipple/pipeline/observer.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/report.h"
#include "tipple/pipeline/source_state.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// A resource on its way through one run.
struct ActiveResource {
    extract::ResourceSpec spec;
    extract::SourceDriver* driver = nullptr;
    std::string table;  ///< normalized; empty when its records choose their tables
    schema::Disposition disposition = schema::Disposition::append;
    /// The schema contract leaves the table out: the resource is not read.
    bool is_left_out = false;
    /// It does not let the table in, and wants the records put aside.
    bool is_put_aside = false;
    /// What it reads is committed in parts.
    std::optional<extract::Checkpoint> checkpoint = {};
    /// Of the tables that were declared for it, those that the schema did not know.
    std::vector<std::string> new_tables = {};
    /// What is read is all there is.
    std::optional<schema::DeleteMissing> delete_missing = {};
    /// Its ledger's table, normalized, and what is in it; empty and nullptr when it keeps none.
    std::string ledger_table = {};
    std::shared_ptr<extract::FileLedger> ledger = {};
};

/// What hints are applied with.
struct DeclareContext {
    const schema::NamingConvention& naming;
    /// Whether nested rows of all tables carry the id of their root row; nothing = where merging needs it.
    std::optional<bool> root_key = {};
    /// Of tables that do not say themselves how deep they are nested.
    std::optional<int> max_nesting = {};
};

struct ExtractResult;

/// What extract and normalize work with. All referenced objects outlive the stage.
struct ExtractContext {
    const PipelineConfig& config;
    const RunOptions& options;
    const DeclareContext& declare;
    const destination::Capabilities& capabilities;
    /// What the source remembers; changed while it is read.
    SourceState& state;
    std::string temp_folder;
    const Clock& clock;
    Log log;
    /// Loads what was read so far, begins the schema anew from what was loaded, and returns the package of what follows. Called on the thread that called
    /// extract_and_normalize, while no other one works.
    std::function<package::PackageWriter*(ExtractResult part)> commit_part = {};
};

/// What came out of it, or of a part of it.
struct ExtractResult {
    /// The resources it is of, as places in the list of all: those that were read, begun or ended in this part.
    std::size_t first_resource = 0;
    std::size_t end_resource = 0;
    std::uint64_t records = 0;
    std::uint64_t records_in_place = 0;  ///< of those, in files that the load reads where they lie
    std::uint64_t bytes_read = 0;
    std::uint64_t filtered_records = 0;  ///< left out by cursors
    std::uint64_t unwanted_records = 0;  ///< left out by conditions of resources
    std::uint64_t skipped_count = 0;
    std::vector<SkippedRecord> skipped;
    std::uint64_t quarantined_count = 0;  ///< of those, put aside
    std::uint64_t discarded_rows = 0;    ///< by schema contracts
    std::uint64_t discarded_values = 0;
    std::uint64_t filtered_rows = 0;  ///< by filters of the schema, see schema::Filters
    std::uint64_t filtered_values = 0;
    std::vector<normalize::NullOnlyColumn> null_only;
    std::vector<DataWarning> notes;
    normalize::KindLog kinds;
    std::vector<ColumnBirth> births;
    std::map<std::string, std::uint64_t> rows;  ///< by table
    Metrics metrics;
    /// Tables of resources that wrote a page from which not everything was left out, though it may have had no records.
    std::set<std::string> reached;
    /// Those that are in no ledger, the first noted_inputs_max of them.
    std::vector<extract::InputFile> inputs;
    /// The sum of the numbers of all that are in no ledger: which files were read, in whatever order.
    std::uint64_t input_digest = 0;
    /// By ledger: files whose earlier rows go.
    std::map<std::string, std::vector<std::string>> replaced;
    std::uint64_t bad_input_count = 0;
    std::vector<BadInput> bad_inputs;  ///< the first ones
    /// Tables that records have chosen, in the order in which they were declared; names not normalized.
    std::vector<std::pair<const ActiveResource*, std::string>> chosen_tables;
};

/// Reads resources one after the other on one thread, and normalizes their pages on `workers` others, admitting results in page order.
/// `package` is nullptr for a dry run. Blocks; the observer is called on the calling thread. The first error ends all and is thrown.
ExtractResult extract_and_normalize(const std::vector<ActiveResource>& resources, const normalize::Rules& rules, normalize::SchemaWriter& schema, package::PackageWriter* package,
                                    const ExtractContext& context, Observer& observer, std::stop_token stop);

}  // namespace tipple::pipeline
