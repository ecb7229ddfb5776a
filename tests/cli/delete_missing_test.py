"""Full snapshots: --delete-missing removes or flags the rows that a source does not have any more, and refuses whatever may be no full snapshot."""

import gzip

from tipple_cli import EXIT_DATA, EXIT_USAGE, Case, main

STRATEGIES = ("delete-insert", "upsert", "insert-only")


class DeleteMissing(Case):
    def records_file(self, name, ids, **more):
        return self.write(name, [{"id": number, "lines": [{"sku": f"{number}-{line}", "tags": ["a"]} for line in range(2)], **more} for number in ids])

    def load_snapshot(self, ids, *flags, mode="hard", **options):
        return self.load(self.records_file("orders.jsonl", ids), "--key", "id", "--delete-missing", mode, *flags, **options)

    def assert_rows(self, ids):
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), list(ids))
        self.assertEqual(self.count("orders__lines"), 2 * len(list(ids)))
        self.assertEqual(self.count("orders__lines__tags"), 2 * len(list(ids)))

    def test_hard(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                self.database.unlink(missing_ok=True)
                self.load_snapshot(range(20), "--strategy", strategy)
                result = self.load_snapshot(range(2, 22), "--strategy", strategy, "--json")
                self.assertEqual(result.finished()["missing_rows"], {"orders": 2})
                self.assert_rows(range(2, 22))
                self.tipple("verify", self.database.name)

    def test_soft(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                self.database.unlink(missing_ok=True)
                self.load_snapshot(range(20), "--strategy", strategy, mode="soft")
                result = self.load_snapshot(range(2, 20), "--strategy", strategy, mode="soft")
                self.assertIn("2 rows flagged", result.err)
                self.assert_rows(range(20))
                flagged = "SELECT count(*) FROM {} WHERE _tipple_deleted_at IS NOT NULL"
                self.assertEqual([self.values(flagged.format(table)) for table in ("orders", "orders__lines", "orders__lines__tags")], [[2], [4], [4]])
                in_time = "SELECT count(*) FROM orders WHERE abs(epoch(_tipple_deleted_at) - (SELECT max(load_id::DOUBLE) FROM _dlt_loads)) < 0.001"
                self.assertEqual(self.values(in_time), [2], "the time is that of the load")
                # They are back.
                self.load_snapshot(range(20), "--strategy", strategy, mode="soft")
                self.assert_rows(range(20))
                self.assertEqual([self.values(flagged.format(table)) for table in ("orders", "orders__lines", "orders__lines__tags")], [[0], [0], [0]])

    def test_a_suspicious_shrink_is_refused(self):
        self.load_snapshot(range(20))
        result = self.load_snapshot(range(15), expect=EXIT_DATA)
        self.assertIn('table "orders": 5 of its 20 rows are not among the 15 records', result.err)
        self.assertIn("--max-delete 25%", result.err)
        self.assert_rows(range(20))
        self.assertEqual(self.pending(), [])
        self.load_snapshot(range(15), "--max-delete", "4", expect=EXIT_DATA)
        self.load_snapshot(range(15), "--max-delete", "25%")
        self.assert_rows(range(15))

    def test_an_empty_source(self):
        self.load_snapshot(range(5))
        self.assertIn("--allow-empty", self.load_snapshot([], expect=EXIT_USAGE).err)
        self.assert_rows(range(5))
        self.load_snapshot([], "--allow-empty")
        self.assert_rows([])

    def test_what_may_be_no_full_snapshot_is_refused(self):
        self.load_snapshot(range(20))
        good = self.records_file("orders.jsonl", range(20))
        broken = self.path("broken.jsonl")
        broken.write_text(self.path(good).read_text() + '{"id": \n')
        new_column = self.records_file("new.jsonl", range(20), new=1)
        flags = ["--as", "orders", "--delete-missing", "hard"]
        cases = [
            (good, ["--key", "id", "--limit", "5"], "limit"),
            (good, ["--key", "id", "--cursor", "id"], "cursor"),
            (good, [], "primary key"),
            (good, ["--strategy", "scd2"], "scd2 by itself closes"),
            (good, ["--key", "id", "--strategy", "cdc"], "cdc by itself deletes"),
            (broken, ["--key", "id", "--on-bad-record", "skip"], "broken.jsonl:21"),
            (broken, ["--key", "id", "--on-bad-record", "quarantine"], "1 record was left out"),
            (new_column, ["--key", "id", "--contract", "discard_row"], "left out 20 rows"),
        ]
        for path, more, says in cases:
            with self.subTest(more):
                result = self.load(path, *flags, *more, expect=EXIT_USAGE)
                self.assertIn(says, result.err)
                self.assertIn("delete-missing", result.err)
                self.assert_rows(range(20))
                self.assertEqual(self.pending(), [])

    def test_flags_that_say_nothing_sensible(self):
        good = self.records_file("orders.jsonl", range(2))
        for flags in (["--max-delete", "5%"], ["--allow-empty"], ["--delete-missing", "all"], ["--delete-missing", "hard", "--max-delete", "a lot"]):
            self.load(good, "--key", "id", *flags, expect=EXIT_USAGE)

    def test_project(self):
        self.path("tipple.toml").write_text(
            '[pipeline.shop]\nsource = { type = "files", uri = "." }\ndestination = "shop.duckdb"\ndataset = "main"\n'
            '[pipeline.shop.resources.orders]\nglob = "orders.jsonl"\nprimary_key = "id"\ndisposition = "merge"\ndelete_missing = "hard"\nmax_delete = "20%"\n')
        self.records_file("orders.jsonl", range(10))
        self.tipple("run")
        self.records_file("orders.jsonl", range(8))
        self.tipple("run")
        self.assert_rows(range(8))
        self.records_file("orders.jsonl", range(1))
        self.tipple("run", expect=EXIT_DATA)
        self.tipple("run", "--max-delete", "90%")
        self.assert_rows(range(1))
        self.records_file("orders.jsonl", [])
        self.tipple("run", expect=EXIT_USAGE)
        self.tipple("run", "--allow-empty")
        self.assert_rows([])
        for text, says in (('max_delete = "20%"', 'max_delete = "lots"'), ('delete_missing = "hard"', 'delete_missing = "very"'), ('delete_missing = "hard"', "")):
            project = self.path("tipple.toml").read_text()
            self.path("tipple.toml").write_text(project.replace(text, says))
            self.assertIn("tipple.toml:", self.tipple("run", expect=EXIT_USAGE).err)
            self.path("tipple.toml").write_text(project)

    def test_parts_ledgers_and_files_that_are_left_out(self):
        project = ('[pipeline.shop]\nsource = {{ type = "files", uri = "." }}\ndestination = "shop.duckdb"\ndataset = "main"\n'
                   '[pipeline.shop.resources.orders]\nglob = "orders*"\nprimary_key = "id"\ndisposition = "merge"\ndelete_missing = "hard"\n{}\n')
        self.write("tipple.toml", project.format(""))
        self.records_file("orders.jsonl", range(10))
        self.tipple("run")
        self.records_file("orders.jsonl", range(9))
        broken = gzip.compress(self.path("orders.jsonl").read_bytes())[:-20]
        for more, flags, says, file, exit_code in [
            ("", ["--checkpoint", "5"], "checkpoint", None, EXIT_USAGE),
            ("", ["--limit", "5"], "limit", None, EXIT_USAGE),
            ('state = "ledger"', [], "ledger", None, EXIT_USAGE),
            ('on_bad_file = "skip"', [], "could not be read to the end", broken, EXIT_USAGE),
            ("", ["--keep-going"], "orders_2.jsonl.gz", broken, EXIT_DATA),
        ]:
            with self.subTest(more=more, flags=flags):
                self.write("tipple.toml", project.format(more))
                if file is not None:
                    self.write("orders_2.jsonl.gz", file)
                self.assertIn(says, self.tipple("run", *flags, expect=exit_code).err)
                self.assert_rows(range(10))
                self.assertEqual(self.pending(), [])

    def test_undo_says_what_is_gone(self):
        self.load_snapshot(range(20))
        self.load_snapshot(range(1, 20))
        newest = self.values("SELECT max(load_id) FROM _dlt_loads")[0]
        self.assertIn("merged into", self.tipple("undo", self.database.name, newest, "--yes", expect=EXIT_USAGE).err)


if __name__ == "__main__":
    main()
