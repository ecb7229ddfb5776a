"""Files that are loaded once each: the ledger of a resource, what a run reads of what is there, changed and broken files, and what dlt's watermark does."""

import http.server
import json
import os
import threading
import urllib.parse

from tipple_cli import EXIT_DATA, EXIT_DONE, EXIT_LOCAL, EXIT_PARTIAL, EXIT_TRANSIENT, EXIT_USAGE, Case, main

PROJECT = """
version = 1
[connection.local]
uri = "duckdb://{database}"
[connection.drops]
uri = "drops/"
[pipeline.p]
source = "drops"
destination = "local"
dataset = "main"
"""


class FilesCase(Case):
    settings = ['glob = "*.jsonl"']

    def setUp(self):
        super().setUp()
        (self.folder / "drops").mkdir()
        self.resource("sales", *self.settings)

    def resource(self, name, *lines, keep=False):
        text = (self.folder / "tipple.toml").read_text() if keep else PROJECT.format(database=self.database.name)
        (self.folder / "tipple.toml").write_text(text + f"[pipeline.p.resources.{name}]\n" + "\n".join(lines) + "\n")

    def drop(self, name, *ids, seconds=None, **fields):
        path = self.folder / "drops" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name("." + path.name)
        new.write_text("".join(json.dumps({"id": id, **fields}) + "\n" for id in ids))
        new.rename(path)
        if seconds is not None:
            os.utime(path, (seconds, seconds))
        return path

    def go(self, *arguments, code=EXIT_DONE):
        result = self.tipple("run", "p", "--json", *arguments, expect=code)
        return result.finished() if code in (EXIT_DONE, EXIT_PARTIAL) else result

    def files(self, *arguments):
        """How many files a run has read."""
        return self.go(*arguments)["metrics"]["sales"]["files"]

    def ids(self, table="sales"):
        return [id for (id,) in self.query(f"SELECT id FROM {table} ORDER BY id, _dlt_id")]

    def ledger(self, resource="sales"):
        return self.query(f"SELECT parse_filename(file), row_count FROM _tipple_files_{resource} ORDER BY file")


