#pragma once

#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tipple/core/limits.h"

/// Pull parsing for hot loops: the thinnest layer over simdjson On-Demand that keeps its names out of other modules.
///
/// Everything is inline and nothing throws: a `Fault` other than `no_fault` ends the walk and travels up. Views and elements are
/// valid until the walk moves on.
namespace tipple::json::pull {

using Fault = simdjson::error_code;
inline constexpr Fault no_fault = simdjson::SUCCESS;
/// A fault of the visitor's own, to stop a walk.
inline constexpr Fault stopped = simdjson::INVALID_URI_FRAGMENT;
inline constexpr Fault too_deep = simdjson::DEPTH_ERROR;

/// What is wrong, in words: "the number is malformed".
std::string describe(Fault fault);

enum class Kind : std::uint8_t { object, array, text, number, boolean, null };
enum class NumberKind : std::uint8_t { int64, uint64, float64, beyond };

struct Number {
    NumberKind kind = NumberKind::int64;
    union {
        std::int64_t int64 = 0;
        std::uint64_t uint64;
        double float64;
    };
    std::string_view text;  ///< set only for `beyond`: a valid JSON number that is none of the above
};

/// A member's name as it stands in the text, behind its opening quote.
class Key {
public:
    explicit Key(const char* raw) : raw_(raw) {}
    /// Whether the text between the quotes is exactly `known` (which may contain escapes).
    bool equals(std::string_view known) const {
        if (known.size() < limits::json_padding) {
            return std::memcmp(raw_, known.data(), known.size()) == 0 && raw_[known.size()] == '"';
        }
        return text() == known;
    }
    /// The text between the quotes, escapes not resolved.
    std::string_view text() const {
        const char* end = raw_;
        while (*end != '"') end += *end == '\\' ? 2 : 1;
        return {raw_, static_cast<std::size_t>(end - raw_)};
    }
    const char* raw() const { return raw_; }

private:
    const char* raw_;
};

enum class Unescape {
    done,  ///< the closing quote was reached
    full,  ///< there was not enough room; call again with more
    bad,   ///< an escape is not one of JSON's
};

/// Resolves the escapes of a JSON string from `raw` (behind the opening quote) on and writes at `out`, up to `out_end`. Advances both.
/// Up to 16 bytes behind `out` may be overwritten, never at or beyond `out_end`. `raw` lies in a parsed document: it ends with a quote, and
/// `limits::json_padding` readable bytes follow the document.
Unescape unescape(const char*& raw, char*& out, const char* out_end);

/// Replaces `text` by the resolved string. False for a bad escape.
bool unescape_into(const char* raw, std::string& text);

class Element {
public:
    explicit Element(simdjson::ondemand::value value) : value_(value) {}

    Fault kind(Kind& kind) {
        simdjson::ondemand::json_type type;
        if (const Fault fault = value_.type().get(type)) return fault;
        switch (type) {
            case simdjson::ondemand::json_type::object:
                kind = Kind::object;
                break;
            case simdjson::ondemand::json_type::array:
                kind = Kind::array;
                break;
            case simdjson::ondemand::json_type::string:
                kind = Kind::text;
                break;
            case simdjson::ondemand::json_type::number:
                kind = Kind::number;
                break;
            case simdjson::ondemand::json_type::boolean:
                kind = Kind::boolean;
                break;
            case simdjson::ondemand::json_type::null:
                kind = Kind::null;
                break;
            default:
                return simdjson::TAPE_ERROR;
        }
        return no_fault;
    }

    /// The string behind its opening quote, to be given to `unescape`.
    Fault raw_text(const char*& raw) {
        simdjson::ondemand::raw_json_string text;
        if (const Fault fault = value_.get_raw_json_string().get(text)) return fault;
        raw = text.raw();
        return no_fault;
    }

    Fault number(Number& number);
    Fault boolean(bool& value) { return value_.get_bool().get(value); }
    Fault null() {
        bool is_null = false;
        const Fault fault = value_.is_null().get(is_null);
        return fault != no_fault ? fault : is_null ? no_fault : simdjson::N_ATOM_ERROR;
    }

