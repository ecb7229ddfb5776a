#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tipple {

/// `1 row`, `2,345 rows`.
/// @param noun in the singular; its plural ends with another `s`
std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace tipple
