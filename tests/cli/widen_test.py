"""`--widen`: wider types where no value changes."""

import datetime
from decimal import Decimal

import duckdb
from tipple_cli import EXIT_DATA, Case, main


class Widen(Case):
    def load_lines(self, *records):
        return self.load(self.write("t.jsonl", list(records)), "--widen")

    def types(self, table="t"):
        rows = self.query(f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}' AND column_name NOT LIKE '%dlt%'")
        return dict(rows)

    def test_a_column_that_is_there_becomes_double(self):
        self.load_lines({"n": 1})
        result = self.load_lines({"n": 2.5}, {"n": 3})
        self.assertIn("n bigint -> double", result.out)
        self.assertEqual(self.types(), {"n": "DOUBLE"})
        self.assertEqual(self.query("SELECT n FROM t ORDER BY n"), [(1.0,), (2.5,), (3.0,)])
        self.load_lines({"n": 4})
        self.assertEqual(self.types(), {"n": "DOUBLE"})

    def test_but_not_when_a_value_would_change(self):
        self.load_lines({"n": 2**53 + 1})
        self.load_lines({"n": 2.5})
        self.assertEqual(self.query("SELECT n, n__v_double FROM t ORDER BY n"), [(2**53 + 1, None), (None, 2.5)])
        self.load_lines({"m": 0.5})
        self.load_lines({"m": 2**53 + 1}, {"m": 7})
        self.assertEqual(self.query("SELECT m, m__v_bigint FROM t WHERE m IS NOT NULL OR m__v_bigint IS NOT NULL ORDER BY 1, 2"),
                         [(0.5, None), (7.0, None), (None, 2**53 + 1)])

    def test_large_integers_that_others_wrote_count(self):
        self.load_lines({"n": 1})
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("UPDATE t SET n = 9007199254740993")
        self.load_lines({"n": 2.5})
        self.assertEqual(self.types(), {"n": "BIGINT", "n__v_double": "DOUBLE"})

    def test_dates_become_timestamps(self):
        self.load(self.write("t.csv", "d\n2024-01-05\n"), "--widen")
        self.assertEqual(self.types(), {"d": "DATE"})
        self.load_lines({"d": "2024-01-06T10:00:00+02:00"}, {"d": "2024-01-07"})
        self.assertEqual(self.types(), {"d": "TIMESTAMP WITH TIME ZONE"})
        self.assertEqual(self.query("SELECT epoch(d)::BIGINT FROM t ORDER BY d"),
                         [(int(datetime.datetime(2024, 1, day, hour, tzinfo=datetime.timezone.utc).timestamp()),) for day, hour in ((5, 0), (6, 8), (7, 0))])

    def test_hints_with_more_digits(self):
        path = self.write("t.jsonl", [{"a": 1.25}])
        self.load(path, "--column", "a:decimal(5,2)")
        self.load(self.write("t.jsonl", [{"a": 12345.678}]), "--column", "a:decimal(10,3)", "--widen")
        self.assertEqual(self.types(), {"a": "DECIMAL(10,3)"})
        self.assertEqual(self.query("SELECT a FROM t ORDER BY a"), [(Decimal("1.250"),), (Decimal("12345.678"),)])

    def test_merge_by_a_key_that_becomes_double(self):
        self.load(self.write("t.jsonl", [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}]), "--key", "k", "--widen")
        self.load(self.write("t.jsonl", [{"k": 2, "v": "c"}, {"k": 2.5, "v": "d"}]), "--key", "k", "--widen")
        self.assertEqual(self.query("SELECT k, v FROM t ORDER BY k"), [(1.0, "a"), (2.0, "c"), (2.5, "d")])

    def test_nested_rows_and_formats(self):
        self.load_lines({"l": [1, 2.5]}, {"l": [{"value": "x"}]})
        self.assertEqual(self.query("SELECT value, value__v_text FROM t__l ORDER BY 1, 2"), [(1.0, None), (2.5, None), (None, "x")])
        self.load_lines({"c": 1})
        self.load(self.write("t.csv", "c\n0.5\n"), "--widen")
        self.assertEqual(self.query("SELECT c FROM t WHERE c IS NOT NULL ORDER BY c"), [(0.5,), (1.0,)])

    def test_a_contract_forbids_it(self):
        self.load_lines({"n": 1})
        path = self.write("t.jsonl", [{"n": 2.5}])
        self.tipple("load", path, "shop.duckdb", "--widen", "--contract", "freeze", expect=EXIT_DATA)
        self.assertEqual(self.types(), {"n": "BIGINT"})

    def test_the_report_and_the_schema_say_so(self):
        self.load_lines({"n": 1})
        path = self.write("t.jsonl", [{"n": 2.5}])
        event = self.tipple("load", path, "shop.duckdb", "--widen", "--json").finished()
        self.assertEqual(event["widened_columns"], {"t.n": "double"})
        self.assertIn("bigint -> double", self.tipple("schema", "diff", "shop.duckdb").out)


if __name__ == "__main__":
    main()
