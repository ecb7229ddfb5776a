"""`tipple schema history`, `diff` and `blame`: what changed, and when."""

import json

from tipple_cli import EXIT_USAGE, Case, main

EXIT_CHANGES = 8


class History(Case):
    def setUp(self):
        super().setUp()
        self.load(self.write("t.jsonl", [{"id": 1, "a": 1}, {"id": 2, "a": "x", "tags": ["q"]}]))
        self.load(self.write("more.jsonl", [{"id": 3, "when": "2024-01-01T00:00:00Z"}]), "--as", "t")

    def schema_json(self, *arguments, **options):
        return json.loads(self.tipple("schema", *arguments, "--json", **options).out)

    def test_history(self):
        versions = self.schema_json("history", "shop.duckdb")["versions"]
        self.assertEqual([version["version"] for version in versions], [2, 3])
        loads = [row[0] for row in self.query("SELECT load_id FROM _dlt_loads ORDER BY 1")]
        self.assertEqual([version["load_id"] for version in versions], loads)
        self.assertEqual(versions[1]["changes"], [{"change": "column_added", "table": "t", "column": "when"}])
        self.assertIn({"change": "table_added", "table": "t__tags"}, versions[0]["changes"])
        self.assertIn("1 column added", self.tipple("schema", "history", "shop.duckdb").out)

    def test_diff(self):
        out = self.tipple("schema", "diff", "shop.duckdb").out
        self.assertIn("version 2 -> version 3: 1 column added\n+ t.when  timestamp\n", out)
        self.assertIn("the same", self.tipple("schema", "diff", "shop.duckdb", "3", "3", "--exit-code").out)
        self.tipple("schema", "diff", "shop.duckdb", "2", "--exit-code", expect=EXIT_CHANGES)
        back = self.schema_json("diff", "shop.duckdb", "3", "2")
        self.assertEqual(back["changes"], [{"change": "column_removed", "table": "t", "column": "when"}])
        result = self.tipple("schema", "diff", "shop.duckdb", "9", expect=EXIT_USAGE)
        self.assertIn("versions: 2, 3", result.err)

    def test_blame(self):
        first, second = [row[0] for row in self.query("SELECT load_id FROM _dlt_loads ORDER BY 1")]
        late = self.schema_json("blame", "shop.duckdb", "t.when")
        self.assertEqual((late["load_id"], late["data_type"], late["version"]), (second, "timestamp", 3))
        variant = self.schema_json("blame", "shop.duckdb", "a__v_text")
        self.assertEqual(variant["load_id"], first)
        self.assertIn('did not fit "a", which is bigint', variant["reason"])
        self.assertIn('did you mean "t.when"', self.tipple("schema", "blame", "shop.duckdb", "t.whe", expect=EXIT_USAGE).err)
        self.assertIn("t._dlt_id, t__tags._dlt_id", self.tipple("schema", "blame", "shop.duckdb", "_dlt_id", expect=EXIT_USAGE).err)

    def test_blame_names_the_record(self):
        late = self.schema_json("blame", "shop.duckdb", "t.when")
        self.assertEqual(late["first_record"], {"source": "more.jsonl", "line": 1, "byte_offset": 0, "record": 1})
        self.assertIn("reads as timestamp", late["reason"])
        variant = self.schema_json("blame", "shop.duckdb", "a__v_text")
        self.assertEqual((variant["first_record"]["line"], variant["first_record"]["byte_offset"], variant["first_record"]["value"]), (2, 18, '"x"'))
        self.assertIn("first in t.jsonl:2 (byte 18)", self.tipple("schema", "blame", "shop.duckdb", "t__tags.value").out)
        # Loads that make no column leave what is noted alone.
        self.load(self.write("t.jsonl", [{"id": 4, "a": 1, "when": "2024-01-01T00:00:00Z"}]))
        self.assertEqual(self.schema_json("blame", "shop.duckdb", "t.when"), late)

    def test_blame_knows_nothing_of_other_machines(self):
        late = self.schema_json("blame", "shop.duckdb", "t.when", "--data-dir", "elsewhere", data_folder=False)
        self.assertIsNone(late["first_record"])
        self.assertIn("the first value that was not null made it timestamp", late["reason"])

    def test_blame_of_columns_that_come_as_columns_and_of_declared_ones(self):
        self.load(self.write("c.csv", "n,s\n1,a\n2,b\n"), "--column", "d:date", "--column", "s:text")
        self.assertEqual(self.schema_json("blame", "shop.duckdb", "c.n")["first_record"], {"source": "c.csv"})
        declared = self.schema_json("blame", "shop.duckdb", "c.s")
        self.assertEqual((declared["first_record"], declared["reason"]), (None, "a hint declared it text"))

    def test_blame_of_a_column_that_became_wider(self):
        self.load(self.write("w.jsonl", [{"n": 1}]), "--widen")
        self.load(self.write("x.jsonl", [{"n": 2}, {"n": 2.5}]), "--as", "w", "--widen")
        blamed = self.schema_json("blame", "shop.duckdb", "w.n")
        self.assertEqual(blamed["first_record"], {"source": "w.jsonl", "line": 1, "byte_offset": 0, "record": 1})
        self.assertEqual([(entry["data_type"], entry["first_record"]["source"], entry["first_record"]["line"]) for entry in blamed["widened"]],
                         [("double", "x.jsonl", 2)])
        self.assertIn("made double by load", self.tipple("schema", "blame", "shop.duckdb", "w.n").out)

    def test_wrong_arguments(self):
        self.assertIn("TARGET is required", self.tipple("schema", "show", "", expect=EXIT_USAGE).err)
        self.assertIn("blame needs a column", self.tipple("schema", "blame", "shop.duckdb", expect=EXIT_USAGE).err)
        self.assertIn("unexpected argument x", self.tipple("schema", "history", "shop.duckdb", "x", expect=EXIT_USAGE).err)
        self.assertIn("--exit-code", self.tipple("schema", "shop.duckdb", "--exit-code", expect=EXIT_USAGE).err)
        self.assertIn("of diff there is text", self.tipple("schema", "diff", "shop.duckdb", "-o", "sql", expect=EXIT_USAGE).err)
        self.assertIn('"hist" is no action, did you mean history?', self.tipple("schema", "hist", "shop.duckdb", expect=EXIT_USAGE).err)
        self.assertIn('"shopp.duckdb" does not exist', self.tipple("schema", "history", "shopp.duckdb", expect=EXIT_USAGE).err)

    def test_mermaid(self):
        out = self.tipple("schema", "shop.duckdb", "-o", "mermaid").out
        self.assertTrue(out.startswith("erDiagram\n"))
        self.assertIn('"t" ||--o{ "t__tags" : _dlt_parent_id', out)


if __name__ == "__main__":
    main()
