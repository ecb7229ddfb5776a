#include "tipple/destinations/duckdb/memory_plan.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"

namespace tipple::destinations::duckdb {

namespace {

/// A package below this is loaded before a second thread has started.
constexpr std::uint64_t small_package_bytes = 1 << 20;
/// A column that is being filled needs up to two blocks. A file of small ones is larger, slower to write, and the engine remembers more for
/// it, so only wide tables get them. Measured with 500 and 1,000 columns: smaller ones take more memory.
constexpr std::size_t small_block_bytes = 65'536;
/// What the engine makes unless it is told otherwise.
constexpr std::size_t default_block_bytes = 262'144;
/// A row group may be so small, and no smaller, that checkpoints of later loads leave it as it is: they put up to four together where that makes one less.
constexpr std::size_t least_row_group_rows = 94'208;
static_assert(least_row_group_rows * 4 > limits::row_group_rows * 3);
constexpr std::size_t batch_rows_min = 32;
/// Row groups are multiples of it.
constexpr std::size_t engine_vector_rows = 2'048;
/// What the engine needs whatever it loads.
constexpr std::size_t engine_base_bytes = std::size_t{16} << 20;
/// What a load takes besides batches and what the engine counts itself: what its allocator keeps, its statements. Measured with 256 MiB and
/// 512 MiB and 4 tables.
constexpr std::size_t reserve_bytes = std::size_t{48} << 20;
/// With less than this, batches are smaller than a row group of ordinary rows.
constexpr std::size_t roomy_bytes = std::size_t{320} << 20;
/// The engine's threads append side by side only while what they have not written yet is a small part of its memory. With less than this, one
/// waits for the other, which costs a fifth of the wall time; with more, a budget of 256 MiB is not kept. Measured with 1 GB of nested JSON.
constexpr std::size_t engine_comfort_bytes = std::size_t{112} << 20;
/// Of every column: the vectors of 2,048 values that a row passes through on its way.
constexpr std::size_t column_base_bytes = 80 * 1'024;
/// And its buffers while rows are appended and compressed, which grow up to two blocks with one
/// thread and three and a half with two. Buffers of small blocks hardly count, because they can be
/// moved out of memory. Measured with 100 to 3,000 columns, 40 % of them text. An estimate that is
/// too low costs time, not rows: then the load fails later and is rolled back.
constexpr std::size_t column_bytes_per_row = 35;
/// What the engine remembers of each column of each row group. Measured with 3,000 columns of 150,000 rows in row groups of 2,048: without it,
/// a load fails that takes 640 MB by the figures above.
constexpr std::size_t segment_bytes = 320;
/// Up to so many rows, each of a column's vectors has values in its first page only.
constexpr std::uint64_t few_rows_max = 128;
/// Of their memory, which the engine counts when it is reserved, so much is never touched.
constexpr std::size_t untouched(std::size_t counted) { return counted / 3 * 2; }
/// Of a column of texts it counts more than of the others, and none of that is touched either. Measured with 3,000 and 8,476 of them and one row: the
/// engine counts 133 kB for each, the process grows by 33 to 40.
constexpr std::size_t untouched_column_bytes = 100 * 1'024;
/// What is always there of them.
constexpr std::size_t column_buffer_bytes_min = 16'384;
/// A page of rows has about as much. One with far more holds values that the engine copies whole, more than once.
constexpr std::uint64_t ordinary_batch_bytes = 8 << 20;
/// Beyond this, rows hold texts that the engine keeps all in memory while it writes them.
constexpr double long_row_bytes = 64 << 10;

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

/// Of files by reference, of whose rows only the files' size is known; 0 unless they are long.
double long_reference_row_bytes(const package::Manifest& manifest, const std::string& table) {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const package::JobFile& job : manifest.jobs) {
        if (job.table != table || !job.reference) continue;
        rows += job.rows;
        bytes += job.raw_bytes;
    }
    const double per_row = rows == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(rows);
    return per_row > long_row_bytes ? per_row : 0.0;
}

std::uint64_t largest_batch(const package::Manifest& manifest, const std::string& table) {
    std::uint64_t bytes = 0;
    for (const package::JobFile& job : manifest.jobs) {
        if (job.table == table) bytes = std::max(bytes, job.batch_bytes);
    }
    return bytes;
}

bool has_long_values(const MemoryPlan::TableSize& table) { return table.batch_bytes > ordinary_batch_bytes; }

/// The engine writes a column 2,048 values at a time, and while it does, they are in memory with what they are compressed to. Measured with rows of
/// 50 kB, 100 kB and 1 MB: with 1.1 times their size a load fails, with 1.4 times it does not.
std::uint64_t values_need(const MemoryPlan::TableSize& table) {
    const double rows = static_cast<double>(std::min<std::uint64_t>(table.rows, engine_vector_rows));
    const auto together = static_cast<std::uint64_t>(rows * table.row_bytes * 1.4);
    return std::max(together, has_long_values(table) ? table.batch_bytes * 3 : 0);
}

std::size_t columns_need(const MemoryPlan::TableSize& table, std::size_t threads, std::size_t block_bytes) {
    const std::size_t full = (std::max(block_bytes, column_buffer_bytes_min) - column_buffer_bytes_min) * (1 + 3 * threads) / 2;
    const std::uint64_t rows = std::min<std::uint64_t>(table.rows, limits::row_group_rows);
    const std::uint64_t row_groups = table.columns > wide_columns ? table.rows / engine_vector_rows + 1 : 1;
    return table.columns * (column_base_bytes + std::min(full, column_bytes_per_row * rows) + segment_bytes * row_groups);
}

std::size_t engine_need(const MemoryPlan::TableSize& table, std::size_t threads, std::size_t block_bytes) {
    return engine_base_bytes + values_need(table) + columns_need(table, threads, block_bytes);
}

/// Of the largest row group of so many rows.
std::size_t row_group_bytes(const MemoryPlan& plan, std::size_t row_group_rows) {
    double bytes = 0;
    for (const MemoryPlan::TableSize& table : plan.tables)
        bytes = std::max(bytes, table.row_bytes * static_cast<double>(std::min<std::uint64_t>(table.rows, row_group_rows)));
    return static_cast<std::size_t>(bytes);
}

/// What the engine holds while all threads fill a row group. Measured with 1 GB of nested JSON, two threads and row groups of 63 MB: with 150 MB it is
/// as fast as with 180 MB.
std::size_t filling_need(const MemoryPlan& plan, std::size_t row_group_bytes) { return engine_base_bytes + plan.threads * row_group_bytes / 8 * 9; }

bool has_merge(const package::Manifest& manifest) {
    return std::any_of(manifest.loads.begin(), manifest.loads.end(), [](const package::TableLoad& load) {
        return load.disposition == schema::Disposition::merge;
    });
}

/// Whether there is little to write and nothing to compare with rows that are there.
bool is_small(const package::Manifest& manifest) {
    std::uint64_t bytes = 0;
    for (const package::JobFile& job : manifest.jobs)
        bytes += job.reference ? job.reference->size : job.raw_bytes;
    return bytes <= small_package_bytes && !has_merge(manifest);
}

/// Whether the widest tables have so few rows that what the engine counts for their columns is mostly room for values that do not come.
bool has_few_wide_rows(const MemoryPlan& plan) {
    std::uint64_t most_rows = 0;
    bool is_wide = false;
    for (const MemoryPlan::TableSize& table : plan.tables) {
        is_wide = is_wide || table.columns > wide_columns;
        most_rows = std::max(most_rows, table.rows);
    }
    return is_wide && most_rows <= few_rows_max && !plan.is_merge;
}

/// Shares out the memory for blocks of that size, with one thread where more do not fit.
void fit(MemoryPlan& plan, std::size_t block_bytes) {
    const auto without_batches = [&](std::size_t batches) {
        return plan.memory_bytes - std::min(plan.largest_batch_bytes * batches + reserve_bytes, plan.memory_bytes);
    };
    const bool has_wide_rows = std::any_of(plan.tables.begin(), plan.tables.end(), [](const MemoryPlan::TableSize& table) {
        return table.columns > wide_columns && table.rows > engine_vector_rows;
    });
    // Every thread of the engine holds a batch, and one more is being read. Of wide rows the engine takes a third more than it counts.
    const auto available = [&] { return std::max(without_batches(plan.threads + 1), plan.memory_bytes / 2) / 4 * (has_wide_rows ? 3 : 4); };
    const auto need = [&] {
        std::size_t most = engine_base_bytes;
        for (const MemoryPlan::TableSize& table : plan.tables) most = std::max(most, engine_need(table, plan.threads, block_bytes));
        return most;
    };
    if (need() > available()) {
        plan.threads = 1;
        plan.has_all_threads = false;
    }
    plan.untouched_bytes = 0;
    if (has_few_wide_rows(plan)) {
        for (const MemoryPlan::TableSize& table : plan.tables) plan.untouched_bytes = std::max(plan.untouched_bytes, table.columns * untouched_column_bytes);
        plan.engine_bytes = available() + plan.untouched_bytes;
        return;
    }
    const bool has_long_rows = std::any_of(plan.tables.begin(), plan.tables.end(), [](const MemoryPlan::TableSize& table) {
        return table.row_bytes > long_row_bytes || has_long_values(table);
    });
    if (plan.is_merge || has_long_rows) {
        plan.engine_bytes = available();
        return;
    }
    // A thread may have as much again in work as it holds. Above its limit the engine takes about half of it: what it reads, and what its
    // allocator keeps.
    const std::size_t roomy = std::min(without_batches(2 * plan.threads + 1), plan.memory_bytes / 16 * 7);
    const std::size_t filling = plan.has_all_threads ? filling_need(plan, plan.largest_batch_bytes) : 0;
    plan.engine_bytes = std::min(available(), std::max({engine_comfort_bytes, need() * 3 / 2, roomy, filling}));
}

std::string long_values(const MemoryPlan::TableSize& table, const FindLargestColumn& find_largest_column) {
    const std::string what = has_long_values(table) ? fmt::format("values of up to {}", format_bytes(table.batch_bytes))
                                                    : fmt::format("rows of about {}", format_bytes(static_cast<std::uint64_t>(table.row_bytes)));
    const std::string column = find_largest_column(table.name);
    return fmt::format(" and {}{}, of which the engine writes {} at a time", what, column.empty() ? "" : fmt::format(", most of it in column \"{}\"", column),
                       std::min<std::uint64_t>(table.rows, engine_vector_rows));
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
            plan.tables.push_back({.name = name,
                                   .columns = table->columns().size(),
                                   .rows = rows,
                                   .row_bytes = std::max(bytes_per_row(manifest, name), long_reference_row_bytes(manifest, name)),
                                   .batch_bytes = largest_batch(manifest, name)});
            columns = std::max(columns, table->columns().size());
        }
    }
    const bool is_wide = columns > wide_columns;
    plan.threads = is_wide || is_small(manifest) ? 1 : std::max<std::size_t>(threads, 1);
    plan.layout.block_bytes = is_wide ? small_block_bytes : 0;
    plan.memory_bytes = memory_bytes;
    plan.is_merge = has_merge(manifest);
    plan.batch_bytes = limits::text_buffer_bytes_max;
    if (memory_bytes == 0) return plan;

    const bool is_tight = is_wide || memory_bytes < roomy_bytes;
    // A batch below a row group costs the engine a fifth more time, so there is room for one of ordinary rows.
    plan.batch_bytes = std::max<std::size_t>(memory_bytes / (is_tight ? 16 : 6), 1);
    const std::size_t rows = is_tight || plan.threads == 1 ? 0 : rows_for_all_threads(plan);
    if (rows != 0) {
        plan.has_all_threads = true;
        // Runs of longer rows than the average do not make batches smaller.
        plan.batch_bytes = std::max(plan.batch_bytes, row_group_bytes(plan, rows) / 4 * 5);
    }
    plan.largest_batch_bytes = std::min(row_group_bytes(plan, rows == 0 ? limits::row_group_rows : rows), plan.batch_bytes);
    fit(plan, plan.layout.block_bytes == 0 ? default_block_bytes : plan.layout.block_bytes);
    plan.layout.row_group_rows = plan.has_all_threads && rows != limits::row_group_rows ? rows : row_group_rows(plan);
    return plan;
}

