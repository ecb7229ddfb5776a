#include "tipple/sources/sql/cursor_order.h"

#include <algorithm>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/incremental/value.h"

namespace tipple::sources::sql {

/// Of whole numbers and times, which most cursors are, without looking at values one by one.
bool CursorOrder::is_sorted(const columns::ColumnView& column) const {
    if (columns::layout_of(column.type.type) != columns::Layout::int64 || column.null_count > 0 || column.length == 0) return false;
    for (std::size_t row = 1; row < column.length; ++row) {
        const auto before = column.value<std::int64_t>(row - 1);
        const auto value = column.value<std::int64_t>(row);
        if (is_ascending_ ? value < before : value > before) return false;
    }
    return true;
}

void CursorOrder::check_value(const schema::Value& value) {
    if (value.is_null()) return;
    if (!last_.is_null() && incremental::kind_of(value) == incremental::kind_of(last_)) {
        const std::partial_ordering order = incremental::compare(value, last_);
        if (is_ascending_ ? order < 0 : order > 0) {
            throw Error(ErrorKind::data,
                        "resource \"{}\": the database sorts column \"{}\" in another order than its values have ({} came behind {}), so a run that ends early would lose rows: run it "
                        "without a limit, a checkpoint or an end, or let the column be written in one form",
                        resource_, column_, incremental::describe(value), incremental::describe(last_));
        }
    }
    last_ = value;
}

void CursorOrder::check(const Rows& rows) {
    if (const auto* records = std::get_if<std::vector<schema::Value>>(&rows)) {
        for (const schema::Value& record : *records) {
            for (const schema::Field& field : record.as<schema::Object>()) {
                if (field.name == column_) check_value(field.value);
            }
        }
        return;
    }
    const auto& batch = std::get<columns::Batch>(rows);
    const auto found = std::find(batch.names.begin(), batch.names.end(), column_);
    if (found == batch.names.end() || batch.rows == 0) return;
    const columns::ColumnView column = batch.columns[static_cast<std::size_t>(found - batch.names.begin())].view();
    if (is_sorted(column)) {
        check_value(columns::value_at(column, 0));
        last_ = columns::value_at(column, column.length - 1);
        return;
    }
    for (std::size_t row = 0; row < column.length; ++row) check_value(columns::value_at(column, row));
}

}  // namespace tipple::sources::sql
