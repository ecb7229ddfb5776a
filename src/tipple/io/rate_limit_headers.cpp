#include "tipple/io/rate_limit_headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "tipple/core/text.h"
#include "tipple/io/http_retry.h"

namespace tipple::io {

namespace {

using std::chrono::milliseconds;

/// No limit lasts for decades: a larger number is a time, in seconds or milliseconds.
constexpr double least_time = 1e9;
constexpr double least_time_ms = 1e12;
/// A century is as good as for ever.
constexpr double longest_seconds = 3.2e9;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes a number off the front of `text`.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<double> to_number(std::string_view text) {
    text = trimmed(text);
    const std::optional<double> number = take_number(text);
    return text.empty() ? number : std::nullopt;
}

/// `1m30s`, `0.5s`, `250ms`.
std::optional<double> to_seconds_by_units(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, double>, 5> units = {{{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}}};
    double seconds = 0;
    text = trimmed(text);
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const std::optional<double> number = take_number(text);
        const auto unit = std::find_if(units.begin(), units.end(), [&](const auto& known) { return text.starts_with(known.first); });
        if (!number || unit == units.end()) return std::nullopt;
        seconds += *number * unit->second;
        text.remove_prefix(unit->first.size());
    }
    return seconds;
}

/// How long it is until what the header says, in seconds.
std::optional<double> seconds_until(std::string_view name, const std::string& value, std::int64_t now_us) {
    const double now = static_cast<double>(now_us) / 1e6;
    if (const std::optional<double> number = to_number(value)) {
        const bool is_wait = name.find("after") != std::string_view::npos;
        if (!is_wait && *number >= least_time_ms) return *number / 1e3 - now;
        if (!is_wait && *number >= least_time) return *number - now;
        return name.ends_with("-ms") || name.ends_with("milliseconds") ? *number / 1e3 : *number;
    }
    if (const std::optional<double> seconds = to_seconds_by_units(value)) return seconds;
    std::optional<std::int64_t> time = parse_http_date(value);
    if (!time) time = parse_iso_time_us(value);
    return time ? std::optional(static_cast<double>(*time) / 1e6 - now) : std::nullopt;
}

/// `name` with `remaining` where it has the word for the reset.
std::string name_of_remaining(std::string name) {
    // Longer words first: they have the shorter ones in them.
    for (const std::string_view word : {"reset-after-ms", "reset-after", "reset-ms", "reset-milliseconds", "reset"}) {
        if (const std::size_t at = name.find(word); at != std::string::npos) return name.replace(at, word.size(), "remaining");
    }
    return name;
}

/// One item of the drafts' header: `"burst";r=0;t=5`, or all of `limit=9, remaining=0, reset=5`.
std::optional<double> seconds_of_item(std::string_view item, char separator) {
    std::optional<double> left;
    std::optional<double> wait;
    while (!item.empty()) {
        const std::string_view one = trimmed(item.substr(0, item.find(separator)));
        item.remove_prefix(std::min(item.size(), std::min(item.find(separator), item.size()) + 1));
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = trimmed(one.substr(0, equals));
        if (name == "r" || name == "remaining") left = to_number(one.substr(equals + 1));
        if (name == "t" || name == "reset") wait = to_number(one.substr(equals + 1));
    }
    return left && *left <= 0 ? wait : std::nullopt;
}

void keep_longest(std::optional<double>& longest, std::optional<double> other) {
    if (other && (!longest || *other > *longest)) longest = other;
}

std::optional<double> seconds_of_drafts(std::string_view text) {
    if (text.find(';') == std::string_view::npos) return seconds_of_item(text, ',');
    std::optional<double> longest;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        keep_longest(longest, seconds_of_item(text.substr(0, end), ';'));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return longest;
}

}  // namespace

std::optional<milliseconds> exhausted_for(const HttpHeaders& headers, std::int64_t now_us, bool is_refused) {
    std::optional<double> longest;
    for (const HttpHeader& header : headers) {
        const std::string name = lower(header.name);
        if (name == "ratelimit") keep_longest(longest, seconds_of_drafts(header.value));
        const bool is_limit = name.find("ratelimit") != std::string::npos || name.find("rate-limit") != std::string::npos;
        if (!is_limit || name.find("reset") == std::string::npos) continue;
        const std::string* remaining = find_header(headers, name_of_remaining(name));
        const std::optional<double> left = remaining != nullptr ? to_number(*remaining) : std::nullopt;
        const bool is_used_up = left ? *left <= 0 : remaining == nullptr && is_refused;
        if (is_used_up) keep_longest(longest, seconds_until(name, header.value, now_us));
    }
    if (!longest) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(std::ceil(std::clamp(*longest, 0.0, longest_seconds) * 1e3)));
}

}  // namespace tipple::io
