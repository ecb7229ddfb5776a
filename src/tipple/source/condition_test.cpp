#include "tipple/source/condition.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::extract {

namespace {

using schema::Value;

/// Whether a record with these values meets the condition.
bool holds(std::string_view text, const std::vector<std::pair<std::string, Value>>& record) {
    const Condition condition = Condition::parse(text, "where");
    return condition.holds([&](std::size_t i) {
        for (const auto& [name, value] : record) {
            if (name == condition.comparisons()[i].name) return value;
        }
        return Value();
    });
}

std::string error_of(std::string_view text) {
    try {
        Condition::parse(text, "where");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return {};
}

TEST(Condition, compares_numbers_texts_and_the_rest) {
    const std::vector<std::pair<std::string, Value>> record = {{"n", std::int64_t{3}}, {"x", 2.5}, {"t", std::string("b")}, {"yes", true}, {"none", Value()}};
    EXPECT_TRUE(holds("n == 3", record));
    EXPECT_TRUE(holds("n==3.0", record));
    EXPECT_TRUE(holds("x < 3", record));
    EXPECT_TRUE(holds("n >= 3", record));
    EXPECT_FALSE(holds("n > 3", record));
    EXPECT_TRUE(holds(R"(t > "a")", record));
    EXPECT_FALSE(holds(R"(n == "3")", record)) << "a text is no number";
    EXPECT_FALSE(holds(R"(t < 5)", record));
    EXPECT_TRUE(holds("yes == true", record));
    EXPECT_FALSE(holds("yes == 1", record));
    EXPECT_FALSE(holds("yes > false", record));
    EXPECT_TRUE(holds("none == null", record));
    EXPECT_TRUE(holds("missing == null", record));
    EXPECT_TRUE(holds("n != null", record));
    EXPECT_FALSE(holds("none < 1", record));
    EXPECT_TRUE(holds(R"(none != "x")", record));
}

TEST(Condition, reads_texts_as_dates_and_times_where_the_field_is_one) {
    const std::vector<std::pair<std::string, Value>> record = {{"day", *schema::date_from_text("2024-02-01")},
                                                               {"at", *schema::timestamp_from_text("2024-02-01T10:00:00Z")}};
    EXPECT_TRUE(holds(R"(day >= "2024-02-01")", record));
    EXPECT_FALSE(holds(R"(day > "2024-02-01")", record));
    EXPECT_TRUE(holds(R"(at > "2024-02-01T11:30:00+02:00")", record));
    EXPECT_FALSE(holds(R"(at > "2024-02-01T11:30:00Z")", record));
    EXPECT_FALSE(holds(R"(day == "tomorrow")", record));
}

TEST(Condition, not_binds_closest_then_and_then_or) {
    const auto of = [](int a, int b, int c) {
        return std::vector<std::pair<std::string, Value>>{{"a", std::int64_t{a}}, {"b", std::int64_t{b}}, {"c", std::int64_t{c}}};
    };
    EXPECT_TRUE(holds("a == 1 or b == 1 and c == 1", of(1, 0, 0)));
    EXPECT_FALSE(holds("(a == 1 or b == 1) and c == 1", of(1, 0, 0)));
    EXPECT_TRUE(holds("not a == 1 and b == 1", of(0, 1, 0)));
    EXPECT_FALSE(holds("not (a == 1 and b == 1)", of(1, 1, 0)));
    EXPECT_TRUE(holds("not(not a == 1)", of(1, 0, 0)));
}

TEST(Condition, takes_paths_and_quoted_names) {
    const Condition condition = Condition::parse(R"-('order by' == 1 and a.b[0] != "x == (y)")-", "where");
    ASSERT_EQ(condition.comparisons().size(), 2U);
    EXPECT_EQ(condition.comparisons()[0].name, "order by");
    EXPECT_FALSE(condition.comparisons()[1].name);
    EXPECT_EQ(condition.comparisons()[1].path.text(), "a.b[0]");
    EXPECT_EQ(condition.comparisons()[1].value.as<std::string>(), "x == (y)");
}

TEST(Condition, says_at_which_character_something_is_wrong) {
    EXPECT_EQ(error_of("a = 1"), R"(where "a = 1" at character 3: expected one of ==, !=, <, <=, > and >=)");
    EXPECT_EQ(error_of("a == b"), R"(where "a == b" at character 6: expected a number, true, false, null or a text in double quotes)");
    EXPECT_EQ(error_of("a == 1 b"), R"(where "a == 1 b" at character 8: expected "and", "or", or the end)");
    EXPECT_EQ(error_of("(a == 1"), R"-(where "(a == 1" at character 8: expected ")")-");
    EXPECT_NE(error_of(""), "");
    EXPECT_NE(error_of("a == 1 and"), "");
    EXPECT_NE(error_of("a == [1]"), "");
    EXPECT_NE(error_of(std::string(1000, '(')).find("too many brackets"), std::string::npos);
}

}  // namespace

}  // namespace tipple::extract
