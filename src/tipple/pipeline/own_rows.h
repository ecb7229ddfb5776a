#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/package/package.h"
#include "tipple/schema/schema.h"

namespace tipple::pipeline {

/// Rows of a table that no source fills, but the pipeline itself: quarantine, ledgers. One thread at a time.
class OwnRows {
public:
    /// `definition`: the table with all its columns. `load_id`: of the load the rows belong to, which fills its own column in, as in every table.
    OwnRows(const schema::Table& definition, std::string load_id);

    /// Of the row that is begun; columns that get nothing are null. There must be such a column.
    columns::ColumnBuilder& column(std::string_view name);
    /// An id that no other row of the load has.
    std::string next_id();
    void end_row(std::string_view id);

    std::uint64_t size() const { return rows_; }
    std::size_t bytes() const;
    /// The rows as a batch, and forgets them. Nothing when there are none.
    std::optional<package::EncodedBatch> take();
    /// Forgets them.
    void clear();

private:
    std::string table_;
    std::string load_id_;
    std::vector<std::string> names_;
    std::vector<columns::ColumnBuilder> columns_;
    std::uint64_t rows_ = 0;
    std::uint64_t added_ = 0;
    format::BatchEncoder encoder_;
};

}  // namespace tipple::pipeline
