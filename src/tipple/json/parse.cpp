#include <cstdlib>

#include "tipple/core/error.h"
#include "tipple/json/pull.h"
#include "tipple/json/read.h"
#include "tipple/json/value.h"

namespace tipple::json {

namespace {

using pull::Fault;

Fault read_text(const char* raw, std::string& text) {
    return pull::unescape_into(raw, text) ? Fault::none : Fault::string_escape;
}

Fault read_number(const char* token, Value& value) {
    pull::Number number;
    if (const Fault fault = pull::read_number(token, number); fault != Fault::none) return fault;
    switch (number.kind) {
        case pull::NumberKind::int64:
            value = number.int64;
            break;
        case pull::NumberKind::uint64:
            value = number.uint64;
            break;
        case pull::NumberKind::float64:
            value = number.float64;
            break;
        case pull::NumberKind::beyond:
            value = std::strtod(std::string(number.text).c_str(), nullptr);
            break;
    }
    return Fault::none;
}

Fault read_object(pull::Cursor& cursor, Value& value, int depth) {
    Object object;
    const Fault fault = pull::for_each_member(cursor, [&](pull::Key key, pull::Cursor& member) {
        std::string name;
        Fault inner = read_text(key.raw(), name);
        Value child;
        if (inner == Fault::none) inner = read_value(member, child, depth + 1);
        if (inner == Fault::none) object.set(name, std::move(child));
        return inner;
    });
    value = std::move(object);
    return fault;
}

Fault read_array(pull::Cursor& cursor, Value& value, int depth) {
    Array array;
    const Fault fault = pull::for_each_element(cursor, [&](pull::Cursor& element) {
        array.emplace_back();
        return read_value(element, array.back(), depth + 1);
    });
    value = std::move(array);
    return fault;
}

}  // namespace

Fault read_value(pull::Cursor& cursor, Value& value, int depth) {
    if (depth > limits::json_depth_max) return Fault::too_deep;
    if (cursor.is_at_end()) return Fault::not_closed;
    switch (cursor.peek()) {
        case '{':
            return read_object(cursor, value, depth);
        case '[':
            return read_array(cursor, value, depth);
        case '"': {
            std::string text;
            const Fault fault = read_text(cursor.take() + 1, text);
            value = std::move(text);
            return fault;
        }
        case 't':
            value = true;
            return pull::read_true(cursor.take());
        case 'f':
            value = false;
            return pull::read_false(cursor.take());
        case 'n':
            value = nullptr;
            return pull::read_null(cursor.take());
        case '-':
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
        case '8':
        case '9':
            return read_number(cursor.take(), value);
        default:
            return Fault::literal;
    }
}

namespace {

pull::WalkEnd parse_document(std::string_view text, Value& value) {
    std::string padded;
    padded.reserve(text.size() + limits::json_padding);
    padded.append(text).append(limits::json_padding, ' ');
    pull::Index index;
    if (const Fault fault = index.build(padded.data(), text.size()); fault != Fault::none) return {fault, 0};
    int documents = 0;
    const pull::WalkEnd end = pull::for_each_document(index.cursor(), text.size(), [&](std::size_t, pull::Cursor& document) {
        return ++documents > 1 ? Fault::trailing : read_value(document, value);
    });
    return end.fault == Fault::none && documents == 0 ? pull::WalkEnd{Fault::empty, 0} : end;
}

}  // namespace

Value parse(std::string_view text, std::string_view what) {
    Value value;
    const pull::WalkEnd end = parse_document(text, value);
    if (end.fault != Fault::none) {
        throw Error(ErrorKind::usage, "{} is not valid JSON: {} (in the value that starts at byte {})", what, pull::describe(end.fault),
                    end.offset);
    }
    return value;
}

bool try_parse(std::string_view text, Value& value) { return parse_document(text, value).fault == Fault::none; }

}  // namespace tipple::json
