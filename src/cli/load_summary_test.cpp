#include "cli/load_summary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

using pipeline::RunReport;

/// Tables t000, t001, …; the last one has most rows.
RunReport make_report(std::size_t tables) {
    RunReport report{.dataset = "main", .destination = "shop.duckdb", .load_ids = {"1.5"}, .records = 1};
    for (std::size_t i = 0; i < tables; ++i) {
        report.tables.push_back({.table = fmt::format("t{:03}", i), .rows = i + 1, .is_new = i == 0});
        report.rows += i + 1;
    }
    return report;
}

std::string summary(const RunReport& report, const SummaryOptions& options) { return format_summary(report, options, {}, Terminal{}); }

std::size_t lines_with(const std::string& text, std::string_view start) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) count += text.compare(at, start.size(), start) == 0 ? 1 : 0;
    return count;
}

TEST(Summary, CountsOneAsOne) {
    const std::string text = summary(make_report(1), {.target = "shop.duckdb"});
    EXPECT_NE(text.find("1 row in 1 table into shop.duckdb"), std::string::npos) << text;
    EXPECT_NE(summary(make_report(2), {.target = "shop.duckdb"}).find("3 rows in 2 tables"), std::string::npos);
}

TEST(Summary, ShowsTheLargestOfManyTables) {
    const std::string text = summary(make_report(501), {.target = "shop.duckdb", .dataset = "raw"});
    EXPECT_EQ(lines_with(text, "t"), 22U) << "head, twenty tables, total\n" << text;
    EXPECT_NE(text.find("\nt500  "), std::string::npos);
    EXPECT_EQ(text.find("\nt480  "), std::string::npos);
    EXPECT_NE(text.find("\nand 481 more tables with 115,921 rows, 1 of them new or changed; to see all: -v, or tipple schema shop.duckdb --dataset raw\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("125,751 rows in 501 tables"), std::string::npos) << text;
}

TEST(Summary, ShowsAllTablesWhenAskedOrFew) {
    for (const std::string& text : {summary(make_report(501), {.shows_all_tables = true}), summary(make_report(20), {})}) {
        EXPECT_EQ(text.find(" more table"), std::string::npos) << text;
    }
    EXPECT_EQ(lines_with(summary(make_report(501), {.shows_all_tables = true}), "t"), 503U);
}

TEST(Summary, BreaksLinesBetweenTheirPartsOnATerminal) {
    RunReport report = make_report(2);
    report.tables[1].parent = "t000";
    const std::string joined = " p JOIN \"t001\" c ON";
    const std::string broken = " p\n           JOIN \"t001\" c ON";
    const SummaryOptions options{.target = "shop.duckdb"};
    const auto at = [&](bool is_terminal, std::size_t width) { return format_summary(report, options, {}, {.is_stdout_terminal = is_terminal, .width = width}); };
    EXPECT_NE(at(true, 200).find(joined), std::string::npos);
    EXPECT_NE(at(true, 200).find("dataset main   load 1.5\n"), std::string::npos);
    EXPECT_NE(at(true, 50).find(broken), std::string::npos) << at(true, 50);
    EXPECT_NE(at(true, 50).find("dataset main\n  load 1.5\n"), std::string::npos) << at(true, 50);
    EXPECT_NE(at(false, 50).find(joined), std::string::npos) << "a file has no width";
}

TEST(Notes, NameOnlyWhatThereIs) {
    RunReport report = make_report(1);
    report.filtered_rows = 1;
    report.discarded_values = 1;
    const std::string text = format_notes(report, Terminal{});
    EXPECT_NE(text.find("left out 1 nested row\n"), std::string::npos) << text;
    EXPECT_NE(text.find("left out 1 value\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace tipple::cli
