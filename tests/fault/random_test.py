"""Random runs against a model that holds the expected rows in memory: random write modes, records, new columns and types, kills, failures and
repeated commands. After each step the destination is compared with the model, value by value. TIPPLE_TEST_SEED repeats a run; TIPPLE_RANDOM_SECONDS says how
long it goes on (1800 with TIPPLE_LONG_TESTS)."""

import errno
import json
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))

import duckdb
from killpoint import Killpoint, Point
from tipple_cli import IS_LONG, Case, main, seeded_random

SECONDS = float(os.environ.get("TIPPLE_RANDOM_SECONDS", 1800 if IS_LONG else 20))
# More than a load makes, so that some runs are not disturbed at all.
CALLS_MAX = 90

TABLES = {
    "events": ("append", []),
    "prices": ("replace", ["--disposition", "replace"]),
    "orders": ("merge", ["--key", "id"]),
    "people": ("merge", ["--key", "id", "--strategy", "upsert"]),
    "firsts": ("insert-only", ["--key", "id", "--strategy", "insert-only"]),
}


class Model:
    """What one table must hold."""

    def __init__(self, mode):
        self.mode = mode
        self.types = {}  # path of a column -> its type, which the first value decides
        self.rows = []   # of append and replace
        self.by_key = {}

    def load(self, records):
        if self.mode == "replace":
            self.rows = []
        seen = set()
        for record in records:
            row = self.tree(record, "")
            if self.mode in ("append", "replace"):
                self.rows.append(row)
            elif record["id"] not in seen and (self.mode == "merge" or record["id"] not in self.by_key):
                self.by_key[record["id"]] = row
            seen.add(record["id"])

    def tree(self, record, path):
        """The columns of a row that are not null, and what is nested in it by name."""
        row = {}
        for name, value in record.items():
            if isinstance(value, dict):
                row.update({f"{name}__{key}": below for key, below in self.tree(value, f"{path}{name}__").items()})
            elif isinstance(value, list):
                # Lists without elements leave nothing.
                if value:
                    row[name] = [self.tree(element, f"{path}{name}/") for element in value]
            elif value is not None:
                column, value = self.column(path + name, name, value)
                row[column] = value
        return row

    def column(self, path, name, value):
        kind = self.types.setdefault(path, type(value))
        if kind is type(value):
            return name, value
        if kind is str:
            return name, str(value)
        return f"{name}__v_{'text' if isinstance(value, str) else 'double'}", value

    def expected(self):
        return sorted(json.dumps(row, sort_keys=True) for row in (self.rows or self.by_key.values()))


class Random(Case):
    def setUp(self):
        super().setUp()
        self.random = seeded_random(self.id())
        self.models = {name: Model(mode) for name, (mode, _) in TABLES.items()}
        self.killpoint = Killpoint(self.path("control"))
        self.next_id = 0
        self.loads = 0

    def make_records(self):
        """Keys come again, fields come and go, one of them changes its type, lists are empty, and a column may be new."""
        records = []
        for _ in range(self.random.choice([1, 3, 40])):
            self.next_id += 1
            record = {"id": self.random.randrange(1, self.next_id + 1), "n": self.random.randrange(1 << 40)}
            if self.random.random() < 0.6:
                record["who"] = {"name": self.random.choice(["Ann", "Bob", None]), "age": self.random.randrange(99)}
            if self.random.random() < 0.6:
                record["items"] = [{"sku": f"s{n}", "tags": [{"t": t} for t in range(self.random.randrange(3))]} for n in range(self.random.randrange(4))]
            if self.random.random() < 0.3:
                record["mixed"] = self.random.choice([7, "seven"])
            if self.random.random() < 0.1:
                record[f"extra_{self.random.randrange(20)}"] = "x"
            records.append(record)
        return records

    def choose_point(self):
        chance = self.random.random()
        call = self.random.randrange(1, CALLS_MAX)
        if chance < 0.6:
            return Point("kill", call, self.random.choice(["before", "middle", "after"]))
        if chance < 0.8:
            return Point(self.random.choice(["fail_once", "fail_from"]), call, error=self.random.choice([errno.ENOSPC, errno.EIO]))
        return Point()

    def recorded_loads(self):
        return self.count("_dlt_loads") if self.database.exists() and self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = '_dlt_loads'") else 0

    def step(self):
        table = self.random.choice(list(TABLES))
        mode, flags = TABLES[table]
        records = self.make_records()
        if mode == "insert-only":
            # Nested rows of a known record are added all the same when their own ids are not known, as in the reference.
            for record in records:
                record.pop("items", None)
        # Another name each time: it is the content that counts.
        name = self.write(f"{table}-{self.next_id}.jsonl", records)
        command = [name, "--as", table, *flags]
        point = self.choose_point()
        result = self.load(*command, env=self.killpoint.environment(point), expect=None)
        while result.code != 0:
            self.assertIn(result.code, (-signal.SIGKILL, -signal.SIGABRT, 4, 6, 9, 10), f"{point}: {result.err}")
            if self.recorded_loads() > self.loads and not self.pending():
                # All was done, only nobody was told.
                break
            point = self.choose_point()
            result = self.load(*command, env=self.killpoint.environment(point), expect=None)
        self.models[table].load(records)
        self.loads = self.recorded_loads()
        self.path(name).unlink()

    def found(self, table):
        connection = duckdb.connect(str(self.database), read_only=True)
        try:
            names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
            rows = {}
            for name in names:
                if name == table or name.startswith(table + "__"):
                    cursor = connection.execute(f'SELECT * FROM "{name}"')
                    columns = [column[0] for column in cursor.description]
                    rows[name] = [dict(zip(columns, row)) for row in cursor.fetchall()]
        finally:
            connection.close()
        below = {}
        for name, nested in rows.items():
            for row in nested:
                if name != table:
                    below.setdefault((name.rsplit("__", 1)[0], row["_dlt_parent_id"]), {}).setdefault(name.rsplit("__", 1)[1], []).append(row)

        def tree(name, row):
            values = {column: value for column, value in row.items() if not column.startswith("_dlt_") and value is not None}
            for part, children in below.get((name, row["_dlt_id"]), {}).items():
                values[part] = [tree(f"{name}__{part}", child) for child in sorted(children, key=lambda child: child["_dlt_list_idx"])]
            return values

        return sorted(json.dumps(tree(table, row), sort_keys=True) for row in rows.get(table, []))

    def test_nothing_is_lost_or_doubled(self):
        end = time.monotonic() + SECONDS
        steps = 0
        while time.monotonic() < end or steps < 5:
            self.step()
            steps += 1
            for table, model in self.models.items():
                found, expected = self.found(table), model.expected()
                if found != expected:
                    self.fail(f"{table} after step {steps}\nnot there: {sorted(set(expected) - set(found))}\nunexpected: {sorted(set(found) - set(expected))}")
        self.tipple("verify", self.database.name)
        print(f"{steps} steps, {self.loads} loads, {self.next_id} records", flush=True)


if __name__ == "__main__":
    main()
