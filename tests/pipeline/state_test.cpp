// What sources remember: it goes to the destination with the rows, or not at all.
#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

class StateTest : public PipelineTest {
protected:
    /// Counts its runs in its own state and in the source's, then writes a record.
    RunReport run_counting(schema::Disposition disposition = schema::Disposition::append, bool fails = false) {
        ScriptedSource source;
        add_counting(source, disposition, fails);
        return run(source);
    }
    static void add_counting(ScriptedSource& source, schema::Disposition disposition, bool fails) {
        source.add({.name = "t", .disposition = disposition}, [fails](const extract::ResourceContext& context, extract::Output& out) {
            count_up(context.state->resource());
            count_up(context.state->source());
            out.write(support::json_page("{\"a\":1}\n", {.name = "t"}));
            if (fails) throw Error(ErrorKind::data, "the source fails");
        });
    }
    static void count_up(json::Object& state) {
        json::Value& runs = state["runs"];
        runs = runs.is_int() ? runs.as_int() + 1 : std::int64_t{1};
    }
    /// `sources` of the stored state.
    std::string stored() {
        const auto dataset = destination_.read_dataset();
        return dataset && dataset->state ? json::to_text(*dataset->state->document.as_object().find("sources")) : "nothing";
    }
};

TEST_F(StateTest, ResourceAndSourceRememberValues) {
    run_counting();
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"runs":1}},"runs":1}})");
    files_->remove(config_.data_folder);
    run_counting();
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"runs":2}},"runs":2}})") << "the destination remembers, not the local folder";
    EXPECT_EQ(destination_.states(), 2U);
}

TEST_F(StateTest, UnchangedStateIsNotWritten) {
    run_counting();
    ScriptedSource reader;
    reader.add({.name = "t"}, [](const extract::ResourceContext& context, extract::Output&) {
        EXPECT_EQ(context.state->resource().find("runs")->as_int(), 1);
    });
    EXPECT_TRUE(run(reader).load_ids.empty());
    EXPECT_EQ(destination_.states(), 1U);
}

TEST_F(StateTest, StateWithoutRowsIsALoad) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const extract::ResourceContext& context, extract::Output&) { context.state->resource().set("word", "x"); });
    EXPECT_EQ(run(source).load_ids.size(), 1U);
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"word":"x"}}}})");
}

TEST_F(StateTest, AFailedRunLeavesStateAsItWas) {
    run_counting();
    ScriptedSource failing;
    add_counting(failing, schema::Disposition::append, true);
    error_of(ErrorKind::data, failing);
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"runs":1}},"runs":1}})");

    destination_.fail(FailPoint::finish, ErrorKind::data);
    ScriptedSource refused;
    add_counting(refused, schema::Disposition::append, false);
    error_of(ErrorKind::data, refused);
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"runs":1}},"runs":1}})");
}

TEST_F(StateTest, ReplaceForgetsWhatTheResourceRemembered) {
    run_counting(schema::Disposition::replace);
    run_counting(schema::Disposition::replace);
    EXPECT_EQ(stored(), R"({"shop":{"resources":{"t":{"runs":1}},"runs":2}})");
}

}  // namespace
}  // namespace tipple::pipeline
