#include "tipple/schema/coerce.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/json/value.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/unicode.h"

namespace tipple::schema {

namespace {

/// Digits of an integer literal, as Python limits them; leading zeros count.
constexpr std::size_t integer_digits_max = 4'300;

/// The exponent that a decimal literal may state. No destination holds more (Postgres ends here,
/// before the point), and a text of ten characters must not become gigabytes when it is written
/// without an exponent.
constexpr std::int32_t literal_exponent_max = 131'072;

/// A decimal becomes an integer only below 10^28: the reference divides with 28 digits.
constexpr std::int64_t integer_from_decimal_digits_max = 28;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Takes `+` or `-` off the front; true when it was `-`.
bool take_sign(std::string_view& text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    return negative;
}

/// Whether every `_` stands between two digits, of which `is_allowed` says what they are.
template <typename IsDigit>
bool has_good_underscores(std::string_view text, IsDigit is_allowed) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') continue;
        if (i == 0 || i + 1 == text.size() || !is_allowed(text[i - 1]) || !is_allowed(text[i + 1]))
            return false;
    }
    return true;
}

void erase_underscores(std::string& text) {
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
}

void strip_leading_zeros(std::string& digits) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
}

/// Digits to the smallest kind of integer that holds them.
Value integer_from_digits(std::string digits, bool negative) {
    strip_leading_zeros(digits);
    std::uint64_t magnitude = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
    constexpr auto int64_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (error == std::errc()) {
        if (!negative && magnitude > int64_max) return magnitude;
        if (!negative) return static_cast<std::int64_t>(magnitude);
        if (magnitude <= int64_max + 1) return static_cast<std::int64_t>(-magnitude);
    }
    Decimal decimal;
    decimal.negative = negative;
    decimal.digits = std::move(digits);
    return decimal;
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    c = to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Hexadecimal digits as decimal ones.
std::string decimal_digits_from_hex(std::string_view hex) {
    constexpr std::uint64_t base = 1'000'000'000;
    std::vector<std::uint32_t> limbs = {0};  // least significant first
    for (const char c : hex) {
        auto carry = static_cast<std::uint64_t>(hex_value(c));
        for (std::uint32_t& limb : limbs) {
            const std::uint64_t next = std::uint64_t{limb} * 16 + carry;
            limb = static_cast<std::uint32_t>(next % base);
            carry = next / base;
        }
        if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    std::string digits;
    for (std::size_t i = limbs.size(); i-- > 0;) digits += fmt::format("{:09}", limbs[i]);
    strip_leading_zeros(digits);
    return digits;
}

/// What stands behind `0x`: once more a sign, blanks and a prefix are allowed there.
std::optional<Value> parse_hex(std::string_view text) {
    const std::optional<std::string> ascii = unicode::to_ascii_literal(text);
    if (!ascii) return std::nullopt;
    std::string_view rest = *ascii;
    const bool negative = take_sign(rest);
    if (rest.starts_with("0x") || rest.starts_with("0X")) {
        rest.remove_prefix(2);
        if (rest.starts_with('_')) rest.remove_prefix(1);
    }
    std::string digits(rest);
    if (!has_good_underscores(digits, [](char c) { return hex_value(c) >= 0; }))
        return std::nullopt;
    erase_underscores(digits);
    if (digits.empty() || digits.size() > integer_digits_max ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return hex_value(c) >= 0; })) {
        return std::nullopt;
    }
    return integer_from_digits(decimal_digits_from_hex(digits), negative);
}

/// `text` without `0x` in front, when it is there.
std::optional<std::string_view> behind_hex_prefix(std::string_view text) {
    text = unicode::strip(text);
    if (!text.starts_with("0x")) return std::nullopt;
    return text.substr(2);
}

/// A number literal taken apart: digits before and behind the point, exponent.
struct Literal {
    std::string digits;
    std::size_t fraction_digits = 0;
    std::string_view exponent;  ///< with its sign; empty when there is none
};

