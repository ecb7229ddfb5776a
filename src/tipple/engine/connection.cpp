#include "tipple/engine/connection.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "tipple/engine/deprecated_calls.h"
#include "tipple/engine/errors.h"

namespace tipple::engine {

namespace {

/// How long this thread sleeps when all work of a statement is in the hands of the library's own
/// threads. The library itself would ask again without a pause, and burn a core.
constexpr std::chrono::microseconds shortest_pause{20};
constexpr std::chrono::microseconds longest_pause{1'000};

/// Statements go to the library as C strings, which a null byte would cut short without an error.
std::string checked_text(std::string_view sql) {
    if (sql.find('\0') != std::string_view::npos) {
        throw Error(ErrorKind::usage, "the SQL text holds a null character");
    }
    return std::string(sql);
}

void set(duckdb_config config, const char* name, const std::string& value) {
    if (duckdb_set_config(config, name, value.c_str()) != DuckDBSuccess) {
        throw Error(ErrorKind::usage, "the DuckDB library {} does not take {} = {}",
                    duckdb_library_version(), name, value);
    }
}

}  // namespace

Connection::Connection(const EngineOptions& options) : version_(duckdb_library_version()) {
    ConfigHandle config;
    if (duckdb_create_config(config.out()) != DuckDBSuccess)
        throw Error(ErrorKind::local, "DuckDB does not start");
    set(config.get(), "threads", std::to_string(options.threads));
    if (options.memory_bytes != 0)
        set(config.get(), "memory_limit", fmt::format("{}B", options.memory_bytes));
    set(config.get(), "temp_directory", options.temp_folder);
    // No network: an extension that is not compiled in is an error, never a download.
    set(config.get(), "autoinstall_known_extensions", "false");
    set(config.get(), "autoload_known_extensions", "false");

    char* error = nullptr;
    const duckdb_state state = duckdb_open_ext(nullptr, database_.out(), config.get(), &error);
    const LibraryText text(error);
    if (state != DuckDBSuccess) throw to_error(text.get() != nullptr ? text.get() : "", version_);
    if (duckdb_connect(database_.get(), connection_.out()) != DuckDBSuccess) {
        throw Error(ErrorKind::local, "DuckDB does not accept a connection");
    }
    // The zone is a setting of the ICU extension. A library without it knows no other zone than
    // UTC.
    PreparedHandle zone;
    ResultHandle result;
    if (try_prepare("SET TimeZone = 'UTC'", zone))
        duckdb_execute_prepared(zone.get(), result.out());
}

void Connection::fail(const char* text) const {
    throw to_error(text != nullptr ? text : "unknown error", version_);
}

Connection::~Connection() {
    // A statement that was started and not finished holds on to the connection that it belongs to:
    // closing would leave both behind, with threads that go on reading streams which are gone by
    // then. Any further statement ends it, and this one also says what is meant.
    ResultHandle ignored;
    if (connection_) duckdb_query(connection_.get(), "ROLLBACK", ignored.out());
}

void Connection::set_global(const std::string& name, const std::string& value) {
    ConnectionHandle beside;
    ResultHandle result;
    if (duckdb_connect(database_.get(), beside.out()) != DuckDBSuccess) throw Error(ErrorKind::local, "DuckDB does not accept a connection");
    if (duckdb_query(beside.get(), fmt::format("SET GLOBAL {} = '{}'", name, value).c_str(), result.out()) != DuckDBSuccess) fail(duckdb_result_error(result.get()));
}

void Connection::wait(PendingHandle& pending) {
    std::chrono::microseconds pause = shortest_pause;
    while (true) {
        const duckdb_pending_state state = duckdb_pending_execute_task(pending.get());
        if (state == DUCKDB_PENDING_RESULT_READY || state == DUCKDB_PENDING_ERROR) return;
        if (state == DUCKDB_PENDING_RESULT_NOT_READY) {
            pause = shortest_pause;
            continue;
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

void Connection::run(PendingHandle& pending, ResultKind kind, std::stop_token stop,
                     ResultHandle& result) {
    // Starting a statement clears an interrupt. Asking here, after the start, leaves no gap: what
    // was requested before is seen now, and what is requested from now on interrupts the run. It is
    // run in either case; see the destructor.
    if (stop.stop_requested()) interrupt();
    if (kind == ResultKind::collected) wait(pending);
    if (duckdb_execute_pending(pending.get(), result.out()) != DuckDBSuccess)
        fail(duckdb_result_error(result.get()));
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
}

void Connection::run_all(std::string_view sql, std::stop_token stop, ResultHandle& result) {
    const std::string text = checked_text(sql);
    const std::stop_callback on_stop(stop, [this] { interrupt(); });
    ExtractedHandle statements;
    const idx_t count =
        duckdb_extract_statements(connection_.get(), text.c_str(), statements.out());
    if (const char* error =
            count == 0 ? duckdb_extract_statements_error(statements.get()) : nullptr)
        fail(error);
    for (idx_t i = 0; i < count; ++i) {
        PreparedHandle statement;
        if (duckdb_prepare_extracted_statement(connection_.get(), statements.get(), i,
                                               statement.out()) != DuckDBSuccess) {
            fail(duckdb_prepare_error(statement.get()));
        }
        PendingHandle pending;
        if (duckdb_pending_prepared(statement.get(), pending.out()) != DuckDBSuccess) {
            fail(duckdb_pending_error(pending.get()));
        }
        run(pending, ResultKind::collected, stop, result);
    }
}

void Connection::run_with(std::string_view sql, std::string_view text, ResultHandle& result) {
    const PreparedHandle statement = prepare(sql);
    if (duckdb_bind_varchar_length(statement.get(), 1, text.data(), text.size()) != DuckDBSuccess) fail(duckdb_prepare_error(statement.get()));
    PendingHandle pending;
    if (duckdb_pending_prepared(statement.get(), pending.out()) != DuckDBSuccess) fail(duckdb_pending_error(pending.get()));
    run(pending, ResultKind::collected, {}, result);
}

PreparedHandle Connection::prepare(std::string_view sql) {
    PreparedHandle statement;
    if (duckdb_prepare(connection_.get(), checked_text(sql).c_str(), statement.out()) !=
        DuckDBSuccess) {
        fail(duckdb_prepare_error(statement.get()));
    }
    return statement;
}

bool Connection::try_prepare(std::string_view sql, PreparedHandle& statement) {
    return duckdb_prepare(connection_.get(), checked_text(sql).c_str(), statement.out()) ==
           DuckDBSuccess;
}

bool Connection::stream(duckdb_prepared_statement statement, std::stop_token stop,
                        const std::function<bool(duckdb_data_chunk)>& sink) {
    const std::stop_callback on_stop(stop, [this] { interrupt(); });
    PendingHandle pending;
    if (start_streaming(statement, pending.out()) != DuckDBSuccess)
        fail(duckdb_pending_error(pending.get()));
    ResultHandle result;
    run(pending, ResultKind::streamed, stop, result);
    while (true) {
        if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
        const ChunkHandle chunk(duckdb_fetch_chunk(*result.get()));
        if (!chunk) break;
        if (!sink(chunk.get())) return false;
    }
    if (const char* error = duckdb_result_error(result.get())) fail(error);
    return true;
}

void Connection::interrupt() {
    duckdb_interrupt(connection_.get());
}

}  // namespace tipple::engine
