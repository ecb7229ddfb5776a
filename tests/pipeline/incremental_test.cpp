// Cursors and limits in whole runs: what is read, what is remembered, and that neither depends on workers or timing.
#include <random>

#include "pipeline/pipeline_fixture.h"
#include "support/package_maker.h"

namespace tipple::pipeline {
namespace {

class IncrementalTest : public PipelineTest {
protected:
    static extract::ResourceSpec spec(const std::string& name, incremental::Spec cursor = {.cursor_path = "t"}) {
        return {.name = name, .primary_key = {"id"}, .incremental = std::move(cursor)};
    }
    RunReport run_pages(extract::ResourceSpec resource, std::vector<std::string> pages) {
        ScriptedSource source;
        add_pages(source, std::move(resource), std::move(pages));
        return run(source);
    }
    static void add_pages(ScriptedSource& source, extract::ResourceSpec resource, std::vector<std::string> pages) {
        source.add(std::move(resource), [pages = std::move(pages)](const auto&, extract::Output& out) {
            extract::Origin origin{.name = "pages", .byte_offset = 0, .line = 1, .record = 0};
            for (const std::string& page : pages) {
                if (!out.wants_more()) return;
                out.write(support::json_page(page, origin));
                origin.line += count_lines(page);
                origin.record += count_lines(page);
                origin.byte_offset += page.size();
            }
        });
    }
    std::string sources() {
        const auto dataset = destination_.read_dataset();
        return dataset && dataset->state ? json::to_text(*dataset->state->document.as_object().find("sources")) : "nothing";
    }
};

TEST_F(IncrementalTest, ReadsOnWhereItStopped) {
    const RunReport first = run_pages(spec("t"), {"{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":3}\n"});
    EXPECT_EQ(first.rows, 2U);
    files_->remove(config_.data_folder);
    const RunReport second = run_pages(spec("t"), {"{\"id\":2,\"t\":3}\n{\"id\":3,\"t\":3}\n{\"id\":4,\"t\":2}\n"});
    EXPECT_EQ(second.rows, 1U);
    EXPECT_EQ(second.filtered_records, 2U);
    EXPECT_EQ(values("t", "id"), "1 2 3");
    EXPECT_EQ(sources(), R"({"shop":{"resources":{"t":{"incremental":{"t":{"initial_value":null,"last_value":3,)"
                         R"("unique_hashes":["Cn/dwi436vBb","Tp44cKMYfAuJ"],"start_value":3}}}}}})");
    EXPECT_TRUE(run_pages(spec("t"), {"{\"id\":3,\"t\":3}\n{\"id\":2,\"t\":3}\n"}).load_ids.empty()) << "nothing new, nothing written";
}

TEST_F(IncrementalTest, AFailedRunReadsAgain) {
    run_pages(spec("t"), {"{\"id\":1,\"t\":1}\n"});
    const std::string before = sources();
    destination_.fail(FailPoint::finish, ErrorKind::data);
    ScriptedSource source;
    add_pages(source, spec("t"), {"{\"id\":2,\"t\":2}\n"});
    error_of(ErrorKind::data, source);
    EXPECT_EQ(sources(), before);
    EXPECT_EQ(run_pages(spec("t"), {"{\"id\":2,\"t\":2}\n"}).rows, 1U);
}

TEST_F(IncrementalTest, AWaitingPackageCarriesItsCursor) {
    run_pages(spec("t"), {"{\"id\":1,\"t\":1}\n"});
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    ScriptedSource source;
    add_pages(source, spec("t"), {"{\"id\":2,\"t\":2}\n"});
    error_of(ErrorKind::remote, source);
    EXPECT_EQ(run_pages(spec("t"), {"{\"id\":2,\"t\":2}\n{\"id\":3,\"t\":3}\n"}).rows, 1U);
    EXPECT_EQ(values("t", "id"), "1 2 3");
}

TEST_F(IncrementalTest, ErrorsNameThePlaceOfTheRecord) {
    ScriptedSource source;
    add_pages(source, spec("t"), {"{\"id\":1,\"t\":1}\n", "{\"id\":1,\"t\":1}\n{\"id\":2}\n"});
    const std::string message = error_of(ErrorKind::data, source);
    EXPECT_TRUE(contains(message, "pages:3")) << message;
    EXPECT_TRUE(contains(message, "no value for the cursor \"t\"")) << message;
}

TEST_F(IncrementalTest, BadRecordsKeepTheirPlaces) {
    ScriptedSource source;
    add_pages(source, spec("t", {.cursor_path = "t", .initial_value = std::int64_t{5}}), {"{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":6\n{\"id\":3,\"t\":7}\n"});
    const RunReport report = run(source, {.on_bad_record = OnBadRecord::skip});
    ASSERT_EQ(report.skipped.size(), 1U);
    EXPECT_EQ(report.skipped[0].line, 2U);
    EXPECT_EQ(report.skipped[0].record, 2U);
    EXPECT_EQ(values("t", "id"), "3");
}

TEST_F(IncrementalTest, ALimitOfRecordsStopsTheCursorThere) {
    ScriptedSource source;
    add_pages(source, spec("t"), {"{\"id\":1,\"t\":1}\n{\"id\":2,\"t\":2}\n{\"id\":3,\"t\":3}\n"});
    EXPECT_EQ(run(source, {.limit = 2}).rows, 2U);
    EXPECT_EQ(run(source).rows, 1U);
    EXPECT_EQ(values("t", "id"), "1 2 3");
}

TEST_F(IncrementalTest, ALimitOfPagesCountsThoseThatHaveRecordsLeft) {
    extract::ResourceSpec resource = spec("t", {.cursor_path = "t", .initial_value = std::int64_t{5}});
    resource.limit = 2;
    run_pages(resource, {"{\"id\":1,\"t\":1}\n", "{\"id\":2,\"t\":5}\n", "{\"id\":3,\"t\":6}\n", "{\"id\":4,\"t\":7}\n"});
    EXPECT_EQ(values("t", "id"), "2 3");
    EXPECT_TRUE(contains(sources(), R"("last_value":6)")) << sources();
}

TEST_F(IncrementalTest, ALimitOfNoneReadsNothing) {
    ScriptedSource source;
    source.add({.name = "t", .limit = 0}, [](const auto&, extract::Output&) { throw Error(ErrorKind::data, "it was read"); });
    EXPECT_EQ(run(source).rows, 0U);
}

TEST_F(IncrementalTest, WhatFailsBehindTheEndIsNotWanted) {
    ScriptedSource source;
    source.add({.name = "t", .limit = 1}, [](const auto&, extract::Output& out) {
        out.write(support::json_page("{\"id\":1}\n", {.name = "t"}));
        throw Error(ErrorKind::remote, "the second page cannot be read");
    });
    EXPECT_EQ(run(source).rows, 1U);
}

TEST_F(IncrementalTest, TheCursorsColumnIsMarked) {
    const RunReport report = run_pages(spec("t"), {"{\"id\":1,\"t\":1}\n"});
    EXPECT_TRUE(report.schema.require("t").find("t")->flag("incremental"));
}

/// All of a dataset: rows in order with their ids, and the state.
class IncrementalWorkersTest : public testing::TestWithParam<int> {
protected:
    std::string load(std::size_t workers, std::size_t page_bytes) {
        support::TemporaryFolder folder;
        const auto files = io::local_file_system();
        RecordingDestination destination(*files);
        support::StoppedClock clock;
        std::string out;
        std::mt19937 random(static_cast<unsigned>(GetParam()));
        for (int round = 0; round < 3; ++round) {
            clock.now += 1'000'000;
            ScriptedSource source;
            for (const std::string name : {"rising", "falling", "mixed", "few"}) add(source, name, round, random);
            Pipeline pipeline({.name = "shop", .data_folder = folder.path("data"), .tool_version = "test", .workers = workers}, destination, *files, clock, Log());
            Observer observer;
            const RunReport report =
                pipeline.run(source, {.page_bytes = page_bytes, .row_id_prefix = fmt::format("prefix{:02}", round)}, observer, {});
            out += fmt::format("rows {} records {} filtered\n", report.rows, report.records);
        }
        for (const std::string& table : destination.tables()) {
            for (const json::Value& row : destination.rows(table)) out += table + json::to_text(row) + "\n";
        }
        return out + json::to_text(*destination.read_dataset()->state->document.as_object().find("sources"));
    }

    static void add(ScriptedSource& source, const std::string& name, int round, std::mt19937& random) {
        std::string text;
        for (int i = 0; i < 300; ++i) {
            const int t = name == "rising" ? round * 50 + i / 4 : name == "falling" ? round * 50 + (300 - i) / 4 : static_cast<int>(random() % 60) + round * 20;
            text += fmt::format("{{\"id\":{},\"t\":{},\"l\":[{}]}}\n", random() % 500, t, i);
        }
        incremental::Spec cursor{.cursor_path = "t"};
        if (name == "falling") cursor.row_order = incremental::RowOrder::desc;
        extract::ResourceSpec resource{.name = name, .primary_key = {"id"}, .incremental = cursor};
        if (name == "few") resource.limit = 3;
        source.add(std::move(resource), [name, text](const auto& context, extract::Output& out) { ScriptedSource::write_lines(name, text, context, out); });
    }
};

TEST_P(IncrementalWorkersTest, NoRowIdOrStateDependsOnTheirNumber) {
    for (const std::size_t page_bytes : {std::size_t{60}, std::size_t{700}}) {
        const std::string expected = load(1, page_bytes);
        for (const std::size_t workers : {std::size_t{2}, std::size_t{3}, std::size_t{8}}) {
            EXPECT_EQ(load(workers, page_bytes), expected) << workers << " workers, " << page_bytes << " bytes";
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IncrementalWorkersTest, testing::Values(1, 2));

}  // namespace
}  // namespace tipple::pipeline
