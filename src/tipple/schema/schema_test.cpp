#include "tipple/schema/schema.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

Table table(std::string name, std::string_view parent = "") {
    Table made(std::move(name));
    if (!parent.empty()) made.set_property("parent", parent);
    return made;
}

std::vector<std::string> names(const std::vector<const Table*>& tables) {
    std::vector<std::string> result;
    for (const Table* each : tables) result.push_back(each->name());
    return result;
}

std::vector<std::string> names(const Table& of) {
    std::vector<std::string> result;
    for (const Column& column : of.columns()) result.push_back(column.name());
    return result;
}

TEST(Column, IsCompleteWithAType) {
    Column column("a", json::Object{{"nullable", false}, {"primary_key", true}, {"name", "other"}});
    EXPECT_EQ(column.name(), "a");
    EXPECT_FALSE(column.is_complete());
    EXPECT_FALSE(column.is_nullable());
    column.set_data_type(DataType::decimal);
    column.set_hint("precision", 12);
    EXPECT_TRUE(column.is_complete());
    EXPECT_EQ(column.data_type(), DataType::decimal);
    EXPECT_EQ(column.precision(), 12);
    EXPECT_EQ(column.scale(), std::nullopt);
    column.erase_hint("data_type");
    EXPECT_FALSE(column.is_complete());
    column.set_nullable(true);
    EXPECT_TRUE(column.is_nullable());
    EXPECT_EQ(json::to_text(column.hints()),
              R"({"nullable":true,"primary_key":true,"precision":12})");
}

TEST(Column, UnsetHintsHaveDefaults) {
    const Column column("a", json::Object{{"data_type", nullptr},
                                          {"nullable", nullptr},
                                          {"timezone", nullptr},
                                          {"unique", false},
                                          {"sort", nullptr},
                                          {"dedup_sort", "asc"},
                                          {"precision", std::int64_t{1} << 40}});
    EXPECT_FALSE(column.is_complete());
    EXPECT_TRUE(column.is_nullable());
    EXPECT_TRUE(column.has_timezone());
    EXPECT_FALSE(column.flag("unique"));
    EXPECT_FALSE(column.flag("sort"));
    EXPECT_FALSE(column.flag("cluster"));
    EXPECT_TRUE(column.flag("dedup_sort"));
    EXPECT_EQ(column.precision(), std::nullopt);
    EXPECT_FALSE(Column("a", json::Object{{"timezone", false}}).has_timezone());
}

TEST(Column, RefusesWhatIsNoTypeAndRenamesTheOldOne) {
    EXPECT_THROW(Column("a", json::Object{{"data_type", "integer"}}), Error);
    EXPECT_THROW(Column("a", json::Object{{"data_type", 1}}), Error);
    EXPECT_THROW(Column("a", json::Object{{"nullable", "no"}}), Error);
    const Column old("a", json::Object{{"data_type", "complex"}});
    EXPECT_EQ(old.data_type(), DataType::json);
    EXPECT_EQ(json::to_text(old.hints()), R"({"data_type":"json"})");
}

TEST(Table, KeepsColumnsInOrder) {
    Table made("t");
    made.set_column(Column("z", json::Object{}));
    made.set_column(Column("b", DataType::text, true));
    EXPECT_TRUE(made.has_complete_columns());
    made.complete_column(Column("b", DataType::bigint, true));
    EXPECT_EQ(names(made), (std::vector<std::string>{"z", "b"})) << "it was complete already";
    made.complete_column(Column("z", DataType::text, true));
    EXPECT_EQ(names(made), (std::vector<std::string>{"b", "z"}))
        << "an incomplete column moves to the end";
    made.complete_column(Column("c", DataType::text, true));
    made.erase_column("z");
    made.erase_column("unknown");
    EXPECT_EQ(names(made), (std::vector<std::string>{"b", "c"}));
    EXPECT_EQ(made.find("c"), &made.columns()[1]);
    EXPECT_EQ(made.find("z"), nullptr);
    made.find("c")->set_hint("primary_key", true);
    EXPECT_EQ(made.columns_with("primary_key"), std::vector<std::string>{"c"});
    EXPECT_EQ(made.find("b")->data_type(), DataType::bigint);
}

TEST(Table, KnowsItsHints) {
    Table made = table("_dlt_x", "p");
    EXPECT_TRUE(made.is_internal());
    EXPECT_TRUE(made.is_nested());
    EXPECT_EQ(made.parent(), "p");
    EXPECT_EQ(made.disposition(), std::nullopt);
    EXPECT_FALSE(made.has_complete_columns());
    made.set_property("write_disposition", "merge");
    EXPECT_EQ(made.disposition(), Disposition::merge);
    EXPECT_TRUE(made.normalizer_hint("seen-data").is_null());
    made.set_normalizer_hint("seen-data", true);
    made.set_normalizer_hint("evolve-columns-once", true);
    EXPECT_EQ(made.normalizer_hint("seen-data"), json::Value(true));
    made.set_normalizer_hint("evolve-columns-once", nullptr);
    EXPECT_EQ(json::to_text(made.properties()),
              R"({"parent":"p","write_disposition":"merge","x-normalizer":{"seen-data":true}})");
    made.set_normalizer_hint("seen-data", nullptr);
    made.erase_property("parent");
    EXPECT_EQ(json::to_text(made.properties()), R"({"write_disposition":"merge"})");
}

