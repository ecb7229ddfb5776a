#include "tipple/destination/undo_sql.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/merge_sql.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

namespace {

/// Names conditions from the root down, so that those of nested tables contain those of their parents.
class Conditions {
public:
    Conditions(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const std::vector<std::string>& load_ids,
               const std::function<std::string(std::string_view)>& quote_table)
        : schema_(schema), catalog_(catalog), rule_(rule), root_condition_(fmt::format("{} {}", standard_name(schema::load_id_column), standard_in_list(load_ids))),
          quote_table_(quote_table) {}

    /// Of the rows of `root` and of all tables below it, the deepest ones first; empty when they do not say by which load they came.
    std::vector<RowsOfLoads> below(const schema::Table& root) const {
        std::vector<RowsOfLoads> found;
        if (!has_column(root.name(), schema::load_id_column)) return found;
        for (const schema::Table* table : schema_.chain_of(root.name())) {
            if (table == &root) {
                found.push_back({.table = root.name(), .condition = root_condition_});
                continue;
            }
            const auto parent = std::find_if(found.begin(), found.end(), [&](const RowsOfLoads& rows) { return rows.table == table->parent(); });
            const std::optional<std::string> parent_key = parent_key_of(*table);
            if (parent == found.end() || !parent_key || !has_column(table->name(), *parent_key)) continue;
            const std::string row_key = require_row_key(schema_.require(table->parent()));
            found.push_back({.table = table->name(),
                             .condition = fmt::format("{} IN (SELECT {} FROM {} WHERE {})", standard_name(*parent_key), standard_name(row_key),
                                                      quote_table_(table->parent()), parent->condition)});
        }
        std::reverse(found.begin(), found.end());
        return found;
    }

private:
    bool has_column(std::string_view table, std::string_view column) const {
        const std::vector<CatalogColumn>* columns = catalog_.find(table, rule_);
        return columns != nullptr &&
               std::any_of(columns->begin(), columns->end(), [&](const CatalogColumn& known) { return rule_.key(known.name) == rule_.key(column); });
    }

    const schema::Schema& schema_;
    const Catalog& catalog_;
    const NameRule& rule_;
    std::string root_condition_;
    const std::function<std::string(std::string_view)>& quote_table_;
};

}  // namespace

std::vector<RowsOfLoads> rows_of_loads(const schema::Schema& schema, const Catalog& catalog, const NameRule& rule, const std::vector<std::string>& load_ids,
                                       const std::function<std::string(std::string_view)>& quote_table) {
    const Conditions conditions(schema, catalog, rule, load_ids, quote_table);
    std::vector<RowsOfLoads> all;
    for (const auto& table : schema.tables()) {
        if (table->is_nested() || table->is_internal()) continue;
        for (RowsOfLoads& rows : conditions.below(*table)) all.push_back(std::move(rows));
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
