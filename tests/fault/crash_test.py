"""The crash matrix: a load is killed at every call by which it changes something that lasts, for every write mode. The destination is as before or
as after, never between; the same command again makes the state of a run that nobody disturbed; and once more changes nothing that it should not.

TIPPLE_LONG_TESTS=1 takes up to 300 kills and 400 failures in every cell; what is printed then is the table of docs/reliability.md."""

import errno
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))

from killpoint import BYTE_CALLS, CALLS, Killpoint, Point, evenly, kill_points
from tipple_cli import IS_LONG, Case, files_dataset, main

POINTS_MAX = 300 if IS_LONG else 6
FAILURES_MAX = 400 if IS_LONG else 8

MODES = {
    "append": [],
    "append, cursor": ["--cursor", "id"],
    "replace": ["--disposition", "replace"],
    "delete-insert": ["--key", "id"],
    "upsert": ["--key", "id", "--strategy", "upsert"],
    "insert-only": ["--key", "id", "--strategy", "insert-only"],
    "cdc": ["--key", "id", "--strategy", "cdc"],
    "scd2": ["--strategy", "scd2"],
}


def nested(first, last, version):
    for number in range(first, last):
        lines = [{"sku": f"{number}-{line}-{version}", "qty": line, "tags": [version, "x" * (number % 20)]} for line in range(number % 4)]
        yield {"id": number, "version": version, "customer": {"name": f"customer {number}"}, "lines": lines}


def flat(first, last, version):
    for number in range(first, last):
        yield {"id": number, "version": version, "price": number / 4, "placed": f"2026-03-{number % 28 + 1:02}T10:00:00Z"}


SHAPES = {"nested": nested, "flat": flat}
SIGKILL_CODE = -signal.SIGKILL


class Matrix(Case):
    """One cell: a write mode and a shape of data."""

    into_files = False

    def prepare(self, mode, shape):
        if self.into_files:
            self.database = self.path("lake")
            self.destination = f"file://lake?format={'jsonl' if shape == 'nested' else 'parquet'}"
        self.flags = ["--as", "orders", "--workers", "1", *MODES[mode]]
        self.mode = mode
        make = SHAPES[shape]
        self.write("first.jsonl", list(make(0, 40, "old")))
        # Half of it is new, half meets rows that are there; a column and, when nested, a table are new.
        extra = {"note": "new", "extra": [{"n": 1}]} if shape == "nested" else {"note": "new"}
        self.write("second.jsonl", [{**record, **extra} for record in make(20, 80, "new")])
        self.killpoint = Killpoint(self.path("control"))
        self.load("first.jsonl", *self.flags)
        self.before = self.state()
        self.save(self.database)
        self.save(self.data_folder)
        self.run_at(Point())
        self.calls = self.killpoint.calls()
        self.after = self.state()
        self.assertNotEqual(self.before, self.after)

    def saved(self, path):
        return path.with_name("saved-" + path.name)

    def save(self, path):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, self.saved(path))

    def restore(self):
        self.path("shop.duckdb.wal").unlink(missing_ok=True)
        for path in (self.database, self.data_folder):
            if path.is_dir():
                shutil.rmtree(path)
                shutil.copytree(self.saved(path), path)
            else:
                shutil.copy(self.saved(path), path)

    def run_at(self, point, expect=0):
        return self.load("second.jsonl", *self.flags, env=self.killpoint.environment(point), expect=expect)

    def state(self):
        """What a person would compare: rows with what is nested in them, versions that are active, columns."""
        versions = []
        if "_dlt_valid_to" in self.values("SELECT column_name FROM duckdb_columns() WHERE table_name = 'orders'"):
            versions = self.query("SELECT id, version, _dlt_valid_to IS NULL FROM orders ORDER BY ALL")
        return self.records("orders"), versions, self.columns("orders")

    def loads(self):
        return self.count("_dlt_loads")

    def check(self, point):
        """The destination is as before or as after. Then the command is given again, as somebody would who saw it fail."""
        is_loaded = self.loads() == 2
        self.assertEqual(self.state(), self.after if is_loaded else self.before)
        if is_loaded and not self.pending() and self.mode == "append":
            # Everything was done, only nobody was told. Who appends without a cursor and says it again gets it twice, and is told so.
            return
        self.load("second.jsonl", *self.flags)
        self.assertEqual(self.state(), self.after)
        self.assertEqual(self.pending(), [])
        self.assert_no_leftovers()
        if self.mode == "append":
            self.assertEqual(self.loads(), 2)
        else:
            self.load("second.jsonl", *self.flags)
            self.assertEqual(self.state(), self.after)
        if self.into_files:
            self.assert_only_visible_files()


    def assert_only_visible_files(self):
        """Behind the next load nothing lies in the folder but what a reader sees, and what belongs to every dataset."""
        self.write("others.jsonl", [{"id": 1}])
        self.load("others.jsonl")
        folder = self.database / "main"
        files, _ = files_dataset.visible(folder)
        known = {path for paths in files.values() for path in paths} | {folder / name for name in ("init", "_tipple/lock", "_tipple/dataset.json")}
        self.assertEqual({path for path in folder.rglob("*") if path.is_file()} - known, set())


