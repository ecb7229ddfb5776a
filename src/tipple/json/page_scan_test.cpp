#include "tipple/json/page_scan.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"

namespace tipple::json {
namespace {

using Texts = std::vector<std::string>;

std::string padded(std::string text) { return text.append(limits::json_padding, ' '); }

Texts records_of(const std::string& text, const std::string& path) {
    const std::string page = padded(text);
    PageScanner scanner;
    Texts records;
    for (const Span& span : scanner.scan(page.data(), text.size(), Path::parse(path), {}).records) records.push_back(page.substr(span.begin, span.size()));
    return records;
}

TEST(PageScan, FindsRecordsWithoutWhatIsAroundThem) {
    EXPECT_EQ(records_of(R"( [ {"a": [1, {}]} , 2 ,"x\"]" , null,true ] )", "$"), (Texts{R"({"a": [1, {}]})", "2", R"("x\"]")", "null", "true"}));
    EXPECT_EQ(records_of(R"({"x":1,"d":{"r":[{"i":1},{"i":2}]},"y":[3]})", "d.r"), (Texts{R"({"i":1})", R"({"i":2})"}));
    EXPECT_EQ(records_of(R"({"g":[{"r":[1]},{"r":[2,3]},{}]})", "g[*].r"), (Texts{"1", "2", "3"}));
    EXPECT_EQ(records_of(R"({"r":{"i":1}})", "r"), Texts{R"({"i":1})"});
    EXPECT_EQ(records_of(R"({"r":null})", "r"), Texts{});
    EXPECT_EQ(records_of(R"({"r":7})", "r"), Texts{"7"});
    EXPECT_EQ(records_of("17", "$"), Texts{"17"});
    EXPECT_EQ(records_of(R"({"a b":[1]})", "'a b'"), Texts{"1"}) << "a name with an escape in the text";
}

TEST(PageScan, ReadsValuesOnTheWay) {
    const std::string text = R"({"data":[{"id":1,"t":{"n":"x"}},{"id":2}],"next":{"u":"v"},"n":null})";
    const std::string page = padded(text);
    PageScanner scanner;
    std::vector<Path> paths;
    for (const char* path : {"next.u", "n", "none", "data[-1].id", "data[0].id", "data"}) paths.push_back(Path::parse(path, Path::FromEnd::allowed));
    const PageScan scan = scanner.scan(page.data(), text.size(), Path::parse("data"), paths);
    EXPECT_EQ(scan.records.size(), 2U);
    EXPECT_EQ(scan.values[0], Value("v"));
    EXPECT_EQ(scan.values[1], Value());
    EXPECT_EQ(scan.values[2], std::nullopt);
    EXPECT_EQ(scan.values[3], Value(2));
    EXPECT_EQ(scan.values[4], Value(1));
    EXPECT_EQ(scan.values[5]->as_array().size(), 2U);
    EXPECT_EQ(scanner.values_of(scan.records[0], {Path::parse("t.n"), Path::parse("id")}), (std::vector<std::optional<Value>>{Value("x"), Value(1)}));
    EXPECT_EQ(scanner.values_of(scan.records[1], {Path::parse("t.n")}), (std::vector<std::optional<Value>>{std::nullopt}));
}

TEST(PageScan, BrokenTextIsAnErrorWithItsPlace) {
    for (const char* text : {"", "{", "[1", "[1,]", "{\"a\" 1}", "[1] 2", "<html>", "\"\xff\"", "[\"a]", "{\"a\":1}}", "]"}) {
        const std::string page = padded(text);
        PageScanner scanner;
        EXPECT_THROW(scanner.scan(page.data(), std::string(text).size(), Path::parse("a"), {}), Error) << text;
    }
}

TEST(PageScan, OutlinesAreSmall) {
    const std::string text = R"({"a":[{"b":[1,2,3]},{"c":1}],"d":{"e":{"f":{"g":1}}},"h":[]})";
    EXPECT_EQ(to_text(read_outline(padded(text).data(), text.size(), 4)), R"({"a":[{"b":[1]}],"d":{"e":{"f":{"g":1}}},"h":[]})");
    EXPECT_EQ(to_text(read_outline(padded(text).data(), text.size(), 2)), R"({"a":[null],"d":{"e":null},"h":[]})");
}

TEST(JsonPath, IsWrittenAsItIsRead) {
    for (const char* path : {"$", "a.b", "a[0].b", "a[-1]", "*.a", "'a b'.c", "'@odata.nextLink'", "'it\\'s'"}) {
        const Path parsed = Path::parse(path, Path::FromEnd::allowed);
        EXPECT_EQ(Path::parse(parsed.text(), Path::FromEnd::allowed).steps(), parsed.steps()) << path << " became " << parsed.text();
    }
    EXPECT_THROW(Path::parse("a[-1]"), Error);
}

}  // namespace
}  // namespace tipple::json
