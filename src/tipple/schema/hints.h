#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/schema.h"

/// What a user says about tables before any data comes. Names are those of the source; they are normalized when the tables are declared.
namespace tipple::schema {

/// Hints for a table. Plain data.
struct TableHints {
    std::optional<Disposition> disposition;
    /// For the disposition merge.
    MergeOptions merge;
    std::vector<std::string> primary_key;
    std::vector<std::string> merge_key;
    /// Possibly incomplete.
    std::vector<Column> columns;
    /// Null = none of its own; else as `parse_contract` reads it.
    json::Value schema_contract;
    /// Further properties as schema documents write them.
    json::Object properties;
};

/// Hints for a table nested in a resource's table. A primary or merge key makes it a root table of its own: its rows are loaded by its own
/// disposition and know their root row, but no parent.
struct NestedHints {
    /// Keys of the data from the record down to the list: {"orders", "lines"}.
    std::vector<std::string> path;
    TableHints hints;
};

/// Chooses the table of each record: `prefix` and the value of the record's field `field` (a key of the data, at its top level).
struct TableByField {
    std::string field;
    std::string prefix;
};

}  // namespace tipple::schema