class Ledger(FilesCase):
    def test_each_file_is_loaded_once(self):
        self.drop("a.jsonl", 1, 2)
        self.drop("b.jsonl", 3)
        self.assertEqual(self.files(), 2)
        self.assertEqual(self.files(), 0)
        loads = self.query("SELECT count(*) FROM _dlt_loads")
        self.assertEqual(self.files(), 0)
        self.assertEqual(self.query("SELECT count(*) FROM _dlt_loads"), loads)
        self.assertEqual(self.ids(), [1, 2, 3])
        self.assertEqual(self.ledger(), [("a.jsonl", 2), ("b.jsonl", 1)])
        self.assertEqual(self.query("SELECT DISTINCT f._dlt_load_id = s._dlt_load_id FROM _tipple_files_sales f, sales s"), [(True,)])
        self.tipple("verify", "p")

    def test_a_run_without_new_files_says_so(self):
        self.assertIn("no records", self.tipple("run", "p").out)
        self.drop("a.jsonl", 1)
        self.files()
        self.assertIn("nothing new: 1 file was loaded before", self.tipple("run", "p").out)
        self.drop("b.jsonl")
        self.assertNotIn("nothing new", self.tipple("run", "p").out)
        self.assertIn("nothing new: 2 files were loaded before", self.tipple("run", "p").out)

    def test_a_file_that_comes_late_is_not_missed(self):
        self.drop("b.jsonl", 2, seconds=2000)
        self.files()
        self.drop("a.jsonl", 1, seconds=1000)
        self.drop("tie.jsonl", 3, seconds=2000)
        self.assertEqual(self.files(), 2)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_files_without_records_are_loaded_once_too(self):
        self.drop("a.jsonl")
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.ledger(), [("a.jsonl", 0)])
        self.assertEqual(self.files(), 0)

    def test_a_changed_file_stops_the_run_unless_something_was_said(self):
        self.drop("a.jsonl", 1, seconds=1000)
        self.files()
        self.drop("a.jsonl", 1, 2, seconds=2000)
        self.drop("b.jsonl", 3)
        error = self.go(code=EXIT_DATA).err
        self.assertIn("a.jsonl has changed since load", error)
        self.assertIn('on_change = "reload"', error)
        self.resource("sales", 'glob = "*.jsonl"', 'on_change = "ignore"')
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.ids(), [1, 3])

    def test_a_changed_file_takes_the_place_of_its_old_rows(self):
        for more in (['on_change = "reload"'], ['on_change = "reload"', 'metadata = ["_source_line"]', 'disposition = "merge"', 'primary_key = ["_source_file", "_source_line"]']):
            with self.subTest(more):
                for path in (self.folder / "drops").iterdir():
                    path.unlink()
                self.database.unlink(missing_ok=True)
                self.resource("sales", 'glob = "*.jsonl"', *more)
                self.drop("a.jsonl", 1, 2, 3, seconds=1000, lines=[{"x": 1}, {"x": 2}])
                self.drop("b.jsonl", 4, seconds=1000, lines=[{"x": 1}])
                self.assertEqual(self.files(), 2)
                self.drop("a.jsonl", 5, 2, seconds=2000, lines=[{"x": 3}], new="column")
                self.assertEqual(self.files(), 1)
                self.assertEqual(self.ids(), [2, 4, 5])
                self.assertEqual(self.query("SELECT x, count(*) FROM sales__lines GROUP BY x ORDER BY x"), [(1, 1), (3, 2)])
                self.assertEqual(self.ledger(), [("a.jsonl", 2), ("b.jsonl", 1)])
                self.drop("a.jsonl", seconds=3000)
                self.assertEqual(self.files(), 1)
                self.assertEqual(self.ids(), [4])
                self.assertEqual(self.ledger(), [("a.jsonl", 0), ("b.jsonl", 1)])
                self.assertEqual(self.files(), 0)
                self.tipple("verify", "p")

    def test_a_changed_file_is_merged_by_key(self):
        self.resource("sales", 'glob = "*.jsonl"', 'disposition = "merge"', 'primary_key = "id"')
        self.drop("a.jsonl", 1, 2, seconds=1000)
        self.assertEqual(self.files(), 1)
        self.drop("a.jsonl", 2, 3, seconds=2000, new="column")
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.files(), 0)
        self.assertEqual(self.query("SELECT id, new FROM sales ORDER BY id"), [(1, None), (2, "column"), (3, "column")])
        self.drop("a.jsonl", 1, 2, seconds=1000)
        self.assertEqual(self.files(), 1, "it is what it was, but that is not what is there")
        self.resource("sales", 'glob = "*.jsonl"', 'on_change = "merge"')
        self.assertIn('is for resources with disposition = "merge"', self.go(code=EXIT_USAGE).err)

    def test_two_resources_have_a_ledger_each(self):
        self.resource("copies", 'glob = "*.jsonl"', keep=True)
        self.drop("a.jsonl", 1)
        metrics = self.go()["metrics"]
        self.assertEqual((metrics["sales"]["files"], metrics["copies"]["files"]), (1, 1))
        self.drop("b.jsonl", 2)
        self.assertEqual(self.go("-r", "sales")["metrics"]["sales"]["files"], 1)
        self.assertEqual(self.go("-r", "copies")["metrics"]["copies"]["files"], 1)
        self.assertEqual(self.ids("sales"), self.ids("copies"))

    def test_a_file_that_is_missing_ends_the_run_of_its_resource_only(self):
        drops = f"file://{self.folder}/drops"
        self.resource("sales", f'paths = "{drops}/a.jsonl"')
        self.resource("orders", f'paths = "{drops}/b.jsonl"', keep=True)
        self.drop("a.jsonl", 1)
        self.assertEqual(self.files("-r", "sales"), 1)
        self.assertEqual(self.ids(), [1])
        for arguments in ([], ["-r", "orders"]):
            self.assertIn(f'there is no file "{self.folder}/drops/b.jsonl"', self.go(*arguments, code=EXIT_USAGE).err)

    def test_a_file_that_two_patterns_fit_is_loaded_once(self):
        for drops in ("", f"file://{self.folder}/drops/"):
            with self.subTest(drops):
                self.database.unlink(missing_ok=True)
                self.resource("sales", f'paths = ["{drops}a.jsonl", "{drops}*.jsonl"]')
                self.drop("a.jsonl", 1)
                self.drop("b.jsonl", 2)
                self.assertEqual(self.files(), 2)
                self.assertEqual(self.ids(), [1, 2])

    def test_places_are_named_without_secrets(self):
        self.resource("sales", 'paths = ["https://me:hidden@a.example/x.csv?token=hidden", "https://b.example/x.csv"]')
        error = self.go(code=EXIT_USAGE).err
        self.assertIn("reads files of several places", error)
        self.assertIn("a.example/x.csv", error)
        self.assertNotIn("hidden", error)

    def test_runs_that_take_a_few_files_each(self):
        self.resource("sales", 'glob = "*.jsonl"', 'order = "modified"', "max_files = 2")
        for number in range(5):
            self.drop(f"{number}.jsonl", number, seconds=9000 - number)
        self.assertEqual([self.files() for _ in range(4)], [2, 2, 1, 0])
        first = self.query("SELECT id FROM sales WHERE _dlt_load_id = (SELECT min(load_id) FROM _dlt_loads) ORDER BY id")
        self.assertEqual(first, [(3,), (4,)])
        self.assertEqual(self.ids(), [0, 1, 2, 3, 4])

    def test_runs_that_take_a_few_bytes_each(self):
        self.resource("sales", 'glob = "*.jsonl"', "max_bytes = 25")
        for name in "abcd":
            self.drop(f"{name}.jsonl", 1)
        self.drop("big.jsonl", *range(100))
        self.assertEqual([self.files() for _ in range(5)], [2, 1, 2, 0, 0])

    def test_checkpoints_lie_between_files(self):
        # More than are read ahead: what is due is known only when records have been counted.
        for number in range(100):
            self.drop(f"{number}.jsonl", number, 100 + number)
        finished = self.go("--checkpoint", "60")
        self.assertGreater(len(finished["loads"]), 1)
        self.assertEqual(len(self.ids()), 200)
        split = self.query("SELECT f.file FROM _tipple_files_sales f JOIN sales s ON s.id % 100 = CAST(parse_filename(f.file, true) AS INT) AND s._dlt_load_id <> f._dlt_load_id")
        self.assertEqual(split, [])
        self.assertEqual(self.files(), 0)

    def test_a_broken_file_ends_the_run(self):
        self.drop("a.jsonl", 1)
        (self.folder / "drops/b.jsonl").write_text('{"id": 2}\n{"id": \n')
        self.drop("c.jsonl", 3)
        self.assertIn("b.jsonl:2", self.go(code=EXIT_DATA).err)
        self.assertIn("b.jsonl:2", self.go(code=EXIT_DATA).err)
        self.assertFalse(self.database.exists() and self.query("SELECT * FROM duckdb_tables() WHERE table_name = 'sales'"))

    def test_a_broken_file_is_left_out_and_tried_again(self):
        self.resource("sales", 'glob = "*"', 'on_bad_file = "skip"')
        self.drop("a.jsonl", 1)
        (self.folder / "drops/b.jsonl").write_text('{"id": 2, "only_b": [1]}\n{"id": \n')
        (self.folder / "drops/c.csv").write_bytes(b"\x1f\x8b\x08\x00broken")
        (self.folder / "drops/d.parquet").write_bytes(b"PAR1 and no more")
        self.drop("e.jsonl", 3)
        finished = self.go(code=EXIT_PARTIAL)
        self.assertEqual([os.path.basename(bad["path"]) for bad in finished["bad_files"]], ["b.jsonl", "c.csv", "d.parquet"])
        self.assertEqual(self.ids(), [1, 3])
        self.assertEqual(self.ledger(), [("a.jsonl", 1), ("e.jsonl", 1)])
        self.assertEqual(self.query("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'sales\\_\\_%' ESCAPE '\\'"), [])
        self.assertEqual(self.go(code=EXIT_PARTIAL)["bad_file_count"], 3)
        self.drop("b.jsonl", 2)
        (self.folder / "drops/c.csv").write_text("id\n4\n")
        (self.folder / "drops/d.parquet").unlink()
        self.assertEqual(self.files(), 2)
        self.assertEqual(self.ids(), [1, 2, 3, 4])

    def test_what_is_wrong_with_the_machine_ends_the_run(self):
        self.resource("sales", 'glob = "*.jsonl"', 'on_bad_file = "skip"')
        self.drop("a.jsonl", 1)
        # Its first bytes cannot be read: an input/output error, as of a disk that fails.
        (self.folder / "drops/b.jsonl").symlink_to("/proc/self/mem")
        self.assertIn("b.jsonl", self.go(code=EXIT_LOCAL).err)
        self.assertFalse(self.database.exists() and self.query("SELECT * FROM duckdb_tables() WHERE table_name = 'sales'"))

    def test_undo_takes_the_entries_along(self):
        self.drop("a.jsonl", 1)
        self.go()
        self.drop("b.jsonl", 2)
        middle = self.go()["loads"][0]
        self.drop("c.jsonl", 3)
        self.go()
        self.tipple("undo", "p", middle, "--yes")
        self.assertEqual(self.ids(), [1, 3])
        self.assertEqual(self.ledger(), [("a.jsonl", 1), ("c.jsonl", 1)])
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_what_begins_anew_begins_with_all_files(self):
        self.drop("a.jsonl", 1)
        self.drop("b.jsonl", 2)
        self.files()
        for again in (["--full-refresh"], ["--refresh", "drop_data"]):
            with self.subTest(again):
                self.assertEqual(self.files(*again), 2)
                self.assertEqual(self.ids(), [1, 2])
                self.assertEqual(self.files(), 0)
        self.resource("sales", 'glob = "*.jsonl"', 'disposition = "replace"', 'state = "ledger"')
        self.assertEqual([self.files(), self.files()], [2, 2])
        self.assertEqual(self.ids(), [1, 2])
        self.resource("sales", 'glob = "*.jsonl"')
        self.assertEqual(self.files(), 0)
        self.tipple("drop", "p", "sales", "--yes")
        self.assertEqual(self.files(), 2)
        self.assertEqual(self.ids(), [1, 2])

    def test_what_does_not_go_together(self):
        for lines, part in (
            (['cursor = "id"', 'state = "ledger"'], "would lie before the cursor"),
            (['state = "none"', 'on_change = "ignore"'], 'on_change needs state = "ledger"'),
            (['state = "none"', "max_files = 1"], "max_files"),
            (['state = "ledgre"'], 'did you mean "ledger"?'),
            (['on_bad_file = "skip"', 'cursor = "id"'], "cannot be together with a cursor"),
            (['on_bad_file = "skip"', 'state = "watermark"'], 'use state = "ledger"'),
            (['order = "name"', 'state = "watermark"'], "files that are older than one that was loaded would never be read"),  # F12
        ):
            with self.subTest(lines):
                self.resource("sales", 'glob = "*.jsonl"', *lines)
                self.drop("a.jsonl", 1)
                self.assertIn(part, self.go(code=EXIT_USAGE).err)
        self.resource("sales", 'glob = "*.jsonl"')
        self.assertIn("give it max_files or max_bytes", self.go("--limit", "1", code=EXIT_USAGE).err)
        self.go("--limit", "1", "--dry-run")

    def test_replaced_tables_and_loads_of_paths_have_no_ledger(self):
        self.resource("sales", 'glob = "*.jsonl"', 'disposition = "replace"')
        self.drop("a.jsonl", 1)
        self.go()
        self.go()
        self.assertEqual(self.ids(), [1])
        self.load("drops/a.jsonl", "--as", "loaded")
        self.assertEqual(self.query("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%files%'"), [])

    def test_check_says_what_is_there(self):
        self.drop("a.jsonl", 1, seconds=1000)
        self.drop("b.jsonl", 2, seconds=2000)
        self.assertRegex(self.tipple("check", "p").out, r"sales +2 files match, 20 B; the newest is .*/drops/b.jsonl; a run reads 2 now: 2 new\n")
        self.assertFalse(self.database.exists())

    def test_check_says_what_a_run_would_read(self):
        def said():
            return self.tipple("check", "p").out.split("; a run reads ")[1].split("\n")[0]

        self.resource("sales", 'glob = "*.jsonl"', 'on_change = "reload"')
        for number in (1, 2, 3):
            self.drop(f"{number}.jsonl", number, seconds=1000 * number)
        self.files()
        self.assertEqual(said(), "0 now: 0 new")
        self.drop("early.jsonl", 4, seconds=1500)
        self.drop("earlier.jsonl", 5, seconds=500)
        self.drop("new.jsonl", 6, seconds=4000)
        self.assertEqual(said(), "3 now: 3 new, 2 of them late (older than what was loaded)")
        self.drop("1.jsonl", 1, 11, seconds=5000)
        new = "3 new, 2 of them late (older than what was loaded); 1 "
        for more, expected in (("", f"3 now: {new}has changed, which ends a run (on_change)"), ('on_change = "ignore"', f"3 now: {new}has changed and is ignored (on_change)"),
                               ('on_change = "reload"', f"4 now: {new}changed"), ('on_change = "reload"\nmax_files = 3', f"3 now: {new}changed; 1 is left for later runs (max_files, max_bytes)")):
            with self.subTest(more):
                self.resource("sales", 'glob = "*.jsonl"', more)
                self.assertEqual(said(), expected)
        # It is what then happens.
        self.assertEqual(self.files(), 3)
        self.assertEqual(said(), "1 now: 1 new, 1 of them late (older than what was loaded)")
        self.resource("sales", 'glob = "*.jsonl"', 'state = "none"')
        self.assertEqual(said(), "all of them")


    def test_check_asks_a_folder_of_files_too(self):
        self.write("tipple.toml", PROJECT.replace("duckdb://{database}", "lake/") + '[pipeline.p.resources.sales]\nglob = "*.jsonl"\n')
        self.drop("b.jsonl", 1, seconds=2000)
        self.files()
        self.drop("a.jsonl", 2, seconds=1000)
        self.assertIn("; a run reads 1 now: 1 new, 1 of them late (older than what was loaded)\n", self.tipple("check", "p").out)


