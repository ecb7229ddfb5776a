#pragma once

#include <cstddef>
#include <string>

#include "tipple/columns/column.h"

/// Values of one column as a column of a wider type holds them.
namespace tipple::columns {

/// Rows have a column under the name `from` whose values belong to the table's column `to`. Of several such columns and `to` itself at most one
/// has a value in a row. Their types may be narrower than that of `to`: see `can_widen`.
struct ColumnMove {
    std::string table;
    std::string from;
    std::string to;
    bool operator==(const ColumnMove&) const = default;
};

/// Whether `append_widened` takes values of type `from` to a column of type `to`: equal types, bigint to double or decimal, decimal to decimal
/// of at least as many digits on both sides of the point, date to timestamp, and text that is all dates or timestamps to these.
bool can_widen(const ColumnType& from, const ColumnType& to);

/// Appends `rows` rows of `source` from `from` on, which `can_widen` to the builder's type. Throws Error(corrupt) at a text that is no time.
void append_widened(ColumnBuilder& builder, const ColumnView& source, std::size_t from, std::size_t rows);

}  // namespace tipple::columns
