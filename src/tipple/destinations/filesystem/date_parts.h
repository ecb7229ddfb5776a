#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tipple::destinations::filesystem {

/// Placeholders of a layout that stand for a part of a point in time: `YYYY`, `MM`, `curr_date`, `timestamp`, …
std::span<const std::string_view> date_part_names();

/// What such a placeholder stands for at a point in time, in microseconds since 1970 UTC; in lower case.
std::string date_part(std::string_view name, std::int64_t time_us);

}  // namespace tipple::destinations::filesystem
