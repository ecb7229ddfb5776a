#include "tipple/sources/sql/postgres/writers.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tipple/core/text.h"
#include "tipple/postgres/quoting.h"

namespace tipple::sources::sql::postgres {

using tipple::postgres::quote_literal;
using tipple::postgres::Row;

namespace {

/// Between two looks, in seconds.
constexpr std::string_view pause = "0.02";
/// The name of all that are prepared and have no process any more.
const std::string prepared = "prepared";

}  // namespace

std::set<std::string> Writers::read(const std::stop_token& stop) const {
    std::set<std::string> writers;
    const std::string sql = fmt::format(
        "WITH RECURSIVE above (oid) AS (SELECT {0}::oid UNION SELECT i.inhparent FROM above JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.oid), below (oid) AS (SELECT "
        "{0}::oid UNION SELECT i.inhrelid FROM below JOIN pg_catalog.pg_inherits AS i ON i.inhparent = below.oid) SELECT DISTINCT CASE WHEN l.pid IS NULL THEN {1} ELSE l.virtualtransaction END FROM pg_catalog.pg_locks AS l "
        "WHERE l.locktype = 'relation' AND l.granted AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') AND l.database = (SELECT "
        "d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) AND l.relation IN (SELECT oid FROM above UNION SELECT oid FROM below)",
        table_oid_, quote_literal(prepared));
    connection_.for_each(sql, stop, [&](const Row& row) { writers.insert(row[0].value_or("")); });
    return writers;
}

bool Writers::may_include(const std::set<std::string>& now, const std::set<std::string>& then) {
    return now.contains(prepared) || std::any_of(then.begin(), then.end(), [&](const std::string& writer) { return now.contains(writer); });
}

std::set<std::string> Writers::wait_for(std::set<std::string> then, std::chrono::milliseconds patience, const std::stop_token& stop) const {
    const auto start = std::chrono::steady_clock::now();
    while (!then.empty()) {
        const std::set<std::string> now = read(stop);
        // One that was prepared while we were looking has changed its name.
        if (!now.contains(prepared)) std::erase_if(then, [&](const std::string& writer) { return !now.contains(writer); });
        if (then.empty() || std::chrono::steady_clock::now() - start >= patience) break;
        connection_.execute(fmt::format("SELECT pg_catalog.pg_sleep({})", pause), stop);
    }
    return then;
}

std::string Writers::describe(const std::set<std::string>& writers, const std::stop_token& stop) const {
    if (writers.contains(prepared)) return "a prepared transaction";
    std::vector<std::string> names;
    names.reserve(writers.size());
    for (const std::string& writer : writers) names.push_back(quote_literal(writer));
    const tipple::postgres::Result found = connection_.query(
        fmt::format("SELECT a.pid, a.usename FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid WHERE l.locktype = 'virtualxid' AND l.virtualxid IN ({}) ORDER BY "
                    "a.pid LIMIT 1",
                    join(names, ", ")),
        std::numeric_limits<std::size_t>::max(), stop);
    if (found.rows.empty()) return "a transaction";
    return fmt::format("the transaction of process {} of user {}", found.rows[0][0].value_or("?"), found.rows[0][1].value_or("?"));
}

}  // namespace tipple::sources::sql::postgres
