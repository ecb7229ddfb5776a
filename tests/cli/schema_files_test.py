"""Schema documents that people edit (`--schema-import`) and read (`--schema-export`)."""

import json

from tipple_cli import EXIT_USAGE, Case, main


class SchemaFiles(Case):
    FOLDERS = ("--schema-import", "in", "--schema-export", "out")

    def document(self, folder):
        return (self.folder / folder / "load_main.schema.yaml").read_text()

    def edit(self, before, after):
        path = self.folder / "in" / "load_main.schema.yaml"
        text = path.read_text()
        self.assertIn(before, text)
        path.write_text(text.replace(before, after))

    def stored(self):
        (text,) = self.query("SELECT schema FROM _dlt_version ORDER BY inserted_at DESC LIMIT 1")[0]
        return json.loads(text)

    def test_what_is_declared_is_offered_and_what_is_inferred_exported(self):
        self.load(self.write("t.jsonl", [{"id": "1", "v": 5}]), "--column", "id:bigint", *self.FOLDERS)
        self.assertIn("id:", self.document("in"))
        self.assertNotIn("x-normalizer", self.document("in"))
        self.assertNotIn("v:", self.document("in").replace("nullable", ""))
        self.assertIn("seen-data: true", self.document("out"))
        self.assertIn("      v:\n        name: v\n        data_type: bigint", self.document("out"))

    def test_an_edited_document_is_the_schema(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--column", "id:bigint", *self.FOLDERS)
        first = self.stored()
        self.edit("    columns:\n      id:\n", "    columns:\n      w:\n        data_type: text\n        nullable: true\n      id:\n")
        self.load(self.write("t.jsonl", [{"id": 2, "w": 7}]), *self.FOLDERS)
        self.assertEqual(self.query("SELECT id, w FROM t ORDER BY id"), [(1, None), (2, "7")])
        second = self.stored()
        self.assertGreater(second["version"], first["version"])
        self.assertIn(first["version_hash"], second["previous_hashes"])

    def test_a_document_that_was_not_edited_changes_nothing(self):
        path = self.write("t.jsonl", [{"id": 1, "v": 1}])
        self.load(path, *self.FOLDERS)
        first = self.stored()
        self.load(path, *self.FOLDERS)
        self.assertEqual(self.stored()["version_hash"], first["version_hash"])

    def test_filters_are_applied_and_counted(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--column", "id:bigint", *self.FOLDERS)
        self.edit("  t:\n    name: t\n", "  t:\n    name: t\n    filters:\n      excludes: ['secret', 're:^addr__', 're:^lines__']\n      includes: ['re:city$']\n")
        record = {"id": 2, "secret": "s", "addr": {"city": "x", "zip": 1}, "lines": [{"a": 1}, {"a": 2, "m": [1]}]}
        result = self.load(self.write("t.jsonl", [record]), *self.FOLDERS)
        self.assertEqual(self.query("SELECT id, addr__city FROM t ORDER BY id"), [(1, None), (2, "x")])
        self.assertEqual([name for name in self.columns("t") if not name.startswith("_")], ["id", "addr__city"])
        self.assertIn("filters of the schema left out 2 nested rows and 2 values", result.err)

    def test_what_a_filter_has_taken_the_contract_does_not_count(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--column", "id:bigint", *self.FOLDERS)
        self.edit("  t:\n    name: t\n", "  t:\n    name: t\n    filters:\n      excludes: ['re:^lines__']\n      includes: ['re:__keep$']\n")
        path = self.write("t.jsonl", [{"id": 2, "lines": [{"a": 1}, {"keep": 1}, {"keep": 2}]}])
        error = self.load(path, *self.FOLDERS, "--contract", "discard_row").err
        self.assertIn("the schema contract left out 2 rows", error)
        self.assertIn("filters of the schema left out 1 nested row\n", error)

    def test_json_is_read_too(self):
        self.load(self.write("t.jsonl", [{"id": 1}]))
        document = self.stored()
        document["tables"]["t"]["columns"]["n"] = {"data_type": "text", "nullable": True}
        (self.folder / "in").mkdir()
        (self.folder / "in" / "load_main.schema.json").write_text(json.dumps(document))
        self.load(self.write("t.jsonl", [{"id": 2, "n": 5}]), "--schema-import", "in")
        self.assertEqual(self.query("SELECT n FROM t ORDER BY id"), [(None,), ("5",)])

    def test_what_is_no_schema_is_refused(self):
        path = self.write("t.jsonl", [{"id": 1}])
        (self.folder / "in").mkdir()
        for text in ("a: [1", "just text", "name: other\nversion: 1\nengine_version: 11\ntables: {}\nsettings: {}\nnormalizers: {}\n"):
            (self.folder / "in" / "load_main.schema.yaml").write_text(text)
            self.assertIn("load_main.schema.yaml", self.tipple("load", path, "shop.duckdb", "--schema-import", "in", expect=EXIT_USAGE).err)

    def test_a_dry_run_writes_nothing(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--dry-run", *self.FOLDERS)
        self.assertFalse((self.folder / "in").exists() or (self.folder / "out").exists())


if __name__ == "__main__":
    main()
