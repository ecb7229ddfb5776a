#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tipple::sources::sql::sqlite {

class Connection;

/// A statement with its rows. Dies before its connection. One thread.
class Query {
public:
    Query(Query&&) noexcept = default;
    Query& operator=(Query&&) noexcept = default;

    /// The next row; false at the end. Throws Error.
    bool step();
    int columns() const;
    /// Whether it changes nothing.
    bool is_select() const;
    std::string name(int column) const;
    /// As it was written where the column was made; empty where it is an expression.
    std::string declared_type(int column) const;

    bool is_null(int column) const;
    bool is_integer(int column) const;
    std::int64_t integer(int column) const;
    /// Good until the next step. Empty for NULL.
    std::string_view text(int column) const;
    sqlite3_stmt* handle() const { return handle_.get(); }

private:
    friend class Connection;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Query(Connection& connection, sqlite3_stmt* handle, std::stop_token stop) : connection_(&connection), handle_(handle), stop_(std::move(stop)) {}

    Connection* connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    std::stop_token stop_;
};

/// A database file, opened to be read only. One thread, but that a request to stop may come from any.
class Connection {
public:
    /// Waits so long for writers. Throws Error(usage) for a file that is not there or no database.
    Connection(const std::string& path, std::chrono::milliseconds busy_timeout);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// One statement. A request to stop ends it with Error(cancelled). Throws Error(usage) for one that the database does not understand.
    Query query(const std::string& sql, std::stop_token stop);
    void execute(const std::string& sql, std::stop_token stop);

private:
    friend class Query;
    struct Close {
        void operator()(sqlite3* database) const;
    };
    static int on_busy(void* connection, int tries);
    [[noreturn]] void fail(int code, const std::stop_token& stop, const std::string& sql) const;

    std::string path_;
    std::chrono::milliseconds busy_timeout_;
    std::unique_ptr<sqlite3, Close> handle_;
    /// Of the statement that runs.
    std::stop_token stop_;
};

/// `"a ""b"""`.
std::string quote_name(std::string_view name);
std::string quote_text(std::string_view text);

}  // namespace tipple::sources::sql::sqlite
