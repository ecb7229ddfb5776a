// Whole runs with a destination in memory: what is extracted, normalized, remembered and reported.
#include <pthread.h>

#include <fstream>
#include <iterator>

#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

TEST_F(PipelineTest, NeedsNoDatabaseLibrary) {
    std::ifstream maps("/proc/self/maps");
    const std::string loaded((std::istreambuf_iterator<char>(maps)), {});
    EXPECT_FALSE(contains(loaded, "duckdb"));
}

TEST_F(PipelineTest, RowsArriveInTheOrderOfTheSource) {
    std::string text;
    std::string expected;
    for (int i = 0; i < 500; ++i) {
        text += fmt::format("{{\"n\": {}, \"l\": [{{\"k\": {}}}, {{\"k\": {}}}]}}\n", i, 2 * i,
                            2 * i + 1);
        expected += fmt::format("{}{}", i == 0 ? "" : " ", i);
    }
    config_.workers = 4;
    const RunReport report = run_lines(text, {.page_bytes = 100});
    EXPECT_EQ(values("t", "n"), expected);
    EXPECT_EQ(destination_.rows("t__l").size(), 1'000U);
    EXPECT_EQ(report.records, 500U);
    EXPECT_EQ(report.rows, 1'500U);
    EXPECT_EQ(report.bytes_read, text.size());
    // Every nested row points at its parent.
    std::map<std::string, std::int64_t> parents;
    for (const json::Value& row : destination_.rows("t")) {
        parents[row.as_object().find("_dlt_id")->as_text()] = row.as_object().find("n")->as_int();
    }
    EXPECT_EQ(parents.size(), 500U);
    for (const json::Value& row : destination_.rows("t__l")) {
        const json::Object& object = row.as_object();
        EXPECT_EQ(parents.at(object.find("_dlt_parent_id")->as_text()),
                  object.find("k")->as_int() / 2);
        EXPECT_EQ(object.find("_dlt_list_idx")->as_int(), object.find("k")->as_int() % 2);
    }
}

TEST_F(PipelineTest, ReportsWhatIsNew) {
    RunReport report = run_lines(R"({"a": 1, "l": [1]})");
    ASSERT_EQ(report.tables.size(), 2U);
    EXPECT_EQ(report.tables[0].table, "t");
    EXPECT_TRUE(report.tables[0].is_new);
    EXPECT_EQ(report.tables[1].table, "t__l");
    EXPECT_EQ(report.tables[1].parent, "t");
    EXPECT_EQ(report.load_ids, destination_.loads());
    EXPECT_EQ(report.dataset, "main");
    report = run_lines(R"({"a": 2, "b": true})");
    ASSERT_EQ(report.tables.size(), 1U);
    EXPECT_FALSE(report.tables[0].is_new);
    ASSERT_EQ(report.tables[0].new_columns.size(), 1U);
    EXPECT_EQ(report.tables[0].new_columns[0].name(), "b");
    EXPECT_EQ(values("t", "b"), "- true");
}

TEST_F(PipelineTest, NamesTheColumnsThatNeverHadAValue) {
    const RunReport report = run_lines(
        "{\"a\": null, \"b\": null}\n{\"a\": 1, \"c\": {\"d\": null}}\n", {.page_bytes = 10});
    ASSERT_EQ(report.null_only.size(), 2U);
    EXPECT_EQ(report.null_only[0].column, "b");
    EXPECT_EQ(report.null_only[1].column, "c__d");
}

TEST_F(PipelineTest, SchemaGoesOnFromTheDestination) {
    run_lines(R"({"a": 1})");
    run_lines(R"({"a": "text"})");
    EXPECT_EQ(values("t", "a"), "1 -");
    EXPECT_EQ(values("t", "a__v_text"), "- \"text\"");
    // Whoever deletes the dataset starts afresh.
    destination_.clear();
    run_lines(R"({"a": "text"})");
    EXPECT_EQ(values("t", "a"), "\"text\"");
}

TEST_F(PipelineTest, LoadIdsRiseThoughTheClockGoesBack) {
    struct BackwardClock final : Clock {
        std::int64_t now_us() const override { return now -= 60'000'000; }
        std::int64_t steady_ns() const override { return 0; }
        mutable std::int64_t now = 1'795'404'633'000'000;
    } clock;
    for (int i = 0; i < 3; ++i) {
        ScriptedSource source;
        source.lines("t", R"({"a": 1})");
        Pipeline(config_, destination_, *files_, clock, Log()).run(source, {}, observer_, {});
    }
    ASSERT_EQ(destination_.loads().size(), 3U);
    EXPECT_LT(destination_.loads()[0], destination_.loads()[1]);
    EXPECT_LT(destination_.loads()[1], destination_.loads()[2]);
}

TEST_F(PipelineTest, StateIsWrittenWhenItChanges) {
    run_lines(R"({"a": 1})");
    run_lines(R"({"a": 2})");
    EXPECT_EQ(destination_.states(), 1U);
    const auto stored = destination_.read_dataset();
    ASSERT_TRUE(stored && stored->state);
    const json::Object& document = stored->state->document.as_object();
    EXPECT_EQ(stored->state->version, 1);
    EXPECT_EQ(document.find("pipeline_name")->as_text(), "shop");
    EXPECT_EQ(document.find("default_schema_name")->as_text(), "shop");
    EXPECT_EQ(document.find("destination_type")->as_text(), "tests.memory");
    EXPECT_EQ(stored->state->version_hash, destination::state_hash(document));
    // A second schema of the pipeline is news.
    config_.schema_name = "other";
    run_lines(R"({"a": 3})");
    EXPECT_EQ(destination_.states(), 2U);
    EXPECT_EQ(json::to_text(
                  *destination_.read_dataset()->state->document.as_object().find("schema_names")),
              R"(["other","shop"])");
}

// ---- nothing to load ----

TEST_F(PipelineTest, DryRunWritesNothing) {
    std::ignore = destination_.take_calls();
    const RunReport report =
        run_lines("{\"a\": 1, \"l\": [1, 2]}\n{\"a\": \"x\"}\n", {.is_dry_run = true});
    EXPECT_EQ(destination_.take_calls(), Calls{"read_dataset"});
    ASSERT_EQ(report.tables.size(), 2U);
    EXPECT_EQ(report.tables[0].rows, 2U);
    EXPECT_EQ(report.tables[1].rows, 2U);
    EXPECT_EQ(report.tables[0].new_columns.size(), 4U) << "a, a__v_text and the two ids";
    EXPECT_TRUE(report.load_ids.empty());
    EXPECT_TRUE(pending().empty());
    EXPECT_TRUE(finished().empty());
}

TEST_F(PipelineTest, DryRunLeavesPendingPackagesAlone) {
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    ScriptedSource source;
    source.lines("t", R"({"a": 1})");
    error_of(ErrorKind::remote, source);
    run_lines(R"({"a": 2})", {.is_dry_run = true});
    EXPECT_EQ(pending().size(), 1U);
    EXPECT_TRUE(destination_.loads().empty());
}

TEST_F(PipelineTest, ARunWithoutNewsLoadsNothing) {
    run_lines(R"({"a": 1})");
    std::ignore = destination_.take_calls();
    const RunReport report = run_lines("");
    EXPECT_EQ(destination_.take_calls(), Calls{"read_dataset"});
    EXPECT_TRUE(report.load_ids.empty());
    EXPECT_TRUE(pending().empty());
}

TEST_F(PipelineTest, ReplaceByNothingEmptiesTheTables) {
    run_lines(R"({"a": 1, "l": [1]})");
    ScriptedSource source;
    source.lines("t", "", schema::Disposition::replace);
    run(source);
    EXPECT_TRUE(destination_.rows("t").empty());
    EXPECT_TRUE(destination_.rows("t__l").empty());
}

// ---- bad records ----

constexpr const char* with_bad_lines =
    "{\"a\": 1}\n{\"a\": 2\n{\"a\": 3}\nnonsense\n{\"a\": 5, \"b\": [1, {\"c\": nul}]}\n{\"a\": "
    "6}\n";

TEST_F(PipelineTest, ABadRecordEndsTheRun) {
    ScriptedSource source;
    source.lines("t", with_bad_lines);
    const std::string message = error_of(ErrorKind::data, source);
    EXPECT_TRUE(contains(message, "t:2 (byte 9)")) << message;
    EXPECT_TRUE(contains(message, "--on-bad-record skip")) << message;
    EXPECT_EQ(destination_.take_calls(), Calls{"read_dataset"});
    EXPECT_TRUE(pending().empty());
    EXPECT_TRUE(files_->list(io::join_path(folder(), "packages")).empty());
}

TEST_F(PipelineTest, TheFirstBadRecordIsNamedWhateverWorkerFindsOne) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += i % 7 == 6 ? "{\"bad\n" : "{\"a\": 1}\n";
    config_.workers = 4;
    ScriptedSource source;
    source.lines("t", text);
    const std::string message = error_of(ErrorKind::data, source, {.page_bytes = 20});
    EXPECT_TRUE(contains(message, "t:7 (byte 54)")) << message;
}

TEST_F(PipelineTest, BadRecordsAreSkippedAndNamed) {
    for (const std::size_t page_bytes : {std::size_t{10}, std::size_t{1'000}}) {
        destination_.clear();
        const RunReport report = run_lines(
            with_bad_lines, {.on_bad_record = OnBadRecord::skip, .page_bytes = page_bytes});
        EXPECT_EQ(values("t", "a"), "1 3 6");
        EXPECT_EQ(destination_.rows("t__b").size(), 0U) << "no row of a record that is left out";
        EXPECT_EQ(report.skipped_count, 3U);
        ASSERT_EQ(report.skipped.size(), 3U);
        EXPECT_EQ(report.skipped[0].place(), "t:2 (byte 9)");
        EXPECT_EQ(report.skipped[1].place(), "t:4 (byte 26)");
        EXPECT_EQ(report.skipped[2].place(), "t:5 (byte 35)");
        EXPECT_EQ(report.skipped[1].text_excerpt, "nonsense");
    }
}

TEST_F(PipelineTest, ManySkippedRecordsAreCounted) {
    std::string text;
    for (int i = 0; i < 25; ++i) text += "oops\n{\"a\": 1}\n";
    const RunReport report =
        run_lines(text, {.on_bad_record = OnBadRecord::skip, .page_bytes = 30});
    EXPECT_EQ(report.skipped_count, 25U);
    EXPECT_EQ(report.skipped.size(), limits::bad_records_named_max);
    EXPECT_EQ(destination_.rows("t").size(), 25U);
}

TEST_F(PipelineTest, WhatTheSourceSkipsIsReportedToo) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const auto& context, extract::Output& out) {
        EXPECT_TRUE(context.skips_bad_records);
        out.skip({.origin = {.name = "x.csv", .byte_offset = 7, .line = 3, .record = 2},
                  .column = "c",
                  .reason = "no number",
                  .text = "1,x"});
        ScriptedSource::write_lines("t", R"({"a": 1})", context, out);
    });
    const RunReport report = run(source, {.on_bad_record = OnBadRecord::skip});
    ASSERT_EQ(report.skipped.size(), 1U);
    EXPECT_EQ(report.skipped[0].place(), "x.csv:3 (byte 7)");
    EXPECT_EQ(report.skipped[0].table, "t");
}

