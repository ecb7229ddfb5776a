"""A place whose files come, change and go while runs read it, are killed, and run again: what is loaded equals a model.

Every record says its file, the version of the file, and how many records that version has. The ledger says which version of a file is loaded; its rows must be
those of that version, all of them, once, or where they are merged those of all its versions in their order; and what lay there unchanged through a run that ended
well must be loaded. On a folder, and on a bucket of a server of the tests' own that also fails; for each thing that may become of a file that has changed.
TIPPLE_TEST_SEED repeats what is done, not at which moment.
"""

import hashlib
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fault"))

from killpoint import Killpoint, Point  # noqa: E402
from tipple_cli import IS_LONG, IS_SANITIZED, Case, main, seeded_random  # noqa: E402

import s3_server  # noqa: E402

ROUNDS = 200 if IS_LONG else 10
# More than most runs make, so that some of them are not killed.
CALLS_MAX = 160

PROJECT = """
version = 1
[connection.drops]
uri = "{uri}"
[pipeline.p]
source = "drops"
destination = "{database}"
dataset = "main"
[pipeline.p.resources.t]
glob = "**/*.jsonl"
{policy}
{more}
"""
# What becomes of changed files.
POLICIES = {
    "ignore": 'on_change = "ignore"',
    "reload": 'on_change = "reload"',
    "merge": 'disposition = "merge"\nprimary_key = ["name", "n"]',
}
SETTINGS = ["", "max_files = 2", 'order = "modified"', 'checkpoint = 5\norder = "modified"', 'on_bad_file = "skip"']


