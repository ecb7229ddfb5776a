"""Sessions that hold transactions open while runs with cursors read their tables: at random they begin, write, wait, commit, prepare and roll back, between and during runs, and runs are
killed. A cursor of which `tipple check` says that no row is missed must have missed none whenever all transactions have ended, and doubled none ever. TIPPLE_TEST_SEED repeats what is
done, not at which moment; TIPPLE_ROUNDS says how often a run reads (10; 500 with TIPPLE_LONG_TESTS)."""

import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from killpoint import Killpoint, Point
from postgres_server import start_for_module
from tipple_cli import IS_LONG, IS_SANITIZED, Case, main, seeded_random

ROUNDS = int(os.environ.get("TIPPLE_ROUNDS", 500 if IS_LONG else 10))
WRITERS = 4
# More than most runs make, so that some of them are not killed.
CALLS_MAX = 160
# Rounds between two moments at which no transaction is open.
ROUNDS_TO_QUIET = 5

TABLES = {
    "numbers": "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int, version int",
    "parted": "id bigserial, owner int, version int) PARTITION BY LIST (owner",
    "times": "id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner int, version int, at timestamptz NOT NULL DEFAULT now()",
    "changed": "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int, version int, at timestamptz",
}
CURSORS = {"numbers": "id", "parted": "id", "times": "at", "changed": "at"}
MORE_SQL = """
    CREATE TABLE parted_even PARTITION OF parted FOR VALUES IN (0, 2);
    CREATE TABLE parted_odd PARTITION OF parted FOR VALUES IN (1, 3);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := clock_timestamp(); RETURN NEW; END';
    CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON changed FOR EACH ROW EXECUTE FUNCTION touch();
"""

PROJECT = """
version = 1
[pipeline.p]
source = "{url}"
destination = "{database}"
dataset = "main"
"""
RESOURCE = """
[pipeline.p.resources."public.{table}"]
table = "{table}"
cursor = {{ field = "{cursor}" }}
{disposition}
"""

server = None


def setUpModule():
    global server
    server = start_for_module(max_prepared_transactions=20)


class Writer:
    """One session. Rows that it changes are its own, so that no writer waits for another."""

    def __init__(self, number, tables, prepares):
        self.number, self.tables, self.prepares = number, tables, prepares
        self.session = server.session()
        self.is_open = False
        self.prepared = []
        self.named = 0

    def step(self, random):
        if self.prepared and not self.is_open and random.random() < 0.5:
            self.session.run(f"{random.choice(['COMMIT', 'COMMIT', 'ROLLBACK'])} PREPARED '{self.prepared.pop()}'")
            return
        if not self.is_open:
            self.session.run("BEGIN")
            self.is_open = True
        if random.random() < 0.75:
            self.write(random)
        if random.random() < 0.5:
            self.end(random)

    def hold(self, random):
        """Takes a number or a time, and keeps its transaction open until it steps on."""
        if not self.is_open:
            self.session.run("BEGIN")
            self.is_open = True
        self.write(random)

    def write(self, random):
        table = random.choice(self.tables)
        if table == "changed" and random.random() < 0.5:
            self.session.run(f"UPDATE changed SET version = version + 1 WHERE owner = {self.number} AND id % 3 = {random.randrange(3)}")
        else:
            self.session.run(f"INSERT INTO {table} (owner, version) SELECT {self.number}, 1 FROM generate_series(1, {random.randrange(1, 6)})")

    def end(self, random):
        if self.prepares and random.random() < 0.4:
            self.named += 1
            self.prepared.append(f"w{self.number}-{self.named}")
            self.session.run(f"PREPARE TRANSACTION '{self.prepared[-1]}'")
        else:
            self.session.run("ROLLBACK" if random.random() < 0.2 else "COMMIT")
        self.is_open = False

    def end_all(self):
        if self.is_open:
            self.session.run("COMMIT")
            self.is_open = False
        while self.prepared:
            self.session.run(f"COMMIT PREPARED '{self.prepared.pop()}'")


