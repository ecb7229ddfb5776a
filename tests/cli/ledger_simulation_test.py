"""A place whose files come, change and go while runs read it, are killed, and run again: what is loaded equals a model.

Every record says its file, the version of the file, and how many records that version has. A file's rows must be those of one version that was there, all of
them, once; and what lay there unchanged through a run that ended well must be loaded. On a folder, and on a bucket of a server of the tests' own.
"""

import json
import os
import random
import sys
import threading
import time

from tipple_cli import IS_LONG, IS_SANITIZED, Case, main

import s3_server  # noqa: E402

ROUNDS = 200 if IS_LONG else 20
SEED = int(os.environ.get("TIPPLE_SEED", random.randrange(1 << 31)))

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
on_change = "ignore"
{more}
"""


class FolderPlace:
    def __init__(self, folder):
        self.root = folder / "drops"
        self.root.mkdir()
        self.uri = "drops/"
        self.environment = {}

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        new = path.with_name("." + path.name)
        new.write_text(text)
        new.rename(path)

    def delete(self, name):
        (self.root / name).unlink()


class BucketPlace:
    def __init__(self, server):
        self.server = server
        server.create_bucket("drops")
        self.uri = "s3://drops/in/"
        self.environment = server.environment()

    def put(self, name, text):
        self.server.put("drops", "in/" + name, text.encode())

    def delete(self, name):
        self.server.delete("drops", "in/" + name)


class Simulation(Case):
    def simulate(self, place, rounds):
        print(f"seed {SEED}", file=sys.stderr)
        self.random = random.Random(SEED)
        self.place = place
        self.versions = {}  # name -> number of the last version
        self.there = {}  # name -> version that lies there
        self.sizes = {}  # (name, version) -> records
        for round in range(rounds):
            for _ in range(self.random.randrange(4)):
                self.change()
            more = self.random.choice(["", "max_files = 2", 'order = "modified"', 'checkpoint = 5\norder = "modified"', 'on_bad_file = "skip"'])
            self.write("tipple.toml", PROJECT.format(uri=place.uri, database=self.database.name, more=more))
            before = dict(self.there)
            if self.random.random() < 0.4:
                self.run_and_kill()
            else:
                changed = self.run_while_it_changes()
                unchanged = {name for name, version in before.items() if self.there.get(name) == version and name not in changed}
                self.check(unchanged if "max_files" not in more else set(), f"round {round}")
                continue
            self.check(set(), f"round {round}, killed")
        self.write("tipple.toml", PROJECT.format(uri=place.uri, database=self.database.name, more=""))
        self.tipple("run", "p", env=place.environment)
        self.check(set(self.there), "the end")
        self.tipple("verify", "p")

    def change(self):
        name = self.random.choice("abcdefgh") + self.random.choice(["", "/x", "/y"]) + ".jsonl"
        if name in self.there and self.random.random() < 0.3:
            del self.there[name]
            self.place.delete(name)
            return name
        version = self.versions[name] = self.versions.get(name, 0) + 1
        count = self.random.choice([0, 1, 3, 3, 400])
        self.sizes[name, version] = count
        # Padded, so that two versions never have one size at one time.
        records = [{"name": name, "version": version, "n": n, "of": count, "lines": [{"x": n}]} for n in range(count)]
        self.place.put(name, "".join(json.dumps(record) + "\n" for record in records) + "\n" * version)
        self.there[name] = version
        return name

    def run_and_kill(self):
        with self.start("run", "p", env=self.place.environment) as run:
            time.sleep(self.random.random() * (2 if IS_SANITIZED else 0.4))
            run.kill()

    def run_while_it_changes(self):
        changed = set()
        ends = threading.Event()

        def keep_changing():
            while not ends.wait(self.random.random() * 0.05):
                changed.add(self.change())

        thread = threading.Thread(target=keep_changing)
        if self.random.random() < 0.5:
            thread.start()
        result = self.tipple("run", "p", env=self.place.environment, expect=None)
        ends.set()
        if thread.ident is not None:
            thread.join()
        # A file that was written to each time it was read is an error, or left out.
        self.assertIn(result.code, (0, 7) if not changed else (0, 4, 7), result.err)
        return changed if result.code == 0 else changed | set(self.there)

    def check(self, loaded, when):
        if not self.database.exists() or not self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = '_tipple_files_t'"):
            self.assertFalse(loaded & set(self.there), when)
            return
        prefix = self.place.uri if "://" in self.place.uri else str(self.place.root.resolve()) + "/"
        entries = {file.removeprefix(prefix): rows for file, rows in self.query("SELECT file, row_count FROM _tipple_files_t")}
        self.assertEqual(len(entries), self.query("SELECT count(*) FROM _tipple_files_t")[0][0], when)
        rows = []
        if self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 't'"):
            rows = self.query("SELECT name, min(version), max(version), count(*), count(DISTINCT n), max(\"of\") FROM t GROUP BY name")
            self.assertEqual(self.query("SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM t__lines)"), [(0,)], when)
        for name, oldest, newest, count, different, of in rows:
            self.assertEqual((oldest, count, different), (newest, of, of), f"{when}: {name}")
            self.assertEqual(entries[name], count, f"{when}: {name}")
        for name, count in entries.items():
            self.assertIn(count, {size for (file, _), size in self.sizes.items() if file == name}, f"{when}: {name}")
            self.assertEqual(count, dict((row[0], row[3]) for row in rows).get(name, 0), f"{when}: {name}")
        self.assertEqual(loaded - set(entries), set(), when)

    def test_a_folder(self):
        self.simulate(FolderPlace(self.folder), ROUNDS)

    def test_a_bucket(self):
        if not s3_server.is_available():
            self.skipTest("moto is not installed")
        with s3_server.S3Server() as server:
            self.simulate(BucketPlace(server), ROUNDS)


if __name__ == "__main__":
    main()
