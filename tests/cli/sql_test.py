"""Databases as a user reads them: SQLite and DuckDB files, from the command line and from a project, with cursors, limits, mistakes and files that are in use. Vectors
of the specification have their names (Q10, ...)."""

import datetime
import decimal
import pathlib
import shutil
import signal
import sqlite3

import duckdb

from tipple_cli import EXIT_DATA, EXIT_INTERRUPTED, EXIT_LOCKED, EXIT_USAGE, Case, main

ROOT = pathlib.Path(__file__).resolve().parents[2]


class SqlCase(Case):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "shop.db"

    def sql(self, *statements):
        connection = sqlite3.connect(self.source)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def fill(self, rows, value="i"):
        """Table a with so many numbers, and what is made of each."""
        self.sql(f"INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i, {value} FROM n")

    def vector_table(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT, ts INTEGER)",
                 "INSERT INTO a VALUES (1,'a',10),(2,'b',20),(3,'c',NULL),(4,'d',20),(5,'e',30)")

    def load(self, *arguments, **options):
        return self.tipple("load", "shop.db", self.database, *arguments, "--quiet", **options)

    def ids(self, table="a"):
        return [row[0] for row in self.query(f"SELECT id FROM {table} ORDER BY id")]

    def project(self, text, destination="warehouse"):
        (self.folder / "tipple.toml").write_text(f'version = 1\n[connection.{destination}]\nuri = "{self.database.name}"\n' + text)

    def error(self, *arguments, expect=EXIT_USAGE, **options):
        return self.tipple(*arguments, expect=expect, **options).err