std::size_t rows_for_all_threads(const MemoryPlan& plan) {
    for (const std::size_t rows : {static_cast<std::size_t>(limits::row_group_rows), least_row_group_rows}) {
        const std::size_t bytes = row_group_bytes(plan, rows);
        if (filling_need(plan, bytes) + (plan.threads + 1) * bytes + reserve_bytes <= plan.memory_bytes) return rows;
    }
    return 0;
}

std::size_t row_group_rows(const MemoryPlan& plan) {
    const double room = static_cast<double>(plan.engine_bytes) / static_cast<double>(2 * plan.threads);
    double row_bytes = 0;
    for (const MemoryPlan::TableSize& table : plan.tables) {
        const auto rows = std::min<std::uint64_t>(table.rows, limits::row_group_rows);
        if (table.columns > wide_columns && table.row_bytes * static_cast<double>(rows) > room) row_bytes = std::max(row_bytes, table.row_bytes);
    }
    if (row_bytes == 0) return 0;
    const auto rows = static_cast<std::size_t>(room / row_bytes);
    return std::max(rows / engine_vector_rows, std::size_t{1}) * engine_vector_rows;
}

std::size_t batch_rows(const package::Manifest& manifest, const std::string& table,
                       const MemoryPlan& plan) {
    const double per_row = std::max(bytes_per_row(manifest, table), 1.0);
    const double rows = static_cast<double>(plan.batch_bytes) / per_row;
    const auto most = plan.layout.row_group_rows == 0 ? static_cast<std::size_t>(limits::row_group_rows) : plan.layout.row_group_rows;
    return static_cast<std::size_t>(std::clamp(rows, static_cast<double>(batch_rows_min), static_cast<double>(most)));
}

