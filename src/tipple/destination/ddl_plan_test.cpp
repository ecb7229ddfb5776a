#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/destination/destination.h"

namespace tipple::destination {
namespace {

using schema::Column;
using schema::DataType;

schema::Schema schema_with(std::vector<std::pair<std::string, std::vector<Column>>> tables) {
    schema::Schema schema = schema::Schema::make("shop");
    for (auto& [name, columns] : tables) {
        schema::Table table(name);
        for (Column& column : columns) table.set_column(std::move(column));
        table.set_property("resource", name);
        schema.set_table(std::move(table));
    }
    return schema;
}

Column required(const std::string& name) {
    return Column(name, DataType::bigint, false);
}
Column nullable(const std::string& name) {
    return Column(name, DataType::text, true);
}

std::vector<std::string> names_of(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    for (const Column& column : columns)
        names.push_back(column.name() + (column.is_nullable() ? "?" : ""));
    return names;
}

using Names = std::vector<std::string>;

TEST(PlanDdl, CreatesWhatIsNotThere) {
    const schema::Schema schema =
        schema_with({{"b", {required("id"), Column("unknown"), nullable("v")}},
                     {"a", {required("x")}},
                     {"empty", {Column("unknown")}}});
    const DdlPlan plan = plan_ddl(schema, {"b", "a", "empty", "b"}, {}, {});
    ASSERT_EQ(plan.create.size(), 2U);
    EXPECT_EQ(plan.create[0].name(), "b");
    EXPECT_EQ(names_of(plan.create[0].columns()), (Names{"id", "v?"}));
    EXPECT_EQ(plan.create[1].name(), "a");
    EXPECT_EQ(plan.create[1].resource(), "a");
    EXPECT_TRUE(plan.add.empty());
    EXPECT_FALSE(plan.empty());
}

TEST(PlanDdl, AddsColumnsInSchemaOrder) {
    const schema::Schema schema = schema_with(
        {{"t", {required("new"), required("id"), nullable("more"), Column("unknown")}}});
    Catalog catalog;
    catalog.tables["t"] = {{.name = "id", .type = "BIGINT"}, {.name = "other", .type = "DATE"}};
    DdlPlan plan = plan_ddl(schema, {"t"}, catalog, {});
    ASSERT_EQ(plan.add.size(), 1U);
    EXPECT_EQ(plan.add[0].table, "t");
    EXPECT_EQ(names_of(plan.add[0].columns), (Names{"new?", "more?"}));
    plan = plan_ddl(schema, {"t"}, catalog, {.adds_not_null_columns = true});
    EXPECT_EQ(names_of(plan.add[0].columns), (Names{"new", "more?"}));
    catalog.tables["t"].push_back({.name = "NEW"});
    catalog.tables["t"].push_back({.name = "more"});
    EXPECT_TRUE(plan_ddl(schema, {"t"}, catalog, {}).empty());
}

TEST(PlanDdl, ComparesNamesAsTheStoreDoes) {
    const schema::Schema schema = schema_with({{"Orders", {required("Id")}}});
    Catalog catalog;
    catalog.tables["ORDERS"] = {{.name = "ID"}};
    EXPECT_TRUE(plan_ddl(schema, {"Orders"}, catalog, {}).empty());
    EXPECT_EQ(plan_ddl(schema, {"Orders"}, catalog, {.is_case_sensitive = true}).create.size(), 1U);
    EXPECT_EQ(NameRule{}.key("ÄB"), "Äb");
}

TEST(PlanDdl, RefusesNamesThatBecomeOne) {
    const schema::Schema schema = schema_with(
        {{"t", {required("id"), required("ID")}}, {"u", {required("a")}}, {"U", {required("a")}}});
    EXPECT_THROW(plan_ddl(schema, {"t"}, {}, {}), Error);
    EXPECT_THROW(plan_ddl(schema, {"u", "U"}, {}, {}), Error);
    EXPECT_EQ(plan_ddl(schema, {"t", "u", "U"}, {}, {.is_case_sensitive = true}).create.size(), 3U);
}

TEST(PlanDdl, RefusesNamesThatAreTooLong) {
    const schema::Schema schema =
        schema_with({{"t", {required("ééééé")}}, {"longer_than_ten", {required("a")}}});
    EXPECT_EQ(plan_ddl(schema, {"t"}, {}, {.identifier_length_max = 5}).create.size(), 1U);
    EXPECT_THROW(plan_ddl(schema, {"t"}, {}, {.identifier_length_max = 4}), Error);
    EXPECT_THROW(plan_ddl(schema, {"longer_than_ten"}, {}, {.identifier_length_max = 10}), Error);
}

}  // namespace
}  // namespace tipple::destination
