#include "cli/schema_changes.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

using schema::Column;
using schema::DataType;
using schema::Difference;
using schema::Schema;
using schema::Table;
using Kind = Difference::Kind;

SchemaVersion make_version(const Column& column, const std::string& load_id) {
    Table table("t");
    table.set_column(Column("a", DataType::bigint, true));
    table.set_column(column);
    SchemaVersion version{.schema = Schema::make("s"), .inserted_at = "then", .load_id = load_id};
    version.schema.set_table(table);
    return version;
}

TEST(SchemaChanges, LinesAndSums) {
    const Schema after = make_version(Column("b", json::Object{{"data_type", "decimal"}, {"precision", 12}, {"scale", 2}}), "1").schema;
    const Terminal plain;
    EXPECT_EQ(format_difference({.kind = Kind::column_added, .table = "t", .column = "b"}, after, plain), "+ t.b  decimal(12,2)");
    EXPECT_EQ(format_difference({.kind = Kind::table_removed, .table = "old"}, after, plain), "- old  table");
    const Difference changed{.kind = Kind::column_changed, .table = "t", .column = "a", .hint = "data_type", .before = "text", .after = "bigint"};
    EXPECT_EQ(format_difference(changed, after, plain), "~ t.a  data_type: text -> bigint");
    Difference unset = changed;
    unset.hint = "unique";
    unset.before = true;
    unset.after = {};
    EXPECT_EQ(format_difference(unset, after, plain), "~ t.a  unique: true -> (not set)");
    EXPECT_EQ(summarize({}), "the same");
    EXPECT_EQ(summarize({changed, unset}), "1 column changed");
    EXPECT_EQ(summarize({{.kind = Kind::table_added, .table = "x"},
                         {.kind = Kind::column_added, .table = "x", .column = "p"},
                         {.kind = Kind::column_added, .table = "x", .column = "q"},
                         {.kind = Kind::table_removed, .table = "y"}}),
              "1 table and 2 columns added, 1 table removed");
}

TEST(SchemaChanges, TheVersionThatAddedAColumn) {
    const std::vector<SchemaVersion> history = {make_version(Column("b", json::Object{{"nullable", true}}), "1"),
                                                make_version(Column("b", DataType::text, true), "2"),
                                                make_version(Column("b", DataType::text, true), "3")};
    EXPECT_EQ(version_that_added(history, "t", "a")->load_id, "1");
    EXPECT_EQ(version_that_added(history, "t", "b")->load_id, "2");
    EXPECT_EQ(version_that_added(history, "t", "c"), nullptr);
    EXPECT_EQ(version_that_added(history, "nothing", ""), nullptr);
}

TEST(SchemaChanges, WhyAColumnIsWhatItIs) {
    const auto why = [](const Column& column, const std::vector<SchemaVersion>& history) {
        const Table& table = history.back().schema.require("t");
        return explain_column(history, table, *table.find(column.name()));
    };
    const Column plain("b", DataType::text, true);
    EXPECT_EQ(why(plain, {make_version(plain, "1")}), "the first value that was not null made it text");
    EXPECT_EQ(why(plain, {make_version(Column("b", json::Object{{"primary_key", true}}), "1"), make_version(plain, "2")}),
              "a hint named the column; the first value made it text");
    const Column variant("a__v_text", json::Object{{"data_type", "text"}, {"variant", true}});
    EXPECT_EQ(why(variant, {make_version(variant, "1")}), "values did not fit \"a\", which is bigint: they are kept here, as text");
    const Column own("_dlt_id", DataType::text, false);
    EXPECT_EQ(why(own, {make_version(own, "1")}), "the loader's own column");
}

}  // namespace
}  // namespace tipple::cli