/// `digits[.digits][e[sign]digits]`, with at least one digit before the exponent.
std::optional<Literal> split_literal(std::string_view text) {
    Literal literal;
    std::size_t at = 0;
    const auto take_digits = [&] {
        const std::size_t start = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        literal.digits += text.substr(start, at - start);
        return at - start;
    };
    take_digits();
    if (at < text.size() && text[at] == '.') {
        ++at;
        literal.fraction_digits = take_digits();
    }
    if (literal.digits.empty()) return std::nullopt;
    if (at == text.size()) return literal;
    if (to_lower(text[at]) != 'e') return std::nullopt;
    literal.exponent = text.substr(at + 1);
    std::string_view digits = literal.exponent;
    take_sign(digits);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
    return literal;
}

/// The value of an exponent, held at ±`limit` when it is beyond.
std::int64_t exponent_value(std::string_view text, std::int64_t limit) {
    const bool negative = take_sign(text);
    std::int64_t value = 0;
    for (const char c : text) value = std::min(value * 10 + (c - '0'), limit);
    return negative ? -value : value;
}

/// Correctly rounded; beyond the range infinity or zero, as Python does.
double double_from_digits(std::string_view digits, std::int64_t exponent, bool negative) {
    const std::string text = fmt::format("{}e{}", digits, exponent);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) {
        const std::size_t first = digits.find_first_not_of('0');
        const bool is_zero = first == std::string_view::npos;
        const std::int64_t magnitude =
            is_zero ? 0 : static_cast<std::int64_t>(digits.size() - first) + exponent;
        number = !is_zero && magnitude > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    }
    return negative ? -number : number;
}

std::optional<double> parse_special_float(std::string_view text) {
    const std::string word = lower(text);
    if (word == "inf" || word == "infinity") return std::numeric_limits<double>::infinity();
    if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
    return std::nullopt;
}

std::optional<Decimal> parse_special_decimal(std::string_view text) {
    const std::string word = lower(text);
    Decimal decimal;
    if (word == "inf" || word == "infinity") {
        decimal.special = Decimal::Special::infinity;
        return decimal;
    }
    // A signalling NaN, `snan`, is refused: no destination has one.
    if (!word.starts_with("nan")) return std::nullopt;
    decimal.special = Decimal::Special::nan;
    const std::string payload = word.substr(3);
    if (!std::all_of(payload.begin(), payload.end(), is_digit)) return std::nullopt;
    if (!payload.empty()) decimal.digits = payload;
    strip_leading_zeros(decimal.digits);
    return decimal;
}

}  // namespace

std::optional<double> parse_python_float(std::string_view text) {
    std::optional<std::string> ascii = unicode::to_ascii_literal(text);
    if (!ascii || !has_good_underscores(*ascii, is_digit)) return std::nullopt;
    erase_underscores(*ascii);
    std::string_view rest = *ascii;
    const bool negative = take_sign(rest);
    if (const auto special = parse_special_float(rest)) return negative ? -*special : *special;
    const std::optional<Literal> literal = split_literal(rest);
    if (!literal) return std::nullopt;
    const std::int64_t exponent = exponent_value(literal->exponent, std::int64_t{1} << 40);
    return double_from_digits(
        literal->digits, exponent - static_cast<std::int64_t>(literal->fraction_digits), negative);
}

std::optional<Value> parse_python_int(std::string_view text) {
    std::optional<std::string> ascii = unicode::to_ascii_literal(text);
    if (!ascii || !has_good_underscores(*ascii, is_digit)) return std::nullopt;
    erase_underscores(*ascii);
    std::string_view rest = *ascii;
    const bool negative = take_sign(rest);
    if (rest.empty() || rest.size() > integer_digits_max ||
        !std::all_of(rest.begin(), rest.end(), is_digit)) {
        return std::nullopt;
    }
    return integer_from_digits(std::string(rest), negative);
}

