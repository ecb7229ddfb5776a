#include "tipple/json/check.h"

#include <gtest/gtest.h>

#include "tipple/json/value.h"

namespace tipple::json {
namespace {

TEST(JsonCheck, TakesWhatParsingTakes) {
    std::string deep = "1";
    for (int i = 0; i < limits::json_depth_max + 1; ++i) deep = "[" + deep + "]";
    const std::string less_deep = deep.substr(2, deep.size() - 4);
    const std::string long_text = "\"" + std::string(100'000, 'x') + "\"";
    Checker checker;
    int taken = 0;
    for (const std::string& text : std::initializer_list<std::string>{
             "null", "true", "false", "0", "-1.5e3", "123456789012345678901234567890", "\"a\"", R"("\u00e9\n\\")", "{}", "[]", R"({"a": [1, {"b": null}], "a": 2})", " [1]\n", less_deep, long_text,
             "", " ", "nul", "truee", "+1", "01", "1.", "1e999", "--1", "NaN", "'a'", "\"a", R"("\x")", R"({"\q": 1})", "\"\x01\"", "\"\xff\"", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a: 1}", "{oops",
             "[1 2]", "1 2", "{} {}", "]", "[}", deep}) {
        Value ignored;
        const bool is_json = try_parse(text, ignored);
        EXPECT_EQ(checker.is_document(text), is_json) << text.substr(0, 100);
        taken += is_json ? 1 : 0;
    }
    EXPECT_GE(taken, 14);
}

}  // namespace
}  // namespace tipple::json
