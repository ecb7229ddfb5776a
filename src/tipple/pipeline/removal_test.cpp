#include "tipple/pipeline/removal.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::pipeline {
namespace {

class RemovalTest : public testing::Test {
protected:
    RemovalTest() {
        add("a", "", "a", true);
        add("a__l", "a", "", true);
        add("a__l__m", "a__l", "", false);
        add("b", "", "b", true);
        add("extra", "", "a", true);
        schema_.normalizers() = json::parse(R"({"json":{"config":{"propagation":{"tables":{"a":{"_dlt_id":"_dlt_root_id"},"b":{}}}}}})").as_object();
    }
    void add(const std::string& name, const std::string& parent, const std::string& resource, bool has_data) {
        schema::Table table(name);
        if (!parent.empty()) table.set_property("parent", parent);
        if (!resource.empty()) table.set_property("resource", resource);
        if (has_data) table.set_normalizer_hint("seen-data", true);
        schema_.set_table(std::move(table));
    }
    std::string state() { return json::to_text(state_.document()); }

    schema::Schema schema_ = schema::Schema::make("shop");
    SourceState state_{json::parse(R"({"g":1,"h":[1,2,3],"resources":{"a":{"n":1},"b":{"n":2,"deep":{"x":1,"y":2}}}})").as_object()};
};

using Tables = std::vector<std::string>;

TEST_F(RemovalTest, DropsAllTablesOfAResource) {
    EXPECT_EQ(remove_resources(ResourceNames({"a", "other"}), schema_, state_), (Tables{"extra", "a__l", "a"})) << "those with data, nested ones first";
    EXPECT_EQ(schema_.find("a__l__m"), nullptr);
    EXPECT_NE(schema_.find("b"), nullptr);
    EXPECT_NE(schema_.find("_dlt_loads"), nullptr);
    EXPECT_EQ(json::to_text(schema_.normalizers()), R"({"json":{"config":{"propagation":{"tables":{"b":{}}}}}})");
    EXPECT_EQ(state(), R"({"g":1,"h":[1,2,3],"resources":{"b":{"n":2,"deep":{"x":1,"y":2}}}})");
}

TEST_F(RemovalTest, ResetsWithoutTouchingTheSchema) {
    EXPECT_EQ(reset_resources(ResourceNames({"b"}), schema_, state_), Tables{"b"});
    EXPECT_NE(schema_.find("b"), nullptr);
    EXPECT_EQ(state(), R"({"g":1,"h":[1,2,3],"resources":{"a":{"n":1}}})");
}

TEST_F(RemovalTest, NamesCanBeExpressions) {
    EXPECT_TRUE(ResourceNames({"re:or.*s"}).matches("orders"));
    EXPECT_TRUE(ResourceNames({"re:ord"}).matches("orders")) << "the beginning is enough";
    EXPECT_FALSE(ResourceNames({"re:rd"}).matches("orders"));
    EXPECT_FALSE(ResourceNames({"or.*"}).matches("orders")) << "without re: a name is a name";
    EXPECT_FALSE(ResourceNames(std::vector<std::string>()).matches("orders"));
    EXPECT_TRUE(ResourceNames::all().matches("orders"));
    EXPECT_THROW(ResourceNames({"re:("}), Error);
}

TEST_F(RemovalTest, StatePathsEraseValues) {
    for (const char* path : {"resources.b.deep.x", "h[1]", "nothing.there", "h.g"}) erase_state_path(state_, path);
    EXPECT_EQ(state(), R"({"g":1,"h":[1,3],"resources":{"a":{"n":1},"b":{"n":2,"deep":{"y":2}}}})");
    erase_state_path(state_, "resources.*.n");
    EXPECT_EQ(state(), R"({"g":1,"h":[1,3],"resources":{"a":{},"b":{"deep":{"y":2}}}})");
    erase_state_path(state_, "*");
    EXPECT_EQ(state(), R"({"resources":{"a":{},"b":{"deep":{"y":2}}}})") << "resources are dropped by name";
    EXPECT_THROW(erase_state_path(state_, "a["), Error);
}

TEST_F(RemovalTest, RefreshOfASourceMakesItsSchemaAnew) {
    const package::Removal removal = refresh(Refresh::drop_sources, {"a"}, "snake_case", schema_, state_);
    EXPECT_EQ(removal.dropped, (Tables{"extra", "b", "a__l", "a"}));
    EXPECT_TRUE(removal.truncated.empty());
    EXPECT_EQ(schema_.find("b"), nullptr);
    EXPECT_EQ(state(), R"({"resources":{}})");
}

TEST_F(RemovalTest, RefreshOfDataKeepsTables) {
    const package::Removal removal = refresh(Refresh::drop_data, {"a"}, "snake_case", schema_, state_);
    EXPECT_EQ(removal.truncated, (Tables{"extra", "a__l", "a"}));
    EXPECT_TRUE(removal.dropped.empty());
    EXPECT_NE(schema_.find("a"), nullptr);
    EXPECT_TRUE(refresh(Refresh::none, {"a"}, "snake_case", schema_, state_).empty());
}

}  // namespace
}  // namespace tipple::pipeline
