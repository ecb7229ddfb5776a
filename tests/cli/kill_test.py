"""Kills the program at random moments of a load. The destination is as before or as after, never between, and the same command again makes the
state of a run that nobody disturbed."""

import json
import shutil
import subprocess
import time

from tipple_cli import IS_LONG, Case, main, seeded_random

MOMENTS = 100 if IS_LONG else 10


def records(first, last, version):
    """Three levels of nesting, so that many tables must agree."""
    for number in range(first, last):
        yield {
            "id": number,
            "version": version,
            "customer": {"name": f"customer {number * 7919 % 1000}", "address": {"city": "Rome", "zip": str(number)}},
            "lines": [
                {"sku": f"{number}-{line}-{version}", "qty": line, "tags": [f"{version}", "x" * (number % 40)], "options": [{"k": "a", "v": number}]}
                for line in range(number % 4)
            ],
        }


class Kill(Case):
    def setUp(self):
        super().setUp()
        self.random = seeded_random(self.id())
        self.write("first.jsonl", list(records(0, 600, "old")))
        # Half of it is new, half of it meets rows that are there; and there is a table and a column that were not.
        self.write("second.jsonl", [{**record, "note": "new", "extra": [{"n": 1}]} for record in records(300, 3_500, "new")])

    def copy(self, name):
        """Database and data folder, as they were saved."""
        for path in [self.database, self.path("shop.duckdb.wal")]:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.data_folder, ignore_errors=True)
        shutil.copy(self.path(f"{name}.duckdb"), self.database)
        shutil.copytree(self.path(f"{name}-data"), self.data_folder)

    def save(self, name):
        shutil.copy(self.database, self.path(f"{name}.duckdb"))
        shutil.copytree(self.data_folder, self.path(f"{name}-data"))

    def state(self):
        """Everything a person would compare, and how many loads were recorded."""
        return self.records("orders"), self.count("_dlt_loads"), json.loads(self.values("SELECT schema FROM _dlt_version ORDER BY version DESC")[0])["tables"]

    def run_killed_at(self, moments, command):
        self.load("first.jsonl", "--as", "orders", *command)
        before = self.state()
        self.save("before")
        start = time.monotonic()
        self.load("second.jsonl", "--as", "orders", *command)
        # A little more than it took, so that its last steps are among the moments too.
        duration = (time.monotonic() - start) * 1.1
        after = self.state()
        self.assertNotEqual(before[0], after[0])
        found = {"before": 0, "after": 0, "waiting": 0}
        for moment in range(moments):
            delay = duration * (moment + self.random.random()) / moments
            self.copy("before")
            with self.subTest(f"after {delay:.4f} s of {duration:.4f} s"):
                exact_before = self.contents()
                with self.start("load", "second.jsonl", "shop.duckdb", "--as", "orders", *command, stdin=subprocess.DEVNULL) as run:
                    try:
                        run.process.wait(timeout=delay)
                    except subprocess.TimeoutExpired:
                        pass
                    run.kill()
                if self.count("_dlt_loads") == before[1]:
                    self.assert_unchanged(exact_before)
                    found["before"] += 1
                else:
                    self.assertEqual(self.state(), after)
                    found["after"] += 1
                is_done = self.count("_dlt_loads") == after[1]
                waiting = self.pending()
                found["waiting"] += bool(waiting)
                if is_done and not waiting:
                    # It ended, and was only not told to anybody: the command is not given again.
                    continue
                self.load("second.jsonl", "--as", "orders", *command)
                rows, loads, tables = self.state()
                self.assertEqual(rows, after[0])
                self.assertEqual(tables, after[2])
                # A merge of a kept package and then of the same file is two loads with one result; an append must be one.
                if not command:
                    self.assertEqual(loads, after[1])
                self.assert_no_leftovers()
        print(f"{self.id()}: {found}", flush=True)
        self.assertGreater(found["before"], 0, "no kill came early enough to disturb anything")

    def test_append(self):
        self.run_killed_at(MOMENTS, [])

    def test_merge(self):
        self.run_killed_at(MOMENTS, ["--disposition", "merge", "--key", "id"])


if __name__ == "__main__":
    main()
