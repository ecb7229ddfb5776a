#include "tipple/destination/undo_sql.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/merge_sql.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

/// Conditions are named from the root down, so that those of nested tables contain those of their parents.
std::vector<RowsOfLoads> rows_below(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const schema::Table& root, const std::string& root_condition,
                                    const std::function<std::string(std::string_view table)>& quote_table) {
    std::vector<RowsOfLoads> found;
    for (const schema::Table* table : schema.chain_of(root.name())) {
        if (table->name() == root.name()) {
            found.push_back({.table = root.name(), .condition = root_condition});
            continue;
        }
        const auto parent = std::find_if(found.begin(), found.end(), [&](const RowsOfLoads& rows) { return rows.table == table->parent(); });
        const std::optional<std::string> parent_key = parent_key_of(*table);
        if (parent == found.end() || !parent_key || !catalog.has_column(table->name(), *parent_key, rule)) continue;
        const std::string row_key = require_row_key(schema.require(table->parent()));
        found.push_back({.table = table->name(),
                         .condition = fmt::format("{} IN (SELECT {} FROM {} WHERE {})", standard_name(*parent_key), standard_name(row_key), quote_table(table->parent()),
                                                  parent->condition)});
    }
    std::reverse(found.begin(), found.end());
    return found;
}

std::vector<RowsOfLoads> rows_of_loads(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const std::vector<std::string>& load_ids,
                                       const std::function<std::string(std::string_view)>& quote_table) {
    const std::string condition = fmt::format("{} {}", standard_name(schema::load_id_column), standard_in_list(load_ids));
    std::vector<RowsOfLoads> all;
    for (const auto& table : schema.tables()) {
        // A table without the column does not say by which load its rows came.
        if (table->is_nested() || table->is_internal() || !catalog.has_column(table->name(), schema::load_id_column, rule)) continue;
        for (RowsOfLoads& rows : rows_below(schema, catalog, rule, *table, condition, quote_table)) all.push_back(std::move(rows));
    }
    return all;
}

void undo_loads(const SqlWriter& sql, const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const package::Removal& removal,
                const Execute& execute) {
    const auto quote_table = [&](std::string_view table) { return sql.table(table); };
    for (const RowsOfLoads& rows : rows_of_loads(schema, catalog, rule, removal.undone_loads, quote_table)) {
        const auto expected = std::find_if(removal.undone_rows.begin(), removal.undone_rows.end(),
                                           [&](const package::UndoneRows& undone) { return undone.table == rows.table; });
        const std::uint64_t deleted = execute(fmt::format("DELETE FROM {} WHERE {}", sql.table(rows.table), rows.condition));
        if (expected != removal.undone_rows.end() ? deleted == expected->rows : deleted == 0) continue;
        throw Error(ErrorKind::conflict,
                    "table \"{}\": {} rows of the loads to be undone are there now, {} were there when they were counted; nothing was removed, try again", rows.table,
                    deleted, expected != removal.undone_rows.end() ? expected->rows : 0);
    }
    const std::string ids = standard_in_list(removal.undone_loads);
    execute(fmt::format("DELETE FROM {} WHERE {} {}", sql.table(state_table), sql.name(schema::load_id_column), ids));
    const std::uint64_t records = execute(fmt::format("DELETE FROM {} WHERE {} {}", sql.table(loads_table), sql.name("load_id"), ids));
    if (records != removal.undone_loads.size()) {
        throw Error(ErrorKind::conflict, "{} of the {} loads to be undone are there: nothing was removed", records, removal.undone_loads.size());
    }
}

}  // namespace tipple::destination
