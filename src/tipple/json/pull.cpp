#include "tipple/json/pull.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tipple::json::pull {

std::string_view describe(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "nothing";
        case Fault::utf8:
            return "the text is not valid UTF-8";
        case Fault::unclosed_string:
            return "a string is not closed";
        case Fault::control_character:
            return "a string holds a control character that is not escaped";
        case Fault::number:
            return "a number is malformed";
        case Fault::number_range:
            return "a number is too large for a double";
        case Fault::string_escape:
            return "a string has a bad escape";
        case Fault::literal:
            return "a value is malformed (NaN, single quotes and comments are not JSON)";
        case Fault::unexpected:
            return "a comma, colon, quote or bracket is missing or out of place";
        case Fault::not_closed:
            return "an object or list is not closed";
        case Fault::too_deep:
            static_assert(limits::json_depth_max == 1'000, "the text says how deep");
            return "objects or lists are nested deeper than 1,000 levels";
        case Fault::empty:
            return "there is no JSON in it";
        case Fault::too_long:
            return "the text is too long";
        case Fault::trailing:
            return "something follows the value";
        case Fault::given_up:
        case Fault::stopped:
            return "the walk was ended";
    }
    return "unknown";
}

struct Index::Impl {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    std::size_t capacity = 0;
    const char* text = nullptr;
};

Index::Index() : impl_(std::make_unique<Impl>()) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

namespace {

Fault to_fault(simdjson::error_code code) {
    switch (code) {
        case simdjson::SUCCESS:
            return Fault::none;
        case simdjson::UTF8_ERROR:
            return Fault::utf8;
        case simdjson::UNCLOSED_STRING:
            return Fault::unclosed_string;
        case simdjson::UNESCAPED_CHARS:
            return Fault::control_character;
        case simdjson::EMPTY:
            return Fault::empty;
        case simdjson::CAPACITY:
            return Fault::too_long;
        default:
            return Fault::unexpected;
    }
}

}  // namespace

Fault Index::build(const char* text, std::size_t length) {
    impl_->text = text;
    if (impl_->stage == nullptr || length > impl_->capacity) {
        // Four bytes per byte of text: grown in steps, so that pages of about one size share one allocation.
        impl_->capacity = std::max<std::size_t>(length + length / 4, 64);
        impl_->stage.reset();
        const simdjson::error_code code =
            simdjson::get_active_implementation()->create_dom_parser_implementation(impl_->capacity, 1, impl_->stage);
        if (code == simdjson::MEMALLOC) throw std::bad_alloc();
        if (code != simdjson::SUCCESS) return to_fault(code);
    }
    const Fault fault =
        to_fault(impl_->stage->stage1(reinterpret_cast<const std::uint8_t*>(text), length, simdjson::stage1_mode::regular));
    if (fault != Fault::none) impl_->stage->n_structural_indexes = 0;
    // A text of blanks holds no document, which is fine.
    return fault == Fault::empty ? Fault::none : fault;
}

Cursor Index::cursor() const {
    const std::uint32_t* first = impl_->stage->structural_indexes.get();
    return {.text = impl_->text, .at = first, .end = first + impl_->stage->n_structural_indexes};
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
            // So much comes up to the next quote at least: texts of megabytes are not moved again and again.
            const char* quote = raw;
            while (*quote != '"') ++quote;
            text.resize(std::max(text.size() * 2, used + static_cast<std::size_t>(quote - raw) + 16));
            continue;
        }
        text.resize(used);
        return result == Unescape::done;
    }
}

namespace {

/// A number of JSON's grammar, read in one pass: mantissa × 10^exponent.
struct Decimal {
    const char* end = nullptr;
    bool is_integer = true;
    bool is_exact = true;  ///< all digits are in the mantissa
    std::uint64_t mantissa = 0;
    std::int64_t exponent = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits of the mantissa; at most 19 of them are kept.
const char* read_digits(const char* at, Decimal& decimal, int& kept) {
    for (; is_digit(*at); ++at) {
        if (kept == 19) {
            decimal.is_exact = decimal.is_exact && *at == '0';
            ++decimal.exponent;
            continue;
        }
        decimal.mantissa = decimal.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
        if (decimal.mantissa != 0) ++kept;
    }
    return at;
}

/// False when it is no number of JSON.
bool read_decimal(const char* token, Decimal& decimal) {
    const char* at = token + (*token == '-' ? 1 : 0);
    int kept = 0;
    const char* whole = at;
    at = read_digits(at, decimal, kept);
    if (at == whole || (*whole == '0' && at - whole > 1)) return false;
    if (*at == '.') {
        decimal.is_integer = false;
        const char* fraction = ++at;
        at = read_digits(at, decimal, kept);
        if (at == fraction) return false;
        decimal.exponent -= at - fraction;
    }
    if (*at == 'e' || *at == 'E') {
        decimal.is_integer = false;
        ++at;
        const bool is_negative = *at == '-';
        if (*at == '-' || *at == '+') ++at;
        const char* digits = at;
        std::int64_t exponent = 0;
        for (; is_digit(*at); ++at) exponent = std::min<std::int64_t>(exponent * 10 + (*at - '0'), 100'000);
        if (at == digits) return false;
        decimal.exponent += is_negative ? -exponent : exponent;
    }
    decimal.end = at;
    return ends_scalar(*at);
}

/// Mantissas up to 2^53 with a small power of ten are exact in one operation (Clinger). False = take the long way.
bool try_exact_double(const Decimal& decimal, double& value) {
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (!decimal.is_exact || decimal.mantissa > (std::uint64_t{1} << 53) || decimal.exponent < -22 || decimal.exponent > 22) return false;
    value = static_cast<double>(decimal.mantissa);
    value = decimal.exponent < 0 ? value / powers[-decimal.exponent] : value * powers[decimal.exponent];
    return true;
}

}  // namespace

Fault read_any_number(const char* token, Number& number) {
    Decimal decimal;
    if (!read_decimal(token, decimal)) return Fault::number;
    if (decimal.is_integer) {
        number.kind = NumberKind::int64;
        if (std::from_chars(token, decimal.end, number.int64).ec == std::errc()) return Fault::none;
        number.kind = NumberKind::uint64;
        if (*token != '-' && std::from_chars(token, decimal.end, number.uint64).ec == std::errc()) return Fault::none;
        number.kind = NumberKind::beyond;
        number.text = {token, static_cast<std::size_t>(decimal.end - token)};
        return Fault::none;
    }
    number.kind = NumberKind::float64;
    if (try_exact_double(decimal, number.float64)) {
        if (*token == '-') number.float64 = -number.float64;
        return Fault::none;
    }
    if (std::from_chars(token, decimal.end, number.float64).ec == std::errc()) return Fault::none;
    // Too small for from_chars is zero or nearly so, with its sign; too large is no number at all.
    number.float64 = std::strtod(std::string(token, decimal.end).c_str(), nullptr);
    return std::isinf(number.float64) ? Fault::number_range : Fault::none;
}

Fault skip_value(Cursor& cursor) {
    std::size_t depth = 0;
    do {
        if (cursor.is_at_end()) return Fault::not_closed;
        const char c = *cursor.take();
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') {
            if (depth == 0) return Fault::unexpected;
            --depth;
        }
    } while (depth > 0);
    return Fault::none;
}

}  // namespace tipple::json::pull
