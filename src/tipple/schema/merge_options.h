#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/schema/naming.h"
#include "tipple/schema/schema.h"

/// How rows are merged, as a user says it and as schema documents keep it.
namespace tipple::schema {

enum class MergeStrategy : std::uint8_t {
    delete_insert,  ///< rows with a key of the load go, all rows of the load come
    upsert,         ///< rows are updated or inserted by primary key; row ids are made from the key and stay
    insert_only,    ///< only rows whose primary key is new come
    cdc,            ///< upsert, and rows that are absent from the load go
    scd2,           ///< nothing goes: rows that are absent from the load are closed, new versions opened
};
/// As configuration and schema documents name it: "delete-insert".
std::string_view to_text(MergeStrategy strategy);
/// Nothing when there is none of that name.
std::optional<MergeStrategy> find_merge_strategy(std::string_view name);
/// Throws Error(usage) that names what there is.
MergeStrategy require_merge_strategy(std::string_view name);
/// Whether the ids of root rows are made from their primary key.
bool has_key_ids(MergeStrategy strategy);

/// What can be said of a merge. Columns have the names of the source.
struct MergeOptions {
    /// Nothing = what the table has had so far, else the destination's default.
    std::optional<MergeStrategy> strategy = {};
    /// The caller promises that no primary key occurs twice in a load.
    bool is_deduplicated = false;
    /// SQL condition: only rows of the load that satisfy it take part. Empty = all.
    std::string source_filter = {};
    /// SQL condition: which rows at the destination may be deleted or closed, instead of those with a key of the load.
    /// `{table}` and `{staging_table}` stand for the tables' names. Empty = none.
    std::string destination_scope = {};
    /// Rows that have not changed are left alone.
    bool skips_unchanged_rows = false;
    /// Whose values tell versions of a row apart. Empty = all columns.
    std::string row_version_column = {};
    /// scd2: columns of the time from and up to which a row is valid.
    std::string valid_from_column = "_dlt_valid_from";
    std::string valid_to_column = "_dlt_valid_to";
    /// scd2: ISO text that stands in the latter while a row is active, null = null.
    json::Value active_record_timestamp = {};
    /// scd2: ISO text of the moment at which versions of this load begin and those before it end. Null = the time of the load;
    /// nothing = as the table has had it so far.
    std::optional<json::Value> boundary_timestamp;
};

/// The object form of a write disposition: `{"disposition": "merge", "strategy": …, …}`. Throws Error(usage) for what is unknown,
/// malformed, or means nothing to the strategy.
MergeOptions parse_merge_options(const json::Object& disposition);
/// Throws Error(usage) as above.
void check_merge_options(const MergeOptions& options);
/// Hints of a merged root table. What the options do not say is left as it is.
void set_merge_hints(Table& table, const MergeOptions& options, const NamingConvention& naming);

/// As the table's hints say; nothing = the destination's default. Throws Error(usage) for a strategy that does not exist.
std::optional<MergeStrategy> merge_strategy_of(const Table& root);
/// Throws Error(usage) when the hints of a table do not suffice for its strategy: no primary key to upsert by, for example.
void check_merge_hints(const Table& root, MergeStrategy strategy);

/// `condition` with `{name}` replaced by its value, and `{{` and `}}` by single braces. Throws Error(usage) for a name that is not
/// among `values` or a lone brace; `option` says where it stands.
std::string expand_condition(std::string_view option, std::string_view condition, std::span<const std::pair<std::string_view, std::string>> values);

/// A point in time given as ISO text or as seconds since 1970, in microseconds. Throws Error(usage); `option` says where it stands.
std::int64_t require_time_us(std::string_view option, const json::Value& time);

}  // namespace tipple::schema
