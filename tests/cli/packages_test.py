"""tipple packages: what waits, what was loaded, what failed and why."""

import json
import pathlib

import duckdb
import pyarrow.ipc

from tipple_cli import EXIT_CORRUPT, EXIT_LOCAL, EXIT_LOCKED, EXIT_USAGE, Case, main


class Packages(Case):
    def setUp(self):
        super().setUp()
        self.write("orders.jsonl", [{"id": number, "lines": [{"sku": "a"}]} for number in range(4)])

    def packages(self, *arguments, **options):
        return self.tipple("packages", *arguments, **options)

    def listed(self):
        return json.loads(self.packages("list", self.database.name, "--json").out)

    def leave_one_waiting(self):
        """Somebody who reads keeps the load from opening the file to write, so its package waits."""
        self.load("orders.jsonl")
        reader = duckdb.connect(str(self.database), read_only=True)
        self.load("orders.jsonl", "--lock-timeout", "0", expect=EXIT_LOCKED)
        reader.close()
        [waiting] = self.pending()
        return waiting

    def test_list_and_show(self):
        waiting = self.leave_one_waiting()
        loaded, pending = self.listed()
        self.assertEqual((loaded["state"], loaded["rows"], loaded["error"]), ("loaded", 8, None))
        self.assertEqual((pending["state"], pending["load_id"]), ("normalized", waiting))
        self.assertIn("shop.duckdb", pending["error"])
        self.assertEqual([(table["table"], table["rows"], table["disposition"]) for table in pending["tables"]], [("orders", 4, "append"), ("orders__lines", 4, "append")])
        self.assertIn("waits", self.packages("list", self.database.name).out)
        # Without an id, that which needs attention is shown.
        shown = self.packages("show", self.database.name).out
        for text in [waiting, "orders__lines", "closed", "error"]:
            self.assertIn(text, shown)
        self.assertIn("loaded", self.packages("show", self.database.name, loaded["load_id"]).out)

    def test_retry_loads_what_waits_and_reads_nothing(self):
        waiting = self.leave_one_waiting()
        self.path("orders.jsonl").unlink()
        self.assertIn("1 package loaded, 8 rows", self.packages("retry", self.database.name).out)
        self.assertEqual(self.count("orders"), 8)
        self.assertIn(waiting, self.values("SELECT load_id FROM _dlt_loads"))
        self.assertIn("0 packages", self.packages("retry", self.database.name).out)

    def test_retry_can_take_more_memory(self):
        self.write("wide.jsonl", [{f"c{number}": number for number in range(1_500)}] * 200)
        self.assertIn("Give --memory", self.load("wide.jsonl", "--memory", "128MiB", expect=EXIT_LOCAL).err)
        self.packages("retry", self.database.name, "--memory", "512MiB")
        self.assertEqual(self.count("wide"), 200)

    def test_discard_asks_and_the_next_run_reads_again(self):
        waiting = self.leave_one_waiting()
        self.packages("discard", self.database.name, expect=EXIT_USAGE)
        self.assertIn(waiting, self.packages("discard", self.database.name, "--dry-run").out)
        self.assertEqual(self.pending(), [waiting])
        self.packages("discard", self.database.name, waiting, "--yes")
        self.assertEqual(self.pending(), [])
        self.load("orders.jsonl")
        self.assertEqual(self.count("orders"), 8)

    def test_a_load_of_somebody_else_with_its_id_is_not_it(self):
        """Another pipeline may have begun in the same microsecond. What waits is then refused, and read again: never taken for loaded."""
        waiting = self.leave_one_waiting()
        connection = duckdb.connect(str(self.database))
        connection.execute(f"INSERT INTO _dlt_loads SELECT '{waiting}', 'other', 0, now(), 'x'")
        connection.close()
        self.assertIn("already in dataset", self.load("orders.jsonl", expect=EXIT_LOCKED).err)
        self.assertEqual(self.pending(), [])
        self.load("orders.jsonl")
        self.assertEqual(self.count("orders"), 8)

    def test_export(self):
        waiting = self.leave_one_waiting()
        self.packages("export", self.database.name, waiting, "out")
        [job] = pathlib.Path(self.path("out/jobs")).glob("orders.*.arrow")
        self.assertEqual(pyarrow.ipc.open_stream(job.read_bytes()).read_all()["id"].to_pylist(), [0, 1, 2, 3])
        self.assertIn("orders__lines", json.loads(self.path("out/schema.json").read_text())["tables"])
        self.packages("export", self.database.name, waiting, "out", expect=EXIT_USAGE)

    def test_verify(self):
        waiting = self.leave_one_waiting()
        self.assertIn("whole", self.packages("verify", self.database.name).out)
        [job] = self.data_folder.glob(f"pipelines/*/packages/{waiting}/jobs/orders.0*.arrow")
        content = bytearray(job.read_bytes())
        content[len(content) // 2] ^= 0xFF
        job.write_bytes(bytes(content))
        self.assertIn(job.name, self.packages("verify", self.database.name, expect=EXIT_CORRUPT).err)

    def test_a_failed_one_says_why(self):
        self.write("orders.jsonl", [{"id": 1}, {"id": 2}])
        self.load("orders.jsonl", "--column", "id:bigint:not_null")
        connection = duckdb.connect(str(self.database))
        connection.execute("ALTER TABLE orders ADD COLUMN must VARCHAR DEFAULT 'x'; ALTER TABLE orders ALTER COLUMN must DROP DEFAULT; ALTER TABLE orders ALTER COLUMN must SET NOT NULL")
        connection.close()
        self.load("orders.jsonl", expect=None)
        failed = self.listed()[-1]
        self.assertEqual(failed["state"], "failed")
        self.assertIn("must", failed["error"])

    def test_wrong_words(self):
        self.leave_one_waiting()
        self.assertIn("did you mean discard?", self.packages("discrad", self.database.name, expect=EXIT_USAGE).err)
        self.assertIn("there is no package 17", self.packages("show", self.database.name, "17", expect=EXIT_USAGE).err)


if __name__ == "__main__":
    main()