// ---- limit ----

TEST_F(PipelineTest, LimitIsExactOverPagesAndResources) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += fmt::format("{{\"n\": {}, \"l\": [1, 2]}}\n", i);
    for (const std::size_t workers : {std::size_t{1}, std::size_t{4}}) {
        for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100},
                                          std::uint64_t{130}, std::uint64_t{999}}) {
            destination_.clear();
            config_.workers = workers;
            ScriptedSource source;
            source.lines("a", text).lines("b", text);
            const RunReport report = run(source, {.limit = limit, .page_bytes = 70});
            const std::uint64_t expected = std::min<std::uint64_t>(limit, 200);
            EXPECT_EQ(report.records, expected) << workers;
            EXPECT_EQ(destination_.rows("a").size() + destination_.rows("b").size(), expected);
            EXPECT_EQ(destination_.rows("a").size(), std::min<std::uint64_t>(expected, 100));
            EXPECT_EQ(destination_.rows("a__l").size(), 2 * destination_.rows("a").size());
        }
    }
}

TEST_F(PipelineTest, LimitEndsASourceWithoutEnd) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const extract::ResourceContext&, extract::Output& out) {
        while (out.wants_more()) out.write(support::json_page("{\"a\": 1}\n", {.name = "endless"}));
    });
    EXPECT_EQ(run(source, {.limit = 1'000}).records, 1'000U);
}

// ---- files that are loaded twice ----

class InputsTest : public PipelineTest {
protected:
    RunReport load(const extract::InputFile& input,
                   schema::Disposition disposition = schema::Disposition::append) {
        ScriptedSource source = reading(input, disposition);
        return run(source);
    }
    static ScriptedSource reading(const extract::InputFile& input,
                                  schema::Disposition disposition = schema::Disposition::append) {
        ScriptedSource source;
        source.add({.name = "t", .disposition = disposition},
                   [input](const auto& context, extract::Output& out) {
                       out.begin_input(input);
                       ScriptedSource::write_lines("t", R"({"a": 1})", context, out);
                   });
        return source;
    }
    const extract::InputFile file_{.path = "/data/x.jsonl", .size = 8, .modified_ns = 1'000};
};

TEST_F(InputsTest, ASecondAppendOfAFileIsNoticed) {
    EXPECT_TRUE(load(file_).warnings.empty());
    const RunReport report = load(file_);
    ASSERT_EQ(report.warnings.size(), 1U);
    EXPECT_TRUE(contains(report.warnings[0], "/data/x.jsonl was loaded before"))
        << report.warnings[0];
    EXPECT_TRUE(contains(report.warnings[0], destination_.loads()[0])) << report.warnings[0];
    EXPECT_EQ(destination_.rows("t").size(), 2U);
}

TEST_F(InputsTest, ChangedFilesAndReplaceAndANewDatasetAreNot) {
    load(file_);
    extract::InputFile grown = file_;
    grown.size = 9;
    EXPECT_TRUE(load(grown).warnings.empty());
    extract::InputFile touched = grown;
    touched.modified_ns = 2'000;
    EXPECT_TRUE(load(touched).warnings.empty());
    EXPECT_TRUE(load(touched, schema::Disposition::replace).warnings.empty());
    destination_.clear();
    EXPECT_TRUE(load(touched).warnings.empty());
    EXPECT_EQ(load(touched).warnings.size(), 1U);
}

TEST_F(InputsTest, TheSameCommandAfterAFailureIsNotLoadedTwice) {
    destination_.fail(FailPoint::commit, ErrorKind::remote);
    ScriptedSource source = reading(file_);
    error_of(ErrorKind::remote, source);
    const RunReport report = load(file_);
    EXPECT_EQ(report.pending_finished, 1U);
    ASSERT_EQ(report.warnings.size(), 1U);
    EXPECT_TRUE(contains(report.warnings[0], "not loaded once more")) << report.warnings[0];
    EXPECT_EQ(destination_.rows("t").size(), 1U);
    EXPECT_EQ(destination_.loads().size(), 1U);
    // From here on it is a file that was loaded before.
    EXPECT_EQ(load(file_).warnings.size(), 1U);
    EXPECT_EQ(destination_.rows("t").size(), 2U);
}

TEST_F(InputsTest, AnotherFileAfterAFailureIsLoadedToo) {
    destination_.fail(FailPoint::commit, ErrorKind::remote);
    ScriptedSource source = reading(file_);
    error_of(ErrorKind::remote, source);
    extract::InputFile other = file_;
    other.path = "/data/y.jsonl";
    EXPECT_TRUE(load(other).warnings.empty());
    EXPECT_EQ(destination_.rows("t").size(), 2U);
}

TEST_F(InputsTest, AFileThatWasChangedAfterAFailureIsLoadedToo) {
    // As many rows as before say nothing: size and time do.
    const auto change = [&](auto member, auto value) {
        destination_.clear();
        destination_.fail(FailPoint::commit, ErrorKind::remote);
        ScriptedSource source = reading(file_);
        error_of(ErrorKind::remote, source);
        extract::InputFile changed = file_;
        changed.*member = value;
        EXPECT_TRUE(load(changed).warnings.empty());
        EXPECT_EQ(destination_.rows("t").size(), 2U);
    };
    change(&extract::InputFile::size, 9);
    change(&extract::InputFile::modified_ns, 2'000);
}

// ---- ends of a run ----

TEST_F(PipelineTest, AnErrorOfTheSourceEndsTheRun) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const auto& context, extract::Output& out) {
        ScriptedSource::write_lines("t", "{\"a\": 1}\n", context, out);
        throw Error(ErrorKind::remote, "the line is dead");
    });
    EXPECT_EQ(error_of(ErrorKind::remote, source), "the line is dead");
    EXPECT_EQ(destination_.take_calls(), Calls{"read_dataset"});
    EXPECT_TRUE(files_->list(io::join_path(folder(), "packages")).empty());
}

