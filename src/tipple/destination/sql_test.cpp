#include "tipple/destination/sql.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::destination {
namespace {

using schema::Column;
using schema::DataType;

/// A store that quotes with brackets and has one type.
SqlDialect bracket_dialect() {
    return {
        .quote_identifier = [](std::string_view name) { return "[" + std::string(name) + "]"; },
        .quote_literal = [](std::string_view text) { return "<" + std::string(text) + ">"; },
        .column_type =
            [](const Column& column) { return std::string(to_text(*column.data_type())); },
        .timestamp_literal = [](std::int64_t time_us) { return "at " + std::to_string(time_us); }};
}

class SqlTest : public testing::Test {
protected:
    SqlWriter writer_{bracket_dialect(), "[d]"};
};

TEST_F(SqlTest, WritesDdl) {
    schema::Table table("t");
    table.set_column(Column("a", DataType::text, false));
    table.set_column(Column("unknown"));
    table.set_column(Column("b", DataType::double_, true));
    EXPECT_EQ(writer_.create_table(table), "CREATE TABLE [d].[t] ([a] text NOT NULL, [b] double)");
    EXPECT_EQ(writer_.add_column("t", table.columns()[0]),
              "ALTER TABLE [d].[t] ADD COLUMN [a] text NOT NULL");
    EXPECT_EQ(writer_.create_schema(), "CREATE SCHEMA IF NOT EXISTS [d]");
    schema::Table internal("_dlt_x");
    internal.set_column(Column("a", DataType::text, true));
    EXPECT_EQ(writer_.create_table(table, SqlLayout::lines), "CREATE TABLE [d].[t] (\n    [a] text NOT NULL,\n    [b] double\n)");
    EXPECT_EQ(writer_.create_table(internal), "CREATE TABLE IF NOT EXISTS [d].[_dlt_x] ([a] text)");
}

TEST_F(SqlTest, WritesSystemRows) {
    schema::Schema schema = schema::Schema::make("shop");
    schema.bump();
    EXPECT_EQ(writer_.insert_load("1.5", schema, 7),
              "INSERT INTO [d].[_dlt_loads] ([load_id], [schema_name], [status], [inserted_at], "
              "[schema_version_hash]) VALUES "
              "(<1.5>, <shop>, 0, at 7, <" +
                  schema.version_hash() + ">)");
    const std::string version = writer_.insert_schema(schema, 7);
    EXPECT_TRUE(
        version.starts_with("INSERT INTO [d].[_dlt_version] ([version], [engine_version], "
                            "[inserted_at], [schema_name], "
                            "[version_hash], [schema]) VALUES (1, 11, at 7, <shop>, <"));
    const std::string state = writer_.insert_state({{"_state_version", 5}}, "p", "1.5", 7);
    EXPECT_NE(state.find("VALUES (5, 4, <p>, $1, at 7, <"), std::string::npos) << state;
    EXPECT_NE(state.find(", <1.5>, <"), std::string::npos) << state;
}

TEST(StandardSql, QuotesAreDoubled) {
    EXPECT_EQ(standard_name("a\"b'c"), "\"a\"\"b'c\"");
    EXPECT_EQ(standard_literal("a\"b'c"), "'a\"b''c'");
    EXPECT_EQ(standard_in_list({"x", "y'"}), "IN ('x', 'y''')");
    EXPECT_EQ(to_count("1234567890123"), 1'234'567'890'123U);
    EXPECT_EQ(to_count(std::nullopt), 0U);
}

}  // namespace
}  // namespace tipple::destination
