#include "tipple/engine/engine.h"

#include <dlfcn.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/engine/streams.h"

namespace tipple::engine {
namespace {

using columns::Batch;
using columns::ColumnType;
using columns::int128;
using schema::DataType;

const EngineOptions small = {.memory_bytes = std::size_t{256} << 20, .threads = 2};

/// All rows of `sql` in one batch.
Batch read_all(Engine& engine, std::string_view sql) {
    Batch all;
    engine.read(sql, 1'000'000, {}, [&](Batch batch) {
        EXPECT_EQ(all.rows, 0U);
        all = std::move(batch);
        return true;
    });
    return all;
}

ErrorKind kind_of(Engine& engine, std::string_view sql) {
    try {
        engine.execute(sql);
    } catch (const Error& error) {
        return error.kind();
    }
    ADD_FAILURE() << "no error from: " << sql;
    return ErrorKind::cancelled;
}

TEST(Quoting, DoublesTheMark) {
    EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
}

TEST(Engine, RunsStatementsAndCountsChangedRows) {
    Engine engine(small);
    EXPECT_EQ(engine.execute("CREATE TABLE t(a INTEGER); INSERT INTO t SELECT * FROM range(7)"),
              7U);
    EXPECT_EQ(engine.execute("DELETE FROM t WHERE a < 3"), 3U);
    EXPECT_EQ(engine.execute("UPDATE t SET a = a + 1"), 4U);
    EXPECT_EQ(engine.query_value("SELECT sum(a) FROM t"), "22");
    EXPECT_EQ(engine.query_value("SELECT a FROM t WHERE a > 100"), std::nullopt);
    EXPECT_EQ(engine.query_value("SELECT NULL"), std::nullopt);
    EXPECT_EQ(engine.execute(" ;; "), 0U);
    EXPECT_EQ(engine.execute_with("INSERT INTO t SELECT length($1)", "it's $1"), 1U);
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE a = 7"), "2");
}

TEST(Engine, PrintsEveryTypeAsTheEngineDoes) {
    Engine engine(small);
    const Result result = engine.query(
        "SELECT 1 AS a, 2 AS a, DATE '2024-02-29' AS d, TIMESTAMPTZ '2024-01-01 12:00:00+02' AS t, "
        "[1, NULL] AS l,"
        " {'x': 'y'} AS s, MAP {'k': 1.5} AS m, INTERVAL '1 month' AS i, '\\x00ff'::BLOB AS b, "
        "NULL AS n -- end\n; ");
    ASSERT_EQ(result.columns.size(), 10U);
    EXPECT_EQ(result.columns[0].name, "a");
    EXPECT_EQ(result.columns[1].name, "a");
    EXPECT_EQ(result.columns[5].type, "STRUCT(\"x\" VARCHAR)");
    EXPECT_EQ(result.columns[6].type, "MAP(VARCHAR, DECIMAL(2,1))");
    const std::vector<std::optional<std::string>> expected = {
        "1",         "2",         "2024-02-29", "2024-01-01 10:00:00+00",
        "[1, NULL]", "{'x': y}",  "{k=1.5}",    "1 month",
        "\\x00ff",   std::nullopt};
    ASSERT_EQ(result.rows.size(), 1U);
    EXPECT_EQ(result.rows[0], expected);
}

TEST(Engine, QueryKeepsOrderAndStopsAtTheLimit) {
    Engine engine(small);
    const Result result = engine.query("SELECT i FROM range(100000) t(i) ORDER BY i DESC", 3);
    EXPECT_TRUE(result.is_truncated);
    ASSERT_EQ(result.rows.size(), 3U);
    EXPECT_EQ(result.rows[0][0], "99999");
    EXPECT_EQ(result.rows[2][0], "99997");
    EXPECT_FALSE(engine.query("SELECT 1 UNION ALL SELECT 2", 2).is_truncated);
}

TEST(Engine, QueryTakesStatementsThatAreNoRelation) {
    Engine engine(small);
    EXPECT_EQ(engine.query("CREATE TABLE t(a INTEGER, b VARCHAR); SELECT 42 AS x").rows[0][0],
              "42");
    EXPECT_EQ(engine.query("DESCRIBE t").rows.size(), 2U);
    EXPECT_EQ(engine.query("SHOW TABLES").rows.size(), 1U);
    EXPECT_EQ(engine.query("PRAGMA table_info('t')").rows.size(), 2U);
    EXPECT_EQ(engine.query("EXPLAIN SELECT 1").rows.size(), 1U);
    EXPECT_EQ(engine.query("WITH q AS (SELECT 1 AS x) FROM q").rows[0][0], "1");
    EXPECT_EQ(engine.query("INSERT INTO t VALUES (1, 'x') RETURNING b").rows[0][0], "x");
    EXPECT_EQ(engine.query("SELECT ';' AS semicolon;").rows[0][0], ";");
}

TEST(Engine, MapsErrorsToKinds) {
    Engine engine(small);
    EXPECT_EQ(kind_of(engine, "SELEC 1"), ErrorKind::usage);
    EXPECT_EQ(kind_of(engine, "SELECT * FROM missing"), ErrorKind::usage);
    EXPECT_EQ(kind_of(engine, "SELECT nothing(1)"), ErrorKind::usage);
    EXPECT_EQ(kind_of(engine, "SELECT CAST('x' AS INTEGER)"), ErrorKind::data);
    EXPECT_EQ(kind_of(engine, "SELECT CAST(1000 AS TINYINT)"), ErrorKind::data);
    EXPECT_EQ(kind_of(engine, "CREATE TABLE n(a INTEGER NOT NULL); INSERT INTO n VALUES (NULL)"),
              ErrorKind::data);
    EXPECT_EQ(kind_of(engine, "SELECT * FROM read_csv('/nowhere/at/all.csv')"), ErrorKind::usage);
    EXPECT_EQ(kind_of(engine, "COPY (SELECT 1) TO '/nowhere/at/all.csv'"), ErrorKind::usage);
    EXPECT_EQ(kind_of(engine, "INSTALL spatial FROM 'http://127.0.0.1:9'"), ErrorKind::local);
    EXPECT_EQ(kind_of(engine, std::string_view("SELECT '\0'", 10)), ErrorKind::usage);
}

TEST(Engine, SaysHowToGetMoreMemory) {
    Engine engine({.memory_bytes = std::size_t{20} << 20, .threads = 1});
    try {
        engine.execute(
            "CREATE TABLE t AS SELECT repeat(i::VARCHAR, 50) AS a FROM range(2000000) t(i)");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::local);
        EXPECT_NE(std::string(error.what()).find("--memory"), std::string::npos) << error.what();
    }
}

TEST(Engine, ReadsEveryTypeIntoColumns) {
    Engine engine(small);
    const Batch batch = read_all(
        engine,
        "SELECT 1::TINYINT, -2::SMALLINT, 3::INTEGER, 4::BIGINT, 255::UTINYINT, 65535::USMALLINT, "
        "4294967295::UINTEGER,"
        " 18446744073709551615::UBIGINT, -5::HUGEINT, 6::UHUGEINT, 1.5::FLOAT, 2.5::DOUBLE, true,"
        " 1.25::DECIMAL(4,2), 1.25::DECIMAL(9,2), 1.25::DECIMAL(18,2), -1.25::DECIMAL(38,2)");
    const columns::BatchView view = batch.view();
    for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(view.columns[i].type.type, DataType::bigint) << i;
    EXPECT_EQ(view.columns[0].value<std::int64_t>(0), 1);
    EXPECT_EQ(view.columns[1].value<std::int64_t>(0), -2);
    EXPECT_EQ(view.columns[4].value<std::int64_t>(0), 255);
    EXPECT_EQ(view.columns[6].value<std::int64_t>(0), 4294967295);
    for (std::size_t i = 7; i < 10; ++i) {
        EXPECT_EQ(view.columns[i].type, (ColumnType{.type = DataType::decimal, .precision = 38}))
            << i;
    }
    EXPECT_EQ(view.columns[7].value<int128>(0),
              static_cast<int128>(std::numeric_limits<std::uint64_t>::max()));
    EXPECT_EQ(view.columns[8].value<int128>(0), -5);
    EXPECT_EQ(view.columns[9].value<int128>(0), 6);
    EXPECT_EQ(view.columns[10].value<double>(0), 1.5);
    EXPECT_EQ(view.columns[11].value<double>(0), 2.5);
    EXPECT_TRUE(view.columns[12].boolean(0));
    for (std::size_t i = 13; i < 16; ++i) EXPECT_EQ(view.columns[i].value<int128>(0), 125) << i;
    EXPECT_EQ(view.columns[16].value<int128>(0), -125);
    EXPECT_EQ(view.columns[13].type.precision, 4);
    EXPECT_EQ(view.columns[16].type.scale, 2);
}

TEST(Engine, ReadsTimesOfEveryUnit) {
    Engine engine(small);
    const Batch batch = read_all(
        engine,
        "SELECT TIMESTAMP_S '1969-12-31 23:59:58', TIMESTAMP_MS '1970-01-01 00:00:00.5', TIMESTAMP "
        "'1970-01-01 00:00:01',"
        " TIMESTAMP_NS '1969-12-31 23:59:59.999999999', TIMESTAMPTZ '1970-01-01 02:00:00+02', DATE "
        "'1970-01-11',"
        " TIME '00:00:01.5', 'infinity'::TIMESTAMP, TIMETZ '10:00:00+02', INTERVAL '2 days',"
        " TIME_NS '00:00:01.500000007', TIMESTAMP_NS '1970-01-01 00:00:00.000001', 'infinity'::TIMESTAMP_NS");
    const columns::BatchView view = batch.view();
    EXPECT_EQ(view.columns[0].value<std::int64_t>(0), -2'000'000);
    EXPECT_EQ(view.columns[1].value<std::int64_t>(0), 500'000);
    EXPECT_EQ(view.columns[2].value<std::int64_t>(0), 1'000'000);
    EXPECT_EQ(view.columns[3].value<std::int64_t>(0), -1);
    EXPECT_FALSE(view.columns[3].type.timezone);
    EXPECT_EQ(view.columns[4].value<std::int64_t>(0), 0);
    EXPECT_TRUE(view.columns[4].type.timezone);
    EXPECT_EQ(view.columns[5].value<std::int32_t>(0), 10);
    EXPECT_EQ(view.columns[6].value<std::int64_t>(0), 1'500'000);
    EXPECT_EQ(view.columns[7].value<std::int64_t>(0), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(view.columns[8].text(0), "10:00:00+02");
    EXPECT_EQ(view.columns[9].text(0), "2 days");
    EXPECT_EQ(view.columns[10].value<std::int64_t>(0), 1'500'000);
    EXPECT_EQ(view.columns[12].value<std::int64_t>(0), std::numeric_limits<std::int64_t>::max());
    // What is beyond the microseconds is kept beside them.
    EXPECT_EQ(view.columns[3].nanoseconds(0), 999);
    EXPECT_EQ(view.columns[10].nanoseconds(0), 7);
    EXPECT_TRUE(view.columns[11].fractions.empty());
    EXPECT_TRUE(view.columns[12].fractions.empty());
}

TEST(Engine, ReadsTextsAndNestedValues) {
    Engine engine(small);
    engine.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t(m mood, j JSON)");
    engine.execute("INSERT INTO t VALUES ('ok', '{\"a\": 1}'), (NULL, NULL)");
    const std::vector<ReadColumn> described =
        engine.describe("SELECT m, j, {'a': [1]} AS s, 'x'::BLOB AS b, uuid() AS u FROM t");
    EXPECT_EQ(described[0].sql_type, "ENUM('sad', 'ok')");
    EXPECT_EQ(described[0].type.type, DataType::text);
    EXPECT_EQ(described[1].sql_type, "JSON");
    EXPECT_EQ(described[1].type.type, DataType::json);
    EXPECT_EQ(described[2].name, "s");
    EXPECT_EQ(described[2].type.type, DataType::json);
    EXPECT_EQ(described[3].type.type, DataType::binary);
    EXPECT_EQ(described[4].type.type, DataType::text);

    const Batch batch =
        read_all(engine,
                 "SELECT m, j, {'a': [1, NULL], 'b': 'long enough not to be inlined'} AS s,"
                 " MAP {'k': 1} AS o, union_value(num := 2) AS u, '\\xC3\\xA9'::BLOB AS b FROM t");
    const columns::BatchView view = batch.view();
    ASSERT_EQ(batch.rows, 2U);
    EXPECT_EQ(view.names[2], "s");
    EXPECT_EQ(view.columns[0].text(0), "ok");
    EXPECT_TRUE(view.columns[0].is_null(1));
    EXPECT_EQ(view.columns[1].text(0), "{\"a\": 1}");
    EXPECT_EQ(view.columns[2].text(1), "{\"a\":[1,null],\"b\":\"long enough not to be inlined\"}");
    EXPECT_EQ(view.columns[3].text(0), "{\"k\":1}");
    EXPECT_EQ(view.columns[4].text(0), "{\"num\":2}");
    EXPECT_EQ(view.columns[5].text(0), "é");
}

TEST(Engine, RefusesNumbersBeyondThirtyEightDigits) {
    Engine engine(small);
    const std::string limit = "99999999999999999999999999999999999999";
    EXPECT_EQ(read_all(engine, "SELECT -" + limit + "::HUGEINT").rows, 1U);
    for (const char* sql : {"SELECT 100000000000000000000000000000000000000::HUGEINT AS big",
                            "SELECT 340282366920938463463374607431768211455::UHUGEINT AS big"}) {
        try {
            read_all(engine, sql);
            FAIL() << sql;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::data);
            EXPECT_NE(std::string(error.what()).find("\"big\""), std::string::npos);
        }
    }
}

TEST(Engine, CutsBatchesAndKeepsNullsInPlace) {
    Engine engine(small);
    std::int64_t next = 0;
    std::vector<std::size_t> sizes;
    engine.read(
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS a, CASE WHEN i % 7 = 0 THEN NULL ELSE "
        "i::VARCHAR END"
        " AS b, i % 2 = 0 AS c FROM range(10000) t(i)",
        3'333, {}, [&](Batch batch) {
            sizes.push_back(batch.rows);
            const columns::BatchView view = batch.view();
            for (std::size_t row = 0; row < batch.rows; ++row, ++next) {
                EXPECT_EQ(view.columns[0].is_null(row), next % 3 == 0);
                if (next % 3 != 0) {
                    EXPECT_EQ(view.columns[0].value<std::int64_t>(row), next);
                }
                EXPECT_EQ(view.columns[1].is_null(row), next % 7 == 0);
                if (next % 7 != 0) {
                    EXPECT_EQ(view.columns[1].text(row), std::to_string(next));
                }
                EXPECT_EQ(view.columns[2].boolean(row), next % 2 == 0);
            }
            return true;
        });
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3'333, 3'333, 3'333, 1}));
    EXPECT_EQ(next, 10'000);
}

TEST(Engine, EndsABatchOfWideRowsEarly) {
    Engine engine(small);
    std::size_t batches = 0;
    engine.read("SELECT repeat('x', 100000) AS a FROM range(2000)", 122'880, {}, [&](Batch) {
        ++batches;
        return true;
    });
    EXPECT_GE(batches, 3U);
}

TEST(Engine, StopsWhenTheSinkHasEnough) {
    Engine engine(small);
    std::size_t rows = 0;
    engine.read("SELECT i FROM range(100000000) t(i)", 1'000, {}, [&](Batch batch) {
        rows += batch.rows;
        return rows < 3'000;
    });
    EXPECT_EQ(rows, 3'000U);
    EXPECT_EQ(engine.query_value("SELECT 1"), "1");
}

TEST(Engine, StopsOnRequest) {
    Engine engine(small);
    const std::string endless =
        "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = -1";
    for (const bool is_read : {true, false}) {
        std::stop_source source;
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            source.request_stop();
        });
        try {
            if (is_read) {
                engine.read(endless, 10, source.get_token(), [](Batch) { return true; });
            } else {
                engine.execute(endless, source.get_token());
            }
            FAIL();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::cancelled);
        }
    }
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_THROW(engine.execute("SELECT 1", stopped.get_token()), Error);
    EXPECT_EQ(engine.query_value("SELECT 1"), "1");
}

