#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/arrow_c.h"
#include "tipple/columns/column.h"

/// The embedded DuckDB. The only module that names its library.
namespace tipple::engine {

struct EngineOptions {
    std::size_t memory_bytes = 0;  ///< 0 = the library's default
    std::size_t threads = 1;
    std::string temp_folder = {};  ///< where it may spill; empty = it must not
};

/// Makes the allocator that the library brings along give memory back to the system as soon as it is free, when `memory_bytes` is a tight budget for the
/// whole process: by itself it keeps what was used last, a third of such a budget. For a program to call before the first engine, not for a library. Does
/// nothing where the library has no allocator of its own.
void bound_allocator(std::size_t memory_bytes);

/// "v1.5.5"
std::string library_version();

/// One process may write a file while nobody reads it, or any number may read it.
enum class AttachMode { read_only, read_write };

struct ResultColumn {
    std::string name;
    std::string type;  ///< SQL name
};
struct Result {
    std::vector<ResultColumn> columns;
    /// As the engine prints them; nothing = NULL.
    std::vector<std::vector<std::optional<std::string>>> rows;
    bool is_truncated = false;
};

/// Columns of a relation that is being read, with the logical type each becomes.
struct ReadColumn {
    std::string name;
    std::string sql_type;
    columns::ColumnType type;
};

/// How rows are laid out in a database file.
struct FileLayout {
    std::size_t block_bytes = 0;     ///< of a file that is created: a power of two from 16 KiB to 256 KiB; 0 = the library's default
    std::size_t row_group_rows = 0;  ///< of what is written from now on: a multiple of 2,048; 0 = the library's default, 122,880
};

/// An in-memory database with one connection; database files are attached to it. One thread at a
/// time, except `interrupt`. Errors of the engine become Error: `usage` for SQL a user gave,
/// `local` for full disks, memory and permissions, `locked` for a file another process holds,
/// `data` for values that do not convert.
class Engine {
public:
    explicit Engine(const EngineOptions& options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Attaches `path` as database `name`. A file that does not exist is created (read_write only)
    /// with storage version v1.4.0 and the block size of `layout`; one that exists keeps its own.
    /// Throws Error(usage) when the file is no database or newer than the library: names both
    /// versions and the way out. Throws Error(locked) also when another engine of this process has
    /// the file open and either of the two writes.
    void attach(const std::string& path, std::string_view name, AttachMode mode,
                const FileLayout& layout = {});
    /// Writes what is still in the write-ahead log into the file and lets go of it.
    void detach(std::string_view name);

    /// What EngineOptions says of the same name, from now on. Throws Error(local) when more than that is in use and cannot be moved to the disk.
    void set_memory(std::size_t memory_bytes);
    void set_threads(std::size_t threads);

    /// Runs statements; returns the rows changed by the last one. A request to stop ends them with
    /// Error(cancelled).
    std::uint64_t execute(std::string_view sql, std::stop_token stop = {});
    /// Runs one statement in which `$1` stands for `text`; returns the rows changed.
    std::uint64_t execute_with(std::string_view sql, std::string_view text);
    /// The result of the last statement. Types that hold others are printed only when `sql` is one
    /// statement that gives rows.
    Result query(std::string_view sql, std::size_t rows_max = SIZE_MAX);
    /// One value of one row, or nothing when NULL or no row.
    std::optional<std::string> query_value(std::string_view sql);

    /// Makes a stream readable as `memory.main.<name>`. It can be read once. Must be called outside
    /// of a transaction.
    ///
    /// A query must take every column, in the stream's order, and must not filter rows: the library
    /// believes that the stream applies projections and filters it pushes down, which a C stream
    /// never hears of, so it would read the wrong columns and keep all rows. Safe: `INSERT INTO t
    /// (…) SELECT * FROM memory.main.name`, also with constants behind the `*`.
    void register_stream(std::string_view name, columns::ArrowSource source);
    /// Runs `sql`, which inserts the rows of the registered stream `name` into a table of `columns` columns, with all threads of the engine; returns the rows
    /// inserted. Errors as of `execute`.
    ///
    /// By itself the library lets a further thread take part in an insert that keeps the order only for every 4 MiB a column in a quarter of its memory
    /// limit, however small the rows are: two threads would need 800 MB for a table of 50 columns. So its limit is that high while the statement starts, and
    /// what `set_memory` said before the first row is read.
    std::uint64_t insert_stream(std::string_view sql, std::string_view name, std::size_t columns, std::stop_token stop = {});
    /// The exception a registered stream ended with, if any. `execute`, `query` and `read` throw it
    /// themselves: the engine would report only its text.
    std::exception_ptr stream_exception() const;

    /// What columns `sql` would give.
    std::vector<ReadColumn> describe(std::string_view sql);
    /// Runs `sql` and hands its rows over in batches of up to `batch_rows`, in order, while the
    /// engine goes on reading. Types that have no column type of ours arrive as json text. False
    /// from `sink` ends the read. `sink` must not use this engine.
    void read(std::string_view sql, std::size_t batch_rows, std::stop_token stop,
              const std::function<bool(columns::Batch)>& sink);

    /// The same for columns that are texts: one row after the other, NULL as an empty one.
    void read_texts(std::string_view sql, std::stop_token stop, const std::function<void(const std::vector<std::string_view>& row)>& take);

    /// From any thread: the running statement ends with Error(cancelled).
    void interrupt();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The one name of a database file, whether it exists or not: absolute, symbolic links resolved.
std::string canonical_path(const std::string& path);

/// Names and texts as SQL writes them.
std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);
/// The literal by which the engine's file readers find exactly the file `path`: they take patterns, so what has a meaning in one is put into
/// brackets.
std::string quote_path(std::string_view path);

}  // namespace tipple::engine
