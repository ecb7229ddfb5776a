#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/schema/name_rule.h"
#include "tipple/schema/schema.h"

namespace tipple::schema {

/// What the `filters` of the tables of a schema leave out of the data. Those of a table hold for it and for all tables whose names begin with
/// its name, and speak of paths: the rest of such a table's name and the column. Immutable; used by many threads at once.
class Filters {
public:
    /// `schema`: whose tables have them. `separator`: between the parts of names, see NamingConvention. Throws Error(usage) when filters are
    /// malformed.
    Filters(const Schema& schema, std::string_view separator);

    /// Whether any filter may leave out something of rows of `root` or of a table below it, known or not.
    bool concern(std::string_view root) const;
    /// Whether `column` is left out of rows of `table`. Both normalized.
    bool leave_out(std::string_view table, std::string_view column) const;

private:
    struct TableFilters {
        std::string table;
        std::vector<NameRule> excludes;
        std::vector<NameRule> includes;  ///< exceptions
    };
    std::string separator_;
    std::vector<TableFilters> tables_;  ///< that exclude anything
};

}  // namespace tipple::schema
