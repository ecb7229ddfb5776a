#include "tipple/pipeline/parts.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/destination/strategies.h"
#include "tipple/schema/merge_options.h"

namespace tipple::pipeline {

namespace {

using schema::Disposition;
using schema::MergeStrategy;

/// Why rows of the table cannot come in several loads, or nullptr.
const char* why_not_table(const schema::Table& root, const destination::Capabilities& capabilities) {
    const Disposition disposition = root.disposition().value_or(Disposition::append);
    if (disposition == Disposition::replace) return "what it reads replaces the table as a whole";
    if (disposition != Disposition::merge) return nullptr;
    const MergeStrategy strategy = destination::require_merge_strategy(root, capabilities);
    if (strategy == MergeStrategy::scd2 || strategy == MergeStrategy::cdc) return "its merge strategy takes rows that a load lacks for deleted";
    for (const schema::Column& column : root.columns()) {
        if (column.flag("merge_key")) return "it has a merge_key: rows with one value of it must come in one load, or the second would delete the first";
    }
    if (!root.properties().find("x-merge-destination-scope")) return nullptr;
    return "it has a destination_scope, whose rows go with every load";
}

/// Why a later run would not go on behind the last part, or nullptr.
const char* why_not_cursor(const extract::ResourceSpec& spec) {
    using namespace incremental;
    if (!spec.incremental) return spec.marks_checkpoints ? nullptr : "it has no cursor, so a later run would read from the beginning";
    const Spec& cursor = *spec.incremental;
    if (cursor.begins_anew) return "it begins at --since again in each run, so a later run would not go on behind the last part";
    if (!cursor.end_value.is_null()) return "it is read up to an end, and such a run remembers nothing";
    if (cursor.range_start == Range::open) return "its cursor's start is open: records that share the value at which a load ends would be lost";
    if (cursor.last_value_func.is_custom()) return "its cursor's last value is made by a function of its own, which says of no record that those before it are all that were to come";
    // Orders are those of the cursor: of one that looks for the least value, the greatest comes first.
    if (cursor.row_order == RowOrder::asc) return nullptr;
    return cursor.last_value_func == LastValue::max
               ? "nothing says that its records come in ascending order of the cursor (order = \"asc\"): those that come later would be lost"
               : "nothing says that its records come with ever smaller values of the cursor (order = \"asc\"): those that come later would be lost";
}

void require_parts(const ActiveResource& resource, const schema::Schema& schema, const destination::Capabilities& capabilities, const PipelineConfig& config) {
    const schema::Table* root = schema.find(resource.table);
    const char* reason = root != nullptr ? why_not_table(*root, capabilities) : nullptr;
    if (reason == nullptr) reason = why_not_cursor(resource.spec);
    if (reason == nullptr && config.widens) reason = "columns are made wider, which is decided when all has been read";
    if (reason == nullptr) return;
    throw Error(ErrorKind::usage, "resource \"{}\" cannot be committed in parts: {}; run it without --checkpoint, or choose others with -r", resource.spec.name, reason);
}

}  // namespace

void require_parts(const std::vector<ActiveResource>& resources, const schema::Schema& schema, const destination::Capabilities& capabilities, const PipelineConfig& config) {
    const bool has_parts = std::any_of(resources.begin(), resources.end(), [](const ActiveResource& resource) { return resource.checkpoint.has_value(); });
    if (!has_parts) return;
    for (const ActiveResource& resource : resources) {
        for (const ActiveResource& other : resources) {
            if (&other == &resource || other.table != resource.table) continue;
            throw Error(ErrorKind::usage, "resources \"{}\" and \"{}\" fill one table, \"{}\", whose rows belong into one load: run without --checkpoint, or choose one with -r",
                        resource.spec.name, other.spec.name, resource.table);
        }
        if (resource.spec.is_linked) {
            throw Error(ErrorKind::usage, "resource \"{}\" is read by the records of another one, or another one by its records, and both belong into one load: run without "
                                          "--checkpoint, or choose others with -r",
                        resource.spec.name);
        }
        for (const ActiveResource& other : resources) {
            if (resource.is_left_out || other.is_left_out || resource.spec.chain.empty() || other.spec.chain.empty() || other.spec.chain == resource.spec.chain) continue;
            throw Error(ErrorKind::usage, "resources \"{}\" and \"{}\" are read at the same time, so a load between would cut one of them anywhere: run without --checkpoint, or choose "
                                          "one of them with -r",
                        resource.spec.name, other.spec.name);
        }
        if (resource.checkpoint) require_parts(resource, schema, capabilities, config);
    }
}

}  // namespace tipple::pipeline
