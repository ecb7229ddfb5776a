#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tipple/core/error.h"
#include "tipple/json/value.h"

namespace tipple::json {

namespace {

/// The shortest digits that read back as `number`, and where the decimal point goes: 0.d1d2… × 10^exponent.
struct ShortestDigits {
    char digits[32];
    int length = 0;
    int exponent = 0;
    bool negative = false;
};

ShortestDigits shortest_digits(double number) {
    ShortestDigits result;
    char text[64];
    const auto [end, error] =
        std::to_chars(text, text + sizeof(text), number, std::chars_format::scientific);
    TIPPLE_ASSERT(error == std::errc());
    const char* at = text;
    if (*at == '-') {
        result.negative = true;
        ++at;
    }
    for (; at != end && *at != 'e'; ++at) {
        if (*at != '.') result.digits[result.length++] = *at;
    }
    int exponent = 0;
    const char* digits = at + 1;
    if (*digits == '+') ++digits;
    std::from_chars(digits, end, exponent);
    while (result.length > 1 && result.digits[result.length - 1] == '0') --result.length;
    result.exponent = exponent + 1;
    return result;
}

/// `12.5`, `0.001`, `100.0`.
void append_fixed(std::string& out, const ShortestDigits& number) {
    const std::string_view digits(number.digits, static_cast<std::size_t>(number.length));
    if (number.exponent <= 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-number.exponent), '0');
        out += digits;
        return;
    }
    const auto whole = static_cast<std::size_t>(number.exponent);
    if (digits.size() <= whole) {
        out += digits;
        out.append(whole - digits.size(), '0');
        out += ".0";
    } else {
        out += digits.substr(0, whole);
        out += '.';
        out += digits.substr(whole);
    }
}

void append_mantissa(std::string& out, const ShortestDigits& number) {
    out += number.digits[0];
    if (number.length > 1) {
        out += '.';
        out.append(number.digits + 1, static_cast<std::size_t>(number.length - 1));
    }
}

}  // namespace

void append_number(std::string& out, double number) {
    if (number == 0) {
        out += std::signbit(number) ? "-0.0" : "0.0";
        return;
    }
    const ShortestDigits digits = shortest_digits(number);
    if (digits.negative) out += '-';
    if (digits.exponent > -5 && digits.exponent <= 16) {
        append_fixed(out, digits);
    } else {
        append_mantissa(out, digits);
        fmt::format_to(std::back_inserter(out), "e{}", digits.exponent - 1);
    }
}

std::string python_number(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    if (number == 0) return std::signbit(number) ? "-0.0" : "0.0";
    std::string out;
    const ShortestDigits digits = shortest_digits(number);
    if (digits.negative) out += '-';
    if (digits.exponent > -4 && digits.exponent <= 16) {
        append_fixed(out, digits);
    } else {
        append_mantissa(out, digits);
        const int exponent = digits.exponent - 1;
        fmt::format_to(std::back_inserter(out), "e{}{:02}", exponent < 0 ? '-' : '+',
                       std::abs(exponent));
    }
    return out;
}

namespace {

bool is_escaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

/// Where from `at` on the first character stands that is escaped; the text's size when there is none. Eight at a time.
std::size_t find_escaped(std::string_view text, std::size_t at) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof(word));
        const std::uint64_t quote = word ^ (ones * '"');
        const std::uint64_t backslash = word ^ (ones * '\\');
        const std::uint64_t hits = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
        if ((hits & (ones * 0x80)) != 0) break;
    }
    while (at < text.size() && !is_escaped(text[at])) ++at;
    return at;
}

/// Texts of megabytes are copied once, and not again for what follows them.
void make_room(std::string& out, std::size_t bytes) {
    constexpr std::size_t large = 1 << 16;
    if (bytes >= large && out.capacity() - out.size() < bytes + bytes / 16) out.reserve(out.size() + bytes + bytes / 16);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    make_room(out, text.size());
    out += '"';
    std::size_t start = 0;
    for (std::size_t i = find_escaped(text, 0); i < text.size(); i = find_escaped(text, i + 1)) {
        const auto c = static_cast<unsigned char>(text[i]);
        out += text.substr(start, i - start);
        start = i + 1;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
        }
    }
    out += text.substr(start);
    out += '"';
}

std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

namespace {

class Writer {
public:
    Writer(std::string& out, WriteOptions options) : out_(out), options_(options) {}

    void write(const Value& value, int depth) {
        if (value.is_null()) {
            out_ += "null";
        } else if (value.is_bool()) {
            out_ += value.as_bool() ? "true" : "false";
        } else if (value.is_int()) {
            fmt::format_to(std::back_inserter(out_), "{}", value.as_int());
        } else if (value.is_uint()) {
            fmt::format_to(std::back_inserter(out_), "{}", value.as_uint());
        } else if (value.is_double()) {
            if (std::isfinite(value.as_double())) {
                append_number(out_, value.as_double());
            } else {
                out_ += "null";
            }
        } else if (value.is_text()) {
            append_quoted(out_, value.as_text());
        } else if (value.is_array()) {
            write_array(value.as_array(), depth);
        } else {
            write_object(value.as_object(), depth);
        }
    }

private:
    void break_line(int depth) {
        if (options_.spacing == Spacing::compact) return;
        out_ += '\n';
        out_.append(static_cast<std::size_t>(depth) * 2, ' ');
    }

    void write_array(const Array& array, int depth) {
        out_ += '[';
        bool first = true;
        for (const Value& element : array) {
            if (!first) out_ += ',';
            first = false;
            break_line(depth + 1);
            write(element, depth + 1);
        }
        if (!array.empty()) break_line(depth);
        out_ += ']';
    }

    void write_member(const Member& member, int depth, bool& first) {
        if (!first) out_ += ',';
        first = false;
        break_line(depth + 1);
        append_quoted(out_, member.name);
        out_ += options_.spacing == Spacing::compact ? ":" : ": ";
        write(member.value, depth + 1);
    }

    void write_object(const Object& object, int depth) {
        out_ += '{';
        bool first = true;
        if (options_.key_order == KeyOrder::sorted) {
            // UTF-8 sorts like code points.
            std::vector<const Member*> members;
            for (const Member& member : object) members.push_back(&member);
            std::stable_sort(members.begin(), members.end(), [](const Member* a, const Member* b) {
                return a->name < b->name;
            });
            for (const Member* member : members) write_member(*member, depth, first);
        } else {
            for (const Member& member : object) write_member(member, depth, first);
        }
        if (!object.empty()) break_line(depth);
        out_ += '}';
    }

    std::string& out_;
    WriteOptions options_;
};

}  // namespace

void append_text(std::string& out, const Value& value, WriteOptions options) {
    Writer(out, options).write(value, 0);
}

std::string to_text(const Value& value, WriteOptions options) {
    std::string out;
    append_text(out, value, options);
    return out;
}

}  // namespace tipple::json
