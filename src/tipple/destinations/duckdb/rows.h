#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tipple/columns/arrow_c.h"
#include "tipple/package/package.h"

namespace tipple::destinations::duckdb {

/// Rows of one table of a package that are left out, by their position: job files first, in order,
/// then files by reference. Filled after the streams that ask it were made, and before they are
/// read.
class DroppedRows {
public:
    void resize(std::uint64_t rows) { bits_.resize(rows); }
    void add(std::uint64_t position) {
        if (!bits_.at(position)) ++count_;
        bits_[position] = true;
    }
    bool contains(std::uint64_t position) const { return count_ > 0 && bits_[position]; }
    std::uint64_t count() const { return count_; }

private:
    std::vector<bool> bits_;
    std::uint64_t count_ = 0;
};

/// What both kinds of stream need to know.
struct RowsOptions {
    io::FileSystem* files = nullptr;
    const package::Package* package = nullptr;  ///< outlives the stream
    std::string table;
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

}  // namespace tipple::destinations::duckdb
