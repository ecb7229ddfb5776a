"""`tipple query`, `preview` and `schema`: looking at what was loaded."""

import csv
import io
import json
import subprocess
import unittest

import duckdb

from tipple_cli import BINARY, EXIT_LOCKED, EXIT_USAGE, Case, clean_environment, main

ORDERS = [{"id": 1, "name": "ann, \"a\"", "f": 1.5, "ok": True, "lines": [{"sku": "x"}, {"sku": "y"}]}, {"id": 2, "name": "größe\nline"}]


class Loaded(Case):
    def setUp(self):
        super().setUp()
        self.load(self.write("orders.jsonl", ORDERS))

    def query_cli(self, sql, *flags, **options):
        return self.tipple("query", "shop.duckdb", sql, *flags, **options)


class Query(Loaded):
    SQL = "SELECT id, name, f, ok FROM orders ORDER BY id"

    def test_table(self):
        out = self.query_cli("SELECT id, f FROM orders ORDER BY id").out
        self.assertEqual([line.split() for line in out.splitlines() if "─" not in line], [["id", "f"], ["1", "1.5"], ["2", "NULL"]])

    def test_table_fits_into_the_width(self):
        self.load(self.write("wide.jsonl", [{f"column_{number}": "x" * 200 for number in range(4)}]))
        for line in self.query_cli("SELECT * FROM wide").out.splitlines():
            self.assertLessEqual(len(line), 100)

    def test_csv(self):
        rows = list(csv.reader(io.StringIO(self.query_cli(self.SQL, "-o", "csv").out)))
        self.assertEqual(rows, [["id", "name", "f", "ok"], ["1", 'ann, "a"', "1.5", "true"], ["2", "größe\nline", "", ""]])

    def test_json(self):
        expected = [{"id": 1, "name": 'ann, "a"', "f": 1.5, "ok": True}, {"id": 2, "name": "größe\nline", "f": None, "ok": None}]
        self.assertEqual(json.loads(self.query_cli(self.SQL, "-o", "json").out), expected)
        self.assertEqual(json.loads(self.query_cli(self.SQL, "--json").out), expected)

    def test_jsonl(self):
        lines = self.query_cli(self.SQL, "-o", "jsonl").out.splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], [1, 2])

    def test_json_of_odd_values(self):
        sql = "SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b, '{\"x\": [1]}'::JSON AS c, 170141183460469231731687303715884105727::HUGEINT AS d, " \
              "1.50::DECIMAL(9,2) AS e, DATE '2024-01-02' AS f, NULL AS g, 'null' AS h, ''::VARCHAR AS i, [1, 2] AS j, {'k': 1} AS k, -0.5::FLOAT AS l"
        row = json.loads(self.query_cli(sql, "-o", "jsonl").out)
        self.assertEqual((row["a"], row["b"], row["c"], row["e"], row["f"], row["g"], row["h"], row["i"], row["l"]),
                         (None, None, {"x": [1]}, 1.5, "2024-01-02", None, "null", "", -0.5))
        self.assertEqual(row["d"], "170141183460469231731687303715884105727")

    def test_no_rows(self):
        self.assertEqual(json.loads(self.query_cli("SELECT 1 AS a WHERE false", "-o", "json").out), [])
        self.assertEqual(self.query_cli("SELECT 1 AS a WHERE false", "-o", "jsonl").out, "")
        self.assertEqual(self.query_cli("SELECT 1 AS a WHERE false", "-o", "csv").out, "a\n")

    def test_limit(self):
        result = self.query_cli("SELECT * FROM range(5000)", "-o", "csv")
        self.assertEqual(len(result.out.splitlines()), 1001)
        self.assertIn("--limit 0", result.err)
        self.assertEqual(len(self.query_cli("SELECT * FROM range(5000)", "-o", "csv", "--limit", "0").out.splitlines()), 5001)
        result = self.query_cli("SELECT * FROM range(3)", "-o", "csv", "--limit", "3")
        self.assertEqual((len(result.out.splitlines()), result.err), (4, ""))

    def test_from_standard_input(self):
        self.assertEqual(self.query_cli("-", "-o", "csv", input="SELECT 40 + 2 AS answer").out, "answer\n42\n")

    def test_dataset(self):
        self.load("orders.jsonl", "--dataset", "raw", "--as", "other")
        self.assertIn("2", self.query_cli("SELECT count(*) FROM other", "--dataset", "raw").out)
        self.query_cli("SELECT count(*) FROM other", expect=EXIT_USAGE)

    def test_bad_sql(self):
        for sql, says in [("SELEC 1", "SELEC"), ("SELECT * FROM ordres", "orders"), ("SELECT nme FROM orders", "name"), ("", "")]:
            with self.subTest(sql):
                result = self.query_cli(sql, expect=None)
                self.assertNotEqual((result.code, sql), (0, "SELEC 1"))
                if sql:
                    self.assertEqual(result.code, EXIT_USAGE)
                self.assertIn(says, result.err)
                self.assertEqual(result.out.strip(), "")

    def test_read_only(self):
        before = self.contents()
        for sql in ["DROP TABLE orders", "DELETE FROM orders", "CREATE TABLE x (i INT)", "INSERT INTO orders (id) VALUES (9)", "UPDATE orders SET id = 5"]:
            with self.subTest(sql):
                result = self.query_cli(sql, expect=None)
                self.assertNotEqual(result.code, 0)
                self.assertIn("read-only", result.err)
        self.assert_unchanged(before)

    def test_no_such_database(self):
        result = self.tipple("query", "none.duckdb", "SELECT 1", expect=EXIT_USAGE)
        self.assertIn("none.duckdb", result.err)
        self.assertFalse(self.path("none.duckdb").exists())

    def test_a_file_that_is_no_database(self):
        self.write("fake.duckdb", "this is a text, not a database, whatever its name says" * 100)
        self.assertIn("fake.duckdb", self.tipple("query", "fake.duckdb", "SELECT 1", expect=EXIT_USAGE).err)

    def test_a_database_that_another_process_writes(self):
        holder = duckdb.connect(str(self.database))
        try:
            result = self.query_cli("SELECT 1", expect=EXIT_LOCKED)
            self.assertIn("held by another process", result.err)
        finally:
            holder.close()

    def test_a_database_that_others_read(self):
        holder = duckdb.connect(str(self.database), read_only=True)
        try:
            self.assertIn("2", self.query_cli("SELECT count(*) FROM orders").out)
        finally:
            holder.close()


