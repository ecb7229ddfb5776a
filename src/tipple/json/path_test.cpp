#include "tipple/json/path.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::json {
namespace {

std::string matches(const std::string& path, const std::string& document) {
    const Value value = parse(document);
    Array found;
    for (const Value* match : Path::parse(path).find_all(value)) found.push_back(*match);
    return to_text(found);
}

TEST(Path, FindsInDocumentOrder) {
    const std::string document = R"({"a":{"b":[{"c":1},{"c":2},{"d":3}]},"x y":4,"@odata.nextLink":5})";
    EXPECT_EQ(matches("$", document), "[" + document + "]");
    EXPECT_EQ(matches("a.b[0].c", document), "[1]");
    EXPECT_EQ(matches("$.a.b[*].c", document), "[1,2]");
    EXPECT_EQ(matches("a.*[2]", document), R"([{"d":3}])");
    EXPECT_EQ(matches("['@odata.nextLink']", document), "[5]");
    EXPECT_EQ(matches("'x y'", document), "[4]");
    EXPECT_EQ(matches("$['x y']", document), "[4]");
    EXPECT_EQ(matches("a.missing", document), "[]");
    EXPECT_EQ(matches("a[0]", document), "[]");
}

std::string full_matches(const std::string& path, const std::string& document) {
    const Value value = parse(document);
    Array found;
    for (const Value* match : Path::parse(path, Path::Dialect::full).find_all(value)) found.push_back(*match);
    return to_text(found);
}

TEST(Path, FindsWhatTheReferenceFinds) {
    const std::string document = R"({"a":[0,1,2,3,4],"b":{"a":[5],"c":6},"d":[{"n":"x","v":1},{"n":"y","v":2,"u":null},{"n":"zz","v":"2"}]})";
    EXPECT_EQ(full_matches("a[-1]", document), "[4]");
    EXPECT_EQ(full_matches("a[-6]", document), "[]");
    EXPECT_EQ(full_matches("a[1:3]", document), "[1,2]");
    EXPECT_EQ(full_matches("a[ : -3 ]", document), "[0,1]");
    EXPECT_EQ(full_matches("a[-2:]", document), "[3,4]");
    EXPECT_EQ(full_matches("a[-9:2]", document), "[0,1]");
    EXPECT_EQ(full_matches("a[::2]", document), "[0,2,4]");
    EXPECT_EQ(full_matches("a[0,-1,2:4]", document), "[0,4,2,3]");
    EXPECT_EQ(full_matches("b['a','c']", document), "[[5],6]");
    EXPECT_EQ(full_matches("b.c|a", document), "[6,[5]]") << "what stands first comes first";
    EXPECT_EQ(full_matches("d[*].v | n", document), R"([1,"x",2,"y","2","zz"])");
    EXPECT_EQ(full_matches("b.c | $.a[0]", document), "[6,0]") << "whole paths";
    EXPECT_EQ(full_matches("$..a[0]", document), "[0,5]");
    EXPECT_EQ(full_matches("$..n", document), R"(["x","y","zz"])");
    EXPECT_EQ(full_matches("$..[?(@.v == 1)].n", document), R"(["x"])");
    EXPECT_EQ(full_matches("$..c", R"({"x":{"c":1},"c":2})"), "[2,1]") << "what lies less deep comes first, as in the reference";
}

TEST(Path, ManyWaysToOnePlaceAreOne) {
    std::string document = "1";
    for (int i = 0; i < 500; ++i) document = "[" + document + "]";
    const Value value = parse(document);
    EXPECT_EQ(Path::parse("$..*..*..*..*..*", Path::Dialect::full).find_all(value).size(), 496U);
    EXPECT_EQ(full_matches("a|a|$.a", R"({"a":1})"), "[1]");
}

TEST(Path, Filters) {
    const std::string document = R"({"d":[{"n":"x","v":1,"o":1},{"n":"y","v":2,"u":null},{"n":"zz9","v":"2","b":true}],"m":{"p":{"v":1},"q":{"v":3}},"s":[1,5,"t"]})";
    const auto names = [&](const std::string& filter) { return full_matches("d[?" + filter + "].n", document); };
    EXPECT_EQ(names("(@.v > 1)"), R"(["y"])") << "a text is no number";
    EXPECT_EQ(names("@.v == 2"), R"(["y"])");
    EXPECT_EQ(names("(@.v = '2')"), R"(["zz9"])");
    EXPECT_EQ(names("(v == 1)"), R"(["x"])") << "the reference reads a name like this, too";
    EXPECT_EQ(names("(@.u)"), R"(["y"])") << "null is there";
    EXPECT_EQ(names("(!@.u)"), R"(["x","zz9"])");
    EXPECT_EQ(names("(@.u == null)"), R"(["y"])") << "what is not there is not null";
    EXPECT_EQ(names("(@.u != 1)"), R"(["x","y","zz9"])");
    EXPECT_EQ(names("(@.b == true)"), R"(["zz9"])");
    EXPECT_EQ(names("(@.v == @.o)"), R"(["x"])");
    EXPECT_EQ(names("(@.v > 0 & @.n == \"y\")"), R"(["y"])");
    EXPECT_EQ(names("(@.n == 'x' || @.v == 2 && !(@.n == 'x'))"), R"(["x","y"])");
    EXPECT_EQ(names("(@.n =~ '^z+\\d$')"), R"(["zz9"])");
    EXPECT_EQ(names("(@.n =~ '^[a-z]+[\\d.]+$')"), R"(["zz9"])") << "classes within brackets";
    EXPECT_EQ(names("(@['n'] >= 'y')"), R"(["y","zz9"])");
    EXPECT_EQ(full_matches("m[?(@.v > 1)].v", document), "[3]") << "members have filters like elements";
    EXPECT_EQ(full_matches("s[?(@ > 1)]", document), "[5]");
}

TEST(Path, ClassesOfRegularExpressions) {
    const auto found = [](const std::string& expression) { return full_matches("[?(@ =~ '^" + expression + "$')]", R"(["1.5","a-b_1","a b","]","\\","^-","é"])"); };
    EXPECT_EQ(found("[\\d.]+"), R"(["1.5"])");
    EXPECT_EQ(found("[\\w-]+"), R"(["a-b_1"])");
    EXPECT_EQ(found("[a-z\\s]+"), R"(["a b"])");
    EXPECT_EQ(found("[^\\d\\s\\w]"), R"(["]","\\"])");
    EXPECT_EQ(found("\\w+\\s\\w+"), R"(["a b"])");
    EXPECT_EQ(found("[]]"), R"(["]"])") << "a bracket that comes first is one of the characters";
    EXPECT_EQ(found("[\\]]"), R"(["]"])") << "an escaped one, too";
    EXPECT_EQ(found("[a\\-_b1]+"), R"(["a-b_1"])") << "no range";
    EXPECT_EQ(found("[\\^-]+"), R"(["^-"])") << "no complement";
    EXPECT_EQ(found("[[:digit:].]+\\D?\\d"), R"(["1.5"])");
    for (const char* bad : {"[\\D]", "[\\W]", "[a\\n]", "[\\b]", "\\n", "\\Z"}) EXPECT_THROW(found(bad), Error) << bad << ": it would be a letter";
}

