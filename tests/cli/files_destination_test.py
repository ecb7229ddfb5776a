"""Loads into files of a folder, as a user does: formats, layouts, what readers see, and what is refused."""

import fcntl
import json
import os
import shutil

from tipple_cli import EXIT_DATA, EXIT_LOCAL, EXIT_LOCKED, EXIT_USAGE, Case, files_dataset, main

ORDERS = [{"id": number, "customer": f"c{number}", "lines": [{"sku": f"{number}-{line}", "tags": ["x", "y"]} for line in range(number % 3)]} for number in range(7)]

# Values that a text format could change.
VALUES = [
    {"id": 1, "text": 'quote " comma , line\nbreak', "double": 0.1, "large": 9007199254740993, "flag": True, "at": "2024-01-02T03:04:05.678901Z", "amount": "12345678901234567890.123456789",
     "wei": "123456789012345678901234567890", "day": "2024-02-29", "clock": "01:02:03.000004", "data": {"a": [1, None, "ü"]}, "bytes": "AAEC/w==", "wall": "0001-01-01T00:00:00"},
    {"id": 2, "text": "", "double": -0.0, "large": -9223372036854775808, "flag": False, "data": [], "at": "1969-12-31T23:59:59.999999Z"},
    {"id": 3, "text": None, "double": 1e300},
    {"id": 4, "text": "NULL", "double": 5e-324, "data": "text"},
]
HINTS = ["--column", "amount:decimal", "--column", "wei:wei", "--column", "day:date", "--column", "clock:time", "--column", "data:json", "--column", "bytes:binary"]


