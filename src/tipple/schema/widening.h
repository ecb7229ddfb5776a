#pragma once

#include <cstdint>
#include <optional>

#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

/// Which columns may take the place of others without changing a value (docs/internals/schema.md, "Widening").
namespace tipple::schema {

/// Whole numbers up to this, and down to its negative, are doubles too.
inline constexpr std::int64_t double_integer_max = std::int64_t{1} << 53;

/// Whether `number` is a double too, and every whole number nearer to 0.
inline bool is_double_integer(std::int64_t number) { return number >= -double_integer_max && number <= double_integer_max; }

/// Whether every value of the complete column `from` is a value of the complete column `to`, which is of another type or more precise. Bigint
/// to double is among them, though it depends on the values: see `is_double_integer`.
bool is_wider(const Column& to, const Column& from);

/// Digits of a decimal that holds all values of two others, or nothing when it would have more than 38.
struct DecimalDigits {
    int precision = 0;
    int scale = 0;
    bool operator==(const DecimalDigits&) const = default;
};
std::optional<DecimalDigits> widest(const DecimalDigits& a, const DecimalDigits& b);
/// Those of every bigint.
inline constexpr DecimalDigits bigint_digits{.precision = 19, .scale = 0};
/// Those of a decimal column; 38 and 9 unless it says otherwise.
DecimalDigits decimal_digits(const Column& column);

/// Whether `coerce` to `to` would keep only a part of the value: an integer that is no double, the time of a timestamp.
bool loses_by_coercion(DataType to, const Value& value);

}  // namespace tipple::schema
