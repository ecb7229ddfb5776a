#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include "tipple/api/api_fixture.h"
#include "tipple/api/source.h"

namespace tipple {

namespace {

/// A number of threads that wait for each other; gives up after a while, so that a failing test
/// ends.
class Meeting {
public:
    explicit Meeting(std::size_t wanted) : wanted_(wanted) {}
    /// Whether all came.
    bool wait() {
        std::unique_lock lock(mutex_);
        ++here_;
        changed_.notify_all();
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return here_ >= wanted_; });
    }

private:
    const std::size_t wanted_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t here_ = 0;
};

class ParallelTest : public ApiTest {};

void dawdle(std::mt19937& random) {
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution<int>(0, 3'000)(random)));
}

/// `pages` pages of the resource that take any time, each with a column of its own in a table that
/// all share, and a state.
Resource jittery(const std::string& name, int pages, unsigned seed) {
    auto made = resource(name, [=](Output& out, ResourceContext& context) {
        std::mt19937 random(seed + static_cast<unsigned>(std::hash<std::string>()(name)));
        for (int page = 1; page <= pages; ++page) {
            dawdle(random);
            out.write_json(
                fmt::format(
                    R"([{{"by":"{0}","page":{1},"{0}_{1}":true,"lines":[{{"n":1}},{{"n":2}}]}}])",
                    name, page),
                {.table = "all_of_them"});
            dawdle(random);
            out.write(Records{{{"page", page}, {"t", page * 10}}});
            context.resource_state().set("pages", page);
            context.source_state().set("last_of_" + name, page);
            context.source_state().update("sum", [&](const json::Value& sum) {
                return (sum.is_int() ? sum.as_int() : 0) + page;
            });
        }
        context.count("pages", pages);
    });
    made.parallel().incremental("page", {.row_order = incremental::RowOrder::none});
    return made;
}

/// All that a run of this source has left behind, as text.
std::string outcome(const Source& source, std::size_t workers, const RunOptions& run_options = {}) {
    const support::TemporaryFolder folder;
    Pipeline pipeline({.name = "test",
                       .destination = folder.path("test.duckdb"),
                       .dataset = "data",
                       .data_folder = folder.path("state"),
                       .workers = workers});
    RunOptions options = run_options;
    options.row_id_prefix = "prefix00";
    const LoadInfo info = pipeline.run(source, options);
    std::string text = info.schema.version_hash();
    const auto add = [&](const std::string& sql) {
        text += "\n" + sql + ":";
        for (const destination::QueryRow& row : pipeline.query(sql).rows) {
            text += "\n";
            for (const auto& cell : row) text += cell.value_or("NULL") + " ";
        }
    };
    add("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE "
        "table_schema = 'data' ORDER BY table_name, ordinal_position");
    for (const destination::QueryRow& row :
         pipeline
             .query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'data' "
                    "AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\' ORDER BY 1")
             .rows) {
        add(fmt::format(
            "SELECT COLUMNS(name -> name <> '_dlt_load_id') FROM data.{} ORDER BY rowid",
            *row.front()));
    }
    add("SELECT state FROM data._dlt_pipeline_state ORDER BY version");
    return text;
}

TEST_F(ParallelTest, WhatIsLoadedDoesNotDependOnTiming) {
    std::string first;
    for (unsigned seed = 0; seed < 6; ++seed) {
        const Source shop = source("shop")
                                .add(jittery("orders", 12, seed))
                                .add(jittery("customers", 5, seed))
                                .add(jittery("items", 9, seed));
        const std::string one = outcome(shop, 1 + seed % 3);
        if (seed == 0) first = one;
        ASSERT_EQ(one, first) << "seed " << seed;
    }
    EXPECT_TRUE(contains(first, "items 9 "));
}

TEST_F(ParallelTest, PagesComeInTurn) {
    const auto letters = [](const std::string& name, const std::string& pages) {
        return resource(name,
                        [=](Output& out, ResourceContext&) {
                            for (const char letter : pages)
                                out.write_json(fmt::format(R"({{"letter":"{}"}})", letter));
                        })
            .table("letters")
            .parallel();
    };
    run(source("abc")
            .add(letters("upper", "ABC"))
            .add(letters("digits", "1"))
            .add(letters("lower", "abcde"))
            .add(letters("none", "")));
    EXPECT_EQ(rows("SELECT string_agg(letter, '' ORDER BY rowid) FROM letters"), "A1aBbCcde");
}

