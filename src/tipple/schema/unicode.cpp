#include "tipple/schema/unicode.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tipple::schema::unicode {

namespace {

/// The zero of every run of ten decimal digits (general category Nd, Unicode 14).
constexpr std::array<std::uint32_t, 66> zeros = {
    0x30,    0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,
    0xC66,   0xCE6,   0xD66,   0xDE6,   0xE50,   0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,
    0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,
    0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0,
    0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Where the character before byte `end` starts.
std::size_t character_before(std::string_view text, std::size_t end) {
    for (std::size_t length = 1; length <= 4 && length <= end; ++length) {
        const std::size_t start = end - length;
        if (is_continuation(text[start])) continue;
        return decode(text, start).length == length ? start : end - 1;
    }
    return end - 1;
}

}  // namespace

Character decode(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return {lead, 1};
    const Character invalid{0xFFFD, 1};
    if (lead < 0xC2 || lead > 0xF4) return invalid;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (text.size() - at < length) return invalid;
    std::uint32_t code = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[at + i])) return invalid;
        code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (is_overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return invalid;
    return {static_cast<char32_t>(code), length};
}

std::size_t length(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); at += decode(text, at).length) ++count;
    return count;
}

bool is_space(char32_t code) {
    if (code < 0x80) return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20);
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

int digit_value(char32_t code) {
    if (code < 0x80) return code >= U'0' && code <= U'9' ? static_cast<int>(code - U'0') : -1;
    const auto above = std::upper_bound(zeros.begin(), zeros.end(), code);
    const auto value = static_cast<std::uint32_t>(code) - *(above - 1);
    return value < 10 ? static_cast<int>(value) : -1;
}

std::string_view strip(std::string_view text) {
    while (!text.empty()) {
        const Character first = decode(text, 0);
        if (!is_space(first.code)) break;
        text.remove_prefix(first.length);
    }
    while (!text.empty()) {
        const std::size_t last = character_before(text, text.size());
        if (!is_space(decode(text, last).code)) break;
        text = text.substr(0, last);
    }
    return text;
}

std::optional<std::string> to_ascii_literal(std::string_view text) {
    text = strip(text);
    std::string ascii;
    ascii.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Character character = decode(text, at);
        at += character.length;
        if (character.code < 0x80) {
            ascii += static_cast<char>(character.code);
            continue;
        }
        const int digit = digit_value(character.code);
        if (digit < 0) return std::nullopt;
        ascii += static_cast<char>('0' + digit);
    }
    return ascii;
}

}  // namespace tipple::schema::unicode
