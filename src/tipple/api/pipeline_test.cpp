#include "tipple/api/pipeline.h"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tipple/api/api_fixture.h"

namespace tipple {

namespace {

class ApiPipelineTest : public ApiTest {
protected:
    static Source numbers(int count) {
        return one(resource("numbers", [count](Output& out, ResourceContext&) {
            for (int i = 0; i < count; ++i) out.write({{"n", i}});
        }));
    }
};

TEST_F(ApiPipelineTest, AKindAloneIsAFileOfThePipelinesName) {
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    Pipeline pipeline({.name = "test", .destination = "duckdb", .dataset = "test", .data_folder = folder_.path("state")});
    const LoadInfo info = pipeline.run(numbers(3));
    std::filesystem::current_path(before);
    EXPECT_EQ(info.rows, 3);
    EXPECT_EQ(info.load_ids.size(), 1);
    EXPECT_EQ(info.dataset, "test");
    EXPECT_TRUE(std::filesystem::exists(folder_.path("test.duckdb")));
    EXPECT_EQ(pipeline.query("SELECT count(*) FROM " + pipeline.table_name("numbers")).rows.at(0).at(0), "3");
}

TEST_F(ApiPipelineTest, ErrorsAreExceptionsAndLeaveTheDestinationAsItWas) {
    Pipeline pipeline(options());
    pipeline.run(numbers(2));
    EXPECT_THROW(pipeline.run(one(resource("numbers", [](Output& out, ResourceContext&) {
                     out.write({{"n", 7}});
                     throw std::runtime_error("no");
                 }))),
                 Error);
    EXPECT_EQ(rows("SELECT count(*) FROM numbers"), "2");
    EXPECT_EQ(error_of(ErrorKind::usage, [] { Pipeline({.name = ""}); }), "a pipeline needs a name");
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, [] { Pipeline({.name = "a", .destination = "ducks"}); }), "cannot tell what kind of destination \"ducks\" is"));
}

TEST_F(ApiPipelineTest, AReadMarksWhereItMayBeCommitted) {
    int failing = 200;
    auto pages = resource("pages", [&](Output& out, ResourceContext& context) {
        for (int page = static_cast<int>(context.resource_state().get<std::int64_t>("next", 1)); page <= 300; ++page) {
            if (page == failing) throw std::runtime_error("no");
            context.resource_state().set("next", page + 1);
            out.write({{"page", page}});
            out.checkpoint();
        }
    });
    pages.checkpoint({.records = 20});
    EXPECT_TRUE(contains(error_of(ErrorKind::remote, [&] { run(one(pages)); }), "committed; the next run goes on behind them"));
    EXPECT_EQ(rows("SELECT count(*) > 0, count(*) = max(page) FROM pages"), "true true");
    failing = 0;
    EXPECT_GT(run(one(pages)).load_ids.size(), 1U);
    EXPECT_EQ(rows("SELECT count(*), count(DISTINCT page), max(page) FROM pages"), "300 300 300");
}

TEST_F(ApiPipelineTest, RecordsThatOthersAreReadByAreNotParted) {
    auto parents = resource("parents", [](Output& out, ResourceContext&) { out.write({{"id", 1}}); });
    auto children = transformer("children", parents, [](const Records&, Output& out, ResourceContext&) { out.write({{"of", 1}}); });
    children.checkpoint({.records = 1});
    const std::string message = error_of(ErrorKind::usage, [&] { run(source("shop").add(parents).add(children)); });
    EXPECT_TRUE(contains(message, "both belong into one load")) << message;
}

TEST_F(ApiPipelineTest, ARunCanBeStopped) {
    std::stop_source stop;
    Observer nobody;
    const Source endless = one(resource("numbers", [&](Output& out, ResourceContext& context) {
        for (int i = 0; !context.stop_requested(); ++i) {
            out.write_json(fmt::format(R"({{"n":{}}})", i));
            if (i == 10) stop.request_stop();
        }
        EXPECT_TRUE(context.stop_token().stop_requested());
    }));
    error_of(ErrorKind::cancelled, [&] { Pipeline(options()).run(endless, {}, nobody, stop.get_token()); });
}

TEST_F(ApiPipelineTest, TwoPipelinesRunOnTwoThreads) {
    const auto run_one = [&](const std::string& name, int count) {
        Pipeline pipeline(options(name));
        for (int run = 0; run < 3; ++run) EXPECT_EQ(pipeline.run(numbers(count)).rows, count);
    };
    {
        const std::jthread first([&] { run_one("first", 1'000); });
        const std::jthread second([&] { run_one("second", 2'000); });
    }
    EXPECT_EQ(Pipeline(options("first")).query("SELECT count(*) FROM numbers").rows.at(0).at(0), "3000");
    EXPECT_EQ(Pipeline(options("second")).query("SELECT count(*) FROM numbers").rows.at(0).at(0), "6000");
}

TEST_F(ApiPipelineTest, OnlySelectedResourcesAreRead) {
    int reads = 0;
    Source source = numbers(1);
    source.add(resource("others", [&](Output&, ResourceContext&) { ++reads; }));
    run(source, {.select = {"numbers"}});
    EXPECT_EQ(reads, 0);
}

}  // namespace
}  // namespace tipple
