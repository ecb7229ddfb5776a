#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/schema/schema.h"

namespace tipple::schema {

/// One way in which two schemas differ.
struct Difference {
    enum class Kind { table_added, table_removed, column_added, column_removed, column_changed, table_changed };
    Kind kind = Kind::column_changed;
    std::string table;
    std::string column = {};  ///< empty when it is about the table
    /// The hint that differs, `data_type` among them; empty when something was added or removed.
    std::string hint = {};
    /// Values of the hint; null = not set.
    json::Value before = {};
    json::Value after = {};

    bool operator==(const Difference&) const = default;
};

/// What makes `after` out of `before`: tables in the order of `after`, then those that are gone; the same within a table. A column that got its
/// data type is added, since it was not at the destination before. Marks that say only how far a table is (`x-normalizer`, `x-extractor`,
/// `x-loader`) do not count; nor do the loader's own tables.
std::vector<Difference> compare(const Schema& before, const Schema& after);

}  // namespace tipple::schema
