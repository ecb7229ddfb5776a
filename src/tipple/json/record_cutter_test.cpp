#include "tipple/json/record_cutter.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::json {
namespace {

/// What is left of `text` when it arrives in pieces of `step` bytes: one record per entry.
std::vector<std::string> cut(const std::string& text, const std::string& path, std::size_t step,
                             std::size_t drop_above = 1) {
    RecordCutter cutter(Path::parse(path));
    std::string buffer;
    std::vector<std::string> records;
    const auto take = [&](std::size_t at_least) {
        if (cutter.complete_end() < at_least) return;
        const auto& starts = cutter.starts();
        std::string page = buffer.substr(0, cutter.complete_end());
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : page.size();
            std::string record = page.substr(starts[i], end - starts[i]);
            record.erase(record.find_last_not_of(" \n") + 1);
            records.push_back(record);
            // Nothing but blanks between records.
            std::fill(page.begin() + static_cast<std::ptrdiff_t>(starts[i]),
                      page.begin() + static_cast<std::ptrdiff_t>(starts[i] + record.size()), ' ');
        }
        EXPECT_EQ(page.find_first_not_of(" \n\t\r"), std::string::npos) << page;
        const std::size_t count = cutter.complete_end();
        buffer.erase(0, count);
        cutter.drop(count);
    };
    for (std::size_t i = 0; i < text.size(); i += step) {
        buffer += text.substr(i, step);
        cutter.scan(buffer.data(), buffer.size());
        take(drop_above);
    }
    cutter.finish();
    take(1);
    return records;
}

struct Case {
    const char* name;
    const char* path;
    std::string text;
    std::vector<std::string> records;
};

std::vector<Case> cases() {
    const std::string big = R"({"text":")" + std::string(300, 'x') + R"(\"}]{[","l":[[],[{}]]})";
    return {
        {"array", "$", R"([{"a":1},{"b":[1,2,{"c":"]"}]}])", {R"({"a":1})", R"({"b":[1,2,{"c":"]"}]})"}},
        {"scalars", "$", R"([1, "a,]b" ,null,-2.5e3])", {"1", R"("a,]b")", "null", "-2.5e3"}},
        {"empty array", "$", "[ ]", {}},
        {"nothing", "$", " \n", {}},
        {"one object", "$", "{\n \"a\": [1, 2]\n}\n", {"{\n \"a\": [1, 2]\n}"}},
        {"objects one after another", "$", R"({"a":1}{"a":2} {"a":3})", {R"({"a":1})", R"({"a":2})", R"({"a":3})"}},
        {"arrays one after another", "$", "[1][2]", {"1", "2"}},
        {"scalar at the end", "$", "17", {"17"}},
        {"escapes", "$", R"([{"a":"\\"},{"b":"\\\"]"}])", {R"({"a":"\\"})", R"({"b":"\\\"]"})"}},
        {"long strings", "$", "[" + big + "," + big + "]", {big, big}},
        {"member", "data", R"({"n":1,"x":{"data":[9]},"data":[{"a":1},{"a":2}],"next":"]"})", {R"({"a":1})", R"({"a":2})"}},
        {"member that is an object", "data", R"({"data":{"a":1}})", {R"({"a":1})"}},
        {"deeper", "a.b", R"({"a":{"c":[0],"b":[1,2]}} {"a":{"b":[3]}})", {"1", "2", "3"}},
        {"index", "a[1]", R"({"a":[[1],[2,3],[4]]})", {"2", "3"}},
        {"wildcard", "a[*].b", R"({"a":[{"b":[1]},{"c":0},{"b":[2,3]}]})", {"1", "2", "3"}},
        {"missing member", "data", R"({"x":[1]})", {}},
        {"escaped key does not match", "data", R"({"\"data":[1],"data":[2]})", {"2"}},
    };
}

TEST(RecordCutter, FindsRecordsWhateverThePieces) {
    for (const Case& c : cases()) {
        for (const std::size_t step : {1, 2, 3, 7, 63, 64, 65, 1000}) {
            EXPECT_EQ(cut(c.text, c.path, step), c.records) << c.name << " in pieces of " << step;
        }
        EXPECT_EQ(cut(c.text, c.path, 5, 40), c.records) << c.name << ", dropped rarely";
    }
}

TEST(RecordCutter, SaysWhereStructureIsBroken) {
    const auto message = [](const std::string& text, const std::string& path) -> std::string {
        try {
            cut(text, path, 4);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
            return error.what();
        }
        return "no error";
    };
    EXPECT_EQ(message("[{\"a\":1} {\"b\":2}]", "$"), "byte 9: expected a comma or the end of the list or object");
    EXPECT_EQ(message("[{\"a\":1}", "$"), "byte 8: the text ends inside an object or list; it is cut off");
    EXPECT_EQ(message("[1,,2]", "$"), "byte 3: a value is missing");
    EXPECT_EQ(message("{\"a\" 1}", "b"), "byte 5: expected `:` behind the name");
    EXPECT_EQ(message("{a:1}", "b"), "byte 1: expected a name in double quotes");
}

}  // namespace
}  // namespace tipple::json
