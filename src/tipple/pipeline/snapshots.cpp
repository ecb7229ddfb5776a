#include "tipple/pipeline/snapshots.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/strategies.h"
#include "tipple/pipeline/resources.h"
#include "tipple/schema/merge_options.h"

namespace tipple::pipeline {

namespace {

using schema::MergeStrategy;

[[noreturn]] void refuse(const ActiveResource& resource, std::string_view reason) {
    throw Error(ErrorKind::usage, "{}resource \"{}\": --delete-missing (delete_missing) takes what is read for all there is, but {}", place_prefix(resource.spec), resource.spec.name, reason);
}

void check_reading(const ActiveResource& resource, const RunOptions& options) {
    if (options.limit || has_limit(resource.spec)) refuse(resource, "a limit ends the reading early: leave the limit out");
    if (resource.spec.where != nullptr) refuse(resource, "a condition (where) leaves records out, whose rows would go: leave it out, or let the source leave them out itself");
    if (resource.spec.steps != nullptr && std::any_of(resource.spec.steps->begin(), resource.spec.steps->end(), [](const extract::Step& step) { return step.filter.has_value(); })) {
        refuse(resource, "a filter in its steps leaves records out, whose rows would go: leave it out");
    }
    if (resource.spec.incremental) refuse(resource, "a cursor leaves records out that were read before: leave the cursor out");
    if (resource.spec.table_by) refuse(resource, "its records choose their tables, and one that gets none would keep its rows: give it one table");
    if (resource.is_left_out) refuse(resource, "the schema contract leaves its table out");
}

void check_merging(const ActiveResource& resource, const schema::Table& table, const destination::Capabilities& capabilities) {
    if (resource.disposition != schema::Disposition::merge || table.columns_with("primary_key").empty()) {
        refuse(resource, "records are told apart by a primary key only: merge by one, with --key (disposition = \"merge\" and primary_key)");
    }
    const MergeStrategy strategy = destination::require_merge_strategy(table, capabilities);
    if (strategy == MergeStrategy::cdc || strategy == MergeStrategy::scd2) {
        refuse(resource, fmt::format("the strategy {} by itself {} the rows that a load does not have: leave one of the two out", schema::to_text(strategy),
                                     strategy == MergeStrategy::cdc ? "deletes" : "closes"));
    }
    for (const char* option : {"source_filter", "destination_scope"}) {
        const std::string hint = option == std::string_view("source_filter") ? "x-merge-source-filter" : "x-merge-destination-scope";
        if (!table.text(hint).empty()) refuse(resource, fmt::format("{} bounds what takes part in the merge: leave one of the two out", option));
    }
}

/// Two resources that fill one table are one snapshot together.
void check_sharing(const ActiveResource& resource, const std::vector<ActiveResource>& resources, const std::vector<std::string>& unread) {
    for (const ActiveResource& other : resources) {
        if (other.table == resource.table && other.delete_missing != resource.delete_missing) {
            refuse(resource, fmt::format("resource \"{}\" fills table \"{}\" too and says something else of missing rows", other.spec.name, resource.table));
        }
    }
    if (std::find(unread.begin(), unread.end(), resource.table) == unread.end()) return;
    refuse(resource, fmt::format("another resource that is not read in this run fills table \"{}\" too: read both", resource.table));
}

}  // namespace

void check_snapshots(const std::vector<ActiveResource>& resources, const std::vector<std::string>& unread, const schema::Schema& schema, const RunOptions& options,
                     const destination::Capabilities& capabilities) {
    const bool has_parts = std::any_of(resources.begin(), resources.end(), [](const ActiveResource& resource) { return resource.checkpoint.has_value(); });
    for (const ActiveResource& resource : resources) {
        if (!resource.delete_missing) continue;
        if (has_parts) refuse(resource, "a checkpoint in the run commits a part of what is read: leave it out, or choose resources with -r");
        if (!capabilities.deletes_missing) refuse(resource, "the destination cannot tell which of its rows are missing");
        check_reading(resource, options);
        check_merging(resource, schema.require(resource.table), capabilities);
        check_sharing(resource, resources, unread);
    }
}

void check_complete(const std::vector<ActiveResource>& resources, const ExtractResult& extracted) {
    for (const ActiveResource& resource : resources) {
        if (!resource.delete_missing) continue;
        if (extracted.skipped_count > 0) {
            refuse(resource, fmt::format("{} record{} left out ({}): nothing was loaded, correct the data", extracted.skipped_count,
                                         extracted.skipped_count == 1 ? " was" : "s were", extracted.skipped.empty() ? "--on-bad-record" : extracted.skipped.front().place()));
        }
        if (extracted.bad_input_count > 0) {
            refuse(resource, fmt::format("{} file{} could not be read to the end ({}): nothing was loaded, mend or remove {}", extracted.bad_input_count,
                                         extracted.bad_input_count == 1 ? "" : "s", extracted.bad_inputs.front().path, extracted.bad_input_count == 1 ? "it" : "them"));
        }
        if (extracted.discarded_rows > 0) {
            refuse(resource, fmt::format("the schema contract left out {} row{}: nothing was loaded", extracted.discarded_rows, extracted.discarded_rows == 1 ? "" : "s"));
        }
        const auto rows = extracted.rows.find(resource.table);
        if ((rows == extracted.rows.end() || rows->second == 0) && !resource.delete_missing->allows_empty) {
            refuse(resource, fmt::format("the source has no record at all: nothing was loaded. If table \"{}\" really is to lose all its rows, give --allow-empty (allow_empty = true)",
                                         resource.table));
        }
    }
}

}  // namespace tipple::pipeline
