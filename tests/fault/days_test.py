"""A pipeline over simulated days: `examples/shop.cpp` reads an HTTP API whose orders change, come late and are deleted, and whose server fails at random; the program is killed
now and then. At the end of each day the destination equals the model. TIPPLE_TEST_SEED repeats a run; TIPPLE_DAYS says how many days (6; 30 with TIPPLE_LONG_TESTS)."""

import contextlib
import datetime
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))

import tipple_cli
from tipple_cli import EXIT_DONE, IS_LONG, Case, clean_environment, main, seeded_random

SHOP = os.environ.get("TIPPLE_SHOP_BINARY", str(pathlib.Path(tipple_cli.BINARY).parent / "example_shop"))
DAYS = int(os.environ.get("TIPPLE_DAYS", 30 if IS_LONG else 6))
PAGE_ROWS = 25
# What comes later than this behind others is lost to a cursor.
LATE_HOURS_MAX = 48
ATTEMPTS_MAX = 60

PROJECT = """
[pipeline.shop]
source = {{ type = "shop", url = "{url}" }}
destination = "shop.duckdb"
dataset = "main"

[pipeline.shop.resources.orders]
disposition = "merge"
primary_key = "id"
columns = {{ deleted = "bool:hard_delete" }}
cursor = {{ field = "updated_at", start = "2023-12-01", order = "asc", lag = "{lag}h" }}
"""


class Shop:
    """The orders as they are, and those that the API still tells as deleted."""

    def __init__(self, random):
        self.random = random
        self.now = datetime.datetime(2024, 1, 1)
        self.orders = {}
        self.lock = threading.Lock()

    def order(self, number, moment, is_deleted=False):
        lines = [{"sku": f"sku-{self.random.randrange(50)}", "qty": self.random.randrange(1, 9)} for _ in range(self.random.randrange(4))]
        self.orders[number] = {
            "id": number, "updated_at": moment.isoformat() + "Z", "total": self.random.randrange(1, 10_000), "deleted": is_deleted, "lines": [] if is_deleted else lines}

    def live_through_a_day(self):
        with self.lock:
            for hour in range(24):
                self.now += datetime.timedelta(hours=1)
                for _ in range(self.random.randrange(4)):
                    late = datetime.timedelta(hours=self.random.choice([0, 0, 0, self.random.randrange(LATE_HOURS_MAX)]))
                    self.order(len(self.orders) + 1, self.now - late)
                living = [number for number, order in self.orders.items() if not order["deleted"]]
                for number in self.random.sample(living, min(len(living), 2)):
                    self.order(number, self.now, is_deleted=self.random.random() < 0.2)

    def page(self, since):
        """Orders that were changed at `since` or later, whole groups of one moment, and where the next page begins."""
        with self.lock:
            rows = sorted((order for order in self.orders.values() if order["updated_at"] >= since), key=lambda order: (order["updated_at"], order["id"]))
        end = PAGE_ROWS
        while end < len(rows) and rows[end]["updated_at"] == rows[end - 1]["updated_at"]:
            end += 1
        return rows[:end], rows[end]["updated_at"] if end < len(rows) else ""

    def model(self):
        living = [order for order in self.orders.values() if not order["deleted"]]
        orders = sorted((order["id"], order["updated_at"], order["total"]) for order in living)
        lines = sorted((order["id"], place, line["sku"], line["qty"]) for order in living for place, line in enumerate(order["lines"]))
        return orders, lines


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        shop, trouble = self.server.shop, self.server.random.random()
        if trouble < 0.10:
            return self.answer(503, b"try again later")
        since = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["since"][0]
        rows, next_since = shop.page(since)
        body = json.dumps(rows).encode()
        if trouble < 0.15:
            # Ends in the middle of a record.
            self.answer(200, body, next_since, cut=len(body) // 2)
            self.close_connection = True
            return None
        return self.answer(200, body, next_since)

    def answer(self, status, body, next_since="", cut=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Next-Since", next_since)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body[:cut])

    def log_message(self, *_):
        pass


class Days(Case):
    def setUp(self):
        super().setUp()
        if not os.path.exists(SHOP):
            self.skipTest("example_shop is not built: cpp-httplib was not found")
        self.random = seeded_random(self.id())
        self.error = b""
        self.shop = Shop(self.random)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.server.shop = self.shop
        self.server.random = self.random
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.write("tipple.toml", PROJECT.format(url=f"http://127.0.0.1:{self.server.server_address[1]}", lag=LATE_HOURS_MAX))


    def attempt(self, *arguments, delay=None):
        """The exit code of one run; None when it was killed after so many seconds."""
        with subprocess.Popen([SHOP, "--data-dir", str(self.data_folder), "run", "shop", "--quiet", *arguments], cwd=self.folder, env=clean_environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as process:
            try:
                _, self.error = process.communicate(timeout=delay)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return None
            return process.returncode

    def run_until_done(self, *arguments):
        """Repeats the command as cron would, and kills it now and then."""
        outcomes = []
        for _ in range(ATTEMPTS_MAX):
            delay = self.random.random() * 0.3 if self.random.random() < 0.3 else None
            outcomes.append(self.attempt(*arguments, delay=delay))
            self.assertIn(outcomes[-1], (None, EXIT_DONE, 3, 5), self.error)
            if outcomes[-1] == EXIT_DONE:
                return outcomes
        self.fail(f"never done: {outcomes}, {self.error}")

    def assert_is_the_model(self, day):
        orders, lines = self.shop.model()
        with self.database_connection() as connection:
            found = connection.execute("SELECT id, strftime(updated_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'), total FROM main.orders ORDER BY ALL").fetchall()
            self.assertEqual(found, orders, f"day {day}")
            found = connection.execute("SELECT o.id, l._dlt_list_idx, l.sku, l.qty FROM main.orders__lines l JOIN main.orders o ON o._dlt_id = l._dlt_parent_id ORDER BY ALL").fetchall()
            self.assertEqual(found, lines, f"day {day}")
            orphans = connection.execute("SELECT count(*) FROM main.orders__lines WHERE _dlt_parent_id NOT IN (SELECT _dlt_id FROM main.orders)").fetchone()
            self.assertEqual(orphans, (0,), f"day {day}")

    @contextlib.contextmanager
    def database_connection(self):
        import duckdb

        connection = duckdb.connect(str(self.database), read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def live(self, *arguments):
        outcomes = []
        for day in range(1, DAYS + 1):
            self.shop.live_through_a_day()
            outcomes += self.run_until_done(*arguments)
            self.assert_is_the_model(day)
        return outcomes

    def test_each_day_ends_as_the_model(self):
        outcomes = self.live()
        print(f"{DAYS} days, {len(self.shop.orders)} orders, {len(outcomes)} runs: {outcomes.count(5)} failed by the server, {outcomes.count(None)} killed")

    def test_the_same_in_parts(self):
        self.live("--checkpoint", "30")


if __name__ == "__main__":
    main()