std::optional<Decimal> parse_decimal(std::string_view text) {
    std::optional<std::string> ascii = unicode::to_ascii_literal(text);
    if (!ascii) return std::nullopt;
    // Here `_` may stand anywhere.
    erase_underscores(*ascii);
    std::string_view rest = *ascii;
    const bool negative = take_sign(rest);
    std::optional<Decimal> decimal = parse_special_decimal(rest);
    if (!decimal) {
        std::optional<Literal> literal = split_literal(rest);
        if (!literal) return std::nullopt;
        const std::int64_t stated = exponent_value(literal->exponent, literal_exponent_max + 1);
        const std::int64_t exponent = stated - static_cast<std::int64_t>(literal->fraction_digits);
        if (std::abs(stated) > literal_exponent_max ||
            exponent < std::numeric_limits<std::int32_t>::min()) {
            return std::nullopt;
        }
        decimal.emplace();
        decimal->digits = std::move(literal->digits);
        decimal->exponent = static_cast<std::int32_t>(exponent);
        strip_leading_zeros(decimal->digits);
    }
    decimal->negative = negative;
    return decimal;
}

namespace {

/// Sign and word of a decimal that is no number.
std::string special_text(const Decimal& decimal) {
    std::string text = decimal.negative ? "-" : "";
    if (decimal.special == Decimal::Special::infinity) return text + "Infinity";
    text += "NaN";
    if (decimal.digits != "0") text += decimal.digits;
    return text;
}

/// Digits with a point in front of the last `-exponent` of them; `exponent` is not above 0.
std::string fixed_text(const Decimal& decimal) {
    std::string digits = decimal.digits;
    const auto fraction = static_cast<std::size_t>(-std::int64_t{decimal.exponent});
    if (fraction == 0) return digits;
    if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
    digits.insert(digits.size() - fraction, 1, '.');
    return digits;
}

/// The place of the first digit: 10^(result - 1) <= |decimal| < 10^result, unless it is zero.
std::int64_t magnitude_of(const Decimal& decimal) {
    return static_cast<std::int64_t>(decimal.digits.size()) + decimal.exponent;
}

bool is_zero(const Decimal& decimal) {
    return decimal.special == Decimal::Special::none && decimal.digits == "0";
}

}  // namespace

std::string to_text(const Decimal& decimal) {
    if (decimal.special != Decimal::Special::none) return special_text(decimal);
    const std::string sign = decimal.negative ? "-" : "";
    const std::int64_t magnitude = magnitude_of(decimal);
    if (decimal.exponent <= 0 && magnitude > -6) return sign + fixed_text(decimal);
    std::string mantissa = decimal.digits;
    if (mantissa.size() > 1) mantissa.insert(1, 1, '.');
    return fmt::format("{}{}E{:+}", sign, mantissa, magnitude - 1);
}

std::string to_plain_text(const Decimal& decimal) {
    if (decimal.special != Decimal::Special::none) return special_text(decimal);
    const std::string sign = decimal.negative ? "-" : "";
    if (decimal.exponent <= 0) return sign + fixed_text(decimal);
    if (is_zero(decimal)) return sign + "0";
    return sign + decimal.digits + std::string(static_cast<std::size_t>(decimal.exponent), '0');
}

Decimal decimal_from_double(double number) {
    std::optional<Decimal> decimal = parse_decimal(json::python_number(number));
    TIPPLE_ASSERT(decimal.has_value());
    return *std::move(decimal);
}

double to_double(const Decimal& decimal) {
    double number = 0;
    if (decimal.special == Decimal::Special::nan) {
        number = std::numeric_limits<double>::quiet_NaN();
    } else if (decimal.special == Decimal::Special::infinity) {
        number = std::numeric_limits<double>::infinity();
    } else {
        return double_from_digits(decimal.digits, decimal.exponent, decimal.negative);
    }
    return decimal.negative ? -number : number;
}

