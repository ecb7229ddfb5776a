#include "cli/schema_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace tipple::cli {

std::string type_text(const schema::Column& column) {
    if (!column.is_complete()) return "(no type yet)";
    std::string text(schema::to_text(*column.data_type()));
    if (column.precision() && column.scale()) return fmt::format("{}({},{})", text, *column.precision(), *column.scale());
    if (column.precision()) return fmt::format("{}({})", text, *column.precision());
    return text;
}

namespace {

void emit(YAML::Emitter& out, const json::Value& value) {
    if (value.is_object()) {
        out << YAML::BeginMap;
        for (const json::Member& member : value.as_object()) {
            out << YAML::Key << member.name << YAML::Value;
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
