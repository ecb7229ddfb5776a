#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/schema/schema.h"

namespace tipple::sources::csv {

/// What the values of a CSV column are. A value fits a type only when nothing of it is lost.
enum class Kind : std::uint8_t {
    text,          ///< everything, spaces included
    bigint,        ///< -?digits, no zeros in front, within 64 bits
    float64,       ///< a decimal number with or without exponent, nan, inf; a whole number only when a double holds all its digits
    boolean,       ///< true or false in any case
    date,          ///< YYYY-MM-DD, also with slashes
    time,          ///< HH:MM:SS with up to six fraction digits
    timestamp,     ///< a date and a time with a space or T between; a date is its midnight
    timestamp_tz,  ///< the same with Z or an offset; without one it is UTC
    decimal,       ///< digits with a point; only where it is declared
};

struct Type {
    Kind kind = Kind::text;
    int precision = 0;  ///< of a decimal
    int scale = 0;
    bool operator==(const Type&) const = default;
};

columns::ColumnType column_type(Type type);
/// What a column that is declared so reads; nothing for types that text does not have.
std::optional<Type> declared_type(const schema::Column& column);

/// One column of some records. A null has no data.
using Texts = std::span<const std::string_view>;

/// Appends the values of `texts` to `out`, a column of `column_type(type)`; spaces around do not count but in text, and what then is empty is
/// null. Nothing when all fitted, else the place of the first that did not; `out` is not to be used then.
std::optional<std::size_t> append_values(Texts texts, Type type, columns::ColumnBuilder& out);

/// Whether a text that is no null fits.
bool fits(std::string_view text, Type type);

/// The narrowest type that holds all the texts, whatever their order. Nothing when there is no value among them.
std::optional<Type> find_type(Texts texts);

/// The type that can hold what `type` holds and `misfit`, at last text.
Type wider_type(Type type, std::string_view misfit);

}  // namespace tipple::sources::csv
