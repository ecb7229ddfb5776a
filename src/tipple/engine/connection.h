#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tipple/core/error.h"
#include "tipple/engine/engine.h"
#include "tipple/engine/handles.h"

// Private to the module.
namespace tipple::engine {

/// An in-memory database and its one connection: settings, statements, errors.
class Connection {
public:
    explicit Connection(const EngineOptions& options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    duckdb_connection get() const { return connection_.get(); }

    /// Runs every statement of `sql`; `result` is that of the last one.
    void run_all(std::string_view sql, std::stop_token stop, ResultHandle& result);
    /// Runs one statement in which `$1` stands for `text`.
    void run_with(std::string_view sql, std::string_view text, ResultHandle& result);
    /// Exactly one statement.
    PreparedHandle prepare(std::string_view sql);
    /// False when `sql` is not one statement that can be prepared.
    bool try_prepare(std::string_view sql, PreparedHandle& statement);
    /// Runs `statement` and hands over chunks while it runs. False from `sink` ends it. True when
    /// all chunks were handed over.
    bool stream(duckdb_prepared_statement statement, std::stop_token stop,
                const std::function<bool(duckdb_data_chunk)>& sink);
    void interrupt();
    /// Changes a setting of the whole database, from any thread, also while a statement runs.
    void set_global(const std::string& name, const std::string& value);

private:
    [[noreturn]] void fail(const char* text) const;
    enum class ResultKind { collected, streamed };
    void run(PendingHandle& pending, ResultKind kind, std::stop_token stop, ResultHandle& result);
    /// Works on `pending` until it has a result or an error.
    static void wait(PendingHandle& pending);

    std::string version_;
    DatabaseHandle database_;
    ConnectionHandle connection_;
};

}  // namespace tipple::engine
