"""Postgres as a source: whole ways into DuckDB and into another Postgres, on a server of the test's own."""

import datetime
import decimal
import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from postgres_server import PASSWORD, PASSWORD_IN_URL, start_for_module  # noqa: E402
from tipple_cli import EXIT_DATA, EXIT_INTERRUPTED, EXIT_TRANSIENT, EXIT_USAGE, Case, main  # noqa: E402

server = None


def setUpModule():
    global server
    server = start_for_module()


class SourceCase(Case):
    databases = 0

    def setUp(self):
        super().setUp()
        SourceCase.databases += 1
        self.name = f"source_{SourceCase.databases}"
        server.psql(f"CREATE DATABASE {self.name}", database="postgres")

    def url(self):
        return server.url(database=self.name)

    def psql(self, *statements):
        for statement in statements:
            server.psql(statement, database=self.name)

    def shop(self):
        self.psql("""CREATE TABLE customers(id bigint PRIMARY KEY, name varchar(40) NOT NULL);
                     COMMENT ON TABLE customers IS 'who buys'; COMMENT ON COLUMN customers.name IS 'as they write it'""",
                  """CREATE TABLE orders(id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, updated_at timestamptz NOT NULL, total numeric(10,2), small smallint, doc jsonb,
                     tags text[], "Amt" numeric)""",
                  "INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob')",
                  """INSERT INTO orders VALUES (1, 1, '2026-03-01 09:30+00', 17.5, 1, '{"a": 1}', '{x,y}', 1.5), (2, 2, '2026-03-02 10:05+02', 4, -2, NULL, NULL, NULL)""")


