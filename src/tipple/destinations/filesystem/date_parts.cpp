#include "tipple/destinations/filesystem/date_parts.h"

#include <array>

#include "tipple/core/error.h"
#include "tipple/schema/civil.h"

namespace tipple::destinations::filesystem {

namespace {

using schema::civil::us_per_day;
using schema::civil::us_per_second;

constexpr std::array<std::string_view, 29> names = {
    "curr_date", "timestamp", "timestamp_ms", "load_package_timestamp", "load_package_timestamp_ms", "YYYY", "YY", "Y", "MMMM", "MMM", "MM", "M", "DD", "D", "HH",
    "H", "mm", "m", "dddd", "ddd", "dd", "d", "ss", "s", "SSSS", "SSS", "SS", "S", "Q"};
constexpr std::array<std::string_view, 12> months = {"january", "february", "march",     "april",   "may",      "june",
                                                     "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> weekdays = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::int64_t weekday_of_1970 = 4;

std::string of_date(std::string_view name, std::int64_t days) {
    const schema::civil::Day day = schema::civil::civil_from_days(days);
    const std::string_view month = months[static_cast<std::size_t>(day.month) - 1];
    const auto weekday = static_cast<std::size_t>(((days + weekday_of_1970) % 7 + 7) % 7);
    if (name == "curr_date") return fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    if (name == "YYYY") return fmt::format("{:04}", day.year);
    if (name == "YY") return fmt::format("{:02}", day.year % 100);
    if (name == "Y") return fmt::format("{}", day.year);
    if (name == "MMMM") return std::string(month);
    if (name == "MMM") return std::string(month.substr(0, 3));
    if (name == "MM") return fmt::format("{:02}", day.month);
    if (name == "M") return fmt::format("{}", day.month);
    if (name == "DD") return fmt::format("{:02}", day.day);
    if (name == "D") return fmt::format("{}", day.day);
    if (name == "dddd") return std::string(weekdays[weekday]);
    if (name == "ddd") return std::string(weekdays[weekday].substr(0, 3));
    if (name == "dd") return std::string(weekdays[weekday].substr(0, 2));
    if (name == "d") return fmt::format("{}", weekday);
    if (name == "Q") return fmt::format("{}", (day.month + 2) / 3);
    return {};
}

std::string of_time(std::string_view name, std::int64_t time_us) {
    const std::int64_t seconds = schema::civil::floor_div(time_us, us_per_second);
    const std::int64_t fraction_us = time_us - seconds * us_per_second;
    const std::int64_t of_day = seconds - schema::civil::floor_div(time_us, us_per_day) * 86'400;
    if (name == "timestamp" || name == "load_package_timestamp") return fmt::format("{}", seconds);
    if (name == "timestamp_ms" || name == "load_package_timestamp_ms") return fmt::format("{}", schema::civil::floor_div(time_us, 1'000));
    if (name == "HH") return fmt::format("{:02}", of_day / 3'600);
    if (name == "H") return fmt::format("{}", of_day / 3'600);
    if (name == "mm") return fmt::format("{:02}", of_day / 60 % 60);
    if (name == "m") return fmt::format("{}", of_day / 60 % 60);
    if (name == "ss") return fmt::format("{:02}", of_day % 60);
    if (name == "s") return fmt::format("{}", of_day % 60);
    TIPPLE_ASSERT(name.starts_with('S') && name.size() <= 4);
    return fmt::format("{:06}", fraction_us).substr(0, name.size());
}

}  // namespace

std::span<const std::string_view> date_part_names() { return names; }

std::string date_part(std::string_view name, std::int64_t time_us) {
    std::string part = of_date(name, schema::civil::floor_div(time_us, us_per_day));
    return part.empty() ? of_time(name, time_us) : part;
}

}  // namespace tipple::destinations::filesystem