/// While it lives, no thread can be started: there is no memory for its stack.
class NoThreads {
public:
    NoThreads() {
        constexpr std::size_t stack_bytes = std::size_t{1} << 47;
        pthread_attr_init(&before_);
        pthread_getattr_default_np(&before_);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        EXPECT_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
        EXPECT_EQ(pthread_setattr_default_np(&attributes), 0);
        pthread_attr_destroy(&attributes);
    }
    ~NoThreads() {
        pthread_setattr_default_np(&before_);
        pthread_attr_destroy(&before_);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;

private:
    pthread_attr_t before_{};
};

TEST_F(PipelineTest, AThreadThatCannotBeStartedStopsTheOthers) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const extract::ResourceContext& context, extract::Output&) {
        const NoThreads none;
        context.run_together({[](const std::stop_token& stop) { EXPECT_TRUE(stop.stop_requested()); }, [](const std::stop_token&) { ADD_FAILURE() << "it was started"; }});
    });
    EXPECT_TRUE(contains(error_of(ErrorKind::local, source), "2 threads cannot be started"));
}

TEST_F(PipelineTest, ARunWhoseThreadsCannotBeStartedEnds) {
    ScriptedSource source;
    source.lines("t", "{\"a\": 1}\n");
    {
        const NoThreads none;
        EXPECT_TRUE(contains(error_of(ErrorKind::local, source), "threads cannot be started"));
    }
    EXPECT_EQ(run(source).rows, 1U);
}

