#include "tipple/schema/migration.h"

#include <string>
#include <string_view>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/schema.h"

namespace tipple::schema {

namespace {

/// How the tables of engines 1 and 2 name their place below another table.
constexpr std::string_view path_separator = "__";

struct SystemColumn {
    std::string_view name;
    DataType type;
    bool nullable;
};

json::Object system_table(std::string_view name, std::initializer_list<SystemColumn> definitions) {
    json::Object columns;
    for (const SystemColumn& definition : definitions) {
        columns.append(std::string(definition.name),
                       json::Object{{"name", definition.name},
                                    {"data_type", to_text(definition.type)},
                                    {"nullable", definition.nullable}});
    }
    return {{"name", name},
            {"columns", std::move(columns)},
            {"write_disposition", "skip"},
            {"resource", name}};
}

/// Calls `use(object)` with every table.
template <typename Use>
void for_each_table(json::Object& document, Use use) {
    for (auto& [name, table] : require_object(document, "tables")) {
        if (!table.is_object()) {
            throw Error(ErrorKind::usage, "schema: table \"{}\" must be an object, not a {}",
                        excerpt(name), table.type_name());
        }
        use(table.as_object());
    }
}

/// Calls `use(name, object)` with every column of `table`.
template <typename Use>
void for_each_column(json::Object& table, Use use) {
    for (auto& [name, column] : require_object(table, "columns")) {
        if (!column.is_object()) {
            throw Error(ErrorKind::usage, "schema: column \"{}\" must be an object, not a {}",
                        excerpt(name), column.type_name());
        }
        use(name, column.as_object());
    }
}

json::Value take(json::Object& object, std::string_view name) {
    json::Value taken;
    if (json::Value* value = object.find(name)) {
        taken = std::move(*value);
        object.erase(name);
    }
    return taken;
}

/// Whether a flag of a column is set.
bool is_set(const json::Object& column, std::string_view flag) {
    const json::Value* value = column.find(flag);
    return value != nullptr && value->is_bool() && value->as_bool();
}

void rename_complex(json::Value& type) {
    if (type == json::Value("complex")) type = to_text(DataType::json);
}

// 2 to 3: settings and normalizers get places of their own, tables become objects with columns
// inside.

/// Regular expressions become rules that say so.
json::Object hints_as_rules(json::Value hints) {
    json::Object rules;
    if (!hints.is_object()) return rules;
    for (auto& [hint, expressions] : hints.as_object()) {
        json::Array list;
        if (expressions.is_array()) {
            for (const json::Value& expression : expressions.as_array()) {
                if (expression.is_text()) list.emplace_back("re:" + expression.as_text());
            }
        }
        rules.append(hint, std::move(list));
    }
    return rules;
}

json::Object types_as_rules(json::Value types) {
    json::Object rules;
    if (!types.is_object()) return rules;
    for (auto& [expression, type] : types.as_object())
        rules.append("re:" + expression, std::move(type));
    return rules;
}

/// The nearest table above `name` by its path; empty when there is none.
std::string parent_by_path(const json::Object& tables, std::string_view name) {
    while (true) {
        const std::size_t separator = name.rfind(path_separator);
        if (separator == std::string_view::npos || separator == 0) return {};
        name = name.substr(0, separator);
        if (tables.find(name) != nullptr) return std::string(name);
    }
}

json::Object root_table(const std::string& name, json::Object columns) {
    return {{"name", name},
            {"columns", std::move(columns)},
            {"write_disposition", "append"},
            {"resource", name}};
}

json::Object tables_with_columns(const json::Object& old_tables) {
    json::Object tables;
    for (const auto& [name, columns] : old_tables) {
        if (!columns.is_object()) {
            throw Error(ErrorKind::usage, "schema: table \"{}\" must be an object, not a {}",
                        excerpt(name), columns.type_name());
        }
        const std::string parent = parent_by_path(old_tables, name);
        if (parent.empty()) {
            tables.append(name, root_table(name, columns.as_object()));
        } else {
            tables.append(
                name,
                json::Object{{"name", name}, {"columns", columns.as_object()}, {"parent", parent}});
        }
    }
    return tables;
}

/// A filter over whole paths, `^table__rest`, becomes one of the table over the rest. One that is
/// not of this form has no place in the new documents.
void move_filters(json::Object& tables, std::string_view group, const json::Value& filters) {
    if (!filters.is_array()) return;
    for (const json::Value& filter : filters.as_array()) {
        if (!filter.is_text()) continue;
        const std::string& text = filter.as_text();
        const std::size_t separator = text.find(path_separator);
        if (!text.starts_with('^') || separator == std::string::npos || separator < 2) continue;
        const std::string name = text.substr(1, separator - 1);
        if (tables.find(name) == nullptr) tables.append(name, root_table(name, {}));
        json::Value& table = *tables.find(name);
        json::Value& list = require_object(table.as_object(), "filters")[group];
        if (!list.is_array()) list = json::Array();
        list.as_array().emplace_back("re:^" + text.substr(separator + path_separator.size()));
    }
}

void migrate_to_3(json::Object& document) {
    json::Object root{{std::string(id_column), root_id_column}};
    json::Object config{{"propagation", json::Object{{"root", std::move(root)}}}};
    json::Object normalizer{{"module", "dlt.common.normalizers.json.relational"},
                            {"config", std::move(config)}};
    document.set("normalizers",
                 json::Object{{"names", "snake_case"}, {"json", std::move(normalizer)}});
    document.set(
        "settings",
        json::Object{{"default_hints", hints_as_rules(take(document, "hints"))},
                     {"preferred_types", types_as_rules(take(document, "preferred_types"))}});
    json::Object tables = tables_with_columns(require_object(document, "tables"));
    move_filters(tables, "excludes", take(document, "excludes"));
    move_filters(tables, "includes", take(document, "includes"));
    document.set("tables", std::move(tables));
}

/// 4 to 6: the system tables get more columns.
void replace_system_tables(json::Object& document) {
    json::Object& tables = require_object(document, "tables");
    tables.set(version_table_name, version_table());
    tables.set(loads_table_name, loads_table());
}

/// 6 to 7: contracts replaced these flags.
void erase_sealed_flags(json::Object& document) {
    require_object(document, "settings").erase("schema_sealed");
    for_each_table(document, [](json::Object& table) { table.erase("table_sealed"); });
}

/// 8 to 9: a table with row ids has had rows.
void mark_seen_data(json::Object& document) {
    for_each_table(document, [](json::Object& table) {
        if (require_object(table, "columns").find(id_column) == nullptr) return;
        require_object(table, "x-normalizer").set("seen-data", true);
    });
}

/// 9 to 10: foreign keys became row, parent and root keys; a type got a new name.
void migrate_to_10(json::Object& document) {
    json::Object& normalizers = require_object(document, "normalizers");
    if (json::Value* normalizer = normalizers.find("json");
        normalizer != nullptr && normalizer->is_object()) {
        json::Value* config = normalizer->as_object().find("config");
        if (config != nullptr && config->is_object()) config->as_object().erase("generate_dlt_id");
    }
    json::Object& settings = require_object(document, "settings");
    if (settings.find("default_hints") != nullptr) {
        json::Object& hints = require_object(settings, "default_hints");
        hints.erase("foreign_key");
        hints.set("row_key", json::Array{id_column});
        hints.set("parent_key", json::Array{parent_id_column});
    }
    if (settings.find("preferred_types") != nullptr) {
        for (auto& [rule, type] : require_object(settings, "preferred_types")) rename_complex(type);
    }
    for_each_table(document, [](json::Object& table) {
        for_each_column(table, [](const std::string& name, json::Object& column) {
            if (json::Value* type = column.find("data_type")) rename_complex(*type);
            const bool was_foreign_key = is_set(column, "foreign_key");
            column.erase("foreign_key");
            if (name == id_column) column.set("row_key", is_set(column, "unique"));
            if (name == parent_id_column) column.set("parent_key", was_foreign_key);
        });
    });
}

}  // namespace

json::Object& require_object(json::Object& object, std::string_view name) {
    json::Value& value = object[name];
    if (value.is_null()) value = json::Object();
    if (!value.is_object()) {
        throw Error(ErrorKind::usage, "schema: \"{}\" must be an object, not a {}", excerpt(name),
                    value.type_name());
    }
    return value.as_object();
}

json::Object version_table() {
    return system_table(version_table_name, {{"version", DataType::bigint, false},
                                             {"engine_version", DataType::bigint, false},
                                             {"inserted_at", DataType::timestamp, false},
                                             {"schema_name", DataType::text, false},
                                             {"version_hash", DataType::text, false},
                                             {"schema", DataType::text, false}});
}

json::Object loads_table() {
    json::Object table =
        system_table(loads_table_name, {{"load_id", DataType::text, false},
                                        {"schema_name", DataType::text, true},
                                        {"status", DataType::bigint, false},
                                        {"inserted_at", DataType::timestamp, false},
                                        {"schema_version_hash", DataType::text, true}});
    json::Object& columns = table.find("columns")->as_object();
    columns.find("load_id")->as_object().set("precision", 64);
    return table;
}

void migrate(json::Object& document, std::int64_t from) {
    // Engine 1 had filters that nothing applied.
    if (from < 2) {
        document.erase("includes");
        document.erase("excludes");
    }
    if (from < 3) migrate_to_3(document);
    if (from < 6) replace_system_tables(document);
    if (from < 7) erase_sealed_flags(document);
    if (from < 9) mark_seen_data(document);
    if (from < 10) migrate_to_10(document);
    // Before engine 11 a separator inside a data key was no separator.
    if (from < 11)
        require_object(document, "normalizers").set("use_break_path_on_normalize", false);
    document.set("engine_version", engine_version);
}

}  // namespace tipple::schema
