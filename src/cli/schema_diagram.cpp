#include "cli/schema_diagram.h"

#include <fmt/format.h>

#include <algorithm>

#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

/// Names of attributes must begin with a letter or underscore, and hold letters, digits, hyphens and underscores.
std::string attribute_name(std::string_view name) {
    std::string text;
    for (const char c : name) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool is_inner = (c >= '0' && c <= '9') || c == '-';
        if (text.empty() && is_inner) text += '_';
        text += is_letter || is_inner ? c : '_';
    }
    return text;
}

/// Texts in double quotes, which cannot be escaped in them.
std::string quoted(std::string_view text) {
    std::string safe(text);
    std::replace(safe.begin(), safe.end(), '"', '\'');
    return "\"" + safe + "\"";
}

std::string keys(const schema::Column& column) {
    std::vector<std::string> marks;
    if (column.flag("primary_key")) marks.emplace_back("PK");
    if (column.name() == schema::parent_id_column) marks.emplace_back("FK");
    if (column.flag("unique")) marks.emplace_back("UK");
    return marks.empty() ? "" : " " + join(marks, ", ");
}

std::string comment(const schema::Column& column) {
    std::vector<std::string> parts;
    if (column.precision() && column.scale()) {
        parts.push_back(fmt::format("{},{}", *column.precision(), *column.scale()));
    } else if (column.precision()) {
        parts.push_back(std::to_string(*column.precision()));
    }
    if (!column.is_nullable()) parts.emplace_back("not null");
    // What the diagram cannot write as it is.
    if (attribute_name(column.name()) != column.name()) parts.push_back(column.name());
    return parts.empty() ? "" : " " + quoted(join(parts, ", "));
}

}  // namespace

std::string to_mermaid(const std::vector<const schema::Table*>& tables) {
    std::string text = "erDiagram\n";
    for (const schema::Table* table : tables) {
        text += fmt::format("  {} {{\n", quoted(table->name()));
        for (const schema::Column& column : table->columns()) {
            if (!column.is_complete()) continue;
            text += fmt::format("    {} {}{}{}\n", schema::to_text(*column.data_type()), attribute_name(column.name()), keys(column), comment(column));
        }
        text += "  }\n";
    }
    for (const schema::Table* table : tables) {
        const bool has_parent = std::any_of(tables.begin(), tables.end(), [&](const schema::Table* other) { return other->name() == table->parent(); });
        if (table->is_nested() && has_parent) {
            text += fmt::format("  {} ||--o{{ {} : {}\n", quoted(table->parent()), quoted(table->name()), schema::parent_id_column);
        }
    }
    return text;
}

}  // namespace tipple::cli
