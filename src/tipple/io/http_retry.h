#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tipple/io/http_client.h"

/// When a request is sent again, and how fast requests may follow each other. Pure: times come from the caller.
namespace tipple::io {

/// The budget of one logical request: redirects and renewals of tokens do not begin a new one.
struct RetryOptions {
    int attempts = 5;  ///< in all, the first one included
    std::chrono::milliseconds base{1'000};
    std::chrono::milliseconds max{60'000};
    /// A server that asks for a longer wait is not waited for.
    std::chrono::milliseconds retry_after_max{3'600'000};
    /// Answers that are worth a second try; empty = 408, 425, 429 and 500 to 599, without 501 and 505.
    std::vector<int> statuses = {};
    /// Other methods are sent again only where the server cannot have done anything: it refused with 429, or was not reached.
    std::vector<std::string> methods = {"GET", "HEAD", "OPTIONS"};

    bool retries_status(int status) const;
    bool retries_method(const std::string& method) const;
};

/// Before attempt `attempt + 1`: anything up to `base * 2^(attempt - 1)`, at most `max`. `chance` is from 0 to 1.
std::chrono::milliseconds retry_delay(const RetryOptions& options, int attempt, double chance);

/// What `Retry-After` asks for: whole or broken seconds, or a date. Nothing when there is none, or it is neither. A date that is past is zero.
std::optional<std::chrono::milliseconds> retry_after_of(const HttpHeaders& headers, std::int64_t now_us);

/// An HTTP date as microseconds since 1970.
std::optional<std::int64_t> parse_http_date(const std::string& text);
/// `2009-10-12T17:50:30.000Z` as microseconds since 1970; nothing when it is none.
std::optional<std::int64_t> parse_iso_time_us(const std::string& text);

/// Requests per time.
struct RateLimit {
    double requests = 0;  ///< 0 = no limit
    double seconds = 1;
};
/// `10/s`, `300/min`, `5000/h`, `100/10s`; nothing when it is no such text.
std::optional<RateLimit> parse_rate_limit(const std::string& text);

/// Spaces requests out, and keeps still as long as a server asks for it. One thread.
class RateLimiter {
public:
    explicit RateLimiter(RateLimit limit) : limit_(limit), tokens_(limit.requests) {}

    /// When the next request may leave, in nanoseconds of the same clock as `now_ns`; at most `now_ns` = at once.
    std::int64_t next_ns(std::int64_t now_ns);
    /// A request leaves.
    void take(std::int64_t now_ns);
    /// Nothing may leave for so long.
    void hold(std::chrono::milliseconds time, std::int64_t now_ns);

private:
    void refill(std::int64_t now_ns);

    RateLimit limit_;
    double tokens_ = 0;
    std::int64_t filled_ns_ = 0;
    bool is_started_ = false;
    std::int64_t held_until_ns_ = 0;
};

}  // namespace tipple::io