TEST(Path, IsWrittenAsItIsRead) {
    for (const char* path : {"$", "a.b[0].*", "a[*]", "a[-1]", "a[1:3]", "a[::2]", "a['b','c d']", "a|b.c", "a.b|$.c[0]|$", "x..a|b", "a|$[0]", "$..a", "a..b", "'a|b'", "' a'", "a[?(@.b > 1 && @.c == \"x\")].d"}) {
        const Path parsed = Path::parse(path, Path::Dialect::full);
        EXPECT_EQ(Path::parse(parsed.text(), Path::Dialect::full).text(), parsed.text()) << path;
    }
    EXPECT_EQ(Path::parse("$.a['b'][ -2 : ]..c[?( @.d )].e | f|$.g", Path::Dialect::full).text(), "a.b[-2:]..c[?( @.d )]['e','f']|$.g");
    EXPECT_EQ(Path::parse("a|b").text(), "'a|b'") << "a name in the plain dialect";
    EXPECT_EQ(Path::of_keys({"a|b", "c"}).text(), "'a|b'.c");
}

TEST(Path, WhatIsReadPieceByPieceTakesPlainPathsOnly) {
    for (const char* path : {"a[-1]", "a[1:2]", "a['b','c']", "a..b", "a[?(@.b)]"}) EXPECT_THROW(Path::parse(path), Error) << path;
}

TEST(Path, SaysWhatIsWrongInFilters) {
    for (const char* bad : {"a[?]", "a[?(@.b]", "a[?(@.b > )]", "a[?(@.b == [1])]", "a[?(@.b =~ 1)]", "a[?(@.b =~ '(')]", "a[?($.b)]", "a[::-1]", "a[-0]", "a[1,]", "a|", "|a", "a|*", "a[0]|b", "a|.b",  "a[?(@.b == 'x)]", "a...b", "a[?(@.b &&)]"}) {
        EXPECT_THROW(Path::parse(bad, Path::Dialect::full), Error) << bad;
    }
    EXPECT_THROW(Path::parse("a[?" + std::string(100'000, '('), Path::Dialect::full), Error);
    EXPECT_THROW(Path::parse("a[?" + std::string(100'000, '!'), Path::Dialect::full), Error);
    std::string filters;
    for (int i = 0; i < 100'000; ++i) filters += "a[?";
    EXPECT_THROW(Path::parse(filters, Path::Dialect::full), Error) << "filters within paths within filters";
    try {
        Path::parse("d[?(@.v >> 1)]", Path::Dialect::full);
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "bad path \"d[?(@.v >> 1)]\" at character 10: expected a number, true, false, null, a text in quotes or another path such as `@.name`");
    }
}

TEST(Path, SaysWhatIsWrongWhere) {
    for (const char* bad : {"", "a..b", "a[", "a[x]", "a['b]", ".a", "a[0", "a.", "$a"}) {
        EXPECT_THROW(Path::parse(bad), Error) << bad;
    }
}

}  // namespace
}  // namespace tipple::json
