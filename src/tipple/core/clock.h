#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tipple {

/// Time as the library sees it; tests pass a fake. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    /// Microseconds since 1970-01-01 UTC.
    virtual std::int64_t now_us() const = 0;
    /// Monotonic nanoseconds, for durations.
    virtual std::int64_t steady_ns() const = 0;
};

/// The clocks of this machine.
class SystemClock final : public Clock {
public:
    std::int64_t now_us() const override;
    std::int64_t steady_ns() const override;
};

/// `1795404633.634409`: the load id that stands for this time, as text. Ids of one length sort like their times.
std::string load_id_at(std::int64_t time_us);

/// The time a load id stands for; ids of the reference may have any number of fraction digits. Nothing for other text.
std::optional<std::int64_t> try_load_id_time_us(std::string_view load_id);
/// The same. Throws Error(usage) on other text.
std::int64_t load_id_time_us(const std::string& load_id);

/// `2026-11-24T17:04:18.123456Z`.
std::string utc_text(std::int64_t time_us);

/// Seconds since construction or the last `restart`.
class Stopwatch {
public:
    explicit Stopwatch(const Clock& clock) : clock_(&clock), start_ns_(clock.steady_ns()) {}
    double seconds() const {
        return static_cast<double>(clock_->steady_ns() - start_ns_) / 1e9;
    }
    void restart() { start_ns_ = clock_->steady_ns(); }

private:
    const Clock* clock_;
    std::int64_t start_ns_;
};

}  // namespace tipple
