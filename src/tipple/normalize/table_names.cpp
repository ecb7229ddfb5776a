#include "tipple/normalize/table_names.h"

#include <algorithm>
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

namespace {

/// `root`, which is for rows of all root tables, or what `tables` has for one; nullptr when nothing is said.
const json::Object* find_propagation(const schema::Schema& schema, std::string_view section) {
    const json::Value* propagation = find_config(schema, "propagation");
    const json::Value* found = propagation != nullptr && propagation->is_object() ? propagation->as_object().find(section) : nullptr;
    return found != nullptr && found->is_object() ? &found->as_object() : nullptr;
}

const json::Object* find_table_propagation(const schema::Schema& schema, std::string_view table) {
    const json::Object* tables = find_propagation(schema, "tables");
    const json::Value* found = tables != nullptr ? tables->find(table) : nullptr;
    return found != nullptr && found->is_object() ? &found->as_object() : nullptr;
}

bool has_root_id(const json::Object* fields) {
    return fields != nullptr && std::any_of(fields->begin(), fields->end(), [](const json::Member& member) { return member.value == json::Value(schema::root_id_column); });
}

void add_fields(const json::Object* fields, std::vector<PropagatedField>& list) {
    if (fields == nullptr) return;
    for (const json::Member& member : *fields) {
        if (!member.value.is_text() || member.value.as_text() == schema::root_id_column) continue;
        std::erase_if(list, [&](const PropagatedField& other) { return other.from == member.name; });
        list.push_back({member.name, member.value.as_text()});
    }
}

}  // namespace

bool propagates_root_id(const schema::Schema& schema, std::string_view root) {
    return has_root_id(find_propagation(schema, "root")) || has_root_id(find_table_propagation(schema, root));
}

std::vector<PropagatedField> propagated_fields(const schema::Schema& schema, const TableState& table) {
    std::vector<PropagatedField> fields;
    if (!table.is_nested) add_fields(find_propagation(schema, "root"), fields);
    add_fields(find_table_propagation(schema, table.name), fields);
    return fields;
}

bool propagates_fields(const schema::Schema& schema) {
    std::vector<PropagatedField> fields;
    add_fields(find_propagation(schema, "root"), fields);
    if (const json::Object* tables = find_propagation(schema, "tables")) {
        for (const json::Member& table : *tables) {
            if (table.value.is_object()) add_fields(&table.value.as_object(), fields);
        }
    }
    return !fields.empty();
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