class LateCommits(Case):
    def simulate(self, tables, prepares=False):
        self.random = seeded_random(self.id())
        self.killpoint = Killpoint(self.path("control"))
        self.tables_read = tables
        self.make_tables(tables)
        writers = [Writer(number, tables, prepares) for number in range(WRITERS)]
        for writer in writers:
            self.addCleanup(writer.session.close)
        # Nothing is known of writers that the first run with rows meets.
        server.psql("".join(f"INSERT INTO {table} (owner, version) VALUES (0, 1);" for table in tables))
        self.tipple("run", "p")
        counts = {"done": 0, "killed": 0, "with open transactions": 0}
        for round in range(ROUNDS):
            # One of them does nothing more until the run has ended, while others write behind it.
            held = self.random.choice([None, *writers])
            if held is not None:
                held.hold(self.random)
            others = [writer for writer in writers if writer is not held]
            for _ in range(self.random.randrange(6)):
                self.random.choice(others).step(self.random)
            counts["with open transactions"] += any(writer.is_open or writer.prepared for writer in writers)
            code = self.run_while_they_write(others)
            counts["done" if code == 0 else "killed"] += 1
            self.check_nothing_is_doubled(f"round {round}")
            if round % ROUNDS_TO_QUIET == ROUNDS_TO_QUIET - 1:
                self.check_nothing_is_missed(writers, f"round {round}")
        self.check_nothing_is_missed(writers, "the end")
        rows = {table: server.value(f"SELECT count(*) FROM {table}") for table in tables}
        print(f"{ROUNDS} rounds: {counts}; rows: {rows}", flush=True)

    def make_tables(self, tables):
        server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + "".join(f"CREATE TABLE {table} ({columns});" for table, columns in TABLES.items()) + MORE_SQL)
        project = PROJECT.format(url=server.url(), database=self.database.name)
        for table in tables:
            disposition = 'disposition = "merge"\nprimary_key = "id"' if table == "changed" else 'disposition = "append"'
            project += RESOURCE.format(table=table, cursor=CURSORS[table], disposition=disposition)
        self.write("tipple.toml", project)
        checked = self.tipple("check", "p").out
        self.assertEqual(checked.count("no row is missed"), len(tables), checked)

    def run_while_they_write(self, writers):
        """The exit code of a run; None when it was killed."""
        kill = self.random.choice(["", "", "", "moment", "call"])
        environment = {}
        if kill == "call":
            environment = self.killpoint.environment(Point("kill", self.random.randrange(1, CALLS_MAX), self.random.choice(["before", "middle", "after"])))
        delay = self.random.random() * (2 if IS_SANITIZED else 0.5)
        ends = threading.Event()

        def keep_writing():
            while not ends.wait(self.random.random() * 0.1):
                self.random.choice(writers).step(self.random)

        thread = threading.Thread(target=keep_writing)
        if self.random.random() < 0.7:
            thread.start()
        with self.start("run", "p", env=environment) as run:
            if kill == "moment":
                time.sleep(delay)
                run.process.kill()
            result = run.finish()
        ends.set()
        if thread.ident is not None:
            thread.join()
        # Where a guarantee does not hold, the run warns.
        self.assertNotIn("warning", result.err)
        if result.code < 0:
            return None
        self.assertEqual(result.code, 0, result.err)
        return result.code

    def loaded(self, table):
        """(id, version) of all rows, in order."""
        if not self.query(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{table}'"):
            return []
        return [(str(id), version) for id, version in self.query(f"SELECT id, version FROM {table} ORDER BY id::VARCHAR")]

    @staticmethod
    def committed(table):
        return [(id, int(version)) for id, version in server.psql(f"SELECT id, version FROM {table} ORDER BY id::text COLLATE \"C\"")]

    def check_nothing_is_doubled(self, when):
        for table in self.tables_read:
            ids = [id for id, _ in self.loaded(table)]
            self.assertEqual(len(ids), len(set(ids)), f"{when}: {table}")
            self.assertEqual(set(ids) - {id for id, _ in self.committed(table)}, set(), f"{when}: {table} has what was never committed")

    def check_nothing_is_missed(self, writers, when):
        for writer in writers:
            writer.end_all()
        result = self.tipple("run", "p")
        for table in self.tables_read:
            loaded, committed = self.loaded(table), self.committed(table)
            missing = sorted(set(committed) - set(loaded))
            self.assertEqual(missing[:10], [], f"{when}: {table} misses {len(missing)} of {len(committed)} rows\n{result.err}")
            self.assertEqual(loaded, committed, f"{when}: {table}")

    def test_numbers_and_times(self):
        self.simulate(["numbers", "parted", "times", "changed"])

    def test_numbers_with_prepared_transactions(self):
        self.simulate(["numbers", "parted"], prepares=True)


if __name__ == "__main__":
    main()
