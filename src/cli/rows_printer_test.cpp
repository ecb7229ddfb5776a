#include "cli/rows_printer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tipple/core/error.h"
#include "tipple/json/value.h"

namespace tipple::cli {
namespace {

using destination::QueryResult;

constexpr Terminal terminal{.has_unicode = true, .width = 60};

std::string printed(const QueryResult& result, RowsFormat format) {
    testing::internal::CaptureStdout();
    print_rows(result, format, terminal);
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
}

TEST(Table, HasNumbersOnTheRight) {
    const QueryResult result{.columns = {{"name", "VARCHAR"}, {"count", "BIGINT"}, {"price", "DECIMAL(12,2)"}, {"list", "BIGINT[]"}},
                             .rows = {{"ann", "5", "1.50", "[1]"}, {"bernadette", "12345", "100.00", "[1, 2, 3]"}, {std::nullopt, std::nullopt, std::nullopt, std::nullopt}}};
    EXPECT_EQ(lines(format_table(result, terminal)), (std::vector<std::string>{"name        count   price  list",  //
                                                                              "──────────  ─────  ──────  ─────────",
                                                                              "ann             5    1.50  [1]",  //
                                                                              "bernadette  12345  100.00  [1, 2, 3]",  //
                                                                              "NULL         NULL    NULL  NULL"}));
}

TEST(Table, FitsIntoTheTerminal) {
    QueryResult result{.columns = {{"id", "BIGINT"}, {"short", "VARCHAR"}, {"long", "VARCHAR"}, {"longer", "VARCHAR"}}, .rows = {}};
    result.rows.push_back({"1", "abc", std::string(200, 'x'), std::string(300, 'y')});
    for (const std::size_t width : {40U, 60U, 100U}) {
        const std::vector<std::string> found = lines(format_table(result, {.has_unicode = true, .width = width}));
        ASSERT_EQ(found.size(), 3U);
        for (const std::string& line : found) EXPECT_LE(display_width(line), width) << line;
        EXPECT_NE(found[2].find("abc"), std::string::npos) << "narrow columns keep their values: " << found[2];
        EXPECT_NE(found[2].find("…"), std::string::npos);
    }
}

TEST(Table, OfNamedRowsCutsTheirNamesLast) {
    const std::string name = "a_name_of_thirty_one_characters";
    QueryResult result{.columns = {{"column", "VARCHAR"}, {"type", "VARCHAR"}, {"load", "VARCHAR"}}, .rows = {{name, "timestamp", std::string(40, 'x')}}};
    EXPECT_EQ(format_table(result, terminal).find(name), std::string::npos);
    const std::vector<std::string> found = lines(format_table(result, terminal, TableKind::named));
    EXPECT_TRUE(found[2].starts_with(name + "  timestamp  ")) << found[2];
    EXPECT_EQ(display_width(found[2]), terminal.width);
    // Where even that is not enough, the name is cut too.
    for (const std::string& line : lines(format_table(result, {.has_unicode = true, .width = 40}, TableKind::named))) EXPECT_LE(display_width(line), 40U) << line;
}

TEST(Table, OfManyColumnsKeepsEachReadable) {
    QueryResult result;
    destination::QueryRow row;
    for (int i = 0; i < 40; ++i) {
        result.columns.push_back({"column_" + std::to_string(i), "VARCHAR"});
        row.emplace_back("value " + std::to_string(i));
    }
    result.rows.push_back(row);
    EXPECT_NE(format_table(result, terminal).find("colum…"), std::string::npos);
}

TEST(Table, IsOneLinePerRowWhateverIsInIt) {
    const QueryResult result{.columns = {{"text", "VARCHAR"}}, .rows = {{"a\nb\tc\x1b[31m"}}};
    const std::vector<std::string> found = lines(format_table(result, terminal));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[2].find('\x1b'), std::string::npos) << "values must not reach the terminal's controls";
}

TEST(Csv, QuotesWhatNeedsIt) {
    const QueryResult result{.columns = {{"a,b", "VARCHAR"}, {"c", "VARCHAR"}},
                             .rows = {{"plain", "with, comma"}, {"say \"hi\"", "two\nlines"}, {std::nullopt, ""}}};
    EXPECT_EQ(printed(result, RowsFormat::csv), "\"a,b\",c\nplain,\"with, comma\"\n\"say \"\"hi\"\"\",\"two\nlines\"\n,\"\"\n");
}

TEST(Json, IsJsonForEveryType) {
    const QueryResult result{.columns = {{"i", "BIGINT"}, {"d", "DOUBLE"}, {"huge", "HUGEINT"}, {"b", "BOOLEAN"}, {"t", "VARCHAR"}, {"j", "JSON"}, {"l", "BIGINT[]"}},
                             .rows = {{"1", "1.5", "170141183460469231731687303715884105727", "true", "say \"hi\"\n", "{\"a\":[1]}", "[1, 2]"},
                                      {std::nullopt, "nan", std::nullopt, "false", "", "null", "[]"},
                                      {"-1", "inf", std::nullopt, std::nullopt, std::nullopt, "\"text\"", std::nullopt},
                                      {"-1", "-inf", std::nullopt, std::nullopt, std::nullopt, "5", std::nullopt}}};
    json::Value document;
    ASSERT_TRUE(json::try_parse(printed(result, RowsFormat::json), document));
    const json::Array rows = document.as_array();
    ASSERT_EQ(rows.size(), 4U);
    const json::Object& first = rows[0].as_object();
    EXPECT_EQ(*first.find("i"), json::Value(1));
    EXPECT_EQ(*first.find("huge"), json::Value("170141183460469231731687303715884105727")) << "a number would lose digits where it is read";
    EXPECT_EQ(*first.find("b"), json::Value(true));
    EXPECT_EQ(*first.find("t"), json::Value("say \"hi\"\n"));
    EXPECT_TRUE(first.find("j")->is_object());
    for (std::size_t row = 1; row < 4; ++row) EXPECT_TRUE(rows[row].as_object().find("d")->is_null()) << "JSON has no such number";
    EXPECT_EQ(*rows[2].as_object().find("j"), json::Value("text"));

    const std::vector<std::string> found = lines(printed(result, RowsFormat::jsonl));
    ASSERT_EQ(found.size(), 4U);
    for (std::size_t row = 0; row < found.size(); ++row) {
        ASSERT_TRUE(json::try_parse(found[row], document)) << found[row];
        EXPECT_EQ(document, rows[row]);
    }
}

TEST(Json, OfNoRowsIsAnEmptyList) {
    EXPECT_EQ(printed({.columns = {{"a", "BIGINT"}}, .rows = {}}, RowsFormat::json), "[]\n");
    EXPECT_EQ(printed({.columns = {{"a", "BIGINT"}}, .rows = {}}, RowsFormat::jsonl), "");
}

TEST(Formats, AreKnownByName) {
    EXPECT_EQ(require_rows_format("jsonl"), RowsFormat::jsonl);
    EXPECT_THROW(require_rows_format("xml"), Error);
}

}  // namespace
}  // namespace tipple::cli
