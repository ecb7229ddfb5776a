#include "tipple/columns/without_rows.h"

namespace tipple::columns {

Batch without_rows(const Batch& batch, const std::vector<std::size_t>& rows) {
    Batch kept{.rows = batch.rows - rows.size(), .names = batch.names, .columns = {}};
    for (const ColumnBuilder& column : batch.columns) {
        const ColumnView view = column.view();
        ColumnBuilder& left = kept.columns.emplace_back(column.type());
        std::size_t from = 0;
        for (const std::size_t row : rows) {
            if (row > from) left.append_rows(view, from, row - from);
            from = row + 1;
        }
        if (batch.rows > from) left.append_rows(view, from, batch.rows - from);
    }
    return kept;
}

}  // namespace tipple::columns
