#include "tipple/schema/coerce.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::schema {
namespace {

Decimal decimal(std::string_view text) {
    const auto parsed = parse_decimal(text);
    if (!parsed) throw Bug("the test's own decimal is malformed: " + std::string(text));
    return *parsed;
}

/// The value in words: `bigint 5`, `text "5"`, `decimal 1.50`, `-` for what does not fit.
std::string shown(const std::optional<Value>& value) {
    if (!value) return "-";
    if (value->is_null()) return "null";
    const std::string type(to_text(natural_type(*value)));
    const auto text = coerce(DataType::text, *value);
    return type + ' ' + text->as<std::string>();
}

std::string from_text(DataType to, std::string_view text) {
    return shown(coerce(to, Value(std::string(text))));
}
std::string from_int(DataType to, std::int64_t number) {
    return shown(coerce(to, Value(number)));
}
std::string from_double(DataType to, double number) {
    return shown(coerce(to, Value(number)));
}
std::string from_decimal(DataType to, std::string_view text) {
    return shown(coerce(to, Value(decimal(text))));
}

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan = std::nan("");

TEST(Coerce, TextTakesEverything) {
    EXPECT_EQ(from_int(DataType::text, 5), "text 5");
    EXPECT_EQ(from_double(DataType::text, 1.0), "text 1.0");
    EXPECT_EQ(from_double(DataType::text, 1e16), "text 1e+16");
    EXPECT_EQ(from_double(DataType::text, 1e-7), "text 1e-07");
    EXPECT_EQ(from_double(DataType::text, nan), "text nan");
    EXPECT_EQ(from_decimal(DataType::text, "1.50"), "text 1.50");
    EXPECT_EQ(from_decimal(DataType::text, "1E+2"), "text 1E+2");
    EXPECT_EQ(shown(coerce(DataType::text, Value(true))), "text True");
    EXPECT_EQ(shown(coerce(DataType::text, Value(false))), "text False");
    EXPECT_EQ(shown(coerce(DataType::text, Value(std::numeric_limits<std::uint64_t>::max()))),
              "text 18446744073709551615");
    EXPECT_EQ(shown(coerce(DataType::text, Value(*timestamp_from_text("2024-01-02T03:04:05Z")))),
              "text 2024-01-02T03:04:05+00:00");
    EXPECT_EQ(shown(coerce(DataType::text, Value(Date{19'724}))), "text 2024-01-02");
    EXPECT_EQ(shown(coerce(DataType::text, Value(Time{1}))), "text 00:00:00.000001");
    EXPECT_EQ(shown(coerce(DataType::text, Value(Binary{"abc"}))), "text YWJj");
    EXPECT_EQ(shown(coerce(DataType::text, Value(Json{R"({"a":1.0,"b":[null,"é"]})"}))),
              R"(text {"a":1.0,"b":[null,"é"]})");
}

TEST(Coerce, BigintFromText) {
    const std::pair<const char*, const char*> cases[] = {
        {" 5 ", "bigint 5"},
        {"+5", "bigint 5"},
        {"-5", "bigint -5"},
        {"1_000", "bigint 1000"},
        {"00012", "bigint 12"},
        {"-0", "bigint 0"},
        {"٣_٤", "bigint 34"},
        {"0x1F", "bigint 31"},
        {" 0x1f ", "bigint 31"},
        {"0x-1", "bigint -1"},
        {"0x 1", "bigint 1"},
        {"0x0x1", "bigint 1"},
        {"0x1_f", "bigint 31"},
        {"0x0x_1", "bigint 1"},
        {"5\u2003", "bigint 5"},
        {"9223372036854775807", "bigint 9223372036854775807"},
        {"9223372036854775808", "bigint 9223372036854775808"},
        {"-9223372036854775808", "bigint -9223372036854775808"},
        {"18446744073709551616", "decimal 18446744073709551616"},
        {"-9223372036854775809", "decimal -9223372036854775809"},
        {"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
         "decimal "
         "1942668892225729070919461906823518906642406839052139521251812409738904285205208498175"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(from_text(DataType::bigint, text), expected) << text;
    for (const char* text : {"", " ", "1.0", "1e3", "0X1F", "-0x1f", "0x", "0x_1f", "0x1__f", "_1",
                             "1_", "1__0", "+-5", "+ 5", "0b1", "abc", "5 5", "−5"}) {
        EXPECT_EQ(from_text(DataType::bigint, text), "-") << text;
    }
    EXPECT_EQ(from_text(DataType::bigint, std::string_view("5\0", 2)), "-");
    EXPECT_NE(from_text(DataType::bigint, std::string(4300, '9')), "-");
    EXPECT_EQ(from_text(DataType::bigint, std::string(4301, '9')), "-");
    EXPECT_EQ(from_text(DataType::bigint, "0x" + std::string(1'000'000, 'f')), "-")
        << "at once, too";
}

TEST(Coerce, BigintFromNumbers) {
    EXPECT_EQ(from_double(DataType::bigint, 2.0), "bigint 2");
    EXPECT_EQ(from_double(DataType::bigint, -0.0), "bigint 0");
    EXPECT_EQ(from_double(DataType::bigint, 1e23), "decimal 99999999999999991611392");
    EXPECT_EQ(from_double(DataType::bigint, -1e300).size(), std::string("decimal -").size() + 301);
    EXPECT_EQ(from_decimal(DataType::bigint, "1E+2"), "bigint 100");
    EXPECT_EQ(from_decimal(DataType::bigint, "5.000"), "bigint 5");
    EXPECT_EQ(from_decimal(DataType::bigint, "0E-50"), "bigint 0");
    EXPECT_EQ(from_decimal(DataType::bigint, "9999999999999999999999999999.0"),
              "decimal 9999999999999999999999999999");
    for (const double number : {1.5, 1e-7, infinity, nan})
        EXPECT_EQ(from_double(DataType::bigint, number), "-");
    for (const char* text : {"1.5", "1E-50", "1E+28", "NaN", "Infinity"}) {
        EXPECT_EQ(from_decimal(DataType::bigint, text), "-") << text;
    }
}

TEST(Coerce, DoubleFromText) {
    const std::pair<const char*, const char*> cases[] = {
        {"7", "double 7.0"},
        {" 1_0.0_1 ", "double 10.01"},
        {"1e3", "double 1000.0"},
        {".5", "double 0.5"},
        {"5.", "double 5.0"},
        {"+.5e-3", "double 0.0005"},
        {"inf", "double inf"},
        {"-Infinity", "double -inf"},
        {"NaN", "double nan"},
        {"1e400", "double inf"},
        {"-1e400", "double -inf"},
        {"1e-400", "double 0.0"},
        {"-0", "double -0.0"},
        {"0x1F", "double 31.0"},
        {"1.5e٢", "double 150.0"},
        {"5e-324", "double 5e-324"},
        {"1e99999999999999999999", "double inf"},
        {"0.00000000000000000000000000000000000000000000000000001e53", "double 1.0"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(from_text(DataType::double_, text), expected) << text;
    for (const char* text : {"", "x", ".", "1e", "1e+", "0x1p3", "1,5", "1_.0", "1._0", "1e_1",
                             "_1.5", "1.5_", "infin", "nan1", "i_nf", "e5", "--5"}) {
        EXPECT_EQ(from_text(DataType::double_, text), "-") << text;
    }
    EXPECT_EQ(from_text(DataType::double_, std::string(5000, '9')), "double inf");
    EXPECT_EQ(from_text(DataType::double_, "0x" + std::string(4000, 'f')), "-")
        << "an integer too large";
}

TEST(Coerce, DoubleFromNumbers) {
    EXPECT_EQ(from_int(DataType::double_, 5), "double 5.0");
    EXPECT_EQ(from_int(DataType::double_, 9007199254740993), "double 9007199254740992.0");
    EXPECT_EQ(shown(coerce(DataType::double_, Value(std::uint64_t{1} << 63))),
              "double 9.223372036854776e+18");
    EXPECT_EQ(from_decimal(DataType::double_, "0.1"), "double 0.1");
    EXPECT_EQ(from_decimal(DataType::double_, "1E+400"), "double inf");
    EXPECT_EQ(from_decimal(DataType::double_, "-0.00"), "double -0.0");
    EXPECT_EQ(from_decimal(DataType::double_, "NaN"), "double nan");
    EXPECT_EQ(shown(coerce(DataType::double_, Value(Wei{decimal("5")}))), "double 5.0");
}

TEST(Coerce, DecimalFromText) {
    const std::pair<const char*, const char*> cases[] = {
        {"1.234", "decimal 1.234"},         {"1.20", "decimal 1.20"},   {"1e3", "decimal 1E+3"},
        {"_1__0_.5_", "decimal 10.5"},      {"0x1F", "decimal 31"},     {"NaN", "decimal NaN"},
        {"-inf", "decimal -Infinity"},      {"NaN007", "decimal NaN7"}, {"-0.00", "decimal -0.00"},
        {"1E-7", "decimal 1E-7"},           {"0E-7", "decimal 0E-7"},   {"00.10", "decimal 0.10"},
        {"12345E-11", "decimal 1.2345E-7"}, {"١.٥", "decimal 1.5"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(from_text(DataType::decimal, text), expected) << text;
    for (const char* text :
         {"", ".", "1e", "x", "sNaN", "1e131073", "1e99999999999999999999", "1.2.3", "1 0"}) {
        EXPECT_EQ(from_text(DataType::decimal, text), "-") << text;
    }
    const std::string digits(100'000, '7');
    EXPECT_EQ(from_text(DataType::decimal, digits + ".5"), "decimal " + digits + ".5")
        << "any length is kept";
    EXPECT_EQ(from_text(DataType::wei, "5"), "wei 5");
    EXPECT_EQ(from_text(DataType::wei, "x"), "-");
}

TEST(Coerce, DecimalFromNumbers) {
    EXPECT_EQ(from_int(DataType::decimal, std::numeric_limits<std::int64_t>::min()),
              "decimal -9223372036854775808");
    EXPECT_EQ(from_double(DataType::decimal, 0.1), "decimal 0.1");
    EXPECT_EQ(from_double(DataType::decimal, 1e-7), "decimal 1E-7");
    EXPECT_EQ(from_double(DataType::decimal, 1e16), "decimal 1E+16");
    EXPECT_EQ(from_double(DataType::decimal, 1.0), "decimal 1.0");
    EXPECT_EQ(from_double(DataType::decimal, nan), "decimal NaN");
    EXPECT_EQ(from_double(DataType::wei, -infinity), "wei -Infinity");
    EXPECT_EQ(shown(coerce(DataType::decimal, Value(Wei{decimal("1.5")}))), "decimal 1.5");
    EXPECT_EQ(from_decimal(DataType::wei, "1.5"), "wei 1.5");
}

TEST(Coerce, Bool) {
    for (const char* yes : {"yes", "TRUE", "t", "Y", "1"})
        EXPECT_EQ(from_text(DataType::bool_, yes), "bool True");
    for (const char* no : {"No", "false", "F", "n", "0"})
        EXPECT_EQ(from_text(DataType::bool_, no), "bool False");
    for (const char* other : {"", " yes", "on", "2", "maybe"})
        EXPECT_EQ(from_text(DataType::bool_, other), "-");
    EXPECT_EQ(from_int(DataType::bool_, 5), "bool True");
    EXPECT_EQ(from_double(DataType::bool_, 0.0), "bool False");
    EXPECT_EQ(from_double(DataType::bool_, nan), "bool True");
    EXPECT_EQ(from_decimal(DataType::bool_, "-0.00"), "bool False");
    EXPECT_EQ(from_decimal(DataType::bool_, "NaN"), "bool True");
}

TEST(Coerce, DatesAndTimes) {
    EXPECT_EQ(from_int(DataType::timestamp, 5), "timestamp 1970-01-01T00:00:05+00:00");
    EXPECT_EQ(from_int(DataType::timestamp, 1700000000), "timestamp 2023-11-14T22:13:20+00:00");
    EXPECT_EQ(from_double(DataType::timestamp, 1.5), "timestamp 1970-01-01T00:00:01.500000+00:00");
    EXPECT_EQ(from_text(DataType::timestamp, "2022-05-10T00:17:15.3+02:00"),
              "timestamp 2022-05-09T22:17:15.300000+00:00");
    EXPECT_EQ(from_text(DataType::timestamp, "zzz"), "-");
    EXPECT_EQ(shown(coerce(DataType::timestamp, Value(Date{1}))), "timestamp 1970-01-02T00:00:00");
    EXPECT_EQ(shown(coerce(DataType::timestamp, Value(std::uint64_t{1} << 63))), "-");
    EXPECT_EQ(from_double(DataType::timestamp, infinity), "-");
    EXPECT_EQ(from_text(DataType::date, "2024-01-01T23:30:00-02:00"), "date 2024-01-02");
    EXPECT_EQ(from_text(DataType::date, "nope"), "-");
    EXPECT_EQ(from_int(DataType::date, -1), "date 1969-12-31");
    EXPECT_EQ(shown(coerce(DataType::date, Value(Timestamp{-1, true}))), "date 1969-12-31");
    EXPECT_EQ(from_text(DataType::time, "03:41:31+02:00"), "time 01:41:31");
    EXPECT_EQ(from_text(DataType::time, "034131"), "-");
    EXPECT_EQ(from_int(DataType::time, 5), "-");
}

TEST(Coerce, TimezoneRule) {
    const Timestamp utc = *timestamp_from_text("2024-01-01T10:00:00+02:00");
    EXPECT_EQ(to_iso_text(apply_timezone(utc, false)), "2024-01-01T08:00:00");
    EXPECT_EQ(to_iso_text(apply_timezone(*timestamp_from_text("2024-01-01T10:00:00"), true)),
              "2024-01-01T10:00:00+00:00");
}

TEST(Coerce, Binary) {
    EXPECT_EQ(from_text(DataType::binary, "0xab"), "binary " + to_base64("\xAB"));
    EXPECT_EQ(from_text(DataType::binary, "0x ab cd"), "binary " + to_base64("\xAB\xCD"));
    EXPECT_EQ(from_text(DataType::binary, "0x"), "binary ");
    EXPECT_EQ(from_text(DataType::binary, "true"), "binary true") << "valid base64 by chance";
    EXPECT_EQ(from_text(DataType::binary, "YQ=="), "binary YQ==");
    EXPECT_EQ(from_text(DataType::binary, ""), "binary ");
    for (const char* text :
         {"0xabc", "0xa b", "0xg0", "YQ", "YQ=", "=", "ab\ncd", " 0xab", "YQ==="}) {
        EXPECT_EQ(from_text(DataType::binary, text), "-") << text;
    }
    EXPECT_EQ(from_int(DataType::binary, 0), "binary ");
    EXPECT_EQ(from_int(DataType::binary, 256), "binary " + to_base64(std::string_view("\0\1", 2)));
    EXPECT_EQ(from_int(DataType::binary, -1), "-");
}

TEST(Coerce, JsonFromText) {
    EXPECT_EQ(from_text(DataType::json, " {\"k\" : 1, \"a\": [1.0, 1e5]} "),
              "json {\"k\":1,\"a\":[1.0,100000.0]}");
    EXPECT_EQ(from_text(DataType::json, "5"), "json 5");
    EXPECT_EQ(from_text(DataType::json, "\"s\""), "json \"s\"");
    EXPECT_EQ(from_text(DataType::json, "null"), "null");
    EXPECT_EQ(from_text(DataType::json, "{\"a\":1,\"a\":2}"), "json {\"a\":2}");
    for (const char* text : {"not json", "", "[1,]", "NaN", "{\"a\":[1e400]}", "\"\\ud800\""}) {
        EXPECT_EQ(from_text(DataType::json, text), "-") << text;
    }
}

TEST(Coerce, NothingElseIsConverted) {
    const std::vector<Value> values = {Value(true),      Value(std::int64_t{1}), Value(1.5),
                                       Value(Decimal{}), Value(Wei{}),           Value(Timestamp{}),
                                       Value(Date{}),    Value(Time{}),          Value(Binary{}),
                                       Value(Json{"[]"})};
    // Rows as above; columns in the order of DataType, text to json.
    const std::string fits[] = {
        "x  x       ",  //
        "xxxxxx xxx ",  //
        "x xxxx xx  ",  //
        "xxxx   xx  ",  //
        "xxxx   xx  ",  //
        "x   xx     ",  //
        "x   xx     ",  //
        "x     x    ",  //
        "x        x ",  //
        "x         x",  //
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t type = 0; type < fits[i].size(); ++type) {
            EXPECT_EQ(coerce(static_cast<DataType>(type), values[i]).has_value(),
                      fits[i][type] == 'x')
                << i << ' ' << type;
        }
    }
    EXPECT_THROW(coerce(DataType::text, Value()), Bug);
    EXPECT_THROW(coerce(DataType::text, Value(List{})), Bug);
}

TEST(Coerce, PlainDecimalText) {
    EXPECT_EQ(to_plain_text(decimal("1E+2")), "100");
    EXPECT_EQ(to_plain_text(decimal("1E-7")), "0.0000001");
    EXPECT_EQ(to_plain_text(decimal("-12.50")), "-12.50");
    EXPECT_EQ(to_plain_text(decimal("0E+5")), "0");
    EXPECT_EQ(to_plain_text(decimal("-NaN")), "-NaN");
}

TEST(Coerce, WeiRange) {
    for (const char* text :
         {"0", "578960446186580977117854925043439539266",
          "-578960446186580977117854925043439539267", "578960446186580977117854925043439539266.000",
          "5789604461865809771178549250434395392660E-1", "1E+38", "1E-99", "0E+99"}) {
        EXPECT_TRUE(fits_wei(decimal(text))) << text;
    }
    for (const char* text :
         {"578960446186580977117854925043439539267", "-578960446186580977117854925043439539268",
          "578960446186580977117854925043439539266.5", "6E+38", "1E+39", "NaN", "Infinity",
          "115792089237316195423570985008687907853269984665640564039457584007913129639935"}) {
        EXPECT_FALSE(fits_wei(decimal(text))) << text;
    }
}

RC_GTEST_PROP(Coerce, DecimalsReadBack, ()) {
    Decimal number;
    number.negative = *rc::gen::arbitrary<bool>();
    number.digits =
        *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('0', char{'9' + 1})));
    number.digits.erase(0,
                        std::min(number.digits.find_first_not_of('0'), number.digits.size() - 1));
    number.exponent = *rc::gen::inRange(-400, 400);
    RC_ASSERT(parse_decimal(to_text(number)) == number);
    RC_ASSERT(to_double(number) == parse_python_float(to_text(number)));
    RC_ASSERT(to_double(decimal(to_plain_text(number))) == to_double(number));
}

RC_GTEST_PROP(Coerce, DoublesReadBack, (double number)) {
    if (std::isnan(number)) return;
    RC_ASSERT(to_double(decimal_from_double(number)) == number);
    const auto text = coerce(DataType::text, Value(number));
    RC_ASSERT(coerce(DataType::double_, *text)->as<double>() == number);
}

RC_GTEST_PROP(Coerce, AnyTextIsTakenOrNot, (const std::string& text)) {
    for (int type = 0; type < data_type_count; ++type) {
        const auto value = coerce(static_cast<DataType>(type), Value(text));
        if (value && !value->is_null()) coerce(DataType::text, *value);
    }
}

}  // namespace
}  // namespace tipple::schema
