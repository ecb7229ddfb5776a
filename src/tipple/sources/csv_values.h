#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tipple/columns/column.h"

namespace tipple::sources {

/// What the values of a CSV column are, as far as their beginning shows. The engine guesses it from the first lines, and would bend a later
/// value until it fits: 1.5 to 2 in whole numbers, a timestamp to its day in dates. So such columns are read as text and understood here,
/// where a value fits or does not.
enum class CsvType {
    bigint,        ///< -?digits, no zeros in front, within 64 bits
    float64,       ///< a decimal number with or without exponent, nan, inf; a whole number only when a double holds all its digits
    boolean,       ///< true or false in any case
    date,          ///< YYYY-MM-DD, also with slashes
    time,          ///< HH:MM:SS with up to six fraction digits
    timestamp,     ///< a date and a time with a space or T between; a date is its midnight
    timestamp_tz,  ///< the same with Z or an offset; without one it is UTC
};

/// By the engine's name of a guessed type; nothing for texts and types that cannot be mistaken.
std::optional<CsvType> csv_type(std::string_view sql_type);
columns::ColumnType column_type(CsvType type);

/// Appends the values of `texts` to `out`, a column of `column_type(type)`; empty texts are nulls, spaces around do not count. Nothing when all
/// fitted, else the first that did not; `out` is not to be used then.
std::optional<std::string> append_csv_values(const columns::ColumnView& texts, CsvType type, columns::ColumnBuilder& out);

/// The type that can hold what `type` holds and `misfit`, or nothing: text.
std::optional<CsvType> wider_csv_type(CsvType type, std::string_view misfit);

}  // namespace tipple::sources
