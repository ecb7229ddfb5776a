#include "tipple/sources/sql/postgres/bound.h"

#include <algorithm>
#include <set>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/quoting.h"
#include "tipple/schema/coerce.h"
#include "tipple/sources/sql/postgres/text.h"
#include "tipple/sources/sql/postgres/transactions.h"
#include "tipple/sources/sql/postgres/types.h"
#include "tipple/sources/sql/postgres/writers.h"
#include "tipple/sources/sql/statement.h"

namespace tipple::sources::sql::postgres {

using schema::DataType;
using schema::Value;
using tipple::postgres::Connection;
using tipple::postgres::quote_identifier;
using tipple::postgres::quote_literal;
using tipple::postgres::Row;

namespace {

std::int64_t number(std::string_view text) { return parse_number<std::int64_t>(text); }

Row one_row(Connection& connection, const std::string& sql, const std::stop_token& stop) {
    std::vector<Row> rows = connection.query(sql, all_rows, stop).rows;
    return rows.empty() ? Row() : std::move(rows.front());
}

/// What the catalog says of a cursor's column.
struct Facts {
    std::string table_oid;
    bool is_table = false;    ///< of the server's own, whose writers can be seen
    bool is_standby = false;  ///< its writers are elsewhere
    bool is_numbered = false;       ///< by a sequence, one number after the other
    std::int64_t increment = 1;
    bool has_server_time = false;   ///< its default, or a trigger, is the server's clock
    bool sees_others = false;       ///< what pg_read_all_stats allows
};

/// The server's clock and nothing else, as pg_get_expr writes defaults of columns with a zone, and of columns in UTC without one.
constexpr std::string_view clock_pattern =
    R"((now\(\)|current_timestamp(\(\d\))?|transaction_timestamp\(\)|statement_timestamp\(\)|clock_timestamp\(\)))";

Facts read_facts(Connection& connection, const CursorQuery& query, const std::stop_token& stop) {
    const bool has_zone = query.column.type && query.column.type->timezone;
    const std::string clock(clock_pattern);
    const std::string utc = fmt::format(R"((timezone\('utc'::text, {0}\)|\({0} at time zone 'utc'::text\)))", clock);
    const std::string expression = has_zone ? clock : utc;
    // Of a trigger: new.column := now();
    const std::string name = fmt::format(R"(\.\"?{}\"?)", [&] {
        std::string escaped;
        for (const char c : query.column.name) escaped += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0 ? std::string(1, c) : fmt::format("\\{}", c);
        return escaped;
    }());
    const std::string assignment = fmt::format(R"(new{}\s*:?=\s*{}\s*;)", name, expression);
    const Row row = one_row(
        connection,
        fmt::format(
            "SELECT c.oid, c.relkind IN ('r', 'p'), pg_catalog.pg_is_in_recovery(), s.is_plain, s.increment, coalesce(pg_catalog.pg_get_expr(e.adbin, e.adrelid) ~* {}, false) OR "
            "EXISTS (SELECT 1 FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D' AND t.tgtype & 3 = 3 "
            "AND p.prosrc ~* {}), pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AND pg_catalog.current_setting('track_activities')::bool FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_catalog.pg_attrdef AS e ON e.adrelid = c.oid AND e.adnum = a.attnum LEFT JOIN LATERAL (SELECT "
            "pg_catalog.bool_and(q.seqincrement > 0 AND NOT q.seqcycle AND q.seqcache = 1) AS is_plain, pg_catalog.max(q.seqincrement) AS increment FROM pg_catalog.pg_sequence AS q "
            "WHERE q.seqrelid IN (SELECT d.refobjid FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = e.oid AND d.refclassid = "
            "'pg_catalog.pg_class'::pg_catalog.regclass UNION ALL SELECT d.objid FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND "
            "d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i')) AS s ON true WHERE n.nspname = {} AND "
            "c.relname = {} AND a.attname = {}",
            quote_literal("^" + expression + "$"), quote_literal(assignment), quote_literal(query.table.name.schema), quote_literal(query.table.name.name),
            quote_literal(query.column.name)),
        stop);
    if (row.empty()) return {};
    return {.table_oid = row[0].value(),
            .is_table = row[1] == "t",
            .is_standby = row[2] == "t",
            .is_numbered = row[3] == "t",
            .increment = parse_number<std::int64_t>(row[4], 1),
            .has_server_time = row[5] == "t",
            .sees_others = row[6] == "t"};
}

std::string time_us(std::string_view expression) { return fmt::format("CAST(extract(epoch FROM {}) * 1000000 AS bigint)", expression); }

/// The greatest value there is.
Value read_greatest(Connection& connection, const CursorQuery& query, const std::stop_token& stop) {
    const columns::ColumnType type = query.column.type.value_or(columns::ColumnType{});
    const std::string ordered = order_expression(query.column);
    const std::string relation = relation_of(quoted(query.table.name), query.query);
    std::string condition = fmt::format("{} IS NOT NULL", ordered);
    if (!query.condition.empty()) condition += fmt::format(" AND ({})", query.condition);
    std::string result = ordered;
    if (type.type == DataType::timestamp || type.type == DataType::date) {
        // Behind what is infinite there would never be anything new.
        condition += fmt::format(" AND pg_catalog.isfinite({})", ordered);
        result = type.type == DataType::date ? fmt::format("{} - CAST('1970-01-01' AS date)", result) : time_us(result);
    }
    // NaN comes behind infinity.
    if (type.type == DataType::double_) condition += fmt::format(" AND {} < CAST('Infinity' AS double precision)", ordered);
    // Not by max(), which some types have not that have an order.
    const Row row = one_row(connection, fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} DESC LIMIT 1", result, relation, condition, ordered), stop);
    if (row.empty() || !row[0]) return {};
    switch (type.type) {
        case DataType::bigint:
            return number(*row[0]);
        case DataType::timestamp:
            return schema::Timestamp{.us = number(*row[0]), .is_aware = type.timezone};
        case DataType::date:
            return schema::Date{.days = static_cast<std::int32_t>(number(*row[0]))};
        default:
            return schema::coerce(type.type, Value(*row[0])).value_or(Value(*row[0]));
    }
}

CursorBound not_guaranteed(Connection& connection, const CursorQuery& query, std::string why, const std::stop_token& stop) {
    return {.upper = read_greatest(connection, query, stop),
            .is_guaranteed = false,
            .explanation = fmt::format("rows that are committed late may be missed: {}; a lag reads the last ones again", why)};
}

// ---- cursors of times ----

CursorBound bound_of_times(Connection& connection, const CursorQuery& query, const Facts& facts, std::chrono::milliseconds patience, const std::stop_token& stop) {
    const std::string& name = query.column.name;
    if (!facts.has_server_time) {
        const std::string_view clock = query.column.type->timezone ? "now()" : "timezone('utc', now())";
        return not_guaranteed(connection, query,
                              fmt::format("\"{}\" is not seen to be set by the server's clock; DEFAULT {} and a trigger with NEW.\"{}\" := {} would show it", name, clock, name, clock), stop);
    }
    if (!facts.sees_others) {
        return not_guaranteed(connection, query, "this user does not see when transactions of others began; GRANT pg_read_all_stats to it (and track_activities must be on)", stop);
    }
    const OldestStart oldest = find_oldest_start(connection, patience, stop);
    if (!oldest.unclear.empty()) {
        return not_guaranteed(connection, query, fmt::format("process {} does not show whether it is in a transaction", oldest.unclear), stop);
    }
    const Row prepared = one_row(connection,
                                 fmt::format("SELECT {}, pg_catalog.min(gid) FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()",
                                             time_us("pg_catalog.min(prepared)")),
                                 stop);
    std::int64_t upper_us = oldest.us;
    const bool has_prepared = !prepared.empty() && prepared[0].has_value();
    if (has_prepared) upper_us = std::min(upper_us, number(*prepared[0]));
    // With fewer digits, the time was rounded: to one before the transaction began, even.
    std::int64_t digit_us = 1;
    for (int digits = query.column.precision.value_or(6); digits < 6; ++digits) digit_us *= 10;
    CursorBound bound{.upper = schema::Timestamp{.us = upper_us - digit_us, .is_aware = query.column.type->timezone}, .is_guaranteed = !has_prepared, .explanation = ""};
    bound.explanation =
        has_prepared ? fmt::format("rows of the prepared transaction \"{}\" may be missed: when it began is not known; end it by COMMIT PREPARED or ROLLBACK PREPARED, or use a lag",
                                   prepared[1].value_or(""))
                     : fmt::format("no row is missed that gets \"{}\" from the server's clock: what is read ends where the oldest open transaction began", name);
    return bound;
}

// ---- cursors of numbers ----

/// What waits for transactions: once they have ended, all numbers up to `up_to` are there that will ever be.
struct Pending {
    std::int64_t up_to = 0;
    std::set<std::string> writers;
};

/// More are thinned out: they only make waiting shorter.
constexpr std::size_t pending_max = 16;

std::vector<Pending> parse_memory(const json::Value& memory) {
    std::vector<Pending> pending;
    const json::Value* list = memory.is_object() ? memory.as_object().find("pending") : nullptr;
    if (list == nullptr || !list->is_array()) return pending;
    for (const json::Value& entry : list->as_array()) {
        if (!entry.is_object()) continue;
        const json::Value* up_to = entry.as_object().find("up_to");
        const json::Value* writers = entry.as_object().find("writers");
        if (up_to == nullptr || !up_to->is_text() || writers == nullptr || !writers->is_array()) continue;
        Pending parsed{.up_to = number(up_to->as_text()), .writers = {}};
        for (const json::Value& writer : writers->as_array()) {
            if (writer.is_text()) parsed.writers.insert(writer.as_text());
        }
        pending.push_back(std::move(parsed));
    }
    return pending;
}

json::Value to_memory(std::vector<Pending> pending) {
    if (pending.empty()) return {};
    while (pending.size() > pending_max) pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(pending.size() / 2));
    json::Array list;
    for (const Pending& entry : pending) {
        list.push_back(json::Object{{"up_to", std::to_string(entry.up_to)}, {"writers", json::Array(entry.writers.begin(), entry.writers.end())}});
    }
    return json::Object{{"pending", std::move(list)}};
}

/// The last of the numbers behind `from` before one is missing that may still come.
std::int64_t end_of_unbroken(Connection& connection, const CursorQuery& query, std::int64_t from, std::int64_t to, std::int64_t increment, const std::stop_token& stop) {
    const std::string column = quote_identifier(query.column.name);
    const Row row = one_row(connection,
                            fmt::format("SELECT s.before FROM (SELECT {0} AS value, pg_catalog.lag({0}::bigint, 1, {1}::bigint) OVER (ORDER BY {0}) AS before FROM {2} WHERE {0} > {1} AND "
                                        "{0} <= {3}) AS s WHERE s.value > s.before + {4} ORDER BY s.value LIMIT 1",
                                        column, from, quoted(query.table.name), to, increment),
                            stop);
    return row.empty() || !row[0] ? to : number(*row[0]);
}

CursorBound bound_of_numbers(Connection& connection, const CursorQuery& query, const Facts& facts, std::chrono::milliseconds patience, const std::stop_token& stop) {
    const std::string& name = query.column.name;
    if (!facts.is_numbered) {
        return not_guaranteed(
            connection, query,
            fmt::format("\"{}\" gets no numbers from a sequence of its own (identity or DEFAULT nextval(...)) that counts upwards without a cache, so a later row may have a smaller one", name),
            stop);
    }
    const Row row = one_row(connection, fmt::format("SELECT pg_catalog.max({}) FROM {}", quote_identifier(name), quoted(query.table.name)), stop);
    CursorBound bound{.is_guaranteed = true,
                      .explanation = fmt::format("no row is missed that gets \"{}\" from its sequence while it is inserted: what is read ends before numbers that open transactions may still bring", name)};
    if (row.empty() || !row[0]) return bound;
    const std::int64_t greatest = number(*row[0]);
    // After the look at the numbers: who has drawn one of these still writes, or has ended.
    const Writers writers(connection, facts.table_oid);
    const std::set<std::string> now = writers.read(stop);
    std::vector<Pending> pending = parse_memory(query.memory);
    std::optional<std::int64_t> proven;
    if (const auto* last = query.last.get_if<std::int64_t>()) proven = *last;
    std::erase_if(pending, [&](const Pending& entry) {
        const bool has_ended = !Writers::may_include(now, entry.writers);
        if (has_ended) proven = std::max(proven.value_or(entry.up_to), entry.up_to);
        return has_ended;
    });
    const std::set<std::string> left = writers.wait_for(now, patience, stop);
    if (left.empty()) {
        bound.upper = greatest;
        return bound;
    }
    pending.push_back({.up_to = greatest, .writers = left});
    bound.memory = to_memory(pending);
    if (!proven) {
        bound.upper = greatest;
        bound.is_guaranteed = false;
        bound.explanation = fmt::format("rows of {} may be missed, which has been writing to the table for more than {} seconds: wait for it before the first run, or use a lag",
                                        writers.describe(left, stop), std::chrono::duration_cast<std::chrono::seconds>(patience).count());
        return bound;
    }
    bound.upper = std::max(end_of_unbroken(connection, query, *proven, greatest, facts.increment, stop), *proven);
    bound.explanation += fmt::format("; now up to {}, because {} is writing to the table", bound.upper.as<std::int64_t>(), writers.describe(left, stop));
    return bound;
}

}  // namespace

CursorBound find_bound(Connection& connection, const CursorQuery& query, std::chrono::milliseconds patience, const std::stop_token& stop) {
    const Facts facts = read_facts(connection, query, stop);
    if (!facts.is_table) return not_guaranteed(connection, query, "who writes to the tables behind a view, a foreign table or a query cannot be seen", stop);
    if (facts.is_standby) return not_guaranteed(connection, query, "this is a standby, where open transactions of the primary cannot be seen", stop);
    const DataType type = query.column.type ? query.column.type->type : DataType::text;
    if (type == DataType::timestamp) return bound_of_times(connection, query, facts, patience, stop);
    if (type == DataType::bigint) return bound_of_numbers(connection, query, facts, patience, stop);
    return not_guaranteed(connection, query, fmt::format("a cursor of type {} says nothing of when rows were written", query.column.declared), stop);
}

}  // namespace tipple::sources::sql::postgres
