#include "tipple/engine/engine.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "tipple/core/text.h"
#include "tipple/engine/connection.h"
#include "tipple/engine/deprecated_calls.h"
#include "tipple/engine/errors.h"
#include "tipple/engine/file_guard.h"
#include "tipple/engine/new_file.h"
#include "tipple/engine/streams.h"
#include "tipple/engine/types.h"
#include "tipple/engine/vector_reader.h"

namespace tipple::engine {

namespace {

std::string quote(std::string_view text, char mark) {
    std::string quoted(1, mark);
    for (const char c : text) {
        if (c == mark) quoted += c;
        quoted += c;
    }
    return quoted + mark;
}

/// Without the semicolons and white space at its end, so that it can become a part of another
/// statement.
std::string_view without_end(std::string_view sql) {
    const std::size_t last = sql.find_last_not_of(" \t\r\n;");
    return last == std::string_view::npos ? std::string_view{} : sql.substr(0, last + 1);
}

/// `sql` as a relation whose columns are c0, c1, … whatever they were called before. The line break
/// ends a comment at the end of `sql`.
std::string as_relation(std::string_view sql, std::size_t columns) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < columns; ++i) names.push_back(fmt::format("c{}", i));
    return fmt::format("({}\n) AS t({})", sql, join(names, ", "));
}

std::vector<Mapping> mappings_of(duckdb_prepared_statement statement) {
    std::vector<Mapping> mappings;
    for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
        mappings.push_back(map_type(
            TypeHandle(duckdb_prepared_statement_column_logical_type(statement, i)).get()));
    }
    return mappings;
}

std::vector<ResultColumn> columns_of(duckdb_prepared_statement statement) {
    std::vector<ResultColumn> columns;
    for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
        const LibraryText name(
            const_cast<char*>(duckdb_prepared_statement_column_name(statement, i)));
        const TypeHandle type(duckdb_prepared_statement_column_logical_type(statement, i));
        columns.push_back(
            {.name = name.get() != nullptr ? name.get() : "", .type = sql_type_name(type.get())});
    }
    return columns;
}

}  // namespace

std::string canonical_path(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path file = fs::absolute(path, error);
    // A link to a file that does not exist yet is followed here: the standard function takes it for
    // the file's own name.
    constexpr int links_max = 40;
    for (int i = 0; i < links_max && fs::is_symlink(file, error) && !fs::exists(file, error); ++i) {
        file = file.parent_path() / fs::read_symlink(file, error);
    }
    const fs::path canonical = fs::weakly_canonical(file, error);
    return error ? file.string() : canonical.string();
}

std::string quote_identifier(std::string_view name) {
    return quote(name, '"');
}
std::string quote_literal(std::string_view text) {
    return quote(text, '\'');
}

std::string quote_path(std::string_view path) {
    std::string escaped;
    // The engine would take it for somebody's home.
    if (path.starts_with('~')) escaped = "./";
    for (const char c : path) {
        if (c == '*' || c == '?' || c == '[') {
            escaped += {'[', c, ']'};
        } else {
            escaped += c;
        }
    }
    return quote_literal(escaped);
}

std::string library_version() {
    return duckdb_library_version();
}

/// Members die in reverse: streams outlive the connection that may read them, and a file's guard
/// outlives the database that holds it.
struct Engine::Impl {
    explicit Impl(const EngineOptions& options) : memory_bytes(options.memory_bytes), threads(options.threads), connection(options) {}

    std::size_t memory_bytes;
    std::size_t threads;

    std::map<std::string, FileGuard, std::less<>> files;
    std::map<std::string, std::unique_ptr<LentStream>, std::less<>> streams;
    Connection connection;

    /// Ends with the exception of a stream when there is one, since the engine's error is only its
    /// echo.
    template <typename Action>
    auto guarded(Action action) {
        try {
            return action();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::cancelled) rethrow_stream_exception();
            throw;
        }
    }
    void rethrow_stream_exception() const {
        for (const auto& [name, stream] : streams) {
            if (stream->exception() != nullptr) std::rethrow_exception(stream->exception());
        }
    }
};