bool fits_wei(const Decimal& decimal) {
    static constexpr std::string_view positive_max = "578960446186580977117854925043439539266";
    static constexpr std::string_view negative_max = "578960446186580977117854925043439539267";
    if (decimal.special != Decimal::Special::none) return false;
    const std::string_view limit = decimal.negative ? negative_max : positive_max;
    const std::int64_t magnitude = magnitude_of(decimal);
    if (is_zero(decimal) || magnitude < static_cast<std::int64_t>(limit.size())) return true;
    if (magnitude > static_cast<std::int64_t>(limit.size())) return false;
    const std::string_view digits = decimal.digits;
    const std::string_view front = digits.substr(0, limit.size());
    const int order = front.compare(limit.substr(0, front.size()));
    if (order != 0) return order < 0;
    // Equal so far: what is left decides, unless it is zeros.
    return digits.substr(front.size()).find_first_not_of('0') == std::string_view::npos;
}

Timestamp apply_timezone(Timestamp timestamp, bool has_timezone) {
    return {timestamp.us, has_timezone};
}

namespace {

std::optional<bool> bool_from_text(std::string_view text) {
    if (text.size() > 5) return std::nullopt;
    const std::string word = lower(text);
    for (const std::string_view yes : {"yes", "true", "t", "y", "1"}) {
        if (word == yes) return true;
    }
    for (const std::string_view no : {"no", "false", "f", "n", "0"}) {
        if (word == no) return false;
    }
    return std::nullopt;
}

std::optional<Value> bigint_from_double(double number) {
    if (!std::isfinite(number) || std::trunc(number) != number) return std::nullopt;
    // An exact expansion has at most 309 digits and a sign.
    std::array<char, 330> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                            std::abs(number), std::chars_format::fixed, 0);
    TIPPLE_ASSERT(error == std::errc());
    return integer_from_digits(std::string(buffer.data(), end), number < 0);
}

std::optional<Value> bigint_from_decimal(const Decimal& decimal) {
    if (decimal.special != Decimal::Special::none) return std::nullopt;
    if (is_zero(decimal)) return std::int64_t{0};
    const std::int64_t magnitude = magnitude_of(decimal);
    if (magnitude < 1 || magnitude > integer_from_decimal_digits_max) return std::nullopt;
    const auto whole = static_cast<std::size_t>(magnitude);
    std::string digits = decimal.digits;
    if (digits.size() > whole && digits.find_first_not_of('0', whole) != std::string::npos)
        return std::nullopt;
    digits.resize(whole, '0');
    return integer_from_digits(std::move(digits), decimal.negative);
}

