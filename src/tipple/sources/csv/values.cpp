#include "tipple/sources/csv/values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tipple/core/text.h"
#include "tipple/schema/civil.h"

namespace tipple::sources::csv {

namespace civil = schema::civil;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> parse_bigint(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.empty() || !is_digit(digits.front()) || (digits.front() == '0' && text.size() > 1)) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> parse_double(std::string_view text) {
    const bool has_plus = text.starts_with('+');
    if (has_plus) text.remove_prefix(1);
    const auto is_whole_number = [&] { return text.find_first_not_of("-0123456789") == std::string_view::npos; };
    // A telephone number, an article number.
    const std::string_view number = text.substr(text.starts_with('-') ? 1 : 0);
    if ((has_plus && (is_whole_number() || text.starts_with('-'))) || (number.size() > 1 && number[0] == '0' && is_digit(number[1]))) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    // A whole number that a double cannot hold would lose its last digits.
    constexpr std::size_t safe_digits = 15;
    if (text.size() > safe_digits && is_whole_number()) {
        std::int64_t whole = 0;
        const bool is_whole = std::from_chars(text.data(), text.data() + text.size(), whole).ec == std::errc();
        if (!is_whole || static_cast<std::int64_t>(value) != whole) return std::nullopt;
    }
    return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
    const auto is = [&](std::string_view word) {
        if (text.size() != word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i) {
            if ((text[i] | 0x20) != word[i]) return false;
        }
        return true;
    };
    if (is("true")) return true;
    if (is("false")) return false;
    return std::nullopt;
}

/// Takes pieces off the front of a text.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_(text) {}

    bool is_at_end() const { return rest_.empty(); }
    /// The character in front, or 0.
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(char c) {
        if (peek() != c || rest_.empty()) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Between `digits_min` and `digits_max` digits, all that follow.
    std::optional<int> take_number(std::size_t digits_min, std::size_t digits_max) {
        std::size_t count = 0;
        int value = 0;
        while (count < rest_.size() && count <= digits_max && is_digit(rest_[count])) value = value * 10 + (rest_[count++] - '0');
        if (count < digits_min || count > digits_max) return std::nullopt;
        rest_.remove_prefix(count);
        return value;
    }
    /// `.` and digits, in microseconds; what is behind the sixth digit must be zeros.
    std::optional<int> take_fraction() {
        if (!take('.')) return 0;
        int value = 0;
        std::size_t count = 0;
        for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++count) {
            if (count < 6) value = value * 10 + (rest_.front() - '0');
            if (count >= 6 && rest_.front() != '0') return std::nullopt;
        }
        if (count == 0) return std::nullopt;
        for (; count < 6; ++count) value *= 10;
        return value;
    }

private:
    std::string_view rest_;
};

std::optional<std::int32_t> take_days(Cursor& cursor) {
    const std::optional<int> year = cursor.take_number(4, 4);
    const char separator = cursor.peek();
    if (!year || *year == 0 || (separator != '-' && separator != '/') || !cursor.take(separator)) return std::nullopt;
    const std::optional<int> month = cursor.take_number(1, 2);
    if (!month || *month < 1 || *month > 12 || !cursor.take(separator)) return std::nullopt;
    const std::optional<int> day = cursor.take_number(1, 2);
    if (!day || *day < 1 || *day > civil::days_in_month(*year, *month)) return std::nullopt;
    return civil::days_from_civil({.year = *year, .month = *month, .day = *day});
}

