#include "tipple/core/clock.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "tipple/core/error.h"

namespace tipple {

std::int64_t SystemClock::now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::int64_t SystemClock::steady_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::string load_id_at(std::int64_t time_us) {
    TIPPLE_ASSERT(time_us >= 0);
    return fmt::format("{}.{:06}", time_us / 1'000'000, time_us % 1'000'000);
}

std::optional<std::int64_t> try_load_id_time_us(std::string_view load_id) {
    const std::size_t dot = load_id.find('.');
    const std::string_view whole = load_id.substr(0, dot);
    std::int64_t seconds = 0;
    const auto [end, error] =
        std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
    // The bound keeps the microseconds within int64.
    constexpr std::int64_t seconds_max = std::numeric_limits<std::int64_t>::max() / 1'000'000 - 1;
    if (error != std::errc() || end != whole.data() + whole.size() || whole.empty() ||
        whole[0] == '-' || seconds > seconds_max) {
        return std::nullopt;
    }
    constexpr std::size_t digits = 6;
    const std::string_view fraction = dot == std::string_view::npos ? "" : load_id.substr(dot + 1);
    if (fraction.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    // The reference has seven digits and reads them as a double.
    if (fraction.size() > digits) {
        double seconds_of_double = 0;
        const double rest = std::modf(std::stod(std::string(load_id)), &seconds_of_double);
        return static_cast<std::int64_t>(seconds_of_double) * 1'000'000 + std::llrint(rest * 1e6);
    }
    std::int64_t microseconds = 0;
    for (std::size_t i = 0; i < digits; ++i) microseconds = microseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    return seconds * 1'000'000 + microseconds;
}

std::int64_t load_id_time_us(const std::string& load_id) {
    const std::optional<std::int64_t> time_us = try_load_id_time_us(load_id);
    if (!time_us) throw Error(ErrorKind::usage, "\"{}\" is not a load id", load_id);
    return *time_us;
}

std::string utc_text(std::int64_t time_us) {
    const auto time = std::chrono::sys_time<std::chrono::microseconds>(
        std::chrono::microseconds(time_us));
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss<std::chrono::microseconds> clock(time - days);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

}  // namespace tipple
