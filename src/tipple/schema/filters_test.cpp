#include "tipple/schema/filters.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/json/value.h"

namespace tipple::schema {
namespace {

Schema with_filters(const std::vector<std::pair<std::string, std::string>>& tables) {
    Schema schema = Schema::make("test");
    for (const auto& [name, filters] : tables) {
        Table table(name);
        table.set_property("filters", json::parse(filters, "filters"));
        schema.set_table(table);
    }
    return schema;
}

TEST(Filters, ExactNamesAndExpressions) {
    const Filters filters(with_filters({{"t", R"({"excludes": ["a", "re:^b", "c.d"]})"}}), "__");
    EXPECT_TRUE(filters.leave_out("t", "a"));
    EXPECT_FALSE(filters.leave_out("t", "aa"));
    EXPECT_TRUE(filters.leave_out("t", "bcd"));
    EXPECT_FALSE(filters.leave_out("t", "abcd"));
    EXPECT_FALSE(filters.leave_out("t", "cxd")) << "a plain rule is no expression";
    EXPECT_FALSE(filters.leave_out("u", "a"));
}

TEST(Filters, IncludesAreExceptionsOfTheirTable) {
    const Filters filters(with_filters({{"t", R"({"excludes": ["re:^l__"], "includes": ["re:__keep$"]})"}, {"t__l", R"({"excludes": ["re:."], "includes": []})"}}), "__");
    EXPECT_TRUE(filters.leave_out("t", "l__x"));
    EXPECT_FALSE(filters.leave_out("t", "l__keep"));
    EXPECT_TRUE(filters.leave_out("t__l", "keep")) << "the exception of t is none of t__l";
}

TEST(Filters, PathsGoFromTheTableThatHasThem) {
    const Filters filters(with_filters({{"t", R"({"excludes": ["l__m__x"]})"}, {"t__l", R"({"excludes": ["m__y"]})"}}), "__");
    EXPECT_TRUE(filters.leave_out("t__l__m", "x"));
    EXPECT_TRUE(filters.leave_out("t__l__m", "y"));
    EXPECT_FALSE(filters.leave_out("t__l", "x"));
    EXPECT_TRUE(filters.leave_out("t__l", "m__x"));
    EXPECT_FALSE(filters.leave_out("t__lines", "m__y")) << "not below t__l";
}

TEST(Filters, ConcernTablesAboveAndBelow) {
    const Filters filters(with_filters({{"t__l", R"({"excludes": ["x"]})"}, {"u", R"({"includes": ["x"]})"}}), "__");
    EXPECT_TRUE(filters.concern("t"));
    EXPECT_TRUE(filters.concern("t__l"));
    EXPECT_TRUE(filters.concern("t__l__m"));
    EXPECT_FALSE(filters.concern("t__lines"));
    EXPECT_FALSE(filters.concern("u")) << "exceptions alone leave nothing out";
}

TEST(Filters, OtherSeparators) {
    const Filters filters(with_filters({{"T", R"({"excludes": ["L▶x"]})"}}), "▶");
    EXPECT_TRUE(filters.leave_out("T▶L", "x"));
    EXPECT_TRUE(filters.concern("T▶L"));
}

TEST(Filters, MalformedOnesAreRefused) {
    for (const char* filters : {"[]", R"({"excludes": "a"})", R"({"excludes": [1]})", R"({"excludes": ["re:("]})", R"({"excludes": ["a"], "includes": {}})"}) {
        EXPECT_THROW(Filters(with_filters({{"t", filters}}), "__"), Error) << filters;
    }
    EXPECT_FALSE(Filters(with_filters({{"t", R"({"excludes": null})"}}), "__").leave_out("t", "a"));
}

}  // namespace
}  // namespace tipple::schema
