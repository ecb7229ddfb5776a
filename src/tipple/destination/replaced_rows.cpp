#include "tipple/destination/replaced_rows.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/undo_sql.h"

namespace tipple::destination {

namespace {

/// Values of one INSERT.
constexpr std::size_t values_per_statement = 500;

void insert_values(SqlSession& session, const std::string& temporary, const std::vector<std::string>& values, const std::stop_token& stop) {
    for (std::size_t start = 0; start < values.size(); start += values_per_statement) {
        std::vector<std::string> rows;
        for (std::size_t i = start; i < std::min(start + values_per_statement, values.size()); ++i) rows.push_back(fmt::format("({})", session.sql().literal(values[i])));
        session.execute(fmt::format("INSERT INTO {} VALUES {}", temporary, join(rows, ", ")), stop);
    }
}

}  // namespace

void delete_replaced(SqlSession& session, const schema::Schema& schema, const Catalog& catalog, const package::TableLoad& load, std::size_t number, std::stop_token stop,
                     const std::function<void(const std::string& table, std::uint64_t rows)>& deleted) {
    const package::ReplacedRows& replaced = *load.replaced;
    if (replaced.values.empty() || catalog.find(load.root, session.names()) == nullptr || !session.has_rows(load.root)) return;
    const SqlWriter& sql = session.sql();
    const std::string column = sql.name(replaced.column);
    if (!catalog.has_column(load.root, replaced.column, session.names()) ||
        session.query_value(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", sql.table(load.root), column))) {
        throw Error(ErrorKind::usage,
                    "table \"{}\": rows were loaded before column \"{}\" said where they come from, so those of files that have changed cannot be told from the others. Nothing was "
                    "loaded: load the resource anew (--full-refresh), or leave changed files alone (on_change = \"ignore\")",
                    load.root, replaced.column);
    }
    const std::string temporary = sql.temporary(fmt::format("replaced_{}", number));
    const std::string type = sql.dialect().column_type(schema::Column(replaced.column, schema::DataType::text, true));
    session.execute(sql.create_temporary(temporary, {fmt::format("{} {}", sql.name("value"), type)}));
    insert_values(session, temporary, replaced.values, stop);
    const std::string condition = fmt::format("{} IN (SELECT {} FROM {})", column, sql.name("value"), temporary);
    const auto quote_table = [&](std::string_view table) { return sql.table(table); };
    for (const RowsOfLoads& rows : rows_below(schema, catalog, session.names(), schema.require(load.root), condition, quote_table)) {
        deleted(rows.table, session.execute(fmt::format("DELETE FROM {} WHERE {}", sql.table(rows.table), rows.condition), stop));
    }
    session.execute(fmt::format("DROP TABLE {}", temporary));
}

}  // namespace tipple::destination
