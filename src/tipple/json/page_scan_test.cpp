#include "tipple/json/page_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

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
    for (const Span& span : scanner.scan(page.data(), text.size(), Path::parse(path, Path::Dialect::full), {}).records) records.push_back(page.substr(span.begin, span.size()));
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
    for (const char* path : {"next.u", "n", "none", "data[-1].id", "data[0].id", "data"}) paths.push_back(Path::parse(path, Path::Dialect::full));
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

TEST(PageScan, FiltersSlicesAndDepths) {
    const std::string text = R"({"r":[{"id":1,"k":"a"},{"id":2,"k":"b","in":[{"id":3,"k":"a"}]},{"id":4}],"n":{"next":"deep"},"next":"top"})";
    EXPECT_EQ(records_of(text, "r[?(@.k == 'a')]"), Texts{R"({"id":1,"k":"a"})"});
    EXPECT_EQ(records_of(text, "r[1:]"), (Texts{R"({"id":2,"k":"b","in":[{"id":3,"k":"a"}]})", R"({"id":4})"}));
    EXPECT_EQ(records_of(text, "r[?(@.in[?(@.id > 2)])]"), Texts{R"({"id":2,"k":"b","in":[{"id":3,"k":"a"}]})"});
    EXPECT_EQ(records_of(text, "$..id"), (Texts{"1", "2", "3", "4"}));
    EXPECT_EQ(records_of(R"({"x":{"c":1},"c":2})", "$..c"), (Texts{"2", "1"}));
    EXPECT_EQ(records_of(text, "r[2] | $.r[0]"), (Texts{R"({"id":4})", R"({"id":1,"k":"a"})"}));
    EXPECT_EQ(records_of(text, "r | $.r[0]"), records_of(text, "r")) << "none comes twice";
    const std::string page = padded(text);
    PageScanner scanner;
    const PageScan scan = scanner.scan(page.data(), text.size(), Path::parse("r[?(@.id > 9)]", Path::Dialect::full), {Path::parse("$..next", Path::Dialect::full)});
    EXPECT_TRUE(scan.records.empty());
    EXPECT_EQ(scan.candidates.size(), 3U) << "they were there";
    EXPECT_FALSE(scan.has_own_order);
    EXPECT_EQ(scan.values[0], Value("top"));
    EXPECT_TRUE(scanner.scan(page.data(), text.size(), Path::parse("$..[?(@.k)]", Path::Dialect::full), {}).has_own_order) << "one lies in the other";
    EXPECT_FALSE(scanner.scan(page.data(), text.size(), Path::parse("r[*] | $.n", Path::Dialect::full), {}).has_own_order);
}

/// What a page held, whatever its filters think of it: else a filter would end the pages, or make one look like another.
TEST(PageScan, WhatFiltersLeaveOutWasThere) {
    const auto candidates_of = [](const std::string& text, const std::string& path) {
        const std::string page = padded(text);
        PageScanner scanner;
        Texts candidates;
        for (const Span& span : scanner.scan(page.data(), text.size(), Path::parse(path, Path::Dialect::full), {}).candidates) candidates.push_back(page.substr(span.begin, span.size()));
        return candidates;
    };
    const std::string sections = R"({"sections":[{"kind":"items","rows":[]},{"kind":"ads","rows":[{"id":1},{"id":2}]}],"b":[3]})";
    EXPECT_EQ(candidates_of(sections, "sections[?(@.kind == 'items')].rows"), (Texts{R"({"id":1})", R"({"id":2})"}));
    EXPECT_EQ(candidates_of(sections, "sections[0:1][?(@.kind)].rows"), Texts{}) << "a section is no record";
    EXPECT_EQ(candidates_of(sections, "sections[?(@.none)].rows[?(@.id > 1)].id"), (Texts{"1", "2"}));
    EXPECT_EQ(candidates_of(sections, "sections[?(@.none)]|$.b"), (Texts{R"({"kind":"items","rows":[]})", R"({"kind":"ads","rows":[{"id":1},{"id":2}]})", "3"})) << "of all alternatives";
    EXPECT_EQ(candidates_of(sections, "b"), Texts{}) << "without a filter they are the records";
    EXPECT_EQ(records_of(sections, "sections[?(@.none)]|$.sections[1]"), Texts{R"({"kind":"ads","rows":[{"id":1},{"id":2}]})"}) << "left out by one alternative, taken by another";
    EXPECT_EQ(records_of(sections, "$..[?(@.none)]..id"), Texts{});
    EXPECT_EQ(records_of(sections, "$..[?(@.id > 1 || @.kind == 'ads')]..id"), (Texts{"1", "2"}));
}

