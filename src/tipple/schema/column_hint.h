#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/schema/schema.h"

namespace tipple::schema {

/// A column hint as it is written on a command line.
struct ColumnHint {
    /// Keys of the data from the record down to the list whose elements have the column; empty = the records themselves.
    std::vector<std::string> path;
    Column column;
    bool is_key = false;
};

/// Reads `NAME:TYPE[:HINT...]`, such as `amount:decimal(10,2)`, `id:bigint:key`, `lines/price:double:not_null`, `code::unique`. NAME as in the
/// data, below lists with `/` between the keys; TYPE a type of schema documents, with precision and scale in brackets, or empty; HINT one of
/// key, merge_key, unique, not_null, nullable, hard_delete, dedup_sort=asc|desc, timezone=true|false, description=TEXT. Throws
/// Error(usage) that says what is wrong with it.
ColumnHint parse_column_hint(std::string_view text);

}  // namespace tipple::schema
