#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

/// Row ids that are hashes, as the reference makes them: the same row has the same id in every run and on every machine.
namespace tipple::normalize {

/// What the ids of a root table's rows are made of.
enum class RowIdSource {
    position,  ///< of the row in the load
    key,       ///< the primary key: a row is updated where it is
    content,   ///< all the record says: equal records are one version
};

/// As the table's disposition and merge strategy want it. `root` may be nullptr: a table that nobody declared.
RowIdSource row_id_source(const schema::Table* root);

/// Columns of the primary and merge key of `table` that must not be null. None when it is nullptr.
std::vector<std::string> required_key(const schema::Table* table);

/// Row id of a record, whose names are those of the source; the loader's own fields do not count.
std::string content_id(const schema::Object& record);

/// Row id of a key: normalized column names and values, in any order.
using KeyValues = std::vector<std::pair<std::string_view, const schema::Value*>>;
std::string key_id(const KeyValues& key);

/// Row id that depends on nothing but the parent's id, the table and the place in the list, as the reference makes it for all nested rows.
/// Ours does so where the parent's id can be known in advance: given by the data, or a hash of key or content.
std::string repeatable_child_id(std::string_view parent_id, std::string_view table, std::int64_t list_index);

}  // namespace tipple::normalize
