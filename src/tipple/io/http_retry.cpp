#include "tipple/io/http_retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>

#include "tipple/core/text.h"

namespace tipple::io {

namespace {

using std::chrono::milliseconds;

std::optional<double> to_number(const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

milliseconds to_milliseconds(double seconds) {
    // A century is as good as for ever.
    return milliseconds(static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 3.2e9) * 1e3)));
}

}  // namespace

bool RetryOptions::retries_status(int status) const {
    if (!statuses.empty()) return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
    if (status == 408 || status == 425 || status == 429) return true;
    return status >= 500 && status != 501 && status != 505;
}

bool RetryOptions::retries_method(const std::string& method) const { return std::find(methods.begin(), methods.end(), method) != methods.end(); }

milliseconds retry_delay(const RetryOptions& options, int attempt, double chance) {
    const double ceiling = std::min(static_cast<double>(options.max.count()), static_cast<double>(options.base.count()) * std::exp2(attempt - 1));
    return milliseconds(static_cast<std::int64_t>(ceiling * chance));
}

std::optional<std::int64_t> parse_http_date(const std::string& text) {
    for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
        std::tm time{};
        const char* end = strptime(text.c_str(), format, &time);
        if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(timegm(&time)) * 1'000'000;
    }
    return std::nullopt;
}

std::optional<std::int64_t> parse_iso_time_us(const std::string& text) {
    std::tm time{};
    const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
    if (end == nullptr) return std::nullopt;
    std::int64_t us = static_cast<std::int64_t>(timegm(&time)) * 1'000'000;
    if (*end == '.') {
        std::int64_t unit = 100'000;
        for (++end; *end >= '0' && *end <= '9'; ++end, unit /= 10) us += (*end - '0') * unit;
    }
    return std::string_view(end) == "Z" ? std::optional(us) : std::nullopt;
}

std::optional<milliseconds> retry_after_of(const HttpHeaders& headers, std::int64_t now_us) {
    const std::string* text = find_header(headers, "Retry-After");
    if (text == nullptr) return std::nullopt;
    if (const std::optional<double> seconds = to_number(*text)) return to_milliseconds(*seconds);
    const std::optional<std::int64_t> date = parse_http_date(*text);
    if (!date) return std::nullopt;
    return to_milliseconds(static_cast<double>(*date - now_us) / 1e6);
}

std::optional<RateLimit> parse_rate_limit(const std::string& text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const std::optional<double> requests = to_number(text.substr(0, slash));
    std::string per = text.substr(slash + 1);
    if (per == "min" || per == "minute") per = "m";
    if (per == "second" || per == "sec") per = "s";
    if (per == "hour") per = "h";
    if (per == "day") per = "d";
    const bool has_number = !per.empty() && per.front() >= '0' && per.front() <= '9';
    const std::optional<double> seconds = parse_duration_seconds(has_number ? per : "1" + per);
    if (!requests || !seconds || *requests <= 0 || *seconds <= 0) return std::nullopt;
    return RateLimit{.requests = *requests, .seconds = *seconds};
}

void RateLimiter::refill(std::int64_t now_ns) {
    if (!std::exchange(is_started_, true)) filled_ns_ = now_ns;
    const double seconds = static_cast<double>(now_ns - filled_ns_) / 1e9;
    // What was not used adds up to the requests of one second only: a limit per hour must not be used up in one burst.
    const double most = std::max(1.0, limit_.requests / std::max(1.0, limit_.seconds));
    tokens_ = std::min(most, tokens_ + seconds * limit_.requests / limit_.seconds);
    filled_ns_ = now_ns;
}

std::int64_t RateLimiter::next_ns(std::int64_t now_ns) {
    if (limit_.requests <= 0) return std::max(now_ns, held_until_ns_);
    refill(now_ns);
    const double missing = std::max(0.0, 1.0 - tokens_);
    // A nanosecond more, so that rounding leaves nothing missing then.
    const auto wait = missing > 0 ? static_cast<std::int64_t>(missing * limit_.seconds / limit_.requests * 1e9) + 1 : 0;
    return std::max(now_ns + wait, held_until_ns_);
}

void RateLimiter::take(std::int64_t now_ns) {
    if (limit_.requests <= 0) return;
    refill(now_ns);
    tokens_ -= 1;
}

void RateLimiter::hold(milliseconds time, std::int64_t now_ns) { held_until_ns_ = std::max(held_until_ns_, now_ns + std::chrono::nanoseconds(time).count()); }

}  // namespace tipple::io
