#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/schema/value.h"
#include "tipple/sources/sql/hints.h"
#include "tipple/sources/sql/statement.h"
#include "tipple/sources/sql/table_reader.h"
#include "tipple/sources/sql/tables.h"

/// What databases are asked: the vectors of our specification by their names (Q1, Q2, …), with what tipple asks where it differs on purpose.
namespace tipple::sources::sql {
namespace {

using incremental::LastValue;
using incremental::MissingCursor;
using incremental::Range;
using incremental::RowOrder;
using schema::DataType;
using Texts = std::vector<std::string>;

/// Writes names and integers as any database would.
class PlainDatabase final : public Database {
public:
    std::string description() const override { return "plain"; }
    std::string default_schema() const override { return "public"; }
    std::vector<TableName> tables(std::stop_token) override { return {}; }
    TableInfo reflect(const TableName&, std::stop_token) override { return {}; }
    std::vector<DeclaredColumn> describe(const std::string&, std::stop_token) override { return {}; }
    std::string quote(std::string_view name) const override { return "\"" + std::string(name) + "\""; }
    std::string bound_literal(const schema::Value& value, const DeclaredColumn&, BoundSide) const override { return std::to_string(value.as<std::int64_t>()); }
    void begin_snapshot(std::stop_token) override {}
    std::unique_ptr<Database> another(std::stop_token) override { return nullptr; }
    CursorBound bound(const CursorQuery&, std::stop_token) override { return {}; }
    std::vector<std::string> split(const TableInfo&, const std::string&, std::size_t, std::stop_token) override { return {""}; }
    void read(const Select&, std::size_t, std::size_t, std::stop_token, const std::function<bool(Rows)>&) override {}
};

class FixedCursor final : public extract::CursorView {
public:
    const schema::Value& start() const override { return start_value; }
    const schema::Value& end() const override { return end_value; }
    schema::Value last() override { return start_value; }
    schema::Value start_value;
    schema::Value end_value;
};

schema::Value number(std::int64_t value) { return value; }

class SqlStatement : public testing::Test {
protected:
    SqlStatement() {
        plan_.name = "orders";
        plan_.settings = {.name = "public.orders", .from = "public.orders"};
        plan_.info = {.name = {.schema = "public", .name = "orders"}, .columns = {}, .primary_key = {"id"}, .foreign_keys = {}, .comment = {}};
        for (const char* name : {"id", "updated_at", "Amt"}) {
            plan_.info.columns.push_back({.name = name, .declared = "bigint", .type = columns::ColumnType{.type = DataType::bigint}});
        }
        plan_.columns = plan_.info.columns;
        spec_.name = "orders";
        cursor_spec_.cursor_path = "updated_at";
        cursor_spec_.row_order = RowOrder::asc;
    }

    /// What stands behind the list of columns; `nothing` when nothing is asked.
    std::string asked() {
        extract::ResourceContext context{.records_max = records_max_};
        if (has_cursor_) {
            spec_.incremental = cursor_spec_;
            context.cursor = &cursor_;
        }
        const std::optional<Statement> statement = make_statement({.database = database_, .plan = plan_, .spec = spec_, .context = context, .bound = bound_});
        if (!statement) return "nothing";
        const std::string sql = to_sql(database_, *statement);
        const std::string head = "SELECT \"id\", \"updated_at\", \"Amt\" FROM \"public\".\"orders\"";
        EXPECT_TRUE(sql.starts_with(head)) << sql;
        return sql.substr(head.size());
    }

