#include <map>

#include "tipple/sources/sql/postgres/server_fixture.h"

namespace tipple::sources::sql::postgres {
namespace {

using schema::DataType;
using Texts = std::vector<std::string>;

class PostgresCatalog : public PostgresServer {
protected:
    static TableInfo reflect(const std::string& table, const std::string& schema = "public") { return open()->reflect({.schema = schema, .name = table}, {}); }
    static Texts names(const TableInfo& table) {
        Texts names;
        for (const DeclaredColumn& column : table.columns) names.push_back(column.name);
        return names;
    }
    static Texts tables() {
        Texts names;
        for (const TableName& table : open()->tables({})) names.push_back(table.schema + "." + table.name + (table.is_view ? " view" : ""));
        return names;
    }
};

TEST_F(PostgresCatalog, ListsWhatPeopleMade) {
    run("DROP SCHEMA IF EXISTS \"Other\" CASCADE; CREATE SCHEMA \"Other\"; CREATE TABLE \"Other\".\"Mixed \"\"Case\"\"\" (a int); CREATE TABLE plain (a int); CREATE VIEW seen AS SELECT 1 AS a;"
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a; CREATE TABLE parent (a int) PARTITION BY RANGE (a); CREATE TABLE part_1 PARTITION OF parent FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE child () INHERITS (plain); CREATE TEMP TABLE mine (a int); CREATE INDEX ON plain (a); CREATE SEQUENCE counted");
    if (has_extension("pg_stat_statements")) run("CREATE EXTENSION pg_stat_statements");
    EXPECT_EQ(tables(), (Texts{"Other.Mixed \"Case\"", "public.child", "public.kept view", "public.parent", "public.plain", "public.seen view"}));
    EXPECT_EQ(names(reflect("Mixed \"Case\"", "Other")), Texts{"a"});
    EXPECT_EQ(names(reflect("part_1")), Texts{"a"}) << "by its name";
    const auto database = open();
    const std::string text = failure(ErrorKind::usage, [&] { database->reflect({.schema = "public", .name = "nothing"}, {}); });
    EXPECT_NE(text.find("has no table public.nothing"), std::string::npos) << text;
    run("DROP SCHEMA \"Other\" CASCADE");
}

TEST_F(PostgresCatalog, ReflectsColumnsKeysAndComments) {
    run("CREATE TABLE customers (id int PRIMARY KEY, region text, UNIQUE (region, id));"
        "CREATE TABLE orders (gone int, id bigint NOT NULL, \"Customer\" int REFERENCES customers, \"of region\" text NOT NULL, a int, b int, doubled int GENERATED ALWAYS AS (a * 2) STORED,"
        " PRIMARY KEY (id, \"of region\") INCLUDE (a), CONSTRAINT pair FOREIGN KEY (\"of region\", b) REFERENCES customers (region, id));"
        "ALTER TABLE orders DROP COLUMN gone; COMMENT ON TABLE orders IS 'What was ordered'; COMMENT ON COLUMN orders.\"of region\" IS 'Where'; INSERT INTO customers VALUES (1), (2); ANALYZE customers");
    const TableInfo orders = reflect("orders");
    EXPECT_EQ(names(orders), (Texts{"id", "Customer", "of region", "a", "b", "doubled"}));
    EXPECT_EQ(orders.primary_key, (Texts{"id", "of region"}));
    EXPECT_EQ(orders.comment, "What was ordered");
    EXPECT_EQ(orders.columns[2].comment, "Where");
    EXPECT_FALSE(orders.columns[2].is_nullable);
    EXPECT_TRUE(orders.columns[1].is_nullable);
    ASSERT_EQ(orders.foreign_keys.size(), 2U);
    EXPECT_EQ(orders.foreign_keys[0].columns, Texts{"Customer"});
    EXPECT_EQ(orders.foreign_keys[0].referenced, (TableName{.schema = "public", .name = "customers"}));
    EXPECT_EQ(orders.foreign_keys[0].referenced_columns, Texts{"id"});
    EXPECT_EQ(orders.foreign_keys[1].columns, (Texts{"of region", "b"}));
    EXPECT_EQ(orders.foreign_keys[1].referenced_columns, (Texts{"region", "id"}));
    EXPECT_FALSE(orders.rows_estimate.has_value());
    EXPECT_EQ(reflect("customers").rows_estimate, 2U);
    run("INSERT INTO orders VALUES (1, 1, 'x', 5, NULL)");
    const auto database = open();
    EXPECT_EQ(read(*database, select_all(*database, "orders")), (std::vector<TextRow>{{"1", "1", "x", "5", std::nullopt, "10"}}));
}

TEST_F(PostgresCatalog, AUniqueIndexServesAsKey) {
    run("CREATE TABLE a (x int NOT NULL, y int NOT NULL, z int NOT NULL, n int, UNIQUE (x, y), UNIQUE (n)); CREATE UNIQUE INDEX ON a (z) WHERE x > 0; CREATE UNIQUE INDEX ON a ((z + 1))");
    EXPECT_EQ(reflect("a").primary_key, (Texts{"x", "y"}));
    run("CREATE UNIQUE INDEX ON a (z)");
    EXPECT_EQ(reflect("a").primary_key, Texts{"z"});
    run("CREATE TABLE b (x int UNIQUE, y int NOT NULL UNIQUE DEFERRABLE)");
    EXPECT_TRUE(reflect("b").primary_key.empty());
}

TEST_F(PostgresCatalog, PartsForeignTablesAndViewsAreRead) {
    run("CREATE TABLE events (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20); INSERT INTO events SELECT n, 'v' || n FROM generate_series(0, 19) AS n; ANALYZE events, events_1, events_2;"
        "CREATE VIEW late AS SELECT id, v FROM events WHERE id > 17; CREATE MATERIALIZED VIEW early AS SELECT id FROM events WHERE id < 2;"
        "CREATE TABLE base (a int); CREATE TABLE derived (b int) INHERITS (base); INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2, 3)");
    EXPECT_EQ(reflect("events").rows_estimate, 20U);
    EXPECT_EQ(reflect("events").primary_key, Texts{"id"});
    const auto database = open();
    EXPECT_EQ(read(*database, select_all(*database, "events")).size(), 20U);
    EXPECT_EQ(read(*database, select_all(*database, "late", "ORDER BY id")), (std::vector<TextRow>{{"18", "v18"}, {"19", "v19"}}));
    EXPECT_EQ(read(*database, select_all(*database, "early")).size(), 2U);
    EXPECT_EQ(read(*database, select_all(*database, "base")).size(), 2U) << "with those of the tables below it, as SQL has it";
    if (!has_extension("file_fdw")) return;
    run("CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE passwd (line text) SERVER files OPTIONS (program 'echo one; echo two')");
    EXPECT_EQ(read(*database, select_all(*database, "passwd")), (std::vector<TextRow>{{"one"}, {"two"}}));
    run("DROP EXTENSION file_fdw CASCADE");
}

TEST_F(PostgresCatalog, RightsAreTold) {
    run("DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'x'; CREATE TABLE t (a int, secret text); CREATE TABLE hidden (a int); GRANT SELECT (a) ON t TO clerk; INSERT INTO t VALUES (1, 's')");
    const auto database = open({{"username", "clerk"}, {"password", "x"}});
    const std::vector<TableName> listed = database->tables({});
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].name, "t");
    const TableInfo info = database->reflect(listed[0], {});
    EXPECT_TRUE(info.columns.at(0).is_readable);
    EXPECT_FALSE(info.columns.at(1).is_readable);
    EXPECT_EQ(read(*database, select(*database, "public.t", {info.columns[0]})), (std::vector<TextRow>{{"1"}}));
    const std::string text = failure(ErrorKind::usage, [&] { read(*database, select(*database, "public.t", info.columns)); });
    EXPECT_NE(text.find("permission denied for table t"), std::string::npos) << text;
    run("GRANT SELECT ON t TO clerk; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON t USING (a = 2); INSERT INTO t VALUES (2, 'mine')");
    EXPECT_EQ(read(*database, select(*database, "public.t", info.columns)), (std::vector<TextRow>{{"2", "mine"}}));
    run("DROP OWNED BY clerk; DROP ROLE clerk");
}

TEST_F(PostgresCatalog, ManyTablesAreReflectedAtOnce) {
    for (int i = 0; i < 400; i += 200) {
        // A transaction may lock only so many tables.
        run(fmt::format("DO $$ BEGIN FOR i IN {}..{} LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text, b numeric(10,2), c timestamptz)', i); END LOOP; END $$", i, i + 199));
    }
    const auto database = open();
    const std::vector<TableName> listed = database->tables({});
    ASSERT_EQ(listed.size(), 400U);
    for (const TableName& name : listed) {
        const TableInfo info = database->reflect(name, {});
        ASSERT_EQ(info.columns.size(), 4U);
        ASSERT_EQ(info.primary_key, Texts{"id"});
    }
}

class PostgresSplit : public PostgresServer {
protected:
    /// Every row is in one range, and the ranges are in order.
    void check(const std::string& table, const std::string& by, std::size_t ranges_min, std::size_t parts = 4) {
        SCOPED_TRACE(table + " by " + by);
        const auto database = open();
        const TableInfo info = database->reflect({.schema = "public", .name = table}, {});
        const std::vector<std::string> conditions = database->split(info, by, parts, {});
        EXPECT_GE(conditions.size(), ranges_min);
        EXPECT_LE(conditions.size(), parts);
        database->begin_snapshot({});
        std::vector<TextRow> together;
        for (const std::string& condition : conditions) {
            const std::vector<TextRow> rows = read(*database, select(*database, "public." + table, {info.columns[0]}, condition.empty() ? "" : "WHERE " + condition));
            if (ranges_min > 1) {
                EXPECT_LT(rows.size(), 60'000U) << condition;
            }
            together.insert(together.end(), rows.begin(), rows.end());
        }
        std::vector<TextRow> all = read(*database, select(*database, "public." + table, {info.columns[0]}));
        std::sort(together.begin(), together.end());
        std::sort(all.begin(), all.end());
        EXPECT_EQ(together, all);
    }
};

TEST_F(PostgresSplit, DividesRowsByPlacesAndByValues) {
    run("CREATE TABLE big (id bigint, u uuid, v text, n int, filler text); INSERT INTO big SELECT n, md5(n::text)::uuid, 'key ''' || n, CASE WHEN n % 10 > 0 THEN n END, repeat('x', 200) FROM "
        "generate_series(1, 70000) AS n; ALTER TABLE big ADD PRIMARY KEY (id)");
    for (const char* by : {"", "id", "u", "v", "n"}) check("big", by, 3);
    run("ANALYZE big");
    for (const char* by : {"", "id", "u", "v", "n"}) check("big", by, 4);
    run("CREATE VIEW seen AS SELECT * FROM big; CREATE TABLE few AS SELECT 1 AS id; CREATE TABLE nothing (id int)");
    check("seen", "", 1);
    check("seen", "id", 3);
    check("few", "", 1);
    check("few", "id", 1);
    check("nothing", "", 1);
    check("nothing", "id", 1);
    run("CREATE TABLE parts (id int, filler text) PARTITION BY HASH (id); CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE part_1 PARTITION OF parts FOR "
        "VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO parts SELECT id::int, filler FROM big");
    constexpr int version_with_ranges = 140'000;
    check("parts", "", admin_->server_version() < version_with_ranges ? 1 : 2);
    const auto database = open();
    const TableInfo info = database->reflect({.schema = "public", .name = "big"}, {});
    EXPECT_EQ(database->split(info, "id", 1, {}), std::vector<std::string>{""});
    const std::string text = failure(ErrorKind::usage, [&] { database->split(info, "nothing", 4, {}); });
    EXPECT_NE(text.find("cannot be split by \"nothing\": it has no such column"), std::string::npos) << text;
}

}  // namespace
}  // namespace tipple::sources::sql::postgres
