#include "tipple/normalize/content_ids.h"

#include <gtest/gtest.h>

#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/json_value.h"

namespace tipple::normalize {
namespace {

using schema::Object;
using schema::Value;

std::string id_of(const std::string& text) { return content_id(schema::to_value(json::parse(text)).as<Object>()); }

// The values are those of the reference.
TEST(ContentIdsTest, HashContentAsTheReferenceDoes) {
    EXPECT_EQ(id_of(R"({"b": 1, "a": 2, "B": 3, "_dlt_x": 1})"), "U8OwLm9NgMbrmg");
    EXPECT_EQ(id_of(R"({"ID": 1, "name": "x", "a": [{"v": 1}]})"), "jLk+7NAUXpYcnA");
    EXPECT_EQ(id_of(R"({"a": 1e16})"), "Y6o9kxvMqS9i2w");
    EXPECT_EQ(id_of(R"({"s": "é"})"), "XIYnR6ndZngDAQ");
    EXPECT_EQ(id_of(R"({"a": null})"), "dw9t1U6LGrpS0g");
    EXPECT_EQ(id_of(R"({"b": 1, "a": {"z": 1, "y": [{"q": 1, "p": 2}]}, "B": 3, "_dlt_x": 1, "é": 1, "😀": 2, "￿": 1})"), "AB4Eb7kJbXr8Ww");
    EXPECT_EQ(content_id({{"id", *schema::parse_decimal("1.50")}}), "2Hs2jD7QOib7vw");
}

TEST(ContentIdsTest, OfEqualNamesTheLastCounts) { EXPECT_EQ(id_of(R"({"a": 1, "a": 2})"), id_of(R"({"a": 2})")); }

TEST(ContentIdsTest, HashKeysAsTheReferenceDoes) {
    const Value one(std::int64_t{1});
    EXPECT_EQ(key_id({{"id", &one}}), "z5jIxXIbUnmbKw");
    EXPECT_EQ(repeatable_child_id("z5jIxXIbUnmbKw", "t__c", 0), "XNdTuFvbpiFT7A");
    EXPECT_EQ(repeatable_child_id("z5jIxXIbUnmbKw", "other__c", 0), "2xUsE1ZSqdgDEg");
    const Value two(std::int64_t{2});
    EXPECT_EQ(key_id({{"b", &two}, {"a", &one}}), key_id({{"a", &one}, {"b", &two}}));
}

TEST(ContentIdsTest, SourceFollowsTheStrategy) {
    EXPECT_EQ(row_id_source(nullptr), RowIdSource::position);
    schema::Table table("t");
    table.set_property("x-merge-strategy", std::string("upsert"));
    EXPECT_EQ(row_id_source(&table), RowIdSource::position);
    table.set_property("write_disposition", std::string("merge"));
    EXPECT_EQ(row_id_source(&table), RowIdSource::key);
    table.set_property("x-merge-strategy", std::string("scd2"));
    schema::Column version("ver", schema::DataType::text, false);
    version.set_hint("x-row-version", true);
    table.set_column(version);
    EXPECT_EQ(row_id_source(&table), RowIdSource::position);
    table.erase_column("ver");
    schema::Column id("_dlt_id", schema::DataType::text, false);
    id.set_hint("x-row-version", true);
    table.set_column(id);
    EXPECT_EQ(row_id_source(&table), RowIdSource::content);
}

}  // namespace
}  // namespace tipple::normalize
