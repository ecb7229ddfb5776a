#include "tipple/sources/sql/hints.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/sources/sql/tables.h"

namespace tipple::sources::sql {

using schema::DataType;

namespace {

const DeclaredColumn& require_column(const TableInfo& table, const std::string& name, const std::string& what) {
    std::vector<std::string> names;
    for (const DeclaredColumn& column : table.columns) {
        if (column.name == name) return column;
        names.push_back(column.name);
    }
    throw Error(ErrorKind::usage, "{}: \"{}\" has no column \"{}\"; {}", what, full_name(table.name), excerpt(name),
                suggestion(name, names));
}

json::Array texts(const std::vector<std::string>& list) { return json::Array(list.begin(), list.end()); }

}  // namespace

std::vector<DeclaredColumn> choose_columns(const TableInfo& table, const ResourceSettings& settings) {
    const std::string what = fmt::format("resource \"{}\"", settings.name);
    std::vector<DeclaredColumn> columns = table.columns;
    // A pattern stands for tables of which not all have the same columns.
    const auto is_there = [&](const std::string& name) {
        return std::any_of(table.columns.begin(), table.columns.end(), [&](const DeclaredColumn& column) { return column.name == name; });
    };
    if (!settings.include.empty()) {
        columns.clear();
        for (const std::string& name : settings.include) {
            if (!settings.is_pattern() || is_there(name)) columns.push_back(require_column(table, name, what + ", include"));
        }
    }
    for (const std::string& name : settings.exclude) {
        if (!settings.is_pattern()) require_column(table, name, what + ", exclude");
        std::erase_if(columns, [&](const DeclaredColumn& column) { return column.name == name; });
    }
    for (const DeclaredColumn& column : columns) {
        if (column.is_readable) continue;
        throw Error(ErrorKind::remote, "{}: column \"{}\" of \"{}\" may not be read by this user; grant it (GRANT SELECT), or leave it out: exclude = [\"{}\"]", what, column.name,
                    full_name(table.name), column.name);
    }
    if (columns.empty()) throw Error(ErrorKind::usage, "{}: no column of \"{}\" is left to be read", what, full_name(table.name));
    return columns;
}

schema::Column column_hints(const DeclaredColumn& column, const ReflectSettings& reflect) {
    json::Object hints;
    if (!column.comment.empty()) hints.set("description", column.comment);
    if (reflect.nullability && column.type && !column.is_nullable) hints.set("nullable", false);
    if (!column.type) return schema::Column(column.name, std::move(hints));
    hints.set("data_type", std::string(schema::to_text(column.type->type)));
    if (column.type->type == DataType::decimal) {
        hints.set("precision", column.type->precision);
        hints.set("scale", column.type->scale);
    } else if (reflect.precision && column.precision) {
        hints.set("precision", *column.precision);
    }
    if (column.type->type == DataType::timestamp && !column.type->timezone) hints.set("timezone", false);
    return schema::Column(column.name, std::move(hints));
}

json::Object table_hints(const TableInfo& table, const std::vector<std::pair<TableName, std::string>>& resources, const ReflectSettings& reflect) {
    json::Object hints;
    if (!table.comment.empty()) hints.set("description", table.comment);
    json::Array references;
    for (const ForeignKey& key : table.foreign_keys) {
        const auto referred = std::find_if(resources.begin(), resources.end(), [&](const auto& resource) {
            return resource.first.name == key.referenced.name && resource.first.schema == key.referenced.schema;
        });
        if (!reflect.foreign_keys || referred == resources.end()) continue;
        references.push_back(json::Object{{"referenced_table", referred->second}, {"columns", texts(key.columns)}, {"referenced_columns", texts(key.referenced_columns)}});
    }
    if (!references.empty()) hints.set("references", std::move(references));
    return hints;
}

std::string type_text(const DeclaredColumn& column) {
    if (!column.type) return "as its values are";
    const std::string name(schema::to_text(column.type->type));
    if (column.type->type == DataType::decimal) return fmt::format("decimal({},{})", column.type->precision, column.type->scale);
    if (column.type->type == DataType::timestamp && !column.type->timezone) return "timestamp without zone";
    return name;
}

}  // namespace tipple::sources::sql
