#include "tipple/schema/datetime_text.h"

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "tipple/schema/civil.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/unicode.h"

namespace tipple::schema {

namespace {

/// Offsets of a day and more are no zones.
constexpr int offset_limit_seconds = 86'400;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// What the parsers below fill in before anything is checked against the calendar.
struct Fields {
    bool has_date = false;
    bool has_time = false;
    civil::Day date;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int microsecond = 0;
    int nanosecond = 0;  ///< beyond the microseconds
    std::optional<std::int32_t> offset_seconds;
};

std::optional<DateTimeText> to_datetime_text(const Fields& fields) {
    DateTimeText result;
    result.offset_seconds = fields.offset_seconds;
    if (fields.has_date) {
        const civil::Day& date = fields.date;
        if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 ||
            date.day < 1 || date.day > civil::days_in_month(date.year, date.month)) {
            return std::nullopt;
        }
        result.us = civil::days_from_civil(date) * civil::us_per_day;
    }
    if (fields.hour > 23 || fields.minute > 59 || fields.second > 59) return std::nullopt;
    const int seconds = (fields.hour * 60 + fields.minute) * 60 + fields.second;
    result.us += seconds * civil::us_per_second + fields.microsecond;
    result.ns = static_cast<std::int16_t>(fields.nanosecond);
    result.kind = !fields.has_date  ? DateTimeKind::time
                  : fields.has_time ? DateTimeKind::timestamp
                                    : DateTimeKind::date;
    return result;
}

/// The strict ISO 8601 forms. Every `read_` moves on and says whether the text goes on as the form
/// demands.
class IsoReader {
public:
    explicit IsoReader(std::string_view text) : text_(text) {}

    bool read(Fields& fields) {
        if (current() == 'T') {
            fields.has_time = true;
            return read_time_and_zone(fields) && at_end();
        }
        int first = 0;
        if (!read_number(2, first)) return false;
        if (current() == ':') {
            fields.has_time = true;
            fields.hour = first;
            is_extended_ = true;
            return read_minutes(fields) && read_zone(fields) && at_end();
        }
        int second = 0;
        if (!read_number(2, second)) return false;
        fields.has_date = true;
        fields.date.year = first * 100 + second;
        if (fields.date.year < 1 || !read_date(fields)) return false;
        if (at_end()) return true;
        fields.has_time = true;
        return read_time_and_zone(fields) && at_end();
    }

private:
    bool at_end() const { return at_ == text_.size(); }
    char current() const { return at_end() ? '\0' : text_[at_]; }
    bool at_date_end() const { return at_end() || current() == ' ' || current() == 'T'; }
    bool at_zone() const { return current() == 'Z' || current() == '+' || current() == '-'; }

