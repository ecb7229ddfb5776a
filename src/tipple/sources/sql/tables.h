#pragma once

#include <string>
#include <vector>

#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/settings.h"

/// Which tables the resources of the user stand for.
namespace tipple::sources::sql {

struct ChosenTable {
    const ResourceSettings* settings = nullptr;
    /// Empty for a query.
    TableName table;
    /// The resource's: the user's name for a query or one that says from where it is read, else the table's, with its schema where that is not the default one.
    std::string name;
};

/// In the order of the tables, queries last. A table that is named as such is told by that name, else by the last pattern that fits; a name wins over an exclusion,
/// an exclusion over a pattern. Throws Error(usage) for a name or pattern that nothing fits, with the nearest one, and for two resources of one name.
std::vector<ChosenTable> choose_tables(const std::vector<ResourceSettings>& resources, const std::vector<TableName>& tables, const std::string& default_schema);

/// `schema.name`, or the name alone.
std::string full_name(const TableName& table);

}  // namespace tipple::sources::sql
