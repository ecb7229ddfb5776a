"""Loads into datasets of files in a bucket, as a user does: what is there afterwards, two at once, kills, and stores that fail."""

import json
import signal
import unittest

from tipple_cli import EXIT_INTERRUPTED, EXIT_LOCKED, EXIT_USAGE, IS_LONG, Case, Run, main, seeded_random

import s3_server
from s3_server import Fault

ORDERS = [{"id": number, "lines": [{"sku": f"{number}-{line}"} for line in range(number % 3)]} for number in range(7)]


@unittest.skipUnless(s3_server.is_available(), "there is no moto")
class S3Destination(Case):
    def setUp(self):
        super().setUp()
        self.server = s3_server.S3Server()
        self.addCleanup(self.server.close)
        self.server.create_bucket("lake")
        self.env = self.server.environment()
        self.place = "s3://lake/team"

    def tipple(self, *arguments, **options):
        return super().tipple(*arguments, env={**self.env, **options.pop("env", {})}, **options)

    def rows(self, sql):
        return json.loads(self.tipple("query", self.place, sql, "-o", "json", "--limit", "0").out)

    def only(self, sql):
        (row,) = self.rows(sql)
        (value,) = row.values()
        return value

    def keys(self, prefix="team/main/"):
        return sorted(key.removeprefix(prefix) for key in self.server.list("lake", prefix))

    def findings(self):
        return {finding["check"]: finding["count"] for finding in json.loads(self.tipple("verify", self.place, "--json", expect=None).out)["findings"]}

    def test_credentials_in_a_table(self):
        self.write("orders.jsonl", ORDERS)
        secret = self.env["AWS_SECRET_ACCESS_KEY"]
        self.write("tipple.toml", f"""
            version = 1
            [connection.lake]
            uri = "{self.place}"
            [connection.lake.credentials]
            access_key_id = "{self.env["AWS_ACCESS_KEY_ID"]}"
            secret_access_key = "{secret}"
            region = "eu-west-1"
            endpoint = "{self.server.endpoint}"
            [pipeline.orders]
            source = "orders.jsonl"
            destination = "lake"
            dataset = "main"
            """)
        ambient = {name: None for name in self.env}
        run = self.tipple("run", "orders", "-vv", env=ambient)
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertNotIn(secret, run.out + run.err)

    def test_append_replace_query_undo(self):
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", self.place)
        keys = self.keys()
        self.assertEqual(len([key for key in keys if key.startswith("orders/")]), 1)
        self.assertEqual(len([key for key in keys if key.startswith("orders__lines/")]), 1)
        for table in ("_dlt_loads/", "_dlt_version/"):
            self.assertEqual(len([key for key in keys if key.startswith(table)]), 1, keys)
        self.assertIn("init", keys)
        self.tipple("load", "orders.jsonl", self.place)
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 14)
        self.assertEqual(self.only("SELECT count(*) FROM orders__lines"), 2 * sum(len(order["lines"]) for order in ORDERS))
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 2)
        self.assertEqual(self.findings(), {})
        newest = max(row["load_id"] for row in self.rows("SELECT load_id FROM _dlt_loads"))
        self.tipple("undo", self.place, newest, "--yes")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.write("orders.jsonl", ORDERS[:2])
        self.tipple("load", "orders.jsonl", self.place, "--disposition", "replace")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 2)
        self.assertEqual(len([key for key in self.keys() if key.startswith("orders/")]), 1, "old files are gone")
        self.assertIn("orders__lines", self.tipple("schema", self.place).out)
        self.assertEqual(self.findings(), {})
        self.assertEqual(self.server.uploads("lake"), [])

    def test_parquet_with_a_layout(self):
        self.write("orders.jsonl", ORDERS)
        url = self.place + "?format=parquet&layout={table_name}/{YYYY}/{load_id}.{file_id}.{ext}"
        self.tipple("load", "orders.jsonl", url)
        self.assertEqual(self.only("SELECT max(id) FROM orders"), 6)
        self.assertRegex(next(key for key in self.keys() if key.startswith("orders/")), r"orders/\d{4}/.*\.parquet$")

    def test_a_large_file_goes_in_parts(self):
        self.write("big.jsonl", "".join(json.dumps({"id": number, "text": f"{number * 7919 % 1000003:09}" * 40}) + "\n" for number in range(60_000)))
        self.tipple("load", "big.jsonl", self.place + "?compression=none")
        self.assertTrue(self.server.seen("POST", "*uploadId=*"), "in parts")
        self.assertEqual(self.only("SELECT count(DISTINCT text) FROM big"), 60_000)
        # Parts of a program that died go when its package is loaded.
        arguments = ["load", "big.jsonl", self.place + "?compression=none", "--disposition", "replace"]
        run = Run(self.arguments(arguments), self.folder, env=self.env)
        self.server.faults.append(Fault("PUT", "*partNumber=2*", action=lambda _: run.kill()))
        with run:
            run.process.wait()
        self.assertEqual(len(self.server.uploads("lake")), 1)
        self.tipple(*arguments)
        self.assertEqual(self.only("SELECT count(*) FROM big"), 60_000)
        self.assertEqual(self.server.uploads("lake"), [])
        # A copy that breaks off goes on where it was.
        self.server.faults.append(Fault("GET", "/lake/team/main/big/*", cut_after=3_000_000))
        self.server.faults.append(Fault("GET", "/lake/team/main/big/*", reset_after=2_000_000))
        before = len(self.server.seen("GET", "/lake/team/main/big/*"))
        self.assertEqual(self.only("SELECT count(DISTINCT text) FROM big"), 60_000)
        ranges = [request.headers.get("range") for request in self.server.seen("GET", "/lake/team/main/big/*")[before:]]
        self.assertEqual(len(ranges), 3)
        self.assertEqual(ranges[:2], [None, "bytes=3000000-"])

    def test_stores_that_fail_for_a_while(self):
        self.write("orders.jsonl", ORDERS)
        for fault in (Fault("PUT", error=(503, "SlowDown"), times=2), Fault("GET", error=(500, "InternalError")), Fault("PUT", "*commits*", loses_answer=True),
                      Fault("PUT", "*/orders/*", reset_after=0), Fault("GET", "*list-type*", cut_after=50)):
            self.server.faults.append(fault)
        self.tipple("load", "orders.jsonl", self.place)
        self.assertEqual([fault.times for fault in self.server.faults], [0] * 5, "each was met")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 1)

    def test_what_is_wrong_is_said(self):
        self.write("orders.jsonl", ORDERS)
        secret = s3_server.SECRET_ACCESS_KEY
        cases = [
            ("s3://nobody/x", {}, ['there is no bucket "nobody"', self.server.endpoint]),
            (self.place, {"AWS_SECRET_ACCESS_KEY": "wrong"}, ["secret_access_key", s3_server.ACCESS_KEY_ID]),
            (self.place, {"AWS_ACCESS_KEY_ID": "UNKNOWN"}, ["no access key UNKNOWN"]),
            (self.place, {"AWS_SESSION_TOKEN": "old"}, ["session_token"]),
            (self.place, {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, ["no credentials"]),
            (self.place, {"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, ['no profile "nobody"']),
            (self.place, {"AWS_ENDPOINT_URL_S3": "not-a-url"}, ["no endpoint"]),
            ("s3://", {}, ["names no bucket"]),
        ]
        for place, env, says in cases:
            result = self.tipple("load", "orders.jsonl", place, env=env, expect=EXIT_USAGE)
            for text in says:
                self.assertIn(text, result.err)
            self.assertNotIn(secret, result.err)
        self.server.denied.append((s3_server.ACCESS_KEY_ID, "PUT", "*"))
        self.assertIn("s3:PutObject", self.tipple("load", "orders.jsonl", self.place, expect=EXIT_USAGE).err)
        self.server.denied.clear()
        self.server.clock_offset_seconds = 3600
        self.assertIn("clock", self.tipple("load", "orders.jsonl", self.place, expect=EXIT_USAGE).err)
        self.server.clock_offset_seconds = 0
        self.server.knows_conditions = False
        self.assertIn("If-None-Match", self.tipple("load", "orders.jsonl", self.place, expect=EXIT_USAGE).err)
        self.server.knows_conditions = True
        self.assertEqual([key for key in self.keys() if key.startswith(("orders", "_dlt"))], [])
        self.assertIn("is no folder that something was loaded into", self.tipple("query", self.place, "SELECT 1", expect=EXIT_USAGE).err)

    def test_the_region_is_found_out(self):
        self.write("orders.jsonl", ORDERS)
        self.server.create_bucket("far", "ap-south-1")
        self.tipple("load", "orders.jsonl", "s3://far/x")
        self.assertEqual(len(self.server.list("far", "x/main/orders/")), 1)

    def test_bucket_names_in_the_host(self):
        self.write("orders.jsonl", ORDERS)
        self.write("tipple.toml", f"""
[connection.lake]
uri = "s3://lake/team"
endpoint = "http://localhost:{self.server.port}"
url_style = "virtual"
access_key_id = "{s3_server.ACCESS_KEY_ID}"
secret_access_key = "${{env:THE_SECRET}}"
region = "{s3_server.REGION}"
""")
        env = {name: None for name in self.env} | {"THE_SECRET": s3_server.SECRET_ACCESS_KEY}
        self.tipple("load", "orders.jsonl", "lake", env=env)
        self.assertTrue(all(request.headers["host"].startswith("lake.localhost") for request in self.server.seen()))
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)

    def test_two_writers_of_one_state(self):
        """Both begin with the same state; one is held before it commits, and the other one finishes."""
        self.write("orders.jsonl", ORDERS)
        self.write("tipple.toml", """
[pipeline.shop]
source = "*.jsonl"
destination = "s3://lake/team"
dataset = "main"

[pipeline.shop.resources.orders]
glob = "orders.jsonl"
cursor = { field = "id" }
""")
        self.tipple("run", "shop")
        self.write("orders.jsonl", ORDERS + [{"id": 100}])
        self.server.faults.append(Fault("PUT", "*/commits/*", holds=True))
        with Run(["--data-dir", str(self.path("other")), "run", "shop"], self.folder, env=self.env) as slow:
            self.assertTrue(self.server.is_held.wait(60))
            self.tipple("run", "shop")
            self.server.let_go()
            result = slow.finish()
        self.assertEqual(result.code, EXIT_LOCKED, result.err)
        self.assertEqual(self.only("SELECT count(*) FROM orders WHERE id = 100"), 1)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 2)
        self.tipple("run", "shop")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 8)

    def load_while_another_waits(self, *arguments):
        """Replaces table a, and loads something else between its last look at the dataset and its commit."""
        self.server.faults.append(Fault("PUT", "*/commits/*", holds=True))
        with Run(["--data-dir", str(self.path("other")), "load", "a.jsonl", self.place, "--disposition", "replace"], self.folder, env=self.env) as slow:
            self.assertTrue(self.server.is_held.wait(60))
            self.tipple("load", *arguments)
            self.server.let_go()
            return slow.finish()

    def test_two_writers_that_do_not_disturb_each_other(self):
        for name in ("a", "c"):
            self.write(f"{name}.jsonl", [{"name": name}])
            self.tipple("load", f"{name}.jsonl", self.place, "--disposition", "replace" if name == "a" else "append")
        result = self.load_while_another_waits("c.jsonl", self.place)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(self.only("SELECT count(*) FROM a"), 1)
        self.assertEqual(self.only("SELECT count(*) FROM c"), 2)
        self.assertEqual(len([key for key in self.keys() if key.startswith("a/")]), 1)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 4)

    def test_a_schema_that_others_have_changed(self):
        self.write("a.jsonl", [{"name": "a"}])
        self.tipple("load", "a.jsonl", self.place, "--disposition", "replace")
        result = self.load_while_another_waits("a.jsonl", self.place, "--as", "c")
        self.assertEqual(result.code, EXIT_LOCKED, result.err)
        self.assertEqual(self.only("SELECT count(*) FROM a"), 1)
        self.assertEqual(self.only("SELECT count(*) FROM c"), 1)
        self.assertEqual(self.findings(), {}, "what was uploaded for it is gone")

    def test_many_writers_at_once(self):
        """Each has its own file and working folder, some are killed at random; every file is there once at the end."""
        random = seeded_random("many writers")
        writers, rounds = (4, 3) if not IS_LONG else (6, 10)
        for number in range(writers):
            self.write(f"file_{number}.jsonl", [{"writer": number, "round": 0}])
        # All columns are known from the start, so that no writer changes the schema under the others.
        self.tipple("load", "file_0.jsonl", self.place, "--as", "t")

        def arguments(number):
            return ["--data-dir", str(self.path(f"data_{number}")), "load", f"file_{number}.jsonl", self.place, "--as", "t"]

        for round_number in range(1, rounds + 1):
            for number in range(writers):
                self.write(f"file_{number}.jsonl", [{"writer": number, "round": round_number}])
            victim = random.randrange(writers)
            runs = {number: Run(arguments(number), self.folder, env=self.env) for number in range(writers)}
            self.server.faults = [Fault("PUT", "*", skip=random.randrange(30), action=lambda _: runs[victim].kill())]
            codes = {}
            for number, run in runs.items():
                with run:
                    codes[number] = run.finish().code if number != victim else run.process.wait()
            self.server.faults = []
            for number, code in codes.items():
                # Who was killed may have committed; who met another state begins anew.
                if code != 0:
                    self.tipple("sync", self.place, "--data-dir", self.path(f"data_{number}"), expect=None, data_folder=False)
                    if self.only(f"SELECT count(*) FROM t WHERE writer = {number} AND round = {round_number}") == 0:
                        super().tipple(*arguments(number), env=self.env, data_folder=False)
            counts = self.rows("SELECT writer, round, count(*) AS n FROM t GROUP BY ALL HAVING n <> 1")
            self.assertEqual(counts, [], f"round {round_number}: {codes}")
            self.assertEqual(self.only("SELECT count(*) FROM t"), 1 + writers * round_number)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 1 + writers * rounds)

    def test_a_request_that_arrives_after_its_sender_has_gone(self):
        self.write("orders.jsonl", ORDERS)
        self.server.faults.append(Fault("PUT", "*/orders__lines/*", holds=True))
        with Run(self.arguments(["load", "orders.jsonl", self.place]), self.folder, env=self.env) as run:
            self.assertTrue(self.server.is_held.wait(60))
            run.send(signal.SIGINT)
            result = run.finish()
        self.assertEqual(result.code, EXIT_INTERRUPTED, result.err)
        self.assertEqual([key for key in self.keys() if key.startswith("orders")], [], "what was uploaded is gone")
        self.server.let_go()
        while not any(key.startswith("orders__lines") for key in self.keys()):
            pass
        self.tipple("load", "orders.jsonl", self.place)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 1)
        self.assertEqual(self.only("SELECT count(*) FROM orders__lines"), sum(len(order["lines"]) for order in ORDERS))
        self.assertEqual(self.findings(), {"unfinished_files": 1})

    def test_a_commit_that_arrives_while_its_load_is_repeated(self):
        self.write("orders.jsonl", ORDERS)
        self.server.faults.append(Fault("PUT", "*/commits/*", holds=True))
        with Run(self.arguments(["load", "orders.jsonl", self.place]), self.folder, env=self.env) as run:
            self.assertTrue(self.server.is_held.wait(60))
            run.kill()
            run.process.wait()

        def arrive(_):
            self.server.let_go()
            while not self.keys("team/main/_tipple/commits/"):
                pass

        self.server.faults.append(Fault("PUT", "*/orders__lines/*", action=arrive))
        self.tipple("load", "orders.jsonl", self.place)
        self.assertEqual(self.server.faults[-1].times, 0, "the load was repeated")
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 1)
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(self.only("SELECT count(*) FROM orders__lines"), sum(len(order["lines"]) for order in ORDERS))
        self.assertEqual(self.findings(), {})

    def test_who_may_not_list_is_told_at_once(self):
        self.write("orders.jsonl", ORDERS)
        self.server.keys["NOLISTS"] = "secret"
        self.server.denied.append(("NOLISTS", "GET", "*list-type*"))
        self.assertIn("s3:ListBucket", self.tipple("load", "orders.jsonl", self.place, env=self.server.environment("NOLISTS"), expect=EXIT_USAGE).err)
        self.assertLess(len(self.server.seen("GET", "*list-type*")), 8)

    def test_the_layout_of_a_load_that_failed_binds_nobody(self):
        self.write("orders.jsonl", ORDERS)
        layout = "{table_name}/{load_id}-{file_id}.{ext}"
        arguments = ["load", "orders.jsonl", f"{self.place}?layout={layout}"]
        for target in ("*/orders/*", "*/main/init"):
            self.server.denied = [(s3_server.ACCESS_KEY_ID, "PUT", target)]
            self.tipple("load", "orders.jsonl", self.place + "?layout={table_name}/{YYYY}/{load_id}.{file_id}.{ext}", expect=EXIT_USAGE)
            self.assertEqual([key for key in self.keys() if key in ("init", "_tipple/dataset.json")], [])
        self.server.denied = []
        self.tipple(*arguments)
        self.assertIn("init", self.keys())
        self.assertEqual(json.loads(self.server.get("lake", "team/main/_tipple/dataset.json")), {"layout": layout})
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)

    def test_a_load_reads_each_schema_twice_at_most(self):
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", self.place)
        before = len(self.server.seen("GET", "*/_dlt_version/*"))
        self.tipple("load", "orders.jsonl", self.place)
        self.assertEqual(len(self.server.seen("GET", "*/_dlt_version/*")) - before, 2, "before the run, and when its load begins")

    def test_a_store_that_takes_nothing_back_is_asked_once(self):
        self.write("orders.jsonl", ORDERS)
        self.server.denied.append((s3_server.ACCESS_KEY_ID, "PUT", "*/main/init"))
        self.server.faults.append(Fault("DELETE", error=(503, "SlowDown"), times=100))
        self.assertIn("lies there still", self.tipple("load", "orders.jsonl", self.place, expect=EXIT_USAGE).err)
        self.assertEqual(len(self.server.seen("DELETE")), 1)

    def test_a_first_load_that_was_killed_is_finished(self):
        self.write("orders.jsonl", ORDERS)
        self.kill_at("PUT", "*/commits/*")
        self.tipple("load", "orders.jsonl", self.place)
        counts = self.rows("SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM _dlt_loads) AS loads")[0]
        self.assertEqual(counts["orders"], 7 * counts["loads"])
        self.assertEqual(self.findings(), {})

    def kill_at(self, method, target, skip=0):
        """A load that is killed when it makes that request, before or after the store has carried it out."""
        seed = seeded_random(f"kill at {method} {target}")
        before = seed.random() < 0.5
        runs = []
        fault = Fault(method, target, skip=skip)
        if before:
            fault.action = lambda _: runs[0].kill()
        else:
            fault.loses_answer = True
            fault.times = 1
            fault.action = None
        self.server.faults = [fault]
        run = Run(self.arguments(["load", "orders.jsonl", self.place]), self.folder, env=self.env)
        runs.append(run)
        with run:
            if before:
                run.process.wait()
            else:
                # Killed as soon as it asks again.
                again = Fault(method, target, skip=skip, action=lambda _: run.kill())
                self.server.faults.append(again)
                run.process.wait()
        self.server.faults = []

    def test_kills_at_every_step_of_a_load(self):
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", self.place)
        loads = 1
        targets = ["*/orders/*", "*/orders__lines/*", "*/commits/*", "*/_dlt_loads/*", "*/_dlt_version/*"]
        for number, target in enumerate(targets if not IS_LONG else targets * 4):
            self.write("orders.jsonl", [{**order, f"new_{number}": 1} for order in ORDERS])
            self.kill_at("PUT", target)
            # A reader sees all of it or nothing.
            seen = self.only("SELECT count(*) FROM orders")
            self.assertIn(seen, (7 * loads, 7 * (loads + 1)))
            self.tipple("sync", self.place, expect=None)
            self.tipple("load", "orders.jsonl", self.place)
            counts = self.rows("SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM _dlt_loads) AS loads")[0]
            self.assertEqual(counts["orders"], 7 * counts["loads"], f"killed at {target}")
            self.assertIn(counts["loads"], (loads + 1, loads + 2))
            loads = counts["loads"]
        self.assertEqual(self.findings(), {})


if __name__ == "__main__":
    main()
