#include <gtest/gtest.h>

#include "support/package_maker.h"
#include "support/temporary_folder.h"
#include "tipple/destinations/duckdb/memory_plan.h"

namespace tipple::destinations::duckdb {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

std::string largest_column(const std::string& table) { return "largest_of_" + table; }

/// The MiB of `--memory` that the message asks for; 0 where the plan fits.
std::size_t asked(MemoryPlan plan, std::size_t block_bytes) {
    try {
        fit_to_blocks(plan, block_bytes, largest_column);
    } catch (const Error& error) {
        const std::string message = error.what();
        return std::stoull(message.substr(message.find("--memory ") + 9));
    }
    return 0;
}

package::Manifest manifest_of(std::uint64_t rows, std::uint64_t raw_bytes) {
    package::Manifest manifest;
    manifest.jobs.push_back(
        {.name = "t.000001.arrow", .table = "t", .rows = rows, .raw_bytes = raw_bytes});
    return manifest;
}

TEST(BatchRows, AreAWholeRowGroupWhereItFits) {
    const MemoryPlan plan{.batch_bytes = 64 * mib};
    EXPECT_EQ(batch_rows(manifest_of(1'000'000, 100'000'000), "t", plan), 122'880U);
    EXPECT_EQ(batch_rows(manifest_of(1'000'000, 6'710'886'400), "t", plan), 10'000U);
    // However long rows are, they are not handed over one by one.
    EXPECT_EQ(batch_rows(manifest_of(10, 10'000'000'000), "t", plan), 32U);
    EXPECT_EQ(batch_rows(manifest_of(10, 10), "another", plan), 122'880U);
}

TEST(BatchRows, FilesByReferenceDoNotCount) {
    package::Manifest manifest = manifest_of(1'000, 64'000'000);
    manifest.jobs.push_back({.name = "t.000002.ref",
                             .table = "t",
                             .rows = 1'000'000,
                             .raw_bytes = 1,
                             .reference = package::FileReference{}});
    EXPECT_EQ(batch_rows(manifest, "t", {.batch_bytes = 64 * mib}), 1'048U);
}

TEST(RowGroups, OfWideRowsFitIntoHalfOfTheEnginesMemory) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 1'000, .rows = 150'000, .row_bytes = 8'192}}, .threads = 1, .engine_bytes = 256 * mib};
    EXPECT_EQ(row_group_rows(plan), 16'384U);
    plan.threads = 2;
    EXPECT_EQ(row_group_rows(plan), 8'192U);
    plan.engine_bytes = mib;
    EXPECT_EQ(row_group_rows(plan), 2'048U) << "there is none below it";
    plan.engine_bytes = 4'096 * mib;
    EXPECT_EQ(row_group_rows(plan), 0U) << "a whole one fits";
    plan.engine_bytes = 256 * mib;
    plan.tables[0].rows = 3'000;
    EXPECT_EQ(row_group_rows(plan), 0U) << "so do all rows";
}

TEST(RowGroups, OfNarrowRowsAreTheEnginesOwn) {
    const MemoryPlan plan{.tables = {{.name = "t", .columns = 20, .rows = 700'000, .row_bytes = 8'192}}, .threads = 2, .engine_bytes = 64 * mib};
    EXPECT_EQ(row_group_rows(plan), 0U);
}

TEST(FitToBlocks, OneThreadWhereTwoDoNotFit) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 300, .rows = 1'000'000}},
                    .memory_bytes = 400 * mib,
                    .threads = 2};
    MemoryPlan small = plan;
    fit_to_blocks(plan, 262'144, largest_column);
    EXPECT_EQ(plan.threads, 2U);
    small.memory_bytes = 260 * mib;
    fit_to_blocks(small, 262'144, largest_column);
    EXPECT_EQ(small.threads, 1U);
    EXPECT_LT(small.engine_bytes, small.memory_bytes);
}

TEST(FitToBlocks, WhatFitsNowhereIsNamed) {
    MemoryPlan plan{.tables = {{.name = "narrow", .columns = 3, .rows = 9},
                               {.name = "wide", .columns = 2'000, .rows = 150'000}},
                    .memory_bytes = 256 * mib,
                    .threads = 2};
    try {
        fit_to_blocks(plan, 262'144, largest_column);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(to_text(error.kind()), std::string("local"));
        EXPECT_TRUE(std::string(error.what()).find("table \"wide\" has 2000 columns") !=
                    std::string::npos)
            << error.what();
        EXPECT_TRUE(std::string(error.what()).find("Give --memory ") != std::string::npos)
            << error.what();
    }
    // Few rows need few buffers; no limit, no question.
    plan.tables[1].rows = 10;
    fit_to_blocks(plan, 262'144, largest_column);
    plan.tables[1].rows = 150'000;
    plan.memory_bytes = 0;
    fit_to_blocks(plan, 262'144, largest_column);
}

TEST(FitToBlocks, LongValuesAreNamed) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 3, .rows = 9, .row_bytes = 30e6, .batch_bytes = 80'000'000}},
                    .memory_bytes = 256 * mib,
                    .threads = 2};
    try {
        fit_to_blocks(plan, 262'144, largest_column);
        FAIL();
    } catch (const Error& error) {
        EXPECT_TRUE(std::string(error.what()).find("has 3 columns and values of up to 80") != std::string::npos) << error.what();
    }
    // With enough, the engine gets all there is.
    plan.memory_bytes = 1'024 * mib;
    fit_to_blocks(plan, 262'144, largest_column);
    EXPECT_GT(plan.engine_bytes, 512 * mib);
}

TEST(FitToBlocks, TextsThatAreWrittenTogetherAreNamed) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 3, .rows = 3'000, .row_bytes = 2e6, .batch_bytes = 2'000'000}},
                    .memory_bytes = 448 * mib,
                    .threads = 2};
    try {
        fit_to_blocks(plan, 262'144, largest_column);
        FAIL();
    } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("table \"t\" has 3 columns and rows of about 2.0 MB, most of it in column \"largest_of_t\", of which the engine writes 2048 at a time"), std::string::npos)
            << message;
        EXPECT_NE(message.find("keep such values in files"), std::string::npos) << message;
    }
    const std::size_t memory = asked(plan, 262'144);
    // Fourteen tenths of 2,048 texts, twice, since the engine may have half.
    EXPECT_NEAR(static_cast<double>(memory), 2 * 1.4 * 2'048 * 2e6 / (1 << 20), 200);
    plan.memory_bytes = memory * mib - limits::program_bytes;
    EXPECT_NO_THROW(fit_to_blocks(plan, 262'144, largest_column));
    // Few of them, or short ones, fit.
    plan.memory_bytes = 448 * mib;
    plan.tables[0].rows = 40;
    EXPECT_NO_THROW(fit_to_blocks(plan, 262'144, largest_column));
    plan.tables[0].rows = 3'000;
    plan.tables[0].row_bytes = 50e3;
    EXPECT_NO_THROW(fit_to_blocks(plan, 262'144, largest_column));
}

TEST(FitToBlocks, RoomForValuesThatDoNotComeIsNotMemory) {
    // Measured: the engine counts 400 MB for one row of 3,000 texts, of which a quarter is ever touched.
    MemoryPlan plan{.tables = {{.name = "t", .columns = 3'031, .rows = 1}}, .memory_bytes = 448 * mib, .threads = 1};
    fit_to_blocks(plan, 65'536, largest_column);
    EXPECT_GT(plan.engine_bytes, 450 * mib);
    plan.tables[0].rows = 200;
    fit_to_blocks(plan, 65'536, largest_column);
    EXPECT_LT(plan.engine_bytes, 448 * mib);
}

TEST(FitToBlocks, OneRecordOfThousandsOfTextsFitsTheDefault) {
    // Measured: the engine counts 133 kB for each text, the process grows by 40 at most.
    constexpr std::size_t columns = 8'476;
    MemoryPlan plan{.tables = {{.name = "t", .columns = columns, .rows = 1}}, .memory_bytes = limits::memory_default - limits::program_bytes, .threads = 1};
    EXPECT_EQ(asked(plan, 65'536), 0U);
    fit_to_blocks(plan, 65'536, largest_column);
    EXPECT_GT(plan.engine_bytes, columns * 133'000);
    EXPECT_GT(plan.engine_bytes - plan.untouched_bytes, columns * 40'000);
    EXPECT_LT(plan.engine_bytes - plan.untouched_bytes, plan.memory_bytes);
}

TEST(FitToBlocks, OfFewWideRowsLongValuesAreMemory) {
    const MemoryPlan::TableSize wide{.name = "wide", .columns = 500, .rows = 1};
    const MemoryPlan::TableSize longer{.name = "longer", .columns = 3, .rows = 128, .row_bytes = 4e6};
    const MemoryPlan::TableSize both{.name = "both", .columns = 500, .rows = 128, .row_bytes = 4e6};
    for (const auto& tables : {std::vector{both}, std::vector{wide, longer}}) {
        MemoryPlan plan{.tables = tables, .memory_bytes = 448 * mib, .threads = 1};
        EXPECT_THROW(fit_to_blocks(plan, 65'536, largest_column), Error) << tables.back().name;
        plan.memory_bytes = 2'048 * mib;
        EXPECT_NO_THROW(fit_to_blocks(plan, 65'536, largest_column)) << tables.back().name;
    }
}

TEST(FitToBlocks, ForFewWideRowsItAsksForWhatIsTouched) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 3'002, .rows = 1}}, .memory_bytes = 32 * mib, .threads = 1};
    const std::size_t memory = asked(plan, 65'536);
    ASSERT_GT(memory, 0U);
    EXPECT_LT(memory, 350U) << "the process grows by 120 MB";
    plan.memory_bytes = memory * mib - limits::program_bytes;
    EXPECT_NO_THROW(fit_to_blocks(plan, 65'536, largest_column));
}

TEST(FitToBlocks, TheMemoryItAsksForIsEnough) {
    for (const std::size_t columns : {std::size_t{600}, std::size_t{1'000}, std::size_t{3'000}}) {
        MemoryPlan plan{.tables = {{.name = "t", .columns = columns, .rows = 150'000}},
                        .memory_bytes = 32 * mib,
                        .threads = 1};
        const std::size_t memory = asked(plan, 262'144);
        ASSERT_GT(memory, 0U);
        plan.memory_bytes = memory * mib - limits::program_bytes;
        EXPECT_NO_THROW(fit_to_blocks(plan, 262'144, largest_column)) << columns;
    }
}

TEST(FitToBlocks, RowGroupsOfWideTablesAreRemembered) {
    MemoryPlan plan{.tables = {{.name = "t", .columns = 3'000, .rows = 150'000}}, .memory_bytes = 448 * mib, .threads = 1};
    const std::size_t few = asked(plan, 65'536);
    plan.tables[0].rows = 1'500'000;
    const std::size_t many = asked(plan, 65'536);
    // 659 more row groups of 2,048, 320 bytes of each column of each; the message asks for 32 21sts of it, for batches and what the engine does not count.
    EXPECT_NEAR(static_cast<double>(many - few), 659 * 320 * 3'000.0 / (1 << 20) * 32 / 21, 2);
    // Narrow tables have whole ones.
    plan.tables = {{.name = "t", .columns = 400, .rows = 150'000}};
    plan.memory_bytes = 32 * mib;
    const std::size_t narrow = asked(plan, 65'536);
    plan.tables[0].rows = 1'500'000;
    EXPECT_EQ(asked(plan, 65'536), narrow);
    EXPECT_GT(narrow, 0U);
}

TEST(RowGroups, OfAllThreadsAreWholeOrThreeQuartersOrNotToBeHad) {
    MemoryPlan plan{.tables = {{.name = "narrow", .columns = 5, .rows = 950'468, .row_bytes = 56}, {.name = "t", .columns = 47, .rows = 633'611, .row_bytes = 300}},
                    .memory_bytes = 448 * mib,
                    .threads = 2};
    EXPECT_EQ(rows_for_all_threads(plan), 122'880U);
    plan.tables[1].row_bytes = 670;
    EXPECT_EQ(rows_for_all_threads(plan), 94'208U);
    plan.tables[1].row_bytes = 1'000;
    EXPECT_EQ(rows_for_all_threads(plan), 0U);
    plan.memory_bytes = 1'024 * mib;
    EXPECT_EQ(rows_for_all_threads(plan), 122'880U);
    plan.threads = 8;
    EXPECT_EQ(rows_for_all_threads(plan), 0U);
    plan.tables[1].rows = 10'000;
    EXPECT_EQ(rows_for_all_threads(plan), 122'880U) << "there are only so many rows";
}

class PlanTest : public testing::Test {
protected:
    MemoryPlan plan(std::size_t columns, std::size_t memory_bytes, std::size_t threads) {
        std::string hints;
        for (std::size_t i = 0; i < columns; ++i)
            hints += fmt::format("{}\"c{}\": \"bigint\"", i == 0 ? "" : ", ", i);
        maker_.table("t", "{}", "{" + hints + "}");
        maker_.table("empty", "{}", R"({"a": "bigint"})");
        maker_.begin(fmt::format("{}.0", ++packages_))
            .load(schema::Disposition::replace, {"t"})
            .load(schema::Disposition::replace, {"empty"});
        maker_.rows("t", R"([{"c0": 1}, {"c0": 2}])");
        return plan_memory(maker_.close(std::nullopt), memory_bytes, threads);
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    support::StoppedClock clock_;
    support::PackageMaker maker_{*files_, clock_, folder_.path()};
    int packages_ = 0;
};

TEST_F(PlanTest, SharesTheBudget) {
    const MemoryPlan narrow = plan(10, 512 * mib, 2);
    ASSERT_EQ(narrow.tables.size(), 1U) << "tables without rows need nothing";
    EXPECT_EQ(narrow.tables[0].rows, 2U);
    EXPECT_EQ(narrow.threads, 1U) << "a second one would only cost";
    EXPECT_EQ(narrow.layout.block_bytes, 0U);
    EXPECT_EQ(narrow.batch_bytes, 512 * mib / 6);
    EXPECT_EQ(narrow.engine_bytes, 224 * mib) << "what the engine takes besides needs room too";
}

TEST_F(PlanTest, WideTablesGetSmallBlocksAndOneThread) {
    const MemoryPlan wide = plan(500, 512 * mib, 2);
    EXPECT_EQ(wide.threads, 1U);
    EXPECT_EQ(wide.layout.block_bytes, 65'536U);
}

TEST_F(PlanTest, NoLimitIsNoLimit) {
    const MemoryPlan unlimited = plan(3, 0, 0);
    EXPECT_EQ(unlimited.engine_bytes, 0U);
    EXPECT_EQ(unlimited.threads, 1U);
    EXPECT_EQ(unlimited.batch_bytes, limits::text_buffer_bytes_max);
}

}  // namespace
}  // namespace tipple::destinations::duckdb
