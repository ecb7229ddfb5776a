#include "tipple/normalize/json_values.h"

#include <cmath>
#include <cstdlib>

#include "tipple/core/hash.h"
#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::normalize {

schema::Value to_value(const json::pull::Number& number) {
    switch (number.kind) {
        case json::pull::NumberKind::int64:
            return number.int64;
        case json::pull::NumberKind::uint64:
            return number.uint64;
        case json::pull::NumberKind::float64:
            return number.float64;
        case json::pull::NumberKind::beyond:
            break;
    }
    return std::strtod(std::string(number.text).c_str(), nullptr);
}

namespace {

void append(std::string& out, const schema::Value& value);

void append_list(std::string& out, const schema::List& list) {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out += ',';
        append(out, list[i]);
    }
    out += ']';
}

void append_object(std::string& out, const schema::Object& object) {
    out += '{';
    for (std::size_t i = 0; i < object.size(); ++i) {
        if (i > 0) out += ',';
        json::append_quoted(out, object[i].name);
        out += ':';
        append(out, object[i].value);
    }
    out += '}';
}

void append(std::string& out, const schema::Value& value) {
    if (value.is_null()) {
        out += "null";
    } else if (const auto* flag = value.get_if<bool>()) {
        out += *flag ? "true" : "false";
    } else if (const auto* integer = value.get_if<std::int64_t>()) {
        out += std::to_string(*integer);
    } else if (const auto* large = value.get_if<std::uint64_t>()) {
        out += std::to_string(*large);
    } else if (const auto* number = value.get_if<double>()) {
        if (std::isfinite(*number)) {
            json::append_number(out, *number);
        } else {
            out += "null";
        }
    } else if (const auto* list = value.get_if<schema::List>()) {
        append_list(out, *list);
    } else if (const auto* object = value.get_if<schema::Object>()) {
        append_object(out, *object);
    } else if (const auto* whole = value.get_if<schema::Json>()) {
        out += whole->text;
    } else if (const auto* bytes = value.get_if<schema::Binary>()) {
        json::append_quoted(out, to_base64(bytes->bytes));
    } else {
        const std::optional<schema::Value> text = schema::coerce(schema::DataType::text, value);
        json::append_quoted(out, text->as<std::string>());
    }
}

}  // namespace

std::string to_json_text(const schema::Value& value) {
    std::string out;
    append(out, value);
    return out;
}

}  // namespace tipple::normalize
