#include "tipple/pipeline/table_reports.h"

#include <algorithm>

namespace tipple::pipeline {

void describe_tables(std::vector<TableReport>& tables, const schema::Schema& schema, const schema::Schema& before, const std::map<std::string, std::uint64_t>& rows,
                     const std::vector<package::WidenedColumn>& widened) {
    for (const auto& root : schema.tables()) {
        if (root->is_nested() || root->is_internal()) continue;
        for (const schema::Table* table : schema.chain_of(root->name())) {
            const auto count = rows.find(table->name());
            if (count == rows.end()) continue;
            const schema::Table* old = before.find(table->name());
            TableReport entry{.table = table->name(), .parent = table->parent(), .rows = count->second, .new_columns = {}};
            entry.is_new = old == nullptr || !old->has_complete_columns();
            for (const schema::Column& column : table->columns()) {
                const schema::Column* known = old != nullptr ? old->find(column.name()) : nullptr;
                if (column.is_complete() && (known == nullptr || !known->is_complete())) entry.new_columns.push_back(column);
            }
            for (const package::WidenedColumn& column : widened) {
                if (column.table != table->name()) continue;
                entry.widened_columns.push_back({column.column, column.from, *table->find(column.column)->data_type()});
            }
            tables.push_back(std::move(entry));
        }
    }
}

void add_tables(std::vector<TableReport>& tables, const std::vector<TableReport>& added) {
    for (const TableReport& table : added) {
        const auto known = std::find_if(tables.begin(), tables.end(), [&](const TableReport& other) { return other.table == table.table; });
        if (known == tables.end()) {
            tables.push_back(table);
            continue;
        }
        known->rows += table.rows;
        known->new_columns.insert(known->new_columns.end(), table.new_columns.begin(), table.new_columns.end());
        known->widened_columns.insert(known->widened_columns.end(), table.widened_columns.begin(), table.widened_columns.end());
    }
}

}  // namespace tipple::pipeline