class Watermark(FilesCase):
    """What the reference does, on demand."""

    settings = ['glob = "**/*.jsonl"', 'state = "watermark"']

    def slot(self):
        state = json.loads(self.tipple("state", "get", "p", "resources.sales").out)
        return state["incremental"]["modification_date"]

    def test_each_file_is_loaded_once(self):
        self.drop("a.jsonl", 1, seconds=1000)
        self.drop("b.jsonl", 2, seconds=2000)
        self.assertEqual([self.files(), self.files()], [2, 0])
        # A time, as the reference marks it in a state.
        self.assertEqual(self.slot()["last_value"], "\uf0271970-01-01T00:33:20+00:00")
        self.assertEqual(len(self.slot()["unique_hashes"]), 1)

    def test_a_file_that_comes_late_is_not_missed(self):
        self.drop("a.jsonl", 1, seconds=1000)
        self.drop("b.jsonl", 2, seconds=2000)
        self.files()
        self.drop("late.jsonl", 3, seconds=1500)
        self.assertEqual(self.files(), 0)
        self.drop("tie.jsonl", 4, seconds=2000)
        self.assertEqual(self.files(), 1)
        self.drop("a.jsonl", 1, seconds=3000)
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.ids(), [1, 1, 2, 4])

    def test_runs_that_take_a_few_files_each(self):
        self.resource("sales", 'glob = "*.jsonl"', 'state = "watermark"', "max_files = 1")
        for number in range(4):
            self.drop(f"{number}.jsonl", number, seconds=9000 - number)
        self.assertEqual([self.files() for _ in range(5)], [1, 1, 1, 1, 0])
        self.assertEqual(self.ids(), [0, 1, 2, 3])

    def test_resources_do_not_hide_files_from_each_other(self):
        """F10: the second one has older files, and the first one's time is later."""
        self.resource("sales", 'glob = "new/*.jsonl"', 'state = "watermark"')
        self.resource("old", 'glob = "old/*.jsonl"', 'state = "watermark"', keep=True)
        self.drop("new/a.jsonl", 1, seconds=2000)
        self.drop("old/b.jsonl", 2, seconds=1000)
        metrics = self.go()["metrics"]
        self.assertEqual((metrics["sales"]["files"], metrics["old"]["files"]), (1, 1))
        self.drop("old/c.jsonl", 3, seconds=1500)
        metrics = self.go()["metrics"]
        self.assertEqual((metrics["sales"]["files"], metrics["old"]["files"]), (0, 1))
        self.assertEqual((self.ids(), self.ids("old")), ([1], [2, 3]))

    def test_another_name_begins_anew(self):
        self.drop("a.jsonl", 1, seconds=1000)
        self.go()
        self.resource("sales2", 'glob = "*.jsonl"', 'state = "watermark"')
        self.assertEqual(self.go()["metrics"]["sales2"]["files"], 1)


