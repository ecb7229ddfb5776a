#include "tipple/schema/json_value.h"

#include <gtest/gtest.h>

namespace tipple::schema {
namespace {

TEST(JsonValue, NumbersKeepTheirKind) {
    const Value value = to_value(json::parse(R"([-1, 18446744073709551615, 1.0, 1e30, true, null, "1"])"));
    const auto& list = value.as<List>();
    ASSERT_EQ(list.size(), 7U);
    EXPECT_EQ(list[0].as<std::int64_t>(), -1);
    EXPECT_EQ(list[1].as<std::uint64_t>(), UINT64_MAX);
    EXPECT_EQ(list[2].as<double>(), 1.0);
    EXPECT_EQ(list[3].as<double>(), 1e30);
    EXPECT_EQ(list[4].as<bool>(), true);
    EXPECT_TRUE(list[5].is_null());
    EXPECT_EQ(list[6].as<std::string>(), "1");
}

TEST(JsonValue, DocumentsAreWholeOrEmpty) {
    const json::Value document = json::parse(R"({"b": [1, {"c": "x"}], "a": {}})");
    const Value value = to_value(document);
    const auto& object = value.as<Object>();
    ASSERT_EQ(object.size(), 2U);
    EXPECT_EQ(object[0].name, "b");
    EXPECT_EQ(object[0].value.as<List>()[1].as<Object>()[0].value.as<std::string>(), "x");
    EXPECT_TRUE(object[1].value.as<Object>().empty());
    EXPECT_TRUE(to_scalar(document).as<Object>().empty());
    EXPECT_TRUE(to_scalar(json::parse("[1]")).as<List>().empty());
    EXPECT_EQ(to_scalar(json::parse("9223372036854775808")).as<std::uint64_t>(), std::uint64_t{1} << 63);
}

}  // namespace
}  // namespace tipple::schema
