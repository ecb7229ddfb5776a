#pragma once

#include <cstdint>
#include <string_view>

/// The binary format of COPY, as both who reads and who writes it need it.
namespace tipple::postgres {

/// What every stream of it begins with.
inline constexpr std::string_view copy_signature("PGCOPY\n\377\r\n\0", 11);
/// Postgres counts time from 2000-01-01; this is that day since 1970.
inline constexpr std::int64_t epoch_us = 946'684'800'000'000;
inline constexpr std::int32_t epoch_days = 10'957;

}  // namespace tipple::postgres
