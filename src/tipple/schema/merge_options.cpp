#include "tipple/schema/merge_options.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::schema {

namespace {

constexpr std::array<std::pair<MergeStrategy, std::string_view>, 5> strategy_names = {{
    {MergeStrategy::delete_insert, "delete-insert"},
    {MergeStrategy::upsert, "upsert"},
    {MergeStrategy::insert_only, "insert-only"},
    {MergeStrategy::cdc, "cdc"},
    {MergeStrategy::scd2, "scd2"},
}};

std::vector<std::string> all_strategies() {
    std::vector<std::string> names;
    for (const auto& [strategy, name] : strategy_names) names.emplace_back(name);
    return names;
}

using Strategies = std::vector<MergeStrategy>;

void require_strategy(const MergeOptions& options, std::string_view option, bool is_set, const Strategies& allowed) {
    if (!is_set || !options.strategy || std::find(allowed.begin(), allowed.end(), *options.strategy) != allowed.end()) return;
    std::vector<std::string> names;
    for (const MergeStrategy strategy : allowed) names.emplace_back(to_text(strategy));
    throw Error(ErrorKind::usage, "{} means nothing to the merge strategy {}, only to {}", option, to_text(*options.strategy), join(names, ", "));
}

std::string require_text(const json::Member& option) {
    if (option.value.is_null()) return {};
    if (!option.value.is_text()) throw Error(ErrorKind::usage, "write disposition: {} must be text, not a {}", option.name, option.value.type_name());
    return option.value.as_text();
}

bool require_bool(const json::Member& option) {
    if (option.value.is_null()) return false;
    if (!option.value.is_bool()) throw Error(ErrorKind::usage, "write disposition: {} must be true or false, not a {}", option.name, option.value.type_name());
    return option.value.as_bool();
}

void read_validity_columns(const json::Value& names, MergeOptions& options) {
    if (names.is_null()) return;
    const bool are_two = names.is_array() && names.as_array().size() == 2 && names.as_array()[0].is_text() && names.as_array()[1].is_text();
    if (!are_two) throw Error(ErrorKind::usage, "write disposition: validity_column_names must be a list of two names, of the columns valid from and valid to");
    options.valid_from_column = names.as_array()[0].as_text();
    options.valid_to_column = names.as_array()[1].as_text();
}

void set_column_hints(Table& table, const std::string& name, const json::Object& hints) {
    Column column = table.find(name) != nullptr ? *table.find(name) : Column(name);
    for (const json::Member& hint : hints) column.set_hint(hint.name, hint.value);
    table.set_column(std::move(column));
}

void set_validity_columns(Table& table, const MergeOptions& options, const NamingConvention& naming) {
    const std::string type(to_text(DataType::timestamp));
    set_column_hints(table, naming.normalize_path(options.valid_from_column), {{"data_type", type}, {"nullable", true}, {"x-valid-from", true}});
    set_column_hints(table, naming.normalize_path(options.valid_to_column),
                     {{"data_type", type}, {"nullable", true}, {"x-valid-to", true}, {"x-active-record-timestamp", options.active_record_timestamp}});
}

}  // namespace

std::string_view to_text(MergeStrategy strategy) { return strategy_names[static_cast<std::size_t>(strategy)].second; }

std::optional<MergeStrategy> find_merge_strategy(std::string_view name) {
    for (const auto& [strategy, known] : strategy_names) {
        if (known == name) return strategy;
    }
    return std::nullopt;
}

MergeStrategy require_merge_strategy(std::string_view name) {
    if (const std::optional<MergeStrategy> strategy = find_merge_strategy(name)) return *strategy;
    const std::optional<std::string> near = did_you_mean(name, all_strategies());
    throw Error(ErrorKind::usage, "there is no merge strategy \"{}\"{}; there are {}", excerpt(name), near ? fmt::format(", did you mean {}?", *near) : "",
                join(all_strategies(), ", "));
}

bool has_key_ids(MergeStrategy strategy) {
    return strategy == MergeStrategy::upsert || strategy == MergeStrategy::insert_only || strategy == MergeStrategy::cdc;
}

