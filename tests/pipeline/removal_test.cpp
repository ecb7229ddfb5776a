// Refresh, drop and several sources in whole runs.
#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

class RemovalRunTest : public PipelineTest {
protected:
    /// Resources a and b: one record each with this id and a list, and a count of their runs.
    static void add_ab(ScriptedSource& source, int id) {
        for (const char* name : {"a", "b"}) add(source, name, id);
    }
    static void add(ScriptedSource& source, const std::string& name, int id) {
        source.add({.name = name}, [id](const extract::ResourceContext& context, extract::Output& out) {
            json::Value& runs = context.state->resource()["runs"];
            runs = runs.is_int() ? runs.as_int() + 1 : std::int64_t{1};
            out.write(support::json_page(fmt::format("{{\"id\":{},\"l\":[1]}}\n", id), {.name = "ab"}));
        });
    }
    RunReport run_ab(int id, const RunOptions& options = {}) {
        ScriptedSource source;
        add_ab(source, id);
        return run(source, options);
    }
    RunReport drop(const DropOptions& options) { return Pipeline(config_, destination_, *files_, clock_, Log()).drop(options, observer_, {}); }
    std::string sources() { return json::to_text(*destination_.read_dataset()->state->document.as_object().find("sources")); }
};

TEST_F(RemovalRunTest, RefreshDropsTablesInTheSameTransaction) {
    run_ab(1);
    destination_.take_calls();
    run_ab(2, {.refresh = Refresh::drop_resources, .select = {"a"}});
    const Calls calls = destination_.take_calls();
    EXPECT_EQ(count(calls, "drop a__l,a"), 1U);
    EXPECT_EQ(count(calls, "commit"), 1U);
    EXPECT_EQ(values("a", "id"), "2");
    EXPECT_EQ(values("b", "id"), "1");
    EXPECT_EQ(sources(), R"({"shop":{"resources":{"b":{"runs":1},"a":{"runs":1}}}})");
}

TEST_F(RemovalRunTest, RefreshOfDataEmptiesTables) {
    run_ab(1);
    run_ab(2, {.refresh = Refresh::drop_data, .select = {"a"}});
    EXPECT_EQ(values("a", "id"), "2");
    EXPECT_EQ(values("b", "id"), "1");
    const RunReport third = run_ab(3);
    EXPECT_EQ(values("a", "id"), "2 3");
}

TEST_F(RemovalRunTest, RefreshOfASourceTakesWhatIsNotReadToo) {
    run_ab(1);
    run_ab(2, {.refresh = Refresh::drop_sources, .select = {"a"}});
    EXPECT_EQ(values("a", "id"), "2");
    EXPECT_EQ(values("b", "id"), "");
    EXPECT_EQ(destination_.read_dataset()->schemas.at("shop").find("b"), nullptr);
}

TEST_F(RemovalRunTest, ARefreshThatFailsDropsNothing) {
    run_ab(1);
    const std::string before = sources();
    ScriptedSource failing;
    failing.add({.name = "a"}, [](const auto&, extract::Output&) { throw Error(ErrorKind::data, "the source fails"); });
    error_of(ErrorKind::data, failing, {.refresh = Refresh::drop_sources});
    EXPECT_EQ(values("a", "id"), "1");
    destination_.fail(FailPoint::finish, ErrorKind::data);
    ScriptedSource refused;
    add_ab(refused, 2);
    error_of(ErrorKind::data, refused, {.refresh = Refresh::drop_resources});
    EXPECT_EQ(values("a", "id"), "1");
    EXPECT_EQ(sources(), before);
}

TEST_F(RemovalRunTest, ARefreshWithoutRecordsIsALoad) {
    run_ab(1);
    ScriptedSource empty;
    empty.add({.name = "a"}, [](const auto&, extract::Output&) {});
    EXPECT_EQ(run(empty, {.refresh = Refresh::drop_data}).load_ids.size(), 1U);
    EXPECT_EQ(values("a", "id"), "");
}

TEST_F(RemovalRunTest, DropTakesTablesAndState) {
    run_ab(1);
    EXPECT_EQ(drop({.resources = {"a"}}).load_ids.size(), 1U);
    EXPECT_EQ(values("a", "id"), "");
    EXPECT_EQ(values("a__l", "value"), "");
    EXPECT_EQ(values("b", "id"), "1");
    EXPECT_EQ(sources(), R"({"shop":{"resources":{"b":{"runs":1}}}})");
    EXPECT_EQ(destination_.read_dataset()->schemas.at("shop").find("a"), nullptr);
    run_ab(2);
    EXPECT_EQ(values("a", "id"), "2");
    EXPECT_EQ(values("b", "id"), "1 2");
}