    bool skip(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool read_number(int digits, int& number) {
        number = 0;
        for (int i = 0; i < digits; ++i) {
            if (!is_digit(current())) return false;
            number = number * 10 + (text_[at_++] - '0');
        }
        return true;
    }

    /// Behind the year.
    bool read_date(Fields& fields) {
        if (at_end()) return true;
        if (skip('-')) {
            is_extended_ = true;
            return skip('W') ? read_week(fields) : read_extended_date(fields);
        }
        return skip('W') ? read_week(fields) : read_compact_date(fields);
    }

    /// `MM`, `MM-DD` or `DDD`.
    bool read_extended_date(Fields& fields) {
        if (!read_number(2, fields.date.month)) return false;
        if (at_date_end()) return true;
        if (skip('-')) return read_number(2, fields.date.day);
        int last = 0;
        return read_number(1, last) && set_day_of_year(fields, fields.date.month * 10 + last);
    }

    /// `MMDD` or `DDD`.
    bool read_compact_date(Fields& fields) {
        int last = 0;
        if (!read_number(2, fields.date.month) || !read_number(1, last)) return false;
        if (at_date_end()) return set_day_of_year(fields, fields.date.month * 10 + last);
        int digit = 0;
        if (!read_number(1, digit)) return false;
        fields.date.day = last * 10 + digit;
        return true;
    }

    /// `ww`, `ww-D`, `wwD`; behind the `W`.
    bool read_week(Fields& fields) {
        int week = 0;
        int weekday = 1;
        if (!read_number(2, week)) return false;
        if (!at_date_end()) {
            if (is_extended_ && !skip('-')) return false;
            if (!read_number(1, weekday)) return false;
        }
        return set_week(fields, week, weekday);
    }

    static bool set_day_of_year(Fields& fields, int day) {
        const auto& before = civil::days_before_month[civil::is_leap(fields.date.year) ? 1 : 0];
        if (day < 1 || day > before[12]) return false;
        fields.date.month = 1;
        while (before[static_cast<std::size_t>(fields.date.month)] < day) ++fields.date.month;
        fields.date.day = day - before[static_cast<std::size_t>(fields.date.month) - 1];
        return true;
    }

    /// Week and weekday 0 are accepted: they count backwards, as the reference does.
    static bool set_week(Fields& fields, int week, int weekday) {
        const int year = fields.date.year;
        const std::int64_t first = civil::days_to_year(year);
        const auto weekday_of = [](std::int64_t days) {
            return static_cast<int>(((days + 3) % 7 + 7) % 7);
        };
        const int january_1 = weekday_of(first);  // Monday is 0
        const bool is_long = january_1 == 3 || (january_1 == 2 && civil::is_leap(year));
        if (week > (is_long ? 53 : 52) || weekday > 7) return false;
        // January 4th is always in week 1.
        const std::int64_t monday = first + 3 - weekday_of(first + 3);
        fields.date = civil::civil_from_days(monday + std::int64_t{(week - 1) * 7 + weekday - 1});
        return true;
    }

    /// From the `T` or blank on.
    bool read_time_and_zone(Fields& fields) {
        if (!skip('T') && !skip(' ')) return false;
        return read_number(2, fields.hour) && read_minutes(fields) && read_zone(fields);
    }

    /// Behind the hour.
    bool read_minutes(Fields& fields) {
        if (at_end() || at_zone()) return true;
        if (!skip(':')) {
            if (is_extended_ || !read_number(2, fields.minute)) return false;
            if (at_end() || at_zone()) return true;
            return read_seconds(fields);
        }
        if (!read_number(2, fields.minute)) return false;
        if (at_end() || at_zone()) return true;
        // `HH:MM` may follow a compact date or a leading `T`, but `HH:MM:SS` may not.
        return is_extended_ && skip(':') && read_seconds(fields);
    }

    bool read_seconds(Fields& fields) {
        if (!read_number(2, fields.second)) return false;
        if (!skip('.') && !skip(',')) return true;
        if (!is_digit(current())) return false;
        int scale = 100'000'000;
        int nanoseconds = 0;
        for (; is_digit(current()); ++at_) {
            nanoseconds += (text_[at_] - '0') * scale;
            scale /= 10;
        }
        fields.microsecond = nanoseconds / 1'000;
        fields.nanosecond = nanoseconds % 1'000;
        return true;
    }

    bool read_zone(Fields& fields) {
        if (at_end()) return true;
        if (skip('Z')) {
            fields.offset_seconds = 0;
            return true;
        }
        const int sign = current() == '-' ? -1 : 1;
        int hours = 0;
        int minutes = 0;
        if ((!skip('+') && !skip('-')) || !read_number(2, hours)) return false;
        skip(':');
        if (!at_end() && !read_number(2, minutes)) return false;
        const int seconds = (hours * 60 + minutes) * 60;
        if (seconds >= offset_limit_seconds) return false;
        fields.offset_seconds = sign * seconds;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool is_extended_ = false;  ///< whether what came so far had separators
};

/// The lenient form: `YYYY[[/:]MM[/:]DD]` and `[blank]H{1,2}:M{1,2}[:S{1,2}][.f{1,9}]`, both
/// optional, digits of any script.
class LenientReader {
public:
    explicit LenientReader(std::string_view text) : text_(text) {}

    /// The longest date first; what then does not go on as a time is tried again with less of it
    /// taken as the date.
    bool read(Fields& fields) {
        for (const auto& take_date : {&LenientReader::take_full_date, &LenientReader::take_year}) {
            fields = Fields();
            at_ = 0;
            fields.has_date = (this->*take_date)(fields);
            if (fields.has_date && read_rest(fields)) return true;
        }
        fields = Fields();
        at_ = 0;
        return !text_.empty() && read_rest(fields);
    }

private:
    bool at_end() const { return at_ == text_.size(); }

    bool skip_any(std::string_view characters) {
        if (at_end() || characters.find(text_[at_]) == std::string_view::npos) return false;
        ++at_;
        return true;
    }

    /// As many digits as there are, `digits_max` at most; how many is the result.
    int read_digits(int digits_max, int& number) {
        number = 0;
        int count = 0;
        for (; count < digits_max && !at_end(); ++count) {
            const unicode::Character character = unicode::decode(text_, at_);
            const int digit = unicode::digit_value(character.code);
            if (digit < 0) break;
            number = number * 10 + digit;
            at_ += character.length;
        }
        return count;
    }

    bool take_year(Fields& fields) { return read_digits(4, fields.date.year) == 4; }

    bool take_full_date(Fields& fields) {
        if (!take_year(fields)) return false;
        skip_any("/:");
        if (read_digits(2, fields.date.month) != 2) return false;
        skip_any("/:");
        return read_digits(2, fields.date.day) == 2;
    }

    bool read_rest(Fields& fields) {
        if (at_end()) return true;
        fields.has_time = true;
        skip_any(" ");
        if (read_digits(2, fields.hour) == 0 || !skip_any(":")) return false;
        if (read_digits(2, fields.minute) == 0) return false;
        if (skip_any(":") && read_digits(2, fields.second) == 0) return false;
        if (skip_any(".,|")) {
            int count = read_digits(6, fields.microsecond);
            if (count == 0) return false;
            for (; count < 6; ++count) fields.microsecond *= 10;
            for (count = read_digits(3, fields.nanosecond); count < 3; ++count) fields.nanosecond *= 10;
        }
        return at_end();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

constexpr bool is_in_range(std::int64_t us) {
    return us >= timestamp_us_min && us <= timestamp_us_max;
}

/// Wall clock and offset to a point in time; nothing when that leaves years 1 to 9999.
std::optional<Timestamp> to_timestamp(std::int64_t us, std::optional<std::int32_t> offset_seconds) {
    if (!offset_seconds) return Timestamp{us, false};
    us -= *offset_seconds * civil::us_per_second;
    if (!is_in_range(us)) return std::nullopt;
    return Timestamp{us, true};
}

// Eight bytes of text at once: every byte minus the byte expected there is a digit's value, or 0
// for a separator.
static_assert(std::endian::native == std::endian::little,
              "the digits are read in little-endian order");

std::uint64_t load_8(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

constexpr std::uint64_t pack(const char (&text)[9]) {
    std::uint64_t word = 0;
    for (int i = 7; i >= 0; --i) word = (word << 8) | static_cast<unsigned char>(text[i]);
    return word;
}

/// Bits that are set when a byte is not below 10. A carry into the next byte only comes from a byte
/// that is caught itself.
constexpr std::uint64_t not_digits(std::uint64_t values) {
    return ((values + 0x7676767676767676U) | values) & 0x8080808080808080U;
}

constexpr int byte_of(std::uint64_t word, int index) {
    return static_cast<int>((word >> (index * 8)) & 0xFFU);
}

/// Digits in pairs: byte i is ten times byte i plus byte i + 1.
constexpr std::uint64_t to_pairs(std::uint64_t values) {
    return values * 10 + (values >> 8);
}

std::optional<Timestamp> with_nanoseconds(std::optional<Timestamp> timestamp, int ns) {
    if (timestamp) timestamp->ns = static_cast<std::int16_t>(ns);
    return timestamp;
}

/// The end of a common timestamp: nothing, `Z` or `±HH:MM`.
std::optional<Timestamp> read_common_zone(std::int64_t us, std::string_view zone) {
    if (zone.empty()) return Timestamp{us, false};
    if (zone == "Z") return Timestamp{us, true};
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') {
        return std::nullopt;
    }
    int digits = 0;
    for (const std::size_t i : {1U, 2U, 4U, 5U}) {
        if (!is_digit(zone[i])) return std::nullopt;
        digits = digits * 10 + (zone[i] - '0');
    }
    const int offset_seconds = (digits / 100 * 60 + digits % 100) * 60;
    if (offset_seconds >= offset_limit_seconds) return std::nullopt;
    return to_timestamp(us, zone[0] == '-' ? -offset_seconds : offset_seconds);
}

}  // namespace

std::optional<DateTimeText> parse_datetime(std::string_view text) {
    Fields fields;
    if (IsoReader(text).read(fields)) {
        if (const auto result = to_datetime_text(fields)) return result;
    }
    if (LenientReader(text).read(fields)) return to_datetime_text(fields);
    return std::nullopt;
}

std::optional<Timestamp> parse_common_timestamp(std::string_view text) {
    if (text.size() < 19) return std::nullopt;
    const char* const data = text.data();
    const std::uint64_t date = load_8(data) ^ pack("0000-00-");
    std::uint64_t middle = load_8(data + 8) ^ pack("00T00:00");
    const std::uint64_t date_separators = date & pack("\0\0\0\0\xFF\0\0\xFF");
    const std::uint64_t middle_separators = middle & pack("\0\0\xFF\0\0\xFF\0\0");
    middle &= ~pack("\0\0\xFF\0\0\0\0\0");
    const unsigned tens = static_cast<unsigned char>(data[17]) - unsigned{'0'};
    const unsigned ones = static_cast<unsigned char>(data[18]) - unsigned{'0'};
    constexpr std::uint64_t blank_for_t = std::uint64_t{'T' ^ ' '} << 16;
    if ((middle_separators != 0 && middle_separators != blank_for_t) || date_separators != 0 ||
        (not_digits(date) | not_digits(middle)) != 0 || data[16] != ':' || tens > 5 || ones > 9) {
        return std::nullopt;
    }
    const std::uint64_t date_pairs = to_pairs(date);
    const std::uint64_t middle_pairs = to_pairs(middle);
    const civil::Day day{byte_of(date_pairs, 0) * 100 + byte_of(date_pairs, 2),
                         byte_of(date_pairs, 5), byte_of(middle_pairs, 0)};
    const int hour = byte_of(middle_pairs, 3);
    const int minute = byte_of(middle_pairs, 6);
    if (day.year < 1 || day.month < 1 || day.month > 12 || day.day < 1 || hour > 23 ||
        minute > 59 || day.day > civil::days_in_month(day.year, day.month)) {
        return std::nullopt;
    }
    const int seconds = (hour * 60 + minute) * 60 + static_cast<int>(tens * 10 + ones);
    std::int64_t us =
        civil::days_from_civil(day) * civil::us_per_day + seconds * civil::us_per_second;

    std::size_t at = 19;
    int nanoseconds = 0;
    if (at < text.size() && (data[at] == '.' || data[at] == ',')) {
        if (++at == text.size() || !is_digit(data[at])) return std::nullopt;
        int scale = 100'000'000;
        for (; at < text.size() && is_digit(data[at]); ++at) {
            nanoseconds += (data[at] - '0') * scale;
            scale /= 10;
        }
    }
    return with_nanoseconds(read_common_zone(us + nanoseconds / 1'000, text.substr(at)), nanoseconds % 1'000);
}

std::optional<Timestamp> exact_timestamp_from_text(std::string_view text) {
    if (const auto common = parse_common_timestamp(text)) return common;
    if (const auto parsed = parse_datetime(text)) {
        if (parsed->kind == DateTimeKind::time) return std::nullopt;
        return with_nanoseconds(to_timestamp(parsed->us, parsed->offset_seconds), parsed->ns);
    }
    const std::optional<double> seconds = parse_python_float(text);
    return seconds ? timestamp_from_seconds(*seconds) : std::nullopt;
}

std::optional<Timestamp> timestamp_from_text(std::string_view text) { return with_nanoseconds(exact_timestamp_from_text(text), 0); }

std::optional<Date> date_from_text(std::string_view text) {
    const std::optional<Timestamp> timestamp = timestamp_from_text(text);
    if (!timestamp) return std::nullopt;
    return Date{static_cast<std::int32_t>(civil::floor_div(timestamp->us, civil::us_per_day))};
}

std::optional<Time> exact_time_from_text(std::string_view text) {
    const auto parsed = parse_datetime(text);
    if (!parsed || parsed->kind != DateTimeKind::time) return std::nullopt;
    const std::int64_t us = parsed->us - parsed->offset_seconds.value_or(0) * civil::us_per_second;
    return Time{.us = civil::floor_mod(us, civil::us_per_day), .ns = parsed->ns};
}

std::optional<Time> time_from_text(std::string_view text) {
    std::optional<Time> time = exact_time_from_text(text);
    if (time) time->ns = 0;
    return time;
}

std::optional<Timestamp> timestamp_from_seconds(double seconds) {
    constexpr std::int64_t first = timestamp_us_min / civil::us_per_second;
    constexpr std::int64_t last = timestamp_us_max / civil::us_per_second + 1;
    // Written so that NaN fails too.
    if (!(seconds >= static_cast<double>(first) && seconds <= static_cast<double>(last))) {
        return std::nullopt;
    }
    double whole = 0;
    const double fraction = std::modf(seconds, &whole) * static_cast<double>(civil::us_per_second);
    // The default rounding mode takes halves to the even neighbour.
    const std::int64_t us = static_cast<std::int64_t>(whole) * civil::us_per_second +
                            static_cast<std::int64_t>(std::nearbyint(fraction));
    if (!is_in_range(us)) return std::nullopt;
    return Timestamp{us, true};
}

std::optional<Timestamp> timestamp_from_seconds(std::int64_t seconds) {
    if (seconds < timestamp_us_min / civil::us_per_second ||
        seconds > timestamp_us_max / civil::us_per_second) {
        return std::nullopt;
    }
    return Timestamp{seconds * civil::us_per_second, true};
}

namespace {

/// What stands behind the digits of the microseconds, which are there only where they are not zero.
std::string nanosecond_digits(std::int64_t us, std::int16_t ns) {
    if (ns == 0) return {};
    return fmt::format("{}{:03}", us % civil::us_per_second == 0 ? ".000000" : "", ns);
}

std::string zone_text(const Timestamp& timestamp) {
    if (!timestamp.is_aware) return {};
    const std::int32_t minutes = std::abs(timestamp.offset_seconds) / 60;
    return fmt::format("{}{:02}:{:02}", timestamp.offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string wall_text(const Timestamp& timestamp) {
    const std::int64_t wall_us = timestamp.us + timestamp.offset_seconds * civil::us_per_second;
    const std::int64_t days = civil::floor_div(wall_us, civil::us_per_day);
    return to_iso_text(Date{static_cast<std::int32_t>(days)}) + 'T' + to_iso_text(Time{civil::floor_mod(wall_us, civil::us_per_day)});
}

}  // namespace

std::string to_iso_text(const Timestamp& timestamp) { return wall_text(timestamp) + zone_text(timestamp); }

std::string to_exact_text(const Timestamp& timestamp) {
    return wall_text(timestamp) + nanosecond_digits(timestamp.us, timestamp.ns) + zone_text(timestamp);
}

std::string to_exact_text(const Time& time) { return to_iso_text(time) + nanosecond_digits(time.us, time.ns); }

std::string to_iso_text(const Date& date) {
    const civil::Day day = civil::civil_from_days(date.days);
    return fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
}

std::string to_iso_text(const Time& time) {
    const std::int64_t seconds = time.us / civil::us_per_second;
    const std::int64_t microseconds = time.us % civil::us_per_second;
    std::string text =
        fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (microseconds != 0) text += fmt::format(".{:06}", microseconds);
    return text;
}

}  // namespace tipple::schema