    PlainDatabase database_;
    TablePlan plan_;
    extract::ResourceSpec spec_;
    incremental::Spec cursor_spec_;
    FixedCursor cursor_;
    std::optional<CursorBound> bound_;
    std::optional<std::uint64_t> records_max_;
    bool has_cursor_ = true;
};

TEST_F(SqlStatement, Q1ColumnsAreListed) {
    has_cursor_ = false;
    EXPECT_EQ(asked(), "");
    plan_.settings.where = "tenant_id = 7 OR true";
    EXPECT_EQ(asked(), " WHERE tenant_id = 7 OR true");
}

TEST_F(SqlStatement, Q2StartAndOrder) {
    cursor_.start_value = number(5);
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_spec_.range_start = Range::open;
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(asked(), " WHERE \"updated_at\" > 5 AND \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, Q4StartAndEnd) {
    cursor_.start_value = number(5);
    cursor_.end_value = number(9);
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5 AND \"updated_at\" < 9) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_spec_.range_start = Range::open;
    cursor_spec_.range_end = Range::closed;
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" > 5 AND \"updated_at\" <= 9) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, Q5NullsAreAskedForOrLeftOutInSql) {
    cursor_.start_value = number(5);
    cursor_.end_value = number(9);
    cursor_spec_.on_cursor_value_missing = MissingCursor::include;
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5 AND \"updated_at\" < 9) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(asked(), " WHERE \"updated_at\" >= 5 AND \"updated_at\" < 9 AND \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, Q6NoStart) {
    cursor_spec_.on_cursor_value_missing = MissingCursor::include;
    EXPECT_EQ(asked(), " ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(asked(), " WHERE \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, Q7TheLeastValue) {
    cursor_spec_.last_value_func = LastValue::min;
    cursor_spec_.row_order = RowOrder::desc;
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    cursor_.start_value = number(5);
    EXPECT_EQ(asked(), " WHERE \"updated_at\" <= 5 AND \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_spec_.row_order = RowOrder::asc;
    EXPECT_EQ(asked(), " WHERE \"updated_at\" <= 5 AND \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" DESC, \"id\"");
}

TEST_F(SqlStatement, Q8AnEndWithoutAStartCounts) {
    cursor_.end_value = number(9);
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" < 9) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, Q9Limits) {
    records_max_ = 10'000;
    EXPECT_EQ(asked(), " ORDER BY \"updated_at\" ASC, \"id\" LIMIT 10000");
    // Rows at the start may be known: they do not count, and a limit that they use up would never let the cursor move.
    cursor_.start_value = number(5);
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, TheUpperBoundIsThatOfTheRun) {
    cursor_.start_value = number(5);
    bound_ = CursorBound{.upper = number(20)};
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5 AND \"updated_at\" <= 20) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
    plan_.settings.where = "tenant_id = 7";
    EXPECT_EQ(asked(), " WHERE (tenant_id = 7) AND ((\"updated_at\" >= 5 AND \"updated_at\" <= 20) OR \"updated_at\" IS NULL) ORDER BY \"updated_at\" ASC, \"id\"");
    plan_.settings.where.clear();
    bound_ = CursorBound();
    EXPECT_EQ(asked(), " WHERE \"updated_at\" IS NULL");
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(asked(), "nothing");
}

TEST_F(SqlStatement, WhatABoundKeepsOutIsKeptOutOfValuesAlone) {
    cursor_.start_value = number(5);
    bound_ = CursorBound{.is_open = true, .condition = "updated_at <> 9e999"};
    EXPECT_EQ(asked(), " WHERE (\"updated_at\" >= 5 AND updated_at <> 9e999) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_.start_value = {};
    EXPECT_EQ(asked(), " WHERE (updated_at <> 9e999) OR \"updated_at\" IS NULL ORDER BY \"updated_at\" ASC, \"id\"");
}

TEST_F(SqlStatement, BoundsBecomeValuesOfTheColumn) {
    cursor_.start_value = std::string("5");
    cursor_spec_.on_cursor_value_missing = MissingCursor::exclude;
    EXPECT_EQ(asked(), " WHERE \"updated_at\" >= 5 AND \"updated_at\" IS NOT NULL ORDER BY \"updated_at\" ASC, \"id\"");
    cursor_.start_value = std::string("yesterday");
    EXPECT_THROW(asked(), Error);
    cursor_spec_.cursor_path = "updatd_at";
    EXPECT_THROW(asked(), Error);
}

/// The chosen tables as `resource=table`, or the error.
std::string chosen(const std::vector<ResourceSettings>& resources) {
    const std::vector<TableName> tables = {{.schema = "public", .name = "audit_a"},
                                           {.schema = "public", .name = "customers"},
                                           {.schema = "public", .name = "orders"},
                                           {.schema = "public", .name = "orders_view", .is_view = true},
                                           {.schema = "sales", .name = "orders"}};
    try {
        std::string text;
        for (const ChosenTable& table : choose_tables(resources, tables, "public")) {
            text += fmt::format("{}{}={}<{}", text.empty() ? "" : " ", table.name, full_name(table.table), table.settings->name);
        }
        return text;
    } catch (const Error& error) {
        return error.what();
    }
}

ResourceSettings from(const std::string& name) {
    const bool is_exclusion = name.starts_with('-');
    return {.name = name, .from = is_exclusion ? name.substr(1) : name, .is_exclusion = is_exclusion};
}

TEST(SqlTables, NamesPatternsAndExclusions) {
    EXPECT_EQ(chosen({from("*")}), "audit_a=public.audit_a<* customers=public.customers<* orders=public.orders<*");
    EXPECT_EQ(chosen({from("public.*"), from("-public.audit_*"), from("orders")}), "customers=public.customers<public.* orders=public.orders<orders");
    EXPECT_EQ(chosen({from("*"), from("-audit_a"), from("*order*")}), "customers=public.customers<* orders=public.orders<*order*");
    EXPECT_EQ(chosen({from("sales.*"), from("public.orders")}), "orders=public.orders<public.orders sales.orders=sales.orders<sales.*");
    // Q16: a view that is named is read.
    EXPECT_EQ(chosen({from("orders_view")}), "orders_view=public.orders_view<orders_view");
    EXPECT_EQ(chosen({{.name = "recent", .from = "orders"}, {.name = "q", .from = "", .query = "SELECT 1"}}), "recent=public.orders<recent q=<q");
}

TEST(SqlTables, Mistakes) {
    // Q16: a missing name is an error before anything is loaded.
    EXPECT_EQ(chosen({from("ordrs")}), "there is no table \"ordrs\"; did you mean \"orders\"?");
    EXPECT_EQ(chosen({from("sale.*")}).substr(0, 29), "no table fits \"sale.*\"; there");
    EXPECT_EQ(chosen({from("orders"), from("public.orders")}),
              "\"public.orders\" and \"public.orders\" would both fill the table \"orders\"; give one of them a resource of another name, with from = \"public.orders\"");
}

TEST(SqlHints, ColumnsAreChosenAndMistakesNamed) {
    const TableInfo table{.name = {.schema = "", .name = "t"}, .columns = {{.name = "a", .declared = ""}, {.name = "b", .declared = ""}}, .primary_key = {}, .foreign_keys = {}, .comment = {}};
    const auto names = [&](const Texts& include, const Texts& exclude) {
        std::string text;
        try {
            for (const DeclaredColumn& column : choose_columns(table, {.name = "t", .from = "t", .include = include, .exclude = exclude})) text += column.name;
        } catch (const Error& error) {
            text = error.what();
        }
        return text;
    };
    EXPECT_EQ(names({}, {}), "ab");
    EXPECT_EQ(names({"b", "a"}, {}), "ba");
    EXPECT_EQ(names({}, {"a"}), "b");
    EXPECT_EQ(names({"price"}, {}), "resource \"t\", include: \"t\" has no column \"price\"; there are: a, b");
    EXPECT_EQ(names({}, {"a", "b"}), "resource \"t\": no column of \"t\" is left to be read");
}

TEST(SqlHints, TypesNullsAndWidths) {
    const auto hints = [](DeclaredColumn column, ReflectSettings reflect) {
        column.name = "c";
        return json::to_text(column_hints(column, reflect).hints());
    };
    const DeclaredColumn small{.name = "c", .declared = "smallint", .type = columns::ColumnType{.type = DataType::bigint}, .precision = 16, .is_nullable = false, .comment = "how many"};
    EXPECT_EQ(hints(small, {}), R"({"description":"how many","nullable":false,"data_type":"bigint"})");
    EXPECT_EQ(hints(small, {.precision = true, .nullability = false}), R"({"description":"how many","data_type":"bigint","precision":16})");
    EXPECT_EQ(hints({.name = "c", .declared = "", .type = columns::ColumnType{.type = DataType::decimal, .precision = 12, .scale = 2}}, {}),
              R"({"data_type":"decimal","precision":12,"scale":2})");
    EXPECT_EQ(hints({.name = "c", .declared = "", .type = columns::ColumnType{.type = DataType::timestamp, .timezone = false}}, {}),
              R"({"data_type":"timestamp","timezone":false})");
    EXPECT_EQ(hints({.name = "c", .declared = ""}, {}), "{}");
}

}  // namespace
}  // namespace tipple::sources::sql
