#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tipple/normalize/page_result.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// The unit of the times that the store keeps in that column: times that are no multiple of it are rounded there. 1 = the store keeps all digits, or
/// the column has no times.
std::int64_t kept_unit_us(const Rules& rules, const schema::Column& column);

/// Whether a value is a time of which a column does not keep all digits. `unit_us`: kept_unit_us of that column.
bool is_fine_time(const schema::Value& value, std::int64_t unit_us);

/// What such a time is said to be.
std::string describe_fine_time(const schema::Value& time, std::int64_t unit_us);

/// What becomes of it, and what helps (BadRecord::remedy): more digits of the column, unless it has all that columns can have.
DataNote::Kind note_of_fine_times(std::int64_t unit_us);
std::string_view remedy_of_fine_times(std::int64_t unit_us);

}  // namespace tipple::normalize
