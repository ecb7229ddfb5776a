"""One cell of the crash matrix: a write mode and a shape of data, at a destination. What is the same whatever happens to the load is here; kills and failures
are in crash_test.py, those on Postgres in postgres_crash_test.py."""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))

from killpoint import CALLS, Killpoint, Point
from tipple_cli import Case

MODES = {
    "append": [],
    "append, cursor": ["--cursor", "id"],
    "replace": ["--disposition", "replace"],
    "delete-insert": ["--key", "id"],
    "upsert": ["--key", "id", "--strategy", "upsert"],
    "insert-only": ["--key", "id", "--strategy", "insert-only"],
    "cdc": ["--key", "id", "--strategy", "cdc"],
    "scd2": ["--strategy", "scd2"],
    "delete-missing hard": ["--key", "id", "--delete-missing", "hard", "--max-delete", "50%"],
    "delete-missing soft": ["--key", "id", "--delete-missing", "soft", "--max-delete", "50%"],
}


def nested(first, last, version):
    for number in range(first, last):
        lines = [{"sku": f"{number}-{line}-{version}", "qty": line, "tags": [version, "x" * (number % 20)]} for line in range(number % 4)]
        yield {"id": number, "version": version, "customer": {"name": f"customer {number}"}, "lines": lines}


def flat(first, last, version):
    for number in range(first, last):
        yield {"id": number, "version": version, "price": number / 4, "placed": f"2026-03-{number % 28 + 1:02}T10:00:00Z"}


SHAPES = {"nested": nested, "flat": flat}


def points_max(default):
    """How many points of each cell are taken, unless the environment says."""
    return int(os.environ.get("TIPPLE_FAULT_POINTS", default))



class Matrix(Case):
    """A destination adds `load_into_it`, `save`, `restore_destination`, `tables`, `columns_of` and what explains a failure, `evidence`."""

    roots = ("orders",)

    def begin(self, mode, shape):
        """Makes what is there before the load."""
        self.flags = ["--as", "orders", "--workers", "1", "--retry-budget", "1", *MODES[mode]]
        make = SHAPES[shape]
        self.write("first.jsonl", list(make(0, 40, "old")))
        # Half of it is new, half meets rows that are there; a column and, when nested, a table are new.
        extra = {"note": "new", "extra": [{"n": 1}]} if shape == "nested" else {"note": "new"}
        self.write("second.jsonl", [{**record, **extra} for record in make(20, 80, "new")])
        self.load_into_it("first.jsonl", *self.flags)

    def act(self, **options):
        """The load itself."""
        return self.load_into_it("second.jsonl", *self.flags, **options)

    def prepare(self, mode, shape):
        self.results = []
        self.mode = mode
        self.killpoint = Killpoint(self.path("control"))
        self.begin(mode, shape)
        self.before = self.state()
        self.save()
        shutil.copytree(self.data_folder, self.path("saved-data"))
        self.run_at(Point())
        self.calls = self.killpoint.calls()
        self.assertTrue(self.calls, "nothing is counted")
        self.after = self.state()
        self.assertNotEqual(self.before, self.after)

    def restore(self):
        self.restore_destination()
        shutil.rmtree(self.data_folder, ignore_errors=True)
        shutil.copytree(self.path("saved-data"), self.data_folder)

    def tipple(self, *arguments, **options):
        result = super().tipple(*arguments, **options)
        self.results.append((arguments, result))
        return result

    def run_at(self, point, expect=0):
        return self.act(env=self.killpoint.environment(point), expect=expect)

    def state(self):
        """What a person would compare: rows with what is nested in them, versions that are active, rows that are flagged, columns."""
        tables = self.tables()
        versions = sorted((row["id"], row["version"], row.get("_dlt_valid_to") is None) for row in tables.get("orders", []) if "_dlt_valid_from" in row)
        flagged = {name: sum(1 for row in rows if row.get("_tipple_deleted_at") is not None) for name, rows in tables.items()}
        loads = {row["load_id"] for row in tables.get("_dlt_loads", [])}
        # Times differ from run to run.
        plain = {name: [{key: value for key, value in row.items() if key != "_tipple_deleted_at"} for row in rows] for name, rows in tables.items() if not name.startswith("_dlt")}
        trees = [self.trees(root, {name: rows for name, rows in plain.items() if name.split("__")[0] == root}, loads) for root in self.roots]
        return sorted(plain), trees, versions, flagged if "soft" in self.mode else {}, self.columns_of("orders")

    def loads(self):
        return len(self.tables().get("_dlt_loads", []))

    def check(self):
        """The destination is as before or as after. Then the command is given again, as somebody would who saw it fail."""
        is_loaded = self.loads() == 2
        self.assertEqual(self.state(), self.after if is_loaded else self.before)
        if is_loaded and not self.pending() and self.mode == "append":
            # Everything was done, only nobody was told. Who appends without a cursor and says it again gets it twice, and is told so.
            return
        self.act()
        self.assertEqual(self.state(), self.after)
        self.assertEqual(self.pending(), [])
        self.assert_no_leftovers()
        if self.mode == "append":
            self.assertEqual(self.loads(), 2)
        else:
            self.act()
            self.assertEqual(self.state(), self.after)

    @contextlib.contextmanager
    def at(self, what):
        """One experiment, from the saved state on. When it fails, all that may explain it is kept, and where is printed."""
        with self.subTest(what):
            self.restore()
            self.results.clear()
            try:
                yield
            except Exception as error:
                kept = pathlib.Path(tempfile.mkdtemp(prefix="tipple-fault-"))
                shutil.copytree(self.folder, kept / "folder", symlinks=True)
                shutil.copytree(self.data_folder, kept / "data", dirs_exist_ok=True)
                with open(kept / "report.txt", "w", encoding="utf-8") as report:
                    print(f"{self.id()}: {what}\n{error!r}\ncalls then:    {self.calls}\ncalls counted: {self.killpoint.calls()}", file=report)
                    for arguments, result in self.results:
                        print(f"\n$ tipple {' '.join(map(str, arguments))}\nexit code {result.code}\n{result.out}{result.err}", file=report)
                self.evidence(kept)
                print(f"kept in {kept}", flush=True)
                raise

    def name_of(self, point):
        return f"{point} ({CALLS[self.calls[point.at - 1]]})"