TEST_F(PipelineTest, ASourceCanStartAgain) {
    ScriptedSource source;
    source.lines("before", "{\"a\": 1}\n");
    source.add({.name = "t"}, [](const auto& context, extract::Output& out) {
        ScriptedSource::write_lines("t", "{\"a\": 1, \"wrong\": [1]}\n{\"a\": 2}\n", context, out);
        out.restart_input();
        ScriptedSource::write_lines("t", "{\"a\": \"one\"}\n", context, out);
    });
    const RunReport report = run(source, {.page_bytes = 10});
    EXPECT_EQ(values("t", "a"), "\"one\"");
    EXPECT_EQ(values("before", "a"), "1");
    EXPECT_EQ(destination_.tables(), (std::vector<std::string>{"before", "t"}));
    EXPECT_EQ(report.schema.find("t")->find("wrong"), nullptr);
    EXPECT_EQ(report.records, 2U);
}

TEST_F(PipelineTest, AStopEndsAnEndlessSource) {
    std::stop_source stop;
    ScriptedSource source;
    source.add({.name = "t"}, [&](const extract::ResourceContext&, extract::Output& out) {
        for (int i = 0;; ++i) {
            if (i == 50) stop.request_stop();
            out.write(support::json_page("{\"a\": 1}\n", {.name = "endless"}));
        }
    });
    error_of(ErrorKind::cancelled, source, {}, stop.get_token());
    EXPECT_EQ(destination_.take_calls(), Calls{"read_dataset"});
    EXPECT_TRUE(files_->list(io::join_path(folder(), "packages")).empty());
    // The next run works.
    run_lines(R"({"a": 1})");
    EXPECT_EQ(values("t", "a"), "1");
}

