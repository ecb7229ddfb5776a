#include "tipple/destinations/duckdb/memory_plan.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"

namespace tipple::destinations::duckdb {

namespace {

/// Beyond this many columns a second thread costs more memory than it is worth.
constexpr std::size_t wide_columns = 400;
/// A package below this is loaded before a second thread has started.
constexpr std::uint64_t small_package_bytes = 1 << 20;
/// The smallest block there is. A file of them is larger and slower to write, so only wide tables
/// get it.
constexpr std::size_t small_block_bytes = 16'384;
constexpr std::size_t batch_rows_min = 1'024;
/// What the engine needs whatever it loads.
constexpr std::size_t engine_base_bytes = std::size_t{16} << 20;
/// Of every column: the vectors of 2,048 values that a row passes through on its way.
constexpr std::size_t column_base_bytes = 80 * 1'024;
/// And its buffers while rows are appended and compressed, which grow up to two blocks with one
/// thread and three and a half with two. Buffers of small blocks hardly count, because they can be
/// moved out of memory. Measured with 100 to 3,000 columns, 40 % of them text. An estimate that is
/// too low costs time, not rows: then the load fails later and is rolled back.
constexpr std::size_t column_bytes_per_row = 35;

std::size_t engine_need(const MemoryPlan::TableSize& table, std::size_t threads,
                        std::size_t block_bytes) {
    const std::size_t full =
        (std::max(block_bytes, small_block_bytes) - small_block_bytes) * (1 + 3 * threads) / 2;
    const std::uint64_t rows = std::min<std::uint64_t>(table.rows, limits::row_group_rows);
    return engine_base_bytes +
           table.columns * (column_base_bytes + std::min(full, column_bytes_per_row * rows));
}

/// Whether there is little to write and nothing to compare with rows that are there.
bool is_small(const package::Manifest& manifest) {
    std::uint64_t bytes = 0;
    for (const package::JobFile& job : manifest.jobs)
        bytes += job.reference ? job.reference->size : job.raw_bytes;
    return bytes <= small_package_bytes &&
           std::none_of(manifest.loads.begin(), manifest.loads.end(),
                        [](const package::TableLoad& load) {
                            return load.disposition == schema::Disposition::merge;
                        });
}

double bytes_per_row(const package::Manifest& manifest, const std::string& table) {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const package::JobFile& job : manifest.jobs) {
        if (job.table != table || job.reference) continue;
        rows += job.rows;
        bytes += job.raw_bytes;
    }
    return rows == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(rows);
}

}  // namespace

MemoryPlan plan_memory(const package::Package& package, std::size_t memory_bytes,
                       std::size_t threads) {
    MemoryPlan plan;
    const package::Manifest& manifest = package.manifest();
    std::size_t columns = 0;
    for (const package::TableLoad& load : manifest.loads) {
        for (const std::string& name : load.tables) {
            const schema::Table* table = package.schema().find(name);
            const std::uint64_t rows = manifest.rows_of(name);
            if (table == nullptr || rows == 0) continue;
            plan.tables.push_back({.name = name, .columns = table->columns().size(), .rows = rows});
            columns = std::max(columns, table->columns().size());
        }
    }
    const bool is_wide = columns > wide_columns;
    plan.threads = is_wide || is_small(manifest) ? 1 : std::max<std::size_t>(threads, 1);
    plan.block_bytes = is_wide ? small_block_bytes : 0;
    plan.batch_bytes = memory_bytes == 0 ? limits::text_buffer_bytes_max
                                         : std::max<std::size_t>(memory_bytes / 8, 1);
    if (memory_bytes == 0) return plan;

    double batch = 0;
    for (const package::JobFile& job : manifest.jobs) {
        batch = std::max(
            batch, bytes_per_row(manifest, job.table) * static_cast<double>(std::min<std::uint64_t>(
                                                            job.rows, limits::row_group_rows)));
    }
    // Every thread of the engine holds a batch, and one more is being read.
    const std::size_t held =
        std::min(static_cast<std::size_t>(batch), plan.batch_bytes) * (plan.threads + 1);
    plan.engine_bytes = std::max(memory_bytes - std::min(held, memory_bytes), memory_bytes / 2);
    return plan;
}

std::size_t batch_rows(const package::Manifest& manifest, const std::string& table,
                       const MemoryPlan& plan) {
    const double per_row = std::max(bytes_per_row(manifest, table), 1.0);
    const double rows = static_cast<double>(plan.batch_bytes) / per_row;
    return static_cast<std::size_t>(std::clamp(rows, static_cast<double>(batch_rows_min),
                                               static_cast<double>(limits::row_group_rows)));
}

void fit_to_blocks(MemoryPlan& plan, std::size_t block_bytes) {
    if (plan.engine_bytes == 0) return;
    for (const MemoryPlan::TableSize& table : plan.tables) {
        if (engine_need(table, plan.threads, block_bytes) > plan.engine_bytes) plan.threads = 1;
        const std::size_t need = engine_need(table, 1, block_bytes);
        if (need <= plan.engine_bytes) continue;
        // With one thread, up to a quarter of the memory goes to batches.
        throw Error(ErrorKind::local,
                    "table \"{}\" has {} columns: loading it takes about {} of memory in the "
                    "database engine, which may use {}. "
                    "Give --memory {}MiB",
                    table.name, table.columns, format_bytes(need), format_bytes(plan.engine_bytes),
                    (need / 3 * 4 >> 20) + 1);
    }
}

}  // namespace tipple::destinations::duckdb