REMOVALS = {
    "refresh drop_sources": ["run", "shop", "--retry-budget", "1", "--refresh", "drop_sources"],
    "refresh drop_resources": ["run", "shop", "--retry-budget", "1", "-r", "orders", "--refresh", "drop_resources"],
    "refresh drop_data": ["run", "shop", "--retry-budget", "1", "-r", "orders", "--refresh", "drop_data"],
    "drop": ["drop", "shop", "orders", "--yes"],
}

PROJECT = """
version = 1

[connection.place]
uri = "{place}"

[pipeline.shop]
source = {{ type = "files", uri = "data" }}
destination = "place"
dataset = "{dataset}"

[pipeline.shop.resources.orders]
glob = "orders.jsonl"
cursor = {{ field = "id" }}

[pipeline.shop.resources.others]
glob = "others.jsonl"
cursor = {{ field = "id" }}
"""


class RemovalMatrix(Matrix):
    """Instead of a load, what takes away what was loaded, tables and cursor, and with `refresh` loads it anew."""

    roots = ("orders", "others")
    dataset = "main"

    def begin(self, mode, shape):
        self.write("tipple.toml", PROJECT.format(place=self.destination, dataset=self.dataset))
        make = SHAPES[shape]
        self.write("data/orders.jsonl", list(make(0, 40, "old")))
        self.write("data/others.jsonl", list(make(0, 3, "other")))
        self.tipple("run", "shop", "--workers", "1")
        self.write("data/orders.jsonl", [{"id": record["id"], "lines": record.get("lines")} for record in make(20, 80, "new")])

    def act(self, **options):
        return self.tipple(*REMOVALS[self.mode], **options)

    def prepare(self, mode, shape):
        super().prepare(mode, shape)
        self.loads_after = self.loads()
        self.tipple("run", "shop")
        self.read_again = self.state()

    def check(self):
        is_done = self.loads() == self.loads_after
        self.assertEqual(self.state(), self.after if is_done else self.before)
        waiting = self.pending()
        if self.mode == "drop" and (waiting or is_done):
            # What was dropped cannot be dropped again. Of what waits the message says how to go on.
            error = self.act(expect=2).err
            for package in waiting:
                self.assertIn(package, error)
                self.assertIn("packages retry", error)
                self.tipple("packages", "retry", "shop")
        else:
            self.act()
        self.assertEqual(self.state(), self.after)
        self.assertEqual(self.pending(), [])
        self.assert_no_leftovers()
        # The cursor went with the rows.
        self.tipple("run", "shop")
        self.assertEqual(self.state(), self.read_again)


RELOADS = {
    "reload": "",
    "reload, merge": 'disposition = "merge"\nprimary_key = ["_source_file", "_source_line"]\nmetadata = ["_source_line"]',
}

RELOAD_PROJECT = """
version = 1

[connection.place]
uri = "{place}"

[pipeline.shop]
source = {{ type = "files", uri = "data" }}
destination = "place"
dataset = "{dataset}"

[pipeline.shop.resources.orders]
glob = "*.jsonl"
on_change = "reload"
{more}
"""


class ReloadMatrix(Matrix):
    """Instead of one load behind the other, a run that finds a file changed: its old rows or its new ones are there, never both and never none, and the ledger says which."""

    dataset = "main"

    def begin(self, mode, shape):
        self.write("tipple.toml", RELOAD_PROJECT.format(place=self.destination, dataset=self.dataset, more=RELOADS[mode]))
        make = SHAPES[shape]
        self.write("data/changed.jsonl", list(make(0, 40, "old")))
        self.write("data/same.jsonl", list(make(100, 120, "old")))
        self.act()
        self.write("data/changed.jsonl", [{**record, "note": "new"} for record in make(10, 30, "new")])
        self.write("data/more.jsonl", list(make(200, 210, "new")))

    def act(self, **options):
        return self.tipple("run", "shop", "--workers", "1", "--retry-budget", "1", **options)

    def state(self):
        ledger = [(pathlib.Path(row["file"]).name, row["row_count"], row["replaces_load_id"] is not None) for row in self.tables()["_tipple_files_orders"]]
        return super().state(), sorted(ledger)

    def check(self):
        self.assertEqual(self.state(), self.after if self.loads() == 2 else self.before)
        for _ in range(2):
            self.act()
            self.assertEqual(self.state(), self.after)
            self.assertEqual(self.loads(), 2)
        self.assertEqual(self.pending(), [])
        self.assert_no_leftovers()


def add_cells(case, modes=tuple(MODES), shapes=tuple(SHAPES)):
    """A test for every cell, which calls `cell`."""
    for mode in modes:
        for shape in shapes:

            def test(self, mode=mode, shape=shape):
                self.cell(mode, shape)

            setattr(case, f"test_{mode.replace('-', '_').replace(', ', '_').replace(' ', '_')}_{shape}", test)
