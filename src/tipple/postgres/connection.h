#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/postgres/failure.h"
#include "tipple/postgres/target.h"

namespace tipple::postgres {

/// Values as text; nothing = null.
using Row = std::vector<std::optional<std::string>>;

/// The type of a column of a result, as the server numbers it.
struct ResultType {
    std::uint32_t oid = 0;
    int modifier = -1;
    bool operator==(const ResultType&) const = default;
};
struct Result {
    std::vector<std::string> names;
    std::vector<ResultType> types;
    std::vector<Row> rows;
    bool is_truncated = false;  ///< there were more than asked for
};

/// One connection, and the only place that knows libpq's calls for it. Safe behind poolers in transaction mode: nothing of a session is set,
/// no statement has a name, and nothing is sent at the start that they refuse. One thread. A stop request cancels the running statement at the
/// server, and the call throws Error(cancelled). The destructor rolls back and closes it.
class Connection {
public:
    /// `target`: where to. `stop`: ends the wait for a server that does not answer, by Error(cancelled). Throws Error that says what keeps it from being made and what to
    /// change.
    explicit Connection(const Target& target, const std::stop_token& stop = {});
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs statements that return no rows; the number of rows the last one changed.
    std::uint64_t execute(std::string_view sql, std::stop_token stop = {});
    /// The same of one statement in which `$1` stands for `text`, which has no zero byte.
    std::uint64_t execute_with(std::string_view sql, std::string_view text);
    /// Runs exactly one statement; values as text. It is cancelled behind `rows_max` rows.
    Result query(std::string_view sql, std::size_t rows_max, std::stop_token stop);
    /// Hands each row of one statement to `take`, without keeping them.
    void for_each(std::string_view sql, std::stop_token stop, const std::function<void(Row row)>& take);

    /// COPY .. FROM STDIN: `start_copy`, `send` any number of times, `end_copy`, which returns the server's count of rows.
    void start_copy(std::string_view sql, std::stop_token stop);
    void send(std::string_view bytes, std::stop_token stop);
    std::uint64_t end_copy(std::stop_token stop);

    /// COPY .. TO STDOUT: `start_copy_out`, then `receive` until it returns 0.
    void start_copy_out(std::string_view sql, std::stop_token stop);
    /// Writes what has arrived to `out`, which is not empty, waiting for it when there is nothing; 0 at the end of the data.
    std::size_t receive(std::span<char> out, std::stop_token stop);
    /// Ends a COPY of which no more is wanted, at the server too. The transaction has failed then. A server that does not hear it in some seconds leaves the connection
    /// of no use, which `is_ready` tells.
    void abandon_copy_out();

    /// Names and types of the columns of a statement that is not run. In a transaction only: poolers may send its two messages to different servers.
    Result describe(std::string_view sql, std::stop_token stop);
    /// Runs statements that may have to wait for others; false when that took longer than `patience`: then the connection is of no use any more.
    bool execute_within(std::string_view sql, std::chrono::milliseconds patience, std::stop_token stop);

    /// Throws Error(remote) when the server rolled back instead.
    void commit();
    /// Ends the transaction, when there is one and the server answers at once. A server whose client is gone rolls back by itself, but poolers then make a new
    /// connection to it.
    void roll_back() noexcept;

    /// 150003 for 15.3.
    int server_version() const;

    /// Whether it takes the next statement: no, when it is broken or something still runs. In a transaction that has failed, that can only be a rollback.
    bool is_ready() const;

    /// What the server said of the last statement; empty when it succeeded, or when it was not the server that failed.
    const Failure& failure() const { return failure_; }

private:
    struct Handle;
    struct Answer;
    void begin_statement(const std::stop_token& stop);
    void start(std::string_view sql, bool is_single, std::stop_token stop);
    void flush(std::stop_token stop);
    void wait_for_socket(bool wants_write, std::stop_token stop);
    Answer next_answer(std::stop_token stop);
    std::uint64_t finish(std::stop_token stop);
    void end_copy_out(std::stop_token stop);
    bool is_in_transaction() const;
    void cancel();
    [[noreturn]] void fail(const Answer* answer, std::stop_token stop);

    std::unique_ptr<Handle> handle_;
    Failure failure_;
    std::string last_tag_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;  ///< after which the running statement is cancelled
    std::optional<std::chrono::steady_clock::time_point> cancelled_at_;
};

}  // namespace tipple::postgres
