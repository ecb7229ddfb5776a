#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tipple/io/http_client.h"

/// What servers say of their limits in headers, in the forms that are in use. Pure: times come from the caller.
namespace tipple::io {

/// How long an answer says that nothing is left of a limit; nothing when something is left, or nothing is said. Where several limits are used
/// up, the longest wait.
///
/// - `X-RateLimit-Remaining: 0` with `X-RateLimit-Reset`, also as `RateLimit-…`, `X-Rate-Limit-…` or with the name of a vendor or of what is counted around
///   it (`x-ratelimit-remaining-tokens`). The reset is a time (seconds or milliseconds since 1970, ISO, or as HTTP writes it), or how long it
///   takes: seconds, or with units (`1m30s`, `250ms`). `…-Reset-After` always says how long; in a header whose name ends in `-ms` numbers are milliseconds.
/// - The drafts of the standard: `RateLimit: limit=9, remaining=0, reset=5` and `RateLimit: "burst";r=0;t=5`.
///
/// `is_refused`: the answer refuses the request for its limit. Then a reset counts without a number of what is left.
std::optional<std::chrono::milliseconds> exhausted_for(const HttpHeaders& headers, std::int64_t now_us, bool is_refused = false);

}  // namespace tipple::io