MergeOptions parse_merge_options(const json::Object& disposition) {
    MergeOptions options;
    for (const json::Member& option : disposition) {
        if (option.name == "disposition") continue;
        if (option.name == "strategy") {
            if (!option.value.is_null()) options.strategy = require_merge_strategy(require_text(option));
        } else if (option.name == "deduplicated") {
            options.is_deduplicated = require_bool(option);
        } else if (option.name == "source_filter") {
            options.source_filter = require_text(option);
        } else if (option.name == "destination_scope") {
            options.destination_scope = require_text(option);
        } else if (option.name == "skip_unchanged_rows") {
            options.skips_unchanged_rows = require_bool(option);
        } else if (option.name == "row_version_column_name") {
            options.row_version_column = require_text(option);
        } else if (option.name == "validity_column_names") {
            read_validity_columns(option.value, options);
        } else if (option.name == "active_record_timestamp") {
            options.active_record_timestamp = option.value;
        } else if (option.name == "boundary_timestamp") {
            options.boundary_timestamp = option.value;
        } else {
            const std::vector<std::string> known = {"strategy", "deduplicated", "source_filter", "destination_scope", "skip_unchanged_rows",
                                                    "row_version_column_name", "validity_column_names", "active_record_timestamp", "boundary_timestamp"};
            const std::optional<std::string> near = did_you_mean(option.name, known);
            throw Error(ErrorKind::usage, "write disposition: unknown option \"{}\"{}", excerpt(option.name), near ? fmt::format("; did you mean {}?", *near) : "");
        }
    }
    check_merge_options(options);
    return options;
}

void check_merge_options(const MergeOptions& options) {
    using enum MergeStrategy;
    require_strategy(options, "source_filter", !options.source_filter.empty(), {delete_insert, scd2, upsert, cdc});
    require_strategy(options, "destination_scope", !options.destination_scope.empty(), {delete_insert, scd2, cdc});
    require_strategy(options, "skip_unchanged_rows", options.skips_unchanged_rows, {upsert, cdc});
    require_strategy(options, "row_version_column_name", !options.row_version_column.empty(), {scd2, upsert, cdc});
    expand_condition("source_filter", options.source_filter, {});
    const std::pair<std::string_view, std::string> tables[] = {{"table", ""}, {"staging_table", ""}};
    expand_condition("destination_scope", options.destination_scope, tables);
    if (!options.active_record_timestamp.is_null()) require_time_us("active_record_timestamp", options.active_record_timestamp);
    if (options.boundary_timestamp && !options.boundary_timestamp->is_null()) require_time_us("boundary_timestamp", *options.boundary_timestamp);
    if (options.valid_from_column == options.valid_to_column) {
        throw Error(ErrorKind::usage, "validity_column_names: \"{}\" cannot be both the column valid from and that valid to", options.valid_from_column);
    }
}

void set_merge_hints(Table& table, const MergeOptions& options, const NamingConvention& naming) {
    if (options.strategy) table.set_property("x-merge-strategy", std::string(to_text(*options.strategy)));
    if (options.is_deduplicated) table.set_property("x-stage-data-deduplicated", true);
    if (!options.source_filter.empty()) table.set_property("x-merge-source-filter", options.source_filter);
    if (!options.destination_scope.empty()) table.set_property("x-merge-destination-scope", options.destination_scope);
    if (options.skips_unchanged_rows) table.set_property("x-merge-skip-unchanged-rows", true);
    const std::string row_version = naming.normalize_path(options.row_version_column.empty() ? std::string(id_column) : options.row_version_column);
    if (options.strategy != MergeStrategy::scd2) {
        const bool is_compared = options.skips_unchanged_rows && !options.row_version_column.empty();
        if (is_compared) set_column_hints(table, row_version, {{"nullable", false}, {"x-row-version", true}});
        return;
    }
    if (options.boundary_timestamp) table.set_property("x-boundary-timestamp", *options.boundary_timestamp);
    set_validity_columns(table, options, naming);
    // A version may come back, so it does not identify a row.
    set_column_hints(table, row_version, {{"nullable", false}, {"x-row-version", true}, {"unique", false}, {"row_key", false}});
}

