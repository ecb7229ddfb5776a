"""Loads into Postgres: a server of the test's own, a pooler, and a proxy where connections break."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from postgres_case import PostgresCase  # noqa: E402
from postgres_server import PASSWORD, PASSWORD_IN_URL, Server, free_port, start_for_module  # noqa: E402
from proxy import COMMIT, Proxy, Refusing  # noqa: E402
from tls_server import Certificates  # noqa: E402
from tipple_cli import EXIT_DATA, EXIT_INTERRUPTED, EXIT_LOCKED, EXIT_PARTIAL, EXIT_REMOTE, EXIT_TRANSIENT, EXIT_USAGE, main  # noqa: E402

# What a reader may wait for a table, in milliseconds. A load that locks it holds it until the test lets go, which is never before the reader is done.
READER_PATIENCE = 1000

server = None


def setUpModule():
    global server
    server = PostgresCase.server = start_for_module(wal_level="logical")


class Append(PostgresCase):
    def test_nested_records(self):
        records = [
            {"id": 1, "name": "O'Brien \\ \"x\"\n", "at": "2024-01-02T03:04:05.678901Z", "price": 1.5, "ok": True, "lines": [{"sku": "a", "qty": 2}, {"sku": "b"}]},
            {"id": 2, "name": "ü€😀", "at": "1969-12-31T23:59:59Z", "price": -0.0, "ok": False, "deep": {"er": {"list": [1, 2]}}},
            {"id": 9223372036854775807, "name": None, "price": 1e300},
        ]
        result = self.load(self.write("orders.jsonl", records), "--json")
        self.assertEqual(result.finished()["event"], "run.finished")
        self.assertEqual(
            self.psql("SELECT id, name, at AT TIME ZONE 'UTC', price, ok FROM orders ORDER BY id"),
            [["1", "O'Brien \\ \"x\"\n", "2024-01-02 03:04:05.678901", "1.5", "t"], ["2", "ü€😀", "1969-12-31 23:59:59", "-0", "f"],
             ["9223372036854775807", None, None, "1e+300", None]])
        self.assertEqual(
            self.psql("SELECT o.id, l.sku, l.qty, l._dlt_list_idx FROM orders__lines AS l JOIN orders AS o ON o._dlt_id = l._dlt_parent_id ORDER BY 4"),
            [["1", "a", "2", "0"], ["1", "b", None, "1"]])
        self.assertEqual(self.psql("SELECT value FROM orders__deep__er__list ORDER BY _dlt_list_idx"), [["1"], ["2"]])
        self.assertEqual(self.psql("SELECT count(*) FROM _dlt_loads JOIN orders ON load_id = _dlt_load_id"), [["3"]])
        # Again, with a new column and a new table.
        self.load(self.write("orders.jsonl", [{"id": 4, "new": True, "tags": ["x"]}]))
        self.assertEqual(self.psql("SELECT id, new FROM orders WHERE id = 4"), [["4", "t"]])
        self.assertEqual(self.value("SELECT count(*) FROM orders"), "4")
        self.assertEqual(self.psql("SELECT value FROM orders__tags"), [["x"]])

    def test_a_state_of_megabytes(self):
        records = [{"t": 1, "n": n} for n in range(200_000)]
        path = self.write("t.jsonl", records)
        self.load(path, "--cursor", "t")
        self.assertGreater(int(self.value("SELECT length(state) FROM _dlt_pipeline_state")), 1_500_000)
        self.load(path, "--cursor", "t")
        self.load(self.write("t.jsonl", [*records, {"t": 1, "n": -1}]), "--cursor", "t")
        self.assertEqual(self.psql("SELECT count(*), count(DISTINCT n) FROM t"), [["200001", "200001"]])

    def test_every_type(self):
        self.write("t.jsonl", [
            {"d": "-12345678901234567890.123456789", "w": 12345678901234567890, "b": "AP8=", "day": "2024-02-29", "hour": "23:59:59.999999", "j": {"a": [1, {"b": None}]},
             "wall": "2024-01-02T03:04:05", "small": 32767, "short": "abc", "u": "c0ffee00-0000-4000-8000-000000000001"},
            {"d": "0.00000001", "w": 0, "b": "", "day": "0001-01-01", "hour": "00:00:00", "j": [], "wall": "9999-12-31T23:59:59.999999", "small": -32768, "short": "", "u": None},
            {"d": "10000"}])
        hints = ["d:decimal(38,9)", "w:wei", "b:binary", "day:date", "hour:time", "j:json", "small:bigint(16)", "short:text(5)"]
        flags = [part for hint in hints for part in ("--column", hint)]
        self.load("t.jsonl", *flags)
        self.assertEqual(
            self.psql("SELECT d, trim_scale(w), encode(b, 'hex'), day, hour, j, small, short FROM t ORDER BY d"),
            [["-12345678901234567890.123456789", "12345678901234567890", "00ff", "2024-02-29", "23:59:59.999999", '{"a": [1, {"b": null}]}', "32767", "abc"],
             ["0.000000010", "0", "", "0001-01-01", "00:00:00", "[]", "-32768", ""], ["10000.000000000"] + [None] * 7])
        types = dict(self.psql("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"))
        self.assertEqual(
            {name: types[name] for name in ("d", "w", "b", "day", "hour", "j", "small", "short")},
            {"d": "numeric(38,9)", "w": "numeric(156,78)", "b": "bytea", "day": "date", "hour": "time without time zone", "j": "jsonb", "small": "smallint",
             "short": "character varying(5)"})
        self.assertIn("value too long", self.load(self.write("t.jsonl", [{"short": "abcdef"}]), *flags, expect=EXIT_DATA).err)

    def test_tables_that_are_there_keep_their_types(self):
        self.psql("CREATE TABLE t (id integer, code uuid, amount numeric, doc json, note varchar(3))")
        records = [{"id": 1, "code": "C0FFEE00-0000-4000-8000-000000000001", "amount": 5, "doc": '{"a": 1}', "note": "abc"}]
        path = self.write("t.jsonl", records)
        self.assertIn("--adopt", self.load(path, expect=EXIT_USAGE).err)
        self.load(path, "--adopt")
        self.assertEqual(self.psql("SELECT id, code, amount, doc, note FROM t"), [["1", "c0ffee00-0000-4000-8000-000000000001", "5", '{"a": 1}', "abc"]])
        self.assertIn("does not fit", self.load(self.write("t.jsonl", [{"id": 1 << 40}]), expect=EXIT_DATA).err)
        self.assertIn("no UUID", self.load(self.write("t.jsonl", [{"code": "x"}]), expect=EXIT_DATA).err)
        self.psql("CREATE TABLE r (price real)")
        self.assertIn("would change values", self.load(self.write("r.jsonl", [{"price": 0.1}]), "--adopt", expect=EXIT_USAGE).err)

    def test_times_that_a_column_rounds_are_told(self):
        records = [{"a": "2024-01-01T00:00:00.1234Z", "b": "2024-01-01T00:00:00.9996", "c": "00:00:01.5"}, {"a": "2024-01-01T00:00:00.123Z", "c": "00:00:02"}]
        hints = ("--column", "a:timestamp(3)", "--column", "b:timestamp(3):timezone=false", "--column", "c:time(0)")
        err = self.load(self.write("t.jsonl", records), *hints).err
        for column in "abc":
            self.assertIn(f'column "{column}": times with more digits behind the second than the column keeps were rounded, once, first in t.jsonl:1', err)
        self.assertEqual(self.psql("SELECT a = '2024-01-01 00:00:00.123Z', b = '2024-01-01 00:00:01', c = '00:00:02' FROM t WHERE b IS NOT NULL"), [["t", "t", "t"]])
        for name, hint, digits in (("a", hints[1], 3), ("b", hints[3], 3), ("c", hints[5], 0)):
            rows = [{"id": 1, name: records[1]["c"] if name == "c" else records[1]["a"]}, {"id": 2, name: records[0][name]}]
            csv = f"id,{name}\n" + "".join(f"{row['id']},{row[name]}\n" for row in rows)
            for path in (self.write("r.jsonl", rows), self.write("r.csv", csv)):
                with self.subTest(hint, path=path):
                    load = (path, "--column", hint, "--as", f"{name}_{path.rpartition('.')[2]}", "--contract")
                    self.assertRegex(self.load(*load, "data_type=freeze", expect=EXIT_DATA).err,
                                     rf'^error: r\.(jsonl:2|csv, record 2)[^\n]*column "{name}": the time [^\n]* has more digits behind the second than the {digits} that the column keeps')
                    self.load(*load, "data_type=quarantine", expect=EXIT_PARTIAL)
                    self.assertEqual(self.psql(f"SELECT count(*), max(id) FROM {load[4]}"), [["1", "1"]])

    def test_names(self):
        self.load(self.write("t.jsonl", [{"select": 1, "Größe": 2, "x" * 70: 3}]), "--as", "from", "--dataset", "Own")
        columns = [row[0] for row in self.psql("SELECT column_name FROM information_schema.columns WHERE table_name = 'from' ORDER BY ordinal_position")]
        self.assertEqual(columns[0], "select")
        self.assertTrue(all(len(column.encode()) <= 63 for column in columns), columns)
        self.assertIn("63 bytes", self.load("t.jsonl", "--dataset", "d" * 64, expect=EXIT_USAGE).err)

    def test_nul_is_refused_with_its_place(self):
        path = self.write("t.jsonl", [{"a": "fine"}, {"a": "not\x00fine"}])
        result = self.load(path, expect=EXIT_DATA)
        self.assertIn('column "a", row 2', result.err)
        self.assertIn("NUL", result.err)
        self.assertIn('row: {"a":"not', result.err)
        # What was refused can be looked at later.
        [job] = json.loads(self.tipple("jobs", self.url(), "--failed", "--json").out)["jobs"]
        self.assertEqual(job["table"], "t")
        self.assertIn('row: {"a":"not', job["message"])
        self.assertTrue(pathlib.Path(job["folder"]).is_dir())
        self.assertIn('column "a", row 2', self.tipple("jobs", self.url(), "--failed").out)
        self.assertIsNone(self.value("SELECT to_regclass('t')"))

    def test_what_a_constraint_refuses_is_shown_with_its_row(self):
        self.psql("CREATE TABLE t (id bigint PRIMARY KEY, v bigint NOT NULL CHECK (v < 100)); INSERT INTO t VALUES (5, 1)")
        for bad, says in (({"id": 5, "v": 1}, "Key (id)=(5) already exists"), ({"id": 7, "v": 100}, "t_v_check"), ({"id": 8}, 'column "v"'), ({"id": 0, "v": 1}, "Key (id)=(0)")):
            path = self.write("t.jsonl", [{"id": 10 * n, "v": n % 7} for n in range(3000)] + [bad, {"id": 9, "v": 2}])
            error = self.load(path, "--adopt", expect=EXIT_DATA).err
            self.assertIn(says, error)
            self.assertIn('row 3001 of table "t" in the load, in job file t.', error)
            self.assertIn(f': {{"id":"{bad["id"]}"', error)
            self.assertIn('row 3001 of table "t"', self.tipple("jobs", self.url(), "--failed").out)
        self.assertEqual(self.psql("SELECT id, v FROM t"), [["5", "1"]])

    def test_a_key_of_another_table_is_left_to_the_message(self):
        """Parts of a load cannot show which row lacks its counterpart, because that may be in the same load."""
        self.psql("CREATE TABLE customers (id bigint PRIMARY KEY); INSERT INTO customers VALUES (1); CREATE TABLE t (id bigint PRIMARY KEY, customer bigint REFERENCES customers, parent bigint REFERENCES t)")
        for bad, says in ({"id": 9, "customer": 7}, "Key (customer)=(7)"), ({"id": 9, "parent": 8}, "Key (parent)=(8)"):
            path = self.write("t.jsonl", [{"id": 1, "customer": 1}, *({"id": n, "customer": 1, "parent": n - 1} for n in range(2, 8)), bad])
            error = self.load(path, "--adopt", expect=EXIT_DATA).err
            self.assertIn(says, error)
            self.assertNotIn("in the load, in job file", error)

    def test_a_nested_row_that_a_constraint_refuses_is_shown(self):
        self.load(self.write("t.jsonl", [{"id": 1, "lines": [{"sku": "a"}]}]), "--key", "id")
        self.psql("ALTER TABLE t__lines ADD CHECK (sku <> 'bad')")
        # Straight into the table, and by way of a staging table, where columns are new; appended, merged and replaced.
        for flags in (("--disposition", "append"), ("--key", "id"), ("--disposition", "replace")):
            for more in ({}, {"note": "new"}):
                path = self.write("t.jsonl", [{"id": n, "lines": [{"sku": "bad" if (n, line) == (70, 2) else "good", **more} for line in range(3)]} for n in range(100)])
                error = self.load(path, *flags, expect=EXIT_DATA).err
                self.assertIn('row 213 of table "t__lines" in the load', error)
                self.assertIn('"sku":"bad"', error)

    def test_rows_that_a_merge_leaves_out_are_counted(self):
        self.load(self.write("t.jsonl", [{"id": 1, "v": 1}]), "--key", "id")
        self.psql("ALTER TABLE t ADD CHECK (v < 100)")
        self.write("t.jsonl", [{"id": 1, "v": 2}, {"id": 1, "v": 3}, {"id": 2, "v": 4}, {"id": 2, "v": 5}, {"id": 3, "v": 100}, {"id": 4, "v": 6}])
        self.assertIn('row 5 of table "t" in the load', self.load("t.jsonl", "--key", "id", expect=EXIT_DATA).err)

    def test_a_row_is_looked_for_where_those_it_replaces_are_gone(self):
        place = json.dumps(server.url(database=self.name))
        self.write("tipple.toml", f'version = 1\n[connection.place]\nuri = {place}\n[pipeline.p]\nsource = {{ type = "files", uri = "data" }}\ndestination = "place"\n'
                   'dataset = "public"\n[pipeline.p.resources.t]\nglob = "*.jsonl"\non_change = "reload"\n')
        self.write("data/t.jsonl", [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}])
        self.tipple("run", "p")
        self.psql("ALTER TABLE t__lines ADD UNIQUE (sku)")
        self.write("data/t.jsonl", [{"id": 1, "lines": [{"sku": sku, "note": "new"} for sku in ("a", "b", "c", "d", "e", "c", "f")]}])
        error = self.tipple("run", "p", expect=EXIT_DATA).err
        self.assertIn("Key (sku)=(c) already exists", error)
        self.assertIn('row 6 of table "t__lines"', error)
        self.assertEqual(self.value("SELECT count(*) FROM t__lines"), "2")
        late = self.path(self.write("data/late.jsonl", [{"id": 2}]))
        os.utime(late, (1_000, 1_000))
        self.assertIn("; a run reads 2 now: 1 new, 1 of them late (older than what was loaded); 1 changed\n", self.tipple("check", "p").out)

    def test_what_reads_goes_through_too(self):
        self.load(self.write("t.jsonl", [{"id": 1, "ok": True, "j": 1.5}, {"id": 2, "ok": None}]))
        rows = json.loads(self.tipple("query", self.url(), "SELECT id, ok, j FROM t ORDER BY id", "--json").out)
        self.assertEqual(rows, [{"id": 1, "ok": True, "j": 1.5}, {"id": 2, "ok": None, "j": None}])
        short = self.tipple("query", self.url(), "SELECT * FROM generate_series(1, 10000000) AS n", "--limit", "3")
        self.assertIn("only the first 3 rows", short.err)
        self.assertRegex(self.tipple("preview", self.url()).out, r"\bt +2\b")
        self.assertIn("bigint", self.tipple("schema", "show", self.url(), "t").out)
        self.assertIn("read-only", self.tipple("query", self.url(), "DELETE FROM t", expect=None).err)
        self.assertEqual(self.value("SELECT count(*) FROM t"), "2")


class Replace(PostgresCase):
    def oid(self):
        return self.value("SELECT 't'::regclass::oid")

    def test_a_table_nobody_depends_on_is_swapped(self):
        self.load(self.records_file("t.jsonl", 50))
        before = self.oid()
        self.load(self.records_file("t.jsonl", 30, more="new column"), "--disposition", "replace")
        self.assertNotEqual(self.oid(), before)
        self.assert_loaded(30, loads=2)
        self.assertEqual(self.value("SELECT count(*) FROM t WHERE more = 'new column'"), "30")
        self.load(self.write("t.jsonl", [{"id": 1}]), "--disposition", "replace")
        self.assertEqual(self.value("SELECT count(*) FROM t__items"), "0")

    def test_rows_that_others_refer_to(self):
        """It is said which, and does not stand in the way of later runs."""
        self.load(self.write("t.jsonl", [{"id": 1}, {"id": 2}]))
        self.psql("ALTER TABLE t ADD PRIMARY KEY (id); CREATE TABLE others (t bigint REFERENCES t); INSERT INTO others VALUES (1)")
        self.assertIn("Key (id)=(1) is still referenced", self.load(self.write("t.jsonl", [{"id": 1}, {"id": 3}]), "--disposition", "replace", expect=EXIT_DATA).err)
        self.assertEqual(self.pending(), [])
        self.psql("ALTER TABLE others ALTER CONSTRAINT others_t_fkey DEFERRABLE INITIALLY DEFERRED")
        self.load("t.jsonl", "--disposition", "replace")
        self.assertEqual(self.psql("SELECT id FROM t ORDER BY 1"), [["1"], ["3"]])

    def test_what_depends_on_a_table_survives(self):
        self.load(self.records_file("t.jsonl", 50))
        self.psql("DROP ROLE IF EXISTS reader")
        for what, check in [
            ("CREATE ROLE reader; GRANT SELECT ON t TO reader", "SELECT has_table_privilege('reader', 't', 'SELECT')"),
            ("CREATE VIEW totals AS SELECT count(*) AS n FROM t", "SELECT n = 30 FROM totals"),
            ("CREATE INDEX by_id ON t (id)", "SELECT count(*) = 1 FROM pg_indexes WHERE indexname = 'by_id'"),
            ("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (id > 0)", "SELECT relrowsecurity FROM pg_class WHERE oid = 't'::regclass"),
            ("CREATE PUBLICATION feed FOR TABLE t", "SELECT count(*) = 1 FROM pg_publication_tables WHERE pubname = 'feed'"),
            ("COMMENT ON TABLE t IS 'ours'", "SELECT obj_description('t'::regclass) = 'ours'"),
            ("ALTER TABLE t ADD PRIMARY KEY (id); CREATE TABLE others (t bigint REFERENCES t)", "SELECT count(*) = 1 FROM pg_constraint WHERE confrelid = 't'::regclass"),
            ("ALTER TABLE t ADD UNIQUE (_dlt_id); ALTER TABLE t__items ADD FOREIGN KEY (_dlt_parent_id) REFERENCES t (_dlt_id)",
             "SELECT count(*) = 1 FROM pg_constraint WHERE confrelid = 't'::regclass"),
            # Who follows such a publication would get the rows of a new table, and keep those of the old one.
            ("CREATE PUBLICATION everything FOR ALL TABLES", "SELECT count(*) = 1 FROM pg_publication_tables WHERE pubname = 'everything' AND tablename = 't'"),
        ]:
            with self.subTest(what):
                self.psql("DROP TABLE IF EXISTS t, t__items CASCADE; DELETE FROM _dlt_version; DELETE FROM _dlt_loads; DELETE FROM _dlt_pipeline_state")
                self.load(self.records_file("t.jsonl", 50))
                self.psql(what)
                before = self.oid()
                self.load(self.records_file("t.jsonl", 30, more=1), "--disposition", "replace")
                self.assertEqual(self.oid(), before)
                self.assertEqual(self.value(check), "t")
                self.assert_loaded(30, loads=2)
                self.load(self.records_file("t.jsonl", 20, more=1), "--disposition", "replace")
                self.assertEqual(self.oid(), before)
                self.assert_loaded(20, loads=3)
        self.psql("DROP OWNED BY reader; DROP ROLE reader")


class Merge(PostgresCase):
    def test_rows_that_were_appended_are_merged(self):
        self.load(self.records_file("t.jsonl", 40))
        records = [{"id": n, "text": "new", "items": [{"n": 1}], "extra": n} for n in [*range(30, 60), 59]]
        self.load(self.write("t.jsonl", records), "--key", "id")
        self.assert_loaded(60, loads=2)
        self.assertEqual(self.value("SELECT count(*) FROM t WHERE text = 'new' AND extra = id"), "30")
        for strategy in ("upsert", "insert-only", "scd2"):
            with self.subTest(strategy):
                self.load(self.write(f"{strategy}.jsonl", [{"id": 1, "v": 1}, {"id": 2, "v": 1}]), "--key", "id", "--strategy", strategy)
                self.load(self.write(f"{strategy}.jsonl", [{"id": 2, "v": 2}, {"id": 3, "v": 2}]), "--key", "id", "--strategy", strategy)
        self.assertEqual(self.psql('SELECT id, v FROM upsert ORDER BY id'), [["1", "1"], ["2", "2"], ["3", "2"]])
        self.assertEqual(self.psql('SELECT id, v FROM insert_only ORDER BY id'), [["1", "1"], ["2", "1"], ["3", "2"]])
        self.assertEqual(self.psql("SELECT id, v FROM scd2 WHERE _dlt_valid_to IS NULL ORDER BY id"), [["2", "2"], ["3", "2"]])

    def test_columns_become_wider(self):
        self.load(self.write("t.jsonl", [{"id": 1, "n": 1, "m": 2**53 + 1}]), "--key", "id", "--widen")
        self.load(self.write("t.jsonl", [{"id": 2, "n": 2.5, "m": 0.5}, {"id": 1, "n": 4, "m": 1}]), "--key", "id", "--widen")
        self.assertEqual(self.psql("SELECT id, n, m, m__v_double FROM t ORDER BY id"), [["1", "4", "1", None], ["2", "2.5", None, "0.5"]])
        self.load(self.write("d.csv", "d\n2024-01-05\n"), "--widen")
        self.psql("CREATE VIEW days AS SELECT d FROM d")
        timestamps = self.write("d.jsonl", [{"d": "2024-01-06T10:00:00+02:00"}])
        self.assertIn("view", self.load(timestamps, "--widen", expect=None).err)
        self.psql("DROP VIEW days")
        self.load(timestamps, "--widen")
        self.assertEqual(self.psql("SELECT extract(epoch FROM d)::bigint FROM d ORDER BY d"), [["1704412800"], ["1704528000"]])

    def test_rows_that_a_trigger_keeps_out_are_found_out(self):
        """The server counts what it took; a load of which rows are missing is none."""
        self.load(self.write("t.jsonl", [{"id": n, "lines": [{"n": n}]} for n in range(3)]))
        self.psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.n = 7 THEN RETURN NULL; END IF; RETURN NEW; END'; "
                  "CREATE TRIGGER refuse BEFORE INSERT ON t__lines FOR EACH ROW EXECUTE FUNCTION refuse()")
        for flags in ((), ("--disposition", "replace"), ("--key", "id"), ("--key", "id", "--strategy", "upsert")):
            for more in ({}, {"new": 1}):
                with self.subTest(flags=flags, more=more):
                    path = self.write("t.jsonl", [{"id": n, "lines": [{"n": n, **more}]} for n in range(5, 10)])
                    error = self.load(path, *flags, expect=EXIT_DATA).err
                    self.assertIn('table "t__lines": 4 rows were inserted, the package has 5', error)
                    self.assertEqual(self.psql("SELECT count(*), max(id) FROM t"), [["3", "2"]])
                    self.assertEqual(self.value("SELECT count(*) FROM _dlt_loads"), "1")

    def test_null_key_is_told(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--key", "id")
        self.assertIn('column "id"', self.load(self.write("t.jsonl", [{"id": None, "v": 1}]), "--key", "id", expect=EXIT_DATA).err)


class Undo(PostgresCase):
    def test_a_load_goes_with_what_is_nested_and_its_cursor(self):
        self.load(self.records_file("t.jsonl", 3), "--cursor", "id")
        self.load(self.records_file("t.jsonl", 5), "--cursor", "id")
        self.assert_loaded(5, loads=2)
        newest = self.value("SELECT max(load_id) FROM _dlt_loads")
        self.tipple("verify", self.url())
        self.assertIn("4 rows removed", self.tipple("undo", self.url(), newest, "--yes").out)
        self.assertEqual(self.value("SELECT count(*) FROM _dlt_loads WHERE load_id = '" + newest + "'"), "0")
        self.assertEqual(self.psql("SELECT id FROM t ORDER BY id"), [["0"], ["1"], ["2"]])
        self.tipple("verify", self.url())
        self.load(self.records_file("t.jsonl", 5), "--cursor", "id")
        self.assert_loaded(5, loads=3)

    def test_verify_finds_orphans(self):
        self.load(self.records_file("t.jsonl", 3))
        self.psql("DELETE FROM t WHERE id = 1")
        self.assertIn("orphans", self.tipple("verify", self.url(), expect=EXIT_DATA).out)


class Readers(PostgresCase):
    """A load stalls in the middle of its rows; meanwhile a reader with little patience must get all it wants."""

    def assert_readers_do_not_wait(self, path, *flags, expected):
        with Proxy(server.port) as proxy:
            proxy.hold_after = 200_000
            with self.start("load", path, self.url(port=proxy.port), *flags) as run:
                self.assertTrue(proxy.is_held.wait(120), "the load never sent its rows")
                patience = f"SET statement_timeout = {READER_PATIENCE};"
                self.assertEqual(self.psql(patience + "SELECT count(*) FROM t JOIN t__items AS i ON i._dlt_parent_id = t._dlt_id"), [["100"]])
                self.assertEqual(self.psql(patience + "SELECT count(*) FROM _dlt_loads"), [["1"]])
                proxy.let_go()
                result = run.finish()
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(self.value("SELECT count(*) FROM t"), str(expected))

    def test_every_mode(self):
        for flags, expected in [((), 4100), (("--disposition", "replace"), 4000), (("--key", "id"), 4000)]:
            for more in ({}, {"new": 1}):
                with self.subTest(flags=flags, more=more):
                    self.psql("DROP TABLE IF EXISTS t, t__items, _dlt_version, _dlt_loads, _dlt_pipeline_state")
                    self.load(self.records_file("t.jsonl", 100))
                    self.assert_readers_do_not_wait(self.records_file("t.jsonl", 4000, **more), *flags, expected=expected)

    def test_to_the_very_end(self):
        """Readers come one after the other as long as the load lasts, which in the end locks what it changes. None waits longer for it."""
        for flags in ((), ("--disposition", "replace"), ("--key", "id"), ("--key", "id", "--strategy", "upsert"), ("--strategy", "scd2")):
            for more in ({}, {"new": 1}):
                with self.subTest(flags=flags, more=more):
                    self.psql("DROP TABLE IF EXISTS t, t__items, _dlt_version, _dlt_loads, _dlt_pipeline_state")
                    self.load(self.records_file("t.jsonl", 1000), *flags)
                    seen = []
                    select = "SELECT (SELECT count(*) FROM t) || '+' || (SELECT count(*) FROM t__items) || ' ';"
                    with self.start("load", self.records_file("t.jsonl", 3000, **more), self.url(), *flags) as run:
                        while run.process.poll() is None:
                            seen += self.value(f"SET lock_timeout = {READER_PATIENCE};" + select * 20).split()
                        result = run.finish()
                    self.assertEqual(result.code, 0, result.err)
                    self.assertIn("1000+1000", seen)
                    self.assertLessEqual(set(seen), {"1000+1000", self.value(select).strip()}, "half a load was seen")

    def test_a_merge_that_adds_columns_is_done_but_for_its_inserts_before_it_locks(self):
        for strategy in ("delete-insert", "upsert"):
            with self.subTest(strategy):
                self.psql("DROP TABLE IF EXISTS t, t__items, _dlt_version, _dlt_loads, _dlt_pipeline_state")
                flags = ["--key", "id", "--strategy", strategy]
                self.load(self.records_file("t.jsonl", 100), *flags)
                reader = threading.Thread(target=lambda: self.psql("BEGIN; SELECT count(*) FROM t; SELECT pg_sleep(4); COMMIT"))
                reader.start()
                while self.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()") == "0":
                    time.sleep(0.05)
                path = self.write("t.jsonl", [{"id": n, "text": "new", "items": [{"n": 1, "more": 2}], "extra": n} for n in [*range(50, 150), 149]])
                with self.start("load", path, self.url(), "--lock-timeout", "60", *flags) as run:
                    while self.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SAVEPOINT exclusive%'") == "0":
                        self.assertIsNone(run.process.poll())
                        time.sleep(0.02)
                    self.assertEqual(self.value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'RowExclusiveLock' AND granted"), "1")
                    result = run.finish()
                reader.join()
                self.assertEqual(result.code, 0, result.err)
                self.assert_loaded(150, loads=2)
                self.assertEqual(self.psql("SELECT count(*), count(extra) FROM t JOIN t__items AS i ON i._dlt_parent_id = t._dlt_id WHERE text = 'new' AND more = 2"), [["100", "100"]])

    def test_a_merge_by_a_column_that_it_adds(self):
        """And into a table whose checks wait for the commit: what looks at new columns, or keeps the table from being altered, comes behind them."""
        self.load(self.records_file("t.jsonl", 10))
        self.load(self.write("t.jsonl", [{"id": n, "code": n, "items": [{"n": 1}]} for n in range(5, 15)]), "--key", "code", "--strategy", "upsert")
        self.assertEqual(self.psql("SELECT count(*), count(code) FROM t"), [["20", "10"]])
        self.psql("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
                  "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look()")
        self.load(self.write("t.jsonl", [{"id": n, "code": n, "another": 1, "items": [{"n": 1}]} for n in range(5, 15)]), "--key", "code", "--strategy", "upsert")
        self.assertEqual(self.psql("SELECT count(*), count(code), count(another) FROM t"), [["20", "10", "10"]])

    def test_replace_with_a_view_on_the_table(self):
        self.load(self.records_file("t.jsonl", 100))
        self.psql("CREATE VIEW v AS SELECT * FROM t")
        self.assert_readers_do_not_wait(self.records_file("t.jsonl", 4000), "--disposition", "replace", expected=4000)

    def test_a_reader_that_does_not_end(self):
        """It is not waited for longer than asked, and nobody queues behind the load meanwhile."""
        self.load(self.records_file("t.jsonl", 100))
        reader = threading.Thread(target=lambda: self.psql("BEGIN; SELECT count(*) FROM t; SELECT pg_sleep(6); COMMIT"))
        reader.start()
        while self.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(6)%' AND pid <> pg_backend_pid()") == "0":
            time.sleep(0.05)
        result = self.load(self.records_file("t.jsonl", 30), "--disposition", "replace", "--lock-timeout", "1", expect=EXIT_LOCKED)
        self.assertIn("--lock-timeout", result.err)
        self.assertEqual(self.value("SELECT count(*) FROM t"), "100")
        reader.join()
        self.load("t.jsonl", "--disposition", "replace")


class Broken(PostgresCase):
    def test_lost_acknowledgement(self):
        """The server has committed, the client does not know: it asks, and adds nothing."""
        for flags in ((), ("--disposition", "replace"), ("--key", "id")):
            with self.subTest(flags):
                self.psql("DROP TABLE IF EXISTS t, t__items, _dlt_version, _dlt_loads, _dlt_pipeline_state")
                with Proxy(server.port) as proxy:
                    # The first COMMIT ends the reading of the state.
                    path = self.records_file("t.jsonl", 100)
                    self.load_into(self.url(port=proxy.port), path, *flags)
                    loads = int(self.value("SELECT count(*) FROM _dlt_loads"))
                    self.break_at_commit_of_load(proxy, path, *flags)
                self.assertEqual(int(self.value("SELECT count(*) FROM _dlt_loads")), loads + 1)
                rows = 200 if not flags else 100
                self.assertEqual(self.psql("SELECT count(*), count(DISTINCT _dlt_id) FROM t"), [[str(rows)] * 2])
                self.assertEqual(self.value("SELECT count(*) FROM t__items"), str(rows))

    def break_at_commit_of_load(self, proxy, path, *flags):
        proxy.hold_after = 10_000  # the connection that sends rows
        with self.start("load", path, self.url(port=proxy.port), *flags) as run:
            self.assertTrue(proxy.is_held.wait(120))
            proxy.lose_answer_to = COMMIT
            proxy.let_go()
            result = run.finish()
        self.assertTrue(proxy.has_lost_answer.is_set(), "the answer was not lost")
        self.assertEqual(result.code, 0, result.err)

    def test_a_commit_that_is_still_going_on_when_its_client_is_gone(self):
        self.assert_a_commit_in_doubt_is_waited_for(self.url())

    def test_two_pipelines_load_at_the_same_time(self):
        self.write("tipple.toml", "".join(f'[pipeline.{name}]\nsource = "{name}.jsonl"\ndestination = "{self.url()}"\n' for name in "ab"))
        for name in "ab":
            self.write(f"{name}.jsonl", [{"id": 1}])
        self.tipple("run", "a", "b")
        # The first one's rows wait for the other one's commit: one after the other they would wait for good.
        self.psql("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN WHILE (SELECT count(*) FROM b.b) < 2 LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN NULL; END'")
        self.psql("CREATE TRIGGER t AFTER INSERT ON a.a FOR EACH STATEMENT EXECUTE FUNCTION wait()")
        events = self.tipple("run", "a", "b", "--parallel", "2", "--json").events()
        self.assertEqual([event["pipeline"] for event in events if event["event"] == "package.loaded"], ["b", "a"])
        self.assertEqual([event["exit_code"] for event in events if event["event"] == "run.finished"], [0, 0])
        self.assertEqual(self.psql("SELECT (SELECT count(*) FROM a.a), (SELECT count(*) FROM b.b)"), [["2", "2"]])

    def test_server_killed_in_the_middle(self):
        with Server() as own:
            path = self.records_file("t.jsonl", 4000)
            with Proxy(own.port) as proxy:
                self.load_into(own.url(port=proxy.port), self.records_file("first.jsonl", 10), "--as", "t")
                proxy.hold_after = 200_000
                with self.start("load", path, own.url(port=proxy.port), "--as", "t") as run:
                    self.assertTrue(proxy.is_held.wait(120))
                    own.kill()
                    proxy.let_go()
                    run.wait_for("; again in")
                    own.start()
                    result = run.finish()
                # It waits for the server, and loads what it has read.
                self.assertEqual(result.code, 0, result.err)
            self.assertEqual(own.psql("SELECT count(*), count(DISTINCT _dlt_id) FROM t"), [["4010", "4010"]])
            self.assertEqual(own.value("SELECT count(*) FROM _dlt_loads"), "2")

    def test_a_server_that_stays_away(self):
        with Server() as own:
            self.load_into(own.url(), self.records_file("t.jsonl", 10))
            with Proxy(own.port) as proxy:
                proxy.hold_after = 100_000
                flags = ["--as", "t", "--retry-budget", "0.5"]
                with self.start("load", self.records_file("more.jsonl", 1000), own.url(port=proxy.port), *flags) as run:
                    self.assertTrue(proxy.is_held.wait(120))
                    own.kill()
                    proxy.let_go()
                    result = run.finish()
                self.assertEqual(result.code, EXIT_TRANSIENT, result.err)
                self.assertIn("times in 0.5 seconds", result.err)
                [waiting] = self.pending()
                self.assertIn(waiting, result.err)
                own.start()
                self.load_into(own.url(port=proxy.port), "more.jsonl", *flags)
            self.assertEqual(own.psql("SELECT count(*), count(DISTINCT _dlt_id) FROM t"), [["1010", "1010"]])

    def test_killed_in_the_middle(self):
        with Proxy(server.port) as proxy:
            self.load_into(self.url(port=proxy.port), self.records_file("t.jsonl", 10))
            proxy.hold_after = 200_000
            path = self.records_file("t.jsonl", 4000)
            with self.start("load", path, self.url(port=proxy.port), "--disposition", "replace") as run:
                self.assertTrue(proxy.is_held.wait(120))
                run.kill()
                proxy.let_go()
            self.assertEqual(self.value("SELECT count(*) FROM t"), "10")
            self.load_into(self.url(port=proxy.port), path, "--disposition", "replace")
        # The run that was killed left a package: it comes first.
        self.assertEqual(self.value("SELECT count(*) FROM t"), "4000")
        self.assertEqual(self.value("SELECT count(*) FROM pg_class WHERE relname LIKE '\\_tipple%'"), "0")

    def test_stop_cancels_what_the_server_does(self):
        self.load(self.records_file("t.jsonl", 10))
        def hold():
            with contextlib.suppress(RuntimeError):  # ended below
                self.psql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20); COMMIT")

        holder = threading.Thread(target=hold)
        holder.start()
        while self.value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted") == "0":
            time.sleep(0.05)
        with self.start("load", "t.jsonl", self.url(), "--lock-timeout", "300") as run:
            while self.value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND NOT granted") == "0":
                time.sleep(0.05)
            run.send(signal.SIGINT)
            result = run.finish()
        self.assertEqual(result.code, EXIT_INTERRUPTED)
        self.assertEqual(self.value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"), "0")
        self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()")
        holder.join()
        self.assertEqual(self.value("SELECT count(*) FROM t"), "10")


class FreshMachine(PostgresCase):
    def test_the_destination_knows(self):
        """Without the working folder: the schema is not made anew, and what was loaded is merged with."""
        self.load(self.records_file("t.jsonl", 50), "--key", "id")
        versions = self.value("SELECT count(*) FROM _dlt_version")
        for path in sorted(self.data_folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        self.load("t.jsonl", "--key", "id")
        self.assert_loaded(50, loads=2)
        self.assertEqual(self.value("SELECT count(*) FROM _dlt_version"), versions)


class Connections(PostgresCase):
    def assert_refused(self, url, *says, expect=EXIT_USAGE, **options):
        result = self.load_into(url, self.write("t.jsonl", [{"a": 1}]), expect=expect, **options)
        for text in says:
            self.assertIn(text, result.err)
        for secret in (PASSWORD, PASSWORD_IN_URL, "s3cret"):
            self.assertNotIn(secret, result.err + result.out)

    def test_what_is_wrong_and_what_to_do(self):
        self.assert_refused(server.url(self.name, password="s3cret"), "password is wrong")
        self.assert_refused(f"postgresql://tipple@127.0.0.1:{server.port}/{self.name}", "a password is needed")
        self.assert_refused(server.url("nowhere"), "no such database")
        self.assert_refused(f"postgresql://tipple:s3cret@127.0.0.1:{free_port()}/x", "nothing listens", expect=EXIT_TRANSIENT)
        self.assert_refused("postgresql://tipple:s3cret@no-such-host.invalid/x", "no such host")
        self.assert_refused(self.url() + "?sslmode=require", "no TLS")
        self.assert_refused(self.url() + "?sslmod=require", "sslmod")
        self.assert_refused("postgresql://postgres:s3cret@aws-0-eu-central-1.pooler.supabase.com:6543/postgres", "postgres.<project reference>")
        self.assert_refused("postgresql://tipple:s3cret@127.0.0.1:12x45/x", "cannot be understood")

    def test_what_hosters_and_their_poolers_say(self):
        """Each at the start of a connection, as a server sends it, so that libpq words it."""
        for code, message, says, exit_code in [
            ("XX000", "(ENOTFOUND) tenant/user postgres.abc not found", "postgres.<project reference>", EXIT_USAGE),
            ("XX000", "Tenant or user not found", "must not be paused", EXIT_USAGE),
            ("XX000", "The endpoint has been disabled. Enable it using Neon API and retry.", "the project is paused", EXIT_REMOTE),
            ("XX000", "Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.", "computing time", EXIT_REMOTE),
            ("XX000", "Max client connections reached", "all connections of the pooler", EXIT_TRANSIENT),
            ("XX000", "MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size", "port 6543", EXIT_TRANSIENT),
            ("53300", "sorry, too many clients already", "all connections are taken", EXIT_TRANSIENT),
            ("53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute", "all connections are taken", EXIT_TRANSIENT),
            ("08P01", "no more connections allowed (max_client_conn)", "max_client_conn", EXIT_TRANSIENT),
            ("57P03", "the database system is starting up", "starting or stopping", EXIT_TRANSIENT),
        ]:
            with self.subTest(message), Refusing(code, message) as refusing:
                self.assert_refused(f"postgresql://postgres.abc:s3cret@127.0.0.1:{refusing.port}/postgres", says, message.split(".")[0], expect=exit_code)

    def test_places_where_nothing_is(self):
        self.assert_refused("postgresql://tipple:s3cret@/x?host=/nowhere", "at that socket", expect=EXIT_TRANSIENT)
        self.assert_refused("postgresql://?service=nowhere", "no such service")
        self.assert_refused(self.url() + "?sslmode=what", "this parameter of the URL")
        self.assert_refused(f"postgresql://tipple:s3cret@127.0.0.1:{server.port},127.0.0.1:1,127.0.0.1:2/x?port=1,2", "one for each")

    def test_tls(self):
        with Server() as own:
            authority = Certificates(own.folder)
            certificate, key = authority.issue("postgres")
            for path in (certificate, key):
                shutil.chown(path, own.identity.get("user"), own.identity.get("group"))
                os.chmod(path, 0o600)
            rules = own.folder / "data/pg_hba.conf"
            rules.write_text(re.sub(r"^host\b", "hostssl", rules.read_text(), flags=re.MULTILINE))
            own.end()
            own.settings = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key}
            own.start()
            # By default it is taken where the server has it.
            for options in ("", "?sslmode=require", f"?sslmode=verify-full&sslrootcert={authority.ca}"):
                self.load_into(own.url() + options, self.write("t.jsonl", [{"a": 1}]))
            self.assertEqual(own.value("SELECT count(*) FROM t"), "3")
            self.assert_refused(own.url() + "?sslmode=disable", "the server wants TLS", "sslmode=require")
            self.assert_refused(own.url() + "?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert=FILE")
            os.mkdir(self.path("other"))
            self.assert_refused(own.url() + f"?sslmode=verify-full&sslrootcert={Certificates(self.path('other')).ca}", "not signed by a known authority")

    def test_a_wrong_password_takes_nothing_from_what_waits(self):
        path = self.records_file("t.jsonl", 10)
        self.load(path)
        self.psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not now''; END'; "
                  "CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION refuse()")
        self.assertIn("not now", self.load(path, expect=EXIT_REMOTE).err)
        [waiting] = self.pending()
        self.assert_refused(server.url(self.name, password="s3cret"), "password is wrong", waiting)
        self.assertEqual(self.pending(), [waiting])
        self.psql("DROP TRIGGER refuse ON t")
        self.write("t.jsonl", [])
        self.load(path)
        self.assertEqual(self.psql("SELECT count(*), (SELECT count(*) FROM t__items), (SELECT count(*) FROM _dlt_loads) FROM t"), [["20", "20", "2"]])

    def test_a_standby(self):
        with Server() as own:
            path = self.write("t.jsonl", [{"a": 1}])
            self.load_into(own.url(), path)
            own.end()
            signal_file = own.folder / "data/standby.signal"
            signal_file.touch()
            own.start()
            self.assert_refused(own.url(), "its primary", expect=EXIT_REMOTE)
            self.assert_refused(own.url() + "?target_session_attrs=read-write", "target_session_attrs asks for")
            self.assertIn("1", self.tipple("query", own.url(), "SELECT count(*) FROM t").out)
            # It has become the primary: what waits is loaded.
            own.psql("SELECT pg_promote()")
            self.assertIn("1 package of an earlier run was loaded first", self.load_into(own.url(), path).err)
            self.assertEqual(own.value("SELECT count(*) FROM t"), "3")

    def test_permissions(self):
        self.psql("DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN PASSWORD 's3cret'")
        weak = f"postgresql://weak:s3cret@127.0.0.1:{server.port}/{self.name}"
        self.assert_refused(weak, "permission denied", "grant it")
        self.psql("GRANT CREATE ON SCHEMA public TO weak")
        self.load_into(weak, "t.jsonl")
        self.psql("DROP OWNED BY weak; DROP ROLE weak")

    def test_other_ways_to_say_where(self):
        path = self.write("t.jsonl", [{"a": 1}])
        # The password as it is, in all its glory but for what ends a URL.
        self.psql("DROP ROLE IF EXISTS odd; CREATE ROLE odd SUPERUSER LOGIN PASSWORD 'p@s/s:w#d%x'")
        self.load_into(f"postgresql://odd:p@s/s:w#d%x@127.0.0.1:{server.port}/{self.name}", path)
        pgpass = pathlib.Path(self.folder / "pgpass")
        pgpass.write_text(f"127.0.0.1:{server.port}:*:odd:p@s/s\\:w#d%x\n")
        pgpass.chmod(0o600)
        self.load_into(f"postgres://odd@127.0.0.1:{server.port}/{self.name}", path, env={"PGPASSFILE": str(pgpass)})
        services = pathlib.Path(self.folder / "services")
        services.write_text(f"[shop]\nhost=127.0.0.1\nport={server.port}\ndbname={self.name}\nuser=odd\npassword=p@s/s:w#d%x\n")
        self.load_into("postgresql://?service=shop", path, env={"PGSERVICEFILE": str(services)})
        # A Unix socket; several hosts, of which the first does not answer.
        self.load_into(f"postgresql://tipple@/{self.name}?host={server.folder}&port={server.port}", path)
        self.load_into(f"postgresql://odd:p%40s%2Fs%3Aw%23d%25x@127.0.0.1:{free_port()},127.0.0.1:{server.port}/{self.name}", path)
        self.assertEqual(self.value("SELECT count(*) FROM t"), "5")
        self.psql("REASSIGN OWNED BY odd TO tipple; DROP ROLE odd")

    def test_too_many_connections(self):
        self.psql("DROP ROLE IF EXISTS lone; CREATE ROLE lone LOGIN PASSWORD 's3cret' CONNECTION LIMIT 0")
        self.assert_refused(f"postgresql://lone:s3cret@127.0.0.1:{server.port}/{self.name}", "all connections are taken", expect=EXIT_TRANSIENT)
        self.psql("DROP ROLE lone")

    def test_no_password_is_ever_shown(self):
        path = self.write("t.jsonl", [{"a": 1}])
        for flags in ((), ("--json",), ("-vv",)):
            result = self.load_into(self.url(), path, *flags)
            self.assertFalse(re.search(re.escape(PASSWORD_IN_URL) + "|" + re.escape(PASSWORD), result.out + result.err), result.out + result.err)
        for kept in self.data_folder.rglob("*"):
            if kept.is_file():
                self.assertNotIn(PASSWORD_IN_URL.encode(), kept.read_bytes(), kept)


if __name__ == "__main__":
    main()
