// How a package gets to the destination: the order of calls, what is tried again, and what a failed
// load leaves behind.
#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

class LoadTest : public PipelineTest {
protected:
    ScriptedSource source_ = [] {
        ScriptedSource source;
        source.lines("a", "{\"n\": 1, \"l\": [{\"k\": 1}, {\"k\": 2}]}\n{\"n\": 2}\n")
            .lines("b", "{\"n\": 3}\n");
        return source;
    }();

    void expect_loaded_once() {
        EXPECT_EQ(values("a", "n"), "1 2");
        EXPECT_EQ(values("a__l", "k"), "1 2");
        EXPECT_EQ(values("b", "n"), "3");
        EXPECT_EQ(destination_.loads().size(), 1U);
        EXPECT_TRUE(pending().empty());
    }
    void expect_nothing_loaded() {
        EXPECT_TRUE(destination_.tables().empty());
        EXPECT_TRUE(destination_.loads().empty());
    }
};

TEST_F(LoadTest, CallsComeInThisOrder) {
    const RunReport report = run(source_);
    const std::string id = report.load_ids.at(0);
    EXPECT_EQ(destination_.take_calls(),
              (Calls{"read_dataset", "begin " + id, "apply create=a create=a__l create=b",
                     "load a append", "load a__l append", "load b append", "finish", "commit"}));
    expect_loaded_once();
    EXPECT_EQ(observer_.events, (std::vector<std::string>{"extract started", "extract finished 5",
                                                          "load started", "load finished 5"}));
    const auto packages = finished();
    ASSERT_EQ(packages.size(), 1U);
    std::vector<std::string> steps;
    for (const json::Value& line : packages[0].read_journal())
        steps.push_back(line.as_object().find("step")->as_text());
    EXPECT_EQ(steps, (std::vector<std::string>{"closed", "committing", "committed", "loaded"}));
}

TEST_F(LoadTest, ColumnsAreAddedBeforeAnyRow) {
    run_lines(R"({"n": 1})");
    std::ignore = destination_.take_calls();
    run_lines(R"({"n": "x", "new": 1.5, "l": [1]})");
    const Calls calls = destination_.take_calls();
    ASSERT_GE(calls.size(), 4U);
    EXPECT_EQ(calls[2], "apply create=t__l add=t.n__v_text.new");
    EXPECT_EQ(calls[3], "load t append");
}

TEST_F(LoadTest, ReplaceIsAskedForTableByTable) {
    run(source_);
    std::ignore = destination_.take_calls();
    ScriptedSource source;
    source.lines("a", "{\"n\": 9}\n", schema::Disposition::replace);
    run(source);
    const Calls calls = destination_.take_calls();
    EXPECT_EQ(Calls(calls.begin() + 3, calls.end() - 2),
              (Calls{"load a replace", "load a__l replace"}));
    EXPECT_EQ(values("a", "n"), "9");
    EXPECT_TRUE(destination_.rows("a__l").empty());
    EXPECT_EQ(values("b", "n"), "3");
}

// ---- errors that pass ----

class TransientTest : public LoadTest, public testing::WithParamInterface<FailPoint> {};

TEST_P(TransientTest, TheWholeTransactionIsTriedAgain) {
    destination_.fail(GetParam(), ErrorKind::transient, 2);
    run(source_);
    expect_loaded_once();
    EXPECT_EQ(observer_.retries.size(), 2U);
    const Calls calls = destination_.take_calls();
    EXPECT_EQ(count(calls, "begin"), 3U);
    // Before each repeat: was the attempt before committed after all?
    EXPECT_EQ(count(calls, "has_load"), 2U);
    EXPECT_EQ(count(calls, "rollback"), GetParam() == FailPoint::begin ? 0U : 2U);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, TransientTest,
                         testing::Values(FailPoint::begin, FailPoint::apply, FailPoint::load,
                                         FailPoint::finish, FailPoint::commit));

TEST_F(LoadTest, ALostAnswerToTheCommitIsNoSecondLoad) {
    destination_.fail(FailPoint::committed, ErrorKind::transient);
    const RunReport report = run(source_);
    expect_loaded_once();
    EXPECT_EQ(report.load_ids, destination_.loads());
    const Calls calls = destination_.take_calls();
    EXPECT_EQ(count(calls, "begin"), 1U);
    EXPECT_EQ(calls.back(), "has_load " + report.load_ids.at(0));
}

