#include "tipple/sources/sql/probe.h"

#include <algorithm>
#include <array>

#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/sources/sql/hints.h"
#include "tipple/sources/sql/tables.h"

namespace tipple::sources::sql {

namespace {

using schema::DataType;

/// A column that looks like a time of change, else a key that counts up; empty = none.
std::string suggest_cursor(const TablePlan& plan) {
    constexpr std::array<std::string_view, 10> names = {"updated_at",  "updated",     "modified_at",  "modified",   "last_modified",
                                                        "modified_on", "last_update", "last_updated", "changed_at", "update_time"};
    for (const std::string_view name : names) {
        for (const DeclaredColumn& column : plan.columns) {
            const bool is_time = column.type && (column.type->type == DataType::timestamp || column.type->type == DataType::date);
            if (is_time && lower(column.name) == name) return column.name;
        }
    }
    if (plan.info.primary_key.size() != 1) return {};
    const auto key = std::find_if(plan.columns.begin(), plan.columns.end(), [&](const DeclaredColumn& column) { return column.name == plan.info.primary_key.front(); });
    const bool counts = key != plan.columns.end() && key->type && key->type->type == DataType::bigint;
    return counts ? fmt::format("{} (new rows only)", key->name) : "";
}

}  // namespace

std::string describe_plan(const TablePlan& plan, const extract::ResourceSpec& spec, const std::optional<CursorBound>& bound) {
    constexpr std::size_t columns_max = 40;
    std::vector<std::string> columns;
    for (const DeclaredColumn& column : plan.columns) {
        if (columns.size() == columns_max) {
            columns.push_back(fmt::format("{} more", plan.columns.size() - columns_max));
            break;
        }
        columns.push_back(fmt::format("{} {}{}", column.name, type_text(column), column.is_nullable ? "" : " not null"));
    }
    std::vector<std::string> parts;
    if (plan.info.rows_estimate) parts.push_back("about " + counted(static_cast<std::uint64_t>(*plan.info.rows_estimate), "row"));
    parts.push_back("columns " + join(columns, ", "));
    parts.push_back(spec.primary_key.empty() ? std::string("no key") : "key " + join(spec.primary_key, ", "));
    if (bound) {
        parts.push_back(fmt::format("cursor {}: {}{}", spec.incremental->cursor_path, bound->is_guaranteed ? "" : "not guaranteed: ", bound->explanation));
    } else if (const std::string cursor = suggest_cursor(plan); !spec.incremental && !cursor.empty()) {
        parts.push_back("cursor could be " + cursor);
    }
    return join(parts, "; ");
}

}  // namespace tipple::sources::sql