/// One walk over the index finds what looking through a document finds, in the same order.
TEST(PageScan, FindsWhatADocumentHolds) {
    std::mt19937 random(4711);
    const auto number = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    const Texts names = {"a", "b", "c"};
    const std::function<Value(int)> value = [&](int depth) -> Value {
        const unsigned kind = depth == 0 ? number(3) : number(8);
        if (kind == 0) return static_cast<int>(number(4));
        if (kind == 1) return names[number(3)];
        if (kind == 2) return number(2) == 0 ? Value() : Value(true);
        if (kind < 5) {
            Array list;
            for (unsigned i = number(4); i > 0; --i) list.push_back(value(depth - 1));
            return list;
        }
        Object object;
        for (const std::string& name : names) {
            if (number(3) != 0) object.set(name, value(depth - 1));
        }
        return object;
    };
    const Texts steps = {"a", "b", "*", "[0]", "[-1]", "[1:]", "[:-1]", "[?(@.a)]", "[?(@.a > 1 || @.b == 'c')]", "[?(!@..c)]", "['a','c']", "[0,-1]", "c|a"};
    const auto without_filters = [&](std::string path) {
        for (const std::string& step : steps) {
            if (!step.starts_with("[?")) continue;
            for (std::size_t at = path.find(step); at != std::string::npos; at = path.find(step)) path.replace(at, step.size(), "[*]");
        }
        return Path::parse(path, Path::Dialect::full);
    };
    const auto begins = [](const std::vector<Span>& spans) {
        std::set<std::size_t> places;
        for (const Span& span : spans) places.insert(span.begin);
        return places;
    };
    int matches = 0;
    for (int round = 0; round < 20'000; ++round) {
        const auto path = [&] {
            std::string text = "$";
            for (unsigned i = 1 + number(3); i > 0; --i) {
                const std::string& step = steps[number(static_cast<unsigned>(steps.size()))];
                text += number(4) == 0 ? ".." : step.front() == '[' ? "" : ".";
                text += step;
            }
            return text;
        };
        const std::string path_text = number(5) == 0 ? path() + "|" + path() : path();
        const Path parsed = Path::parse(path_text, Path::Dialect::full);
        const Value document = value(4);
        const std::string text = to_text(document);
        const std::string page = padded(text);
        const std::vector<const Value*> found = parsed.find_all(document);
        PageScanner scanner;
        const PageScan scan = scanner.scan(page.data(), text.size(), parsed, {parsed});
        ASSERT_EQ(scan.values[0], found.empty() ? std::optional<Value>() : std::optional<Value>(*found.front())) << path_text << "\n" << text;
        ASSERT_EQ(scan.has_selection, !found.empty());
        // Lists give their elements, null gives nothing, and nothing comes twice.
        std::vector<const Value*> wanted;
        const auto add = [&](const Value& one) {
            if (std::find(wanted.begin(), wanted.end(), &one) == wanted.end()) wanted.push_back(&one);
        };
        for (const Value* one : found) {
            if (one->is_array()) {
                for (const Value& element : one->as_array()) add(element);
            } else if (!one->is_null()) {
                add(*one);
            }
        }
        Texts expected;
        for (const Value* one : wanted) expected.push_back(to_text(*one));
        Texts records;
        for (const Span& span : scan.records) records.push_back(page.substr(span.begin, span.size()));
        ASSERT_EQ(records, expected) << path_text << "\n" << text;
        const std::vector<Span> unfiltered = scanner.scan(page.data(), text.size(), without_filters(path_text), {}).records;
        ASSERT_EQ(begins(scan.candidates), begins(parsed.has_filter() ? unfiltered : std::vector<Span>())) << path_text << "\n" << text;
        matches += static_cast<int>(found.size());
    }
    EXPECT_GT(matches, 5'000);
}

TEST(PageScan, ManyWaysToOnePlaceAreOne) {
    std::string text = "1";
    for (int i = 0; i < 900; ++i) text = "[" + text + "]";
    EXPECT_EQ(records_of(text, "$..*..*..*..*..*").size(), 895U) << "on the way there are more ways than any memory holds";
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
        const Path parsed = Path::parse(path, Path::Dialect::full);
        EXPECT_EQ(Path::parse(parsed.text(), Path::Dialect::full).steps(), parsed.steps()) << path << " became " << parsed.text();
    }
    EXPECT_THROW(Path::parse("a[-1]"), Error);
}

}  // namespace
}  // namespace tipple::json
