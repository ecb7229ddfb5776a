"""Runs the programs of examples/: examples_run_test.py FOLDER_OF_PROGRAMS.

The shop is a real HTTP server started here, whose orders change between runs.
"""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

PROGRAMS = None


class Shop(http.server.BaseHTTPRequestHandler):
    """Gives orders in the order of their last change, two a page."""

    def do_GET(self):
        shop = self.server
        since = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["since"][0]
        shop.asked.append(since)
        orders = sorted((order for order in shop.orders if order["updated_at"] >= since), key=lambda order: order["updated_at"])
        if shop.fails_after is not None and len(shop.asked) > shop.fails_after:
            self.send_response(503)
            self.end_headers()
            return
        body = json.dumps(orders[:2]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if len(orders) > 2:
            self.send_header("Next-Since", orders[2]["updated_at"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Examples(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = os.path.realpath(self.temporary.name)

    def run_program(self, name, *arguments, code=0, environment=None):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TIPPLE_")}
        result = subprocess.run([os.path.join(PROGRAMS, name), *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120,
                                env={**kept, "HOME": self.folder, "NO_COLOR": "1", **(environment or {})})
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def query(self, database, sql):
        text = self.run_program("tipple", "query", database, sql, "-o", "csv").stdout
        return [line.split(",") for line in text.strip().split("\n")[1:]]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def start_shop(self):
        if not os.path.exists(os.path.join(PROGRAMS, "example_shop")):
            self.skipTest("example_shop was not built: cpp-httplib is missing")
        shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
        shop.asked, shop.fails_after = [], None
        shop.orders = [{"id": i, "updated_at": f"2024-01-0{i}", "total": i * 10} for i in range(1, 6)]
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        self.addCleanup(shop.server_close)
        self.addCleanup(shop.shutdown)
        self.shop = shop
        self.load = ("load", "shop", "orders.duckdb", "--option", f"url=http://127.0.0.1:{shop.server_address[1]}")

    def test_shop_goes_on_from_its_cursor(self):
        self.start_shop()
        self.run_program("example_shop", *self.load)
        self.assertEqual(self.shop.asked, ["2024-01-01", "2024-01-03", "2024-01-05"])
        self.shop.asked.clear()
        self.shop.orders[1].update(updated_at="2024-02-01", total=99)
        self.run_program("example_shop", *self.load)
        self.assertEqual(self.shop.asked, ["2024-01-05"])
        self.assertEqual(self.query("orders.duckdb", "SELECT id, total FROM orders ORDER BY id"),
                         [["1", "10"], ["2", "99"], ["3", "30"], ["4", "40"], ["5", "50"]])

    def test_the_description_is_shown(self):
        self.start_shop()
        self.run_program("example_shop", *self.load)
        self.assertIn("\nOrders and customers of the web shop.\n", self.run_program("tipple", "schema", "orders.duckdb").stdout)
        self.assertRegex(self.run_program("tipple", "show", "orders.duckdb").stdout, r"\ndescription +Orders and customers of the web shop\.\n")
        self.assertRegex(self.run_program("tipple", "show", "orders.duckdb").stdout, r"\nschema +shop\n")

    def test_completion_is_that_of_the_program(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.run_program("example_outbox", "completion", shell).stdout
            self.assertIn("example_outbox", script)
            self.assertNotIn("tipple", script)

    def test_what_it_remembers_is_looked_at_and_taken_away(self):
        self.start_shop()
        self.run_program("example_shop", *self.load)
        last = ("state", "get", "orders.duckdb", "resources.orders.incremental.updated_at.last_value")
        self.assertEqual(self.run_program("tipple", *last).stdout, "2024-01-05\n")
        self.run_program("tipple", "state", "reset", "orders.duckdb", "orders", "--yes")
        self.assertIn("nothing is remembered", self.run_program("tipple", *last, code=2).stderr)
        self.run_program("example_shop", *self.load)
        self.run_program("tipple", "drop", "orders.duckdb", "orders", "--yes")
        self.assertNotIn("orders", self.run_program("tipple", "preview", "orders.duckdb").stdout)

    def test_shop_that_fails_changes_nothing(self):
        self.start_shop()
        self.shop.fails_after = 2
        result = self.run_program("example_shop", *self.load, code=5)
        self.assertIn('source "shop", resource "orders", page 3: orders since 2024-01-05: status 503', result.stderr)
        self.shop.fails_after = None
        self.shop.asked.clear()
        self.run_program("example_shop", *self.load)
        self.assertEqual(self.shop.asked[0], "2024-01-01")

    def test_shop_command_line(self):
        self.start_shop()
        self.assertIn("option \"url\"", self.run_program("example_shop", "load", "shop", "orders.duckdb", code=2).stderr)
        self.assertIn('there is no resource "order", did you mean "orders"?', self.run_program("example_shop", *self.load, "-r", "order", code=2).stderr)
        self.assertIn("--format is for files", self.run_program("example_shop", *self.load, "--format", "csv", code=2).stderr)
        self.assertIn("NAME=VALUE", self.run_program("example_shop", "load", "shop", "orders.duckdb", "--option", "url", code=2).stderr)
        self.assertIn("--resource is for databases and sources by name", self.run_program("example_shop", "load", "shops", "orders.duckdb", "-r", "orders", code=2).stderr)

    def test_drop_folder_loads_each_file_once(self):
        self.write("in/a.jsonl", '{"n": 1, "password": "x"}\n{"n": 2}\n')
        self.write("in/readme.txt", "no data")
        self.assertEqual(self.run_program("example_drop_folder", "in", "events.duckdb").stdout, "2 rows\n")
        self.write("in/b.jsonl", '{"n": 3}\n')
        self.assertEqual(self.run_program("example_drop_folder", "in", "events.duckdb").stdout, "1 rows\n")
        self.assertEqual(self.run_program("example_drop_folder", "in", "events.duckdb").stdout, "0 rows\n")
        self.assertEqual(self.query("events.duckdb", "SELECT n FROM events ORDER BY n"), [["1"], ["2"], ["3"]])
        columns = self.query("events.duckdb", "SELECT column_name FROM information_schema.columns WHERE column_name = 'password'")
        self.assertEqual(columns, [])

    def test_details_are_made_of_the_parents_records(self):
        printed = self.run_program("example_details", "forge.duckdb").stdout
        self.assertEqual(printed, "repositories: 3 rows\nreleases: 5 rows\n3 calls\n")
        self.run_program("example_details", "forge.duckdb")
        self.assertEqual(self.query("forge.duckdb", "SELECT repository, count(*) FROM releases GROUP BY 1 ORDER BY 1"), [["goose", "2"], ["heron", "3"]])

    def test_clocks_tell_old_events_from_new_ones(self):
        self.assertEqual(self.run_program("example_clocks", "clocks.duckdb").stdout, "first: 3 events\nsecond: 2 events\n")
        self.assertEqual(self.query("clocks.duckdb", "SELECT id FROM events ORDER BY id"), [["1"], ["2"], ["3"], ["5"], ["6"]])

    def test_outbox_takes_rows(self):
        self.write("orders.jsonl", "".join(f'{{"id": {i}}}\n' for i in range(250)))
        self.run_program("example_outbox", "load", "orders.jsonl", "outbox://")
        with open(os.path.join(self.folder, "outbox.txt"), encoding="utf-8") as file:
            lines = [line.split() for line in file]
        self.assertEqual([line[3] for line in lines], [f"id={i}" for i in range(250)])
        self.assertEqual(sorted({line[2] for line in lines}), ["0", "1", "2"])
        self.run_program("example_outbox", "load", "orders.jsonl", "outbox://", code=5, environment={"OUTBOX": "/nowhere/outbox.txt"})


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("usage: examples_run_test.py FOLDER_OF_PROGRAMS [unittest arguments]")
    PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
