#include "tipple/normalize/table_names.h"

#include <array>

#include "tipple/core/limits.h"
#include "tipple/normalize/page_tables.h"

namespace tipple::normalize {

std::string normalize_key(const Rules& rules, std::string_view key) {
    // Only ASCII blanks matter here: the naming convention strips the others and is never asked for an empty name.
    if (key.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos) return "_empty";
    return rules.breaks_paths ? rules.naming->normalize_path(key) : rules.naming->normalize_identifier(key);
}

std::string column_name(const Rules& rules, std::span<const std::string> path, const std::string& key) {
    std::vector<std::string> parts(path.begin(), path.end());
    parts.push_back(key);
    return rules.naming->join_path(parts);
}

namespace {

const json::Value* find_config(const schema::Schema& schema, std::string_view name) {
    const json::Value* json = schema.normalizers().find("json");
    const json::Value* config = json != nullptr && json->is_object() ? json->as_object().find("config") : nullptr;
    return config != nullptr && config->is_object() ? config->as_object().find(name) : nullptr;
}

}  // namespace

std::string variant_name(const Rules& rules, std::string_view column, schema::DataType type) {
    const std::array<std::string, 2> parts = {std::string(column), fmt::format("v_{}", schema::to_text(type))};
    return rules.naming->join_path(parts);
}

bool propagates_root_id(const schema::Schema& schema, std::string_view root) {
    const json::Value* propagation = find_config(schema, "propagation");
    if (propagation == nullptr || !propagation->is_object()) return false;
    const json::Value* tables = propagation->as_object().find("tables");
    const json::Value* table = tables != nullptr && tables->is_object() ? tables->as_object().find(root) : nullptr;
    if (table == nullptr || !table->is_object()) return false;
    for (const json::Member& member : table->as_object()) {
        if (member.value == json::Value(schema::root_id_column)) return true;
    }
    return false;
}

bool is_own_root(const schema::Schema& schema, const TableState& table) {
    return !table.is_nested && propagates_root_id(schema, table.name);
}

int max_nesting(const schema::Schema& schema, std::string_view root) {
    const schema::Table* table = schema.find(root);
    if (table != nullptr) {
        const json::Value own = table->normalizer_hint("max_nesting");
        if (own.is_int()) return static_cast<int>(own.as_int());
    }
    const json::Value* configured = find_config(schema, "max_nesting");
    return configured != nullptr && configured->is_int() ? static_cast<int>(configured->as_int()) : limits::json_depth_max;
}

}  // namespace tipple::normalize