class Loads(SourceCase):
    def test_all_tables_into_duckdb(self):
        self.shop()
        self.tipple("load", self.url(), self.database, "--quiet")
        utc = datetime.timezone.utc
        self.assertEqual(self.query("SELECT id, customer_id, updated_at, total, small, doc, tags, amt FROM orders ORDER BY id"),
                         [(1, 1, datetime.datetime(2026, 3, 1, 9, 30, tzinfo=utc), decimal.Decimal("17.50"), 1, '{"a": 1}', '["x","y"]', decimal.Decimal("1.500000000")),
                          (2, 2, datetime.datetime(2026, 3, 2, 8, 5, tzinfo=utc), decimal.Decimal("4.00"), -2, None, None, None)])
        self.assertEqual(self.query("SELECT id, name FROM customers ORDER BY id"), [(1, "Ann"), (2, "Bob")])
        (document,) = self.query("SELECT schema FROM _dlt_version")[0]
        for part in ('"description":"who buys"', '"description":"as they write it"', '"referenced_table":"customers"'):
            self.assertIn(part, document)

    def three_runs(self, destination, rows):
        """`rows()`: what the destination has of orders."""
        self.shop()
        arguments = ["load", self.url(), destination, "-r", "public.orders", "--disposition", "merge", "--cursor", "updated_at", "--quiet"]
        self.tipple(*arguments)
        self.assertEqual(rows(), [(1, "17.50"), (2, "4.00")])
        self.tipple(*arguments)
        self.assertEqual(rows(), [(1, "17.50"), (2, "4.00")])
        self.psql("UPDATE orders SET total = 5, updated_at = '2026-03-05' WHERE id = 1", "INSERT INTO orders(id, updated_at, total) VALUES (3, '2026-03-04', 3)")
        self.tipple(*arguments)
        self.assertEqual(rows(), [(1, "5.00"), (2, "4.00"), (3, "3.00")])

    def test_three_runs_of_a_merge_into_duckdb(self):
        self.three_runs(self.database, lambda: self.query("SELECT id, total::text FROM orders ORDER BY id"))

    def test_three_runs_of_a_merge_into_postgres(self):
        other = f"{self.name}_other"
        server.psql(f"CREATE DATABASE {other}", database="postgres")
        rows = "SELECT coalesce(string_agg(id || '|' || total, ' ' ORDER BY id), '') FROM orders"
        self.three_runs(server.url(database=other), lambda: [(int(id_), total) for id_, total in (row.split("|") for row in server.value(rows, database=other).split())])

    def test_a_project_with_patterns_and_parallel_parts(self):
        self.shop()
        self.psql("CREATE TABLE big AS SELECT i AS id, 'row ' || i AS v FROM generate_series(1, 400000) i", "ALTER TABLE big ADD PRIMARY KEY (id)", "ANALYZE big", "CREATE SCHEMA log",
                  "CREATE TABLE log.orders(id int)", "CREATE VIEW seen AS SELECT * FROM customers")
        (self.folder / "tipple.toml").write_text(f"""version = 1
[connection.shop]
uri = "postgresql://{server.url(database=self.name).split('://')[1].replace(PASSWORD_IN_URL, '${env:SHOP_PASSWORD}')}"
[pipeline.p]
source = "shop"
destination = "{self.database.name}"
[pipeline.p.defaults]
disposition = "replace"
read = {{ parallel = 2 }}
[pipeline.p.resources."public.*"]
[pipeline.p.resources."-customers"]
[pipeline.p.resources."log.*"]
""")
        self.tipple("run", "--quiet", env={"SHOP_PASSWORD": PASSWORD_IN_URL})
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT id), sum(id), max(v) FROM p.big"), [(400000, 400000, 80000200000, "row 99999")])
        tables = {row[0] for row in self.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'p' AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\'")}
        self.assertEqual(tables, {"big", "orders", "log_orders"})
        self.assertIn("key id", self.tipple("check", env={"SHOP_PASSWORD": PASSWORD_IN_URL}).out)

    def test_a_number_of_many_digits(self):
        self.psql("CREATE TABLE t(id int PRIMARY KEY, price numeric)", "INSERT INTO t VALUES (1, 1.5), (2, 0.12345678901234567890)")
        err = self.tipple("load", self.url(), self.database, "--quiet", expect=EXIT_DATA).err
        for part in ('column "price", row 2', "more than 9 digits behind the point", 'numeric = "text"', "--option numeric=text"):
            self.assertIn(part, err)
        # Both ways that it names.
        self.tipple("load", self.url(), self.database, "--option", "numeric=text", "--quiet")
        self.assertEqual(self.query("SELECT price FROM t ORDER BY id"), [("1.5",), ("0.12345678901234567890",)])
        (self.folder / "tipple.toml").write_text(f'version = 1\n[pipeline.p]\nsource = {{ uri = "{self.url()}", numeric = "text" }}\ndestination = "{self.database.name}"\n')
        self.tipple("run", "--quiet")
        self.assertEqual(self.query("SELECT price FROM p.t ORDER BY id"), [("1.5",), ("0.12345678901234567890",)])

    def test_what_is_infinite_does_not_hide_what_is_new(self):
        columns = {"real": ("1.5", "2.5", "3.5"), "double precision": ("1.5", "2.5", "3.5"), "date": ("2024-01-01", "2024-01-02", "2024-01-03"),
                   "timestamptz": ("2024-01-01", "2024-01-02", "2024-01-03")}
        for number, (declared, (first, second, third)) in enumerate(columns.items()):
            with self.subTest(declared):
                table = f"t{number}"
                endless = ("infinity", "NaN") if "2.5" == second else ("infinity",)

                def load():
                    self.tipple("load", self.url(), self.database, "-r", f"public.{table}", "--cursor", "v", "--quiet")

                self.psql(f"CREATE TABLE {table}(id int, v {declared})", f"INSERT INTO {table} VALUES (1, '{first}'), (2, '{second}'), (3, '-infinity')",
                          *(f"INSERT INTO {table} VALUES ({10 + i}, '{value}')" for i, value in enumerate(endless)))
                load()
                self.assertEqual(self.query(f"SELECT id FROM {table} ORDER BY id"), [(1,), (2,), (3,)])
                self.psql(f"INSERT INTO {table} VALUES (4, '{third}')")
                load()
                load()
                self.assertEqual(self.query(f"SELECT id FROM {table} ORDER BY id"), [(1,), (2,), (3,), (4,)])

    def test_a_server_that_does_not_answer(self):
        self.shop()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            for arguments in (["load", server.url(port=port) + "?connect_timeout=600", self.database, "-r", "public.orders"],
                              ["load", self.write("a.jsonl", [{"id": 1}]), server.url(port=port) + "?connect_timeout=600"]):
                with self.subTest(arguments[1]), self.start(*arguments) as run:
                    connection, _ = silent.accept()
                    # It has asked, and waits for ten minutes.
                    self.assertTrue(connection.recv(1))
                    run.send(signal.SIGINT)
                    self.assertEqual(run.finish().code, EXIT_INTERRUPTED)
                    connection.close()
            waiting = server.url(port=port) + "?connect_timeout=2"
            self.assertIn("nothing answered in time", self.tipple("load", waiting, self.database, "-r", "public.orders", expect=EXIT_TRANSIENT).err)
            # The next of several hosts is asked.
            hosts = self.url().replace(f"127.0.0.1:{server.port}", f"127.0.0.1:{port},127.0.0.1:{server.port}") + "?connect_timeout=2"
            self.tipple("load", hosts, self.database, "-r", "public.customers", "--quiet")
            self.assertEqual(self.count("customers"), 2)

    def test_it_stops_and_says_what_is_wrong(self):
        self.shop()
        missing = self.tipple("load", self.url(), self.database, "-r", "ordrs", expect=EXIT_USAGE).err
        self.assertIn('did you mean "orders"?', missing)
        with self.start("load", self.url(), self.database, "--as", "q", "--option", "query=SELECT pg_sleep(600)::text AS i", "-vv") as run:
            run.wait_for('SELECT ')
            run.send(signal.SIGINT)
            result = run.finish()
        self.assertEqual(result.code, EXIT_INTERRUPTED)
        self.assertNotIn(PASSWORD, result.err)
        self.assertEqual(server.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()", database=self.name), "0")


if __name__ == "__main__":
    main()
