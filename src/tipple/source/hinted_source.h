#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/source/source.h"

namespace tipple::extract {

/// What a user says of a resource on top of what its source says. Plain data; what is absent stays as the source has it.
struct ResourceHints {
    std::string name;
    /// Whether it is read at all.
    bool is_enabled = true;
    std::optional<std::string> table;
    std::optional<schema::TableByField> table_by;
    std::optional<schema::Disposition> disposition;
    /// With the disposition merge.
    schema::MergeOptions merge;
    std::optional<std::vector<std::string>> primary_key;
    std::optional<std::vector<std::string>> merge_key;
    std::vector<schema::Column> columns;
    std::vector<schema::NestedHints> nested;
    /// Null = nothing is said.
    json::Value schema_contract;
    std::optional<int> max_nesting;
    std::optional<incremental::Spec> incremental;
    std::optional<Checkpoint> checkpoint;
    std::optional<schema::DeleteMissing> delete_missing;
    /// Of records.
    std::optional<std::uint64_t> limit;
    std::shared_ptr<const Condition> where;
    std::shared_ptr<const std::vector<Step>> steps;
    std::vector<std::string> depends;
    /// Where it is said, such as `tipple.toml:12`; empty = in no file.
    std::string place;
};

/// Which part of the cursors' range is read, instead of what is new.
struct CursorRange {
    /// Null = from where the cursor stands.
    schema::Value since;
    /// The end, exclusive; what is remembered then neither counts nor changes. Null = none.
    schema::Value until;
    bool empty() const { return since.is_null() && until.is_null(); }
};

struct SourceHints {
    /// Of every resource that has none of its own.
    ResourceHints all;
    std::vector<ResourceHints> resources;
    CursorRange range;
};

/// Applies the hints of one resource to what its source says.
void apply_hints(const ResourceHints& hints, ResourceSpec& spec);

/// The source with these hints. Resources come in an order in which each stands behind those it depends on, and else as the source has them. `resources` throws
/// Error(usage) for hints on a resource that is not there, a merge of records that nothing tells apart, resources that depend on each other, and a range where no
/// resource has a cursor.
std::unique_ptr<SourceDriver> with_hints(std::unique_ptr<SourceDriver> driver, SourceHints hints);

}  // namespace tipple::extract
