#include "tipple/incremental/value.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/incremental/hash.h"
#include "tipple/incremental/lag.h"
#include "tipple/schema/coerce.h"

namespace tipple::incremental {
namespace {

using schema::Value;

Value decimal(const char* text) { return *schema::parse_decimal(text); }

TEST(CursorValue, NumbersCompareByWhatTheyAre) {
    const double huge = 9007199254740992.0;
    EXPECT_TRUE(compare(std::int64_t{9007199254740993}, huge) > 0) << "no integer is rounded";
    EXPECT_TRUE(compare(std::int64_t{1}, 1.0) == 0);
    EXPECT_TRUE(compare(-1.5, std::int64_t{-1}) < 0);
    EXPECT_TRUE(compare(std::numeric_limits<std::int64_t>::max(), 9.3e18) < 0);
    EXPECT_TRUE(compare(std::uint64_t{18446744073709551615U}, std::int64_t{5}) > 0);
    EXPECT_TRUE(compare(decimal("1.50"), 1.5) == 0);
    EXPECT_TRUE(compare(decimal("0.1"), 0.1) < 0) << "the double is a little more";
    EXPECT_TRUE(compare(decimal("-100"), decimal("-99.9")) < 0);
    EXPECT_TRUE(compare(decimal("1e3"), std::int64_t{999}) > 0);
    EXPECT_TRUE(compare(decimal("0"), decimal("-0.0")) == 0);
    EXPECT_TRUE(compare(decimal("1e300"), std::numeric_limits<double>::infinity()) < 0);
    EXPECT_TRUE(compare(true, std::int64_t{1}) == 0);
    EXPECT_FALSE(compare(std::nan(""), 1.0) == 0);
}

TEST(CursorValue, StateTextsKeepTheirTypes) {
    for (const char* text : {"\uf0261.50", "\uf0272024-01-02T02:00:00+01:00", "\uf0272024-01-02T02:00:00.000001", "\uf0282024-01-02", "\uf02bAQI=",
                             "\uf02c12", "\uf02d12:30:00", "\uf027no time", "plain", "\uf026"}) {
        EXPECT_EQ(to_state(from_state(json::Value(text))).as_text(), text);
    }
    EXPECT_EQ(kind_of(from_state("\uf027no time")), Kind::text);
    EXPECT_EQ(kind_of(from_state("\uf0272024-01-02T02:00:00")), Kind::wall_clock);
    EXPECT_TRUE(from_state(json::Value()).is_null());
    EXPECT_EQ(to_state(std::int64_t{3}).as_int(), 3);
}

TEST(CursorHash, IsTheReferences) {
    const std::pair<json::Value, const char*> vectors[] = {{1, "669czW83KR00"},
                                                          {2, "Tp44cKMYfAuJ"},
                                                          {"abc", "Q7izEiCRBJq3"},
                                                          {json::Value(), "KtLhiM3tliLb"},
                                                          {1.5, "Fplwv0GiPZps"},
                                                          {true, "9pqHQJRzn+fs"},
                                                          {json::Object{{"t", 1}}, "my8Lo/wV/GdK"},
                                                          {json::Array{1, "x"}, "T2u7rnGEfmXm"},
                                                          {"é", "ldIRoP9SXhIf"},
                                                          {json::parse(R"({"b":1,"a":"é","t":3})"), "e1J5BWEP6/cs"}};
    for (const auto& [value, hash] : vectors) EXPECT_EQ(hash_of(value, HashForm::current), hash) << json::to_text(value);
    EXPECT_EQ(hash_of(1, HashForm::legacy), "669czW83KR00ut4bv/U5");
    EXPECT_EQ(form_of({"669czW83KR00ut4bv/U5"}), HashForm::legacy);
    EXPECT_EQ(form_of({}), HashForm::current);
}

TEST(CursorHash, WritesTypedValuesAsTheReferenceDoes) {
    const Value instant = from_state("\uf0272024-01-01T01:00:00+01:00");
    EXPECT_EQ(hashed_document(instant, HashForm::current).as_int(), 1'704'067'200'000'000);
    EXPECT_EQ(hashed_document(instant, HashForm::legacy).as_text(), "2024-01-01T01:00:00+01:00");
    EXPECT_EQ(hashed_document(from_state("\uf0272024-01-01T00:00:00+00:00"), HashForm::legacy).as_text(), "2024-01-01T00:00:00Z");
    EXPECT_EQ(hashed_document(decimal("1.50"), HashForm::current).as_text(), "1.50");
    EXPECT_EQ(hashed_document(schema::Date{0}, HashForm::current).as_text(), "1970-01-01");
    EXPECT_EQ(json::to_text(hashed_document(schema::Json{R"({"b": 1})"}, HashForm::current)), R"({"b":1})");
}

TEST(CursorValue, AreTheSameWhateverTheOrderOfMembers) {
    const schema::Object one{{"a", std::int64_t{1}}, {"b", schema::List{Value("x"), Value()}}};
    const schema::Object other{{"b", schema::List{Value("x"), Value()}}, {"a", 1.0}};
    EXPECT_TRUE(is_same(one, other));
    EXPECT_FALSE(is_same(one, schema::Object{{"a", std::int64_t{1}}}));
    EXPECT_FALSE(is_same(one, schema::Object{{"a", std::int64_t{1}}, {"c", schema::List{Value("x"), Value()}}}));
    EXPECT_FALSE(is_same(schema::List{Value("x")}, schema::List{Value("x"), Value("y")}));
    EXPECT_FALSE(is_same(schema::List(), schema::Object()));
    EXPECT_FALSE(is_same(Value("1"), Value(std::int64_t{1})));
    EXPECT_FALSE(is_same(Value(), schema::List()));
    EXPECT_TRUE(is_same(Value(), Value()));
    EXPECT_TRUE(is_same(document_from_state(to_state(one)), one));
    const schema::List typed{decimal("1.50"), schema::Date{3}};
    EXPECT_TRUE(is_same(document_from_state(to_state(typed)), typed));
}

std::string lagged(double lag, const Value& last, LastValue function = LastValue::max, const Value& initial = {}) {
    return json::to_text(to_state(apply_lag({.cursor_path = "t", .initial_value = initial, .last_value_func = function, .lag = lag}, last)));
}

TEST(CursorLag, CountsInTheUnitOfTheValue) {
    EXPECT_EQ(lagged(1, std::int64_t{1}), "0");
    EXPECT_EQ(lagged(100, std::int64_t{300}, LastValue::min), "400");
    EXPECT_EQ(lagged(0.5, 2.0), "1.5");
    EXPECT_EQ(lagged(1.5, std::int64_t{10}), "8") << "cut to an integer";
    EXPECT_EQ(lagged(-5, std::int64_t{10}), "15");
    EXPECT_EQ(lagged(1, Value("2023-03-02")), R"("2023-03-01")");
    EXPECT_EQ(lagged(1, Value("2023-03-02"), LastValue::min), R"("2023-03-03")");
    EXPECT_EQ(lagged(1, Value("20230115")), R"("20230114")");
    EXPECT_EQ(lagged(7200, Value("2023-01-01T12:00:00+05:00")), R"("2023-01-01T10:00:00+05:00")");
    EXPECT_EQ(lagged(3600, Value("2023-03-03T02:00:01Z")), R"("2023-03-03T01:00:01Z")");
    EXPECT_EQ(lagged(60, Value("2023-03-03 00:00:30")), R"("2023-03-02 23:59:30")");
    EXPECT_EQ(lagged(1, Value("2023-03-03T00:00:30.5Z")), R"("2023-03-03T00:00:29.500000Z")");
    EXPECT_EQ(lagged(60, Value("2023-03-03T01:00")), R"("2023-03-03T00:59")");
    EXPECT_EQ(lagged(1, schema::Date{100}), "\"\uf0281970-04-10\"");
    EXPECT_EQ(lagged(1, from_state("\uf0272024-01-01T00:00:00+01:00")), "\"\uf0272023-12-31T23:59:59+01:00\"");
}

TEST(CursorLag, DoesNotCrossTheInitialValue) {
    EXPECT_EQ(lagged(2, Value("2023-03-02"), LastValue::max, Value("2023-03-01")), R"("2023-03-01")");
    EXPECT_EQ(lagged(100, std::int64_t{50}, LastValue::max, std::int64_t{40}), "40");
    EXPECT_EQ(lagged(100, std::int64_t{50}, LastValue::min, std::int64_t{60}), "60");
}

TEST(CursorLag, DeclaredDatesLagTimesByDays) {
    EXPECT_EQ(lagged(1, Value("2024-01-03T10:00:00"), LastValue::max, Value("2024-01-01")), R"("2024-01-02T00:00:00")");
    EXPECT_EQ(lagged(1, Value("2024-01-03T10:00:00"), LastValue::min, Value("2024-01-09")), R"("2024-01-04T23:59:59")");
}

TEST(CursorLag, NeedsADistance) {
    EXPECT_THROW(lagged(1, Value("soon")), Error);
    EXPECT_THROW(lagged(1, decimal("1.5")), Error);
}

}  // namespace
}  // namespace tipple::incremental
