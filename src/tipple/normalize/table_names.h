#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/normalize/rules.h"
#include "tipple/schema/schema.h"

namespace tipple::normalize {

struct TableState;

/// A data key as a part of names: normalized; an empty or blank key is `_empty`.
std::string normalize_key(const Rules& rules, std::string_view key);

/// Column of a key below the objects in `path` (normalized parts).
std::string column_name(const Rules& rules, std::span<const std::string> path, const std::string& key);

/// The column for values of `type` that do not fit `column`.
std::string variant_name(const Rules& rules, std::string_view column, schema::DataType type);

/// Whether rows of the tables below `root` carry the id of their root row: the schema propagates it.
bool propagates_root_id(const schema::Schema& schema, std::string_view root);

/// Whether the id of a row of `table` is the root id of the rows below it: it is a root table, or one that hints made a root of its own, and
/// the schema propagates it.
bool is_own_root(const schema::Schema& schema, const TableState& table);

/// A field of a row that the rows below it get too, under another name.
struct PropagatedField {
    std::string from;
    std::string to;
};
/// What the schema propagates from rows of `table`, but for root ids.
std::vector<PropagatedField> propagated_fields(const schema::Schema& schema, const TableState& table);
/// Whether there is any such field.
bool propagates_fields(const schema::Schema& schema);

/// How many objects and lists below a row of `root` are opened before what is left stays JSON.
int max_nesting(const schema::Schema& schema, std::string_view root);

}  // namespace tipple::normalize
