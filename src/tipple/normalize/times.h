#pragma once

#include <cstdint>
#include <string>

#include "tipple/normalize/rules.h"
#include "tipple/schema/schema.h"

namespace tipple::normalize {

/// The unit of the times that the store keeps in that column: times that are no multiple of it are rounded there. 1 = the store keeps all digits, or
/// the column has no times.
std::int64_t kept_unit_us(const Rules& rules, const schema::Column& column);

/// What a time that the store would round is said to be. `unit_us`: kept_unit_us of its column.
std::string describe_fine_time(const schema::Value& time, std::int64_t unit_us);

}  // namespace tipple::normalize
