#include "tipple/sources/csv_values.h"

#include <charconv>
#include <map>

#include "tipple/core/text.h"
#include "tipple/schema/civil.h"

namespace tipple::sources {

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
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    // A whole number that a double cannot hold would lose its last digits.
    constexpr std::size_t safe_digits = 15;
    if (text.size() > safe_digits && text.find_first_not_of("-0123456789") == std::string_view::npos) {
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

template <typename Parse, typename Append>
std::optional<std::string> append_all(const columns::ColumnView& texts, Parse parse, Append append, columns::ColumnBuilder& out) {
    for (std::size_t row = 0; row < texts.length; ++row) {
        const std::string_view text = texts.is_null(row) ? std::string_view{} : trim(texts.text(row));
        if (text.empty()) {
            out.append_null();
            continue;
        }
        const auto value = parse(text);
        if (!value) return std::string(text);
        append(*value);
    }
    return std::nullopt;
}

}  // namespace

std::optional<CsvType> csv_type(std::string_view sql_type) {
    static const std::map<std::string, CsvType, std::less<>> types = {
        {"BIGINT", CsvType::bigint},       {"DOUBLE", CsvType::float64},
        {"BOOLEAN", CsvType::boolean},     {"DATE", CsvType::date},
        {"TIME", CsvType::time},           {"TIMESTAMP", CsvType::timestamp},
        {"TIMESTAMP WITH TIME ZONE", CsvType::timestamp_tz}};
    const auto found = types.find(sql_type);
    return found == types.end() ? std::nullopt : std::optional(found->second);
}

columns::ColumnType column_type(CsvType type) {
    using schema::DataType;
    switch (type) {
        case CsvType::bigint: return {.type = DataType::bigint};
        case CsvType::float64: return {.type = DataType::double_};
        case CsvType::boolean: return {.type = DataType::bool_};
        case CsvType::date: return {.type = DataType::date};
        case CsvType::time: return {.type = DataType::time};
        case CsvType::timestamp: return {.type = DataType::timestamp, .timezone = false};
        case CsvType::timestamp_tz: return {.type = DataType::timestamp};
    }
    return {};
}

std::optional<std::string> append_csv_values(const columns::ColumnView& texts, CsvType type, columns::ColumnBuilder& out) {
    const auto append_int64 = [&](std::int64_t value) { out.append_int64(value); };
    switch (type) {
        case CsvType::bigint: return append_all(texts, parse_bigint, append_int64, out);
        case CsvType::float64: return append_all(texts, parse_double, [&](double value) { out.append_double(value); }, out);
        case CsvType::boolean: return append_all(texts, parse_boolean, [&](bool value) { out.append_bool(value); }, out);
        case CsvType::date: return append_all(texts, parse_date, [&](std::int32_t value) { out.append_int32(value); }, out);
        case CsvType::time: return append_all(texts, parse_time, append_int64, out);
        case CsvType::timestamp: return append_all(texts, [](std::string_view text) { return parse_timestamp(text, false); }, append_int64, out);
        case CsvType::timestamp_tz: return append_all(texts, [](std::string_view text) { return parse_timestamp(text, true); }, append_int64, out);
    }
    return std::nullopt;
}

std::optional<CsvType> wider_csv_type(CsvType type, std::string_view misfit) {
    switch (type) {
        case CsvType::bigint:
            // Digits alone would lose zeros in front, or digits at the end.
            if (misfit.find_first_of(".eE") != std::string_view::npos && parse_double(misfit)) return CsvType::float64;
            break;
        case CsvType::date:
            if (parse_timestamp(misfit, false)) return CsvType::timestamp;
            [[fallthrough]];
        case CsvType::timestamp:
            if (parse_timestamp(misfit, true)) return CsvType::timestamp_tz;
            break;
        case CsvType::float64:
        case CsvType::boolean:
        case CsvType::time:
        case CsvType::timestamp_tz:
            break;
    }
    return std::nullopt;
}

}  // namespace tipple::sources
