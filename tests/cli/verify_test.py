"""tipple verify finds what must never be, and says where."""

import json

import duckdb

from tipple_cli import EXIT_DATA, EXIT_USAGE, Case, main


class Verify(Case):
    def setUp(self):
        super().setUp()
        self.write("orders.jsonl", [{"id": number, "lines": [{"sku": f"s{number}", "tags": ["x"]}]} for number in range(5)])
        self.load("orders.jsonl", "--key", "id")

    def change(self, sql):
        connection = duckdb.connect(str(self.database))
        connection.execute(sql)
        connection.close()

    def findings(self):
        result = self.tipple("verify", self.database.name, "--json", expect=None)
        document = json.loads(result.out)
        self.assertEqual(result.code, EXIT_DATA if document["findings"] else 0)
        return {(finding["check"], finding["table"]): finding["count"] for finding in document["findings"]}

    def test_sound(self):
        result = self.tipple("verify", self.database.name)
        self.assertIn("3 tables", result.out)
        document = json.loads(self.tipple("verify", self.database.name, "--json").out)
        self.assertEqual([(load["table"], load["rows"]) for load in document["rows"]], [("orders", 5)])
        self.assertGreater(document["checks"], 10)

    def test_orphans_and_lost_roots(self):
        self.change("DELETE FROM orders WHERE id = 3")
        self.assertEqual(self.findings(), {("orphans", "orders__lines"): 1, ("lost_roots", "orders__lines"): 1, ("lost_roots", "orders__lines__tags"): 1})
        result = self.tipple("verify", self.database.name, expect=EXIT_DATA)
        self.assertIn("orphans", result.out)

    def test_doubled_rows(self):
        self.change("INSERT INTO orders SELECT * FROM orders WHERE id = 1")
        self.assertEqual(self.findings(), {("duplicate_ids", "orders"): 1, ("duplicate_keys", "orders"): 1})

    def test_rows_of_an_unknown_load(self):
        self.change("DELETE FROM _dlt_loads")
        self.assertEqual(self.findings(), {("unknown_loads", "orders"): 5})

    def test_dropped_table_and_column(self):
        self.change("DROP TABLE orders__lines__tags; ALTER TABLE orders DROP COLUMN id")
        self.assertEqual(self.findings(), {("missing_table", "orders__lines__tags"): 1, ("missing_column", "orders"): 1})

    def test_versions_of_rows_are_no_duplicates(self):
        for version in "aba":
            self.write("plans.jsonl", [{"id": 1, "plan": version, "tags": [version]}])
            self.load("plans.jsonl", "--strategy", "scd2")
        self.assertEqual(self.count("plans"), 3)
        self.assertEqual(self.findings(), {})

    def test_repeated_load_record(self):
        self.change("INSERT INTO _dlt_loads SELECT * FROM _dlt_loads")
        self.assertEqual(self.findings(), {("repeated_loads", "_dlt_loads"): 1})

    def test_nothing_there(self):
        result = self.tipple("verify", "none.duckdb", expect=EXIT_USAGE)
        self.assertIn("none.duckdb", result.err)


if __name__ == "__main__":
    main()