/// Microseconds since midnight.
std::optional<std::int64_t> take_time(Cursor& cursor) {
    const std::optional<int> hour = cursor.take_number(1, 2);
    if (!hour || *hour > 23 || !cursor.take(':')) return std::nullopt;
    const std::optional<int> minute = cursor.take_number(2, 2);
    if (!minute || *minute > 59) return std::nullopt;
    std::optional<int> second = 0;
    std::optional<int> fraction = 0;
    if (cursor.take(':')) {
        second = cursor.take_number(2, 2);
        if (!second || *second > 59) return std::nullopt;
        fraction = cursor.take_fraction();
        if (!fraction) return std::nullopt;
    }
    return (static_cast<std::int64_t>(*hour) * 3'600 + *minute * 60 + *second) * civil::us_per_second + *fraction;
}

/// `Z`, `+HH`, `+HHMM` or `+HH:MM`, in seconds east of UTC.
std::optional<std::int64_t> take_offset(Cursor& cursor) {
    if (cursor.take('Z')) return 0;
    const bool is_west = cursor.peek() == '-';
    if (!cursor.take('+') && !cursor.take('-')) return std::nullopt;
    const std::optional<int> number = cursor.take_number(2, 4);
    if (!number) return std::nullopt;
    int hours = *number;
    int minutes = 0;
    if (*number > 99) {
        hours = *number / 100;
        minutes = *number % 100;
    } else if (cursor.take(':')) {
        const std::optional<int> given = cursor.take_number(2, 2);
        if (!given) return std::nullopt;
        minutes = *given;
    }
    if (hours > 15 || minutes > 59) return std::nullopt;
    const std::int64_t seconds = hours * 3'600 + minutes * 60;
    return is_west ? -seconds : seconds;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
    Cursor cursor(text);
    const std::optional<std::int32_t> days = take_days(cursor);
    return days && cursor.is_at_end() ? days : std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    Cursor cursor(text);
    const std::optional<std::int64_t> us = take_time(cursor);
    return us && cursor.is_at_end() ? us : std::nullopt;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, bool may_have_zone) {
    Cursor cursor(text);
    const std::optional<std::int32_t> days = take_days(cursor);
    if (!days) return std::nullopt;
    const std::int64_t midnight = *days * civil::us_per_day;
    if (cursor.is_at_end()) return midnight;
    if (!cursor.take(' ') && !cursor.take('T')) return std::nullopt;
    const std::optional<std::int64_t> time = take_time(cursor);
    if (!time) return std::nullopt;
    if (cursor.is_at_end()) return midnight + *time;
    if (!may_have_zone) return std::nullopt;
    cursor.take(' ');
    const std::optional<std::int64_t> offset = take_offset(cursor);
    if (!offset || !cursor.is_at_end()) return std::nullopt;
    return midnight + *time - *offset * civil::us_per_second;
}

/// Digits behind the point that are zeros may be more than the column has.
std::optional<columns::int128> parse_decimal(std::string_view text, Type type) {
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    std::string_view whole = text.substr(0, point);
    std::string_view fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
    if (whole.empty() && fraction.empty()) return std::nullopt;
    while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
    if (whole == "0") whole.remove_prefix(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
    const auto scale = static_cast<std::size_t>(type.scale);
    if (fraction.size() > scale || whole.size() > static_cast<std::size_t>(type.precision - type.scale)) return std::nullopt;
    columns::int128 value = 0;
    for (const std::string_view digits : {whole, fraction}) {
        for (const char c : digits) {
            if (!is_digit(c)) return std::nullopt;
            value = value * 10 + (c - '0');
        }
    }
    for (std::size_t i = fraction.size(); i < scale; ++i) value *= 10;
    return is_negative ? -value : value;
}

std::optional<std::int64_t> parse_naive_timestamp(std::string_view text) { return parse_timestamp(text, false); }
std::optional<std::int64_t> parse_zoned_timestamp(std::string_view text) { return parse_timestamp(text, true); }

template <typename Parse, typename Append>
std::optional<std::size_t> append_all(Texts texts, Parse parse, Append append, columns::ColumnBuilder& out) {
    for (std::size_t row = 0; row < texts.size(); ++row) {
        const std::string_view text = trim(texts[row]);
        if (text.empty()) {
            out.append_null();
            continue;
        }
        const auto value = parse(text);
        if (!value) return row;
        append(*value);
    }
    return std::nullopt;
}

bool fits_trimmed(std::string_view text, Type type) {
    switch (type.kind) {
        case Kind::text: return true;
        case Kind::bigint: return parse_bigint(text).has_value();
        case Kind::float64: return parse_double(text).has_value();
        case Kind::boolean: return parse_boolean(text).has_value();
        case Kind::date: return parse_date(text).has_value();
        case Kind::time: return parse_time(text).has_value();
        case Kind::timestamp: return parse_naive_timestamp(text).has_value();
        case Kind::timestamp_tz: return parse_zoned_timestamp(text).has_value();
        case Kind::decimal: return parse_decimal(text, type).has_value();
    }
    return false;
}

}  // namespace

bool fits(std::string_view text, Type type) {
    const std::string_view trimmed = trim(text);
    return trimmed.empty() || fits_trimmed(trimmed, type);
}

columns::ColumnType column_type(Type type) {
    using schema::DataType;
    switch (type.kind) {
        case Kind::text: return {.type = DataType::text};
        case Kind::bigint: return {.type = DataType::bigint};
        case Kind::float64: return {.type = DataType::double_};
        case Kind::boolean: return {.type = DataType::bool_};
        case Kind::date: return {.type = DataType::date};
        case Kind::time: return {.type = DataType::time};
        case Kind::timestamp: return {.type = DataType::timestamp, .timezone = false};
        case Kind::timestamp_tz: return {.type = DataType::timestamp};
        case Kind::decimal: return {.type = DataType::decimal, .precision = type.precision, .scale = type.scale};
    }
    return {};
}

std::optional<Type> declared_type(const schema::Column& column) {
    using schema::DataType;
    switch (column.data_type().value_or(DataType::json)) {
        case DataType::text: return Type{.kind = Kind::text};
        case DataType::bigint: return Type{.kind = Kind::bigint};
        case DataType::double_: return Type{.kind = Kind::float64};
        case DataType::bool_: return Type{.kind = Kind::boolean};
        case DataType::date: return Type{.kind = Kind::date};
        case DataType::time: return Type{.kind = Kind::time};
        case DataType::timestamp: return Type{.kind = column.has_timezone() ? Kind::timestamp_tz : Kind::timestamp};
        case DataType::decimal: {
            const columns::ColumnType type = columns::column_type(column);
            return Type{.kind = Kind::decimal, .precision = type.precision, .scale = type.scale};
        }
        case DataType::wei:
        case DataType::binary:
        case DataType::json:
            break;
    }
    return std::nullopt;
}

std::optional<std::size_t> append_values(Texts texts, Type type, columns::ColumnBuilder& out) {
    const auto append_int64 = [&](std::int64_t value) { out.append_int64(value); };
    switch (type.kind) {
        case Kind::text:
            for (const std::string_view text : texts) {
                if (text.data() == nullptr) {
                    out.append_null();
                } else {
                    out.append_text(text);
                }
            }
            return std::nullopt;
        case Kind::bigint: return append_all(texts, parse_bigint, append_int64, out);
        case Kind::float64: return append_all(texts, parse_double, [&](double value) { out.append_double(value); }, out);
        case Kind::boolean: return append_all(texts, parse_boolean, [&](bool value) { out.append_bool(value); }, out);
        case Kind::date: return append_all(texts, parse_date, [&](std::int32_t value) { out.append_int32(value); }, out);
        case Kind::time: return append_all(texts, parse_time, append_int64, out);
        case Kind::timestamp: return append_all(texts, parse_naive_timestamp, append_int64, out);
        case Kind::timestamp_tz: return append_all(texts, parse_zoned_timestamp, append_int64, out);
        case Kind::decimal:
            return append_all(texts, [&](std::string_view text) { return parse_decimal(text, type); }, [&](columns::int128 value) { out.append_int128(value); }, out);
    }
    return std::nullopt;
}

std::optional<Type> find_type(Texts texts) {
    constexpr std::array kinds = {Kind::bigint, Kind::float64, Kind::boolean, Kind::date, Kind::timestamp, Kind::timestamp_tz, Kind::time};
    // Words that are numbers, such as nan, do not make a column of numbers.
    const auto has_digit = [](std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; };
    const auto is_blank = [](std::string_view text) { return trim(text).empty(); };
    if (std::all_of(texts.begin(), texts.end(), [](std::string_view text) { return text.empty(); })) return std::nullopt;
    if (std::all_of(texts.begin(), texts.end(), is_blank)) return Type{.kind = Kind::text};
    for (const Kind kind : kinds) {
        if (kind == Kind::float64 && std::none_of(texts.begin(), texts.end(), has_digit)) continue;
        const auto fits_kind = [&](std::string_view text) { return fits(text, {.kind = kind}); };
        if (std::all_of(texts.begin(), texts.end(), fits_kind)) return Type{.kind = kind};
    }
    return Type{.kind = Kind::text};
}

Type wider_type(Type type, std::string_view misfit) {
    const std::string_view text = trim(misfit);
    const auto first_that_fits = [&](std::initializer_list<Kind> kinds) {
        for (const Kind kind : kinds) {
            if (fits_trimmed(text, {.kind = kind})) return Type{.kind = kind};
        }
        return Type{.kind = Kind::text};
    };
    switch (type.kind) {
        case Kind::bigint:
            // Digits alone would lose zeros in front, or digits at the end.
            return text.find_first_of(".eE") != std::string_view::npos ? first_that_fits({Kind::float64}) : Type{.kind = Kind::text};
        case Kind::date: return first_that_fits({Kind::timestamp, Kind::timestamp_tz});
        case Kind::timestamp: return first_that_fits({Kind::timestamp_tz});
        default: return Type{.kind = Kind::text};
    }
}

}  // namespace tipple::sources::csv