class Types(SqlCase):
    def test_declared_types_become_types(self):
        self.sql("""CREATE TABLE t(id INTEGER PRIMARY KEY, n BIGINT NOT NULL, d DECIMAL(12,2), num NUMERIC, r REAL, b BOOLEAN, day DATE, at DATETIME,
                 point TIMESTAMP WITH TIME ZONE, tod TIME, txt VARCHAR(20), doc JSON, raw BLOB, u UUID, x)""",
                 """INSERT INTO t VALUES (1, 9007199254740993, 1234567890.25, 1.5, 2, 1, '2024-02-29', '2024-01-02 03:04:05.678901', '2024-01-02T03:04:05+02:00', '23:59:01',
                 'tea', '{"a": [1]}', x'00ff', '550e8400-e29b-41d4-a716-446655440000', 7)""",
                 "INSERT INTO t(id, n) VALUES (2, -1)")
        self.load()
        (row, empty) = self.query("SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM t ORDER BY id")
        utc = datetime.timezone.utc
        self.assertEqual(row[:9], (1, 9007199254740993, decimal.Decimal("1234567890.25"), 1.5, 2.0, True, datetime.date(2024, 2, 29),
                                   datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), datetime.datetime(2024, 1, 2, 1, 4, 5, tzinfo=utc)))
        self.assertEqual(row[9:], (datetime.time(23, 59, 1), "tea", '{"a": [1]}', b"\x00\xff", "550e8400-e29b-41d4-a716-446655440000", 7))
        self.assertEqual(empty[:2], (2, -1))
        self.assertEqual(set(empty[2:]), {None})
        nullable = dict(self.query("SELECT column_name, is_nullable FROM duckdb_columns() WHERE table_name = 't'"))
        self.assertEqual((nullable["id"], nullable["n"], nullable["d"]), (False, False, True))

    def test_times_as_numbers(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP, day DATE)",
                 "INSERT INTO t VALUES (1, 1704164645, 1704153600), (2, 1704164645678, 2460311.5), (3, 1704164645678901, NULL), (4, julianday('2024-01-02 03:04:05.250'), NULL), "
                 "(5, '2024-01-02T03:04:05Z', '2024-01-02')")
        self.load()
        at = datetime.datetime(2024, 1, 2, 3, 4, 5)
        day = datetime.date(2024, 1, 2)
        self.assertEqual(self.query('SELECT "at", day FROM t ORDER BY id'),
                         [(at, day), (at.replace(microsecond=678000), day), (at.replace(microsecond=678901), None), (at.replace(microsecond=250000), None), (at, day)])

    def test_what_does_not_fit_its_column_is_kept_beside_it(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT, at DATETIME, d DECIMAL(4,1), b BOOL, doc JSON)",
                 "INSERT INTO t VALUES (1, 5, '2024-01-02 00:00:00', 1.5, 1, '{}'), (2, 'five', 'soon', 'much', 'maybe', '{oops'), (3, x'0102', NULL, NULL, NULL, NULL)")
        self.load()
        # A wrong type is kept as it is, also where something near to it would fit.
        self.sql("INSERT INTO t VALUES (4, 1.5, '2024-01-02', 2.25, 2, 7)", "CREATE TABLE days(id INTEGER PRIMARY KEY, day DATE, r REAL)",
                 "INSERT INTO days VALUES (1, '2024-01-02 10:30:00', 1.5), (2, '2024-01-02', 2)")
        self.load("-r", "days")
        self.assertEqual(self.query("SELECT day, day__v_text FROM days ORDER BY id"), [(None, "2024-01-02 10:30:00"), (datetime.date(2024, 1, 2), None)])
        self.load("-r", "t", "--as", "u")
        self.assertEqual(self.query("SELECT n, n__v_double, b, b__v_bigint, d, d__v_double, doc FROM u WHERE id = 4"), [(None, 1.5, None, 2, None, 2.25, "7")])
        self.assertEqual(self.query("SELECT n, n__v_text, at__v_text, d__v_text, b__v_text FROM t ORDER BY id"),
                         [(5, None, None, None, None), (None, "five", "soon", "much", "maybe"), (None, None, None, None, None)])
        self.assertEqual(self.query("SELECT n__v_binary FROM t WHERE id = 3"), [(b"\x01\x02",)])
        self.assertEqual(self.query("SELECT id FROM t WHERE d = 1.5 AND b AND doc = '{}'"), [(1,)])
        self.assertEqual(self.query("SELECT doc, doc__v_text FROM t WHERE id = 2"), [(None, "{oops")])

    def test_columns_without_a_type_are_what_their_values_are(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, i, r, m, absent)", "INSERT INTO t VALUES (1, 1, 1, 1, NULL), (2, 2, 2.5, 'two', NULL)")
        self.load()
        self.assertEqual(self.query("SELECT i, r FROM t ORDER BY id"), [(1, 1.0), (2, 2.5)])
        self.assertEqual(self.query("SELECT m, m__v_text FROM t ORDER BY id"), [(1, None), (None, "two")])
        self.assertNotIn("absent", [row[0] for row in self.query("SELECT column_name FROM duckdb_columns() WHERE table_name = 't'")])

    def test_odd_tables(self):
        self.sql('CREATE TABLE "od.d ""one"""("co.l" INT, "a""b" TEXT)', 'INSERT INTO "od.d ""one""" VALUES (1, \'x\')',
                 "CREATE TABLE keyed(k TEXT PRIMARY KEY, v INT, twice INT GENERATED ALWAYS AS (v * 2)) WITHOUT ROWID", "INSERT INTO keyed(k, v) VALUES ('a', 4)",
                 "CREATE TABLE empty(id INT, v DECIMAL(9,3))", f"CREATE TABLE wide({', '.join(f'c{i} INT' for i in range(300))})",
                 f"INSERT INTO wide VALUES ({', '.join(str(i) for i in range(300))})", "CREATE VIEW seen AS SELECT k, v + 1 AS w FROM keyed")
        self.load()
        tables = {row[0] for row in self.query("SELECT table_name FROM duckdb_tables() WHERE NOT table_name LIKE '\\_dlt%' ESCAPE '\\'")}
        self.assertEqual(tables, {"od_d_onex", "keyed", "empty", "wide"})
        self.assertEqual(self.query("SELECT k, v, twice FROM keyed"), [("a", 4, 8)])
        self.assertEqual(self.query("SELECT count(*) FROM empty"), [(0,)])
        self.assertEqual(self.query("SELECT c0, c299 FROM wide"), [(0, 299)])
        self.load("-r", "seen")
        self.assertEqual(self.query("SELECT k, w FROM seen"), [("a", 5)])

    def test_duckdb_types(self):
        with duckdb.connect(str(self.folder / "d.duckdb")) as connection:
            connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
            connection.execute("""CREATE TABLE t AS SELECT 1::BIGINT AS id, 170141183460469231731687303715884105::HUGEINT AS h, 1.25::DECIMAL(18,4) AS d, 'happy'::mood AS m,
                '550e8400-e29b-41d4-a716-446655440000'::UUID AS u, TIMESTAMP_NS '2024-01-02 03:04:05.123456789' AS ns, TIMESTAMP_S '2024-01-02 03:04:05' AS s,
                {'a': 1, 'b': ['x']} AS st, [1, 2] AS l, MAP {'k': 1} AS mp, INTERVAL 1 DAY AS iv, '\\x00'::BLOB AS bl""")
            connection.execute('CREATE SCHEMA "o.dd"')
            connection.execute('CREATE TABLE "o.dd"."ta""ble"("c.c" INT)')
        self.tipple("load", "d.duckdb", self.database, "--quiet")
        self.tipple("load", "d.duckdb", self.database, "-r", "o.dd.*", "--quiet")
        self.assertEqual(self.query("SELECT h, d, m, u, s, st, l, mp, iv, bl FROM t"),
                         [(decimal.Decimal("170141183460469231731687303715884105"), decimal.Decimal("1.2500"), "happy", "550e8400-e29b-41d4-a716-446655440000",
                           datetime.datetime(2024, 1, 2, 3, 4, 5), '{"a":1,"b":["x"]}', "[1,2]", '{"k":1}', "1 day", b"\x00")])
        self.assertEqual(self.query("SELECT ns FROM t"), [(datetime.datetime(2024, 1, 2, 3, 4, 5, 123456),)])


