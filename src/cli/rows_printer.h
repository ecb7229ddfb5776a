#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "tipple/destination/destination.h"

namespace tipple::cli {

enum class RowsFormat { table, csv, json, jsonl };
RowsFormat require_rows_format(std::string_view name);

/// Writes to stdout. A table is fitted into the terminal's width; numbers stand to the right.
void print_rows(const destination::QueryResult& result, RowsFormat format, const Terminal& terminal);

/// What is cut first where a terminal is too small for a table.
enum class TableKind {
    values,  ///< the widest columns
    named,   ///< all but the first one, which says what each row is about
};

/// A text table: its columns are wide enough for their values, but where the terminal is too small; see `kind`.
std::string format_table(const destination::QueryResult& result, const Terminal& terminal, TableKind kind = TableKind::values);

}  // namespace tipple::cli
