#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tipple::extract {

/// How often what a long read has brought so far is committed as a load of its own: when as many records of root tables came, or as much time went by, whichever
/// is given. At least that: a load ends where a page does.
struct Checkpoint {
    std::uint64_t records = 0;
    double seconds = 0;
};

/// `500000` records, or a time such as `90s`, `10m`, `2h`. Nothing when the text is neither.
std::optional<Checkpoint> parse_checkpoint(std::string_view text);

}  // namespace tipple::extract