TEST_F(ParallelTest, MoreThanAreReadAtOnceTakeTheirTurnsToo) {
    constexpr int resources = 40;
    std::atomic<int> now{0};
    std::atomic<int> most{0};
    Source many("many");
    for (int i = 0; i < resources; ++i) {
        many.add(resource(fmt::format("r{}", i), [&now, &most, i](Output& out, ResourceContext&) {
                     std::mt19937 random(static_cast<unsigned>(i));
                     most = std::max<int>(most, ++now);
                     for (int page = 0; page <= i % 3; ++page) {
                         dawdle(random);
                         out.write(Records{{{"r", i}, {"page", page}}}, {.table = "all"});
                     }
                     --now;
                 }).parallel());
    }
    const std::string first = outcome(many, 2);
    EXPECT_EQ(outcome(many, 1), first);
    EXPECT_LE(most, 16);
    EXPECT_TRUE(contains(first, fmt::format("{} 0 ", resources - 1)));
}

TEST_F(ParallelTest, ReadsGoOnSideBySide) {
    Meeting meeting(3);
    std::atomic<int> met{0};
    const auto waiting = [&](const std::string& name) {
        return resource(name, [&](Output& out, ResourceContext&) {
            if (meeting.wait()) ++met;
            out.write(Record{{"n", 1}});
        });
    };
    auto apart = resource("apart", [](Output& out, ResourceContext&) {
        out.write(Record{{"n", 1}});
    });
    // One that is not parallel stands between them.
    run(source("s")
            .add(waiting("a").parallel())
            .add(waiting("b").parallel())
            .add(apart)
            .add(waiting("c").parallel()));
    EXPECT_EQ(met, 3);
    EXPECT_EQ(rows("SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) "
                   "FROM c) + (SELECT count(*) FROM apart)"),
              "4");
}

TEST_F(ParallelTest, AFastOneWaitsForASlowOne) {
    std::mutex mutex;
    std::condition_variable changed;
    int fast_pages = 0;
    bool is_fast_held = false;
    auto fast = resource("fast", [&](Output& out, ResourceContext&) {
        for (int page = 1; page <= 1'000; ++page) {
            out.write(Records{{{"page", page}}});
            const std::lock_guard lock(mutex);
            fast_pages = page;
            changed.notify_all();
        }
    });
    auto slow = resource("slow", [&](Output& out, ResourceContext&) {
        std::unique_lock lock(mutex);
        // As far as it gets without a page of this one: the one that was in turn, and those that
        // may wait.
        changed.wait_for(lock, std::chrono::seconds(20), [&] { return fast_pages >= 9; });
        changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return fast_pages > 9; });
        is_fast_held = fast_pages == 9;
        lock.unlock();
        out.write(Record{{"n", 1}});
    });
    run(source("s").add(fast.parallel()).add(slow.parallel()));
    EXPECT_TRUE(is_fast_held);
    EXPECT_EQ(rows("SELECT count(*) FROM fast"), "1000");
}

TEST_F(ParallelTest, LargePagesWaitForMemory) {
    // A sixth of 128 MiB for four resources: one page of 3 MB each, at three times its size.
    std::atomic<int> made{0};
    Meeting writing(2);
    std::atomic<int> made_meanwhile{0};
    const std::string page = R"({"text":")" + std::string(3'000'000, 'x') + "\"}";
    Source large("large");
    large.add(resource("slow", [&](Output& out, ResourceContext&) {
                  writing.wait();
                  for (int tries = 0; tries < 100 && made < 1; ++tries)
                      std::this_thread::sleep_for(std::chrono::milliseconds(10));
                  std::this_thread::sleep_for(std::chrono::milliseconds(200));
                  made_meanwhile = made.load();
                  out.write(Record{{"n", 1}});
              }).parallel());
    large.add(resource("large", [&](Output& out, ResourceContext&) {
                  writing.wait();
                  for (int i = 0; i < 6; ++i) {
                      out.write_json(page);
                      ++made;
                  }
              }).parallel());
    for (const char* name : {"c", "d"})
        large.add(resource(name, [](Output&, ResourceContext&) {}).parallel());
    PipelineOptions small = options();
    small.memory_bytes = limits::memory_min;
    Pipeline(small).run(large);
    EXPECT_EQ(made_meanwhile, 1);
    EXPECT_EQ(rows("SELECT count(*) FROM large"), "6");
}

