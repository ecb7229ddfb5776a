#include "tipple/source/checkpoint.h"

#include <charconv>

#include "tipple/core/text.h"

namespace tipple::extract {

std::optional<Checkpoint> parse_checkpoint(std::string_view text) {
    std::uint64_t records = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), records);
    if (code == std::errc() && end == text.data() + text.size()) return records > 0 ? std::optional(Checkpoint{.records = records}) : std::nullopt;
    const std::optional<double> seconds = parse_duration_seconds(text);
    return seconds && *seconds > 0 ? std::optional(Checkpoint{.seconds = *seconds}) : std::nullopt;
}

}  // namespace tipple::extract