class Preview(Loaded):
    def test_tables(self):
        rows = json.loads(self.tipple("preview", "shop.duckdb", "-o", "json").out)
        found = {row["table"]: (row["rows"], row["parent"]) for row in rows}
        self.assertEqual((found["orders"], found["orders__lines"]), ((2, ""), (2, "orders")))

    def test_one_table_in_all_formats(self):
        for output in ["table", "csv", "json", "jsonl"]:
            with self.subTest(output):
                self.assertIn("sku", self.tipple("preview", "shop.duckdb", "orders__lines", "-o", output).out)

    def test_limit(self):
        self.load(self.write("many.jsonl", [{"id": number} for number in range(50)]))
        self.assertEqual(len(self.tipple("preview", "shop.duckdb", "many", "-o", "jsonl").out.splitlines()), 10)
        self.assertEqual(len(self.tipple("preview", "shop.duckdb", "many", "-o", "jsonl", "--limit", "3").out.splitlines()), 3)
        self.assertEqual(len(self.tipple("preview", "shop.duckdb", "many", "-o", "jsonl", "--limit", "0").out.splitlines()), 50)

    def test_a_table_that_is_not_there(self):
        self.assertIn('did you mean "orders"?', self.tipple("preview", "shop.duckdb", "order", expect=EXIT_USAGE).err)
        self.assertIn("orders__lines", self.tipple("preview", "shop.duckdb", "zzzzzzzzz", expect=EXIT_USAGE).err)

    def test_a_database_of_others(self):
        connection = duckdb.connect(str(self.path("theirs.duckdb")))
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
        connection.close()
        self.assertIn("42", self.tipple("preview", "theirs.duckdb", "t").out)
        self.assertIn("t", self.tipple("preview", "theirs.duckdb").out)

    def test_no_such_database(self):
        self.assertIn("none.duckdb", self.tipple("preview", "none.duckdb", expect=EXIT_USAGE).err)
        self.assertFalse(self.path("none.duckdb").exists())

    def test_dataset(self):
        self.load("orders.jsonl", "--dataset", "raw", "--as", "other")
        self.assertIn("ann", self.tipple("preview", "shop.duckdb", "other", "--dataset", "raw").out)


