#include "tipple/destination/merge_sql.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::destination {
namespace {

using schema::Column;
using schema::DataType;
using schema::MergeStrategy;

/// A store that quotes with brackets and has one type.
SqlDialect bracket_dialect() {
    return {
        .quote_identifier = [](std::string_view name) { return "[" + std::string(name) + "]"; },
        .quote_literal = [](std::string_view text) { return "<" + std::string(text) + ">"; },
        .column_type =
            [](const Column& column) { return std::string(to_text(*column.data_type())); },
        .timestamp_literal = [](std::int64_t time_us) { return "at " + std::to_string(time_us); }};
}

class MergeSqlTest : public testing::Test {
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
    MergeRelations relations_{.target = "t", .staged = "S", .loaded = "L", .position = "p"};
    SqlWriter writer_{bracket_dialect(), "[d]"};
};

TEST_F(MergeSqlTest, FindsMergeKeys) {
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

TEST_F(MergeSqlTest, RowKeyIsTheFirstThatIdentifiesRows) {
    EXPECT_EQ(row_key_of(table_with({{"u", "unique"}, {"r", "row_key"}})), "r");
    EXPECT_EQ(row_key_of(table_with({{"u", "unique"}, {"p", "primary_key"}})), "u");
    EXPECT_EQ(row_key_of(table_with({{"p", "primary_key"}})), "p");
    EXPECT_EQ(row_key_of(table_with({{"p", "primary_key"}, {"_dlt_id", ""}})), "_dlt_id");
    EXPECT_EQ(row_key_of(table_with({{"p", "primary_key"}, {"q", "primary_key"}})), std::nullopt);
    EXPECT_THROW(merge_keys(table_with({{"p", "primary_key"}, {"q", "primary_key"}}), true), Error);
    EXPECT_EQ(merge_keys(table_with({{"p", "primary_key"}, {"q", "primary_key"}}), false).row_key,
              "");
}

TEST_F(MergeSqlTest, RootKeyOfADirectChildMayBeItsParentKey) {
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

TEST_F(MergeSqlTest, WritesMerges) {
    MergePlan plan{.keys = {.primary = {"a", "b"}, .row_key = "r"}};
    MergeKeys& keys = plan.keys;
    const MergeSql sql(writer_, plan, relations_);
    EXPECT_EQ(sql.select_dropped(),
              "SELECT r.p FROM (SELECT s.p, row_number() OVER (PARTITION BY [a], [b] ORDER BY s.p) AS n, false AS is_marked FROM S AS s) AS r WHERE "
              "r.n > 1 OR r.is_marked");
    EXPECT_EQ(sql.select_kept_row_keys(),
              "SELECT r.[r] AS row_key FROM (SELECT s.[r], row_number() OVER (PARTITION BY [a], [b] ORDER BY s.p) AS n, false AS is_marked FROM S AS s) "
              "AS r WHERE r.n = 1 AND NOT r.is_marked");
    EXPECT_EQ(sql.count_kept(),
              "SELECT count(*) FROM (SELECT DISTINCT [a], [b] FROM S) AS k");
    EXPECT_EQ(sql.delete_matches(),
              (std::vector<std::string>{"DELETE FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS "
                                        "s WHERE s.[a] = d.[a] AND s.[b] = d.[b])"}));
    keys.merge = {"m"};
    keys.hard_delete = "gone";
    keys.is_hard_delete_flag = true;
    keys.dedup_sort = "x";
    keys.is_dedup_descending = true;
    EXPECT_EQ(sql.select_dropped(),
              "SELECT r.p FROM (SELECT s.p, row_number() OVER (PARTITION BY [a], [b] ORDER BY s.[x] DESC NULLS LAST, s.p) AS n, "
              "coalesce(s.[gone], false) AS is_marked FROM S AS s) AS r WHERE r.n > 1 OR r.is_marked");
    EXPECT_EQ(sql.delete_matches().size(), 2U);
    EXPECT_EQ(sql.select_matched_row_keys(),
              "SELECT d.[r] AS row_key FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS s WHERE "
              "s.[a] = d.[a] AND s.[b] = d.[b]) UNION "
              "SELECT d.[r] AS row_key FROM [d].[t] AS d WHERE EXISTS (SELECT 1 FROM S AS s WHERE "
              "s.[m] = d.[m])");
    keys = {.merge = {"m"}, .hard_delete = "gone"};
    EXPECT_EQ(sql.select_dropped(),
              "SELECT r.p FROM (SELECT s.p, 1 AS n, s.[gone] IS NOT NULL AS is_marked FROM S AS s) AS r WHERE r.n > 1 OR r.is_marked");
    EXPECT_EQ(sql.count_kept(),
              "SELECT count(*) FROM S AS s WHERE NOT (s.[gone] IS NOT NULL)");
}


TEST_F(MergeSqlTest, PutsTheScopeInThePlaceOfKeys) {
    MergePlan plan{.keys = {.primary = {"a"}, .row_key = "r"}, .destination_scope = "day IN (SELECT day FROM {staging_table}) AND {table}.x > 1"};
    const MergeSql sql(writer_, plan, relations_);
    EXPECT_EQ(sql.delete_matches(), (std::vector<std::string>{"DELETE FROM [d].[t] WHERE (day IN (SELECT day FROM L) AND [d].[t].x > 1)"}));
    EXPECT_EQ(sql.select_matched_row_keys(), "SELECT [r] AS row_key FROM [d].[t] WHERE (day IN (SELECT day FROM L) AND [d].[t].x > 1)");
}

TEST_F(MergeSqlTest, WritesWhatBecomesOfRows) {
    MergePlan plan{.strategy = MergeStrategy::cdc, .keys = {.primary = {"a"}, .merge = {"m"}, .row_key = "r"}, .compared = {"v"}};
    const MergeSql sql(writer_, plan, relations_);
    EXPECT_EQ(sql.select_fates(),
              "SELECT s.[a] AS key_1, 0 AS root_number, s.p AS position, row_number() OVER (PARTITION BY s.[a] ORDER BY s.p) > 1 AS is_repeated, "
              "false AS is_marked, k.position IS NOT NULL AS is_known, coalesce(NOT (false) AND NOT k.is_changed, false) AS is_unchanged FROM S AS s "
              "LEFT JOIN (SELECT s.p AS position, bool_or(s.[v] IS DISTINCT FROM d.[v]) AS is_changed FROM S AS s JOIN [d].[t] AS d ON s.[a] = d.[a] "
              "GROUP BY s.p) AS k ON k.position = s.p");
    EXPECT_EQ(sql.delete_replaced("F"),
              (std::vector<std::string>{"DELETE FROM [d].[t] WHERE NOT EXISTS (SELECT 1 FROM F AS f WHERE f.key_1 = [d].[t].[a]) AND EXISTS (SELECT 1 "
                                        "FROM S AS s WHERE s.[m] = [d].[t].[m])",
                                        "DELETE FROM [d].[t] WHERE EXISTS (SELECT 1 FROM F AS f WHERE f.key_1 = [d].[t].[a] AND NOT f.is_repeated "
                                        "AND NOT f.is_unchanged)"}));
    plan.strategy = MergeStrategy::upsert;
    EXPECT_EQ(sql.delete_replaced("F").size(), 1U);
}

TEST_F(MergeSqlTest, ClosesVersions) {
    MergePlan plan{.strategy = MergeStrategy::scd2, .versions = {.column = "h", .valid_from = "f", .valid_to = "u", .boundary_us = 5}};
    const MergeSql sql(writer_, plan, relations_);
    EXPECT_EQ(sql.retire_absent(), 
              "UPDATE [d].[t] SET [u] = at 5 WHERE [d].[t].[u] IS NULL AND [d].[t].[h] IS NOT NULL AND NOT EXISTS (SELECT 1 FROM S AS s WHERE s.[h] = "
              "[d].[t].[h]) AND NOT EXISTS (SELECT 1 FROM S AS s WHERE s.[h] IS NULL)");
    EXPECT_EQ(validity(plan), (std::vector<Constant>{{"f", 5}, {"u", {}}}));
    EXPECT_EQ(writer_.literal(validity(plan)[0]), "at 5");
    EXPECT_EQ(writer_.literal(validity(plan)[1]), "NULL");
    plan.versions.active_us = 9;
    // Parts of a key may be null; a text of all of them, as the reference compares, would confuse 1, 11 with 11, 1.
    plan.keys.merge = {"m", "n"};
    EXPECT_EQ(sql.retire_absent(),
              "UPDATE [d].[t] SET [u] = at 5 WHERE [d].[t].[u] = at 9 AND [d].[t].[h] IS NOT NULL AND NOT EXISTS (SELECT 1 FROM S AS s WHERE s.[h] = "
              "[d].[t].[h]) AND NOT EXISTS (SELECT 1 FROM S AS s WHERE s.[h] IS NULL) AND EXISTS (SELECT 1 FROM S AS s WHERE s.[m] IS NOT DISTINCT FROM [d].[t].[m] AND s.[n] IS NOT DISTINCT FROM [d].[t].[n])");
    EXPECT_EQ(writer_.literal(validity(plan)[1]), "at 9");
}

TEST_F(MergeSqlTest, StagesWhatConditionsMayAskFor) {
    schema::Table table = table_with({{"id", "primary_key"}, {"v", ""}, {"_dlt_id", "row_key"}});
    EXPECT_EQ(plan_merge(table, false, MergeStrategy::delete_insert, 0).staged_columns, (std::vector<std::string>{"id", "_dlt_id"}));
    table.set_property("x-merge-source-filter", std::string("v < 10 AND x = '{{'"));
    const MergePlan plan = plan_merge(table, false, MergeStrategy::delete_insert, 0);
    EXPECT_EQ(plan.staged_columns, (std::vector<std::string>{"id", "v", "_dlt_id"}));
    EXPECT_EQ(plan.source_filter, "v < 10 AND x = '{'");
    EXPECT_EQ(plan_merge(table_with({{"id", ""}}), false, MergeStrategy::delete_insert, 0).staged_columns, std::vector<std::string>());
}

}  // namespace
}  // namespace tipple::destination