Engine::Engine(const EngineOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Engine::~Engine() = default;

namespace {

/// The version of the library that created a database file, as its header tells it, for example
/// "v2.0.1". Empty when it tells none.
std::string version_in_header(const std::string& file) {
    constexpr std::size_t magic_at = 8;
    constexpr std::size_t version_at = 52;
    constexpr std::size_t version_length = 32;
    std::string header(version_at + version_length, '\0');
    std::ifstream in(file, std::ios::binary);
    if (!in.read(header.data(), static_cast<std::streamsize>(header.size()))) return {};
    if (header.compare(magic_at, 4, "DUCK") != 0 || header[version_at] != 'v') return {};
    return excerpt(header.substr(version_at).c_str());
}

}  // namespace

void Engine::attach(const std::string& path, std::string_view name, AttachMode mode,
                    const FileLayout& layout) {
    const std::string file = canonical_path(path);
    FileGuard guard(file, mode);
    std::error_code ignored;
    const bool is_new = !std::filesystem::exists(file, ignored);
    if (is_new && mode == AttachMode::read_only) {
        throw Error(ErrorKind::usage, "database file {} does not exist", path);
    }
    std::string options = mode == AttachMode::read_only ? "READ_ONLY" : "READ_WRITE";
    options += ", TYPE duckdb";
    if (is_new) {
        std::string creation = options + ", STORAGE_VERSION 'v1.4.0'";
        if (layout.block_bytes != 0) creation += fmt::format(", BLOCK_SIZE {}", layout.block_bytes);
        make_database_file(*this, file, creation);
        if (!std::filesystem::exists(file, ignored)) options = std::move(creation);
    }
    if (layout.row_group_rows != 0) options += fmt::format(", ROW_GROUP_SIZE {}", layout.row_group_rows);
    try {
        execute(fmt::format("ATTACH {} AS {} ({})", quote_literal(file), quote_identifier(name),
                            options));
    } catch (const Error& error) {
        const std::string writer = version_in_header(file);
        if (error.kind() != ErrorKind::usage || writer.empty()) throw;
        throw error.with_context(fmt::format("{} (made by DuckDB {})", path, writer));
    }
    impl_->files[std::string(name)] = std::move(guard);
}

void Engine::detach(std::string_view name) {
    execute(fmt::format("DETACH {}", quote_identifier(name)));
    if (const auto found = impl_->files.find(name); found != impl_->files.end())
        impl_->files.erase(found);
}

void Engine::set_memory(std::size_t memory_bytes) {
    TIPPLE_ASSERT(memory_bytes != 0);
    impl_->connection.set_global("memory_limit", fmt::format("{}B", memory_bytes));
    impl_->memory_bytes = memory_bytes;
}

void Engine::set_threads(std::size_t threads) {
    TIPPLE_ASSERT(threads != 0);
    impl_->connection.set_global("threads", std::to_string(threads));
    impl_->threads = threads;
}

std::uint64_t Engine::execute(std::string_view sql, std::stop_token stop) {
    return impl_->guarded([&] {
        ResultHandle result;
        impl_->connection.run_all(sql, stop, result);
        // Text without a statement leaves no result, which the library does not expect to be asked
        // about.
        return result.get()->internal_data == nullptr ? 0 : duckdb_rows_changed(result.get());
    });
}

std::uint64_t Engine::execute_with(std::string_view sql, std::string_view text) {
    return impl_->guarded([&] {
        ResultHandle result;
        impl_->connection.run_with(sql, text, result);
        return duckdb_rows_changed(result.get());
    });
}

namespace {

/// Runs anything and prints the rows of the last statement, which is collected first.
Result collect(Connection& connection, std::string_view sql, std::size_t rows_max) {
    ResultHandle handle;
    connection.run_all(sql, {}, handle);
    Result result;
    const idx_t width = duckdb_column_count(handle.get());
    for (idx_t i = 0; i < width; ++i) {
        const TypeHandle type(duckdb_column_logical_type(handle.get(), i));
        if (map_type(type.get()).passage == Passage::through_json) {
            throw Error(ErrorKind::usage,
                        "column \"{}\" holds values inside values: ask for it by a single SELECT",
                        duckdb_column_name(handle.get(), i));
        }
        result.columns.push_back({duckdb_column_name(handle.get(), i), sql_type_name(type.get())});
    }
    const idx_t rows = collected_row_count(handle.get());
    result.is_truncated = rows > rows_max;
    for (idx_t row = 0; row < std::min<idx_t>(rows, rows_max); ++row) {
        auto& values = result.rows.emplace_back();
        for (idx_t i = 0; i < width; ++i) {
            const LibraryText text(collected_value_text(handle.get(), i, row));
            text.get() != nullptr ? values.emplace_back(text.get()) : values.emplace_back();
        }
    }
    return result;
}

}  // namespace

Result Engine::query(std::string_view sql, std::size_t rows_max) {
    return impl_->guarded([&]() -> Result {
        Connection& connection = impl_->connection;
        const std::string_view body = without_end(sql);
        PreparedHandle original;
        PreparedHandle printed;
        if (!connection.try_prepare(body, original)) return collect(connection, sql, rows_max);
        Result result{.columns = columns_of(original.get()), .rows = {}};
        if (duckdb_prepared_statement_type(original.get()) != DUCKDB_STATEMENT_TYPE_SELECT) return collect(connection, sql, rows_max);
        const std::size_t width = result.columns.size();
        // Binding a statement takes the engine 0.3 ms, so texts are not bound twice.
        const bool is_text = std::all_of(result.columns.begin(), result.columns.end(), [](const ResultColumn& column) { return column.type == "VARCHAR"; });
        if (!is_text) {
            std::vector<std::string> casts;
            for (std::size_t i = 0; i < width; ++i) casts.push_back(fmt::format("CAST(c{} AS VARCHAR)", i));
            if (!connection.try_prepare(fmt::format("SELECT {} FROM {}", join(casts, ", "), as_relation(body, width)), printed)) return collect(connection, sql, rows_max);
        }
        connection.stream(is_text ? original.get() : printed.get(), {}, [&](duckdb_data_chunk chunk) {
            for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); ++row) {
                if (result.rows.size() == rows_max) {
                    result.is_truncated = true;
                    return false;
                }
                auto& values = result.rows.emplace_back();
                for (idx_t i = 0; i < width; ++i) {
                    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
                    uint64_t* validity = duckdb_vector_get_validity(vector);
                    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
                        values.emplace_back();
                        continue;
                    }
                    auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
                    values.emplace_back(std::string(duckdb_string_t_data(&texts[row]),
                                                    duckdb_string_t_length(texts[row])));
                }
            }
            return true;
        });
        return result;
    });
}

