#pragma once

#include <string>
#include <vector>

#include "cli/schema_history.h"
#include "cli/terminal.h"
#include "tipple/json/value.h"
#include "tipple/schema/difference.h"

/// What `tipple schema diff|history|blame` print.
namespace tipple::cli {

/// `+ orders.total  decimal(12,2)`, one line per difference.
std::string format_difference(const schema::Difference& difference, const schema::Schema& after, const Terminal& terminal);
/// The same as an object: change, table, column, hint, before, after.
json::Value difference_object(const schema::Difference& difference);

/// "2 tables, 14 columns added", "1 column changed", or "the same".
std::string summarize(const std::vector<schema::Difference>& differences);

/// Why the newest schema has this column with this type, in a sentence.
std::string explain_column(const std::vector<SchemaVersion>& history, const schema::Table& table, const schema::Column& column);

}  // namespace tipple::cli
