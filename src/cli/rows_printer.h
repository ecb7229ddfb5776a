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

/// A text table: `columns` wide enough for their values, the widest ones cut when the terminal is too small.
std::string format_table(const destination::QueryResult& result, const Terminal& terminal);

}  // namespace tipple::cli
