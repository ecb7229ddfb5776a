#include <cstdlib>

#include "tipple/core/error.h"
#include "tipple/json/pull.h"
#include "tipple/json/read.h"
#include "tipple/json/value.h"

namespace tipple::json {

namespace {

std::string resolve(const char* raw, pull::Fault& fault) {
    std::string text;
    if (!pull::unescape_into(raw, text)) fault = simdjson::STRING_ERROR;
    return text;
}

Value number_value(const pull::Number& number) {
    switch (number.kind) {
        case pull::NumberKind::int64:
            return number.int64;
        case pull::NumberKind::uint64:
            return number.uint64;
        case pull::NumberKind::float64:
            return number.float64;
        case pull::NumberKind::beyond:
            break;
    }
    return std::strtod(std::string(number.text).c_str(), nullptr);
}

pull::Fault build_object(pull::Element& element, Value& value, int depth) {
    Object object;
    const pull::Fault fault =
        pull::for_each_member(element, [&](pull::Key key, pull::Element& member) {
            pull::Fault inner = pull::no_fault;
            const std::string name = resolve(key.raw(), inner);
            Value child;
            if (inner == pull::no_fault) inner = read_value(member, child, depth + 1);
            if (inner == pull::no_fault) object.set(name, std::move(child));
            return inner;
        });
    value = std::move(object);
    return fault;
}

}  // namespace

pull::Fault read_value(pull::Element& element, Value& value, int depth) {
    if (depth > limits::json_depth_max) return pull::too_deep;
    pull::Kind kind;
    if (const pull::Fault fault = element.kind(kind)) return fault;
    switch (kind) {
        case pull::Kind::object:
            return build_object(element, value, depth);
        case pull::Kind::array: {
            Array array;
            const pull::Fault fault = pull::for_each_element(element, [&](pull::Element& item) {
                array.emplace_back();
                return read_value(item, array.back(), depth + 1);
            });
            value = std::move(array);
            return fault;
        }
        case pull::Kind::text: {
            const char* raw = nullptr;
            pull::Fault fault = element.raw_text(raw);
            if (fault == pull::no_fault) value = resolve(raw, fault);
            return fault;
        }
        case pull::Kind::number: {
            pull::Number number;
            const pull::Fault fault = element.number(number);
            if (fault == pull::no_fault) value = number_value(number);
            return fault;
        }
        case pull::Kind::boolean: {
            bool flag = false;
            const pull::Fault fault = element.boolean(flag);
            value = flag;
            return fault;
        }
        case pull::Kind::null:
            value = nullptr;
            return element.null();
    }
    return simdjson::TAPE_ERROR;
}

namespace {

pull::WalkEnd parse_document(std::string_view text, Value& value) {
    std::string padded(text);
    padded.append(limits::json_padding, ' ');
    pull::Parser parser;
    int documents = 0;
    const auto one_only = [&](std::size_t) {
        return ++documents > 1 ? simdjson::TRAILING_CONTENT : pull::no_fault;
    };
    pull::WalkEnd end = parser.for_each_document(
        padded.data(), text.size(),
        [&](std::size_t offset, pull::Element& element) {
            if (const pull::Fault fault = one_only(offset)) return fault;
            return read_value(element, value, 1);
        },
        [&](std::size_t offset, pull::RootScalar& scalar) {
            pull::Fault fault = one_only(offset);
            if (fault != pull::no_fault) return fault;
            if (scalar.kind == pull::Kind::text) {
                value = resolve(scalar.raw_text, fault);
            } else if (scalar.kind == pull::Kind::number) {
                value = number_value(scalar.number);
            } else if (scalar.kind == pull::Kind::boolean) {
                value = scalar.boolean;
            } else {
                value = nullptr;
            }
            return fault;
        });
    if (end.fault == pull::no_fault && documents == 0) end = {simdjson::EMPTY, 0};
    return end;
}

}  // namespace

Value parse(std::string_view text, std::string_view what) {
    Value value;
    const pull::WalkEnd end = parse_document(text, value);
    if (end.fault != pull::no_fault) {
        throw Error(ErrorKind::usage, "{} is not valid JSON: {} (in the value that starts at byte {})", what,
                    pull::describe(end.fault), end.offset);
    }
    return value;
}

bool try_parse(std::string_view text, Value& value) {
    return parse_document(text, value).fault == pull::no_fault;
}

}  // namespace tipple::json
