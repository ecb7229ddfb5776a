#include "tipple/postgres/connection.h"

#include <poll.h>

#include <array>
#include <charconv>

#include "tipple/core/error.h"
#include "tipple/postgres/connect.h"
#include "tipple/postgres/libpq_library.h"

namespace tipple::postgres {

namespace {

/// Between two looks at a stop request while the server is working.
constexpr int poll_milliseconds = 100;
/// How long a server that was asked to cancel may take to say so.
constexpr std::chrono::seconds cancel_patience{5};
constexpr std::chrono::milliseconds late_cancel_patience{500};

constexpr std::chrono::milliseconds rollback_patience{500};

constexpr std::string_view query_canceled = "57014";

void ignore_notice(void*, const PGresult*) {}

std::string field(const PGresult* result, int code) {
    const char* text = libpq().PQresultErrorField(result, code);
    return text == nullptr ? "" : text;
}

Row row_of(const PGresult* result, int row) {
    Row values;
    for (int column = 0; column < libpq().PQnfields(result); ++column) {
        if (libpq().PQgetisnull(result, row, column) != 0) {
            values.emplace_back();
        } else {
            values.emplace_back(std::string(libpq().PQgetvalue(result, row, column), static_cast<std::size_t>(libpq().PQgetlength(result, row, column))));
        }
    }
    return values;
}

}  // namespace

struct Connection::Handle {
    PGconn* connection = nullptr;
    ~Handle() { libpq().PQfinish(connection); }
};

/// One result, or none at the end of a statement's results.
struct Connection::Answer {
    struct Clear {
        void operator()(PGresult* result) const { libpq().PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result;

    explicit operator bool() const { return result != nullptr; }
    ExecStatusType status() const { return libpq().PQresultStatus(result.get()); }
    bool is_error() const { return status() == PGRES_FATAL_ERROR || status() == PGRES_BAD_RESPONSE || status() == PGRES_NONFATAL_ERROR; }
};

Connection::Connection(const Target& target, const std::stop_token& stop) : handle_(std::make_unique<Handle>()) {
    handle_->connection = connect(target, stop);
    libpq().PQsetNoticeReceiver(handle_->connection, ignore_notice, nullptr);
    if (libpq().PQsetnonblocking(handle_->connection, 1) != 0) throw Error(ErrorKind::local, "the connection to {} cannot be made non-blocking", target.description);
}

Connection::~Connection() { roll_back(); }

void Connection::cancel() {
    cancelled_at_ = std::chrono::steady_clock::now();
    PGcancel* request = libpq().PQgetCancel(handle_->connection);
    std::array<char, 256> message{};
    // When this fails, the patience ends the wait.
    libpq().PQcancel(request, message.data(), static_cast<int>(message.size()));
    libpq().PQfreeCancel(request);
}

void Connection::wait_for_socket(bool wants_write, std::stop_token stop) {
    if (stop.stop_requested()) {
        if (!cancelled_at_) cancel();
        if (std::chrono::steady_clock::now() - *cancelled_at_ > cancel_patience) throw Error(ErrorKind::cancelled, "stopped on request");
    }
    if (deadline_ && std::chrono::steady_clock::now() > *deadline_) {
        if (!cancelled_at_) cancel();
        // Poolers hear no request of whom they have given no server.
        if (std::chrono::steady_clock::now() - *cancelled_at_ > late_cancel_patience) throw Error(ErrorKind::transient, "Postgres: nothing was answered in time");
    }
    pollfd socket{.fd = libpq().PQsocket(handle_->connection), .events = static_cast<short>(wants_write ? POLLIN | POLLOUT : POLLIN), .revents = 0};
    if (poll(&socket, 1, poll_milliseconds) > 0 && (socket.revents & POLLIN) != 0 && libpq().PQconsumeInput(handle_->connection) == 0) fail(nullptr, stop);
}

void Connection::flush(std::stop_token stop) {
    while (true) {
        const int left = libpq().PQflush(handle_->connection);
        if (left == 0) return;
        if (left < 0) fail(nullptr, stop);
        wait_for_socket(true, stop);
    }
}

Connection::Answer Connection::next_answer(std::stop_token stop) {
    flush(stop);
    while (libpq().PQisBusy(handle_->connection) != 0) wait_for_socket(false, stop);
    return Answer{.result = std::unique_ptr<PGresult, Answer::Clear>(libpq().PQgetResult(handle_->connection))};
}

void Connection::fail(const Answer* answer, std::stop_token stop) {
    const PGresult* result = answer != nullptr ? answer->result.get() : nullptr;
    failure_ = {.state = field(result, PG_DIAG_SQLSTATE),
                .message = field(result, PG_DIAG_MESSAGE_PRIMARY),
                .detail = field(result, PG_DIAG_MESSAGE_DETAIL),
                .hint = field(result, PG_DIAG_MESSAGE_HINT),
                .column = field(result, PG_DIAG_COLUMN_NAME),
                .context = field(result, PG_DIAG_CONTEXT)};
    // libpq made it up by itself.
    if (failure_.state.empty()) failure_.message = fmt::format("the connection broke: {}", libpq().PQerrorMessage(handle_->connection));
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    throw statement_error(failure_);
}

void Connection::begin_statement(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    cancelled_at_.reset();
    failure_ = {};
}

void Connection::start(std::string_view sql, bool is_single, std::stop_token stop) {
    begin_statement(stop);
    const std::string text(sql);
    // An unnamed statement takes one command only, where a simple query would run several.
    const int is_sent = is_single ? libpq().PQsendQueryParams(handle_->connection, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)
                                  : libpq().PQsendQuery(handle_->connection, text.c_str());
    if (is_sent == 0) fail(nullptr, stop);
}

/// Takes all that is left of the running statement. An error among it is thrown at the end, when the connection can be used again.
std::uint64_t Connection::finish(std::stop_token stop) {
    std::uint64_t rows = 0;
    Answer error{};
    while (Answer answer = next_answer(stop)) {
        if (answer.is_error()) {
            error = std::move(answer);
            if (libpq().PQstatus(handle_->connection) == CONNECTION_BAD) break;
            continue;
        }
        const std::string_view count = libpq().PQcmdTuples(answer.result.get());
        rows = 0;
        std::from_chars(count.data(), count.data() + count.size(), rows);
        last_tag_ = libpq().PQcmdStatus(answer.result.get());
    }
    if (error) fail(&error, stop);
    return rows;
}

std::uint64_t Connection::execute(std::string_view sql, std::stop_token stop) {
    start(sql, false, stop);
    return finish(stop);
}

std::uint64_t Connection::execute_with(std::string_view sql, std::string_view text) {
    begin_statement({});
    const std::string value(text);
    const char* values = value.c_str();
    if (libpq().PQsendQueryParams(handle_->connection, std::string(sql).c_str(), 1, nullptr, &values, nullptr, nullptr, 0) == 0) fail(nullptr, {});
    return finish({});
}

void Connection::for_each(std::string_view sql, std::stop_token stop, const std::function<void(Row row)>& take) {
    start(sql, true, stop);
    TIPPLE_ASSERT(libpq().PQsetSingleRowMode(handle_->connection) == 1);
    while (Answer answer = next_answer(stop)) {
        if (answer.is_error()) {
            finish({});
            fail(&answer, stop);
        }
        if (answer.status() == PGRES_SINGLE_TUPLE) take(row_of(answer.result.get(), 0));
    }
}

namespace {

void add_columns(const PGresult* description, Result& result) {
    for (int column = 0; column < libpq().PQnfields(description); ++column) {
        result.names.emplace_back(libpq().PQfname(description, column));
        result.types.push_back({.oid = libpq().PQftype(description, column), .modifier = libpq().PQfmod(description, column)});
    }
}

}  // namespace

Result Connection::query(std::string_view sql, std::size_t rows_max, std::stop_token stop) {
    Result result;
    start(sql, true, stop);
    TIPPLE_ASSERT(libpq().PQsetSingleRowMode(handle_->connection) == 1);
    while (Answer answer = next_answer(stop)) {
        if (answer.is_error()) {
            // Cancelled by us, which is no failure.
            if (result.is_truncated) continue;
            finish({});
            fail(&answer, stop);
        }
        if (result.names.empty()) add_columns(answer.result.get(), result);
        if (answer.status() != PGRES_SINGLE_TUPLE || result.is_truncated) continue;
        if (result.rows.size() == rows_max) {
            result.is_truncated = true;
            cancel();
        } else {
            result.rows.push_back(row_of(answer.result.get(), 0));
        }
    }
    return result;
}

void Connection::start_copy(std::string_view sql, std::stop_token stop) {
    start(sql, false, stop);
    const Answer answer = next_answer(stop);
    if (answer && answer.status() == PGRES_COPY_IN) return;
    if (answer && answer.is_error()) {
        finish({});
        fail(&answer, stop);
    }
    throw Error(ErrorKind::remote, "Postgres: the server does not take rows");
}

void Connection::send(std::string_view bytes, std::stop_token stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    while (true) {
        const int is_taken = libpq().PQputCopyData(handle_->connection, bytes.data(), static_cast<int>(bytes.size()));
        if (is_taken < 0) break;
        // Sent at once, so that libpq's own buffer does not grow.
        flush(stop);
        if (is_taken == 1) return;
    }
    // The server has ended the COPY: it tells why.
    end_copy(stop);
    fail(nullptr, stop);
}

std::uint64_t Connection::end_copy(std::stop_token stop) {
    while (true) {
        const int is_taken = libpq().PQputCopyEnd(handle_->connection, nullptr);
        if (is_taken != 0) break;
        flush(stop);
    }
    return finish(stop);
}

void Connection::start_copy_out(std::string_view sql, std::stop_token stop) {
    start(sql, false, stop);
    const Answer answer = next_answer(stop);
    if (answer && answer.status() == PGRES_COPY_OUT) return;
    if (answer && answer.is_error()) {
        finish({});
        fail(&answer, stop);
    }
    throw Error(ErrorKind::remote, "Postgres: the server does not hand over rows");
}

/// By the old call of libpq, which copies to where the bytes are wanted: the newer one makes a buffer of its own for each row.
std::size_t Connection::receive(std::span<char> out, std::stop_token stop) {
    std::size_t taken = 0;
    while (true) {
        if (stop.stop_requested()) {
            cancel();
            throw Error(ErrorKind::cancelled, "stopped on request");
        }
        while (taken < out.size()) {
            const int bytes = libpq().PQgetlineAsync(handle_->connection, out.data() + taken, static_cast<int>(out.size() - taken));
            if (bytes == 0) break;
            if (bytes < 0) {
                if (taken == 0) end_copy_out(stop);
                return taken;
            }
            taken += static_cast<std::size_t>(bytes);
        }
        if (taken > 0) return taken;
        wait_for_socket(false, stop);
    }
}

/// Takes the end of the data, which `PQgetlineAsync` leaves, and what the server says of the statement.
void Connection::end_copy_out(std::stop_token stop) {
    char* row = nullptr;
    while (libpq().PQgetCopyData(handle_->connection, &row, 1) > 0) libpq().PQfreemem(row);
    finish(stop);
}

void Connection::abandon_copy_out() {
    cancel();
    deadline_ = *cancelled_at_ + cancel_patience;
    std::array<char, 8'192> ignored{};
    try {
        while (receive(ignored, {}) > 0) {
        }
    } catch (const Error&) {
        // That it was cancelled, or that nobody heard it: `is_ready` tells which.
    }
    deadline_.reset();
    failure_ = {};
}

Result Connection::describe(std::string_view sql, std::stop_token stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    cancelled_at_.reset();
    failure_ = {};
    if (libpq().PQsendPrepare(handle_->connection, "", std::string(sql).c_str(), 0, nullptr) == 0) fail(nullptr, stop);
    finish(stop);
    if (libpq().PQsendDescribePrepared(handle_->connection, "") == 0) fail(nullptr, stop);
    Result result;
    Answer error{};
    while (Answer answer = next_answer(stop)) {
        if (answer.is_error()) {
            error = std::move(answer);
            if (libpq().PQstatus(handle_->connection) == CONNECTION_BAD) break;
        } else {
            add_columns(answer.result.get(), result);
        }
    }
    if (error) fail(&error, stop);
    return result;
}

bool Connection::execute_within(std::string_view sql, std::chrono::milliseconds patience, std::stop_token stop) {
    deadline_ = std::chrono::steady_clock::now() + patience;
    failure_ = {};
    try {
        execute(sql, stop);
    } catch (const Error&) {
        const bool is_late = std::chrono::steady_clock::now() > *deadline_ && !stop.stop_requested();
        deadline_.reset();
        if (!is_late || (failure_.state != query_canceled && !failure_.state.empty())) throw;
        return false;
    }
    deadline_.reset();
    return true;
}

bool Connection::is_ready() const { return is_in_transaction() || libpq().PQtransactionStatus(handle_->connection) == PQTRANS_IDLE; }

bool Connection::is_in_transaction() const {
    const PGTransactionStatusType status = libpq().PQtransactionStatus(handle_->connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void Connection::roll_back() noexcept {
    PGconn* connection = handle_->connection;
    if (!is_in_transaction() || libpq().PQsendQuery(connection, "ROLLBACK") == 0) return;
    const auto deadline = std::chrono::steady_clock::now() + rollback_patience;
    while (std::chrono::steady_clock::now() < deadline) {
        const int left = libpq().PQflush(connection);
        if (left < 0) return;
        if (libpq().PQisBusy(connection) == 0) {
            PGresult* result = libpq().PQgetResult(connection);
            if (result == nullptr) return;
            libpq().PQclear(result);
            continue;
        }
        pollfd socket{.fd = libpq().PQsocket(connection), .events = static_cast<short>(left > 0 ? POLLIN | POLLOUT : POLLIN), .revents = 0};
        if (poll(&socket, 1, poll_milliseconds) > 0 && libpq().PQconsumeInput(connection) == 0) return;
    }
}

int Connection::server_version() const { return libpq().PQserverVersion(handle_->connection); }

void Connection::commit() {
    // Not to be stopped: it finishes one way or the other.
    execute("COMMIT");
    // What the server says when the transaction had failed before.
    if (last_tag_ != "COMMIT") throw Error(ErrorKind::remote, "Postgres: the server answered COMMIT with {}: nothing was loaded", last_tag_);
}

}  // namespace tipple::postgres
