#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/schema/hints.h"
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

/// Puts the hint where it belongs: among the columns of the records, or of the table nested in them that its path names. Throws Error(usage) for a
/// key of a nested table; `text` is the hint as it was written.
void add_column_hint(ColumnHint hint, std::string_view text, std::vector<Column>& columns, std::vector<NestedHints>& nested);

}  // namespace tipple::schema