/// `0x` and hexadecimal digits in pairs, between which blanks may stand, or strict base64.
std::optional<Value> binary_from_text(std::string_view text) {
    Binary binary;
    if (!text.starts_with("0x")) {
        if (!try_parse_base64(text, binary.bytes)) return std::nullopt;
        return binary;
    }
    for (std::size_t at = 2; at < text.size();) {
        if (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')) {
            ++at;
            continue;
        }
        if (at + 1 == text.size()) return std::nullopt;
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        binary.bytes += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return binary;
}

std::optional<Value> binary_from_integer(std::uint64_t number) {
    Binary binary;
    for (; number != 0; number >>= 8) binary.bytes += static_cast<char>(number & 0xFFU);
    return binary;
}

/// Whether a number in `value` was beyond the doubles: written as JSON it would be null.
bool has_infinity(const json::Value& value) {
    if (value.is_double()) return !std::isfinite(value.as_double());
    if (value.is_array())
        return std::any_of(value.as_array().begin(), value.as_array().end(), has_infinity);
    if (!value.is_object()) return false;
    const json::Object& object = value.as_object();
    return std::any_of(object.begin(), object.end(),
                       [](const json::Member& member) { return has_infinity(member.value); });
}

/// A JSON `null` becomes a null value: that is what it is in the column.
std::optional<Value> json_from_text(std::string_view text) {
    json::Value parsed;
    if (!json::try_parse(text, parsed) || has_infinity(parsed)) return std::nullopt;
    if (parsed.is_null()) return Value();
    return Json{json::to_text(parsed)};
}

/// An optional value of one type as one of any type.
template <typename T>
std::optional<Value> widen(std::optional<T> value) {
    if (!value) return std::nullopt;
    return Value(*std::move(value));
}

Date date_of(const Timestamp& timestamp) {
    return {static_cast<std::int32_t>(civil::floor_div(timestamp.us, civil::us_per_day))};
}

std::optional<Value> date_of(const std::optional<Timestamp>& timestamp) {
    if (!timestamp) return std::nullopt;
    return date_of(*timestamp);
}

Decimal decimal_from_integer(const Value& integer) {
    Decimal decimal;
    if (const auto* number = integer.get_if<std::int64_t>()) {
        decimal.negative = *number < 0;
        decimal.digits = fmt::format("{}", *number).substr(decimal.negative ? 1 : 0);
    } else {
        decimal.digits = fmt::format("{}", integer.as<std::uint64_t>());
    }
    return decimal;
}

std::optional<Value> number_from_hex(DataType to, std::string_view text) {
    std::optional<Value> integer = parse_hex(text);
    if (!integer || to == DataType::bigint) return integer;
    const auto* big = integer->get_if<Decimal>();
    Decimal decimal = big != nullptr ? *big : decimal_from_integer(*integer);
    if (to == DataType::wei) return Wei{std::move(decimal)};
    if (to == DataType::decimal) return decimal;
    const double number = to_double(decimal);
    // An integer literal that no double holds is refused, while `1e400` is infinity.
    if (std::isinf(number)) return std::nullopt;
    return number;
}

std::optional<Value> from_text(DataType to, const std::string& text) {
    const bool is_number = to == DataType::bigint || to == DataType::double_ ||
                           to == DataType::decimal || to == DataType::wei;
    if (is_number) {
        if (const auto hex = behind_hex_prefix(text)) return number_from_hex(to, *hex);
    }
    switch (to) {
        case DataType::text:
            return text;
        case DataType::bigint:
            return parse_python_int(text);
        case DataType::double_:
            return widen(parse_python_float(text));
        case DataType::bool_:
            return widen(bool_from_text(text));
        case DataType::timestamp:
            return widen(exact_timestamp_from_text(text));
        case DataType::date:
            return widen(date_from_text(text));
        case DataType::time:
            return widen(exact_time_from_text(text));
        case DataType::decimal:
            return widen(parse_decimal(text));
        case DataType::wei: {
            std::optional<Decimal> decimal = parse_decimal(text);
            return decimal ? std::optional<Value>(Wei{*std::move(decimal)}) : std::nullopt;
        }
        case DataType::binary:
            return binary_from_text(text);
        case DataType::json:
            return json_from_text(text);
    }
    return std::nullopt;
}

/// `integer` is an int64 or a uint64.
std::optional<Value> from_integer(DataType to, const Value& integer) {
    const auto* small = integer.get_if<std::int64_t>();
    const std::uint64_t large = small == nullptr ? integer.as<std::uint64_t>() : 0;
    switch (to) {
        case DataType::text:
            return small != nullptr ? fmt::format("{}", *small) : fmt::format("{}", large);
        case DataType::bigint:
            return integer;
        case DataType::double_:
            return small != nullptr ? static_cast<double>(*small) : static_cast<double>(large);
        case DataType::bool_:
            return small != nullptr ? *small != 0 : large != 0;
        case DataType::timestamp:
            return small != nullptr ? widen(timestamp_from_seconds(*small)) : std::nullopt;
        case DataType::date:
            return small != nullptr ? date_of(timestamp_from_seconds(*small)) : std::nullopt;
        case DataType::decimal:
            return decimal_from_integer(integer);
        case DataType::wei:
            return Wei{decimal_from_integer(integer)};
        case DataType::binary:
            if (small != nullptr && *small < 0) return std::nullopt;
            return binary_from_integer(small != nullptr ? static_cast<std::uint64_t>(*small)
                                                        : large);
        case DataType::time:
        case DataType::json:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Value> from_double(DataType to, double number) {
    switch (to) {
        case DataType::text:
            return json::python_number(number);
        case DataType::bigint:
            return bigint_from_double(number);
        case DataType::double_:
            return number;
        case DataType::bool_:
            return number != 0;
        case DataType::timestamp:
            return widen(timestamp_from_seconds(number));
        case DataType::date:
            return date_of(timestamp_from_seconds(number));
        case DataType::decimal:
            return decimal_from_double(number);
        case DataType::wei:
            return Wei{decimal_from_double(number)};
        case DataType::time:
        case DataType::binary:
        case DataType::json:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Value> from_decimal(DataType to, const Decimal& decimal) {
    switch (to) {
        case DataType::text:
            return to_text(decimal);
        case DataType::bigint:
            return bigint_from_decimal(decimal);
        case DataType::double_:
            return to_double(decimal);
        case DataType::bool_:
            return !is_zero(decimal);
        case DataType::decimal:
            return decimal;
        case DataType::wei:
            return Wei{decimal};
        default:
            return std::nullopt;
    }
}

/// Everything that is no number and no text: only into itself, text, and between dates and
/// timestamps.
struct OtherCoercion {
    DataType to;

    template <typename T>
    std::optional<Value> self_or_text(DataType self, const T& value, std::string text) const {
        if (to == self) return Value(value);
        return to == DataType::text ? std::optional<Value>(std::move(text)) : std::nullopt;
    }

    std::optional<Value> operator()(bool value) const {
        return self_or_text(DataType::bool_, value, value ? "True" : "False");
    }
    std::optional<Value> operator()(const Timestamp& value) const {
        if (to == DataType::date) return date_of(value);
        return self_or_text(DataType::timestamp, value, to_exact_text(value));
    }
    std::optional<Value> operator()(const Date& value) const {
        if (to == DataType::timestamp) return Timestamp{value.days * civil::us_per_day, false};
        return self_or_text(DataType::date, value, to_iso_text(value));
    }
    std::optional<Value> operator()(const Time& value) const {
        return self_or_text(DataType::time, value, to_exact_text(value));
    }
    std::optional<Value> operator()(const Binary& value) const {
        return self_or_text(DataType::binary, value, to_base64(value.bytes));
    }
    std::optional<Value> operator()(const Json& value) const {
        return self_or_text(DataType::json, value, value.text);
    }
    std::optional<Value> operator()(const std::string& value) const { return from_text(to, value); }
    std::optional<Value> operator()(std::int64_t value) const { return from_integer(to, value); }
    std::optional<Value> operator()(std::uint64_t value) const { return from_integer(to, value); }
    std::optional<Value> operator()(double value) const { return from_double(to, value); }
    std::optional<Value> operator()(const Decimal& value) const { return from_decimal(to, value); }
    std::optional<Value> operator()(const Wei& value) const {
        return from_decimal(to, value.value);
    }
    std::optional<Value> operator()(std::monostate) const {
        throw_bug("nulls are not coerced", __FILE__, __LINE__);
    }
    std::optional<Value> operator()(const List&) const {
        throw_bug("lists are flattened or Json", __FILE__, __LINE__);
    }
    std::optional<Value> operator()(const Object&) const {
        throw_bug("objects are flattened or Json", __FILE__, __LINE__);
    }
};

}  // namespace

std::optional<Value> coerce(DataType to, const Value& value) {
    return std::visit(OtherCoercion{to}, static_cast<const Value::variant&>(value));
}

}  // namespace tipple::schema
