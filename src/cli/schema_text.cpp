#include "cli/schema_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace tipple::cli {

std::string type_text(const schema::Column& column) {
    if (!column.is_complete()) return "(no type yet)";
    std::string text(schema::to_text(*column.data_type()));
    if (column.precision() && column.scale()) return fmt::format("{}({},{})", text, *column.precision(), *column.scale());
    if (column.precision()) return fmt::format("{}({})", text, *column.precision());
    return text;
}

namespace {

/// Whether a reader of YAML would take the plain text for a number, a date, a truth value or nothing.
bool needs_quotes(std::string_view text) {
    static const std::set<std::string, std::less<>> words = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"};
    if (text.empty() || std::string_view("+-.0123456789").find(text.front()) != std::string_view::npos) return true;
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return words.contains(lower);
}

void emit(YAML::Emitter& out, const json::Value& value) {
    if (value.is_object()) {
        out << YAML::BeginMap;
        for (const json::Member& member : value.as_object()) {
            out << YAML::Key;
            if (needs_quotes(member.name)) out << YAML::DoubleQuoted;
            out << member.name << YAML::Value;
            emit(out, member.value);
        }
        out << YAML::EndMap;
    } else if (value.is_array()) {
        out << YAML::BeginSeq;
        for (const json::Value& element : value.as_array()) emit(out, element);
        out << YAML::EndSeq;
    } else if (value.is_null()) {
        out << YAML::Null;
    } else if (value.is_bool()) {
        out << value.as_bool();
    } else if (value.is_int()) {
        out << value.as_int();
    } else if (value.is_text()) {
        if (needs_quotes(value.as_text())) out << YAML::DoubleQuoted;
        out << value.as_text();
    } else {
        out << json::to_text(value);
    }
}

}  // namespace

std::string to_yaml(const json::Object& document) {
    YAML::Emitter out;
    out.SetIndent(2);
    emit(out, json::Value(document));
    return std::string(out.c_str()) + "\n";
}

}  // namespace tipple::cli
