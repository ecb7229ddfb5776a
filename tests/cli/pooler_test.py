"""Loads through PgBouncer in transaction mode: what a pooler does to sessions must not matter, and nothing of ours may stay on its connections.

What is sent is read from the server's log. Which test shows what: tests/README.md.
"""

import contextlib
import itertools
import json
import pathlib
import re
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from postgres_case import PostgresCase  # noqa: E402
from postgres_server import Pooler, start_for_module  # noqa: E402
from proxy import COMMIT, Proxy  # noqa: E402
from tipple_cli import EXIT_DATA, EXIT_LOCKED, EXIT_TRANSIENT, EXIT_USAGE, Run, main  # noqa: E402

# Lines of the log begin with who sent what: process of the server, name of the client.
LINE = re.compile(r"^@(\d+)\|(.*?)\|LOG:  (?:statement|execute ([^:]*)): ", re.MULTILINE)
# What PgBouncer says by itself when another client gets a connection.
TRACKED = re.compile(r"SET (application_name|client_encoding|DateStyle|TimeZone|standard_conforming_strings|IntervalStyle)=", re.IGNORECASE)

MODES = {
    "append": [],
    "replace": ["--disposition", "replace"],
    "delete-insert": ["--key", "id"],
    "upsert": ["--key", "id", "--strategy", "upsert"],
    "insert-only": ["--key", "id", "--strategy", "insert-only"],
    "cdc": ["--key", "id", "--strategy", "cdc"],
    "scd2": ["--strategy", "scd2"],
    "delete-missing": ["--key", "id", "--delete-missing", "soft", "--max-delete", "90%"],
}

server = None


def setUpModule():
    global server
    if not Pooler.is_available():
        raise unittest.SkipTest("the Debian package pgbouncer is not installed")
    server = PostgresCase.server = start_for_module(log_statement="all", log_line_prefix="@%p|%a|")


class Statement:
    def __init__(self, process, client, name, text):
        self.process, self.client, self.name = int(process), client, name
        self.text = re.sub(r"\n\t", "\n", text).strip()


class Log:
    """What reaches the server from clients of a name that begins with `client`, from now on."""

    def __init__(self, client="tipple"):
        self.client = client
        self.path = server.folder / "log"
        self.start = self.path.stat().st_size

    def statements(self):
        with open(self.path, encoding="utf-8") as file:
            file.seek(self.start)
            text = file.read()
        found = []
        for match in LINE.finditer(text):
            end = text.find("\n@", match.end())
            found.append(Statement(*match.groups(), text[match.end() : end if end >= 0 else len(text)]))
        return [each for each in found if each.client.startswith(self.client) and not TRACKED.match(each.text)]

    def transactions(self):
        """Lists of statements from BEGIN to COMMIT or ROLLBACK, or to where the client was gone, in the order in which they began."""
        found, running = [], {}
        for statement in self.statements():
            if statement.text.startswith("BEGIN"):
                found.append(running.setdefault(statement.process, []))
            assert statement.process in running, f"outside of a transaction: {statement.text}"
            running[statement.process].append(statement)
            if statement.text in ("COMMIT", "ROLLBACK"):
                del running[statement.process]
        return found