TEST_F(RemovalRunTest, DropOfStateAloneKeepsTables) {
    run_ab(1);
    drop({.resources = {"re:.*"}, .state_only = true});
    EXPECT_EQ(values("a", "id"), "1");
    EXPECT_EQ(sources(), R"({"shop":{"resources":{}}})");
    run_ab(2);
    drop({.state_paths = {"resources.a.runs"}});
    EXPECT_EQ(sources(), R"({"shop":{"resources":{"a":{},"b":{"runs":1}}}})");
    EXPECT_TRUE(drop({}).load_ids.empty());
}

TEST_F(RemovalRunTest, DropWaitsForPendingPackages) {
    EXPECT_TRUE(contains(error_from(ErrorKind::usage, [&] { drop({.drop_all = true}); }), "nothing to drop"));
    run_ab(1);
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    ScriptedSource source;
    add_ab(source, 2);
    error_of(ErrorKind::remote, source);
    EXPECT_TRUE(contains(error_from(ErrorKind::usage, [&] { drop({.drop_all = true}); }), "waits to be loaded"));
    run_ab(3);
    drop({.drop_all = true});
    EXPECT_EQ(destination_.tables(), std::vector<std::string>());
}

TEST_F(RemovalRunTest, SelectNamesResourcesThatAreThere) {
    ScriptedSource source;
    add_ab(source, 1);
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source, {.select = {"aa"}}), "did you mean \"a\"?"));
    run(source, {.select = {"b"}});
    EXPECT_EQ(values("a", "id"), "");
    EXPECT_EQ(values("b", "id"), "1");
}

class SourcesTest : public RemovalRunTest {
protected:
    RunReport run_two(int id) {
        ScriptedSource shop;
        ScriptedSource crm;
        add(shop, "a", id);
        add(crm, "c", id);
        return run_sources(shop, crm);
    }
    RunReport run_sources(ScriptedSource& shop, ScriptedSource& crm) {
        observer_ = {};
        return Pipeline(config_, destination_, *files_, clock_, Log())
            .run({{.driver = &shop, .schema_name = "shop"}, {.driver = &crm, .schema_name = "crm"}}, {}, observer_, {});
    }
};

TEST_F(SourcesTest, EachSchemaIsALoadOfItsOwn) {
    const RunReport report = run_two(1);
    EXPECT_EQ(report.load_ids.size(), 2U);
    EXPECT_EQ(report.rows, 4U);
    EXPECT_EQ(destination_.states(), 1U);
    EXPECT_EQ(sources(), R"({"crm":{"resources":{"c":{"runs":1}}},"shop":{"resources":{"a":{"runs":1}}}})");
    EXPECT_LT(report.load_ids[1], report.load_ids[0]) << "ids are in the order of the names; the state, with the default schema crm, is loaded last";
    run_two(2);
    EXPECT_EQ(values("a", "id"), "1 2");
    EXPECT_EQ(values("c", "id"), "1 2");
}

TEST_F(SourcesTest, ASourceThatFailsTakesTheOthersWithIt) {
    ScriptedSource shop;
    ScriptedSource crm;
    add(crm, "c", 1);
    shop.add({.name = "a"}, [](const auto&, extract::Output&) { throw Error(ErrorKind::data, "the source fails"); });
    error_from(ErrorKind::data, [&] { run_sources(shop, crm); });
    EXPECT_TRUE(destination_.loads().empty());
    EXPECT_TRUE(pending().empty());
}

TEST_F(SourcesTest, AFailedLoadLeavesNoStateThatCountsItsRows) {
    destination_.fail(FailPoint::finish, ErrorKind::data);
    ScriptedSource shop;
    ScriptedSource crm;
    add(shop, "a", 1);
    add(crm, "c", 1);
    error_from(ErrorKind::data, [&] { run_sources(shop, crm); });
    EXPECT_TRUE(destination_.loads().empty());
    EXPECT_TRUE(pending().empty()) << "the package with the state was given up with the other";
}

TEST_F(SourcesTest, WaitingPackagesAreFinishedStateLast) {
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    ScriptedSource shop;
    ScriptedSource crm;
    add(shop, "a", 1);
    add(crm, "c", 1);
    error_from(ErrorKind::remote, [&] { run_sources(shop, crm); });
    EXPECT_EQ(pending().size(), 2U);
    run_two(2);
    EXPECT_EQ(values("a", "id"), "1 2");
    EXPECT_EQ(sources(), R"({"crm":{"resources":{"c":{"runs":2}}},"shop":{"resources":{"a":{"runs":2}}}})");
}

}  // namespace
}  // namespace tipple::pipeline