    simdjson::ondemand::value& raw() { return value_; }

private:
    simdjson::ondemand::value value_;
};

namespace detail {

/// A number token without the white space behind it.
std::string_view number_text(std::string_view token);
/// Whether `text` is a number by the JSON grammar.
bool is_json_number(std::string_view text);

template <typename Source>
Fault read_number(Source& source, Number& number) {
    // Only looks at the text; it must be taken before the number is consumed.
    std::string_view token;
    if constexpr (std::is_same_v<decltype(source.raw_json_token()), std::string_view>) {
        token = source.raw_json_token();
    } else {
        if (const Fault fault = source.raw_json_token().get(token)) return fault;
    }
    simdjson::ondemand::number parsed;
    const Fault fault = source.get_number().get(parsed);
    if (fault != no_fault) {
        const std::string_view text = number_text(token);
        if (!is_json_number(text)) return fault;
        number.kind = NumberKind::beyond;
        number.text = text;
        // The token was not consumed: simdjson steps over it when the walk goes on.
        return no_fault;
    }
    switch (parsed.get_number_type()) {
        case simdjson::ondemand::number_type::signed_integer:
            number.kind = NumberKind::int64;
            number.int64 = parsed.get_int64();
            break;
        case simdjson::ondemand::number_type::unsigned_integer:
            number.kind = NumberKind::uint64;
            number.uint64 = parsed.get_uint64();
            break;
        default:
            number.kind = NumberKind::float64;
            number.float64 = parsed.get_double();
            break;
    }
    return no_fault;
}

}  // namespace detail

inline Fault Element::number(Number& number) { return detail::read_number(value_, number); }

/// Calls `visit(Key, Element&) -> Fault` for each member of an object.
template <typename Visit>
Fault for_each_member(Element& element, Visit&& visit) {
    simdjson::ondemand::object object;
    if (const Fault fault = element.raw().get_object().get(object)) return fault;
    for (auto result : object) {
        simdjson::ondemand::field field;
        if (const Fault fault = std::move(result).get(field)) return fault;
        const Key key(field.key().raw());
        Element value(field.value());
        if (const Fault fault = visit(key, value)) return fault;
    }
    return no_fault;
}

/// Calls `visit(Element&) -> Fault` for each element of an array.
template <typename Visit>
Fault for_each_element(Element& element, Visit&& visit) {
    simdjson::ondemand::array array;
    if (const Fault fault = element.raw().get_array().get(array)) return fault;
    for (auto result : array) {
        simdjson::ondemand::value value;
        if (const Fault fault = std::move(result).get(value)) return fault;
        Element item(value);
        if (const Fault fault = visit(item)) return fault;
    }
    return no_fault;
}

/// A scalar at the top of a document. `kind` is text, number, boolean or null.
struct RootScalar {
    Kind kind = Kind::null;
    Number number;
    bool boolean = false;
    const char* raw_text = nullptr;
};

/// Where a walk over several documents ended.
struct WalkEnd {
    Fault fault = no_fault;
    /// Start of the document at fault, or of the text that is no whole document; the text's length when all is well.
    std::size_t offset = 0;
};

/// Owns the parser's buffers; one per thread. Not thread-safe.
class Parser {
public:
    Parser() {
#if defined(SIMDJSON_THREADS_ENABLED)
        parser_.threaded = false;
#endif
    }

    /// Walks documents that stand one after another, with or without white space between them, in the first `length` bytes of
    /// `text`; `limits::json_padding` more bytes must be readable. Calls `on_element(offset, Element&) -> Fault` for an object or
    /// array, `on_scalar(offset, RootScalar&) -> Fault` for any other document. Ends at the first fault.
    template <typename OnElement, typename OnScalar>
    WalkEnd for_each_document(const char* text, std::size_t length, OnElement&& on_element, OnScalar&& on_scalar);

private:
    simdjson::ondemand::parser parser_;
};

namespace detail {

template <typename Document>
Fault read_root_scalar(Document& document, simdjson::ondemand::json_type type, RootScalar& scalar) {
    switch (type) {
        case simdjson::ondemand::json_type::string: {
            scalar.kind = Kind::text;
            simdjson::ondemand::raw_json_string raw;
            if (const Fault fault = document.get_raw_json_string().get(raw)) return fault;
            scalar.raw_text = raw.raw();
            return no_fault;
        }
        case simdjson::ondemand::json_type::number:
            scalar.kind = Kind::number;
            return read_number(document, scalar.number);
        case simdjson::ondemand::json_type::boolean:
            scalar.kind = Kind::boolean;
            return document.get_bool().get(scalar.boolean);
        default: {
            scalar.kind = Kind::null;
            bool is_null = false;
            const Fault fault = document.is_null().get(is_null);
            return fault != no_fault ? fault : is_null ? no_fault : simdjson::N_ATOM_ERROR;
        }
    }
}

}  // namespace detail

template <typename OnElement, typename OnScalar>
WalkEnd Parser::for_each_document(const char* text, std::size_t length, OnElement&& on_element,
                                  OnScalar&& on_scalar) {
    simdjson::ondemand::document_stream stream;
    // One window over all of it, so that no document can be larger than the window.
    const std::size_t window = std::max<std::size_t>(length, 32);
    if (const Fault fault = parser_.iterate_many(text, length, window).get(stream)) return {fault, 0};
    std::size_t offset = 0;
    for (auto at = stream.begin(); at != stream.end(); ++at) {
        simdjson::ondemand::document_reference document;
        Fault fault = (*at).get(document);
        offset = at.current_index();
        if (fault == no_fault) {
            simdjson::ondemand::json_type type;
            fault = document.type().get(type);
            if (fault == no_fault) {
                if (type == simdjson::ondemand::json_type::object ||
                    type == simdjson::ondemand::json_type::array) {
                    simdjson::ondemand::value value;
                    fault = document.get_value().get(value);
                    if (fault == no_fault) {
                        Element element(value);
                        fault = on_element(offset, element);
                    }
                } else {
                    RootScalar scalar;
                    fault = detail::read_root_scalar(document, type, scalar);
                    if (fault == no_fault) fault = on_scalar(offset, scalar);
                }
            }
        }
        if (fault != no_fault) return {fault, offset};
    }
    if (const std::size_t rest = stream.truncated_bytes(); rest > 0 && rest <= length) {
        return {simdjson::INCOMPLETE_ARRAY_OR_OBJECT, length - rest};
    }
    return {no_fault, length};
}

}  // namespace tipple::json::pull
