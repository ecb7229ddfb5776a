#include "tipple/json/value.h"

#include <gtest/gtest.h>

#include <limits>

#include "tipple/core/error.h"

namespace tipple::json {
namespace {

std::string rewritten(const std::string& text, WriteOptions options = {}) {
    return to_text(parse(text), options);
}

TEST(JsonValue, ReadsAndWritesEveryKind) {
    const std::string text =
        R"({"n":null,"t":true,"f":false,"i":-5,"big":18446744073709551615,"d":1.5,"s":"é\n\"","l":[1,[],{}],"o":{"x":{}}})";
    EXPECT_EQ(rewritten(text), text);
    EXPECT_EQ(rewritten(" [1 , 2 ]\n"), "[1,2]");
    for (const char* scalar : {"null", "true", "17", "-1.5", "\"a\""}) EXPECT_EQ(rewritten(scalar), scalar);
}

TEST(JsonValue, KeepsTheFirstPlaceAndTheLastValueOfARepeatedName) {
    EXPECT_EQ(rewritten(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
}

TEST(JsonValue, SortsKeysAtAllDepths) {
    EXPECT_EQ(rewritten(R"({"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]})", {.key_order = KeyOrder::sorted}),
              R"({"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}})");
}

TEST(JsonValue, WritesPretty) {
    EXPECT_EQ(rewritten(R"({"a":[1,2],"b":{},"c":[]})", {.spacing = Spacing::pretty}),
              "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

TEST(JsonValue, IntegersBeyond64BitsBecomeDoubles) {
    EXPECT_EQ(rewritten("[9223372036854775808,123456789012345678901234,-9223372036854775809]"),
              "[9223372036854775808,1.2345678901234569e23,-9.223372036854776e18]");
    EXPECT_EQ(parse("[123456789012345678901234,5]").as_array()[1], Value(5)) << "the walk goes on behind it";
}

TEST(JsonValue, RejectsWhatIsNotJson) {
    for (const char* bad : {"", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "NaN", "01", "1.", "\"\\x\"", "\"\\ud800\"",
                            "{} {}", "[1}", "'a'", "\"a\nb\"", "\xff", "truee", "[1x]", "[1/2]", "[1.0\x01]", "{\"a\":1/0 }", "1x", "[123456789012345678901234x]"}) {
        EXPECT_THROW(parse(bad), Error) << bad;
        Value value;
        EXPECT_FALSE(try_parse(bad, value)) << bad;
    }
}

TEST(JsonValue, ResolvesEscapes) {
    EXPECT_EQ(parse(R"("\u00e9\u0041\ud83d\ude80\/\\\b\f\n\r\t\"")").as_text(), "éA🚀/\\\b\f\n\r\t\"");
    const std::string longer(100, 'x');
    EXPECT_EQ(parse("\"" + longer + "\\n" + longer + "\"").as_text(), longer + "\n" + longer);
}

TEST(JsonValue, EscapesAndResolvesWhereverItStands) {
    for (const std::string_view special : {"\"", "\\", "\x01", "\x1f", "\n", "\x7f", " ", "é", "\xff"}) {
        for (std::size_t before = 0; before < 20; ++before) {
            for (const std::size_t behind : {0U, 1U, 9U, 100'000U}) {
                const std::string text = std::string(before, 'a') + std::string(special) + std::string(behind, '~');
                const std::string written = json::quoted(text);
                const bool is_escaped = special == "\"" || special == "\\" || (special.size() == 1 && special[0] >= 0 && special[0] < ' ');
                EXPECT_EQ(written.size() > text.size() + 2, is_escaped) << written.substr(0, 40);
                // Half a character is no text.
                if (special != "\xff") {
                    EXPECT_EQ(parse(written).as_text(), text);
                }
            }
        }
    }
}

TEST(JsonValue, RefusesNestingBeyondTheLimit) {
    EXPECT_THROW(parse(std::string(2000, '[') + std::string(2000, ']')), Error);
    EXPECT_NO_THROW(parse(std::string(900, '[') + std::string(900, ']')));
}

TEST(JsonValue, PrintsNumbersLikeTheReference) {
    struct Case {
        double number;
        const char* json;
        const char* python;
    };
    const Case cases[] = {
        {1.0, "1.0", "1.0"},
        {0.1, "0.1", "0.1"},
        {100.0, "100.0", "100.0"},
        {1e15, "1000000000000000.0", "1000000000000000.0"},
        {1e16, "1e16", "1e+16"},
        {1.2345678901234568e17, "1.2345678901234568e17", "1.2345678901234568e+17"},
        {1e-4, "0.0001", "0.0001"},
        {1.5e-5, "0.000015", "1.5e-05"},
        {1e-7, "1e-7", "1e-07"},
        {-2.5, "-2.5", "-2.5"},
        {0.0, "0.0", "0.0"},
        {-0.0, "-0.0", "-0.0"},
        {5e-324, "5e-324", "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308", "1.7976931348623157e+308"},
    };
    for (const Case& c : cases) {
        std::string text;
        append_number(text, c.number);
        EXPECT_EQ(text, c.json);
        EXPECT_EQ(python_number(c.number), c.python);
    }
    EXPECT_EQ(python_number(std::numeric_limits<double>::infinity()), "inf");
    EXPECT_EQ(to_text(Value(std::numeric_limits<double>::quiet_NaN())), "null");
}

TEST(JsonObject, FindsSetsAndErases) {
    Object object{{"a", 1}, {"b", 2}};
    object.set("a", 5);
    object["c"] = "x";
    EXPECT_TRUE(object.erase("b"));
    EXPECT_FALSE(object.erase("b"));
    EXPECT_EQ(to_text(object), R"({"a":5,"c":"x"})");
    EXPECT_EQ(object.find("b"), nullptr);
}

}  // namespace
}  // namespace tipple::json
