"""What a user says of columns beforehand (`--column`), and names that meet (`--collisions`)."""

import json
from decimal import Decimal

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, EXIT_USAGE, Case, main


class Hints(Case):
    def test_types_of_columns_and_of_nested_columns(self):
        path = self.write("t.jsonl", [{"id": "1", "price": 1.5, "lines": [{"n": "5"}]}])
        self.load(path, "--column", "id:bigint:key", "--column", "price:decimal(10,2)", "--column", "lines/n:double")
        self.assertEqual(self.query("SELECT id, price FROM t"), [(1, Decimal("1.50"))])
        self.assertEqual(self.query("SELECT n FROM t__lines"), [(5.0,)])
        # A key makes it a merge.
        self.load(self.write("t.jsonl", [{"id": 1, "price": 2}]), "--column", "id:bigint:key")
        self.assertEqual(self.query("SELECT id, price FROM t"), [(1, Decimal("2.00"))])

    def test_csv_columns_too(self):
        self.load(self.write("c.csv", "a,b,c\n1.239,2024-01-02,007\n,,\n"), "--column", "a:decimal(10,2)", "--column", "c:text", "--column", "b:text")
        self.assertEqual(self.query("SELECT a, c FROM c"), [(Decimal("1.24"), "007"), (None, None)])

    def test_rounding_is_told(self):
        path = self.write("t.jsonl", [{"a": 1.239}, {"a": 1.2}, {"a": 0.001}])
        result = self.load(path, "--column", "a:decimal(10,2)")
        self.assertIn('table "t", column "a"', result.err)
        self.assertIn("rounded, 2 times", result.err)
        self.assertEqual(self.query("SELECT a FROM t"), [(Decimal("1.24"),), (Decimal("1.20"),), (Decimal("0.00"),)])

    def test_rounding_of_times_is_told(self):
        records = [{"t": "2024-01-01T00:00:00.5Z", "l": [{"u": "2024-01-01T00:00:00.000001"}]}, {"t": "2024-01-01T00:00:01.9996Z"}, {"t": None}, {"t": "2024-01-01T00:00:02.0004Z"}]
        columns = ("--column", "t:timestamp(3):timezone=false", "--column", "l/u:timestamp(0):timezone=false")
        path = self.write("t.jsonl", records)
        result = self.load(path, *columns)
        self.assertIn('table "t", column "t": times with more digits behind the second than the column keeps were rounded, 2 times, first in t.jsonl:2', result.err)
        self.assertIn('table "t__l", column "u": times with more digits behind the second than the column keeps were rounded, once, first in t.jsonl:1', result.err)
        self.assertEqual([t.isoformat() for (t,) in self.query("SELECT t FROM t WHERE t IS NOT NULL ORDER BY t")],
                         ["2024-01-01T00:00:00.500000", "2024-01-01T00:00:02", "2024-01-01T00:00:02"])
        self.assertNotIn("rounded", self.load(self.write("z.jsonl", records), "--column", "t:timestamp(3)", "--column", "l/u:timestamp(6):timezone=false").err)

    def test_wrong_hints(self):
        path = self.write("t.jsonl", [{"a": 1}])
        for hint, message in [("a", "NAME:TYPE"), ("a:bigin", "did you mean bigint"), ("a:text:keyy", "no hint"), ("l/a:text:key", "no key")]:
            self.assertIn(message, self.tipple("load", path, "shop.duckdb", "--column", hint, expect=EXIT_USAGE).err)

    def test_key_that_no_record_has(self):
        path = self.write("t.jsonl", [{"a": 1}])
        self.assertIn('"idd"', self.tipple("load", path, "shop.duckdb", "--column", "idd:bigint:key", expect=EXIT_DATA).err)
        path = self.write("t.jsonl", [{"id": 1}])
        self.assertIn('did you mean "id"?', self.tipple("load", path, "shop.duckdb", "--key", "idd", expect=EXIT_DATA).err)

    def test_records_that_lack_their_key_are_named_in_a_first_load_too(self):
        files = {"jsonl": self.write("t.jsonl", [{"id": 1}, {"v": 2}, {"id": 3}]), "csv": self.write("t.csv", "id,v\n1,\n,2\n3,\n")}
        places = {"jsonl": "t.jsonl:2 (byte 10)", "csv": "t.csv, record 2:"}
        for form, path in files.items():
            for widen in ([], ["--widen"]):
                with self.subTest(form=form, widen=widen):
                    self.database.unlink(missing_ok=True)
                    arguments = ["load", path, "shop.duckdb", "--key", "id", *widen]
                    error = self.tipple(*arguments, expect=EXIT_DATA).err
                    self.assertIn(places[form], error)
                    self.assertIn('table "t", column "id": the record has no value for it', error)
                    self.assertFalse(self.database.exists() and self.query("SELECT * FROM duckdb_tables() WHERE table_name = 't'"))
                    self.tipple(*arguments, "--on-bad-record", "quarantine", expect=EXIT_PARTIAL)
                    self.assertEqual(self.query("SELECT id FROM t ORDER BY id"), [(1,), (3,)])
                    [(table, column, record)] = self.query("SELECT table_name, column_name, record FROM _tipple_quarantine")
                    self.assertEqual((table, column), ("t", "id"))
                    self.assertEqual(json.loads(record)["v"], 2)


class Collisions(Case):
    RECORDS = [{"Name": "a", "name": 5, "L": [1], "l": [2, 3]}, {"name": 7}]

    def test_kept_and_told(self):
        result = self.load(self.write("t.jsonl", self.RECORDS))
        self.assertIn('"Name" and "name" of one record both became column "name", once, first in', result.err)
        self.assertIn('the lists "L" and "l"', result.err)
        self.assertEqual(self.query("SELECT name FROM t"), [(5,), (7,)])
        self.assertEqual(self.query("SELECT value FROM t__l"), [(2,), (3,)])

    def test_null_does_not_win(self):
        self.load(self.write("t.jsonl", [{"Name": "a", "name": None}]))
        self.assertEqual(self.query("SELECT name FROM t"), [("a",)])

    def test_fail(self):
        path = self.write("t.jsonl", self.RECORDS)
        self.assertIn('"Name" and "name"', self.tipple("load", path, "shop.duckdb", "--collisions", "fail", expect=EXIT_DATA).err)
        self.tipple("load", path, "shop.duckdb", "--collisions", "fail", "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT name FROM t"), [(7,)])

    def test_suffix_keeps_both_whatever_the_workers_and_runs(self):
        records = self.RECORDS + [{"name": n} for n in range(200)] + [{"Name": "b"}]
        path = self.write("t.jsonl", records)
        self.load(path, "--collisions", "suffix", "--workers", "3")
        self.load(path, "--collisions", "suffix", "--workers", "1")
        rows = self.query("SELECT name, name_2 FROM t")
        self.assertEqual(rows, 2 * ([("a", 5), (None, 7)] + [(None, n) for n in range(200)] + [("b", None)]))
        self.assertEqual(self.query("SELECT value FROM t__l_2"), 2 * [(2,), (3,)])


if __name__ == "__main__":
    main()
