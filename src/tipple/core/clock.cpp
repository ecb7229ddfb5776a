#include "tipple/core/clock.h"

#include <fmt/format.h>

#include <charconv>
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

std::int64_t load_id_time_us(const std::string& load_id) {
    const auto bad = [&] { return Error(ErrorKind::usage, "\"{}\" is not a load id", load_id); };
    const std::size_t dot = load_id.find('.');
    const std::string_view whole = std::string_view(load_id).substr(0, dot);
    std::int64_t seconds = 0;
    const auto [end, error] =
        std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
    // The bound keeps the microseconds within int64.
    constexpr std::int64_t seconds_max = std::numeric_limits<std::int64_t>::max() / 1'000'000 - 1;
    if (error != std::errc() || end != whole.data() + whole.size() || whole.empty() ||
        whole[0] == '-' || seconds > seconds_max) {
        throw bad();
    }
    std::int64_t fraction = 0;
    if (dot != std::string::npos) {
        std::int64_t unit = 100'000;
        bool is_rounded = false;
        for (const char c : std::string_view(load_id).substr(dot + 1)) {
            if (c < '0' || c > '9') throw bad();
            // The reference has seven digits and rounds them.
            if (unit > 0) {
                fraction += (c - '0') * unit;
            } else if (!is_rounded && c >= '5') {
                ++fraction;
            }
            is_rounded = unit == 0;
            unit /= 10;
        }
    }
    return seconds * 1'000'000 + fraction;
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
