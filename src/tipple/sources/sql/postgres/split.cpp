#include "tipple/sources/sql/postgres/split.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/postgres/quoting.h"
#include "tipple/sources/sql/postgres/text.h"
#include "tipple/sources/sql/postgres/types.h"

namespace tipple::sources::sql::postgres {

using tipple::postgres::Connection;
using tipple::postgres::quote_identifier;
using tipple::postgres::quote_literal;
using tipple::postgres::Row;

namespace {

/// A part is not worth a connection of its own when it has fewer pages.
constexpr std::uint64_t part_pages_min = 512;
/// Pages that are looked at where there are no statistics.
constexpr std::uint64_t sample_pages = 1'000;
/// From which on ranges of places are read as such. Before, each would be a walk over the whole table.
constexpr int version_with_ranges = 140'000;

const std::vector<std::string> undivided = {""};

std::vector<std::string> texts(Connection& connection, const std::string& sql, const std::stop_token& stop) {
    std::vector<std::string> values;
    connection.for_each(sql, stop, [&](const Row& row) {
        if (row[0]) values.push_back(*row[0]);
    });
    return values;
}

/// The table with what is below it in the catalog, as `tree`.
std::string with_tree(const TableName& table) {
    return fmt::format(
        "WITH RECURSIVE tree (oid) AS (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = "
        "{} UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid) ",
        quote_literal(table.schema), quote_literal(table.name));
}

/// Of the largest table of the tree; 0 where rows have no places that can be compared.
std::uint64_t pages_of(Connection& connection, const TableName& table, const std::stop_token& stop) {
    const std::vector<std::string> pages =
        texts(connection,
              with_tree(table) +
                  "SELECT CASE WHEN pg_catalog.bool_and(c.relkind = 'p' OR (c.relkind IN ('r', 'm') AND m.amname = 'heap')) THEN pg_catalog.max(CASE WHEN c.relkind <> 'p' THEN "
                  "pg_catalog.pg_relation_size(c.oid) END) / pg_catalog.current_setting('block_size')::bigint END FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid LEFT "
                  "JOIN pg_catalog.pg_am AS m ON m.oid = c.relam",
              stop);
    return pages.empty() ? 0 : parse_number<std::uint64_t>(pages[0]);
}

std::vector<std::string> by_places(std::uint64_t pages, std::size_t parts) {
    std::vector<std::string> conditions;
    const auto place = [&](std::size_t part) { return fmt::format("'({},0)'::tid", pages * part / parts); };
    for (std::size_t part = 0; part < parts; ++part) {
        std::string condition = part == 0 ? "" : fmt::format("ctid >= {}", place(part));
        // The last one has no end: the table may have grown.
        if (part + 1 < parts) condition += fmt::format("{}ctid < {}", condition.empty() ? "" : " AND ", place(part + 1));
        conditions.push_back(std::move(condition));
    }
    return conditions;
}

/// Every n-th of values that are in order, so that they make `parts` ranges.
std::vector<std::string> spread(const std::vector<std::string>& values, std::size_t parts) {
    std::vector<std::string> borders;
    for (std::size_t part = 1; part < parts; ++part) {
        const std::string& value = values[values.size() * part / parts];
        if (borders.empty() || borders.back() != value) borders.push_back(value);
    }
    return borders;
}

/// Values of the column between which about equally many rows lie, in its order.
class Borders {
public:
    Borders(Connection& connection, const SplitQuery& query, const DeclaredColumn& column, const std::stop_token& stop)
        : connection_(connection), query_(query), column_(column), stop_(stop) {}

