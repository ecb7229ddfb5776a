#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "tipple/core/limits.h"

/// Pull parsing for hot loops. simdjson's first stage validates UTF-8 and finds every bracket, colon, comma and start of a value in a page of
/// text, with the machine's vector instructions; the inline functions here walk that index and check the grammar as they go.
/// (On-Demand, simdjson's own second stage, was measured at twice the instructions for this use: see docs/decisions.)
///
/// Nothing throws: a `Fault` other than `none` ends the walk and travels up.
namespace tipple::json::pull {

enum class Fault : std::uint8_t {
    none,
    utf8,
    unclosed_string,
    control_character,
    number,
    number_range,
    string_escape,
    literal,
    unexpected,   ///< another character than the grammar allows here
    not_closed,   ///< the text ends inside an object or list
    too_deep,
    empty,
    too_long,
    trailing,     ///< something follows the document
    given_up,     ///< the visitor does not want this document; the walk goes on behind it
    stopped,      ///< the visitor wants no more
};

/// What is wrong, in words: "a number is malformed".
std::string_view describe(Fault fault);

/// A place in the index of a text. All places lie in the text or, at the end, on its first padding byte.
struct Cursor {
    const char* text = nullptr;
    const std::uint32_t* at = nullptr;
    const std::uint32_t* end = nullptr;

    bool is_at_end() const { return at >= end; }
    std::size_t offset() const { return *at; }
    /// The character at the cursor, without moving.
    char peek() const { return text[*at]; }
    /// Where the token at the cursor stands; moves to the next one.
    const char* take() { return text + *at++; }
};

/// The index of one text. Keeps its memory between texts; one per thread.
class Index {
public:
    Index();
    ~Index();
    Index(Index&&) noexcept;
    Index& operator=(Index&&) noexcept;

    /// Indexes the first `length` bytes of `text`, which may hold any number of documents; `limits::json_padding` more bytes must be
    /// readable. A fault concerns the text as a whole: nothing can be said of where.
    Fault build(const char* text, std::size_t length);
    /// Valid until the next `build`, as long as the text.
    Cursor cursor() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A member's name, from behind its opening quote.
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
/// Up to 16 bytes behind `out` may be overwritten, never at or beyond `out_end`. `raw` lies in an indexed text, so it ends with a quote.
Unescape unescape(const char*& raw, char*& out, const char* out_end);

/// Replaces `text` by the resolved string. False for a bad escape.
bool unescape_into(const char* raw, std::string& text);

enum class NumberKind : std::uint8_t {
    int64,
    uint64,  ///< only beyond int64
    float64,
    beyond,  ///< an integer beyond 64 bits
};

struct Number {
    NumberKind kind = NumberKind::int64;
    union {
        std::int64_t int64 = 0;
        std::uint64_t uint64;
        double float64;
    };
    std::string_view text;  ///< set only for `beyond`
};

/// Whether a scalar may end in front of `c`.
inline bool ends_scalar(char c) {
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Reads any number: fractions, exponents and large ones.
Fault read_any_number(const char* token, Number& number);

/// Reads the number at `token`, whose first character is a digit or a minus.
inline Fault read_number(const char* token, Number& number) {
    // Integers of up to 18 digits, nearly all there are, without a call.
    const char* at = token + (*token == '-' ? 1 : 0);
    const char* first = at;
    std::uint64_t value = 0;
    while (*at >= '0' && *at <= '9' && at - first < 19) value = value * 10 + static_cast<std::uint64_t>(*at++ - '0');
    const auto digits = at - first;
    if (digits == 0 || digits > 18 || (digits > 1 && *first == '0') || !ends_scalar(*at)) return read_any_number(token, number);
    number.kind = NumberKind::int64;
    number.int64 = *token == '-' ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    return Fault::none;
}

/// `true`, `false` or `null` at `token`.
inline Fault read_true(const char* token) {
    return std::memcmp(token, "true", 4) == 0 && ends_scalar(token[4]) ? Fault::none : Fault::literal;
}
inline Fault read_false(const char* token) {
    return std::memcmp(token, "false", 5) == 0 && ends_scalar(token[5]) ? Fault::none : Fault::literal;
}
inline Fault read_null(const char* token) {
    return std::memcmp(token, "null", 4) == 0 && ends_scalar(token[4]) ? Fault::none : Fault::literal;
}

/// Calls `visit(Key, Cursor&) -> Fault` for each member of the object at the cursor. `visit` finds the cursor on the member's value and must
/// move it behind that value.
template <typename Visit>
inline Fault for_each_member(Cursor& cursor, Visit&& visit) {
    ++cursor.at;
    if (cursor.peek() == '}' && !cursor.is_at_end()) {
        ++cursor.at;
        return Fault::none;
    }
    while (true) {
        if (cursor.is_at_end()) return Fault::not_closed;
        const char* key = cursor.take();
        if (*key != '"') return Fault::unexpected;
        if (cursor.is_at_end()) return Fault::not_closed;
        if (*cursor.take() != ':') return Fault::unexpected;
        if (cursor.is_at_end()) return Fault::not_closed;
        if (const Fault fault = visit(Key(key + 1), cursor); fault != Fault::none) return fault;
        if (cursor.is_at_end()) return Fault::not_closed;
        const char next = *cursor.take();
        if (next == ',') continue;
        return next == '}' ? Fault::none : Fault::unexpected;
    }
}

/// Calls `visit(Cursor&) -> Fault` for each element of the list at the cursor, with the same duty.
template <typename Visit>
inline Fault for_each_element(Cursor& cursor, Visit&& visit) {
    ++cursor.at;
    if (cursor.peek() == ']' && !cursor.is_at_end()) {
        ++cursor.at;
        return Fault::none;
    }
    while (true) {
        if (cursor.is_at_end()) return Fault::not_closed;
        if (const Fault fault = visit(cursor); fault != Fault::none) return fault;
        if (cursor.is_at_end()) return Fault::not_closed;
        const char next = *cursor.take();
        if (next == ',') continue;
        return next == ']' ? Fault::none : Fault::unexpected;
    }
}

/// Moves behind the value at the cursor by its brackets alone; what is inside is not checked.
Fault skip_value(Cursor& cursor);

/// Where a walk over several documents ended.
struct WalkEnd {
    Fault fault = Fault::none;
    /// Start of the document at fault; the text's length when all is well.
    std::size_t offset = 0;
};

/// Walks documents that stand one after another, with or without white space between them. `visit(std::size_t offset, Cursor&) -> Fault` finds the
/// cursor on the document and must move it behind it, unless it returns `given_up`. Ends at the first other fault.
template <typename Visit>
WalkEnd for_each_document(Cursor cursor, std::size_t length, Visit&& visit) {
    while (!cursor.is_at_end()) {
        const std::size_t offset = cursor.offset();
        Cursor document = cursor;
        Fault fault = visit(offset, document);
        if (fault == Fault::given_up) {
            document = cursor;
            fault = skip_value(document);
        }
        if (fault != Fault::none) return {fault, offset};
        cursor = document;
    }
    return {Fault::none, length};
}

}  // namespace tipple::json::pull
