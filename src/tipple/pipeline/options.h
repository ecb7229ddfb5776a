#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/core/limits.h"
#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/delete_missing.h"
#include "tipple/schema/hints.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/types.h"
#include "tipple/source/checkpoint.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

enum class OnBadRecord {
    fail,  ///< the first record that cannot be loaded ends the run; nothing is loaded
    skip,  ///< it is left out, counted and reported
    quarantine,  ///< the same, and it is put aside in the destination
};

/// What stays the same over the runs of a pipeline.
struct PipelineConfig {
    std::string name;
    /// Empty = schema::default_schema_name.
    std::string schema_name;
    /// Empty = the destination's default.
    std::string dataset;
    /// Folder for packages, locks and spills of all pipelines.
    std::string data_folder;
    std::string tool_version;
    /// Naming convention; nothing = the one that the schema has, snake_case for a new one. Another one than before is refused once tables have
    /// rows: their names would change.
    std::optional<std::string> naming = {};
    /// Shorter than the destination's limit, when given.
    std::optional<std::size_t> identifier_length_max;
    /// Members of the schema's `settings` that replace the stored ones: detections, preferred_types, default_hints.
    json::Object schema_settings;
    /// Schema contract of the source: for tables that have none of their own.
    json::Value schema_contract;
    /// Nothing = the destination's own.
    std::optional<destination::ReplaceStrategy> replace_strategy;
    /// Whether nested rows of all tables carry the id of their root row (`_dlt_root_id`); nothing = where merging needs it.
    std::optional<bool> root_key;
    /// How many objects and lists below a record are opened; resources may have their own.
    std::optional<int> max_nesting;
    /// Folders of schema documents; empty = none. A document of the first that was edited becomes the schema; when it has none, the schema as declared is
    /// put there. The second gets the schema of each load.
    std::string schema_import_folder;
    std::string schema_export_folder;
    /// A column takes a wider type where every value survives, in the run and at the destination: bigint to double or decimal, date to timestamp,
    /// more digits. Else, and without it, a value of another type goes to a variant column.
    bool widens = false;
    std::size_t workers = 1;
    /// For the whole process, the destination's engine included.
    std::size_t memory_bytes = limits::memory_default;
    /// How long a load waits, all attempts together, for an error to pass that may pass.
    double retry_budget_seconds = limits::retry_budget_seconds_default;
    /// Finished packages that are kept for inspection (without their rows).
    std::size_t packages_kept = 20;
};

/// How a run begins anew.
enum class Refresh {
    none,
    drop_sources,    ///< all tables of the source are dropped, and all it remembers is forgotten
    drop_resources,  ///< the tables of the resources that are read are dropped, and what those remember is forgotten
    drop_data,       ///< the same, but the tables are emptied
};

/// What one run is asked to do.
struct RunOptions {
    /// For every resource, instead of its own.
    std::optional<schema::Disposition> disposition = {};
    /// With it: how to merge, instead of what resources say.
    schema::MergeOptions merge = {};
    std::optional<std::vector<std::string>> primary_key = {};
    /// Hints for columns of every resource's table and of tables nested in it, on top of the resource's own.
    std::vector<schema::Column> columns = {};
    std::vector<schema::NestedHints> nested = {};
    std::optional<int> max_nesting = {};
    /// Records of the root tables, over all resources.
    std::optional<std::uint64_t> limit = {};
    /// For every resource, instead of its own.
    std::optional<schema::DeleteMissing> delete_missing = {};
    /// Only these parts of what resources say of it.
    std::optional<schema::DeleteLimit> delete_limit = {};
    bool allows_empty = false;
    Refresh refresh = Refresh::none;
    /// For every resource, instead of its own.
    std::optional<extract::Checkpoint> checkpoint = {};
    /// Only these resources are read; empty = all.
    std::vector<std::string> select = {};
    OnBadRecord on_bad_record = OnBadRecord::fail;
    /// Rows of the quarantine, by id, that this run settles: they are taken away in its commit.
    std::vector<std::string> settled_quarantine = {};
    normalize::Collisions collisions = normalize::Collisions::keep;
    /// Schema contract of the source and of every resource, as schema::parse_contract reads it. Null = what resources and schema say.
    json::Value schema_contract = {};
    /// It holds for this run only: the stored one stays.
    bool keeps_contract = false;
    /// Extract and normalize everything, write nothing.
    bool is_dry_run = false;
    /// Raw JSON per page; small pages are for tests.
    std::size_t page_bytes = limits::page_bytes;
    /// Name of the run in its report and record; empty = random.
    std::string run_id = {};
    /// The first characters of all row ids of this run, for tests; empty = random.
    std::string row_id_prefix = {};
};

/// Throws Error(usage) where what a resource is told contradicts itself or the run: limits, cursors, ledgers, full snapshots. Nothing is read or asked for it.
void check_resource(const extract::ResourceSpec& spec, const RunOptions& options);

/// What is to be dropped of a source, without reading it.
struct DropOptions {
    /// Names, or regular expressions as `re:…`.
    std::vector<std::string> resources;
    /// json::Path into what the source remembers.
    std::vector<std::string> state_paths;
    /// What the source is to remember instead, by json::Path.
    std::vector<std::pair<std::string, json::Value>> state_values = {};
    /// All resources.
    bool drop_all = false;
    /// The tables stay.
    bool state_only = false;
    /// Of the source; empty = the pipeline's default.
    std::string schema_name;
};

}  // namespace tipple::pipeline