TEST_F(LoadTest, RetriesEnd) {
    // The destination asks for a millisecond each time.
    config_.retry_budget_seconds = 0.0035;
    destination_.fail(FailPoint::load, ErrorKind::transient, 5);
    EXPECT_TRUE(contains(error_of(ErrorKind::transient, source_), "tried 5 times"));
    EXPECT_EQ(observer_.retries.size(), 4U);
    EXPECT_EQ(count(destination_.take_calls(), "begin"), 5U);
    expect_nothing_loaded();
    EXPECT_EQ(pending().size(), 1U);
    // What is pending is loaded by the next run, though that has nothing of its own.
    ScriptedSource nothing;
    run(nothing);
    expect_loaded_once();
}

TEST_F(LoadTest, AskingWhetherTheLoadIsThereIsTriedAgainToo) {
    destination_.fail(FailPoint::committed, ErrorKind::transient);
    destination_.fail(FailPoint::find_load, ErrorKind::transient, 2);
    run(source_);
    expect_loaded_once();
    EXPECT_EQ(observer_.retries.size(), 3U);
    EXPECT_EQ(count(destination_.take_calls(), "begin"), 1U);
}

TEST_F(LoadTest, AStopEndsTheRetries) {
    destination_.fail(FailPoint::load, ErrorKind::transient, 5);
    std::stop_source stop;
    observer_.stop_on_retry = &stop;
    EXPECT_EQ(error_from(ErrorKind::cancelled,
                         [&] {
                             Pipeline(config_, destination_, *files_, clock_, Log())
                                 .run(source_, {}, observer_, stop.get_token());
                         }),
              "stopped");
    EXPECT_EQ(observer_.retries.size(), 1U);
    expect_nothing_loaded();
    // Whoever stopped the command and repeats it has its rows read again.
    EXPECT_TRUE(pending().empty());
}

// ---- errors that stay ----

class TerminalTest : public LoadTest, public testing::WithParamInterface<FailPoint> {};

