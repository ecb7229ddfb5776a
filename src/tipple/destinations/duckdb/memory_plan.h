#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tipple/engine/engine.h"
#include "tipple/package/package.h"

namespace tipple::destinations::duckdb {

/// Beyond this many columns a second thread costs more memory than it is worth, and row groups and blocks are small.
inline constexpr std::size_t wide_columns = 400;

/// How the memory of one load is shared out.
struct MemoryPlan {
    struct TableSize {
        std::string name;
        std::size_t columns = 0;
        std::uint64_t rows = 0;  ///< in the package
        double row_bytes = 0;    ///< in memory
        std::uint64_t batch_bytes = 0;  ///< of the largest batch of the package
    };
    std::vector<TableSize> tables;
    std::size_t memory_bytes = 0;  ///< of the whole load; 0 = no limit
    bool is_merge = false;         ///< rows are compared with those that are there
    std::size_t threads = 1;
    /// Whether every thread has room for a row group that it fills and one that it reads. If not, the engine's own rule says how many work on a table.
    bool has_all_threads = false;
    engine::FileLayout layout;
    /// One batch holds no more values than this.
    std::size_t batch_bytes = 0;
    std::size_t largest_batch_bytes = 0;  ///< of the package's own
    std::size_t engine_bytes = 0;  ///< 0 = the engine's default
    std::size_t untouched_bytes = 0;  ///< of these, what the engine counts but never touches
};

/// `memory_bytes`: what the load may use in all; 0 = no limit.
MemoryPlan plan_memory(const package::Package& package, std::size_t memory_bytes,
                       std::size_t threads);

/// Rows of a row group of the widest table that leave room for as much again beside what all threads are filling, a multiple of 2,048; 0 = a whole
/// one fits. The engine would move what does not fit to the disk, and what it remembers of it there is not counted. Only for wide tables: the size
/// is not kept in the file, so the checkpoint of a later load puts small ones together again, which costs more than they save where rows are narrow.
std::size_t row_group_rows(const MemoryPlan& plan);

/// Rows of the largest row groups that all threads of the plan can fill and read at the same time: 122,880, or 94,208, which checkpoints of later loads leave as
/// they are; 0 when there is no room for either.
std::size_t rows_for_all_threads(const MemoryPlan& plan);

/// Rows per batch of one table: a whole row group where it fits into the plan's batch.
std::size_t batch_rows(const package::Manifest& manifest, const std::string& table,
                       const MemoryPlan& plan);

/// The column of a table that holds most of what its rows take; empty when that is not known.
using FindLargestColumn = std::function<std::string(const std::string& table)>;

/// Adapts the plan's threads and engine memory to blocks of `block_bytes`, those of the file that is there. Throws Error(local) that names table,
/// columns and the memory needed when a table does not fit at all; `find_largest_column` is asked where long values are the reason.
void fit_to_blocks(MemoryPlan& plan, std::size_t block_bytes, const FindLargestColumn& find_largest_column);

}  // namespace tipple::destinations::duckdb
