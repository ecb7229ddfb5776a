#pragma once

#include <optional>
#include <string>

#include "tipple/columns/column.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// A decimal as a column holds it.
struct FixedDecimal {
    columns::int128 number = 0;  ///< times ten to the power of the column's scale
    bool is_rounded = false;     ///< digits behind the scale were not all zero
};

/// `decimal` rounded to the column's scale, halves away from zero as DuckDB and the reference do; nothing when it is no number or has more digits than the column's precision.
std::optional<FixedDecimal> to_fixed(const schema::Decimal& decimal, const columns::ColumnType& type);

/// What a number that the column would round is said to be.
std::string describe_fine_number(const schema::Decimal& decimal, const columns::ColumnType& type);

}  // namespace tipple::normalize