TEST_F(PipelineTest, OneRunAtATime) {
    files_->create_folders(folder());
    const auto held = files_->try_lock(io::join_path(folder(), "lock"), "pid 7");
    ScriptedSource source;
    source.lines("t", R"({"a": 1})");
    const std::string message = error_of(ErrorKind::locked, source);
    EXPECT_TRUE(contains(message, "pid 7")) << message;
    EXPECT_TRUE(destination_.take_calls().empty());
}

TEST_F(PipelineTest, AMistypedKeyIsAnError) {
    ScriptedSource source;
    source.lines("t", R"({"order_id": 1})");
    const std::string message =
        error_of(ErrorKind::data, source, {.primary_key = std::vector<std::string>{"oder_id"}});
    EXPECT_TRUE(contains(message, "did you mean \"order_id\"?")) << message;
    EXPECT_TRUE(pending().empty());
}

TEST_F(PipelineTest, TemporaryFilesAreRemoved) {
    ScriptedSource source;
    source.add({.name = "t"}, [&](const extract::ResourceContext& context, extract::Output& out) {
        files_->create_folders(context.temp_folder);
        files_->write_text_durably(io::join_path(context.temp_folder, "spool"), "x");
        ScriptedSource::write_lines("t", R"({"a": 1})", context, out);
    });
    run(source);
    EXPECT_EQ(files_->find(io::join_path(folder(), "temp")), nullptr);
}

TEST_F(PipelineTest, OnlyTheNewestPackagesAreKept) {
    config_.packages_kept = 2;
    for (int i = 0; i < 4; ++i) run_lines(R"({"a": 1})");
    const auto kept = finished();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[1].load_id(), destination_.loads()[3]);
    EXPECT_EQ(kept[1].package_state(), package::PackageState::loaded);
}

}  // namespace
}  // namespace tipple::pipeline
