#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/sql.h"
#include "tipple/package/package.h"
#include "tipple/schema/schema.h"

/// Which rows a load has brought, and the SQL that takes them away again.
namespace tipple::destination {

/// Rows of one table that some loads have brought, or that are below others.
struct RowsOfLoads {
    std::string table;
    std::string condition;  ///< SQL, to stand behind WHERE
};

/// For every table of `schema` that `catalog` has too, nested tables before their parents. A nested row belongs to the load of its root row, which
/// is found through the rows between them. Tables whose rows do not say by which load they came are left out. `quote_table` gives the text that
/// names a table in a statement.
std::vector<RowsOfLoads> rows_of_loads(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const std::vector<std::string>& load_ids,
                                       const std::function<std::string(std::string_view table)>& quote_table);

/// The rows of `root` where `root_condition` holds and all rows below them, the deepest tables first, as far as `catalog` has them.
std::vector<RowsOfLoads> rows_below(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const schema::Table& root, const std::string& root_condition,
                                    const std::function<std::string(std::string_view table)>& quote_table);

/// `execute` runs a statement and returns how many rows it affected.
using Execute = std::function<std::uint64_t(const std::string& statement)>;

/// Deletes the rows of the loads that `removal` names, their states and their load records. Throws Error(conflict) when other numbers of rows went
/// than `removal` expects.
void undo_loads(const SqlWriter& sql, const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const package::Removal& removal,
                const Execute& execute);

}  // namespace tipple::destination
