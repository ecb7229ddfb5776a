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
    schema::Table table_with(const std::vector<std::pair<std::string, std::string>>& columns) {
        schema::Table table("t");
        for (const auto& [name, hint] : columns) {
            Column column(name, DataType::bigint, true);
            if (!hint.empty()) column.set_hint(hint, true);
            table.set_column(std::move(column));
        }
        return table;
    }
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
    EXPECT_NE(state.find("VALUES (5, 4, <p>, <"), std::string::npos) << state;
    EXPECT_NE(state.find(", <1.5>, <"), std::string::npos) << state;
}

TEST_F(SqlTest, FindsMergeKeys) {
    schema::Table table = table_with({{"id", "primary_key"},
                                      {"day", "merge_key"},
                                      {"gone", "hard_delete"},
                                      {"s", ""},
                                      {"_dlt_id", "row_key"}});
    table.find("s")->set_hint("dedup_sort", "desc");
    // Named, because the compiler warns of a temporary of this variant without reason.
    const json::Value yes(true);
    table.set_property("x-stage-data-deduplicated", yes);
    const MergeKeys keys = merge_keys(table, true);
    EXPECT_EQ(keys.primary, (std::vector<std::string>{"id"}));
    EXPECT_EQ(keys.merge, (std::vector<std::string>{"day"}));
    EXPECT_EQ(keys.hard_delete, "gone");
    EXPECT_FALSE(keys.is_hard_delete_flag);
    EXPECT_EQ(keys.dedup_sort, "s");
    EXPECT_TRUE(keys.is_dedup_descending);
    EXPECT_FALSE(keys.removes_duplicates());
    EXPECT_EQ(keys.row_key, "_dlt_id");
    EXPECT_EQ(keys.columns(), (std::vector<std::string>{"id", "day", "gone", "s", "_dlt_id"}));
}

TEST_F(SqlTest, RowKeyIsTheFirstThatIdentifiesRows) {
    EXPECT_EQ(row_key_of(table_with({{"u", "unique"}, {"r", "row_key"}})), "r");
    EXPECT_EQ(row_key_of(table_with({{"u", "unique"}, {"p", "primary_key"}})), "u");
    EXPECT_EQ(row_key_of(table_with({{"p", "primary_key"}})), "p");
    EXPECT_EQ(row_key_of(table_with({{"p", "primary_key"}, {"q", "primary_key"}})), std::nullopt);
    EXPECT_THROW(merge_keys(table_with({{"p", "primary_key"}, {"q", "primary_key"}}), true), Error);
    EXPECT_EQ(merge_keys(table_with({{"p", "primary_key"}, {"q", "primary_key"}}), false).row_key,
              "");
}

TEST_F(SqlTest, RootKeyOfADirectChildMayBeItsParentKey) {
    schema::Schema schema = schema::Schema::make("shop");
    schema::Table root("t");
    root.set_column(Column("_dlt_id", DataType::text, false));
    schema.set_table(root);
    for (const auto& [name, parent] :
         {std::pair<std::string, std::string>{"t__l", "t"}, {"t__l__k", "t__l"}}) {
        schema::Table nested(name);
        Column column("_dlt_parent_id", DataType::text, false);
        column.set_hint("parent_key", true);
        nested.set_column(std::move(column));
        nested.set_property("parent", parent);
        schema.set_table(std::move(nested));
    }
    EXPECT_EQ(root_key_of(schema, schema.require("t__l")), "_dlt_parent_id");
    EXPECT_THROW(root_key_of(schema, schema.require("t__l__k")), Error);
}

TEST_F(SqlTest, WritesMerges) {
    MergeKeys keys{.primary = {"a", "b"}, .row_key = "r"};
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").select_dropped(),
              "SELECT s.p FROM S AS s WHERE s.p NOT IN (SELECT min(p) FROM S GROUP BY [a], [b])");
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").count_kept(),
              "SELECT count(*) FROM (SELECT DISTINCT [a], [b] FROM S) AS k");
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").delete_matches("t"),
              (std::vector<std::string>{"DELETE FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS "
                                        "s WHERE s.[a] = d.[a] AND s.[b] = d.[b])"}));
    keys.merge = {"m"};
    keys.hard_delete = "gone";
    keys.is_hard_delete_flag = true;
    keys.dedup_sort = "x";
    keys.is_dedup_descending = true;
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").select_dropped(),
              "SELECT s.p FROM S AS s WHERE s.p NOT IN (SELECT p FROM (SELECT p, row_number() OVER "
              "(PARTITION BY [a], [b] ORDER BY [x] "
              "DESC NULLS LAST, p) AS n FROM S) AS r WHERE n = 1) OR coalesce(s.[gone], false)");
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").delete_matches("t").size(), 2U);
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").select_matched_row_keys("t"),
              "SELECT d.[r] AS row_key FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS s WHERE "
              "s.[a] = d.[a] AND s.[b] = d.[b]) UNION "
              "SELECT d.[r] AS row_key FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS s WHERE "
              "s.[m] = d.[m])");
    keys = {.merge = {"m"}, .hard_delete = "gone"};
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").select_dropped(),
              "SELECT s.p FROM S AS s WHERE s.[gone] IS NOT NULL");
    EXPECT_EQ(MergeSql(writer_, keys, "S", "p").count_kept(),
              "SELECT count(*) FROM S AS s WHERE NOT (s.[gone] IS NOT NULL)");
}

}  // namespace
}  // namespace tipple::destination