class Cursors(SqlCase):
    def test_q10_batches(self):
        self.vector_table()
        self.load("--option", "read_batch_rows=2")
        self.assertEqual(self.ids(), [1, 2, 3, 4, 5])
        self.load("-r", "a", "--as", "three", "--limit", "3", "--option", "read_batch_rows=2")
        self.assertEqual(self.ids("three"), [1, 2, 3])

    def test_q8_an_end_without_a_start_counts(self):
        self.vector_table()
        for number, (end, expected) in enumerate((("20", [1]), ("9", []), ("31", [1, 2, 4, 5]))):
            self.project(f"""[pipeline.p]
source = "shop.db"
destination = "warehouse"
dataset = "d{number}"
[pipeline.p.resources.a]
cursor = {{ field = "ts", end = {end}, on_null = "exclude" }}
""")
            self.tipple("run", "--quiet")
            self.assertEqual(self.ids(f"d{number}.a"), expected)

    def test_q11_rows_without_a_cursor_value_are_an_error_whatever_was_read_before(self):
        self.vector_table()
        for start in ([], ["--cursor-start", "0"]):
            self.assertIn('no value for the cursor "ts"', self.load("--cursor", "ts", *start, expect=EXIT_DATA).err)

    def test_q13_they_are_included_or_left_out(self):
        self.vector_table()
        self.load("--cursor", "ts", "--cursor-start", "20", "--cursor-missing", "include", "--as", "i", "-r", "a")
        self.assertEqual(self.ids("i"), [2, 3, 4, 5])
        self.load("--cursor", "ts", "--cursor-missing", "exclude", "--as", "x", "-r", "a")
        self.assertEqual(self.ids("x"), [1, 2, 4, 5])

    def test_q14_three_runs(self):
        self.vector_table()
        self.load("--cursor", "ts", "--cursor-start", "0", "--cursor-missing", "exclude")
        self.assertEqual(self.ids(), [1, 2, 4, 5])
        self.load("--cursor", "ts", "--cursor-start", "0", "--cursor-missing", "exclude")
        self.assertEqual(self.ids(), [1, 2, 4, 5])
        self.sql("INSERT INTO a VALUES (6, 'f', 30), (7, 'g', 25)")
        self.load("--cursor", "ts", "--cursor-start", "0", "--cursor-missing", "exclude")
        self.assertEqual(self.ids(), [1, 2, 4, 5, 6])
        self.load("--cursor", "ts", "--cursor-start", "0", "--cursor-missing", "exclude", "--cursor-lag", "10", "--key", "id")
        self.assertEqual(self.ids(), [1, 2, 4, 5, 6, 7])

    def test_q15_a_range_remembers_nothing(self):
        self.vector_table()
        self.project("""[pipeline.p]
source = "shop.db"
destination = "warehouse"
[pipeline.p.resources.a]
cursor = { field = "ts", start = 10, end = 20, on_null = "exclude" }
""")
        self.tipple("run", "--quiet")
        self.tipple("run", "--quiet")
        self.assertEqual([row[0] for row in self.query("SELECT id FROM p.a")], [1, 1])

    def test_q17_limits_until_nothing_is_left(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, ts INTEGER)")
        self.fill(40, "i / 3")
        for _ in range(30):
            before = len(self.ids()) if self.database.exists() else 0
            self.load("--cursor", "ts", "--limit", "7", "--option", "read_batch_rows=5")
            if len(self.ids()) == before:
                break
        self.assertEqual(self.ids(), list(range(1, 41)))

    def test_q17_ranges_meet(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, ts INTEGER)")
        self.fill(80)
        self.project("""[pipeline.p]
source = "shop.db"
destination = "warehouse"
[pipeline.p.resources.a]
cursor = "ts"
""")
        for start in range(0, 80, 10):
            self.tipple("run", "--since", str(start), "--until", str(start + 10), "--quiet")
        self.tipple("run", "--since", "80", "--quiet")
        self.assertEqual([row[0] for row in self.query("SELECT id FROM p.a ORDER BY id")], list(range(1, 81)))

    def test_times_as_text_and_numbers(self):
        writings = {"text": lambda at: f"'{at:%Y-%m-%d %H:%M:%S.%f}'", "iso": lambda at: f"'{at:%Y-%m-%dT%H:%M:%SZ}'", "seconds": lambda at: str(int(at.timestamp())),
                    "ms": lambda at: str(int(at.timestamp() * 1000)), "julian": lambda at: f"julianday('{at:%Y-%m-%d %H:%M:%S}')"}
        start = datetime.datetime(2024, 1, 2, 22, tzinfo=datetime.timezone.utc)
        for name, write in writings.items():
            with self.subTest(name):
                at = [write(start + datetime.timedelta(minutes=40 * i)) for i in range(6)]
                self.sql(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, at DATETIME)", *(f"INSERT INTO {name} VALUES ({i}, {at[i]})" for i in range(4)))
                self.load("-r", name, "--cursor", "at")
                self.assertEqual(self.ids(name), list(range(4)))
                self.sql(*(f"INSERT INTO {name} VALUES ({i}, {at[i]})" for i in range(4, 6)))
                self.load("-r", name, "--cursor", "at")
                self.load("-r", name, "--cursor", "at")
                self.assertEqual(self.ids(name), list(range(6)))
                self.project(f'[pipeline.p]\nsource = "shop.db"\ndestination = "warehouse"\n[pipeline.p.resources.{name}]\ncursor = "at"\n')
                self.tipple("run", "--since", f"{start + datetime.timedelta(minutes=40):%Y-%m-%dT%H:%M:%SZ}", "--until", f"{start + datetime.timedelta(minutes=160):%Y-%m-%dT%H:%M:%SZ}", "--quiet")
                self.assertEqual(self.ids(f"p.{name}"), [1, 2, 3])

    def test_times_in_several_forms(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, at DATETIME)", "INSERT INTO a VALUES (1, '2024-01-02 23:00:00'), (2, '2024-01-02T01:00:00'), (3, '2024-01-03 00:00:00')")
        self.load("--cursor", "at")
        self.assertEqual(self.ids(), [1, 2, 3])
        # In text, 23:00 comes before 01:00 here, and a run that ended there would never come back for the other one.
        for expected in ([2], [1, 2], [1, 2, 3]):
            self.load("--cursor", "at", "--limit", "1", "-r", "a", "--as", "b")
            self.assertEqual(self.ids("b"), expected)
        self.sql("INSERT INTO a VALUES (4, 1704164645)")
        # Of two tables, it is the other one that is read first.
        self.sql("CREATE TABLE Z(id INTEGER PRIMARY KEY, at DATETIME)")
        self.assertIn('error: resource "a": column "at" holds times in several forms', self.load("-r", "Z", "-r", "a", "--cursor", "at", expect=EXIT_DATA).err)

    def test_cursors_of_one_name_that_are_stored_in_several_ways(self):
        def insert(id_, at):
            text = f"{at:%Y-%m-%d %H:%M:%S}"
            self.sql(f"INSERT INTO texts VALUES ({id_}, '{text}')", f"INSERT INTO seconds VALUES ({id_}, {int(at.timestamp())})", f"INSERT INTO julian VALUES ({id_}, julianday('{text}'))")

        self.sql(*(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, at DATETIME)" for name in ("texts", "seconds", "julian")), "CREATE TABLE empty(id INTEGER PRIMARY KEY, at DATETIME)")
        start = datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)
        for id_ in range(3):
            insert(id_, start + datetime.timedelta(days=id_))
        for options in ([], ["--option", "read_snapshot=false"]):
            with self.subTest(options):
                known = len(self.query("SELECT 1 FROM texts")) if self.database.exists() else 3
                self.load("--cursor", "at", *options)
                insert(known, start + datetime.timedelta(days=known))
                self.load("--cursor", "at", *options)
                for name in ("texts", "seconds", "julian"):
                    self.assertEqual(self.ids(name), list(range(known + 1)), name)

    def test_times_in_several_zones(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, at TIMESTAMP WITH TIME ZONE)", "INSERT INTO a VALUES (1, '2024-01-01T00:00:00Z'), (2, '2024-01-03T02:00:00Z')")
        self.load("--cursor", "at")
        # Later than what was read, on a day before it.
        self.sql("INSERT INTO a VALUES (3, '2024-01-02T23:00:00-05:00'), (4, '2024-01-04T00:00:00Z')")
        self.load("--cursor", "at")
        self.assertEqual(self.ids(), [1, 2, 3, 4])

    def test_a_value_of_another_type_does_not_hide_the_others(self):
        for name, declared, values in (("n", "INTEGER", ("10", "20", "30")), ("t", "DATETIME", ("'2024-01-01 10:00:00'", "'2024-01-02 10:00:00'", "'2024-01-03 10:00:00'"))):
            with self.subTest(declared):
                self.sql(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, at {declared})", f"INSERT INTO {name} VALUES (1, {values[0]}), (2, {values[1]}), (3, 'soon')")
                self.assertIn('no value for the cursor "at"', self.load("-r", name, "--cursor", "at", expect=EXIT_DATA).err)
                self.load("-r", name, "--as", f"{name}_all", "--cursor", "at", "--cursor-missing", "include")
                self.assertEqual(self.query(f'SELECT id, at__v_text FROM {name}_all ORDER BY id'), [(1, None), (2, None), (3, "soon")])
                for expected in ([1, 2], [1, 2, 4]):
                    self.load("-r", name, "--as", f"{name}_some", "--cursor", "at", "--cursor-missing", "exclude")
                    self.assertEqual(self.ids(f"{name}_some"), expected)
                    self.sql(f"INSERT OR REPLACE INTO {name} VALUES (4, {values[2]})")

    def test_what_is_infinite_does_not_hide_what_is_new(self):
        moment = "2024-01-0{} 00:00:00"
        columns = {"DOUBLE": (str, ("nan", "infinity")), "FLOAT": (str, ("nan", "infinity")), "DATE": (lambda i: f"2024-01-0{i}", ("infinity",)),
                   **{declared: (moment.format, ("infinity",)) for declared in ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")}}
        for number, (declared, (write, endless)) in enumerate(columns.items()):
            with self.subTest(declared):
                def insert(*rows):
                    with duckdb.connect(str(self.folder / "d.duckdb")) as connection:
                        connection.execute(f"CREATE TABLE IF NOT EXISTS t{number}(id INT, v {declared})")
                        for id_, value in rows:
                            connection.execute(f"INSERT INTO t{number} VALUES ({id_}, '{value}')")

                def load():
                    self.tipple("load", "d.duckdb", self.database, "-r", f"t{number}", "--cursor", "v", "--quiet")

                insert((1, write(1)), (2, write(2)), (3, "-infinity"), *((10 + i, value) for i, value in enumerate(endless)))
                load()
                self.assertEqual(self.ids(f"t{number}"), [1, 2, 3])
                insert((4, write(4)))
                load()
                load()
                self.assertEqual(self.ids(f"t{number}"), [1, 2, 3, 4])

    def test_a_start_without_an_end(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v REAL)", "INSERT INTO a VALUES (1, 1.5), (2, -9e999)")
        with duckdb.connect(str(self.folder / "d.duckdb")) as connection:
            connection.execute("CREATE TABLE a AS SELECT * FROM (VALUES (1, 1.5::DOUBLE), (2, '-infinity'::DOUBLE)) AS t(id, v)")
        for source in ("shop.db", "d.duckdb"):
            with self.subTest(source):
                self.project(f'[pipeline.p]\nsource = "{source}"\ndestination = "warehouse"\ndataset = "{source[0]}"\n[pipeline.p.resources.a]\ncursor = {{ field = "v", start = -inf }}\n')
                self.tipple("run", "--quiet")
                self.assertEqual(self.ids(f"{source[0]}.a"), [1, 2])

    def test_an_infinite_number_in_sqlite_does_not_hide_what_is_new(self):
        for declared in ("REAL", ""):
            with self.subTest(declared):
                name = f"t{len(declared)}"
                self.sql(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, n {declared})", f"INSERT INTO {name} VALUES (1, 1.5), (2, 9e999), (3, -9e999)")
                self.load("-r", name, "--cursor", "n")
                self.sql(f"INSERT INTO {name} VALUES (4, 2.5)")
                self.load("-r", name, "--cursor", "n")
                self.assertEqual(self.ids(name), [1, 3, 4])
        self.sql("INSERT INTO t4 VALUES (5, 'soon')")
        self.assertIn('no value for the cursor "n"', self.load("-r", "t4", "--cursor", "n", expect=EXIT_DATA).err)

    def test_nor_does_one_beside_a_text(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, n REAL)", "INSERT INTO a VALUES (1, 1.5), (2, 9e999), (3, 'soon'), (4, NULL)")
        for missing, expected in (("exclude", [1]), ("include", [1, 3, 4])):
            with self.subTest(missing):
                for new in ([], [10], [10, 11]):
                    self.sql(*(f"INSERT OR REPLACE INTO a VALUES ({id_}, {id_})" for id_ in new))
                    self.load("-r", "a", "--as", missing, "--cursor", "n", "--cursor-missing", missing, "--key", "id", "--disposition", "merge")
                    self.assertEqual(self.ids(missing), expected + new)
                self.sql("DELETE FROM a WHERE id >= 10")

    def test_a_text_is_a_cursor_by_its_bytes(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE)", "INSERT INTO a VALUES (1, 'B'), (2, 'a'), (3, 'c')")
        self.load("--cursor", "code")
        self.sql("INSERT INTO a VALUES (4, 'D'), (5, 'd')")
        self.load("--cursor", "code")
        # By its bytes D comes before c, so it is late.
        self.assertEqual(self.ids(), [1, 2, 3, 5])

    def test_parts_are_committed_and_gone_on_with(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, ts INTEGER)")
        self.fill(20_000)
        self.project("""[pipeline.p]
source = { uri = "shop.db", read = { batch_rows = 100 } }
destination = "warehouse"
[pipeline.p.resources.a]
cursor = "ts"
checkpoint = 1000
""")
        self.tipple("run", "--quiet")
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT id) FROM p.a"), [(20_000, 20_000)])
        self.assertGreater(self.query("SELECT count(*) FROM p._dlt_loads")[0][0], 1)


class Projects(SqlCase):
    def test_patterns_exclusions_and_hints(self):
        self.sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, updated_at TEXT, secret TEXT, tenant INT)", "INSERT INTO orders VALUES (1, '2024-01-01', 'x', 7), (2, '2024-01-02', 'y', 8)",
                 "CREATE TABLE customers(id INTEGER PRIMARY KEY)", "INSERT INTO customers VALUES (1)", "CREATE TABLE audit_log(id INT)", "INSERT INTO audit_log VALUES (1)")
        self.project("""[connection.shop]
uri = "sqlite:///shop.db"
[pipeline.p]
source = "shop"
destination = "warehouse"
[pipeline.p.defaults]
disposition = "replace"
[pipeline.p.resources."*"]
[pipeline.p.resources."-audit_*"]
[pipeline.p.resources.orders]
disposition = "merge"
exclude = ["secret"]
where = "tenant = 7"
cursor = { field = "updated_at" }
[pipeline.p.resources.totals]
query = "SELECT tenant, count(*) AS n FROM orders GROUP BY 1 -- by tenant"
""")
        for _ in range(2):
            self.tipple("run", "--quiet")
        tables = {row[0] for row in self.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'p' AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\'")}
        self.assertEqual(tables, {"orders", "customers", "totals"})
        self.assertEqual(self.query("SELECT id, tenant FROM p.orders"), [(1, 7)])
        self.assertEqual(self.query("SELECT count(*) FROM p.customers"), [(1,)])
        self.assertEqual(self.query("SELECT tenant, n FROM p.totals ORDER BY 1"), [(7, 1), (8, 1)])
        self.assertNotIn("secret", [row[0] for row in self.query("SELECT column_name FROM duckdb_columns() WHERE table_name = 'orders'")])
        self.tipple("run", "-r", "*", "--quiet")
        self.assertIn('did you mean "orders"?', self.error("run", "-r", "order"))
        self.assertIn("has no keys", self.error("run", "-c", "pipeline.p.resources.-audit_*.table=x"))

    def test_a_snapshot_is_a_matter_of_all_tables(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY)", "INSERT INTO a VALUES (1)", "CREATE TABLE b(id INTEGER PRIMARY KEY)")
        for place in ("resources.a", "defaults"):
            self.project(f'[pipeline.p]\nsource = "shop.db"\ndestination = "warehouse"\n[pipeline.p.{place}]\nread = {{ snapshot = false }}\n')
            self.assertIn(' has no key "read_snapshot": it is one of the source, for all that is read of it, so move it there', self.error("run"))
        self.project('[pipeline.p]\nsource = { uri = "shop.db", read = { snapshot = false } }\ndestination = "warehouse"\n')
        self.tipple("run", "--quiet")
        self.assertEqual(self.ids("p.a"), [1])
        own, of_each = self.tipple("help", "sql").out.split("Of each resource:")
        self.assertIn("read_snapshot", own)
        self.assertNotIn("read_snapshot", of_each)

    def test_references_and_descriptions(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY)", "CREATE TABLE b(id INTEGER PRIMARY KEY, theY INT REFERENCES a, z INT REFERENCES elsewhere(id))")
        self.load()
        (document,) = self.query("SELECT schema FROM _dlt_version")[0]
        self.assertIn('"references":[{"referenced_table":"a","columns":["the_y"],"referenced_columns":["id"]}]', document)  # Q19

    def test_delete_missing(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO a VALUES (1, 'a'), (2, 'b'), (3, 'c')")
        arguments = ["-r", "a", "--disposition", "merge", "--delete-missing", "hard", "--max-delete", "50%"]
        self.load(*arguments)
        self.sql("DELETE FROM a WHERE id = 2", "UPDATE a SET v = 'd' WHERE id = 1")
        self.load(*arguments)
        self.assertEqual(self.query("SELECT id, v FROM a ORDER BY id"), [(1, "d"), (3, "c")])

    def test_a_type_that_changes_at_the_source_becomes_a_variant(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 5)")
        self.load()
        self.sql("DROP TABLE a", "CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO a VALUES (2, 'five')")
        self.load()
        self.assertEqual(self.query("SELECT id, v, v__v_text FROM a ORDER BY id"), [(1, 5, None), (2, None, "five")])

    def test_check_says_what_is_there(self):
        self.sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, updated_at DATETIME NOT NULL, total DECIMAL(10,2))", "INSERT INTO orders VALUES (1, '2024-01-01', 5)")
        self.project('[pipeline.p]\nsource = "shop.db"\ndestination = "warehouse"\n')
        out = self.tipple("check").out
        for part in ("about 1 row;", "id bigint", "updated_at timestamp without zone not null", "total decimal(10,2)", "key id", "cursor could be updated_at"):
            self.assertIn(part, out)
        self.project('[pipeline.p]\nsource = "shop.db"\ndestination = "warehouse"\n[pipeline.p.resources.orders]\ncursor = "updated_at"\n')
        self.assertIn("nothing is missed", self.tipple("check").out)

    def test_check_does_not_walk_over_tables(self):
        self.sql("PRAGMA page_size = 4096", "CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT)")
        self.fill(20_000, "'row number ' || i || ' of a table'")
        # What is in the middle cannot be read, so who reads it fails.
        content = bytearray(self.source.read_bytes())
        page = len(content) // 4096 // 2
        content[page * 4096:(page + 1) * 4096] = b"\xff" * 4096
        self.source.write_bytes(content)
        self.project('[pipeline.p]\nsource = "shop.db"\ndestination = "warehouse"\n')
        self.assertIn("about 20,000 rows", self.tipple("check").out)
        self.assertIn("is damaged", self.tipple("run", "--quiet", expect=None).err)

    def test_parallel_reads_give_the_same(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT)")
        self.fill(300_000, "'row ' || i")
        self.sql("DELETE FROM a WHERE id % 1000 = 0")
        self.load("-r", "a", "--as", "one")
        err = self.tipple("load", "shop.db", self.database, "-r", "a", "--as", "four", "--option", "read_parallel=4", "-v").err
        self.assertIn("connections read", err)
        self.assertEqual(self.query("SELECT count(*), sum(id), min(v), max(v) FROM one"), self.query("SELECT count(*), sum(id), min(v), max(v) FROM four"))
        # In the order of the parts, whichever came first.
        self.assertEqual(self.query("SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY rowid) AS before FROM four) WHERE before > id"), [(0,)])
        # Without a snapshot, a row that moves from one range to another would be read twice, or never.
        err = self.tipple("load", "shop.db", self.database, "-r", "a", "--as", "apart", "--option", "read_parallel=4", "--option", "read_snapshot=false", "-v").err
        self.assertIn("one connection reads it", err)
        self.assertEqual(self.query("SELECT count(*), sum(id) FROM apart"), self.query("SELECT count(*), sum(id) FROM one"))

    def test_parts_have_the_fractions_between_their_borders(self):
        self.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, n NUMERIC)")
        self.fill(300_001, "(i - 1) / 2.0")
        self.sql("INSERT INTO a(id) VALUES (300002)")
        err = self.tipple("load", "shop.db", self.database, "-r", "a", "--option", "read_parallel=4", "--option", "read_split_by=n", "-v").err
        self.assertIn("connections read 4 parts", err)
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT id), sum(id) FROM a"), [(300_002, 300_002, 300_002 * 300_003 // 2)])


