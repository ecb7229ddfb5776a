#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "tipple/sources/sql/postgres/server_fixture.h"

namespace tipple::sources::sql::postgres {
namespace {

using schema::DataType;

/// Values of a type, and SQL that gives them as the texts that are expected.
struct TypeCase {
    std::string type;
    std::vector<std::string> values;
    DataType data_type = DataType::text;
    std::string expected = "format('%s', v)";
    std::optional<int> precision = {};
    int since = 0;               ///< a version of Postgres
    std::string extension = {};  ///< that has the type
};

const std::string as_micros =
    "CASE WHEN isfinite(v) THEN extract(epoch FROM date_trunc('second', v))::bigint * 1000000 + extract(microseconds FROM v)::bigint % 1000000 WHEN v > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775807 END::text";
const std::string as_days = "CASE WHEN isfinite(v) THEN v - date '1970-01-01' WHEN v > 'epoch' THEN 2147483647 ELSE -2147483647 END::text";
const std::string as_time = "(extract(epoch FROM v) * 1000000)::bigint::text";
const std::string as_json = "to_json(v)::text";

const std::vector<TypeCase> numbers = {
    {"smallint", {"-32768", "0", "32767"}, DataType::bigint, "v::text", 16},
    {"integer", {"-2147483648", "-1", "2147483647"}, DataType::bigint, "v::text", 32},
    {"bigint", {"'-9223372036854775808'", "'9223372036854775807'"}, DataType::bigint, "v::text"},
    {"oid", {"0", "4294967295"}, DataType::bigint, "v::text"},
    {"numeric(38,0)", {"99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "0", "10000", "123456789012345678"}, DataType::decimal},
    {"numeric(38,38)", {"0.00000000000000000000000000000000000001", "-0.99999999999999999999999999999999999999"}, DataType::decimal},
    {"numeric(10,2)", {"0", "-0.01", "99999999.99", "1", "100", "10000.5", "-12345678.90"}, DataType::decimal},
    {"numeric(5,1)", {"0.1", "-9999.9", "1000"}, DataType::decimal},
    {"numeric(37,3)", {"1234567890123456789012345678901234.567", "-0.001", "1000000000000000000000000000000000"}, DataType::decimal},
    {"numeric(3,-2)", {"12300", "-99900"}, DataType::decimal, "format('%s', v)", {}, 150'000},
    {"numeric(2,5)", {"0.00099", "-0.00001"}, DataType::decimal, "format('%s', v)", {}, 150'000},
    {"numeric", {"0", "123456789.987654321", "-1e20", "0.000000001", "99999999999999999999999999999.999999999"}, DataType::decimal, "v::numeric(38,9)::text"},
    {"numeric(60,30)", {"123456789012345678901234567890.123456789012345678901234567890", "'NaN'"}, DataType::text},
    {"money", {"'-92233720368547758.08'", "'92233720368547758.07'", "'0.01'"}, DataType::decimal, "v::numeric::text"},
    {"real", {"'0.1'", "'-3.4028235e38'", "'1e-45'"}, DataType::double_, "v::float8::text"},
    {"boolean", {"true", "false"}, DataType::bool_, "v::text"},
};

const std::vector<TypeCase> texts = {
    {"text", {"''", "'x'", "'äöü 𝄞'", "repeat('long ', 100000)"}},
    {"character varying(20)", {"'abc'", "''"}, DataType::text, "v", 20},
    {"character(5)", {"'ab'", "''"}, DataType::text, "format('%s', v)", 5},
    {"name", {"'some_name'"}},
    {"\"char\"", {"'x'"}},
    {"uuid", {"'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"}},
    {"bytea", {"''", "'\\x00ff10'"}, DataType::binary, "encode(v, 'hex')"},
    {"json", {"'{\"b\": 1,  \"a\": [1.10, null]}'", "'\"\\\\u0000\"'"}, DataType::json, "v::text"},
    {"jsonb", {"'{\"b\": 1,  \"a\": [1.10, null]}'", "'1'"}, DataType::json, "v::text"},
    {"xml", {"'<a>1</a>'"}, DataType::text, "v::text"},
    {"mood", {"'sad'", "'very happy'"}},
    {"inet", {"'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'2001:db8::/32'"}},
    {"cidr", {"'10.0.0.0/8'"}},
    {"macaddr", {"'08:00:2b:01:02:03'"}},
    {"macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
    {"bit(3)", {"B'101'"}},
    {"bit varying(8)", {"B'10'", "B''"}},
    {"interval", {"'1 year 2 mons -3 days 04:05:06.789'", "'-1 microsecond'"}},
    {"time with time zone", {"'12:34:56.789+05:30'"}},
    {"int4range", {"'[1,10)'", "'empty'"}},
    {"tsvector", {"'fat:1 cat:2'"}},
    {"point", {"'(1.5,2)'"}},
    {"pg_lsn", {"'16/B374D848'"}},
    {"citext", {"'MixedCase'"}, DataType::text, "v::text", {}, 0, "citext"},
    {"ltree", {"'a.b.c'"}, DataType::text, "v::text", {}, 0, "ltree"},
};

const std::vector<TypeCase> times = {
    {"date", {"'1970-01-01'", "'0001-01-01'", "'4713-01-01 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'"}, DataType::date, as_days},
    {"time", {"'00:00'", "'23:59:59.999999'", "'24:00'"}, DataType::time, as_time},
    {"time(3)", {"'12:00:00.1234'"}, DataType::time, as_time, 3},
    {"timestamp", {"'1970-01-01'", "'2024-02-29 12:00:00.000001'", "'4713-01-01 BC'", "'294246-12-31 23:59:59'", "'infinity'", "'-infinity'"}, DataType::timestamp, as_micros},
    {"timestamp(0)", {"'2024-02-29 12:00:00.6'"}, DataType::timestamp, as_micros, 0},
    {"timestamp with time zone", {"'2024-02-29 12:00:00+05:30'", "'0044-03-15 BC'", "'infinity'"}, DataType::timestamp, as_micros},
    {"timestamp(3) with time zone", {"'2024-02-29 12:00:00.1236+05:30'"}, DataType::timestamp, as_micros, 3},
};

const std::vector<TypeCase> nested = {
    {"integer[]", {"'{1,NULL,3}'", "'{}'", "'{{1,2},{3,4}}'"}, DataType::json, as_json},
    {"text[]", {"'{\"a b\",\"q\\\"x\"}'"}, DataType::json, as_json},
    {"numeric[]", {"'{1.10,NaN}'"}, DataType::json, as_json},
    {"mood[]", {"'{sad}'"}, DataType::json, as_json},
    {"pair", {"ROW(1, 'x')"}, DataType::json, as_json},
    {"hstore", {"'a=>1, b=>NULL'"}, DataType::json, as_json, {}, 0, "hstore"},
};

const std::vector<TypeCase> domains = {
    {"amount", {"12.50", "-1"}, DataType::decimal},
    {"small_amount", {"12.50"}, DataType::decimal},
    {"code", {"'abc'"}, DataType::text, "v", 8},
    {"codes", {"'{abc,d}'"}, DataType::json, as_json},
};

class PostgresTypes : public PostgresServer {
protected:
    void SetUp() override {
        PostgresServer::SetUp();
        if (IsSkipped()) return;
        run("SET TimeZone = 'UTC'");
        for (const char* extension : {"citext", "ltree", "hstore"}) {
            if (has_extension(extension)) run(fmt::format("CREATE EXTENSION {}", extension));
        }
        run("CREATE TYPE mood AS ENUM ('sad', 'very happy'); CREATE TYPE pair AS (a int, b text);"
            "CREATE DOMAIN amount AS numeric(12,2); CREATE DOMAIN small_amount AS amount CHECK (value < 100); CREATE DOMAIN code AS varchar(8); CREATE DOMAIN codes AS text[]");
    }

    bool knows(const TypeCase& type) { return admin_->server_version() >= type.since && (type.extension.empty() || has_extension(type.extension)); }

    void check(const TypeCase& type) {
        SCOPED_TRACE(type.type);
        if (!knows(type)) return;
        run(fmt::format("CREATE TABLE t (n int, v {})", type.type));
        for (std::size_t i = 0; i < type.values.size(); ++i) run(fmt::format("INSERT INTO t VALUES ({}, ({})::{})", i, type.values[i], type.type));
        run("INSERT INTO t VALUES (-1, NULL)");
        const auto database = open();
        const DeclaredColumn column = database->reflect({.schema = "public", .name = "t"}, {}).columns.at(1);
        EXPECT_EQ(column.type.value().type, type.data_type) << column.declared;
        EXPECT_EQ(column.precision, type.precision);
        const std::vector<TextRow> expected = ask(fmt::format("SELECT n, CASE WHEN v IS NOT NULL THEN {} END FROM t ORDER BY n", type.expected));
        EXPECT_EQ(read(*database, select_all(*database, "t", "ORDER BY n")), expected);
        // The same by a query of the user, of which nothing but its result is known.
        const std::vector<DeclaredColumn> described = database->describe("SELECT n, v FROM public.t", {});
        EXPECT_EQ(described.at(1).declared, column.declared);
        EXPECT_EQ(read(*database, select(*database, "(SELECT n, v FROM public.t) AS q", described, "ORDER BY n")), expected);
        run("DROP TABLE t");
    }
};

TEST_F(PostgresTypes, NumbersAreReadExactly) {
    for (const TypeCase& type : numbers) check(type);
}
TEST_F(PostgresTypes, DoublesAreReadExactly) {
    run("CREATE TABLE t (v double precision)");
    run("INSERT INTO t VALUES (0.1), ('-0'), (1.7976931348623157e308), (5e-324), ('NaN'), ('infinity'), ('-infinity')");
    const auto database = open();
    EXPECT_EQ(read(*database, select_all(*database, "t")),
              (std::vector<TextRow>{{"0.1"}, {"-0"}, {"1.7976931348623157e+308"}, {"5e-324"}, {"nan"}, {"inf"}, {"-inf"}}));
}
TEST_F(PostgresTypes, TextsAreReadExactly) {
    for (const TypeCase& type : texts) check(type);
}
TEST_F(PostgresTypes, TimesAreReadExactly) {
    for (const TypeCase& type : times) check(type);
}
TEST_F(PostgresTypes, WhatIsNestedIsJson) {
    for (const TypeCase& type : nested) check(type);
}
TEST_F(PostgresTypes, DomainsAreWhatTheyAreMadeOf) {
    for (const TypeCase& type : domains) check(type);
}

TEST_F(PostgresTypes, NumbersThatNoDecimalHoldsAreRefused) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"0.0000000001", "it has more than 9 digits behind the point"},
        {"1e-30", "it has more than 9 digits behind the point"},
        {"1e29", "it has more digits than decimal(38,9) holds"},
        {"123456789012345678901234567890.5", "it has more digits than decimal(38,9) holds"},
        {"1e1000", "it has more digits than decimal(38,9) holds"},
        {"'NaN'", "it is NaN, which no decimal can be"},
        {"'-Infinity'", "it is infinite, which no decimal can be"},
    };
    constexpr int version_with_infinity = 140'000;
    for (const auto& [number, message] : cases) {
        SCOPED_TRACE(number);
        if (number == "'-Infinity'" && admin_->server_version() < version_with_infinity) continue;
        run(fmt::format("CREATE TABLE t (price numeric); INSERT INTO t VALUES (1), ({})", number));
        const auto database = open();
        const std::string text = failure(ErrorKind::data, [&] { read(*database, select_all(*database, "t")); });
        EXPECT_NE(text.find("column \"price\", row 2 of what was read: " + message), std::string::npos) << text;
        EXPECT_NE(text.find("the option numeric = \"text\""), std::string::npos) << text;
        EXPECT_NE(text.find("(--option numeric=text)"), std::string::npos) << text;
        const auto as_text = open({{"numeric", "text"}});
        EXPECT_EQ(read(*as_text, select_all(*as_text, "t")), ask("SELECT price::text FROM t"));
        run("DROP TABLE t");
    }
    EXPECT_NE(failure(ErrorKind::usage, [] { open({{"numeric", "decimal(39,2)"}}); }).find("neither decimal(PRECISION,SCALE)"), std::string::npos);
}

TEST_F(PostgresTypes, WhatIsInfiniteMayBeNullOrRefused) {
    run("CREATE TABLE t (d date, at timestamptz); INSERT INTO t VALUES ('infinity', '-infinity'), ('1970-01-02', 'epoch')");
    const auto as_null = open({{"infinity", "null"}});
    EXPECT_EQ(read(*as_null, select_all(*as_null, "t")), (std::vector<TextRow>{{std::nullopt, std::nullopt}, {"1", "0"}}));
    const auto refusing = open({{"infinity", "refuse"}});
    EXPECT_NE(failure(ErrorKind::data, [&] { read(*refusing, select_all(*refusing, "t")); }).find("column \"d\", row 1 of what was read: it is infinite"), std::string::npos);
    run("DELETE FROM t; INSERT INTO t VALUES (NULL, '294250-01-01')");
    EXPECT_NE(failure(ErrorKind::data, [&] { read(*refusing, select_all(*refusing, "t")); }).find("column \"at\", row 1 of what was read: it lies behind the year 294246"), std::string::npos);
}

TEST_F(PostgresTypes, LiteralsFindTheirRows) {
    for (const std::vector<TypeCase>* cases : {&numbers, &texts, &times, &domains}) {
        for (const TypeCase& type : *cases) {
            // Which have no order.
            if (type.type == "json" || type.type == "xml" || type.type == "point" || type.data_type == DataType::json || type.type == "real" || !knows(type)) continue;
            SCOPED_TRACE(type.type);
            run(fmt::format("CREATE TABLE t (n int, v {})", type.type));
            for (std::size_t i = 0; i < type.values.size(); ++i) run(fmt::format("INSERT INTO t VALUES ({}, ({})::{})", i, type.values[i], type.type));
            const auto database = open();
            const DeclaredColumn column = database->reflect({.schema = "public", .name = "t"}, {}).columns.at(1);
            std::vector<schema::Value> values;
            database->read(select(*database, "public.t", {column}, "ORDER BY n"), many_rows, many_bytes, {}, [&](Rows rows) {
                const columns::BatchView view = std::get<columns::Batch>(rows).view();
                for (std::size_t row = 0; row < view.rows; ++row) values.push_back(columns::value_at(view.columns[0], row));
                return true;
            });
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::string condition = fmt::format("WHERE {} = {}", database->order_expression(column), database->bound_literal(values[i], column, BoundSide::lower));
                EXPECT_EQ(read(*database, {.sql = "SELECT n FROM public.t " + condition, .columns = {{.name = "n", .type = columns::ColumnType{.type = DataType::bigint}}}}),
                          (std::vector<TextRow>{{std::to_string(i)}}))
                    << condition;
            }
            run("DROP TABLE t");
        }
    }
}

class PostgresRead : public PostgresServer {};

TEST_F(PostgresRead, BatchesAreCutByRowsAndByBytes) {
    run("CREATE TABLE t AS SELECT n, repeat(chr(97 + n % 26), n % 100) AS v, CASE WHEN n % 3 > 0 THEN n * 1.5 END::numeric(12,1) AS d, n % 7 = 0 AS b FROM generate_series(1, 30000) AS n");
    const auto database = open();
    const std::vector<TextRow> expected = ask("SELECT n, v, d, CASE WHEN b THEN 'true' ELSE 'false' END FROM t ORDER BY n");
    for (const std::size_t rows : std::initializer_list<std::size_t>{7, 1'000, 4'097, 100'000}) EXPECT_EQ(read(*database, select_all(*database, "t", "ORDER BY n"), rows), expected) << rows;
    std::size_t batches = 0;
    database->read(select_all(*database, "t"), many_rows, 100'000, {}, [&](Rows) { return ++batches > 0; });
    EXPECT_GE(batches, 5U);
}

TEST_F(PostgresRead, WideAndEmptyTablesAndLargeValues) {
    std::string columns;
    for (int i = 0; i < 1'500; ++i) columns += fmt::format("{}c{} int DEFAULT {}", i > 0 ? ", " : "", i, i);
    run(fmt::format("CREATE TABLE wide ({}); INSERT INTO wide (c0) SELECT n FROM generate_series(1, 300) AS n; CREATE TABLE nothing (a int, b text); CREATE TABLE \"no columns\" (); "
                    "CREATE TABLE large (v text, w bytea); INSERT INTO large SELECT repeat('x', 5000000 + n), decode(repeat('ab', 3000000), 'hex') FROM generate_series(1, 3) AS n",
                    columns));
    const auto database = open();
    const std::vector<TextRow> wide = read(*database, select_all(*database, "wide"));
    ASSERT_EQ(wide.size(), 300U);
    EXPECT_EQ(wide[299][0], "300");
    EXPECT_EQ(wide[299][1'499], "1499");
    EXPECT_TRUE(read(*database, select_all(*database, "nothing")).empty());
    EXPECT_TRUE(database->reflect({.schema = "public", .name = "no columns"}, {}).columns.empty());
    const std::vector<TextRow> large = read(*database, select_all(*database, "large"));
    ASSERT_EQ(large.size(), 3U);
    EXPECT_EQ(large[2][0]->size(), 5'000'003U);
    EXPECT_EQ(large[2][1]->size(), 6'000'000U);
}

TEST_F(PostgresRead, IsEndedByWhoTakesAndTheSnapshotLives) {
    run("CREATE TABLE t AS SELECT n FROM generate_series(1, 500000) AS n");
    const auto database = open();
    database->begin_snapshot({});
    run("INSERT INTO t VALUES (0)");
    std::size_t rows = 0;
    database->read(select_all(*database, "t"), 1'000, many_bytes, {}, [&](Rows part) { return (rows += std::get<columns::Batch>(part).rows) < 5'000; });
    EXPECT_EQ(rows, 5'000U);
    const Select count{.sql = "SELECT count(*) FROM public.t", .columns = {{.name = "count", .type = columns::ColumnType{.type = DataType::bigint}}}};
    EXPECT_EQ(read(*database, count), (std::vector<TextRow>{{"500000"}})) << "the row came after the snapshot";
    const auto other = database->another({});
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(read(*other, count), (std::vector<TextRow>{{"500000"}}));
    const std::string text = failure(ErrorKind::usage, [&] { read(*database, {.sql = "SELECT nothing FROM public.t", .columns = count.columns}); });
    EXPECT_NE(text.find("column \"nothing\" does not exist"), std::string::npos) << text;
    EXPECT_EQ(read(*database, count), (std::vector<TextRow>{{"500000"}})) << "and it outlives errors";
    database->begin_snapshot({});
    EXPECT_EQ(read(*database, count), (std::vector<TextRow>{{"500001"}}));
}

TEST_F(PostgresRead, WhatFailsBehindAReadThatWasEndedIsSaidAndTheSnapshotLives) {
    run("CREATE TABLE t AS SELECT n FROM generate_series(1, 500000) AS n; CREATE TABLE odd AS SELECT CASE WHEN n = 3 THEN 'NaN'::numeric ELSE n END AS price FROM generate_series(1, 500000) AS n");
    const auto database = open();
    database->begin_snapshot({});
    run("INSERT INTO t VALUES (0)");
    database->read(select_all(*database, "t"), 1'000, many_bytes, {}, [](const Rows&) { return false; });
    const std::string text = failure(ErrorKind::data, [&] { read(*database, select_all(*database, "odd")); });
    EXPECT_NE(text.find("it is NaN"), std::string::npos) << text;
    const Select count{.sql = "SELECT count(*) FROM public.t", .columns = {{.name = "count", .type = columns::ColumnType{.type = DataType::bigint}}}};
    EXPECT_EQ(read(*database, count), (std::vector<TextRow>{{"500000"}}));
    EXPECT_NE(database->another({}), nullptr);
}

TEST_F(PostgresRead, WithoutASnapshotThereIsNoSecondConnection) { EXPECT_EQ(open()->another({}), nullptr); }

TEST_F(PostgresRead, StopsAtTheServerToo) {
    const auto database = open();
    std::stop_source source;
    const std::jthread later([&] {
        while (value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%pg_sleep%' AND pid <> pg_backend_pid()") == "0") std::this_thread::sleep_for(std::chrono::milliseconds(5));
        source.request_stop();
    });
    const Select sleep{.sql = "SELECT pg_sleep(600)::text", .columns = {{.name = "x", .type = columns::ColumnType{}}}};
    failure(ErrorKind::cancelled, [&] { database->read(sleep, 10, 1'000, source.get_token(), [](Rows) { return true; }); });
    while (value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%pg_sleep%' AND pid <> pg_backend_pid() AND state = 'active'") != "0") {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

TEST_F(PostgresRead, ALostConnectionIsTransientAndTheNextReadIsWhole) {
    run("CREATE TABLE t AS SELECT n, repeat('x', 200) AS v FROM generate_series(1, 300000) AS n");
    const auto database = open();
    const std::string text = failure(ErrorKind::transient, [&] {
        database->read(select_all(*database, "t"), 1'000, many_bytes, {}, [&](Rows) {
            run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()");
            return true;
        });
    });
    EXPECT_NE(text.find("Postgres:"), std::string::npos) << text;
    const Select count{.sql = "SELECT count(*) FROM public.t", .columns = {{.name = "count", .type = columns::ColumnType{.type = DataType::bigint}}}};
    EXPECT_EQ(read(*database, count), (std::vector<TextRow>{{"300000"}}));
}

TEST_F(PostgresRead, ATableThatChangedSinceItWasLookedAtIsNotMisread) {
    run("CREATE TABLE t (v int); INSERT INTO t VALUES (1)");
    const auto database = open();
    const Select select = select_all(*database, "t");
    run("ALTER TABLE t ALTER v TYPE text");
    const std::string text = failure(ErrorKind::usage, [&] { read(*database, select); });
    EXPECT_NE(text.find("column \"v\" does not come as integer, which it was declared as"), std::string::npos) << text;
}

TEST_F(PostgresRead, BytesThatAreNoTextAreRefused) {
    run("DROP DATABASE IF EXISTS ascii");
    run("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0");
    const auto database = open({{"database", "ascii"}});
    const Select select{.sql = "SELECT v::text FROM (VALUES ('fine'), (E'\\xfc')) AS t (v)", .columns = {{.name = "v", .type = columns::ColumnType{}}}};
    const std::string text = failure(ErrorKind::data, [&] { read(*database, select); });
    EXPECT_NE(text.find("invalid byte sequence for encoding \"UTF8\": 0xfc: correct the data, or leave the column out"), std::string::npos) << text;
}

/// PgBouncer with two servers, each transaction on another.
class PostgresPooler : public PostgresServer {
protected:
    void SetUp() override {
        PostgresServer::SetUp();
        if (!IsSkipped() && std::getenv("TIPPLE_TEST_POOLER") == nullptr) GTEST_SKIP() << "PgBouncer is not installed";
        log_path_ = testing::TempDir() + "/tipple_pooler_log";
    }
    void TearDown() override { std::filesystem::remove(log_path_); }

    std::unique_ptr<Database> open_behind_pooler() const {
        config::Options options;
        options.set("uri", std::getenv("TIPPLE_TEST_POOLER"));
        return postgres_kind().open(options, Log::to_file(log_path_, LogLevel::warning));
    }
    std::string log() const {
        std::ifstream file(log_path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::string log_path_;
};

TEST_F(PostgresPooler, EverythingWorksAndWhatDoesNotIsSaid) {
    run("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), v text); INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 1000)");
    const auto database = open_behind_pooler();
    EXPECT_EQ(database->tables({}).size(), 1U);
    const TableInfo info = database->reflect({.schema = "public", .name = "t"}, {});
    EXPECT_EQ(database->describe("SELECT v, id FROM t", {}).at(1).declared, "integer");
    EXPECT_TRUE(database->bound({.table = info, .column = info.columns[0]}, {}).is_guaranteed);
    EXPECT_TRUE(database->bound({.table = info, .column = info.columns[1]}, {}).is_guaranteed);
    const Select all = select(*database, "public.t", info.columns);
    EXPECT_EQ(read(*database, all).size(), 1'000U);
    database->begin_snapshot({});
    run("INSERT INTO t (v) VALUES ('late')");
    const auto second = database->another({});
    ASSERT_NE(second, nullptr) << log();
    EXPECT_EQ(read(*second, all).size(), 1'000U);
    EXPECT_EQ(log(), "");
    EXPECT_EQ(database->another({}), nullptr) << "both servers are taken";
    EXPECT_NE(log().find("one more connection does not get to the same snapshot, as behind some poolers, so all is read over one"), std::string::npos) << log();
    EXPECT_EQ(read(*database, all).size(), 1'000U);
}

}  // namespace
}  // namespace tipple::sources::sql::postgres
