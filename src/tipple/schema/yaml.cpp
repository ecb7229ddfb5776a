#include "tipple/schema/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <set>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"

namespace tipple::schema {

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

namespace {

/// A plain scalar as YAML 1.1 reads it: nothing, a truth value, a number, else text.
json::Value plain_value(const std::string& text) {
    static const std::set<std::string, std::less<>> true_words = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
    static const std::set<std::string, std::less<>> false_words = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
    static const std::set<std::string, std::less<>> null_words = {"", "~", "null", "Null", "NULL"};
    if (null_words.contains(text)) return {};
    if (true_words.contains(text)) return true;
    if (false_words.contains(text)) return false;
    const char* end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto result = std::from_chars(text.data(), end, integer); result.ec == std::errc() && result.ptr == end) return integer;
    double number = 0;
    const bool is_number = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (const auto result = std::from_chars(text.data(), end, number); is_number && result.ec == std::errc() && result.ptr == end) return number;
    return text;
}

json::Value to_value(const YAML::Node& node, int depth, const std::string& name) {
    if (depth > limits::json_depth_max) throw Error(ErrorKind::usage, "{}: nested too deep", name);
    if (node.IsMap()) {
        json::Object object;
        for (const auto& member : node) object.set(member.first.as<std::string>(), to_value(member.second, depth + 1, name));
        return object;
    }
    if (node.IsSequence()) {
        json::Array array;
        for (const YAML::Node& element : node) array.push_back(to_value(element, depth + 1, name));
        return array;
    }
    if (!node.IsDefined() || node.IsNull()) return {};
    // What stands in quotes is text.
    return node.Tag() == "!" ? json::Value(node.Scalar()) : plain_value(node.Scalar());
}

}  // namespace

json::Value parse_yaml(const std::string& text, const std::string& name) {
    try {
        return to_value(YAML::Load(text), 0, name);
    } catch (const YAML::Exception& error) {
        throw Error(ErrorKind::usage, "{}:{}: not YAML: {}", name, error.mark.line + 1, error.msg);
    }
}

}  // namespace tipple::schema
