#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tipple/schema/value.h"

/// The conversion table of the reference (docs/internals/normalize.md) on single values.
namespace tipple::schema {

/// `value` as a column of type `to` holds it, or nothing when it does not fit: then it belongs into a variant column. `value` is a
/// scalar or Json, never null, list or object. The result is null only for the text `null` in a json column. Timestamps keep `is_aware` as the value had it; the zone rule is `apply_timezone`.
std::optional<Value> coerce(DataType to, const Value& value);

/// Zone rule of timestamp columns: with `has_timezone` naive is read as UTC; without, an aware value becomes its UTC wall clock.
Timestamp apply_timezone(Timestamp timestamp, bool has_timezone);

/// Python's literals, which the reference accepts in text: blanks around, `_` between digits, `+`, `inf`, `nan`.
std::optional<double> parse_python_float(std::string_view text);
/// Integers within int64 as such, within uint64 as uint64, else a Decimal.
std::optional<Value> parse_python_int(std::string_view text);
std::optional<Decimal> parse_decimal(std::string_view text);

/// `1.50`, `1E+2`, `-0.000001`: as Python's decimal prints it.
std::string to_text(const Decimal& decimal);
/// Never with an exponent: `100`, `0.0000001`.
std::string to_plain_text(const Decimal& decimal);
/// The decimal of the shortest text that reads back as `number`.
Decimal decimal_from_double(double number);
/// Correctly rounded; infinity when no double is as large.
double to_double(const Decimal& decimal);

/// Whether a wei column takes `decimal`. What it does not take becomes text, in a column `<name>__v_str`.
bool fits_wei(const Decimal& decimal);

}  // namespace tipple::schema