TEST_P(TerminalTest, NothingIsTriedAgainAndNothingIsThere) {
    destination_.fail(GetParam(), ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    EXPECT_TRUE(observer_.retries.empty());
    const Calls calls = destination_.take_calls();
    EXPECT_EQ(count(calls, "begin"), 1U);
    EXPECT_EQ(count(calls, "rollback"), GetParam() == FailPoint::begin ? 0U : 1U);
    expect_nothing_loaded();
    const auto waiting = pending();
    ASSERT_EQ(waiting.size(), 1U);

    // The next run asks for the package, finishes it, and then does its own work.
    const RunReport report = run_lines(R"({"n": 4})");
    EXPECT_EQ(observer_.pending, waiting);
    EXPECT_EQ(report.pending_finished, 1U);
    EXPECT_EQ(report.load_ids, (std::vector<std::string>{waiting[0], destination_.loads()[1]}));
    const Calls next = destination_.take_calls();
    EXPECT_EQ(Calls(next.begin(), next.begin() + 2),
              (Calls{"has_load " + waiting[0], "begin " + waiting[0]}));
    EXPECT_EQ(values("a", "n"), "1 2");
    EXPECT_EQ(values("t", "n"), "4");
    EXPECT_TRUE(pending().empty());
}

INSTANTIATE_TEST_SUITE_P(Everywhere, TerminalTest,
                         testing::Values(FailPoint::begin, FailPoint::apply, FailPoint::load,
                                         FailPoint::finish, FailPoint::commit));

TEST_F(LoadTest, APendingPackageThatIsThereIsClosed) {
    destination_.fail(FailPoint::committed, ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    ASSERT_EQ(pending().size(), 1U);
    std::ignore = destination_.take_calls();
    ScriptedSource nothing;
    run(nothing);
    EXPECT_EQ(count(destination_.take_calls(), "begin"), 0U);
    expect_loaded_once();
    EXPECT_EQ(finished().at(0).package_state(), package::PackageState::loaded);
}

TEST_F(LoadTest, APendingPackageThatFailsKeepsTheSourceFromBeingRead) {
    destination_.fail(FailPoint::commit, ErrorKind::remote, 2);
    error_of(ErrorKind::remote, source_);
    bool is_read = false;
    ScriptedSource source;
    source.add({.name = "t"}, [&](const auto&, auto&) { is_read = true; });
    error_of(ErrorKind::remote, source);
    EXPECT_FALSE(is_read);
    EXPECT_EQ(pending().size(), 1U);
    run(source);
    EXPECT_TRUE(is_read);
    EXPECT_EQ(values("a", "n"), "1 2");
}

TEST_F(LoadTest, AStopBetweenTablesRollsBack) {
    std::stop_source stop;
    destination_.on_call = [&](const std::string& call) {
        if (call == "load a append") stop.request_stop();
    };
    error_of(ErrorKind::cancelled, source_, {}, stop.get_token());
    expect_nothing_loaded();
    EXPECT_EQ(destination_.take_calls().back(), "rollback");
    EXPECT_TRUE(pending().empty());
    destination_.on_call = {};
    run(source_);
    expect_loaded_once();
}

TEST_F(LoadTest, AStopLeavesThePackageOfAnEarlierRunWaiting) {
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    std::stop_source stop;
    destination_.on_call = [&](const std::string& call) {
        if (call == "load a append") stop.request_stop();
    };
    error_of(ErrorKind::cancelled, source_, {}, stop.get_token());
    expect_nothing_loaded();
    EXPECT_EQ(pending().size(), 1U);
    destination_.on_call = {};
    ScriptedSource nothing;
    run(nothing);
    expect_loaded_once();
}

TEST_F(LoadTest, PackagesOfAnotherDestinationStayAsTheyAre) {
    destination_.fail(FailPoint::commit, ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    RecordingDestination other(*files_, "elsewhere");
    ScriptedSource nothing;
    Pipeline(config_, other, *files_, clock_, Log()).run(nothing, {}, observer_, {});
    EXPECT_TRUE(other.tables().empty());
    EXPECT_EQ(pending().size(), 1U);
}

// ---- packages that the destination refuses ----

class RefusedTest : public LoadTest, public testing::WithParamInterface<ErrorKind> {};

TEST_P(RefusedTest, AreSetAsideSoThatTheNextRunWorks) {
    destination_.fail(FailPoint::begin, GetParam());
    error_of(GetParam(), source_);
    EXPECT_TRUE(pending().empty());
    EXPECT_EQ(finished().at(0).package_state(), package::PackageState::failed);
    run(source_);
    expect_loaded_once();
}

TEST_P(RefusedTest, ThoseOfAnEarlierRunToo) {
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    const std::string id = pending().at(0);
    destination_.fail(FailPoint::begin, GetParam());
    const std::string message = error_of(GetParam(), source_);
    EXPECT_TRUE(contains(message, "package " + id + " of an earlier run")) << message;
    run(source_);
    expect_loaded_once();
}

INSTANTIATE_TEST_SUITE_P(Kinds, RefusedTest,
                         testing::Values(ErrorKind::usage, ErrorKind::data, ErrorKind::corrupt,
                                         ErrorKind::conflict));

/// A wrong password says nothing about a package.
TEST_P(RefusedTest, ThoseOfWhichTheDestinationCannotBeAskedWait) {
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    error_of(ErrorKind::remote, source_);
    const std::vector<std::string> waiting = pending();
    destination_.fail(FailPoint::find_load, GetParam());
    EXPECT_TRUE(contains(error_of(GetParam(), source_), "the rows wait in package " + waiting.at(0)));
    EXPECT_EQ(pending(), waiting);
    ScriptedSource nothing;
    run(nothing);
    expect_loaded_once();
}

/// The commit may be there: whoever forgets the package loads its rows twice.
TEST_P(RefusedTest, ACommitInDoubtThatCannotBeAskedForStaysInDoubt) {
    destination_.fail(FailPoint::committed, ErrorKind::transient);
    destination_.fail(FailPoint::find_load, GetParam());
    error_of(GetParam(), source_);
    EXPECT_EQ(pending().size(), 1U);
    ScriptedSource nothing;
    run(nothing);
    expect_loaded_once();
}

TEST_F(LoadTest, ADatasetThatChangedMeanwhileRefusesThePackage) {
    PipelineConfig elsewhere = config_;
    elsewhere.data_folder = temporary_.path("elsewhere");
    ScriptedSource source;
    source.add({.name = "t"}, [&](const auto& context, extract::Output& out) {
        ScriptedSource other;
        other.lines("t", R"({"n": 1})");
        Observer observer;
        Pipeline(elsewhere, destination_, *files_, clock_, Log()).run(other, {}, observer, {});
        ScriptedSource::write_lines("t", R"({"n": 2})", context, out);
    });
    error_of(ErrorKind::conflict, source);
    EXPECT_EQ(values("t", "n"), "1");
    EXPECT_TRUE(pending().empty());
    run_lines(R"({"n": 2})");
    EXPECT_EQ(values("t", "n"), "1 2");
}

TEST_F(LoadTest, ADestinationThatIsLockedForNowDoesNot) {
    destination_.fail(FailPoint::begin, ErrorKind::locked);
    error_of(ErrorKind::locked, source_);
    EXPECT_EQ(pending().size(), 1U);
    ScriptedSource nothing;
    run(nothing);
    expect_loaded_once();
}

}  // namespace
}  // namespace tipple::pipeline
