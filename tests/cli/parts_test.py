"""Runs that are committed in parts (`--checkpoint`): a run that is killed goes on from its last part, and what may not be parted is refused."""

import json

from tipple_cli import EXIT_DATA, EXIT_USAGE, Case, main

PROJECT = """
[pipeline.shop]
source = { type = "stdin", table = "orders", format = "jsonl" }
destination = "shop.duckdb"
dataset = "main"
workers = 2

[pipeline.shop.resources.orders]
%s
primary_key = "id"
cursor = { field = "t", order = "asc" }
"""
RECORDS = [{"id": number, "t": number // 3, "text": "x" * 100, "lines": [{"n": number}]} for number in range(100_000)]


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


class Parts(Case):
    def setUp(self):
        super().setUp()
        self.write("tipple.toml", PROJECT % "")

    def loaded(self):
        return self.values("SELECT id FROM main.orders ORDER BY id")

    def wait_for_event(self, run, name):
        for line in run.process.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
        self.fail(f"{name} never came")

    def test_a_killed_run_goes_on_from_its_last_part(self):
        with self.start("run", "shop", "--checkpoint", "10000", "--json") as run:
            # No end, but more than may lie between what is read and what is looked at.
            run.feed(lines(RECORDS[:90_000]))
            run.feed(lines(RECORDS[90_000:]))
            first = self.wait_for_event(run, "package.loaded")
            run.kill()
        loaded = self.loaded()
        self.assertGreaterEqual(len(loaded), first["rows"] // 2)
        self.assertEqual(loaded, list(range(len(loaded))), "a part is the beginning of what there is")
        done = self.tipple("run", "shop", "--checkpoint", "10000", "--json", input=lines(RECORDS)).finished()
        self.assertEqual(self.loaded(), list(range(len(RECORDS))))
        self.assertEqual(self.count("orders__lines"), len(RECORDS))
        self.assertEqual(done["records"], len(RECORDS) - len(loaded))

    def test_a_run_that_fails_says_what_is_there(self):
        records = lines(RECORDS)
        result = self.tipple("run", "shop", "--checkpoint", "20000", input=records + b"{\n", expect=EXIT_DATA)
        self.assertRegex(result.err, r"before that, \d+ loads? (was|were) committed; the next run goes on behind them")
        self.assertGreaterEqual(len(self.loaded()), 20_000)
        record = json.loads(self.tipple("trace", "shop", "--json").out)
        self.assertEqual(record["status"], "failed")
        self.assertGreaterEqual(len(record["loads"]), 1)

    def test_refused(self):
        self.write("tipple.toml", PROJECT % 'disposition = "replace"')
        result = self.tipple("run", "shop", "--checkpoint", "10000", input=b"", expect=EXIT_USAGE)
        self.assertIn('resource "orders" cannot be committed in parts: what it reads replaces the table as a whole', result.err)
        self.write("tipple.toml", PROJECT % 'strategy = "scd2"')
        result = self.tipple("run", "shop", "--checkpoint", "1000", input=b"", expect=EXIT_USAGE)
        self.assertIn("takes rows that a load lacks for deleted", result.err)
        self.write("tipple.toml", (PROJECT % "").replace(', order = "asc"', ""))
        result = self.tipple("run", "shop", "--checkpoint", "10000", input=b"", expect=EXIT_USAGE)
        self.assertIn('order = "asc"', result.err)
        result = self.tipple("run", "shop", "--checkpoint", "often", input=b"", expect=EXIT_USAGE)
        self.assertIn('"often" is neither a number of records, as 500000, nor a time, as 90s, 10m or 2h', result.err)
        self.write("tipple.toml", PROJECT % 'checkpoint = "0"')
        result = self.tipple("run", "shop", input=b"", expect=EXIT_USAGE)
        self.assertIn("tipple.toml:9", result.err)
        self.assertIn('"checkpoint" must be a number of records, or a time such as "10m"', result.err)

    def test_of_the_project(self):
        self.write("tipple.toml", PROJECT % "checkpoint = 30_000")
        result = self.tipple("run", "shop", "--json", input=lines(RECORDS))
        loads = [event for event in result.events() if event["event"] == "package.loaded"]
        self.assertGreaterEqual(len(loads), 2)
        self.assertEqual(sum(event["rows"] for event in loads), 2 * len(RECORDS))
        self.assertEqual(len(result.finished()["loads"]), len(loads))
        self.assertEqual(result.events()[0]["event"], "run.started")
        changed = [event for event in result.events() if event["event"] == "schema.changed"]
        self.assertEqual([(event["table"], event["is_new"]) for event in changed], [("orders", True), ("orders__lines", True)])
        self.assertEqual(changed[0]["added"]["t"], "bigint")


if __name__ == "__main__":
    main()