void fit_to_blocks(MemoryPlan& plan, std::size_t block_bytes, const FindLargestColumn& find_largest_column) {
    if (plan.memory_bytes == 0) return;
    fit(plan, block_bytes);
    for (const MemoryPlan::TableSize& table : plan.tables) {
        const std::size_t counted = plan.untouched_bytes > 0 ? untouched(columns_need(table, 1, block_bytes)) : 0;
        const std::size_t need = engine_need(table, 1, block_bytes) - counted;
        const std::size_t limit = plan.engine_bytes - plan.untouched_bytes;
        if (need <= limit) continue;
        // With one thread, two batches are held: up to an eighth of the memory for wide tables, up to a third for others.
        const bool is_wide = table.columns > wide_columns;
        const bool is_long = values_need(table) > need / 2;
        const std::size_t with_batches = is_wide ? (need / 3 * 4 + reserve_bytes) / 7 * 8 : is_long ? 2 * need : (need + reserve_bytes) / 2 * 3;
        throw Error(ErrorKind::local, "table \"{}\" has {} columns{}: loading it takes about {} of memory in the database engine, which may use {}. Give --memory {}MiB{}",
                    table.name, table.columns, is_long ? long_values(table, find_largest_column) : "", format_bytes(need), format_bytes(limit),
                    ((with_batches + limits::program_bytes) >> 20) + 1, is_long ? ", or keep such values in files and load where they are" : "");
    }
}

}  // namespace tipple::destinations::duckdb
