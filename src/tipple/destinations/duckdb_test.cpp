#include <csignal>
#include <fstream>
#include <thread>

#include <sys/resource.h>

#include "support/child_process.h"
#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

// ---- names of places ----

TEST(DuckdbEntry, IsFoundByUrlAndEnding) {
    const destination::Registry known = registry();
    for (const char* text :
         {"duckdb:///abs/x.duckdb", "DuckDB://x", "a/b.duckdb", "x.DB", "x.ddb"}) {
        EXPECT_EQ(known.require_for(text).name, "duckdb") << text;
    }
    const auto path_of = [&](const char* text) {
        return *known.require_for(text).parse(text).find("path");
    };
    EXPECT_EQ(path_of("duckdb:///abs/x.duckdb"), "/abs/x.duckdb");
    EXPECT_EQ(path_of("duckdb://relative.duckdb"), "relative.duckdb");
    EXPECT_EQ(path_of("a/b.db"), "a/b.db");
    EXPECT_THROW(known.require_for("duckdb://").parse("duckdb://"), Error);
    EXPECT_THROW(known.require_for("duckdb://:memory:").parse("duckdb://:memory:"), Error);
    try {
        known.require_for("duckb://x");
        FAIL();
    } catch (const Error& error) {
        EXPECT_TRUE(contains(error.what(), "did you mean duckdb://"));
    }
    EXPECT_THROW(known.require_for("x.csv"), Error);
}

TEST_F(DuckdbTest, IdentityIsOneForEveryWayToWriteAPath) {
    const std::string before = make()->identity();
    EXPECT_EQ(before, std::filesystem::weakly_canonical(file()).string());
    std::filesystem::create_directory(folder_.path("inner"));
    std::filesystem::create_symlink("../shop.duckdb", folder_.path("inner/link.duckdb"));
    destination::DestinationContext context;
    context.files = files_.get();
    for (const char* path : {"inner/../shop.duckdb", "./shop.duckdb", "inner/link.duckdb"}) {
        context.options.set("path", folder_.path(path));
        EXPECT_EQ(registry().find("duckdb")->make(context)->identity(), before) << path;
    }
}

TEST_F(DuckdbTest, NothingIsStoredWhereNothingIs) {
    EXPECT_EQ(stored(), std::nullopt);
    EXPECT_FALSE(make()->has_load({.load_id = "1"}));
    EXPECT_THROW(make()->query("SELECT 1", {}), Error);
    EXPECT_EQ(files_->find(file()), nullptr);
    execute("CREATE TABLE other(a INTEGER)");
    EXPECT_EQ(make("elsewhere")->read_dataset(), std::nullopt);
    const auto read = make("MAIN")->read_dataset();
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->schemas.empty());
    EXPECT_FALSE(read->state);
    EXPECT_EQ(read->catalog.find("other")->front().type, "INTEGER");
    EXPECT_FALSE(make()->has_load({.load_id = "1"}));
}

// ---- append and replace ----

TEST_F(DuckdbTest, AppendKeepsEveryRowAndRemembersEverything) {
    maker_.table("t", R"({"write_disposition": "append"})", R"({"id": "bigint", "v": "text"})");
    for (const char* id : {"1.0", "2.0"}) {
        maker_.begin(id)
            .load(Disposition::append, {"t"})
            .rows("t", R"([{"id": 1, "v": "a"}, {"id": 2}])");
        const auto loaded = load(close());
        ASSERT_EQ(loaded.size(), 1U);
        EXPECT_EQ(loaded[0].inserted, 2U);
        EXPECT_EQ(loaded[0].deleted, 0U);
    }
    EXPECT_EQ(rows("SELECT id, v, _dlt_load_id FROM t ORDER BY _dlt_load_id, id"),
              "1|a|1.0 2|NULL|1.0 1|a|2.0 2|NULL|2.0");
    EXPECT_EQ(rows("SELECT load_id, schema_name, status, inserted_at FROM _dlt_loads ORDER BY 1"),
              "1.0|shop|0|2026-11-23 03:30:33+00 2.0|shop|0|2026-11-23 03:30:34+00");
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_version"), "1");
    EXPECT_EQ(rows("SELECT version, engine_version, pipeline_name, _dlt_load_id FROM "
                   "_dlt_pipeline_state ORDER BY 1"),
              "1|4|shop|1.0 2|4|shop|2.0");
    EXPECT_TRUE(make()->has_load({.load_id = "2.0"}));
    EXPECT_FALSE(make()->has_load({.load_id = "3.0"}));
    const auto read = stored();
    ASSERT_TRUE(read && read->state);
    EXPECT_EQ(read->newest_load_id, "2.0");
    EXPECT_EQ(read->state->version, 2);
    EXPECT_EQ(read->state->document.as_object().find("_local"), nullptr);
    EXPECT_EQ(read->schemas.at("shop").version_hash(), maker_.schema().version_hash());
    EXPECT_EQ(files_->find(file() + ".wal"), nullptr);
    EXPECT_EQ(files_->find(folder_.path("temp/duckdb")), nullptr);
}

