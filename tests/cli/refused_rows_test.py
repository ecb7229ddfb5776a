"""A load that the database refuses because of one row: the row is named, at once and later by `tipple jobs --failed`."""

import json
import pathlib

import duckdb
import pyarrow
import pyarrow.parquet

from tipple_cli import EXIT_DATA, EXIT_LOCKED, Case, Run, main


class RefusedRows(Case):
    def create(self, *statements):
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)

    def refused(self, *arguments, row, says=()):
        """The load ends with the row, a part of its JSON, in its message; it is there again when failed jobs are listed."""
        before = self.contents()
        error = self.load(*arguments, expect=EXIT_DATA).err
        for text in (*([says] if isinstance(says, str) else says), *([row] if isinstance(row, str) else row)):
            self.assertIn(text, error)
        self.assert_unchanged(before)
        self.assertEqual(self.pending(), [])
        jobs = json.loads(self.tipple("jobs", self.destination, "--failed", "--json").out)["jobs"]
        message = jobs[-1]["message"]
        self.assertIn(message, error)
        self.assertIn(message.splitlines()[-1], self.tipple("jobs", self.destination, "--failed").out)
        self.assertTrue(any(f"in job file {job['job']}" in message or job["job"].endswith(".ref") for job in jobs), message)
        return error

    def test_events_the_record_and_the_list_of_jobs_say_the_same(self):
        self.create("CREATE TABLE t (id BIGINT, v BIGINT CHECK (v < 100))")
        self.write("t.jsonl", [{"id": n, "v": 100 if n == 7 else n, "lines": [{"n": n}]} for n in range(10)])
        result = self.load("t.jsonl", "--adopt", "--json", expect=EXIT_DATA)
        failed = [event for event in result.events() if event["event"] == "job.failed"]
        self.assertEqual(len(failed), 1)
        event = {name: value for name, value in failed[0].items() if name not in ("v", "ts", "event", "run", "pipeline")}
        self.assertEqual((event["job"], event["table"], event["row"], event["kind"], event["retryable"]), ("t.000001.arrow", "t", 8, "data", False))
        self.assertEqual(event["file"], "jobs/t.000001.arrow")
        self.assertEqual(json.loads(event["record"])["id"], "7")
        self.assertIn("CHECK constraint", event["message"])
        self.assertIn(event["message"], result.finished()["message"])
        record = json.loads(self.tipple("trace", self.destination, "--json").out)
        self.assertEqual(record["failed_jobs"], [event])
        jobs = json.loads(self.tipple("jobs", self.destination, "--failed", "--json").out)["jobs"]
        self.assertEqual([(job["job"], job["is_at_fault"]) for job in jobs], [("t.000001.arrow", True), ("t__lines.000002.arrow", False)])
        self.assertEqual({name: jobs[0][name] for name in event}, event)
        self.assertEqual({job["message"] for job in jobs}, {event["message"]}, "a load fails as a whole")
        self.assertIn("row at fault", self.tipple("jobs", self.destination, "--failed").out)
        self.assertEqual(json.loads(self.tipple("runs", self.destination, "--json").out)["runs"][0]["failed_jobs"], [event])

    def test_the_file_is_the_one_that_is_loaded_where_it_lies(self):
        pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2, 3], "v": [1, 2, 300]}), self.path("t.parquet"))
        self.create("CREATE TABLE t (id BIGINT, v BIGINT CHECK (v < 100))")
        events = self.load("t.parquet", "--adopt", "--json", expect=EXIT_DATA).events()
        failed = [event for event in events if event["event"] == "job.failed"]
        self.assertEqual([(event["file"], event["row"], event["record"]) for event in failed], [("t.parquet", 3, None)])

    def test_a_load_that_waits_is_worth_another_try(self):
        self.write("t.jsonl", [{"id": 1}])
        self.load("t.jsonl")
        with Run(self.arguments(["load", "-", "shop.duckdb", "--as", "t", "--json", "--lock-timeout", "0"]), self.folder) as run:
            # More than a pipe holds: the run reads, and has let go of the file.
            run.feed(b'{"id": 2}\n' * 100_000)
            with duckdb.connect(str(self.database)):
                result = run.finish()
        self.assertEqual(result.code, EXIT_LOCKED)
        failed = [event for event in result.events() if event["event"] == "job.failed"]
        self.assertEqual([(event["kind"], event["retryable"], event["job"], event["table"], event["row"]) for event in failed], [("locked", True, None, None, None)])
        self.assertEqual(self.pending(), [failed[0]["load"]])

    def test_a_value_that_breaks_a_check(self):
        self.create("CREATE TABLE t (id BIGINT, v BIGINT CHECK (v < 100))")
        for at in (0, 7, 63_999):
            self.write("t.jsonl", [{"id": n, "v": 100 if n == at else n % 50} for n in range(64_000)])
            self.refused("t.jsonl", "--adopt", row=(f"row {at + 1} of table \"t\"", f'{{"id":"{at}","v":"100"'), says="CHECK constraint")

    def test_a_value_that_its_column_does_not_hold(self):
        self.create("CREATE TABLE t (id BIGINT, v INTEGER)")
        self.write("t.jsonl", [{"id": n, "v": 1 << 40 if n == 1234 else n} for n in range(5_000)])
        self.refused("t.jsonl", "--adopt", row=('row 1235 of table "t"', '{"id":"1234","v":"1099511627776"'))

    def test_a_value_that_is_there_already(self):
        self.create("CREATE TABLE t (id BIGINT UNIQUE)", "INSERT INTO t VALUES (5)")
        self.write("t.jsonl", [{"id": n} for n in range(10, 1_000)] + [{"id": 5}])
        self.refused("t.jsonl", "--adopt", row=('row 991 of table "t"', '{"id":"5"'), says="id: 5")
        # Rows that are replaced or merged are gone before others come.
        for flags in (("--disposition", "replace"), ("--key", "id")):
            self.load("t.jsonl", "--adopt", *flags)
            self.assertEqual(self.count("t"), 991)

    def test_a_value_that_is_there_twice_in_the_load(self):
        self.create("CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        self.write("t.jsonl", [{"id": 77 if n in (77, 600) else n} for n in range(2, 1_000)])
        self.refused("t.jsonl", "--adopt", row=('row 599 of table "t"', '{"id":"77"'), says='duplicate key "77"')

    def test_a_nested_row(self):
        self.write("t.jsonl", [{"id": 1, "lines": [{"sku": "a"}]}])
        self.load("t.jsonl", "--key", "id")
        self.create("CREATE UNIQUE INDEX skus ON t__lines (sku)")
        self.write("t.jsonl", [{"id": n, "lines": [{"sku": f"{n}-{line}"} for line in range(n % 3)]} for n in range(2, 500)] + [{"id": 500, "lines": [{"sku": "b"}, {"sku": "a"}]}])
        # Merged by a key, which takes nothing away, and refused behind 499 rows of the root.
        self.refused("t.jsonl", "--key", "id", row=('of table "t__lines"', '{"sku":"a"', '"_dlt_list_idx":"1"'))

    def test_no_value_where_there_must_be_one(self):
        self.create("CREATE TABLE t (id BIGINT, v BIGINT NOT NULL)")
        self.write("t.jsonl", [{"id": n, "v": None if n == 4321 else n} for n in range(9_000)])
        self.refused("t.jsonl", "--adopt", row=('row 4322 of table "t"', '{"id":"4321"'), says='column "v"')

    def test_a_row_that_a_merge_had_left_out_is_not_blamed(self):
        self.create("CREATE TABLE t (id BIGINT, v BIGINT NOT NULL)")
        self.write("t.jsonl", [{"id": 1, "v": 5}, {"id": 1, "v": None}, {"id": 2, "v": None}])
        self.refused("t.jsonl", "--adopt", "--key", "id", row=('row 3 of table "t"', '{"id":"2"'), says='column "v"')

    def test_a_row_of_a_file_that_is_loaded_as_it_lies(self):
        self.create("CREATE TABLE t (id BIGINT, v BIGINT CHECK (v < 100))")
        pyarrow.parquet.write_table(pyarrow.table({"id": list(range(3_000)), "v": [100 if n == 2_500 else 1 for n in range(3_000)]}), self.path("t.parquet"))
        error = self.refused("t.parquet", "--adopt", row="row 2501 of file ")
        self.assertIn(str(pathlib.Path("t.parquet")), error)

    def test_a_key_of_another_table_is_left_to_the_message(self):
        """Parts of a load cannot show which row lacks its counterpart, because that may be in the same load."""
        self.create("CREATE TABLE customers (id BIGINT PRIMARY KEY)", "INSERT INTO customers VALUES (1)", "CREATE TABLE t (id BIGINT, customer BIGINT REFERENCES customers (id))")
        self.write("t.jsonl", [{"id": 1, "customer": 1}, {"id": 2, "customer": 7}])
        self.assertIn("id: 7", self.load("t.jsonl", "--adopt", expect=EXIT_DATA).err)


if __name__ == "__main__":
    main()