class KeyServer(http.server.ThreadingHTTPServer):
    """Serves files by the parameter `key`, whose value counts as a secret."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            (key,) = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["key"]
            body = json.dumps({"id": key}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{key}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, key):
        return f"http://127.0.0.1:{self.server_port}/dl?key={key}"


class ChangingServer(http.server.ThreadingHTTPServer):
    """Serves files that get one line more: `/late/…` after each answer that holds it, `/early/…` between the look at it and the answer, others never.
    `/secret/…` is refused, and `/away/…` fails when it is read."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            place = self.path.split("/")[1]
            version = self.server.versions.get(self.path, 0)
            is_read = self.command == "GET"
            if is_read and not self.server.is_quiet and place in ("early", "late"):
                self.server.versions[self.path] = version + 1
                version += place == "early"
            tag = f'"{version}"'
            body = (json.dumps({"id": self.path.split("/")[-1]}) + "\n").encode() * (1 + version)
            status = 200
            if self.headers.get("If-Match", tag) != tag:
                status = 412
            if place == "secret":
                status = 403
            if place == "away" and is_read:
                status = 503
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            if is_read:
                self.wfile.write(body)

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.versions = {}
        self.is_quiet = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"


class WaitingServer(http.server.ThreadingHTTPServer):
    """Gives one half of /a, and the other when somebody has asked for /b."""

    HALF = 100_000

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            name = self.path.strip("/")
            half = (json.dumps({"id": name}) + "\n").encode() * self.server.HALF
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(half)))
            self.send_header("ETag", f'"{name}"')
            self.end_headers()
            if self.command == "HEAD":
                return
            if name == "b":
                self.server.is_b_wanted.set()
            self.wfile.write(half)
            if name == "a":
                self.server.has_waited_in_vain = not self.server.is_b_wanted.wait(30)
            self.wfile.write(half)

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.is_b_wanted = threading.Event()
        self.has_waited_in_vain = None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"


