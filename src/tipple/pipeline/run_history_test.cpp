#include "tipple/pipeline/run_history.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/pipeline/removal.h"
#include "tipple/pipeline/run_record.h"

namespace tipple::pipeline {
namespace {

json::Object record(int number) {
    return {{"v", 1}, {"run", fmt::format("{:08x}", number + 0xab)}, {"started_at", fmt::format("2026-03-01T{:02}:{:02}:00.000000Z", number / 60, number % 60)}};
}

TEST(RunHistory, KeepsTheNewestOnes) {
    const support::TemporaryFolder folder;
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    RunHistory history(*files, folder.path());
    EXPECT_TRUE(history.newest(5).empty());
    const int count = static_cast<int>(RunHistory::kept_max) + 3;
    for (int i = 0; i < count; ++i) history.save(record(i));
    const std::vector<json::Object> all = history.newest(1'000);
    ASSERT_EQ(all.size(), RunHistory::kept_max);
    EXPECT_EQ(all.front(), record(count - 1));
    EXPECT_EQ(all.back(), record(3));
    EXPECT_EQ(history.newest(2).size(), 2U);
}

TEST(RunHistory, FindsRunsByTheBeginningOfTheirName) {
    const support::TemporaryFolder folder;
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    RunHistory history(*files, folder.path());
    history.save(record(0));
    history.save(record(1));
    EXPECT_EQ(history.find("000000ab"), record(0));
    EXPECT_EQ(history.find("ff"), std::nullopt);
    EXPECT_THROW(history.find("000000"), Error);
    files->write_text_durably(folder.path("runs/20270101T000000.000000-0badf00d.json"), "{");
    EXPECT_EQ(history.newest(9).size(), 2U) << "a broken one is left out";
}

TEST(RunRecord, OfAFailedRunHasTheStepsItReached) {
    Observer nobody;
    StepLog steps(nobody);
    steps.on_step_started(Step::extract);
    steps.on_progress({.step = Step::extract, .records = 7, .bytes_read = 70, .seconds = 1.5});
    steps.on_retry("x", 1);
    const Error error(ErrorKind::data, "broken");
    const json::Object made = make_run_record({.run_id = "r", .exit_code = 3}, steps, nullptr, &error);
    EXPECT_EQ(json::to_text(*made.find("steps")), R"([{"step":"extract","status":"failed","seconds":1.5,"records":7,"bytes":70}])");
    EXPECT_EQ(json::to_text(*made.find("error")), R"({"kind":"data","message":"broken"})");
    EXPECT_EQ(made.find("status")->as_text(), "failed");
    EXPECT_EQ(json::to_text(*made.find("retries")), "1");
}

TEST(SourceState, ValuesAreSetWhereAPathLeads) {
    SourceState state(json::Object{{"list", json::Array{1, 2}}, {"text", "x"}});
    set_state_path(state, "resources.orders.own", 5);
    set_state_path(state, "list[1]", json::Object{{"a", 1}});
    EXPECT_EQ(json::to_text(state.document()), R"({"list":[1,{"a":1}],"text":"x","resources":{"orders":{"own":5}}})");
    for (const char* path : {"$", "list[7]", "text.below", "list[*]"}) EXPECT_THROW(set_state_path(state, path, 1), Error) << path;
}

}  // namespace
}  // namespace tipple::pipeline
