#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/schema/value.h"

/// Dates and times as text, exactly the forms the reference reads; see docs/internals/normalize.md.
namespace tipple::schema {

/// Whether a text names a day, a time of day, or both.
enum class DateTimeKind { timestamp, date, time };

/// What a text says, before any zone is applied.
struct DateTimeText {
    DateTimeKind kind = DateTimeKind::timestamp;
    std::int64_t us = 0;                     ///< timestamp, date: wall clock since 1970-01-01; time: since midnight
    std::optional<std::int32_t> offset_seconds;  ///< east of UTC, when the text has a zone
    std::int16_t ns = 0;                     ///< the seventh to ninth digit behind the second; what comes behind them is not looked at
};

/// The whole text must be one of the accepted forms: the strict ISO forms first, then the lenient ones. No trimming.
std::optional<DateTimeText> parse_datetime(std::string_view text);

/// The common form only, `YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)` or without zone, as fast as possible: microseconds since 1970 in UTC, and nanoseconds;
/// `is_aware` = whether there was a zone. Nothing when the text has another form: ask `parse_datetime` then.
std::optional<Timestamp> parse_common_timestamp(std::string_view text);

/// Timestamp from text as coercion does it: a date is its midnight; text that is a Python float literal is epoch seconds. Aware results
/// are in UTC; `is_aware` false = the text had no zone.
std::optional<Timestamp> timestamp_from_text(std::string_view text);
std::optional<Date> date_from_text(std::string_view text);
std::optional<Time> time_from_text(std::string_view text);
/// The same with nanoseconds.
std::optional<Timestamp> exact_timestamp_from_text(std::string_view text);
std::optional<Time> exact_time_from_text(std::string_view text);

/// Epoch seconds to a timestamp, rounded to microseconds half to even; nothing outside of years 1 to 9999.
std::optional<Timestamp> timestamp_from_seconds(double seconds);
std::optional<Timestamp> timestamp_from_seconds(std::int64_t seconds);

/// `2024-01-02T03:04:05+00:00`, microseconds only when not zero, no offset when not aware: the form that becomes text.
std::string to_iso_text(const Timestamp& timestamp);
std::string to_iso_text(const Date& date);
std::string to_iso_text(const Time& time);
/// The same with nanoseconds, where there are any. Ids, hashes and cursors are made of the texts without.
std::string to_exact_text(const Timestamp& timestamp);
std::string to_exact_text(const Time& time);

/// First and last microsecond of years 1 and 9999.
inline constexpr std::int64_t timestamp_us_min = -62'135'596'800'000'000;
inline constexpr std::int64_t timestamp_us_max = 253'402'300'799'999'999;

}  // namespace tipple::schema