std::optional<std::string> Engine::query_value(std::string_view sql) {
    Result result = query(sql, 1);
    if (result.rows.empty() || result.rows[0].empty()) return std::nullopt;
    return std::move(result.rows[0][0]);
}

void Engine::register_stream(std::string_view name, columns::ArrowSource source) {
    auto stream = std::make_unique<LentStream>(std::move(source));
    const std::string text(name);
    if (create_stream_view(impl_->connection.get(), text.c_str(), stream->outer()) !=
        DuckDBSuccess) {
        throw Error(ErrorKind::data,
                    "the columns of stream {} cannot be read by the database engine", name);
    }
    impl_->streams[text] = std::move(stream);
}

std::uint64_t Engine::insert_stream(std::string_view sql, std::string_view name, std::size_t columns, std::stop_token stop) {
    constexpr std::size_t limit_per_thread_and_column = std::size_t{16} << 20;
    const auto stream = impl_->streams.find(name);
    TIPPLE_ASSERT(stream != impl_->streams.end());
    const std::size_t start_bytes = limit_per_thread_and_column * columns * (impl_->threads - 1);
    if (impl_->memory_bytes == 0 || start_bytes <= impl_->memory_bytes) return execute(sql, stop);
    const auto lower = [this] { impl_->connection.set_global("memory_limit", fmt::format("{}B", impl_->memory_bytes)); };
    impl_->connection.set_global("memory_limit", fmt::format("{}B", start_bytes));
    stream->second->set_before_first(lower);
    try {
        const std::uint64_t rows = execute(sql, stop);
        stream->second->set_before_first(nullptr);
        lower();
        return rows;
    } catch (...) {
        // The statement may have failed before it asked for a row.
        stream->second->set_before_first(nullptr);
        try {
            lower();
        } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the statement's error says more
        }
        throw;
    }
}

std::exception_ptr Engine::stream_exception() const {
    for (const auto& [name, stream] : impl_->streams) {
        if (stream->exception() != nullptr) return stream->exception();
    }
    return nullptr;
}

std::vector<ReadColumn> Engine::describe(std::string_view sql) {
    return impl_->guarded([&] {
        const PreparedHandle statement = impl_->connection.prepare(without_end(sql));
        const std::vector<Mapping> mappings = mappings_of(statement.get());
        std::vector<ResultColumn> columns = columns_of(statement.get());
        std::vector<ReadColumn> described;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            described.push_back(
                {std::move(columns[i].name), std::move(columns[i].type), mappings[i].type});
        }
        return described;
    });
}