class Examples(SqlCase):
    def test_three_runs_of_the_example(self):
        shutil.copy(ROOT / "examples/databases/tipple.toml", self.folder)
        self.database = self.folder / "warehouse.duckdb"
        self.sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INT, updated_at DATETIME, total DECIMAL(10,2), internal_note TEXT)", "CREATE TABLE events(id INTEGER PRIMARY KEY, what TEXT)",
                 "CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT)", "CREATE TABLE customers(id INTEGER PRIMARY KEY)", "CREATE TABLE orders_backup(id INT)",
                 "INSERT INTO orders VALUES (1, 1, '2026-01-01 10:00:00', 5, 'x'), (2, 1, '2026-01-02 10:00:00', 7, 'y')", "INSERT INTO events VALUES (1, 'a'), (2, 'b')",
                 "INSERT INTO products VALUES (1, 'tea'), (2, 'cup'), (3, 'pot')", "INSERT INTO customers VALUES (1)")
        for _ in range(2):
            self.tipple("run", "--quiet", env={"SHOP": "shop.db"})
        self.sql("UPDATE orders SET total = 6, updated_at = '2026-01-03 10:00:00' WHERE id = 1", "INSERT INTO events VALUES (3, 'c')", "DELETE FROM products WHERE id = 2")
        self.tipple("run", "--quiet", env={"SHOP": "shop.db"})
        self.assertEqual(self.query("SELECT id, total FROM shop.orders ORDER BY id"), [(1, 6), (2, 7)])
        self.assertEqual(self.query("SELECT id FROM shop.events ORDER BY id"), [(1,), (2,), (3,)])
        self.assertEqual(self.query("SELECT id, _tipple_deleted_at IS NULL FROM shop.products ORDER BY id"), [(1, True), (2, False), (3, True)])
        self.assertEqual(self.query("SELECT customer_id, revenue, orders FROM shop.revenue"), [(1, 13, 2)])
        self.assertEqual(list(self.columns("orders")), ["id", "customer_id", "updated_at", "total"])