class KillMatrix(Matrix):
    def cell(self, mode, shape):
        self.prepare(mode, shape)
        points = kill_points(self.calls, POINTS_MAX)
        for point in points:
            with self.subTest(f"{mode}, {shape}: {point} ({CALLS[self.calls[point.at - 1]]})"):
                self.restore()
                result = self.run_at(point, expect=None)
                # The engine does not write in the same pieces every time, so the last calls are not always reached.
                self.assertEqual(result.code, SIGKILL_CODE if len(self.killpoint.calls()) >= point.at else 0, result.err)
                self.check(point)
        print(f"| {mode} | {shape} | {len(self.calls)} | {len(points)} |", flush=True)


class FailureMatrix(Matrix):
    """Calls that fail instead: once, or from then on, for want of room or because the disk is broken; and writes that write only half."""

    def points(self):
        numbers = range(1, len(self.calls) + 1)
        points = [Point("fail_once", number, error=error) for number in numbers for error in (errno.ENOSPC, errno.EIO)]
        points += [Point("fail_from", number, error=errno.ENOSPC) for number in numbers]
        points += [Point("shorten", number) for number in numbers if self.calls[number - 1] in BYTE_CALLS]
        return points

    def cell(self, mode, shape):
        self.prepare(mode, shape)
        points = evenly(self.points(), FAILURES_MAX)
        aborted = 0
        for point in points:
            with self.subTest(f"{mode}, {shape}: {point} ({CALLS[self.calls[point.at - 1]]})"):
                self.restore()
                result = self.run_at(point, expect=None)
                if result.code == 0:
                    self.assertEqual(self.state(), self.after, "it says that all is done")
                    self.assertEqual(self.loads(), 2)
                elif result.code == -signal.SIGABRT:
                    # The engine ends the process when even giving up a transaction fails (docs/reliability.md).
                    self.assertIn("duckdb::IOException", result.err)
                    aborted += 1
                else:
                    self.assertIn("error:", result.err)
                self.check(point)
        print(f"| {mode} | {shape} | {len(self.calls)} | {len(points)} | {aborted} |", flush=True)


class Kills(KillMatrix):
    pass


class Failures(FailureMatrix):
    pass


class FileKills(KillMatrix):
    into_files = True


class FileFailures(FailureMatrix):
    into_files = True


def add_cells(case, modes):
    for mode in modes:
        for shape in SHAPES:

            def test(self, mode=mode, shape=shape):
                self.cell(mode, shape)

            setattr(case, f"test_{mode.replace('-', '_').replace(', ', '_')}_{shape}", test)


FILE_MODES = ["append", "append, cursor", "replace"]
add_cells(FileKills, FILE_MODES)
add_cells(FileFailures, FILE_MODES)
add_cells(Kills, MODES)
add_cells(Failures, MODES)

if __name__ == "__main__":
    main()
