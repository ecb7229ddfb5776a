"""The crash matrix: a load is killed at every call by which it changes something that lasts, for every write mode. The destination is as before or
as after, never between; the same command again makes the state of a run that nobody disturbed; and once more changes nothing that it should not.

TIPPLE_LONG_TESTS=1 takes up to 300 kills and 400 failures in every cell; what is printed then is the table of docs/reliability.md.
TIPPLE_FAULT_POINTS=N takes N of each."""

import errno
import shutil
import signal

from killpoint import BYTE_CALLS, Killpoint, Point, evenly, kill_points
from matrix import MODES, RELOADS, REMOVALS, SHAPES, Matrix, ReloadMatrix, RemovalMatrix, add_cells, points_max
from tipple_cli import IS_LONG, files_dataset, main

POINTS_MAX = points_max(300 if IS_LONG else 6)
FAILURES_MAX = points_max(400 if IS_LONG else 8)

SIGKILL_CODE = -signal.SIGKILL


class LocalMatrix(Matrix):
    """What a file and a folder have in common: this test can read them itself."""

    def load_into_it(self, path, *flags, **options):
        return self.load(path, *flags, **options)

    def tables(self):
        connection = self.connect()
        try:
            found = {}
            for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY 1").fetchall():
                cursor = connection.execute(f'SELECT * FROM "{name}"')
                columns = [column[0] for column in cursor.description]
                found[name] = [dict(zip(columns, row)) for row in cursor.fetchall()]
            return found
        finally:
            connection.close()

    def columns_of(self, table):
        return self.columns(table)


class DuckdbMatrix(LocalMatrix):
    def save(self):
        self.saved = self.database.read_bytes()

    def restore_destination(self):
        self.path("shop.duckdb.wal").unlink(missing_ok=True)
        self.database.write_bytes(self.saved)

    def evidence(self, folder):
        shutil.copy(self.database, folder / "after.duckdb")


class FilesMatrix(LocalMatrix):
    def begin(self, mode, shape):
        self.database = self.path("lake")
        self.destination = f"file://lake?format={'jsonl' if shape == 'nested' else 'parquet'}"
        super().begin(mode, shape)

    def save(self):
        shutil.copytree(self.database, self.path("saved-lake"))

    def restore_destination(self):
        shutil.rmtree(self.database)
        shutil.copytree(self.path("saved-lake"), self.database)

    def evidence(self, folder):
        """The folder is kept with the test's own."""

    def check(self):
        super().check()
        self.assert_only_visible_files()

    def assert_only_visible_files(self):
        """Behind the next load nothing lies in the folder but what a reader sees, and what belongs to every dataset."""
        self.write("next.jsonl", [{"id": 1}])
        self.load("next.jsonl")
        folder = self.database / "main"
        files, _ = files_dataset.visible(folder)
        known = {path for paths in files.values() for path in paths} | {folder / name for name in ("init", "_tipple/lock", "_tipple/dataset.json")}
        self.assertEqual({path for path in folder.rglob("*") if path.is_file()} - known, set())


class KillCells:
    def cell(self, mode, shape):
        self.prepare(mode, shape)
        points = kill_points(self.calls, POINTS_MAX)
        for point in points:
            with self.at(f"{mode}, {shape}: {self.name_of(point)}"):
                result = self.run_at(point, expect=None)
                # The engine does not write in the same pieces every time, so the last calls are not always reached.
                self.assertEqual(result.code, SIGKILL_CODE if len(self.killpoint.calls()) >= point.at else 0, result.err)
                self.check()
        print(f"| {mode} | {shape} | {len(self.calls)} | {len(points)} |", flush=True)


class FailureCells:
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
            with self.at(f"{mode}, {shape}: {self.name_of(point)}"):
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
                self.check()
        print(f"| {mode} | {shape} | {len(self.calls)} | {len(points)} | {aborted} |", flush=True)


class Kills(KillCells, DuckdbMatrix):
    pass


class Failures(FailureCells, DuckdbMatrix):
    pass


class FileKills(KillCells, FilesMatrix):
    pass


class FileFailures(FailureCells, FilesMatrix):
    pass


class RemovalKills(KillCells, DuckdbMatrix, RemovalMatrix):
    pass


class ReloadKills(KillCells, DuckdbMatrix, ReloadMatrix):
    pass


class ReloadFailures(FailureCells, DuckdbMatrix, ReloadMatrix):
    pass


class FileRemovalKills(KillCells, FilesMatrix, RemovalMatrix):
    pass


class NewFileKills(LocalMatrix):
    """The first load of all, which makes the database file. Where it is killed before its commit, there is no file or one without tables."""

    def tables(self):
        return super().tables() if self.database.exists() else {}

    def test_a_new_database(self):
        self.results = []
        self.mode = "delete-insert"
        self.killpoint = Killpoint(self.path("control"))
        first = ["first.jsonl", "--as", "orders", "--workers", "1", "--retry-budget", "1", *MODES[self.mode]]
        self.write(first[0], list(SHAPES["nested"](0, 10, "new")))
        self.load_into_it(*first, env=self.killpoint.environment(Point()))
        self.calls = self.killpoint.calls()
        after = self.state()
        points = kill_points(self.calls, len(self.calls) * 3)
        # The engine's first writes are the heads of the file.
        heads = [number for number, letter in enumerate(self.calls, start=1) if letter == "p"][:3]
        chosen = [point for point in points if point.at in heads]
        for point in [*chosen, *evenly([point for point in points if point not in chosen], POINTS_MAX)]:
            with self.at(f"a new database: {self.name_of(point)}"):
                self.load_into_it(*first, env=self.killpoint.environment(point), expect=None)
                if self.tables():
                    self.assertEqual(self.state(), after)
                self.load_into_it(*first)
                self.assertEqual(self.state(), after)
                self.assertEqual(self.pending(), [])
                self.assert_no_leftovers()

    def restore(self):
        for path in self.folder.glob("shop.duckdb*"):
            path.unlink()
        shutil.rmtree(self.data_folder, ignore_errors=True)

    def evidence(self, folder):
        """The file is kept with the test's own folder."""


FILE_MODES = ("append", "append, cursor", "replace")

add_cells(Kills)
add_cells(Failures)
add_cells(FileKills, FILE_MODES)
add_cells(FileFailures, FILE_MODES)

add_cells(ReloadKills, tuple(RELOADS))
add_cells(ReloadFailures, tuple(RELOADS), ("nested",))

for removals in (RemovalKills, FileRemovalKills):
    add_cells(removals, tuple(REMOVALS), ("nested",))

if __name__ == "__main__":
    main()