class Mistakes(SqlCase):
    def test_names(self):
        self.vector_table()
        self.assertIn('there is no table "aa"; did you mean "a"?', self.load("-r", "aa", expect=EXIT_USAGE).err)
        self.assertIn('the cursor "tss" is no column that is read; did you mean "ts"?', self.load("--cursor", "tss", expect=EXIT_USAGE).err)
        self.assertIn('"wher"; did you mean "where"?', self.load("-r", "a", "--option", "wher=1", expect=EXIT_USAGE).err)
        self.assertIn("no such column: nope", self.load("--option", "where=nope = 1", expect=EXIT_USAGE).err)
        self.assertIn("give it a primary_key", self.keyless())
        (self.folder / "broken.db").write_text("this is no database, and long enough to be looked at" * 20)
        self.assertIn("broken.db is no SQLite database, or an encrypted one", self.error("load", "broken.db", self.database))
        self.assertIn("does not exist", self.error("load", "missing.db", self.database))
        self.assertIn("a query must be a SELECT", self.load("--as", "q", "--option", "query=DELETE FROM a", expect=EXIT_USAGE).err)
        self.assertIn("only one statement", self.load("--as", "q", "--option", "query=SELECT 1; SELECT 2", expect=EXIT_USAGE).err)
        self.assertIn("none of its values", self.load("-r", "a", "--cursor", "ts", "--cursor-start", "yesterday", "--cursor-missing", "exclude", expect=EXIT_USAGE).err)
        for url, hint in (("postgers://ann:sekret@db/shop", "did you mean postgres://?"), ("mysql://ann:sekret@db/shop", "there is no file")):
            for arguments in ([], ["-r", "orders"]):
                err = self.error("load", url, self.database, *arguments)
                self.assertIn("is neither" if arguments and "did you" not in hint else hint, err)
                self.assertNotIn("sekret", err)
        for sources in (("orders.jsonl", "postgresql://ann:sekret@db/shop"), ("postgresql://ann:sekret@db/shop", "orders.jsonl")):
            err = self.error("load", *sources, self.database)
            self.assertIn('"postgresql://ann:***@db/shop" is loaded alone', err)
        self.assertFalse(self.database.exists())

    def keyless(self):
        self.sql("CREATE TABLE b(id INT)", "INSERT INTO b VALUES (1)")
        return self.load("-r", "b", "--disposition", "merge", expect=EXIT_USAGE).err

    def test_what_is_no_database(self):
        for uri, shown in (("shop", "shop"), ("shop.txt", "shop.txt"), ("ann:sekret@db/shop", "ann:***@db/shop"), ("host=db password=sekret dbname=shop", "host=db password=***")):
            with self.subTest(uri):
                self.project(f'[pipeline.p]\nsource = {{ type = "sql", uri = "{uri}" }}\ndestination = "warehouse"\n')
                err = self.error("run")
                self.assertIn(f'"{shown}" is no database that can be read: neither a URL nor a file of SQLite or DuckDB', err)
                self.assertNotIn("sekret", err)

    def test_tables_that_would_be_one(self):
        self.sql("CREATE TABLE a(id INT)")
        with duckdb.connect(str(self.folder / "d.duckdb")) as connection:
            connection.execute("CREATE SCHEMA s")
            connection.execute("CREATE TABLE main.t(id INT)")
            connection.execute("CREATE TABLE s.t(id INT)")
        self.tipple("load", "d.duckdb", self.database, "-r", "*.t", "--quiet")
        self.assertEqual(len(self.query("SELECT 1 FROM duckdb_tables() WHERE table_name IN ('t', 's_t')")), 2)

    def test_a_writer_that_does_not_let_go(self):
        self.vector_table()
        writer = sqlite3.connect(self.source, isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute("BEGIN EXCLUSIVE")
        self.assertIn("another program writes it", self.load("--option", "busy_timeout=0.2", expect=EXIT_LOCKED).err)
        writer.execute("COMMIT")
        self.load()
        self.assertEqual(len(self.ids()), 5)

    def test_a_writer_while_it_is_read_in_wal_mode(self):
        self.vector_table()
        writer = sqlite3.connect(self.source, isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO a VALUES (6, 'f', 40)")
        self.load()
        self.assertEqual(len(self.ids()), 5)
        writer.execute("COMMIT")

    def test_it_stops_within_a_query(self):
        self.vector_table()
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n"
        with self.start("load", "shop.db", self.database, "--as", "q", "--option", f"query={endless}", "-vv") as run:
            run.wait_for('SELECT "i"')
            run.send(signal.SIGINT)
            self.assertEqual(run.finish().code, EXIT_INTERRUPTED)

    def test_source_and_destination_are_one_file(self):
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("CREATE TABLE t AS SELECT range AS id FROM range(5)")
        self.tipple("load", self.database, self.database, "--dataset", "copied", "--quiet")
        self.assertEqual(self.query("SELECT count(*) FROM copied.t"), [(5,)])
        self.assertIn("--adopt", self.error("load", self.database, self.database))


if __name__ == "__main__":
    main()