class FilesOfTheWeb(FilesCase):
    def serve(self, server):
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def paths(self, *urls):
        return [f"paths = {json.dumps(urls)}", 'format = "jsonl"']

    def test_the_next_file_is_asked_for_while_one_is_read(self):
        server = self.serve(WaitingServer())
        self.resource("sales", *self.paths(*(server.url(name) for name in "abc")))
        self.assertEqual(self.files(), 3)
        self.assertIs(server.has_waited_in_vain, False)
        self.assertEqual(self.query("SELECT id, count(*) FROM sales GROUP BY id ORDER BY id"), [(name, 2 * WaitingServer.HALF) for name in "abc"])

    def test_a_file_that_changes_all_the_time_is_left_out(self):
        server = self.serve(ChangingServer())
        for place, said in (("late", "was written to each of the 3 times it was read"), ("early", "has changed while it was read")):
            with self.subTest(place):
                urls = [server.url("a"), server.url(f"{place}/b"), server.url("c")]
                self.resource(place, *self.paths(*urls))
                self.assertIn(said, self.go(code=EXIT_TRANSIENT).err)
                self.resource(place, *self.paths(*urls), 'on_bad_file = "skip"')
                (bad,) = self.go(code=EXIT_PARTIAL)["bad_files"]
                self.assertEqual(bad["path"], urls[1])
                self.assertIn(said, bad["error"])
                self.assertEqual(self.ids(place), ["a", "c"])
                server.is_quiet = True
                self.go()
                server.is_quiet = False
                self.assertEqual(set(self.ids(place)), {"a", "b", "c"})

    def test_a_store_that_is_away_ends_the_run_also_where_bad_files_are_left_out(self):
        server = self.serve(ChangingServer())
        self.resource("sales", *self.paths(server.url("a"), server.url("away/b")), 'on_bad_file = "skip"')
        self.assertIn("503", self.go(code=EXIT_TRANSIENT).err)

    def test_what_is_wrong_with_urls_of_another_resource_is_its_own(self):
        server = self.serve(ChangingServer())
        keys = self.serve(KeyServer())
        secrets = [keys.url("first"), keys.url("second")]
        for url, others, said in ((server.url("a"), [server.url("secret")], "403"), (keys.url("a"), secrets, 'resource "others": ')):
            with self.subTest(said):
                self.resource("sales", *self.paths(url))
                self.resource("others", *self.paths(*others), keep=True)
                self.files("-r", "sales", "--full-refresh")
                self.assertEqual(self.ids(), ["a"])
                self.assertIn(said, self.go(code=None).err)

    def test_urls_that_differ_only_in_what_is_secret(self):
        server = KeyServer()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.resource("sales", f'paths = ["{server.url("first")}", "{server.url("second")}"]', 'format = "jsonl"')
        error = self.go(code=EXIT_USAGE).err
        self.assertIn("put them into different resources", error)
        self.assertNotIn("second", error)
        # A ledger knows the files of its own resource alone.
        self.resource("sales", f'paths = ["{server.url("first")}"]', 'format = "jsonl"')
        self.resource("more", f'paths = ["{server.url("second")}"]', 'format = "jsonl"', keep=True)
        self.assertEqual(self.files(), 1)
        self.assertEqual((self.ids(), self.ids("more")), (["first"], ["second"]))


if __name__ == "__main__":
    main()
