#include "tipple/schema/difference.h"

#include <gtest/gtest.h>

namespace tipple::schema {
namespace {

using Kind = Difference::Kind;

Table make_table(const std::string& name, std::vector<Column> columns) {
    Table table(name);
    for (Column& column : columns) table.set_column(std::move(column));
    return table;
}

TEST(SchemaDifference, NothingIsDifferentFromItself) {
    Schema schema = Schema::make("s");
    schema.set_table(make_table("t", {Column("a", DataType::text, true)}));
    EXPECT_TRUE(compare(schema, schema).empty());
}

TEST(SchemaDifference, TablesAndColumnsThatCameAndWent) {
    Schema before = Schema::make("s");
    before.set_table(make_table("t", {Column("a", DataType::text, true), Column("gone", DataType::text, true)}));
    before.set_table(make_table("old", {Column("a", DataType::text, true)}));
    Schema after = Schema::make("s");
    after.set_table(make_table("t", {Column("a", DataType::text, true), Column("b", DataType::bigint, true)}));
    after.set_table(make_table("new", {Column("x", DataType::date, true)}));
    const std::vector<Difference> expected = {
        {.kind = Kind::column_added, .table = "t", .column = "b"},
        {.kind = Kind::column_removed, .table = "t", .column = "gone"},
        {.kind = Kind::table_added, .table = "new"},
        {.kind = Kind::column_added, .table = "new", .column = "x"},
        {.kind = Kind::table_removed, .table = "old"},
    };
    EXPECT_EQ(compare(before, after), expected);
}

TEST(SchemaDifference, AColumnThatGetsItsTypeIsAdded) {
    Schema before = Schema::make("s");
    before.set_table(make_table("t", {Column("a", DataType::text, true), Column("b", json::Object{{"nullable", true}})}));
    Schema after = before;
    Table table = after.require("t");
    table.set_column(Column("b", DataType::bigint, true));
    after.set_table(table);
    EXPECT_EQ(compare(before, after), (std::vector<Difference>{{.kind = Kind::column_added, .table = "t", .column = "b"}}));
}

TEST(SchemaDifference, HintsOfColumnsAndTables) {
    Schema before = Schema::make("s");
    Table table = make_table("t", {Column("a", json::Object{{"data_type", "text"}, {"nullable", true}, {"unique", true}})});
    table.set_property("write_disposition", "append");
    before.set_table(table);
    Schema after = Schema::make("s");
    table = make_table("t", {Column("a", json::Object{{"data_type", "json"}, {"nullable", true}, {"precision", 3}})});
    table.set_property("write_disposition", "merge");
    table.set_property("x-normalizer", json::Object{{"seen-data", true}});
    after.set_table(table);
    const std::vector<Difference> expected = {
        {.kind = Kind::table_changed, .table = "t", .hint = "write_disposition", .before = "append", .after = "merge"},
        {.kind = Kind::column_changed, .table = "t", .column = "a", .hint = "data_type", .before = "text", .after = "json"},
        {.kind = Kind::column_changed, .table = "t", .column = "a", .hint = "precision", .before = {}, .after = 3},
        {.kind = Kind::column_changed, .table = "t", .column = "a", .hint = "unique", .before = true, .after = {}},
    };
    EXPECT_EQ(compare(before, after), expected);
}

}  // namespace
}  // namespace tipple::schema