columns::ArrowSource numbers(std::size_t batches, std::size_t rows) {
    auto at = std::make_shared<std::size_t>(0);
    return {.fields = {{.name = "n", .type = {.type = DataType::bigint}},
                       {.name = "load", .type = {}, .is_nullable = false, .is_constant = true},
                       {.name = "t", .type = {}}},
            .constants = {"", "1795404633.634409", ""},
            .next = [=]() -> std::unique_ptr<Batch> {
                if (*at == batches) return nullptr;
                auto batch = std::make_unique<Batch>();
                batch->rows = rows;
                batch->columns.emplace_back(ColumnType{.type = DataType::bigint});
                batch->columns.emplace_back(ColumnType{});
                for (std::size_t row = 0; row < rows; ++row) {
                    const std::size_t number = *at * rows + row;
                    batch->columns[0].append_int64(static_cast<std::int64_t>(number));
                    number % 5 == 0
                        ? batch->columns[1].append_null()
                        : batch->columns[1].append_text(fmt::format("text number {}", number));
                }
                ++*at;
                return batch;
            }};
}

std::size_t thread_count() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(Engine, LeavesNothingRunningBehind) {
    const std::size_t before = thread_count();
    for (int i = 0; i < 20; ++i) {
        std::stop_source stopped;
        stopped.request_stop();
        Engine engine(small);
        engine.execute("CREATE TABLE t(n BIGINT, load VARCHAR, t VARCHAR)");
        engine.register_stream("numbers", numbers(5, 1'000));
        engine.register_stream("more", numbers(5, 1'000));
        EXPECT_THROW(
            engine.execute("INSERT INTO t SELECT * FROM memory.main.numbers", stopped.get_token()),
            Error);
        engine.read("SELECT * FROM memory.main.more", 100, {}, [](Batch) { return false; });
    }
    EXPECT_EQ(thread_count(), before);
}

TEST(Engine, ReportsAnErrorInTheMiddleOfARead) {
    Engine engine(small);
    std::size_t rows = 0;
    EXPECT_THROW(
        engine.read(
            "SELECT CASE WHEN i = 900000 THEN error('no') ELSE i END FROM range(1000000) t(i)",
            1'000, {},
            [&](Batch batch) {
                rows += batch.rows;
                return true;
            }),
        Error);
    EXPECT_LT(rows, 1'000'000U);
}

// ---- streams ----

TEST(Streams, ArriveInOrderWithNullsAndConstants) {
    Engine engine(small);
    engine.register_stream("numbers", numbers(7, 5'000));
    engine.execute("CREATE TABLE t AS SELECT * FROM memory.main.numbers");
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE rowid = n"), "35000");
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE load = '1795404633.634409'"),
              "35000");
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE t IS NULL AND n % 5 = 0"), "7000");
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE t = 'text number ' || n"), "28000");
}

/// A table of so many columns that the library would use one thread. Batches below a row group stay in memory, with a block for each of its columns.
constexpr std::size_t many_columns = 50;
const EngineOptions roomy = {.memory_bytes = std::size_t{600} << 20, .threads = 2};
void make_table_of_many_columns(Engine& engine) {
    std::string columns;
    for (std::size_t i = 3; i < many_columns; ++i) columns += fmt::format(", c{} BIGINT", i);
    engine.execute(fmt::format("CREATE TABLE t(n BIGINT, load VARCHAR, t VARCHAR{})", columns));
}

TEST(Streams, AreInsertedInOrderByAllThreads) {
    Engine engine(roomy);
    const std::string limit = *engine.query_value("SELECT current_setting('memory_limit')");
    make_table_of_many_columns(engine);
    columns::ArrowSource source = numbers(24, 3'000);
    std::set<std::thread::id> threads;
    source.next = [&threads, next = source.next] {
        threads.insert(std::this_thread::get_id());
        // So that the second one comes to its turn on a busy machine, too.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return next();
    };
    engine.register_stream("numbers", std::move(source));
    EXPECT_EQ(engine.insert_stream("INSERT INTO t (n, load, t) SELECT * FROM memory.main.numbers", "numbers", many_columns), 72'000U);
    EXPECT_EQ(threads.size(), 2U);
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE rowid = n"), "72000");
    EXPECT_EQ(engine.query_value("SELECT current_setting('memory_limit')"), limit);
}

TEST(Streams, LeaveTheMemoryLimitAsItWasWhenTheyFail) {
    Engine engine(small);
    const std::string limit = *engine.query_value("SELECT current_setting('memory_limit')");
    make_table_of_many_columns(engine);
    engine.register_stream("unread", numbers(1, 10));
    EXPECT_THROW(engine.insert_stream("INSERT INTO missing SELECT * FROM memory.main.unread", "unread", many_columns), Error);
    EXPECT_EQ(engine.query_value("SELECT current_setting('memory_limit')"), limit);
    columns::ArrowSource torn = numbers(1, 10);
    torn.next = []() -> std::unique_ptr<Batch> { throw Error(ErrorKind::data, "torn"); };
    engine.register_stream("torn", std::move(torn));
    EXPECT_THROW(engine.insert_stream("INSERT INTO t (n, load, t) SELECT * FROM memory.main.torn", "torn", many_columns), Error);
    EXPECT_EQ(engine.query_value("SELECT current_setting('memory_limit')"), limit);
    engine.register_stream("numbers", numbers(3, 1'000));
    engine.set_memory(std::size_t{200} << 20);
    EXPECT_EQ(engine.insert_stream("INSERT INTO t (n, load, t) SELECT * FROM memory.main.numbers", "numbers", many_columns), 3'000U);
    EXPECT_EQ(engine.query_value("SELECT current_setting('memory_limit')"), "200.0 MiB");
}

TEST(Streams, SayThatTheirFirstBatchIsAskedFor) {
    LentStream stream(numbers(2, 10));
    std::size_t calls = 0;
    stream.set_before_first([&] { ++calls; });
    ArrowArray array;
    for (std::size_t batch = 0; batch < 2; ++batch) {
        ASSERT_EQ(stream.outer()->get_next(stream.outer(), &array), 0);
        ASSERT_NE(array.release, nullptr);
        array.release(&array);
        EXPECT_EQ(calls, 1U);
    }
    LentStream failing(numbers(2, 10));
    failing.set_before_first([] { throw Error(ErrorKind::local, "no"); });
    EXPECT_NE(failing.outer()->get_next(failing.outer(), &array), 0);
    EXPECT_EQ(array.release, nullptr);
    EXPECT_THROW(std::rethrow_exception(failing.exception()), Error);
}

TEST(Streams, GiveBatchesBackThatWereRead) {
    Engine engine(small);
    columns::ArrowSource source = numbers(9, 2'000);
    std::atomic<std::size_t> rows = 0;
    source.take_back = [&rows](std::unique_ptr<Batch> batch) { rows += batch->rows; };
    engine.register_stream("numbers", std::move(source));
    engine.execute("CREATE TABLE t AS SELECT * FROM memory.main.numbers");
    EXPECT_EQ(rows, 18'000U);
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t WHERE rowid = n"), "18000");
}

TEST(Streams, EveryTypeArrivesAsItsOwn) {
    Engine engine(small);
    auto given = std::make_shared<bool>(false);
    columns::ArrowSource source;
    const std::vector<ColumnType> types = {{.type = DataType::text},
                                           {.type = DataType::bigint},
                                           {.type = DataType::double_},
                                           {.type = DataType::bool_},
                                           {.type = DataType::timestamp},
                                           {.type = DataType::timestamp, .timezone = false},
                                           {.type = DataType::date},
                                           {.type = DataType::time},
                                           {.type = DataType::decimal, .precision = 12, .scale = 2},
                                           {.type = DataType::wei, .precision = 38},
                                           {.type = DataType::binary},
                                           {.type = DataType::json}};
    for (const ColumnType& type : types) {
        source.fields.push_back({.name = std::string(schema::to_text(type.type)), .type = type});
    }
    source.constants.resize(types.size());
    source.next = [=]() -> std::unique_ptr<Batch> {
        if (std::exchange(*given, true)) return nullptr;
        auto batch = std::make_unique<Batch>();
        batch->rows = 2;
        for (const ColumnType& type : types) batch->columns.emplace_back(type);
        auto& columns = batch->columns;
        columns[0].append_text("é");
        columns[1].append_int64(-7);
        columns[2].append_double(0.5);
        columns[3].append_bool(true);
        columns[4].append_int64(1'000'000);
        columns[5].append_int64(1'000'001);
        columns[6].append_int32(1);
        columns[7].append_int64(1'500'000);
        columns[8].append_int128(-12'345);
        columns[9].append_int128(static_cast<int128>(1) << 100);
        columns[10].append_text(std::string_view("\0\xFF", 2));
        columns[11].append_text("{\"a\":1}");
        for (auto& column : columns) column.append_null();
        return batch;
    };
    engine.register_stream("all_types", std::move(source));
    engine.execute("CREATE TABLE t AS SELECT * FROM memory.main.all_types");
    const Result result = engine.query("SELECT * FROM t");
    std::vector<std::string> sql_types;
    for (const ResultColumn& column : result.columns) sql_types.push_back(column.type);
    EXPECT_EQ(sql_types,
              (std::vector<std::string>{"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN",
                                        "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE", "TIME",
                                        "DECIMAL(12,2)", "DECIMAL(38,0)", "BLOB", "JSON"}));
    EXPECT_EQ(result.rows[0],
              (std::vector<std::optional<std::string>>{
                  "é", "-7", "0.5", "true", "1970-01-01 00:00:01+00", "1970-01-01 00:00:01.000001",
                  "1970-01-02", "00:00:01.5", "-123.45", "1267650600228229401496703205376",
                  "\\x00\\xFF", "{\"a\":1}"}));
    EXPECT_EQ(result.rows[1], std::vector<std::optional<std::string>>(12));
    // And back again: what was written in is what is read out.
    const Batch back = read_all(engine, "SELECT * FROM t");
    for (std::size_t i = 0; i < types.size(); ++i) {
        const DataType expected =
            types[i].type == DataType::wei ? DataType::decimal : types[i].type;
        EXPECT_EQ(back.columns[i].type().type, expected) << i;
    }
}

TEST(Streams, TheirExceptionsComeBackAsTheyWere) {
    Engine engine(small);
    engine.execute("CREATE TABLE t(n BIGINT, load VARCHAR, t VARCHAR)");
    columns::ArrowSource source = numbers(3, 1'000);
    source.next = [inner = source.next,
                   calls = std::make_shared<int>(0)]() -> std::unique_ptr<Batch> {
        if (++*calls == 2) throw Error(ErrorKind::corrupt, "file x is torn");
        return inner();
    };
    engine.register_stream("torn", std::move(source));
    try {
        engine.execute("INSERT INTO t SELECT * FROM memory.main.torn");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::corrupt);
        EXPECT_STREQ(error.what(), "file x is torn");
    }
    EXPECT_NE(engine.stream_exception(), nullptr);
}

TEST(Streams, CannotBeReadTwice) {
    Engine engine(small);
    engine.register_stream("numbers", numbers(1, 10));
    engine.execute("CREATE TABLE t AS SELECT * FROM memory.main.numbers");
    EXPECT_THROW(engine.execute("CREATE TABLE u AS SELECT * FROM memory.main.numbers"), Error);
}

TEST(Allocator, KeepsNothingUnderATightBudget) {
    using Control = int (*)(const char*, void*, std::size_t*, void*, std::size_t);
    const auto control = reinterpret_cast<Control>(::dlsym(RTLD_DEFAULT, "duckdb_je_mallctl"));
    if (control == nullptr) GTEST_SKIP() << "this library has no allocator of its own";
    const auto decay = [&] {
        ssize_t milliseconds = -2;
        std::size_t size = sizeof(milliseconds);
        EXPECT_EQ(control("arenas.dirty_decay_ms", &milliseconds, &size, nullptr, 0), 0);
        return milliseconds;
    };
    const ssize_t usual = decay();
    EXPECT_NE(usual, 0);
    bound_allocator(0);
    bound_allocator(std::size_t{512} << 20);
    EXPECT_EQ(decay(), usual) << "a roomy budget is kept as it is";
    bound_allocator(std::size_t{256} << 20);
    EXPECT_EQ(decay(), 0);
}

}  // namespace
}  // namespace tipple::engine
