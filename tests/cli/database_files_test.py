"""Destinations that are there already: of other versions of DuckDB, of other people, of dlt, or no database at all."""

import json
import pathlib
import shutil

import duckdb

from tipple_cli import EXIT_USAGE, Case, main

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"


class Versions(Case):
    def test_a_file_of_duckdb_2_is_refused_with_both_versions_and_the_way_out(self):
        shutil.copy(FIXTURES / "duckdb-2.0.duckdb", self.database)
        content = self.database.read_bytes()
        self.write("t.jsonl", [{"id": 1}])
        for command in [["load", "t.jsonl", "shop.duckdb"], ["query", "shop.duckdb", "SELECT 1"], ["preview", "shop.duckdb"], ["schema", "shop.duckdb"]]:
            with self.subTest(command[0]):
                error = self.tipple(*command, expect=EXIT_USAGE).err
                for text in [str(self.database), "made by DuckDB v2.0.1", f"the DuckDB v{duckdb.__version__} in use", "STORAGE_VERSION 'v1.4.0'", "COPY FROM DATABASE"]:
                    self.assertIn(text, error)
        self.assertEqual(self.database.read_bytes(), content)
        self.assert_no_leftovers()

    def test_the_way_out_works(self):
        # With this version of the library, since the newer one is not here.
        connection = duckdb.connect(str(self.path("new.duckdb")))
        connection.execute("CREATE TABLE t AS SELECT 1 AS id")
        connection.execute("ATTACH 'old-format.duckdb' AS target (STORAGE_VERSION 'v1.4.0'); COPY FROM DATABASE new TO target".replace("old-format", str(self.path("old-format"))))
        connection.close()
        self.assertEqual(self.query("SELECT id FROM t", self.path("old-format.duckdb")), [(1,)])

    def test_older_files_keep_their_version(self):
        connection = duckdb.connect()
        connection.execute(f"ATTACH '{self.database}' AS s (STORAGE_VERSION 'v1.0.0')")
        connection.close()
        version = self.storage_version()
        self.load(self.write("t.jsonl", [{"id": 1}]))
        self.assertEqual(self.storage_version(), version)
        # Which cannot hold what compresses row ids best.
        self.assertEqual(self.compressions("_dlt_id"), {"Uncompressed"})

    def test_new_files_can_be_read_since_duckdb_1_4(self):
        self.load(self.write("t.jsonl", [{"id": 1}]))
        self.assertIn("v1.4.0", self.storage_version())

    def test_row_ids_are_compressed_with_zstd(self):
        self.load(self.write("t.jsonl", [{"id": number, "tags": [1, 2]} for number in range(5_000)]))
        self.assertEqual(self.compressions("_dlt_id"), {"ZSTD"})
        self.assertEqual(self.compressions("_dlt_parent_id", "t__tags"), {"ZSTD"})
        self.assertNotIn("ZSTD", self.compressions("id"))

    def compressions(self, column, table="t"):
        return set(self.values(f"SELECT compression FROM pragma_storage_info('{table}') WHERE column_name = '{column}' AND segment_type <> 'VALIDITY'"))

    def storage_version(self):
        return self.values("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'shop'")[0]


class NoDatabase(Case):
    def test_other_files_are_refused_and_left_alone(self):
        self.write("t.jsonl", [{"id": 1}])
        for name, content in {"empty": b"", "text": b"id,name\n1,x\n" * 1000, "short": b"x", "zeros": bytes(50_000), "sqlite": b"SQLite format 3\0" + bytes(8_000)}.items():
            with self.subTest(name):
                self.database.write_bytes(content)
                for command in [["load", "t.jsonl", "shop.duckdb"], ["query", "shop.duckdb", "SELECT 1"]]:
                    error = self.tipple(*command, expect=EXIT_USAGE).err
                    self.assertIn(f"{self.database} is not a DuckDB database", error)
                self.assertEqual(self.database.read_bytes(), content)
                self.assert_no_leftovers()

    def test_a_folder(self):
        self.database.mkdir()
        error = self.load(self.write("t.jsonl", [{"id": 1}]), expect=None)
        self.assertIn(error.code, (2, 10))
        self.assertIn("shop.duckdb", error.err)

    def test_source_and_destination_in_the_wrong_order(self):
        self.write("t.jsonl", [{"id": 1}])
        before = self.path("t.jsonl").read_bytes()
        self.assertIn("t.jsonl", self.tipple("load", "shop.duckdb", "t.jsonl", expect=EXIT_USAGE).err)
        self.assertEqual(self.path("t.jsonl").read_bytes(), before)

    def test_a_database_as_source(self):
        self.load(self.write("t.jsonl", [{"id": 1}]))
        self.tipple("load", "shop.duckdb", "other.duckdb")
        self.assertEqual(self.query("SELECT id FROM t", database=self.path("other.duckdb")), [(1,)])
        self.assertEqual(self.query("SELECT count(*) FROM _dlt_loads", database=self.path("other.duckdb")), [(1,)], "what the tables say of loads is of the database itself")
        result = self.tipple("load", "shop.duckdb", "other.duckdb", "-r", "_dlt_loads", expect=EXIT_USAGE)
        self.assertIn('"_dlt_loads" is a name of tables that tell what was loaded', result.err)


