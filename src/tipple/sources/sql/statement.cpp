#include "tipple/sources/sql/statement.h"

#include "tipple/columns/value_at.h"
#include "tipple/core/text.h"

namespace tipple::sources::sql {

using incremental::LastValue;
using incremental::MissingCursor;
using incremental::Range;
using incremental::RowOrder;

namespace {

/// `"a" >= 5`, `"a" < 9`; empty = no bounds.
std::vector<std::string> bounds_of(const Database& database, const CursorRange& cursor) {
    const std::string column = database.order_expression(cursor.column);
    const bool grows = cursor.last_value_func == LastValue::max;
    const auto is_from = [&](bool holds_it) { return grows ? (holds_it ? ">=" : ">") : (holds_it ? "<=" : "<"); };
    const auto is_to = [&](bool holds_it) { return grows ? (holds_it ? "<=" : "<") : (holds_it ? ">=" : ">"); };
    const BoundSide from = grows ? BoundSide::lower : BoundSide::upper;
    const BoundSide to = grows ? BoundSide::upper : BoundSide::lower;
    std::vector<std::string> bounds;
    const auto add = [&](const schema::Value& value, const char* sign, BoundSide side) {
        if (!value.is_null()) bounds.push_back(fmt::format("{} {} {}", column, sign, database.bound_literal(value, cursor.column, side)));
    };
    add(cursor.start, is_from(cursor.range_start == Range::closed), from);
    if (cursor.end.is_null()) {
        add(cursor.upper, is_to(true), to);
    } else {
        add(cursor.end, is_to(cursor.range_end == Range::closed), to);
    }
    if (!cursor.condition.empty()) bounds.push_back(cursor.condition);
    return bounds;
}

std::string condition_of(const Database& database, const CursorRange& cursor) {
    const std::string column = database.quote(cursor.column.name);
    std::vector<std::string> bounds = bounds_of(database, cursor);
    if (cursor.on_missing == MissingCursor::exclude) {
        bounds.push_back(column + " IS NOT NULL");
        return join(bounds, " AND ");
    }
    if (bounds.empty()) return {};
    // Rows without a value are asked for also where they are an error: it must not depend on what was read before whether somebody hears of them.
    return fmt::format("({}) OR {} IS NULL", join(bounds, " AND "), column);
}

std::string order_of(const Database& database, const Statement& statement) {
    if (!statement.cursor || statement.cursor->order == RowOrder::none) return {};
    const CursorRange& cursor = *statement.cursor;
    const std::string expression = cursor.needs_exact_order ? database.sort_expression(cursor.column) : database.order_expression(cursor.column);
    std::vector<std::string> columns = {expression + (cursor.is_ascending() ? " ASC" : " DESC")};
    for (const std::string& key : statement.key) {
        if (key != statement.cursor->column.name) columns.push_back(database.quote(key));
    }
    return " ORDER BY " + join(columns, ", ");
}

}  // namespace

std::string quoted_table(const Database& database, const TableName& table) {
    return table.schema.empty() ? database.quote(table.name) : database.quote(table.schema) + "." + database.quote(table.name);
}

std::string relation_of(const std::string& quoted_table, const std::string& query) {
    // On lines of its own, so that a comment at the end of the query ends there.
    return query.empty() ? quoted_table : fmt::format("(\n{}\n) AS query", query);
}

std::string quoted_relation(const Database& database, const TableName& table, const std::string& query) { return relation_of(quoted_table(database, table), query); }

std::string to_sql(const Database& database, const Statement& statement) {
    std::vector<std::string> columns;
    for (const DeclaredColumn& column : statement.columns) columns.push_back(database.select_expression(column));
    std::string sql = fmt::format("SELECT {} FROM {}", join(columns, ", "), quoted_relation(database, statement.table, statement.query));
    std::vector<std::string> conditions;
    if (!statement.where.empty()) conditions.push_back(statement.where);
    if (!statement.part.empty()) conditions.push_back(statement.part);
    if (statement.cursor) {
        if (std::string condition = condition_of(database, *statement.cursor); !condition.empty()) conditions.push_back(std::move(condition));
    }
    if (conditions.size() == 1) sql += " WHERE " + conditions.front();
    if (conditions.size() > 1) sql += fmt::format(" WHERE ({})", join(conditions, ") AND ("));
    sql += order_of(database, statement);
    if (statement.limit) sql += fmt::format(" LIMIT {}", *statement.limit);
    return sql;
}

std::optional<schema::Value> greatest_value(Database& database, const CursorQuery& cursor, std::stop_token stop) {
    Select select{.sql = fmt::format("SELECT max({}) FROM {}", database.order_expression(cursor.column), quoted_relation(database, cursor.table.name, cursor.query)), .columns = {cursor.column}};
    if (!cursor.condition.empty()) select.sql += fmt::format(" WHERE {}", cursor.condition);
    std::optional<schema::Value> greatest = schema::Value();
    database.read(select, 1, 1, std::move(stop), [&](Rows rows) {
        if (const auto* batch = std::get_if<columns::Batch>(&rows)) {
            if (batch->rows > 0 && !batch->columns.empty()) greatest = columns::value_at(batch->columns.front().view(), 0);
            // What is beside the column is what did not fit it.
            if (batch->columns.size() > 1) greatest.reset();
        } else if (const auto& records = std::get<std::vector<schema::Value>>(rows); !records.empty()) {
            greatest = records.front().as<schema::Object>().front().value;
        }
        return true;
    });
    return greatest;
}

}  // namespace tipple::sources::sql
