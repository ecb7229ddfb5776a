"""Runs the tipple program as a user does, and looks at what it left behind with the duckdb package.

Environment: TIPPLE_BINARY (the program), TIPPLE_SANITIZE (not empty: built with a sanitizer), TIPPLE_LONG_TESTS (not empty: take your time).
"""

import dataclasses
import fcntl
import http.server
import json
import os
import pathlib
import pty
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

import duckdb

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

import files_dataset  # noqa: E402

BINARY = os.environ.get("TIPPLE_BINARY", str(pathlib.Path(__file__).parents[2] / "build/release/bin/tipple"))
IS_SANITIZED = bool(os.environ.get("TIPPLE_SANITIZE"))
IS_LONG = bool(os.environ.get("TIPPLE_LONG_TESTS"))

# Nothing here decides by time: a program that takes longer than this hangs.
HANGS_AFTER_SECONDS = 300

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_DATA = 3
EXIT_TRANSIENT = 4
EXIT_REMOTE = 5
EXIT_CORRUPT = 6
EXIT_PARTIAL = 7
EXIT_LOCKED = 9
EXIT_LOCAL = 10
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

SYSTEM_TABLES = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    def events(self):
        """What `--json` printed: stdout holds nothing but one JSON object per line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def finished(self):
        """The one event that ends a run."""
        found = [event for event in self.events() if event["event"] == "run.finished"]
        assert len(found) == 1, f"not exactly one run.finished: {self.out}"
        assert found[0] == self.events()[-1], f"something follows run.finished: {self.out}"
        return found[0]


def clean_environment(changes=None):
    """Ours, without what would change what the program prints or where it writes."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TIPPLE_") and name not in ("CI", "NO_COLOR", "CLICOLOR_FORCE", "XDG_DATA_HOME", "GITHUB_ACTIONS")
    }
    environment["LC_ALL"] = "C.UTF-8"
    environment["TERM"] = "dumb"
    for name, value in (changes or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


class Run:
    """A program that is running, fed and watched step by step. Killed when the block ends before it did."""

    def __init__(self, arguments, folder, env=None, stdin=subprocess.PIPE, preexec=None):
        self.process = subprocess.Popen(
            [BINARY, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=clean_environment(env),
            preexec_fn=preexec,
        )
        self.err_read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass

    def feed(self, data):
        """Returns when the program has read all but what fits into the pipe."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, text):
        """Returns when the program has said this on stderr."""
        while text.encode() not in self.err_read:
            ready, _, _ = select.select([self.process.stderr], [], [], HANGS_AFTER_SECONDS)
            part = os.read(self.process.stderr.fileno(), 65536) if ready else b""
            assert part, f'never said "{text}": {self.err_read.decode(errors="replace")}'
            self.err_read += part

    def send(self, which):
        self.process.send_signal(which)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends its input and waits for its end."""
        out, err = self.process.communicate(timeout=HANGS_AFTER_SECONDS)
        return Result(self.process.returncode, out.decode(), (self.err_read + err).decode(errors="replace"))


class Case(unittest.TestCase):
    maxDiff = 10_000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tipple-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data_folder = self.folder / "data"
        self.database = self.folder / "shop.duckdb"
        self.destination = self.database.name
        self.has_loaded_after_failure = False

    # ---- files ----

    def path(self, name):
        return self.folder / name

    def write(self, name, content):
        """A file with this content: text, bytes, or a list of records that become JSON lines. Returns its name, for the command line."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(record) + "\n" for record in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    # ---- others ----

    def serve_json(self, answer):
        """The URL of a server that answers every request with the JSON of `answer(path)`, until the test ends."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = self.enterContext(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    # ---- the program ----

    def arguments(self, arguments):
        return ["--data-dir", str(self.data_folder), *map(str, arguments)]

    def tipple(self, *arguments, expect=EXIT_DONE, input=b"", env=None, preexec=None, data_folder=True):
        """Runs the program to its end in the test's folder. `expect` is the exit code it must end with. `data_folder`: the test's own."""
        process = subprocess.run(
            [BINARY, *(self.arguments(arguments) if data_folder else map(str, arguments))],
            input=input.encode() if isinstance(input, str) else input,
            capture_output=True,
            cwd=self.folder,
            env=clean_environment(env),
            preexec_fn=preexec,
            timeout=HANGS_AFTER_SECONDS,
        )
        result = Result(process.returncode, process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace"))
        if expect is not None and result.code != expect:
            self.fail(f"exit code {result.code}, not {expect}: tipple {' '.join(map(str, arguments))}\n{result.out}{result.err}")
        self.assertNotIn("defect", result.err)
        return result

    def on_terminal(self, *arguments, env=None, columns=0):
        """What a person sees: the program's stdout and stderr are a terminal, of so many columns when that matters."""
        main_end, program_end = pty.openpty()
        if columns:
            fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            [BINARY, *self.arguments(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=program_end,
            stderr=program_end,
            cwd=self.folder,
            env=clean_environment({"TERM": "xterm", **(env or {})}),
        )
        os.close(program_end)
        shown = b""
        while True:
            try:
                part = os.read(main_end, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(main_end)
        self.assertEqual(process.wait(), EXIT_DONE, shown)
        return shown.decode(errors="replace")

    def load(self, *arguments, **options):
        """`tipple load ARGUMENTS`, into the test's database when no other is named."""
        names_database = any(str(argument).endswith((".duckdb", "/")) or str(argument).startswith("file://") for argument in arguments)
        arguments = list(arguments)
        if not names_database:
            flags = next((at for at, argument in enumerate(arguments) if str(argument).startswith("--")), len(arguments))
            arguments.insert(flags, self.destination)
        return self.tipple("load", *arguments, **options)

    def start(self, *arguments, **options):
        return Run(self.arguments(arguments), self.folder, **options)

    # ---- what it left behind ----

    def connect(self, database=None):
        """To a database file, or to tables made of the files of a folder's dataset "main"."""
        database = pathlib.Path(database or self.database)
        return files_dataset.connect(database / "main") if database.is_dir() else duckdb.connect(str(database), read_only=True)

    def query(self, sql, database=None):
        connection = self.connect(database)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def count(self, table, **options):
        return self.query(f"SELECT count(*) FROM {table}", **options)[0][0]

    def values(self, sql, **options):
        """The first column."""
        return [row[0] for row in self.query(sql, **options)]

    def columns(self, table, **options):
        """Name -> type, without the system's columns."""
        rows = self.query(f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}' ORDER BY column_index", **options)
        return {name: type_ for name, type_ in rows if not name.startswith("_dlt")}

    def tables(self, database=None):
        """`dataset.table` of all that were loaded."""
        rows = self.query("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL", database=database)
        return [f"{dataset}.{table}" if dataset != "main" else table for dataset, table in rows if table not in SYSTEM_TABLES]

    def contents(self, database=None):
        """Everything in a database, to be compared: tables, columns, rows. None when there is no file."""
        database = pathlib.Path(database or self.database)
        if not database.exists():
            return None
        connection = self.connect(database)
        try:
            found = {}
            for dataset, table in connection.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall():
                name = f'"{dataset}"."{table}"'
                columns = connection.execute(f"DESCRIBE {name}").fetchall()
                rows = connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()
                found[name] = (columns, [repr(row) for row in rows])
            return found
        finally:
            connection.close()

    def records(self, root, database=None):
        """All records of a table with what is nested in them, sorted, without the system's columns: what counts for a person. Fails when a
        nested row has no parent, an id is there twice, or a load is not recorded."""
        connection = self.connect(database)
        try:
            names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY 1").fetchall()]
            tables = {}
            for name in names:
                if name == root or name.startswith(root + "__"):
                    cursor = connection.execute(f'SELECT * FROM "{name}"')
                    columns = [column[0] for column in cursor.description]
                    tables[name] = [dict(zip(columns, row)) for row in cursor.fetchall()]
            loads = {row[0] for row in connection.execute("SELECT load_id FROM _dlt_loads").fetchall()} if "_dlt_loads" in names else set()
        finally:
            connection.close()
        return self.trees(root, tables, loads)

    def trees(self, root, tables, loads):
        """What `records` says, of rows by table and the load ids that are recorded."""
        ids = [row["_dlt_id"] for rows in tables.values() for row in rows]
        self.assertEqual(len(ids), len(set(ids)), "an id is there twice")
        nested = {}
        for name, rows in tables.items():
            for row in rows:
                if name != root:
                    nested.setdefault(row["_dlt_parent_id"], []).append((name, row["_dlt_list_idx"], row))
        attached = 0

        def tree(row):
            nonlocal attached
            below = sorted(nested.get(row["_dlt_id"], []), key=lambda entry: entry[:2])
            attached += len(below)
            values = {key: value for key, value in row.items() if not key.startswith("_dlt_") and value is not None}
            return repr((values, [(name, tree(child)) for name, _, child in below]))

        found = sorted(tree(row) for row in tables.get(root, []))
        self.assertEqual(attached, sum(len(rows) for name, rows in tables.items() if name != root), "a nested row has no parent, or two")
        self.assertLessEqual({row["_dlt_load_id"] for row in tables.get(root, [])}, loads, "rows of a load that is not recorded")
        return found

    def pending(self):
        """Load ids of the packages that wait."""
        return sorted(path.name for path in self.data_folder.glob("pipelines/*/packages/*") if not path.name.startswith("."))

    def unprivileged(self):
        """For `preexec`: the program runs as somebody who is not root, in a data folder of its own. Skips the test where that cannot be done."""
        if os.geteuid() != 0:
            return None
        nobody = 65534

        def become_nobody():
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)

        try:
            subprocess.run([BINARY, "--version"], preexec_fn=become_nobody, check=True, capture_output=True, timeout=HANGS_AFTER_SECONDS)
        except (OSError, subprocess.SubprocessError):
            self.skipTest("the program cannot be run as another user here")
        self.folder.chmod(0o755)
        self.data_folder.mkdir(exist_ok=True)
        for path in [self.data_folder, *self.data_folder.rglob("*")]:
            os.chown(path, nobody, nobody)
        return become_nobody

    def assert_unchanged(self, before):
        """The destination is exactly what it was: `before` is what `contents` gave."""
        after = self.contents()
        self.assertEqual(None if before is None else list(before), None if after is None else list(after))
        self.assertEqual(before, after)

    def assert_load_fails(self, *arguments, expect, says=(), **options):
        """The load ends with that exit code, says all of `says`, leaves the destination as it was, and does not stand in the next one's way."""
        before = self.contents()
        result = self.load(*arguments, expect=expect, **options)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, result.err)
        self.assert_unchanged(before)
        self.assert_no_leftovers()
        if self.has_loaded_after_failure:
            return result
        # Once per test is enough.
        self.has_loaded_after_failure = True
        self.write("after.jsonl", [{"works": True}])
        self.load("after.jsonl", "--as", "after_failure", "--disposition", "replace")
        self.assertEqual(self.count("after_failure"), 1)
        return result

    def assert_no_leftovers(self):
        """Nothing of an unfinished load lies in the data folder."""
        for pipeline in (self.data_folder / "pipelines").glob("*"):
            names = {path.name for path in pipeline.iterdir()}
            self.assertLessEqual(names, {"packages", "finished", "lock", "inputs.json", "columns.jsonl", "temp", "runs"}, f"in {pipeline}")
            for folder in ["packages", "temp"]:
                left = [path for path in (pipeline / folder).rglob("*") if path.is_file()]
                self.assertEqual(left, [], f"in {pipeline}")


def seeded_random(name):
    """Numbers that another run of the tests can repeat: set TIPPLE_TEST_SEED to the one that is printed."""
    seed = os.environ.get("TIPPLE_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"{name}: TIPPLE_TEST_SEED={seed}", flush=True)
    return random.Random(seed)


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main(verbosity=2)
