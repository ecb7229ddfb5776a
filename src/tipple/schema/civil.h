#pragma once

#include <array>
#include <cstdint>

/// Calendar arithmetic in the proleptic Gregorian calendar. Inline: it is on the path of every
/// timestamp.
namespace tipple::schema::civil {

inline constexpr std::int64_t us_per_second = 1'000'000;
inline constexpr std::int64_t us_per_day = 86'400 * us_per_second;

/// A day of the calendar.
struct Day {
    int year = 1970;
    int month = 1;
    int day = 1;
};

/// Whether the year has a 29th of February.
constexpr bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Days before each month in a common year, and in a leap year.
inline constexpr std::array<std::array<int, 13>, 2> days_before_month = {
    {{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
     {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}}};

/// `month`: 1 to 12.
constexpr int days_in_month(int year, int month) {
    const auto& before = days_before_month[is_leap(year) ? 1 : 0];
    return before[static_cast<std::size_t>(month)] - before[static_cast<std::size_t>(month) - 1];
}

/// Days from 1970-01-01 to the first day of `year`, 1 to 9999.
constexpr std::int32_t days_to_year(int year) {
    const int before = year - 1;
    return before * 365 + before / 4 - before / 100 + before / 400 - 719'162;
}

/// Days since 1970-01-01 of a day that exists.
constexpr std::int32_t days_from_civil(const Day& day) {
    return days_to_year(day.year) +
           days_before_month[is_leap(day.year) ? 1 : 0][static_cast<std::size_t>(day.month) - 1] +
           day.day - 1;
}

/// Any number of days since 1970-01-01.
constexpr Day civil_from_days(std::int64_t days) {
    // Eras of 400 years that begin on March 1st, so that the leap day is the last day of its year.
    const std::int64_t shifted = days + 719'468;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    const std::int64_t day_of_era = shifted - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march_month = (5 * day_of_year + 2) / 153;
    const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
    return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
            static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

/// Rounds towards the past, where `/` rounds towards zero.
constexpr std::int64_t floor_div(std::int64_t number, std::int64_t divisor) {
    return number / divisor - (number % divisor < 0 ? 1 : 0);
}

/// What `floor_div` leaves: from 0 to `divisor` - 1. `divisor` is positive.
constexpr std::int64_t floor_mod(std::int64_t number, std::int64_t divisor) {
    const std::int64_t rest = number % divisor;
    return rest < 0 ? rest + divisor : rest;
}

}  // namespace tipple::schema::civil
