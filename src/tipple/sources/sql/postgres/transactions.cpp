#include "tipple/sources/sql/postgres/transactions.h"

#include <algorithm>
#include <limits>
#include <set>

#include "tipple/sources/sql/postgres/text.h"

namespace tipple::sources::sql::postgres {

using tipple::postgres::Connection;
using tipple::postgres::Row;

namespace {

/// Between two looks, in seconds.
constexpr std::string_view pause = "0.005";
constexpr std::string_view clock_sql = "SELECT CAST(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000 AS bigint)";
/// Sessions that may write, when their transactions began, and whether it is clear that they are not about to show one: they show one, or wait for
/// something for which nobody waits in between.
constexpr std::string_view sessions_sql =
    "SELECT pid, CAST(extract(epoch FROM xact_start) * 1000000 AS bigint), xact_start IS NOT NULL OR coalesce(wait_event_type IN ('Client', 'Activity', 'Extension', 'Timeout'), false) FROM "
    "pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND backend_type NOT IN ('autovacuum launcher', "
    "'autovacuum worker', 'walsender', 'checkpointer', 'walwriter')";

struct Sessions {
    std::set<std::string> unclear;
    std::int64_t oldest_us = std::numeric_limits<std::int64_t>::max();
};

Sessions look(Connection& connection, const std::stop_token& stop) {
    Sessions sessions;
    connection.for_each(sessions_sql, stop, [&](const Row& row) {
        if (row[1]) sessions.oldest_us = std::min(sessions.oldest_us, parse_number<std::int64_t>(*row[1]));
        if (row[2] != "t") sessions.unclear.insert(row[0].value_or(""));
    });
    return sessions;
}

}  // namespace

OldestStart find_oldest_start(Connection& connection, std::chrono::milliseconds patience, const std::stop_token& stop) {
    const std::int64_t now_us = parse_number<std::int64_t>(connection.query(clock_sql, 1, stop).rows.at(0).at(0).value());
    const auto start = std::chrono::steady_clock::now();
    std::set<std::string> unclear = look(connection, stop).unclear;
    while (!unclear.empty() && std::chrono::steady_clock::now() - start < patience) {
        connection.execute(fmt::format("SELECT pg_catalog.pg_sleep({})", pause), stop);
        const std::set<std::string> still = look(connection, stop).unclear;
        std::erase_if(unclear, [&](const std::string& pid) { return !still.contains(pid); });
    }
    // Once more: a session may have been clear because it was in the middle of a transaction whose start the same look did not see yet.
    const Sessions last = look(connection, stop);
    return {.us = std::min(now_us, last.oldest_us), .unclear = unclear.empty() ? "" : *unclear.begin()};
}

}  // namespace tipple::sources::sql::postgres