namespace {

/// Collects chunks into batches and hands those on.
class BatchCutter {
public:
    BatchCutter(const std::vector<ReadColumn>& columns, std::vector<VectorReader> readers,
                std::size_t batch_rows, const std::function<bool(columns::Batch)>& sink)
        : columns_(columns), readers_(std::move(readers)), batch_rows_(batch_rows), sink_(sink) {
        start();
    }

    /// False when the sink wants no more.
    bool add(duckdb_data_chunk chunk) {
        const idx_t size = duckdb_data_chunk_get_size(chunk);
        for (idx_t from = 0; from < size;) {
            const idx_t rows = std::min({size - from, batch_rows_ - batch_.rows, slice_rows_max});
            for (std::size_t i = 0; i < readers_.size(); ++i) {
                readers_[i].append(duckdb_data_chunk_get_vector(chunk, i), from, rows,
                                   batch_.columns[i]);
            }
            batch_.rows += rows;
            from += rows;
            if (is_full() && !flush()) return false;
        }
        return true;
    }
    bool flush() {
        if (batch_.rows == 0) return true;
        columns::Batch full = std::move(batch_);
        start();
        return sink_(std::move(full));
    }

private:
    /// Wide rows end a batch early: its size in bytes has to be bounded as well, which is looked at
    /// after every slice.
    bool is_full() const {
        return batch_.rows == batch_rows_ || batch_.byte_size() >= batch_bytes_max;
    }
    void start() {
        batch_ = {};
        for (const ReadColumn& column : columns_) {
            batch_.names.push_back(column.name);
            batch_.columns.emplace_back(column.type);
        }
    }

    static constexpr std::size_t batch_bytes_max = std::size_t{64} << 20;
    static constexpr idx_t slice_rows_max = 256;
    const std::vector<ReadColumn>& columns_;
    std::vector<VectorReader> readers_;
    std::size_t batch_rows_;
    const std::function<bool(columns::Batch)>& sink_;
    columns::Batch batch_;
};

}  // namespace

void Engine::read(std::string_view sql, std::size_t batch_rows, std::stop_token stop,
                  const std::function<bool(columns::Batch)>& sink) {
    TIPPLE_ASSERT(batch_rows > 0);
    impl_->guarded([&] {
        const std::string_view body = without_end(sql);
        PreparedHandle statement = impl_->connection.prepare(body);
        const std::vector<Mapping> mappings = mappings_of(statement.get());
        std::vector<ReadColumn> columns;
        for (const ResultColumn& column : columns_of(statement.get())) {
            columns.push_back({column.name, column.type, mappings[columns.size()].type});
        }
        std::vector<std::string> expressions;
        bool is_direct = true;
        for (std::size_t i = 0; i < mappings.size(); ++i) {
            expressions.push_back(passage_expression(fmt::format("c{}", i), mappings[i].passage));
            is_direct = is_direct && mappings[i].passage == Passage::direct;
        }
        if (!is_direct) {
            statement = impl_->connection.prepare(fmt::format(
                "SELECT {} FROM {}", join(expressions, ", "), as_relation(body, columns.size())));
        }
        std::vector<VectorReader> readers;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            readers.emplace_back(
                columns[i].name,
                TypeHandle(duckdb_prepared_statement_column_logical_type(statement.get(), i))
                    .get());
        }
        BatchCutter cutter(columns, std::move(readers), batch_rows, sink);
        const bool is_complete = impl_->connection.stream(
            statement.get(), stop, [&](duckdb_data_chunk chunk) { return cutter.add(chunk); });
        if (is_complete) cutter.flush();
    });
}

void Engine::read_texts(std::string_view sql, std::stop_token stop, const std::function<void(const std::vector<std::string_view>& row)>& take) {
    constexpr std::size_t batch_rows = 16'384;
    read(sql, batch_rows, std::move(stop), [&](columns::Batch batch) {
        const columns::BatchView view = batch.view();
        std::vector<std::string_view> row(view.columns.size());
        for (std::size_t i = 0; i < view.rows; ++i) {
            for (std::size_t column = 0; column < row.size(); ++column) {
                row[column] = view.columns[column].is_null(i) ? std::string_view() : view.columns[column].text(i);
            }
            take(row);
        }
        return true;
    });
}

void Engine::interrupt() {
    impl_->connection.interrupt();
}

}  // namespace tipple::engine