TEST_F(ParallelTest, TheFirstErrorStopsAll) {
    std::atomic<bool> was_stopped{false};
    auto endless = resource("endless", [&](Output&, ResourceContext& context) {
        Meeting never(2);
        std::mutex mutex;
        std::condition_variable_any changed;
        std::unique_lock lock(mutex);
        changed.wait(lock, context.stop_token(), [] { return false; });
        was_stopped = context.stop_requested();
    });
    auto failing = resource("failing", [](Output& out, ResourceContext&) {
        out.write(Records{{{"n", 1}}});
        throw std::runtime_error("status 503");
    });
    EXPECT_EQ(
        error_of(ErrorKind::remote,
                 [&] { run(source("shop").add(endless.parallel()).add(failing.parallel())); }),
        "source \"shop\", resource \"failing\", page 2: status 503");
    EXPECT_TRUE(was_stopped);
    EXPECT_FALSE(std::filesystem::exists(folder_.path("test.duckdb")));
}

TEST_F(ParallelTest, ABadRecordStopsAll) {
    const auto writing = [](const std::string& name, const std::string& last) {
        return resource(name,
                        [=](Output& out, ResourceContext& context) {
                            out.write_json(R"({"id":1})");
                            out.write_json(last);
                            for (int page = 0; page < 100'000 && !context.stop_requested(); ++page)
                                out.write_json(R"({"id":3})");
                        })
            .parallel();
    };
    const std::string error = error_of(ErrorKind::data, [&] {
        run(source("shop")
                .add(writing("good", R"({"id":2})"))
                .add(writing("bad", R"([{"id":2},{"id":tru}])")));
    });
    EXPECT_TRUE(contains(error, "shop.bad page 2")) << error;
}

TEST_F(ParallelTest, ARunCanBeStopped) {
    std::stop_source stop;
    Meeting reading(3);
    const auto endless = [&](const std::string& name) {
        return resource(name,
                        [&](Output& out, ResourceContext&) {
                            reading.wait();
                            while (true) out.write(Records{{{"n", 1}}});
                        })
            .parallel();
    };
    std::thread stopper([&] {
        reading.wait();
        stop.request_stop();
    });
    Observer observer;
    error_of(ErrorKind::cancelled, [&] {
        Pipeline(options()).run(source("s").add(endless("a")).add(endless("b")), {}, observer,
                                stop.get_token());
    });
    stopper.join();
    EXPECT_FALSE(std::filesystem::exists(folder_.path("test.duckdb")));
}

TEST_F(ParallelTest, CursorsAndStatesGoOnWhereTheRunBeforeStopped) {
    std::mutex mutex;
    std::map<std::string, std::string> since;
    const auto make = [&](const std::string& name, int from, int to) {
        auto made =
            resource(name, [&since, &mutex, name, from, to](Output& out, ResourceContext& context) {
                {
                    const std::lock_guard lock(mutex);
                    since[name] = context.cursor().start_text();
                }
                for (int n = from; n <= to; ++n) out.write_json(fmt::format(R"({{"n":{}}})", n));
                EXPECT_EQ(context.cursor().last_text(), std::to_string(to));
                const auto runs = context.resource_state().get<int>("runs", 0);
                context.resource_state().set("runs", runs + 1);
                context.source_state().update("reads", [](const json::Value& reads) {
                    return (reads.is_int() ? reads.as_int() : 0) + 1;
                });
            });
        return made.incremental("n").parallel();
    };
    run(source("s").add(make("a", 1, 3)).add(make("b", 11, 15)));
    run(source("s").add(make("a", 2, 5)).add(make("b", 14, 16)));
    EXPECT_EQ(since.at("a"), "3");
    EXPECT_EQ(since.at("b"), "15");
    EXPECT_EQ(rows("SELECT string_agg(n, ' ' ORDER BY n) FROM a"), "1 2 3 4 5");
    EXPECT_EQ(rows("SELECT string_agg(n, ' ' ORDER BY n) FROM b"), "11 12 13 14 15 16");
    int reads = 0;
    int runs = 0;
    run(source("s").add(resource("a", [&](Output&, ResourceContext& context) {
        reads = context.source_state().get("reads", 0);
        runs = context.resource_state().get("runs", 0);
    })));
    EXPECT_EQ(reads, 4);
    EXPECT_EQ(runs, 2);
}

TEST_F(ParallelTest, TheWholeStateOfASourceIsForOneAtATime) {
    const auto looking = [](const std::string& name) {
        return resource(name,
                        [](Output&, ResourceContext& context) {
                            context.resource_state().document().set("mine", 1);
                            context.source_state().document().set("ours", 1);
                        })
            .parallel();
    };
    const std::string error =
        error_of(ErrorKind::usage, [&] { run(source("s").add(looking("a")).add(looking("b"))); });
    EXPECT_TRUE(contains(error, "shared by resources that are read at the same time")) << error;
    run(source("s").add(looking("a")));
}

/// Lists with a transformer each, and a transformer of that.
Source families(std::mutex& mutex, std::map<std::string, std::thread::id>& threads,
                Meeting* meeting = nullptr) {
    Source all("families");
    for (const std::string name : {"x", "y"}) {
        const auto note = [&mutex, &threads](const std::string& resource) {
            const std::lock_guard lock(mutex);
            threads[resource] = std::this_thread::get_id();
        };
        auto list = resource(name, [=](Output& out, ResourceContext&) {
            note(name);
            for (int n = 1; n <= 3; ++n) out.write_json(fmt::format(R"({{"n":{}}})", n));
        });
        list.parallel();
        auto details = transformer(
            name + "_details", list,
            [=](const Records& records, Output& out, ResourceContext& context) {
                note(name + "_details");
                EXPECT_TRUE(meeting == nullptr || meeting->wait());
                context.resource_state().set("seen", *records.front().get<std::int64_t>("n"));
                for (const Record& record : records)
                    out.write(Records{{{"of", name}, {"n", *record.get<std::int64_t>("n") * 10}}},
                              {.table = "details"});
            });
        auto more = transformer(name + "_more", details,
                                [=](const Records& records, Output& out, ResourceContext&) {
                                    out.write(records, {.table = "more"});
                                });
        all.add(list).add(details).add(more);
    }
    return all;
}

TEST_F(ParallelTest, TransformersFollowTheirParentOnItsThread) {
    std::mutex mutex;
    std::map<std::string, std::thread::id> threads;
    // Each transform waits for the other one.
    Meeting meeting(2);
    run(families(mutex, threads, &meeting));
    EXPECT_EQ(threads.at("x"), threads.at("x_details"));
    EXPECT_EQ(threads.at("y"), threads.at("y_details"));
    EXPECT_NE(threads.at("x"), threads.at("y"));
    EXPECT_EQ(rows("SELECT string_agg(\"of\" || n, ' ' ORDER BY rowid) FROM details"),
              "x10 y10 x20 y20 x30 y30");
    EXPECT_EQ(rows("SELECT string_agg(\"of\" || n, ' ' ORDER BY rowid) FROM more"),
              "x10 y10 x20 y20 x30 y30");
}

TEST_F(ParallelTest, ParentsThatAreNotLoadedAreReadAllTheSame) {
    std::mutex mutex;
    std::map<std::string, std::thread::id> threads;
    run(families(mutex, threads), {.select = {"x_more", "y_more"}});
    EXPECT_EQ(rows("SELECT string_agg(\"of\" || n, ' ' ORDER BY rowid) FROM more"),
              "x10 y10 x20 y20 x30 y30");
    EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name IN ('x', 'y', "
                   "'details')"),
              "0");
}