    std::vector<std::string> find() const {
        if (std::vector<std::string> known = from_statistics(); !known.empty()) return known;
        if (column_.type && column_.type->type == schema::DataType::bigint) return from_range();
        return query_.table.name.is_view ? std::vector<std::string>() : from_sample();
    }

private:
    std::vector<std::string> from_statistics() const {
        const TableName& table = query_.table.name;
        const std::vector<std::string> values =
            texts(connection_,
                  fmt::format("SELECT pg_catalog.unnest(s.histogram_bounds::text::text[]) FROM (SELECT histogram_bounds FROM pg_catalog.pg_stats WHERE schemaname = {} AND tablename = {} "
                              "AND attname = {} AND histogram_bounds IS NOT NULL ORDER BY inherited DESC LIMIT 1) AS s",
                              quote_literal(table.schema), quote_literal(table.name), quote_literal(column_.name)),
                  stop_);
        return values.size() < query_.parts ? std::vector<std::string>() : spread(values, query_.parts);
    }

    std::vector<std::string> from_range() const {
        const std::string name = quote_identifier(column_.name);
        return texts(connection_,
                     fmt::format("SELECT DISTINCT r.least + ((r.greatest::numeric - r.least) * p / {0})::bigint FROM (SELECT pg_catalog.min({1}) AS least, pg_catalog.max({1}) AS greatest "
                                 "FROM {2}) AS r, pg_catalog.generate_series(1, {0} - 1) AS p WHERE r.greatest > r.least ORDER BY 1",
                                 query_.parts, name, quoted(query_.table.name)),
                     stop_);
    }

    std::vector<std::string> from_sample() const {
        const std::uint64_t pages = std::max<std::uint64_t>(pages_of(connection_, query_.table.name, stop_), 1);
        const std::string name = quote_identifier(column_.name);
        const std::vector<std::string> values =
            texts(connection_,
                  fmt::format("SELECT {0} FROM {1} TABLESAMPLE SYSTEM ({2}) WHERE {0} IS NOT NULL ORDER BY {0}", name, quoted(query_.table.name),
                              std::min(100.0, 100.0 * static_cast<double>(sample_pages) / static_cast<double>(pages))),
                  stop_);
        return values.size() < query_.parts ? std::vector<std::string>() : spread(values, query_.parts);
    }

    Connection& connection_;
    const SplitQuery& query_;
    const DeclaredColumn& column_;
    std::stop_token stop_;
};

std::vector<std::string> by_values(const DeclaredColumn& column, const std::vector<std::string>& borders) {
    const std::string name = quote_identifier(column.name);
    std::vector<std::string> conditions;
    for (std::size_t part = 0; part <= borders.size(); ++part) {
        const auto value = [&](std::size_t border) { return literal(schema::Value(borders[border]), column); };
        std::string condition = part == 0 ? "" : fmt::format("{} >= {}", name, value(part - 1));
        if (part < borders.size()) condition += fmt::format("{}{} < {}", condition.empty() ? "" : " AND ", name, value(part));
        // Rows without a value are in the last one.
        if (part == borders.size() && column.is_nullable) condition = fmt::format("({} OR {} IS NULL)", condition, name);
        conditions.push_back(std::move(condition));
    }
    return conditions;
}

}  // namespace

std::vector<std::string> split_table(Connection& connection, const SplitQuery& query, const std::stop_token& stop) {
    if (query.parts < 2) return undivided;
    std::string by = query.by;
    if (by.empty()) {
        const std::uint64_t pages = query.table.name.is_view || connection.server_version() < version_with_ranges ? 0 : pages_of(connection, query.table.name, stop);
        const std::uint64_t parts = std::min<std::uint64_t>(query.parts, pages / part_pages_min);
        if (pages > 0) return parts < 2 ? undivided : by_places(pages, parts);
        if (query.table.primary_key.empty()) return undivided;
        by = query.table.primary_key.front();
    }
    const auto column = std::find_if(query.table.columns.begin(), query.table.columns.end(), [&](const DeclaredColumn& known) { return known.name == by; });
    if (column == query.table.columns.end()) {
        throw Error(ErrorKind::usage, "table {} cannot be split by \"{}\": it has no such column", quoted(query.table.name), by);
    }
    // What is cast has another order than the column's statistics.
    if (select_expression(*column) != quote_identifier(by)) return undivided;
    const std::vector<std::string> borders = Borders(connection, query, *column, stop).find();
    return borders.empty() ? undivided : by_values(*column, borders);
}

}  // namespace tipple::sources::sql::postgres