TEST_F(DuckdbTest, StateAndSchemaRowsOnlyWhenTheyAreNew) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    maker_.has_new_state = false;
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2}])");
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_pipeline_state"), "1");
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_version"), "1");
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_loads"), "2");
    // The clock goes back; the new schema must still be the newest.
    clock_.now -= 3'600'000'000;
    maker_.table("t", "{}", R"({"id": "bigint", "more": "text"})");
    maker_.begin("3.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 3, "more": "x"}])");
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_version"), "2");
    EXPECT_EQ(stored()->schemas.at("shop").version_hash(), maker_.schema().version_hash());
    EXPECT_EQ(rows("SELECT id, more FROM t ORDER BY id"), "1|NULL 2|NULL 3|x");
}

TEST_F(DuckdbTest, NewColumnsAreNullableAndNewTablesAreNot) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "nullable": false}})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "nullable": false}, "n": {"data_type": "text", "nullable": false}})");
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2, "n": "x"}])");
    load(close());
    EXPECT_EQ(rows("SELECT column_name, is_nullable FROM duckdb_columns() WHERE table_name = 't' "
                   "ORDER BY column_index"),
              "id|false _dlt_load_id|false _dlt_id|false n|true");
    EXPECT_EQ(rows("SELECT id, n FROM t ORDER BY id"), "1|NULL 2|x");
}

TEST_F(DuckdbTest, TypesAreThoseOfTheReference) {
    maker_.table("t", "{}", R"({
        "a": "text", "b": {"data_type": "bigint", "precision": 16}, "c": "double", "d": "bool", "e": "timestamp",
        "f": {"data_type": "timestamp", "timezone": false, "precision": 3}, "g": "date", "h": "time",
        "i": "decimal", "j": {"data_type": "decimal", "precision": 12, "scale": 2}, "k": "wei", "l": "binary", "m": "json",
        "n": {"data_type": "bigint", "precision": 128}, "o": {"data_type": "timestamp", "timezone": false}})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([
        {"a": "é", "b": 7, "c": 0.5, "d": true, "e": 1000000, "f": 1000, "g": 1, "h": 1000000, "i": 1500000000, "j": 125,
         "k": 3, "l": "xy", "m": "{\"a\":[1]}", "n": 9, "o": 2000000}])");
    load(close());
    EXPECT_EQ(rows("SELECT string_agg(data_type, ',' ORDER BY column_index) FROM duckdb_columns() "
                   "WHERE table_name = 't'"
                   " AND NOT starts_with(column_name, '_dlt')"),
              "VARCHAR,SMALLINT,DOUBLE,BOOLEAN,TIMESTAMP WITH TIME "
              "ZONE,TIMESTAMP_MS,DATE,TIME,DECIMAL(38,9),DECIMAL(12,2),"
              "DECIMAL(38,0),BLOB,JSON,HUGEINT,TIMESTAMP");
    EXPECT_EQ(rows("SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o FROM t"),
              "é|7|0.5|true|1970-01-01 00:00:01+00|1970-01-01 "
              "00:00:00.001|1970-01-02|00:00:01|1.500000000|1.25|3|xy|"
              "{\"a\":[1]}|9|1970-01-01 00:00:02");
}