TEST_F(ParallelTest, ATransformerIsNotParallelItself) {
    auto list = resource("list", [](Output&, ResourceContext&) {});
    auto copy = transformer("copy", list, [](const Records&, Output&, ResourceContext&) {});
    const std::string error =
        error_of(ErrorKind::usage, [&] { source("s").add(list).add(copy.parallel()); });
    EXPECT_TRUE(
        contains(error, "\"copy\" transforms the records of \"list\" and is read on its thread"))
        << error;
}

TEST_F(ParallelTest, LimitsEndOneAndNotTheOthers) {
    // Of odd seeds, sources are far ahead of whoever counts.
    const auto make = [](unsigned seed) {
        const auto counting = [=](const std::string& name, int pages) {
            return resource(name, [=](Output& out, ResourceContext&) {
                std::mt19937 random(seed);
                for (int n = 0; n < pages; ++n) {
                    if (seed % 2 == 0) dawdle(random);
                    Records page;
                    for (int i = 0; i < 1'000; ++i) page.push_back({{"of", name}, {"n", n}, {"i", i}, {"at", fmt::format("2024-01-01T00:00:{:02}Z", i % 60)}});
                    out.write(std::move(page), {.table = "all"});
                }
                // What fails behind the limit, nobody wanted.
                if (name == "limited") throw std::runtime_error("no more pages");
            }).parallel();
        };
        return source("s").add(counting("limited", 12).limit(3)).add(counting("whole", 9)).add(counting("closed", 4).limit(0));
    };
    const std::string first = outcome(make(0), 2);
    for (unsigned seed = 1; seed < 6; ++seed) ASSERT_TRUE(outcome(make(seed), 1 + seed % 3) == first) << "seed " << seed;
    run(make(7));
    EXPECT_EQ(rows("SELECT string_agg(\"of\" || n, ' ' ORDER BY rowid) FROM \"all\" WHERE i = 0"),
              "limited0 whole0 limited1 whole1 limited2 whole2 whole3 whole4 whole5 whole6 whole7 whole8");
}

TEST_F(ParallelTest, ALimitOfTheRunEndsAllAtTheSamePage) {
    const auto make = [](unsigned seed) {
        const auto endless = [=](const std::string& name) {
            auto made = resource(name, [=](Output& out, ResourceContext&) {
                std::mt19937 random(seed + name.front());
                for (int n = 0; out.wants_more(); ++n) {
                    dawdle(random);
                    out.write(Records{{{"of", name}, {"n", n}}, {{"of", name}, {"n", -n}}},
                              {.table = "all"});
                }
            });
            return made.incremental("n").parallel();
        };
        return source("s").add(endless("a")).add(endless("b")).add(endless("c"));
    };
    const std::string first = outcome(make(0), 2, {.limit = 7});
    for (unsigned seed = 1; seed < 5; ++seed)
        ASSERT_EQ(outcome(make(seed), 1 + seed % 3, {.limit = 7}), first);
    EXPECT_EQ(run(make(9), {.limit = 7}).records, 7);
    EXPECT_EQ(rows("SELECT string_agg(\"of\" || n, ' ' ORDER BY rowid) FROM \"all\""),
              "a0 a0 b0 b0 c0 c0 a1");
}

TEST_F(ParallelTest, ACheckpointIsForOneAtATime) {
    const auto numbers = [](const std::string& name) {
        auto made = resource(name, [](Output& out, ResourceContext& context) {
            for (int n = 1; n <= 4; ++n) {
                out.write(Records{{{"n", n}}});
                // All of it is counted then.
                context.cursor().last();
            }
        });
        return made.incremental("n", {.row_order = incremental::RowOrder::asc}).parallel();
    };
    const Source both = source("s").add(numbers("a")).add(numbers("b"));
    const RunOptions in_parts{.checkpoint = Checkpoint{.records = 2}};
    const std::string error = error_of(ErrorKind::usage, [&] { run(both, in_parts); });
    EXPECT_TRUE(contains(error, "\"a\" and \"b\" are read at the same time")) << error;
    const LoadInfo info = run(both, {.checkpoint = Checkpoint{.records = 2}, .select = {"a"}});
    EXPECT_GT(info.load_ids.size(), 1);
    EXPECT_EQ(rows("SELECT count(*) FROM a"), "4");
}

TEST_F(ParallelTest, TablesCanBeMadeWithoutRecords) {
    const auto empty = [](const std::string& name) {
        auto made = resource(name, [](Output& out, ResourceContext&) { out.materialize(); });
        return made.columns({"id:bigint"}).parallel();
    };
    run(source("s").add(empty("a")).add(empty("b")));
    EXPECT_EQ(rows("SELECT (SELECT count(id) FROM a) + (SELECT count(id) FROM b)"), "0");
}

}  // namespace
}  // namespace tipple