class Schema(Loaded):
    def test_text(self):
        out = self.tipple("schema", "shop.duckdb").out
        load_id = self.values("SELECT load_id FROM _dlt_loads")[0]
        lines = [line.split() for line in out.splitlines()]
        self.assertIn(["id", "bigint", load_id], lines)
        self.assertTrue(any(line[:3] == ["orders__lines", "nested", "in"] for line in lines), out)
        self.assertNotIn("_dlt_version", out)

    def test_which_load_added_what(self):
        self.load(self.write("orders.jsonl", [{"id": 3, "new": 1}]))
        first, second = self.values("SELECT load_id FROM _dlt_loads ORDER BY load_id")
        lines = [line.split() for line in self.tipple("schema", "shop.duckdb", "orders").out.splitlines()]
        self.assertIn(["id", "bigint", first], lines)
        self.assertIn(["new", "bigint", second], lines)

    def test_one_table(self):
        out = self.tipple("schema", "shop.duckdb", "orders__lines").out
        self.assertIn("sku", out)
        self.assertNotIn("name", out)

    def test_keys(self):
        self.load(self.write("users.jsonl", [{"user": 1}]), "--key", "user")
        out = self.tipple("schema", "shop.duckdb", "users").out
        self.assertRegex(out, r"user +bigint +not null +primary_key")

    def test_json(self):
        for arguments in [["-o", "json"], ["--json"]]:
            document = json.loads(self.tipple("schema", "shop.duckdb", *arguments).out)
            self.assertEqual(document["tables"]["orders"]["columns"]["id"]["data_type"], "bigint")
        stored = json.loads(self.values("SELECT schema FROM _dlt_version")[0])
        self.assertEqual(document["version_hash"], stored["version_hash"])
        only = json.loads(self.tipple("schema", "shop.duckdb", "orders", "-o", "json").out)
        self.assertEqual(list(only), ["orders"])

    def test_yaml(self):
        out = self.tipple("schema", "shop.duckdb", "-o", "yaml").out
        self.assertIn("\n  orders:\n", out)
        self.assertIn("data_type: bigint", out)

    def test_sql_makes_the_same_tables(self):
        connection = duckdb.connect()
        connection.execute(self.tipple("schema", "shop.duckdb", "-o", "sql").out)
        made = connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index").fetchall()
        connection.close()
        there = self.query("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE table_name LIKE 'orders%' AND NOT internal ORDER BY table_name, column_index")
        self.assertEqual(made, there)

    def test_a_table_that_is_not_there(self):
        self.assertIn('did you mean "orders"?', self.tipple("schema", "shop.duckdb", "ordrs", expect=EXIT_USAGE).err)

    def test_a_database_of_others(self):
        connection = duckdb.connect(str(self.path("theirs.duckdb")))
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
        connection.close()
        result = self.tipple("schema", "theirs.duckdb", expect=EXIT_USAGE)
        self.assertIn("no schema", result.err)

    def test_unknown_output(self):
        self.tipple("schema", "shop.duckdb", "-o", "dot", expect=EXIT_USAGE)


class ClosedOutput(Loaded):
    """`| head -1`: a reader that goes away ends the command, without a word."""

    def piped(self, command):
        process = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | head -1; exit ${{PIPESTATUS[0]}}"],
            capture_output=True,
            cwd=self.folder,
            # A child of Python inherits an ignored SIGPIPE otherwise, and would see what no user sees.
            restore_signals=True,
            env=clean_environment({"TIPPLE": BINARY, "TIPPLE_DATA_DIR": str(self.data_folder)}),
            timeout=300,
        )
        self.assertEqual(process.stderr.decode(), "")
        return process

    def test_of_queries(self):
        for output in ["csv", "jsonl", "json", "table"]:
            with self.subTest(output):
                process = self.piped(f'"$TIPPLE" query shop.duckdb "SELECT range AS n FROM range(200000)" --limit 0 -o {output}')
                self.assertIn(process.returncode, (0, 141))
                self.assertEqual(len(process.stdout.splitlines()), 1)

    def test_of_a_load(self):
        process = self.piped('"$TIPPLE" load orders.jsonl shop.duckdb --json -q')
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.count("orders"), 4)

    def test_of_a_load_whose_output_is_closed_from_the_start(self):
        process = subprocess.run(
            ["bash", "-c", '"$TIPPLE" load orders.jsonl shop.duckdb --json >&-'],
            capture_output=True,
            cwd=self.folder,
            env=clean_environment({"TIPPLE": BINARY, "TIPPLE_DATA_DIR": str(self.data_folder)}),
            timeout=300,
        )
        self.assertNotIn(b"defect", process.stderr)
        # The database must not have been opened as file descriptor 1 and written into by a message.
        self.assertEqual(self.count("orders"), 4)

    def test_of_a_load_whose_reader_goes_in_the_middle(self):
        self.write("many.jsonl", [{"id": number, "text": "x" * 500} for number in range(20_000)])
        process = self.piped('"$TIPPLE" load many.jsonl shop.duckdb --json 2>/dev/null')
        self.assertEqual(self.count("many"), 20_000)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    main()
