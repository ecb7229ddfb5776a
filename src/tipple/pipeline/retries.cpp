#include "tipple/pipeline/retries.h"

#include <chrono>

#include "tipple/core/random.h"

namespace tipple::pipeline {

namespace {

constexpr double delay_max_seconds = 10;

/// Between half and all of the delay.
double with_jitter(double seconds) {
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    return seconds * (0.5 + 0.5 * byte / 255.0);
}

}  // namespace

std::optional<double> Retries::next(const Error& error) {
    if (error.kind() != ErrorKind::transient || left_seconds_ <= 0) return std::nullopt;
    double seconds = with_jitter(delay_seconds_);
    if (error.retry_after()) seconds = std::chrono::duration<double>(*error.retry_after()).count();
    // The budget's last attempt is at its end.
    seconds = std::min(seconds, left_seconds_);
    left_seconds_ -= seconds;
    delay_seconds_ = std::min(2 * delay_seconds_, delay_max_seconds);
    ++attempts_;
    return seconds;
}

}  // namespace tipple::pipeline
