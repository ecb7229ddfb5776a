#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small text helpers for messages and options.
namespace tipple {

/// `1,234,567`.
std::string format_count(std::uint64_t count);
/// `312 B`, `3.1 MB` (powers of 1,000, as file managers show them).
std::string format_bytes(std::uint64_t bytes);
/// `0.41 s`, `1 m 05 s`, `2 h 03 m`.
std::string format_seconds(double seconds);

/// `512MiB`, `2GB`, `1048576`, `1.5 GiB`; nothing when the text is not a size.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// `30s`, `5m`, `1.5h`, `2d`, `1w` in seconds; nothing when the text is not such a time.
std::optional<double> parse_duration_seconds(std::string_view text);

/// The candidate nearest to `name` when it is near enough to be a typo of it.
std::optional<std::string> did_you_mean(std::string_view name,
                                        const std::vector<std::string>& candidates);

/// Control characters made visible and at most `length_max` bytes (cut at a character border, `…` appended): safe to print in a
/// message.
std::string excerpt(std::string_view text, std::size_t length_max = 60);

/// A URL with `***` in the place of the password it may have, to be printed; any other text as it is.
std::string without_password(std::string_view url);

/// `a, b, c` for the separator `, `.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// With small letters instead of A to Z; other characters stay.
std::string lower(std::string_view text);

/// Whether `text` is UTF-8 throughout: no overlong forms, no surrogates.
bool is_valid_utf8(std::string_view text);

/// Number of line feeds.
std::size_t count_lines(std::string_view text);

/// Number of code points of valid UTF-8.
std::size_t utf8_length(std::string_view text);

}  // namespace tipple