class FolderPlace:
    def __init__(self, folder):
        self.root = folder / "drops"
        self.root.mkdir()
        self.uri = "drops/"
        self.prefix = str(self.root.resolve()) + "/"
        self.environment = {}

    def put(self, name, text):
        """The version as the ledger writes it."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        new = path.with_name("." + path.name)
        new.write_text(text)
        info = new.stat()
        new.rename(path)
        return f"{info.st_size}-{info.st_mtime_ns}"

    def delete(self, name):
        (self.root / name).unlink()

    def disturb(self):
        """A folder has no moods."""


class BucketPlace:
    def __init__(self, server, random):
        self.server = server
        self.random = random
        server.create_bucket("drops")
        self.uri = self.prefix = "s3://drops/in/"
        self.environment = server.environment()

    def put(self, name, text):
        self.server.put("drops", "in/" + name, text.encode())
        return f"{len(text)}-{hashlib.md5(text.encode()).hexdigest()}"

    def delete(self, name):
        self.server.delete("drops", "in/" + name)

    def disturb(self):
        """What a run has to live with: an answer that says to come again, one that breaks off."""
        self.server.faults.clear()
        if self.random.random() < 0.3:
            kinds = [{"error": (503, "SlowDown")}, {"cut_after": 100}, {"reset_after": 3000}, {"reset_after": 0}]
            self.server.faults.append(s3_server.Fault("GET", "/drops*", skip=self.random.randrange(6), **self.random.choice(kinds)))


class Simulation(Case):
    def setUp(self):
        super().setUp()
        self.random = seeded_random(self.id())
        self.killpoint = Killpoint(self.path("control"))
        self.versions = {}  # name -> number of the last version
        self.there = {}  # name -> version that lies there
        self.sizes = {}  # (name, version) -> records
        self.told = {}  # (name, version as the ledger writes it) -> version

    def simulate(self, place, policy):
        self.place, self.policy = place, policy
        counts = {"done": 0, "killed": 0, "failed": 0}
        for round in range(ROUNDS):
            for _ in range(self.random.randrange(4)):
                self.change()
            more = self.random.choice(SETTINGS)
            self.project(more)
            place.disturb()
            before = dict(self.there)
            with Changes(self) as changed:
                code = self.run_once(self.random.choice(["", "", "", "moment", "call"]))
            # A file that was written to each time it was read is an error, or left out.
            self.assertIn(code, (None, 0, 7) if not changed else (None, 0, 4, 7), self.error)
            counts["done" if code == 0 else "killed" if code is None else "failed"] += 1
            loaded = {name: version for name, version in before.items() if self.there.get(name) == version and name not in changed}
            self.check(loaded if code == 0 and "max_files" not in more else {}, f"round {round}, {more!r}, {code}")
        self.project("")
        if isinstance(place, BucketPlace):
            place.server.faults.clear()
        self.tipple("run", "p", env=place.environment)
        self.check(self.there, "the end")
        self.tipple("verify", "p")
        self.assertEqual(self.pending(), [])
        print(f"{ROUNDS} rounds, {sum(self.versions.values())} versions of {len(self.versions)} files: {counts}", flush=True)

    def project(self, more):
        self.write("tipple.toml", PROJECT.format(uri=self.place.uri, database=self.database.name, policy=POLICIES[self.policy], more=more))

    def change(self):
        name = self.random.choice("abcdefgh") + self.random.choice(["", "/x", "/y"]) + ".jsonl"
        if name in self.there and self.random.random() < 0.3:
            del self.there[name]
            self.place.delete(name)
            return name
        version = self.versions[name] = self.versions.get(name, 0) + 1
        count = self.random.choice([0, 1, 3, 3, 400])
        self.sizes[name, version] = count
        records = [{"name": name, "version": version, "n": n, "of": count, "lines": [{"x": n}]} for n in range(count)]
        # Padded, so that no two versions without records are the same.
        self.told[name, self.place.put(name, "".join(json.dumps(record) + "\n" for record in records) + "\n" * version)] = version
        self.there[name] = version
        return name

    def run_once(self, kill):
        """The exit code; None when it was killed."""
        environment = dict(self.place.environment)
        if kill == "call":
            environment.update(self.killpoint.environment(Point("kill", self.random.randrange(1, CALLS_MAX), self.random.choice(["before", "middle", "after"]))))
        with self.start("run", "p", env=environment) as run:
            if kill == "moment":
                time.sleep(self.random.random() * (2 if IS_SANITIZED else 0.4))
                run.process.kill()
            result = run.finish()
        self.error = result.err
        self.assertNotIn("defect", result.err)
        return None if result.code < 0 else result.code

    def check(self, loaded, when):
        """`loaded`: files that must be, with their versions."""
        if not self.database.exists() or not self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = '_tipple_files_t'"):
            self.assertEqual(loaded, {}, when)
            return
        entries, expected = {}, {}
        for file, text, count in self.query("SELECT file, version, row_count FROM _tipple_files_t ORDER BY _dlt_load_id"):
            name = file.removeprefix(self.place.prefix)
            version = self.told[name, text]
            self.assertEqual(count, self.sizes[name, version], f"{when}: {name}")
            if self.policy != "merge":
                self.assertNotIn(name, entries, when)
            entries[name] = version
            expected.update({(name, n): version for n in range(count)})
        rows = {}
        if self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 't'"):
            for name, n, version, lines in self.query("SELECT name, n, version, (SELECT count(*) FROM t__lines WHERE _dlt_parent_id = t._dlt_id AND x = n) FROM t"):
                self.assertNotIn((name, n), rows, when)
                self.assertEqual(lines, 1, f"{when}: {name}, {n}")
                rows[name, n] = version
            self.assertEqual(self.query("SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM t__lines)"), [(0,)], when)
        self.assertEqual(rows, expected, when)
        for name, version in loaded.items():
            self.assertIn(name, entries, when)
            if self.policy != "ignore":
                self.assertEqual(entries[name], version, f"{when}: {name}")

    def on_a_bucket(self, policy):
        if not s3_server.is_available():
            self.skipTest("moto is not installed")
        with s3_server.S3Server() as server:
            self.simulate(BucketPlace(server, self.random), policy)

    def test_a_folder_whose_changes_are_ignored(self):
        self.simulate(FolderPlace(self.folder), "ignore")

    def test_a_folder_whose_changes_are_reloaded(self):
        self.simulate(FolderPlace(self.folder), "reload")

    def test_a_folder_whose_changes_are_merged(self):
        self.simulate(FolderPlace(self.folder), "merge")

    def test_a_bucket_whose_changes_are_ignored(self):
        self.on_a_bucket("ignore")

    def test_a_bucket_whose_changes_are_reloaded(self):
        self.on_a_bucket("reload")

    def test_a_bucket_whose_changes_are_merged(self):
        self.on_a_bucket("merge")


class Changes:
    """While it is entered, files change at random moments, in every second case. It is the set of their names."""

    def __init__(self, simulation):
        self.simulation = simulation
        self.changed = set()
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.keep_changing) if simulation.random.random() < 0.5 else None

    def keep_changing(self):
        while not self.ends.wait(self.simulation.random.random() * 0.05):
            self.changed.add(self.simulation.change())

    def __enter__(self):
        if self.thread is not None:
            self.thread.start()
        return self.changed

    def __exit__(self, *_):
        self.ends.set()
        if self.thread is not None:
            self.thread.join()


if __name__ == "__main__":
    main()