TEST_F(DuckdbTest, ValuesThatDoNotFitNameTheTable) {
    maker_.table("t", "{}", R"({"b": {"data_type": "bigint", "precision": 8}})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"b": 300}])");
    EXPECT_TRUE(contains(message_of(ErrorKind::data, [&] { load(close()); }), "table \"t\""));
}

TEST_F(DuckdbTest, ReplaceEmptiesTheWholeChain) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.table("t__l", R"({"parent": "t"})", R"({"value": "bigint"})");
    maker_.begin("1.0")
        .load(Disposition::replace, {"t", "t__l"})
        .rows("t", R"([{"id": 1, "_dlt_id": "a"}, {"id": 2}, {"id": 3}])")
        .rows("t__l",
              R"([{"value": 1, "_dlt_root_id": "a", "_dlt_parent_id": "a", "_dlt_list_idx": 0}])");
    load(close());
    maker_.begin("2.0").load(Disposition::replace, {"t", "t__l"}).rows("t", R"([{"id": 4}])");
    const auto loaded = load(close());
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(loaded[0].deleted, 3U);
    EXPECT_EQ(loaded[1].deleted, 1U);
    EXPECT_EQ(rows("SELECT id FROM t"), "4");
    EXPECT_EQ(rows("SELECT count(*) FROM t__l"), "0");
    maker_.begin("3.0").load(Disposition::replace, {"t", "t__l"});
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "0");
}

TEST_F(DuckdbTest, ReplaceAppendMergeInTurn) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}})");
    std::string hundred;
    for (int i = 0; i < 100; ++i) hundred += fmt::format("{}{{\"id\": {}}}", i > 0 ? ", " : "[", i);
    hundred += "]";
    maker_.begin("1.0").load(Disposition::replace, {"t"}).rows("t", hundred);
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "100");
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", hundred);
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "200");
    maker_.begin("3.0").load(Disposition::merge, {"t"}).rows("t", hundred);
    const auto loaded = load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "100");
    EXPECT_EQ(loaded[0].deleted, 200U);
}

TEST_F(DuckdbTest, SeveralTablesOfEveryKindGoInTogether) {
    maker_.table("a", "{}", R"({"id": "bigint"})");
    maker_.table("m", "{}",
                 R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint"})");
    maker_.table("r", "{}", R"({"id": "bigint"})");
    maker_.table("z", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}})");
    for (const char* id : {"1.0", "2.0"}) {
        maker_.begin(id)
            .load(Disposition::append, {"a"})
            .load(Disposition::merge, {"m"})
            .load(Disposition::replace, {"r"})
            .load(Disposition::merge, {"z"})
            .rows("a", R"([{"id": 1}])")
            .rows("m", R"([{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 1, "v": 3}])")
            .rows("r", R"([{"id": 1}])")
            .rows("z", R"([{"id": 1}])");
        load(close());
    }
    EXPECT_EQ(rows("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM m), (SELECT count(*) "
                   "FROM r), (SELECT count(*)"
                   " FROM z)"),
              "2|2|1|1");
}

// ---- fence, strangers, counts ----

TEST_F(DuckdbTest, AChangedDatasetStopsTheLoad) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package first = close();
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2}])");
    const package::Package second = close();
    load(first);
    const std::string before = contents();
    EXPECT_TRUE(contains(message_of(ErrorKind::conflict, [&] { load(second); }),
                         "another run of pipeline \"shop\""));
    EXPECT_TRUE(
        contains(message_of(ErrorKind::conflict, [&] { load(first); }), "already in dataset"));
    EXPECT_EQ(contents(), before);
}

TEST_F(DuckdbTest, TablesOfOthersAreNotWritten) {
    execute("CREATE TABLE T(id BIGINT, extra VARCHAR); INSERT INTO T VALUES (7, 'mine')");
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    const std::string before = contents();
    const std::string text = message_of(ErrorKind::usage, [&] { load(package); });
    EXPECT_TRUE(contains(text, "table \"t\" of dataset \"main\""));
    EXPECT_TRUE(contains(text, "--adopt"));
    EXPECT_EQ(contents(), before);
    adopts = true;
    load(package);
    EXPECT_EQ(rows("SELECT id, extra, _dlt_load_id FROM t ORDER BY id"), "1|NULL|1.0 7|mine|NULL");
    // From now on it is known.
    adopts = false;
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2}])");
    load(close());
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "3");
}

