#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tipple/columns/arrow_c.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/dropped_rows.h"
#include "tipple/package/package.h"

namespace tipple::destination {

/// What both kinds of stream need to know.
struct RowsOptions {
    io::FileSystem* files = nullptr;
    const package::Package* package = nullptr;  ///< outlives the stream
    std::string table;
    /// The one job whose rows are read; nothing = all of the table.
    const package::JobFile* job = nullptr;
    /// The only rows that `table_rows` reads, by what it says when the first one is read; nullptr = all.
    std::shared_ptr<const RowRange> selected = nullptr;
    /// Job files may have schema::root_number_column, which is no column of the table.
    bool has_root_numbers = false;
    std::size_t batch_rows = 0;
    std::size_t batch_bytes = 0;
};

/// All rows of the table's job files but the dropped ones. `hidden`: columns that job files may
/// have and the stream has not. `on_rows` hears of every batch.
columns::ArrowSource table_rows(const RowsOptions& options,
                                const std::vector<package::SegmentColumn>& columns,
                                const std::vector<std::string>& hidden,
                                std::shared_ptr<const DroppedRows> dropped,
                                std::function<void(std::uint64_t rows)> on_rows);

/// A few columns of them, and behind those each row's position (bigint).
columns::ArrowSource table_keys(const RowsOptions& options,
                                const std::vector<package::SegmentColumn>& columns);

}  // namespace tipple::destination