class FilesDestination(Case):
    def setUp(self):
        super().setUp()
        self.database = self.path("lake")
        self.destination = "lake/"

    def rows(self, sql, destination="lake/"):
        return json.loads(self.tipple("query", destination, sql, "-o", "json", "--limit", "0").out)

    def only(self, sql, **options):
        (row,) = self.rows(sql, **options)
        (value,) = row.values()
        return value

    def data_files(self, table, dataset="main"):
        return sorted(path.relative_to(self.database / dataset / table).as_posix() for path in (self.database / dataset / table).rglob("*") if path.is_file())

    def findings(self):
        result = self.tipple("verify", self.destination, "--json", expect=None)
        document = json.loads(result.out)
        self.assertEqual(result.code, EXIT_DATA if document["findings"] else 0)
        return {finding["check"]: finding["count"] for finding in document["findings"]}

    def test_append_replace_undo(self):
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        once = self.records("orders")
        self.assertEqual(len(once), 7)
        self.load("orders.jsonl")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 14)
        self.assertEqual(self.only("SELECT count(*) FROM orders__lines__tags"), 2 * 2 * sum(len(order["lines"]) for order in ORDERS))
        self.assertEqual(self.findings(), {})
        newest = max(row["load_id"] for row in self.rows("SELECT load_id FROM _dlt_loads"))
        self.assertRegex(self.tipple("undo", "lake/", newest, "--dry-run").out, r"orders__lines +6\n")
        self.tipple("undo", "lake/", newest, "--yes")
        self.assertEqual(self.records("orders"), once)
        self.assertEqual(self.findings(), {})
        self.write("orders.jsonl", ORDERS[:2])
        self.load("orders.jsonl", "--disposition", "replace")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 2)
        self.assertEqual(self.only("SELECT count(*) FROM orders__lines"), 1)
        self.assertEqual(len(self.data_files("orders")), 1)
        self.write("orders.jsonl", [])
        self.load("orders.jsonl", "--disposition", "replace")
        self.assertEqual((self.only("SELECT count(*) FROM orders"), self.data_files("orders"), self.data_files("orders__lines")), (0, [], []))

    def test_values_come_back_from_every_format(self):
        self.write("values.jsonl", VALUES)
        self.tipple("load", "values.jsonl", "shop.duckdb", *HINTS)
        expected = self.rows("SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM values ORDER BY id", destination="shop.duckdb")
        for number, options in enumerate(["format=jsonl", "format=parquet", "format=csv", "format=jsonl&compression=zstd", "format=csv&compression=none", "format=parquet&compression=snappy"]):
            self.tipple("load", "values.jsonl", f"file://lake{number}?{options}", *HINTS)
            self.assertEqual(self.rows("SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM values ORDER BY id", destination=f"lake{number}/"), expected, options)

    def test_formats_mix_and_columns_come_later(self):
        for number, form in enumerate(["jsonl", "parquet", "csv", "jsonl"]):
            self.write("t.jsonl", [{"id": number, f"new_{number}": f"v{number}"}])
            self.load("t.jsonl", f"file://lake?format={form}")
        self.assertEqual(self.rows("SELECT id, new_0, new_1, new_2, new_3 FROM t ORDER BY id"),
                         [{"id": at, **{f"new_{number}": f"v{number}" if number == at else None for number in range(4)}} for at in range(4)])
        self.assertEqual(self.rows("SELECT table_name FROM information_schema.tables WHERE table_name NOT LIKE '\\_dlt%' ESCAPE '\\'"), [{"table_name": "t"}])

    def test_merge_is_refused_or_appends_when_told(self):
        self.write("orders.jsonl", ORDERS)
        self.assertIn('merge = "append"', self.load("orders.jsonl", "--key", "id", expect=EXIT_USAGE).err)
        self.assertFalse(self.database.exists())
        for _ in range(2):
            result = self.load("orders.jsonl", "file://lake?merge=append", "--key", "id")
            self.assertIn("appended, not merged", result.err)
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 14)

    def test_layout(self):
        self.write("orders.jsonl", ORDERS)
        layout = "{table_name}/{YYYY}/{MM}/{load_id}-{file_id}.{ext}"
        self.load("orders.jsonl", f"file://lake?layout={layout}")
        (path,) = self.data_files("orders")
        self.assertRegex(path, r"^20\d\d/[01]\d/\d+\.\d+-[0-9a-f]{4}000001\.jsonl\.gz$")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        # It is remembered, and must not change.
        self.load("orders.jsonl")
        self.assertEqual(len(self.data_files("orders")), 2)
        self.assertIn("has files of the layout", self.load("orders.jsonl", "file://lake?layout={table_name}/{load_id}.{file_id}.{ext}", expect=EXIT_USAGE).err)
        self.assertIn("did you mean {load_id}?", self.load("orders.jsonl", "file://other?layout={table_name}/{load_di}.{file_id}.{ext}", expect=EXIT_USAGE).err)
        self.assertFalse(self.path("other").exists())

    def test_the_layout_of_a_load_that_failed_binds_nobody(self):
        self.write("orders.jsonl", ORDERS)
        blocked = self.database / "main/_dlt_version"
        blocked.parent.mkdir(parents=True)
        blocked.write_text("")
        self.load("orders.jsonl", "file://lake?layout={table_name}/{YYYY}/{load_id}.{file_id}.{ext}", expect=EXIT_LOCAL)
        blocked.unlink()
        layout = "{table_name}/{load_id}-{file_id}.{ext}"
        self.load("orders.jsonl", f"file://lake?layout={layout}")
        self.assertEqual(json.loads((self.database / "main/_tipple/dataset.json").read_text()), {"layout": layout})
        self.assertRegex(self.data_files("orders")[0], r"^\d+\.\d+-[0-9a-f]{4}000001\.jsonl\.gz$")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(self.findings(), {})

    def test_system_files_of_somebody_else(self):
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        for stray in ("_dlt_loads/a__x.jsonl", "_dlt_version/main__z__00.jsonl", "_dlt_pipeline_state/main__z__00.jsonl"):
            path = self.database / "main" / stray
            path.parent.mkdir(exist_ok=True)
            path.write_text("{}")
        self.write("orders.jsonl", [{**order, "new": 1} for order in ORDERS])
        self.load("orders.jsonl")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 14)
        self.assertEqual(self.only("SELECT count(*) FROM _dlt_loads"), 2)

    def test_names_that_differ_in_case_only(self):
        self.write("data/orders.jsonl", ORDERS[:1])
        pipeline = '[pipeline.{0}]\nsource = "data/orders.jsonl"\ndestination = "lake/"\ndataset = "main"\nnaming = "direct"\n[pipeline.{0}.resources.{1}]\nglob = "data/orders.jsonl"\nstate = "none"\n'
        self.write("tipple.toml", pipeline.format("small", "orders") + pipeline.format("large", "Orders"))
        self.tipple("run", "small")
        error = self.tipple("run", "large", expect=EXIT_USAGE).err
        self.assertIn('table "Orders": the dataset has a table "orders", whose name differs in case only: load it under another name (--as) or into another dataset', error)
        self.tipple("run", "small")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 2)

    def test_options_with_typos(self):
        self.write("orders.jsonl", ORDERS)
        for url, says in [("file://lake?fromat=csv", "format"), ("file://lake?format=parkett", 'did you mean "parquet"'), ("file://lake?format=csv&compression=snappy", "none, gzip, zstd"),
                          ("file://lake?merge=yes", "refuse, append"), ("file://lake?csv", "option=value"), ("file://", "no folder")]:
            self.assertIn(says, self.load("orders.jsonl", url, expect=EXIT_USAGE).err)
        self.assertFalse(self.database.exists())

    def test_a_folder_that_is_there_needs_no_slash(self):
        self.database.mkdir()
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", "./lake")
        self.assertEqual(self.only("SELECT count(*) FROM orders", destination=str(self.database)), 7)
        self.assertIn("something was loaded into", self.tipple("query", "nowhere/", "SELECT 1", expect=EXIT_USAGE).err)

    def test_files_without_a_load_record_are_not_seen(self):
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        (name,) = self.data_files("orders")
        folder = self.database / "main" / "orders"
        shutil.copy(folder / name, folder / "1795404633.634409.0000000001.jsonl.gz")
        (folder / "notes.txt").write_text("hello")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(self.findings(), {"unfinished_files": 1, "foreign_files": 1})
        # They stay what they are: nobody knows whose they are.
        self.load("orders.jsonl", "--disposition", "replace")
        self.assertEqual(len(self.data_files("orders")), 3)
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)

    def test_somebody_elses_folder(self):
        self.write("lake/main/orders/mine.csv", "a,b\n")
        self.write("orders.jsonl", ORDERS)
        self.assertIn("--adopt", self.load("orders.jsonl", expect=EXIT_USAGE).err)
        self.load("orders.jsonl", "--adopt")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertTrue(self.path("lake/main/orders/mine.csv").exists())

    def test_a_replace_is_seen_at_once_even_while_old_files_lie_there(self):
        """As a load leaves the folder that is killed behind its load record, and one that is killed before it."""
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        main = self.database / "main"
        shutil.copytree(main, self.path("before"))
        self.write("orders.jsonl", ORDERS[:3])
        self.load("orders.jsonl", "--disposition", "replace")
        old = {path.relative_to(self.path("before")) for path in self.path("before").rglob("*") if path.is_file()}
        new = {path.relative_to(main) for path in main.rglob("*") if path.is_file()}
        (record,) = [path for path in new - old if path.parent.name == "_dlt_loads"]
        removed = sorted(path.as_posix() for path in old - new)
        self.assertEqual(len(removed), 3)
        for name in removed:
            shutil.copy(self.path("before") / name, main / name)
        load_id = record.stem.split("__")[-1]
        intent = main / "_tipple" / f"{load_id}.intent"
        intent.write_text(json.dumps({"added": sorted(path.as_posix() for path in new - old - {record}), "removed": removed}))
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 3)
        (main / record).rename(self.path("record"))
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(len(self.rows("SELECT * FROM _dlt_version")), 1)
        # The next load undoes what was not finished.
        self.write("others.jsonl", [{"id": 1}])
        self.load("others.jsonl")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.assertEqual(self.findings(), {})

    def test_the_lock_is_waited_for(self):
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        with open(self.database / "main" / "_tipple" / "lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("by somebody else", self.load("orders.jsonl", "--lock-timeout", "0", expect=EXIT_LOCKED).err)
            self.assertEqual(self.only("SELECT count(*) FROM orders"), 7)
        self.write("more.jsonl", [{"id": 1}])
        self.load("more.jsonl")
        self.assertEqual(self.only("SELECT count(*) FROM orders"), 14)

    def test_a_fresh_machine_goes_on(self):
        self.write("orders.jsonl", ORDERS[:4])
        self.load("orders.jsonl", "--cursor", "id")
        shutil.rmtree(self.data_folder)
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl", "--cursor", "id")
        self.assertEqual([row["id"] for row in self.rows("SELECT id FROM orders ORDER BY id")], list(range(7)))

    def test_missing_rights(self):
        become = self.unprivileged()
        if become is None:
            self.skipTest("needs another user")
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", "lake/")
        result = self.tipple("load", "orders.jsonl", "lake/", expect=EXIT_LOCAL, preexec=become)
        self.assertIn("permission", result.err.lower())
        self.assertEqual(json.loads(self.tipple("query", "lake/", "SELECT count(*) AS n FROM orders", "-o", "json", preexec=become).out), [{"n": 7}])

    def test_project(self):
        self.write("data/orders.jsonl", ORDERS)
        self.write("tipple.toml", '[connection.lake]\ntype = "filesystem"\npath = "lake"\nformat = "parquet"\n\n'
                                  '[pipeline.shop]\nsource = "data/orders.jsonl"\ndestination = "lake"\n')
        self.tipple("run", "shop")
        self.assertEqual(len(self.data_files("orders", dataset="shop")), 1)
        self.assertTrue(self.data_files("orders", dataset="shop")[0].endswith(".parquet"))
        self.assertIn("7", self.tipple("query", "shop", "SELECT count(*) FROM orders").out)
        self.assertIn("7", self.tipple("query", "lake/shop", "SELECT count(*) FROM orders").out)

    def test_many_files_of_one_load_overwrite_nothing(self):
        self.write("a.jsonl", [{"id": number, "text": os.urandom(20).hex()} for number in range(20_000)])
        self.load("a.jsonl", "--as", "t")
        self.load("a.jsonl", "--as", "t")
        files, _ = files_dataset.visible(self.database / "main")
        self.assertEqual(len(files["t"]), 2)
        self.assertEqual(self.only("SELECT count(*) FROM t"), 40_000)


if __name__ == "__main__":
    main()