TEST_F(DuckdbTest, RowsThatGoMissingAreFoundOut) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}, {"id": 2}])");
    const package::Package package = close();
    // A manifest that promises more rows than the files have.
    const std::string path = package.folder() + "/manifest.json";
    std::string text = files_->read_text(path);
    const std::size_t at = text.find("\"rows\":2");
    const std::size_t spaced = text.find("\"rows\": 2");
    ASSERT_TRUE(at != std::string::npos || spaced != std::string::npos) << text;
    if (at != std::string::npos) text.replace(at, 8, "\"rows\":3");
    if (spaced != std::string::npos) text.replace(spaced, 9, "\"rows\": 3");
    std::ofstream(path) << text;
    EXPECT_THROW(load(package::Package(*files_, package.folder())), Error);
    EXPECT_EQ(contents(), "no file");
}

TEST_F(DuckdbTest, AnUnfinishedLoadLeavesNoTrace) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}})");
    maker_.begin("1.0").load(Disposition::merge, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    const std::string before = contents();
    maker_.table("u", "{}", R"({"id": "bigint"})");
    maker_.begin("2.0")
        .load(Disposition::merge, {"t"})
        .load(Disposition::append, {"u"})
        .rows("t", R"([{"id": 1}, {"id": 2}])")
        .rows("u", R"([{"id": 1}])");
    const package::Package package = close();
    const auto destination = make();
    for (int steps = 0; steps < 4; ++steps) {
        {
            const auto transaction = destination->begin(package);
            if (steps > 0) apply_and_load(package, *destination, *transaction);
            if (steps > 1) transaction->finish();
        }
        EXPECT_EQ(contents(), before) << steps;
        EXPECT_EQ(files_->find(folder_.path("temp/duckdb")), nullptr);
    }
    load(package);
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "2");
}

TEST_F(DuckdbTest, AKilledProcessLeavesNoTrace) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    const std::string before = contents();
    std::string many = "[";
    for (int i = 0; i < 50'000; ++i) many += fmt::format("{}{{\"id\": {}}}", i > 0 ? "," : "", i);
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", many + "]");
    const package::Package package = close();
    const support::ChildProcess child(
        [&](support::ChildProcess::Signal ready, support::ChildProcess::Signal) {
            const auto destination = make();
            const auto transaction = destination->begin(package);
            apply_and_load(package, *destination, *transaction);
            transaction->finish();
            ready.raise();
            ::kill(::getpid(), SIGKILL);
        });
    while (::kill(child.id(), 0) == 0 && !child.has_ended()) std::this_thread::yield();
    EXPECT_EQ(contents(), before);
    load(package);
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "50001");
}

TEST_F(DuckdbTest, AFullDiskLeavesNoTrace) {
    maker_.table("t", "{}", R"({"id": "bigint", "v": "text"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    const std::string before = contents();
    std::string many = "[";
    for (int i = 0; i < 150'000; ++i) {
        const auto noise = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL;
        many += fmt::format(R"({}{{"id": {}, "v": "{:x}{:x}"}})", i > 0 ? "," : "", i, noise,
                            noise * noise);
    }
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", many + "]");
    const package::Package package = close();
    // More and more room, until the load goes through: it runs into the limit while rows are
    // written, and while they are committed.
    std::uint64_t failures = 0;
    bool is_through = false;
    for (std::uint64_t room = 300'000; !is_through; room += 600'000) {
        support::ChildProcess child(
            [&](support::ChildProcess::Signal ready, support::ChildProcess::Signal) {
                ::signal(SIGXFSZ, SIG_IGN);
                const rlim_t size = files_->find(file())->size + room;
                const rlimit limit{.rlim_cur = size, .rlim_max = size};
                ::setrlimit(RLIMIT_FSIZE, &limit);
                try {
                    load(package);
                } catch (const Error& error) {
                    if (error.kind() == ErrorKind::local) ready.raise();
                }
            });
        child.finish();
        if (child.was_ready()) {
            ++failures;
            ASSERT_TRUE(contents() == before) << room;
        } else {
            is_through = true;
        }
    }
    EXPECT_GE(failures, 3U);
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "150001");
}