std::optional<MergeStrategy> merge_strategy_of(const Table& root) {
    const std::string name = root.text("x-merge-strategy");
    if (name.empty()) return std::nullopt;
    if (const std::optional<MergeStrategy> strategy = find_merge_strategy(name)) return strategy;
    throw Error(ErrorKind::usage, "table \"{}\": there is no merge strategy \"{}\"; there are {}", root.name(), excerpt(name), join(all_strategies(), ", "));
}

namespace {

/// Two such columns would leave it to chance which one counts.
void require_one(const Table& root, std::string_view hint) {
    std::vector<std::string> columns;
    for (const Column& column : root.columns()) {
        const json::Value* value = column.hints().find(hint);
        if (value != nullptr && !value->is_null() && !(*value == json::Value(false))) columns.push_back(column.name());
    }
    if (columns.size() < 2) return;
    throw Error(ErrorKind::usage, "table \"{}\": {} columns have the hint {} ({}), only one may", root.name(), columns.size(), hint, join(columns, ", "));
}

}  // namespace

void check_merge_hints(const Table& root, MergeStrategy strategy) {
    if (has_key_ids(strategy) && root.columns_with("primary_key").empty()) {
        throw Error(ErrorKind::usage,
                    "table \"{}\": the merge strategy {} needs a primary key, and the table has none; name its columns (primary_key, or --key), or take "
                    "delete-insert",
                    root.name(), to_text(strategy));
    }
    require_one(root, "hard_delete");
    require_one(root, "dedup_sort");
    if (strategy != MergeStrategy::scd2) return;
    for (const char* hint : {"x-valid-from", "x-valid-to", "x-row-version"}) {
        if (!root.columns_with(hint).empty()) continue;
        throw Error(ErrorKind::usage, "table \"{}\": the merge strategy scd2 needs a column with the hint {}, and the table has none; load it with the strategy given anew",
                    root.name(), hint);
    }
}

std::string expand_condition(std::string_view option, std::string_view condition, std::span<const std::pair<std::string_view, std::string>> values) {
    std::string out;
    for (std::size_t at = 0; at < condition.size(); ++at) {
        const char character = condition[at];
        if (character != '{' && character != '}') {
            out += character;
            continue;
        }
        if (at + 1 < condition.size() && condition[at + 1] == character) {
            out += character;
            ++at;
            continue;
        }
        const std::size_t end = character == '{' ? condition.find('}', at) : std::string_view::npos;
        if (end == std::string_view::npos) {
            throw Error(ErrorKind::usage, "{} \"{}\": a brace stands alone; to mean the character, write it twice", option, excerpt(condition));
        }
        const std::string_view name = condition.substr(at + 1, end - at - 1);
        const auto value = std::find_if(values.begin(), values.end(), [&](const auto& known) { return known.first == name; });
        if (value == values.end()) {
            std::vector<std::string> names;
            for (const auto& known : values) names.push_back(fmt::format("{{{}}}", known.first));
            throw Error(ErrorKind::usage, "{} \"{}\": {{{}}} stands for nothing; {}. To mean the character, write the brace twice", option, excerpt(condition),
                        excerpt(name), names.empty() ? "it takes no placeholders" : "there are " + join(names, ", "));
        }
        out += value->second;
        at = end;
    }
    return out;
}

std::int64_t require_time_us(std::string_view option, const json::Value& time) {
    std::optional<Timestamp> parsed;
    if (time.is_text()) {
        parsed = timestamp_from_text(time.as_text());
    } else if (time.is_int()) {
        parsed = timestamp_from_seconds(time.as_int());
    } else if (time.is_double()) {
        parsed = timestamp_from_seconds(time.as_double());
    }
    if (!parsed) throw Error(ErrorKind::usage, "{}: {} is not a point in time; write it as 2024-08-21T12:00:00Z", option, excerpt(json::to_text(time)));
    return parsed->us;
}

}  // namespace tipple::schema
