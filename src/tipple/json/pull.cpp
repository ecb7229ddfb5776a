#include "tipple/json/pull.h"

#include <algorithm>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tipple::json::pull {

std::string describe(Fault fault) {
    switch (fault) {
        case simdjson::UTF8_ERROR:
            return "the text is not valid UTF-8";
        case simdjson::NUMBER_ERROR:
            return "a number is malformed or out of range";
        case simdjson::STRING_ERROR:
            return "a string has a bad escape";
        case simdjson::UNCLOSED_STRING:
            return "a string is not closed";
        case simdjson::UNESCAPED_CHARS:
            return "a string holds a control character that is not escaped";
        case simdjson::T_ATOM_ERROR:
        case simdjson::F_ATOM_ERROR:
        case simdjson::N_ATOM_ERROR:
        case simdjson::TAPE_ERROR:
        case simdjson::INCORRECT_TYPE:
            return "a value is malformed (NaN, single quotes and comments are not JSON)";
        case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
            return "an object or list is not closed";
        case simdjson::DEPTH_ERROR:
            return "objects or lists are nested too deep";
        case simdjson::EMPTY:
            return "there is no JSON in it";
        case simdjson::CAPACITY:
            return "the text is too long";
        default:
            return simdjson::error_message(fault);
    }
}

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The four digits of `\uXXXX`, or -1.
int read_hex4(const char* digits) {
    int code = 0;
    for (int i = 0; i < 4; ++i) {
        const int value = hex_value(digits[i]);
        if (value < 0) return -1;
        code = code * 16 + value;
    }
    return code;
}

char* append_utf8(char* out, std::uint32_t code) {
    if (code < 0x80) {
        *out++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xC0 | (code >> 6));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xE0 | (code >> 12));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else {
        *out++ = static_cast<char>(0xF0 | (code >> 18));
        *out++ = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
}

/// Resolves one escape at `raw` (on the backslash). Advances both; false when it is not an escape of JSON.
bool unescape_one(const char*& raw, char*& out) {
    const char kind = raw[1];
    raw += 2;
    switch (kind) {
        case '"':
        case '\\':
        case '/':
            *out++ = kind;
            return true;
        case 'b':
            *out++ = '\b';
            return true;
        case 'f':
            *out++ = '\f';
            return true;
        case 'n':
            *out++ = '\n';
            return true;
        case 'r':
            *out++ = '\r';
            return true;
        case 't':
            *out++ = '\t';
            return true;
        case 'u':
            break;
        default:
            return false;
    }
    const int first = read_hex4(raw);
    if (first < 0) return false;
    raw += 4;
    auto code = static_cast<std::uint32_t>(first);
    if (code >= 0xD800 && code < 0xDC00) {
        // A high surrogate needs its low half; alone it is no character.
        if (raw[0] != '\\' || raw[1] != 'u') return false;
        const int second = read_hex4(raw + 2);
        if (second < 0xDC00 || second > 0xDFFF) return false;
        raw += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(second) - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return false;
    }
    out = append_utf8(out, code);
    return true;
}

}  // namespace

Unescape unescape(const char*& raw, char*& out, const char* out_end) {
    while (out_end - out >= 16) {
#if defined(__SSE2__)
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(raw));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
        const int quotes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        const int slashes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        if ((quotes | slashes) == 0) {
            raw += 16;
            out += 16;
            continue;
        }
        const int length = __builtin_ctz(static_cast<unsigned>(quotes | slashes));
        raw += length;
        out += length;
        if (*raw == '"') return Unescape::done;
        if (out_end - out < 16) return Unescape::full;
#else
        while (*raw != '"' && *raw != '\\' && out_end - out >= 16) *out++ = *raw++;
        if (*raw == '"') return Unescape::done;
        if (out_end - out < 16) return Unescape::full;
#endif
        if (!unescape_one(raw, out)) return Unescape::bad;
    }
    return Unescape::full;
}

bool unescape_into(const char* raw, std::string& text) {
    std::size_t used = 0;
    text.resize(std::max<std::size_t>(text.capacity(), 64));
    while (true) {
        char* out = text.data() + used;
        const Unescape result = unescape(raw, out, text.data() + text.size());
        used = static_cast<std::size_t>(out - text.data());
        if (result == Unescape::full) {
            text.resize(text.size() * 2);
            continue;
        }
        text.resize(used);
        return result == Unescape::done;
    }
}

namespace detail {

std::string_view number_text(std::string_view token) {
    // Only white space may follow: `1x` and `12/34` are no numbers, and cutting them would make one of them.
    return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

bool is_json_number(std::string_view text) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t start = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
        return i - start;
    };
    if (i < text.size() && text[i] == '-') ++i;
    const bool leading_zero = i < text.size() && text[i] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (digits() == 0) return false;
    }
    return i == text.size();
}

}  // namespace detail

}  // namespace tipple::json::pull