TEST_F(DuckdbTest, AStopRequestEndsALoad) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    const auto destination = make();
    const auto transaction = destination->begin(package);
    transaction->apply(
        plan_ddl(package.schema(), {"t"}, transaction->catalog(), destination->capabilities()));
    std::stop_source stop;
    stop.request_stop();
    message_of(ErrorKind::cancelled, [&] {
        transaction->load({.table = "t", .disposition = Disposition::append}, stop.get_token());
    });
}

TEST_F(DuckdbTest, AFileThatIsHeldIsWaitedForThenNamed) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    load(package);
    support::ChildProcess writer(
        [&](support::ChildProcess::Signal ready, support::ChildProcess::Signal done) {
            engine::Engine engine({});
            engine.attach(file(), "d", engine::AttachMode::read_write);
            ready.raise();
            done.wait();
        });
    const std::string who = fmt::format("PID {}", writer.id());
    EXPECT_TRUE(contains(message_of(ErrorKind::locked, [&] { stored(); }), who));
    EXPECT_TRUE(contains(message_of(ErrorKind::locked, [&] { make()->begin(package); }), who));
    writer.finish();
    EXPECT_TRUE(stored());
}

TEST_F(DuckdbTest, ARowWithoutItsKeyIsNamed) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "nullable": false}, "v": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}, {"v": 2}])");
    const package::Package package = close();
    const std::string text = message_of(ErrorKind::data, [&] { load(package); });
    EXPECT_TRUE(contains(text, R"(table "t", column "id": a record has no value)"));
    EXPECT_EQ(contents(), "no file");
}

TEST_F(DuckdbTest, WideTablesThatCannotFitAreRefusedBeforeAnythingHappens) {
    memory_bytes = std::size_t{440} << 20;
    std::string columns = "{";
    for (int i = 0; i < 1'000; ++i)
        columns += fmt::format("{}\"c{}\": \"bigint\"", i > 0 ? ", " : "", i);
    maker_.table("wide", "{}", columns + "}");
    std::string list = "[";
    for (int i = 0; i < 3'000; ++i) list += fmt::format("{}{{\"c1\": {}}}", i > 0 ? ", " : "", i);
    maker_.begin("1.0").load(Disposition::append, {"wide"}).rows("wide", list + "]");
    const package::Package package = close();
    execute("CREATE TABLE other(a INTEGER)");  // A file with large blocks.
    const std::string text = message_of(ErrorKind::local, [&] { load(package); });
    EXPECT_TRUE(contains(text, "\"wide\" has 1002 columns"));
    EXPECT_TRUE(contains(text, "--memory"));
    files_->remove(file());
    load(package);  // Small blocks in a file of our own.
    EXPECT_EQ(rows("SELECT sum(c1) FROM wide"), "4498500");
    EXPECT_EQ(rows("SELECT block_size FROM pragma_database_size() WHERE database_name = 'shop'"),
              "65536");
}

// ---- queries ----

TEST_F(DuckdbTest, QueriesSeeTheDatasetAndCannotWrite) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    EXPECT_EQ(rows("SELECT id FROM t"), "1");
    EXPECT_EQ(rows("SELECT id FROM main.t"), "1");
    EXPECT_EQ(rows("SELECT id FROM shop.main.t"), "1");
    EXPECT_EQ(rows("SELECT id FROM " + make()->quote_table("t")), "1");
    EXPECT_THROW(make()->query("DELETE FROM t", {}), Error);
    EXPECT_THROW(make()->query("SELECT * FROM nothing", {}), Error);
    EXPECT_EQ(rows("SELECT id FROM t"), "1");
    EXPECT_TRUE(make()->query("SELECT * FROM range(10)", {.rows_max = 3}).is_truncated);
}

TEST_F(DuckdbTest, TheDatasetMayHaveTheNameOfTheFile) {
    execute("CREATE SCHEMA shop; CREATE TABLE shop.shop.t AS SELECT 1 AS id");
    EXPECT_EQ(make("shop")->query("SELECT id FROM t", {}).rows[0][0], "1");
    EXPECT_EQ(make("shop")->query("SELECT id FROM shop.t", {}).rows[0][0], "1");
}

}  // namespace
}  // namespace tipple::destinations
