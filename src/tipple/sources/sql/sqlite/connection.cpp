#include "tipple/sources/sql/sqlite/connection.h"

#include <sqlite3.h>

#include <filesystem>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::sources::sql::sqlite {

namespace {

/// How often it is looked whether a writer has let go.
constexpr std::chrono::milliseconds busy_wait{50};
/// Instructions of the database's machine between two looks at a request to stop: some milliseconds.
constexpr int progress_instructions = 100'000;

std::string quote(std::string_view text, char mark) {
    std::string quoted(1, mark);
    for (const char c : text) {
        if (c == mark) quoted += mark;
        quoted += c;
    }
    return quoted + mark;
}

int on_progress(void* stop) { return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0; }

}  // namespace

void Query::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

std::string quote_name(std::string_view name) { return quote(name, '"'); }
std::string quote_text(std::string_view text) { return quote(text, '\''); }

bool Query::step() {
    // For each row; a copy counts references.
    if (connection_->stop_ != stop_) connection_->stop_ = stop_;
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    connection_->fail(code, stop_, sqlite3_sql(handle_.get()));
}

int Query::columns() const { return sqlite3_column_count(handle_.get()); }
bool Query::is_select() const { return sqlite3_stmt_readonly(handle_.get()) != 0 && columns() > 0; }
std::string Query::name(int column) const { return sqlite3_column_name(handle_.get(), column); }
std::string Query::declared_type(int column) const {
    const char* type = sqlite3_column_decltype(handle_.get(), column);
    return type != nullptr ? type : "";
}
bool Query::is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
bool Query::is_integer(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_INTEGER; }
std::int64_t Query::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
std::string_view Query::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return text == nullptr ? std::string_view() : std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

Connection::Connection(const std::string& path, std::chrono::milliseconds busy_timeout) : path_(path), busy_timeout_(busy_timeout) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) throw Error(ErrorKind::usage, "database file {} does not exist", path);
    if (std::filesystem::is_directory(path, ignored)) throw Error(ErrorKind::usage, "{} is a folder, and no database file", path);
    sqlite3* database = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(database);
    if (code != SQLITE_OK) fail(code, {}, "");
    sqlite3_extended_result_codes(database, 1);
    sqlite3_busy_handler(database, &Connection::on_busy, this);
    sqlite3_progress_handler(database, progress_instructions, &on_progress, &stop_);
    // The first look at the file; also says what it is when it is none.
    execute("SELECT count(*) FROM sqlite_schema", {});
    execute("PRAGMA cache_size = -16384", {});
}

Connection::~Connection() = default;

int Connection::on_busy(void* connection, int tries) {
    const auto* own = static_cast<Connection*>(connection);
    if (tries * busy_wait >= own->busy_timeout_ || own->stop_.stop_requested()) return 0;
    sqlite3_sleep(static_cast<int>(busy_wait.count()));
    return 1;
}

void Connection::fail(int code, const std::stop_token& stop, const std::string& sql) const {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
    const std::string text = sqlite3_errmsg(handle_.get());
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw Error(ErrorKind::locked, "{}: another program writes it and does not let go ({}); run again when it has ended", path_, text);
        case SQLITE_NOTADB:
            throw Error(ErrorKind::usage, "{} is no SQLite database, or an encrypted one", path_);
        case SQLITE_CORRUPT:
            throw Error(ErrorKind::remote, "{} is damaged: {}; PRAGMA integrity_check says where", path_, text);
        case SQLITE_CANTOPEN:
            throw Error(ErrorKind::local, "{} cannot be opened: {}; it must be readable, and where it is in WAL mode its folder writable, or its files -wal and -shm there", path_, text);
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY:
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_NOMEM:
            throw Error(ErrorKind::local, "{}: {}", path_, text);
        default:
            throw Error(ErrorKind::usage, "{}: {}{}", path_, text, sql.empty() ? "" : fmt::format("\n  in: {}", excerpt(sql, 500)));
    }
}

Query Connection::query(const std::string& sql, std::stop_token stop) {
    stop_ = stop;
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(handle_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement, &rest);
    Query query(*this, statement, stop);
    if (code != SQLITE_OK) fail(code, stop, sql);
    if (statement == nullptr) throw Error(ErrorKind::usage, "there is no statement in: {}", excerpt(sql, 200));
    if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
        throw Error(ErrorKind::usage, "only one statement can be read, and there are more: {}", excerpt(sql, 200));
    }
    return query;
}

void Connection::execute(const std::string& sql, std::stop_token stop) {
    Query statement = query(sql, std::move(stop));
    while (statement.step()) {
    }
}

}  // namespace tipple::sources::sql::sqlite