class PoolerCase(PostgresCase):
    @contextlib.contextmanager
    def pooler(self, **settings):
        with Pooler(server, **settings) as pooler:
            self.pooled_url = self.url(port=pooler.port)
            self.pooled_psql = lambda sql: pooler.psql(sql, self.name)
            yield pooler

    @contextlib.contextmanager
    def pool_of_two(self):
        """Both connections are there from the start: of two transactions, one after the other, the second gets the other one."""
        with self.pooler(pool_size=2):
            holder = threading.Thread(target=lambda: self.pooled_psql("SELECT pg_sleep(1)"))
            holder.start()
            while self.value("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1)' AND state = 'active'") == "0":
                time.sleep(0.02)
            self.pooled_psql("SELECT 1")
            holder.join()
            yield

    def on_both(self, sql):
        """Runs statements on each of the two connections, as some other client; what the last one says there."""
        together = " \\; ".join([*sql.split(";"), "SELECT pg_backend_pid()"])
        first, second = self.pooled_psql(together), self.pooled_psql(together)
        self.assertNotEqual(first, second, "it was the same connection")

    def asked_on_both(self, select):
        """What a SELECT says on each of the two connections."""
        [first], [second] = (self.pooled_psql(f"SELECT pg_backend_pid(), ({select})") for _ in range(2))
        self.assertNotEqual(first[0], second[0], "it was the same connection")
        return [first[1], second[1]]

    def pooled_load(self, path, *flags, **options):
        return self.load_into(self.pooled_url, path, *flags, **options)

    def assert_rules(self, log):
        """Nothing that was sent belongs to a session, and rows go by binary COPY only."""
        log.transactions()
        statements = log.statements()
        self.assertGreater(len(statements), 0)
        for statement in statements:
            self.assertIn(statement.name, (None, "<unnamed>"))
            for part in statement.text.split("; "):
                self.assertNotRegex(part, r"^(PREPARE|EXECUTE|DEALLOCATE|LISTEN|DECLARE|DISCARD|RESET|SET SESSION|SET (?!LOCAL |TRANSACTION SNAPSHOT ))")
                self.assertNotRegex(part, r"pg_(try_)?advisory_(lock|unlock)|set_config")
                if part.startswith("CREATE TEMP"):
                    self.assertRegex(part, r"^CREATE TEMP TABLE pg_temp\.\S+ .*ON COMMIT DROP")
                if part.startswith("COPY"):
                    self.assertIn("(FORMAT binary", part)
                if re.match(r"INSERT INTO \S+ \(.*\) VALUES", part):
                    self.assertRegex(part, r"^INSERT INTO \"\w+\"\.\"_dlt_(loads|version|pipeline_state)\"")

    def assert_clean(self):
        """Nothing of a session is left on the two connections."""
        names = ("search_path", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "client_min_messages", "bytea_output", "extra_float_digits",
                 "synchronize_seqscans", "default_transaction_read_only")
        settings = " || '|' || ".join(f"current_setting('{name}')" for name in names)
        own = self.value(f"SELECT {settings}")
        self.assertEqual(self.asked_on_both(settings), [own, own])
        self.assertEqual(self.asked_on_both("SELECT count(*) FROM pg_prepared_statements"), ["0", "0"])
        self.assertEqual(self.asked_on_both("SELECT count(*) FROM pg_cursors"), ["0", "0"])
        self.assertEqual(self.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0")
        self.assertEqual(self.value("SELECT count(*) FROM pg_class WHERE relpersistence = 't'"), "0")

    def assert_switches(self, log):
        """Of any two transactions, one after the other, the second was run by another process of the server."""
        processes = [transaction[0].process for transaction in log.transactions()]
        self.assertGreater(len(processes), 1)
        for before, after in itertools.pairwise(processes):
            self.assertNotEqual(before, after, processes)
        return processes


class OneClient(PoolerCase):
    """Everything tipple does to Postgres, through a pool of two, with a switch between every two transactions."""

    def setUp(self):
        super().setUp()
        self.log = Log()

    def tearDown(self):
        self.assert_rules(self.log)
        super().tearDown()

    def test_every_write_mode(self):
        with self.pool_of_two():
            for mode, flags in MODES.items():
                with self.subTest(mode):
                    log = Log()
                    table = mode.replace("-", "_")
                    first = [{"id": n, "v": "old", "items": [{"n": n}]} for n in range(30)]
                    second = [{"id": n, "v": "new", "extra": n, "items": [{"n": n}, {"n": n, "more": True}]} for n in range(10, 40)]
                    for records in (first, second):
                        self.pooled_load(self.write(f"{mode}.jsonl", records), "--as", table, *flags)
                    # A pipeline of its own loads the same without a pooler.
                    for records in (first, second):
                        self.load_into(self.url(), self.write(f"{mode}.jsonl", records), "--as", table, "--dataset", "direct", *flags)
                    select = ("SELECT count(*), count(DISTINCT t.id), min(t.v), max(t.v), sum(t.extra), count(i.n), count(i.more) FROM {0}.{1} AS t LEFT JOIN {0}.{1}__items AS i "
                              "ON i._dlt_parent_id = t._dlt_id")
                    self.assertEqual(self.psql(select.format("public", table)), self.psql(select.format("direct", table)))
                    self.assertGreater(int(self.value(f"SELECT count(*) FROM {table}")), 29)
                    self.assert_switches(log)

    def test_commands(self):
        with self.pool_of_two():
            log = Log()
            records = [{"id": n, "items": [{"n": n}]} for n in range(20)]
            self.pooled_load(self.write("t.jsonl", records[:10]), "--cursor", "id")
            self.pooled_load(self.write("t.jsonl", records), "--cursor", "id")
            self.assert_loaded(20, loads=2)
            url = self.pooled_url
            self.assertEqual(json.loads(self.tipple("query", url, "SELECT count(*) AS n FROM t__items", "--json").out), [{"n": 20}])
            self.assertIn("only the first 3 rows", self.tipple("query", url, "SELECT * FROM generate_series(1, 1000000) AS n", "--limit", "3").err)
            self.assertRegex(self.tipple("preview", url).out, r"\bt +20\b")
            self.assertIn("bigint", self.tipple("schema", "show", url, "t").out)
            self.tipple("verify", url)
            newest = self.value("SELECT max(load_id) FROM _dlt_loads")
            self.assertIn("20 rows removed", self.tipple("undo", url, newest, "--yes").out)
            for folder in self.data_folder.glob("pipelines/*"):
                shutil.rmtree(folder)
            # On a machine that knows nothing. Undoing was a load too.
            self.tipple("sync", url, "--yes")
            self.pooled_load("t.jsonl", "--cursor", "id")
            self.assert_loaded(20, loads=3)
            self.tipple("drop", url, "t", "--yes")
            self.assertIsNone(self.value("SELECT to_regclass('t')"))
            self.assert_switches(log)

    def test_as_a_source(self):
        self.psql("CREATE TABLE source (id bigint PRIMARY KEY, at timestamptz, b bytea, d double precision); "
                  "INSERT INTO source SELECT n, '2026-03-01 10:00+00', '\\x00ff', n / 3.0 FROM generate_series(1, 500) AS n")
        with self.pool_of_two():
            log = Log()
            for _ in range(2):
                self.tipple("load", self.pooled_url, self.pooled_url, "-r", "public.source", "--dataset", "copy", "--disposition", "replace")
            self.assertEqual(self.psql("SELECT * FROM source EXCEPT SELECT id, at, b, d FROM copy.source"), [])
            self.assertEqual(self.value("SELECT count(*) FROM copy.source"), "500")
            self.assertGreater(len({transaction[0].process for transaction in log.transactions()}), 1)

    def test_a_copy_that_fails(self):
        with self.pool_of_two():
            self.pooled_load(self.records_file("t.jsonl", 100))
            self.psql("ALTER TABLE t ADD CHECK (id < 1000)")
            bad = self.write("t.jsonl", [{"id": n, "items": [{"n": n}]} for n in range(990, 1010)])
            self.assertIn("row 11", self.pooled_load(bad, expect=EXIT_DATA).err)
            self.assert_loaded(100)
            self.pooled_load(self.records_file("t.jsonl", 50))
            self.assertEqual(self.value("SELECT count(*) FROM t"), "150")
            self.assert_clean()


class EightRuns(PoolerCase):
    def run_all(self, pooled_url):
        """Four pipelines of their own, and four machines with one pipeline between them. Their names at the server are run_0 to run_7."""
        runs = []
        for number in range(8):
            path = self.records_file(f"file_{number}.jsonl", 500)
            flags = ["--dataset", f"own_{number}"] if number < 4 else ["--dataset", "shared", "--key", "id"]
            runs.append(Run(["--data-dir", str(self.folder / f"data_{number}"), "load", path, f"{pooled_url}?application_name=run_{number}", "--as", "t", "--lock-timeout", "120", *flags],
                            self.folder))
        results = [run.finish() for run in runs]
        self.assertTrue(all(result.code == 0 for result in results[:4]), [result.err for result in results])
        # Of the others, those that another one overtook say so and change nothing.
        self.assertTrue(all(result.code in (0, EXIT_LOCKED) for result in results[4:]), [result.err for result in results])
        self.assertIn(0, [result.code for result in results[4:]])
        for dataset in ("own_0", "own_1", "own_2", "own_3", "shared"):
            self.assertEqual(self.psql(f"SELECT count(*), count(DISTINCT id), count(DISTINCT _dlt_id) FROM {dataset}.t"), [["500"] * 3])
            self.assertEqual(self.psql(f"SELECT count(*), count(DISTINCT _dlt_parent_id) FROM {dataset}.t__items"), [["500"] * 2])

    def test_over_two_connections(self):
        with self.pool_of_two():
            log = Log("run_")
            self.run_all(self.pooled_url)
            self.assert_rules(log)
            self.assertLessEqual(len({statement.process for statement in log.statements()}), 8, "a connection of the pool is not used again")
            self.assert_clean()

    def test_every_transaction_on_a_connection_of_its_own(self):
        # A connection is used once.
        with self.pooler(pool_size=2, server_lifetime=0):
            log = Log("run_")
            self.run_all(self.pooled_url)
            self.assert_rules(log)
            processes = [transaction[0].process for transaction in log.transactions()]
            self.assertEqual(len(processes), len(set(processes)))


class Neighbours(PoolerCase):
    """Other clients of the pool that leave things of theirs on its connections."""

    def assert_all_is_right(self):
        records = [{"id": n, "v": "a\\b'c", "d": 0.1 + 0.2, "items": [{"n": n}]} for n in range(20)]
        for flags in ((), ("--key", "id"), ("--key", "id", "--strategy", "upsert"), ("--disposition", "replace")):
            with self.subTest(flags):
                self.pooled_load(self.write("t.jsonl", [{**record, f"new_{len(flags)}": 1} for record in records]), *flags)
                self.assertEqual(self.psql("SELECT count(*), count(DISTINCT id), min(v), min(d) FROM public.t"), [["20", "20", "a\\b'c", "0.30000000000000004"]])
                self.tipple("verify", self.pooled_url)
        self.assertEqual(json.loads(self.tipple("query", self.pooled_url, "SELECT DISTINCT d, '\\x41'::bytea AS b FROM t", "--json").out), [{"d": 0.30000000000000004, "b": "\\x41"}])

    def test_search_path(self):
        """Tables of ours by other names than their whole ones would be looked for there; the function that keeps runs apart too."""
        self.psql("CREATE SCHEMA decoy; CREATE FUNCTION decoy.pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''decoy''; END'")
        self.psql(";".join(f"CREATE TABLE decoy.{name} (decoy bigint)" for name in ("t", "t__items", "_dlt_loads", "_dlt_version", "_dlt_pipeline_state")))
        with self.pool_of_two():
            self.on_both("SET search_path = decoy, pg_catalog")
            self.assert_all_is_right()
            self.assertEqual(self.asked_on_both("SELECT current_setting('search_path')"), ["decoy, pg_catalog"] * 2, "it is theirs still")

    def test_temporary_tables(self):
        with self.pool_of_two():
            self.on_both(";".join(f"CREATE TEMP TABLE {name} (decoy bigint)" for name in ("t", "t__items", "_dlt_loads", "_dlt_version", "_dlt_pipeline_state")))
            self.assert_all_is_right()

    def test_prepared_statements(self):
        with self.pool_of_two():
            self.on_both("PREPARE s AS SELECT 'wrong'")
            self.assert_all_is_right()
            self.assertEqual(self.asked_on_both("SELECT string_agg(name, ' ') FROM pg_prepared_statements"), ["s", "s"])

    def test_advisory_locks_of_a_session(self):
        """Ours are given up with the transaction, so that none is left to somebody else."""
        with self.pool_of_two():
            self.on_both("SELECT pg_advisory_lock_shared(42)")
            self.assert_all_is_right()
            self.assertEqual(self.psql("SELECT objid, count(*) FROM pg_locks WHERE locktype = 'advisory' GROUP BY 1"), [["42", "2"]])

    def test_settings(self):
        """Those that PgBouncer keeps apart by itself, and those that it hands on."""
        with self.pool_of_two():
            self.on_both("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET client_encoding = 'LATIN1'; SET standard_conforming_strings = off")
            self.on_both("SET bytea_output = 'escape'; SET extra_float_digits = -10; SET transform_null_equals = on; SET default_transaction_isolation = 'serializable'")
            self.on_both("SET default_transaction_read_only = on")
            self.assert_all_is_right()

    def test_timeouts(self):
        with self.pool_of_two():
            self.pooled_load(self.write("t.jsonl", [{"id": 1}]))
            self.psql("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'; "
                      "CREATE TRIGGER slow AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION wait()")
            self.on_both("SET statement_timeout = 500; SET lock_timeout = 500; SET idle_in_transaction_session_timeout = 500")
            self.pooled_load("t.jsonl")
            self.assertEqual(self.value("SELECT count(*) FROM t"), "2")
            # Reading waits for who holds a table, as long as it was told.
            holder = threading.Thread(target=lambda: self.psql("BEGIN; LOCK TABLE _dlt_version; SELECT pg_sleep(1.5); COMMIT"))
            holder.start()
            while self.value("SELECT count(*) FROM pg_locks WHERE relation = '_dlt_version'::regclass AND mode = 'AccessExclusiveLock' AND granted") == "0":
                time.sleep(0.02)
            self.tipple("schema", "show", self.pooled_url, "t")
            holder.join()


class Connecting(PoolerCase):
    def test_lost_acknowledgement(self):
        with self.pool_of_two(), Proxy(int(self.pooled_url.rsplit(":", 1)[1].split("/")[0])) as proxy:
            url = self.url(port=proxy.port)
            path = self.records_file("t.jsonl", 100)
            self.load_into(url, path, "--key", "id")
            proxy.hold_after = 10_000
            with self.start("load", path, url, "--key", "id") as run:
                self.assertTrue(proxy.is_held.wait(120))
                proxy.lose_answer_to = COMMIT
                proxy.let_go()
                result = run.finish()
            self.assertTrue(proxy.has_lost_answer.is_set())
            self.assertEqual(result.code, 0, result.err)
            self.assert_loaded(100, loads=2)

    def test_a_commit_that_is_still_going_on_when_its_client_is_gone(self):
        """The pooler hangs up at the server too."""
        with self.pool_of_two():
            self.assert_a_commit_in_doubt_is_waited_for(self.pooled_url)

    def test_a_url_as_it_is_pasted(self):
        """A user with the project behind a dot, and a password with signs that a URL has for itself."""
        with self.pooler() as pooler:
            self.load_into(f"postgresql://postgres.abcdefghijklmnop:p@ss/w:rd#%@127.0.0.1:{pooler.port}/{self.name}", self.records_file("t.jsonl", 10))
            self.assert_loaded(10)

    def test_start_up_options_are_explained(self):
        with self.pooler():
            path = self.write("t.jsonl", [{"a": 1}])
            result = self.load_into(self.pooled_url + "?options=-csearch_path%3Dx", path, expect=EXIT_USAGE)
            self.assertIn("take options=", result.err)
            # What hosters hand out for other clients.
            self.load_into(self.pooled_url + "?pgbouncer=true&connection_limit=1", path)

    def test_all_connections_of_the_pooler_are_taken(self):
        with self.pooler(max_client_conn=1) as pooler:
            holder = threading.Thread(target=lambda: pooler.psql("SELECT pg_sleep(3)", self.name))
            holder.start()
            while self.value("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3)' AND state = 'active'") == "0":
                time.sleep(0.02)
            error = self.pooled_load(self.write("t.jsonl", [{"a": 1}]), expect=EXIT_TRANSIENT).err
            self.assertIn("max_client_conn", error)
            holder.join()


if __name__ == "__main__":
    main()
