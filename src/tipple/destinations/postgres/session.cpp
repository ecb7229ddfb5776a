#include "tipple/destinations/postgres/session.h"

#include <charconv>
#include <thread>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/destinations/postgres/types.h"

namespace tipple::destinations::postgres {

namespace {

/// How long readers may queue behind us for a table that others still use, and the pause in which they run.
constexpr std::chrono::milliseconds exclusive_wait{250};
constexpr std::chrono::milliseconds exclusive_pause{250};

constexpr std::string_view lock_not_available = "55P03";

}  // namespace

Session::Session(const Place& place)
    : SqlSession(destination::SqlWriter(dialect(), quote_identifier(place.dataset)), place.dataset), place_(place), connection_(place.target, place.stop) {}

/// SET LOCAL only: behind a pooler, what is set for a session leaks to somebody else's. And theirs to ours, so all that could end a transaction early is set.
void Session::begin(std::string_view mode) {
    execute(fmt::format("BEGIN ISOLATION LEVEL {}; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = {}; "
                        "SET LOCAL client_min_messages = error",
                        mode, lock_timeout_ms()));
}

void Session::begin_read() { begin("REPEATABLE READ READ ONLY"); }
void Session::begin_write() { begin("READ COMMITTED READ WRITE"); }

/// Zero would mean without end.
std::int64_t Session::lock_timeout_ms() const { return std::max<std::int64_t>(place_.lock_timeout.count(), 1); }

void Session::lock(std::string_view what) {
    const auto key = static_cast<std::int64_t>(xxh3_64(fmt::format("tipple\n{}\n{}", dataset(), what)));
    query(fmt::format("SELECT pg_catalog.pg_advisory_xact_lock({})", key));
}

void Session::lock_pipeline() { lock(place_.pipeline); }
void Session::lock_dataset() { lock(""); }

void Session::lock_exclusively(const std::vector<std::string>& tables) {
    if (tables.empty()) return;
    std::vector<std::string> names;
    for (const std::string& table : tables) names.push_back(sql().table(table));
    const std::string statement = fmt::format("SAVEPOINT exclusive; SET LOCAL lock_timeout = {}; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
                                              exclusive_wait.count(), join(names, ", "));
    const auto start = std::chrono::steady_clock::now();
    while (true) {
        try {
            execute(statement, place_.stop);
            break;
        } catch (const Error&) {
            if (connection_.failure().state != lock_not_available) throw;
            if (std::chrono::steady_clock::now() - start >= place_.lock_timeout) throw;
        }
        execute("ROLLBACK TO SAVEPOINT exclusive; RELEASE SAVEPOINT exclusive");
        std::this_thread::sleep_for(exclusive_pause);
    }
    execute(fmt::format("RELEASE SAVEPOINT exclusive; SET LOCAL lock_timeout = {}", lock_timeout_ms()));
}

std::vector<destination::QueryRow> Session::query(std::string_view sql) {
    return connection_.query(sql, std::numeric_limits<std::size_t>::max(), place_.stop).rows;
}

void Session::read_numbers(std::string_view sql, std::stop_token stop, const std::function<void(std::int64_t number)>& take) {
    connection_.for_each(sql, stop, [&](const destination::QueryRow& row) {
        const std::string& text = row.at(0).value();
        std::int64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        take(number);
    });
}

bool Session::has_dataset() {
    return query_value(fmt::format("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {}", sql().literal(dataset()))).has_value();
}

destination::Catalog Session::read_catalog() {
    destination::Catalog catalog;
    const std::vector<destination::QueryRow> rows = query(fmt::format(
        "SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_catalog.pg_class AS c JOIN "
        "pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid WHERE n.nspname = {} AND "
        "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
        sql().literal(dataset())));
    for (const destination::QueryRow& row : rows) {
        catalog.tables[row[0].value()].push_back({.name = row[1].value(), .type = row[2].value(), .is_nullable = row[3] != "t"});
    }
    return catalog;
}

std::vector<std::string> Session::type_names(const std::vector<ResultType>& types) {
    if (types.empty()) return {};
    std::vector<std::string> expressions;
    for (const ResultType& type : types) expressions.push_back(fmt::format("pg_catalog.format_type({}, {})", type.oid, type.modifier));
    const std::vector<destination::QueryRow> rows = query("SELECT " + join(expressions, ", "));
    std::vector<std::string> names;
    for (const std::optional<std::string>& name : rows.at(0)) names.push_back(name.value_or("unknown"));
    return names;
}

}  // namespace tipple::destinations::postgres
