#include "tipple/core/counted.h"

#include <fmt/format.h>

#include "tipple/core/text.h"

namespace tipple {

std::string counted(std::uint64_t count, std::string_view noun) { return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s"); }

}  // namespace tipple