TEST(Schema, CopiesShareTheirTables) {
    Schema schema = Schema::make("s");
    schema.set_table(table("t"));
    const Schema copy = schema;
    EXPECT_EQ(copy.find("t"), schema.find("t"));
    Table changed = schema.require("t");
    changed.set_column(Column("a", DataType::text, true));
    schema.set_table(std::move(changed));
    EXPECT_TRUE(copy.require("t").columns().empty());
    EXPECT_EQ(schema.require("t").columns().size(), 1U);
    EXPECT_EQ(copy.find("_dlt_loads"), schema.find("_dlt_loads"));
    EXPECT_EQ(schema.find_shared("t").get(), schema.find("t"));
}

TEST(Schema, FindsAndErasesTables) {
    Schema schema = Schema::make("s");
    for (const char* name : {"a", "b", "c"}) schema.set_table(table(name));
    schema.erase_table("b");
    schema.erase_table("unknown");
    EXPECT_EQ(schema.find("b"), nullptr);
    EXPECT_EQ(schema.find_shared("b"), nullptr);
    EXPECT_EQ(schema.require("c").name(), "c");
    EXPECT_THROW(schema.require("b"), Bug);
    std::vector<std::string> found;
    for (const auto& each : schema.tables()) found.push_back(each->name());
    EXPECT_EQ(found, (std::vector<std::string>{"_dlt_version", "_dlt_loads", "a", "c"}));
}

TEST(Schema, ChainsHaveParentsBeforeChildren) {
    Schema schema = Schema::make("s");
    schema.set_table(table("t__a__x", "t__a"));
    schema.set_table(table("other"));
    schema.set_table(table("t__b", "t"));
    schema.set_table(table("t"));
    schema.set_table(table("t__a", "t"));
    schema.set_table(table("other__a", "other"));
    EXPECT_EQ(names(schema.chain_of("t")),
              (std::vector<std::string>{"t", "t__b", "t__a", "t__a__x"}));
    EXPECT_EQ(names(schema.chain_of("t__a")), (std::vector<std::string>{"t__a", "t__a__x"}));
    EXPECT_TRUE(schema.chain_of("unknown").empty());
    EXPECT_EQ(schema.root_of(schema.require("t__a__x")).name(), "t");
    EXPECT_EQ(schema.root_of(schema.require("t")).name(), "t");
}

TEST(Schema, ABrokenChainIsABugAndNotAnEndlessLoop) {
    Schema schema = Schema::make("s");
    schema.set_table(table("a", "b"));
    schema.set_table(table("b", "a"));
    schema.set_table(table("c", "gone"));
    EXPECT_THROW(schema.root_of(schema.require("a")), Bug);
    EXPECT_THROW(schema.disposition_of(schema.require("a")), Bug);
    EXPECT_THROW(schema.root_of(schema.require("c")), Bug);
    EXPECT_LE(schema.chain_of("a").size(), schema.tables().size());
}

TEST(Schema, NestedTablesInheritTheirDisposition) {
    Schema schema = Schema::make("s");
    Table root = table("t");
    EXPECT_EQ(schema.disposition_of(root), Disposition::append);
    root.set_property("write_disposition", "replace");
    schema.set_table(root);
    schema.set_table(table("t__a", "t"));
    Table own = table("t__a__b", "t__a");
    own.set_property("write_disposition", "merge");
    schema.set_table(own);
    EXPECT_EQ(schema.disposition_of(schema.require("t__a")), Disposition::replace);
    EXPECT_EQ(schema.disposition_of(schema.require("t__a__b")), Disposition::merge);
    EXPECT_EQ(schema.disposition_of(schema.require("_dlt_loads")), Disposition::skip);
}

TEST(Schema, NamesItsConvention) {
    Schema schema = Schema::make("s", "direct");
    EXPECT_EQ(schema.naming(), "direct");
    schema.normalizers().set("names", "dlt.common.normalizers.names.snake_case");
    EXPECT_EQ(schema.naming(), "snake_case") << "as old documents name it";
    schema.normalizers().erase("names");
    EXPECT_EQ(schema.naming(), "snake_case");
    schema.normalizers().set("names", "my.module");
    EXPECT_EQ(schema.naming(), "my.module");
}

}  // namespace
}  // namespace tipple::schema