class ForeignTables(Case):
    """What is not ours is not touched."""

    def setUp(self):
        super().setUp()
        connection = duckdb.connect(str(self.database))
        connection.execute("CREATE TABLE users(id BIGINT, name VARCHAR); INSERT INTO users VALUES (1, 'ann')")
        connection.execute("CREATE VIEW names AS SELECT name FROM users")
        connection.close()
        self.write("users.jsonl", [{"id": 2, "name": "bob"}])

    def test_refused(self):
        for disposition in ["append", "replace"]:
            self.assert_load_fails("users.jsonl", "--disposition", disposition, expect=EXIT_USAGE, says=['"users"', "--adopt"])

    def test_a_nested_table_meets_one(self):
        self.write("all.jsonl", [{"x": 1}])
        self.load("all.jsonl", "--as", "company")
        connection = duckdb.connect(str(self.database))
        connection.execute("CREATE TABLE company__users(id BIGINT)")
        connection.close()
        self.assert_load_fails(self.write("all.jsonl", [{"users": [{"id": 1}]}]), "--as", "company", expect=EXIT_USAGE, says=['"company__users"', "--adopt"])

    def test_a_view(self):
        self.assert_load_fails("users.jsonl", "--as", "names", expect=EXIT_USAGE, says="names")

    def test_in_another_dataset_they_are_not_in_the_way(self):
        self.load("users.jsonl", "--dataset", "raw")
        self.assertEqual(self.query("SELECT id, name FROM users"), [(1, "ann")])
        self.assertEqual(self.query("SELECT id, name FROM raw.users"), [(2, "bob")])

    def test_other_tables_are_not_in_the_way(self):
        self.load("users.jsonl", "--as", "people")
        self.assertEqual(self.query("SELECT id, name FROM users"), [(1, "ann")])
        self.assertEqual(self.query("SELECT * FROM names"), [("ann",)])

    def test_adopted(self):
        self.load("users.jsonl", "--adopt")
        self.assertEqual(self.query("SELECT id, name FROM users ORDER BY id"), [(1, "ann"), (2, "bob")])
        self.assertEqual(self.query("SELECT count(_dlt_id) FROM users"), [(1,)])
        # From now on it is ours.
        self.load(self.write("users.jsonl", [{"id": 3, "name": "eve", "new": True}]))
        self.assertEqual(self.query("SELECT id, name, new FROM users ORDER BY id"), [(1, "ann", None), (2, "bob", None), (3, "eve", True)])

    def test_refused_and_then_adopted_is_loaded_once(self):
        self.load("users.jsonl", expect=EXIT_USAGE)
        self.load("users.jsonl", "--adopt")
        self.assertEqual(self.query("SELECT id FROM users ORDER BY id"), [(1,), (2,)])


class Dlt(Case):
    """A dataset that dlt wrote goes on."""

    def setUp(self):
        super().setUp()
        shutil.copy(FIXTURES / "dlt-1.31.duckdb", self.database)
        self.first = json.loads((FIXTURES / "dlt-1.31.expect.json").read_text())

    def schemas(self):
        return {name: json.loads(document) for name, document in self.query("SELECT schema_name, schema FROM shop_data._dlt_version ORDER BY version")}

    def test_shown(self):
        out = self.tipple("schema", "shop.duckdb", "--dataset", "shop_data").out
        self.assertIn("nested in", out)
        out = self.tipple("preview", "shop.duckdb", "--dataset", "shop_data", "-o", "csv").out
        self.assertIn("_dlt_loads", out)

    def test_a_load_into_it_leaves_what_dlt_made(self):
        tables = set(self.tables())
        schemas = self.schemas()
        loads = self.values("SELECT load_id FROM shop_data._dlt_loads ORDER BY 1")
        self.load(self.write("visits.jsonl", [{"id": 1, "pages": ["a", "b"]}]), "--dataset", "shop_data")
        self.assertEqual(set(self.tables()) - tables, {"shop_data.visits", "shop_data.visits__pages"})
        self.assertEqual(self.schemas()["shop"], schemas["shop"])
        self.assertIn("load_shop_data", self.schemas())
        self.assertEqual(self.values("SELECT load_id FROM shop_data._dlt_loads ORDER BY 1")[:-1], loads)

    def test_its_tables_are_known(self):
        # Tables of the schema that dlt stored need no --adopt. Their columns and rows stay.
        table = next(name.split(".")[1] for name in self.tables() if name.startswith("shop_data.") and "__" not in name)
        before = self.query(f"SELECT * FROM shop_data.{table} ORDER BY ALL")
        columns = list(self.columns(table))
        self.load(self.write("x.jsonl", [{"unheard_of": 1}]), "--as", table, "--dataset", "shop_data")
        self.assertEqual(list(self.columns(table)), [*columns, "unheard_of"])
        self.assertEqual(self.count(f"shop_data.{table} WHERE unheard_of = 1"), 1)
        self.assertEqual(self.count(f"shop_data.{table}"), len(before) + 1)


if __name__ == "__main__":
    main()
