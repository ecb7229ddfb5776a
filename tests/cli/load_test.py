"""`tipple load`: what it does with the rows, and what it says."""

import base64
import json
import re
import shlex
import unittest
import zlib

import duckdb
import pyarrow
import pyarrow.parquet

from tipple_cli import EXIT_DATA, EXIT_DONE, EXIT_LOCAL, EXIT_PARTIAL, EXIT_USAGE, IS_SANITIZED, SYSTEM_TABLES, Case, main

ORDERS = [
    {"id": 1, "customer": {"name": "ann", "address": {"city": "Rome"}}, "lines": [{"sku": "a", "qty": 2, "tags": ["x", "y"]}, {"sku": "b", "qty": 1}]},
    {"id": 2, "customer": {"name": "bob"}, "lines": []},
    {"id": 3, "note": "late", "lines": [{"sku": "c", "qty": 5, "tags": ["z"]}]},
]
ORDERS_ROWS = {"orders": 3, "orders__lines": 3, "orders__lines__tags": 3}


class Tables(Case):
    """Related tables out of nested records."""

    def test_nested_records(self):
        self.load(self.write("orders.jsonl", ORDERS))
        self.assertEqual({table: self.count(table) for table in self.tables()}, ORDERS_ROWS)
        self.assertEqual(
            self.query("SELECT id, customer__name, customer__address__city, note FROM orders ORDER BY id"),
            [(1, "ann", "Rome", None), (2, "bob", None, None), (3, None, None, "late")],
        )
        self.assertEqual(
            self.query(
                "SELECT o.id, l._dlt_list_idx, l.sku, t.value FROM orders o JOIN orders__lines l ON l._dlt_parent_id = o._dlt_id"
                " LEFT JOIN orders__lines__tags t ON t._dlt_parent_id = l._dlt_id ORDER BY ALL"
            ),
            [(1, 0, "a", "x"), (1, 0, "a", "y"), (1, 1, "b", None), (3, 0, "c", "z")],
        )

    def test_system_tables_and_columns(self):
        self.load(self.write("orders.jsonl", ORDERS))
        all_tables = set(self.values("SELECT table_name FROM duckdb_tables()"))
        self.assertEqual(all_tables, {*ORDERS_ROWS, *SYSTEM_TABLES})
        load_id, schema_name, status = self.query("SELECT load_id, schema_name, status FROM _dlt_loads")[0]
        self.assertEqual((schema_name, status), ("load_main", 0))
        self.assertEqual(set(self.values("SELECT _dlt_load_id FROM orders")), {load_id})
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT _dlt_id) FROM orders__lines"), [(3, 3)])
        schema = json.loads(self.values("SELECT schema FROM _dlt_version")[0])
        self.assertEqual(set(schema["tables"]) & set(ORDERS_ROWS), set(ORDERS_ROWS))
        self.assertEqual(schema["tables"]["orders__lines"]["parent"], "orders")

    def test_schema_evolves_over_runs(self):
        self.write("t.jsonl", [{"id": 1}])
        self.load("t.jsonl")
        self.write("t.jsonl", [{"id": "two", "extra": {"deep": 1.5}, "list": [1]}])
        result = self.load("t.jsonl")
        self.assertEqual(self.query("SELECT id, id__v_text, extra__deep FROM t ORDER BY id"), [(1, None, None), (None, "two", 1.5)])
        self.assertEqual(self.columns("t"), {"id": "BIGINT", "id__v_text": "VARCHAR", "extra__deep": "DOUBLE"})
        self.assertEqual(self.values("SELECT value FROM t__list"), [1])
        self.assertIn("id__v_text", result.out)
        self.assertRegex(result.err, r'table "t": column "id" is bigint, and values of another type came, first "two" in .*t\.jsonl line 1; they are in column "id__v_text" \(text\)')
        self.assertIn("--contract freeze", result.err)

    def test_types_that_are_found_in_text(self):
        self.load(self.write("t.jsonl", [{"t": "2024-01-02T03:04:05Z", "d": "2024-01-02", "n": "12", "b": True, "f": 1.5, "i": 7, "null": None}]))
        types = self.columns("t")
        self.assertEqual(types["t"], "TIMESTAMP WITH TIME ZONE")
        self.assertEqual((types["n"], types["b"], types["f"], types["i"]), ("VARCHAR", "BOOLEAN", "DOUBLE", "BIGINT"))
        self.assertNotIn("null", types)

    def test_names_are_normalized(self):
        self.load(self.write("My Orders-2024.jsonl", [{"Order ID": 1, "camelCase": 2, "a.b": 3}]))
        self.assertEqual(self.tables(), ["my_orders_2024"])
        self.assertEqual(list(self.columns("my_orders_2024")), ["order_id", "camel_case", "a_b"])

    def test_as(self):
        self.load(self.write("x.jsonl", ORDERS), "--as", "orders")
        self.assertEqual(set(self.tables()), set(ORDERS_ROWS))

    def test_dataset(self):
        self.load(self.write("orders.jsonl", ORDERS), "--dataset", "raw")
        self.load(self.write("orders.jsonl", ORDERS[:1]), "--dataset", "other")
        self.assertEqual(self.values("SELECT count(*) FROM raw.orders"), [3])
        self.assertEqual(self.values("SELECT count(*) FROM other.orders"), [1])
        self.assertEqual(self.values("SELECT count(*) FROM raw._dlt_loads"), [1])
        self.assertFalse([table for table in self.tables() if "." not in table])

    def test_dataset_from_the_environment(self):
        self.load(self.write("orders.jsonl", ORDERS), env={"TIPPLE_DATASET": "raw"})
        self.assertEqual(self.values("SELECT count(*) FROM raw.orders"), [3])

    def test_a_dataset_that_cannot_be_one(self):
        self.assertIn("my data", self.load(self.write("orders.jsonl", ORDERS), "--dataset", "my data", expect=EXIT_USAGE).err)
        self.assertFalse(self.database.exists())

    def test_max_table_nesting(self):
        self.load(self.write("orders.jsonl", ORDERS), "--max-table-nesting", "0")
        self.assertEqual(self.tables(), ["orders"])
        self.assertEqual(json.loads(self.values("SELECT lines FROM orders WHERE id = 3")[0]), ORDERS[2]["lines"])
        self.load(self.write("deep.jsonl", ORDERS), "--max-table-nesting", "1")
        self.assertIn("deep__lines", self.tables())
        self.assertNotIn("deep__lines__tags", self.tables())

    def test_destination_as_url(self):
        self.write("orders.jsonl", ORDERS)
        self.tipple("load", "orders.jsonl", f"duckdb:///{str(self.database).lstrip('/')}")
        self.assertEqual(self.count("orders"), 3)

    def test_a_destination_that_is_not_known(self):
        self.write("orders.jsonl", ORDERS)
        result = self.tipple("load", "orders.jsonl", "shop.xyz", expect=EXIT_USAGE)
        self.assertIn(".duckdb", result.err)
        self.assertFalse(self.path("shop.xyz").exists())

    def test_a_destination_in_a_folder_that_does_not_exist(self):
        self.write("orders.jsonl", ORDERS)
        result = self.tipple("load", "orders.jsonl", "no/such/folder/shop.duckdb", expect=None)
        self.assertIn(result.code, (2, 10))
        self.assertIn("no/such/folder", result.err)


class Dispositions(Case):
    def test_append_twice_doubles(self):
        self.write("orders.jsonl", ORDERS)
        self.load("orders.jsonl")
        self.load("orders.jsonl")
        self.assertEqual({table: self.count(table) for table in self.tables()}, {table: 2 * rows for table, rows in ORDERS_ROWS.items()})
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT _dlt_id), count(DISTINCT _dlt_load_id) FROM orders"), [(6, 6, 2)])
        self.assertEqual(self.count("_dlt_loads"), 2)

    def test_replace_swaps(self):
        self.load(self.write("orders.jsonl", ORDERS))
        self.load(self.write("orders.jsonl", [{"id": 9, "lines": [{"sku": "new"}]}]), "--disposition", "replace")
        self.assertEqual(self.query("SELECT id, note FROM orders"), [(9, None)])
        self.assertEqual(self.values("SELECT sku FROM orders__lines"), ["new"])
        self.assertEqual(self.count("orders__lines__tags"), 0)

    def test_replace_leaves_other_tables_alone(self):
        self.load(self.write("orders.jsonl", ORDERS))
        self.load(self.write("users.jsonl", [{"id": 1}]))
        self.load("users.jsonl", "--disposition", "replace")
        self.assertEqual((self.count("orders"), self.count("users")), (3, 1))

    def test_merge_by_key(self):
        self.load(self.write("orders.jsonl", ORDERS), "--disposition", "merge", "--key", "id")
        self.write("orders.jsonl", [{"id": 1, "customer": {"name": "anna"}, "lines": [{"sku": "q"}]}, {"id": 4, "lines": []}])
        self.load("orders.jsonl", "--disposition", "merge", "--key", "id")
        self.assertEqual(
            self.query("SELECT id, customer__name, customer__address__city FROM orders ORDER BY id"),
            [(1, "anna", None), (2, "bob", None), (3, None, None), (4, None, None)],
        )
        self.assertEqual(
            self.query("SELECT o.id, l.sku FROM orders o JOIN orders__lines l ON l._dlt_parent_id = o._dlt_id ORDER BY ALL"), [(1, "q"), (3, "c")]
        )
        self.assertEqual(self.values("SELECT value FROM orders__lines__tags"), ["z"])
        # No row of a nested table has lost its parent, and each knows its root.
        self.assertEqual(self.count("orders__lines WHERE _dlt_parent_id NOT IN (SELECT _dlt_id FROM orders)"), 0)
        self.assertEqual(self.count("orders__lines__tags WHERE _dlt_root_id NOT IN (SELECT _dlt_id FROM orders)"), 0)

    def test_a_key_means_merge(self):
        self.write("orders.jsonl", ORDERS)
        for _ in range(3):
            self.load("orders.jsonl", "--key", "id")
        self.assertEqual({table: self.count(table) for table in self.tables()}, ORDERS_ROWS)

    def test_merge_inside_of_one_load_keeps_one_record_per_key(self):
        self.load(self.write("t.jsonl", [{"id": 1, "v": 1, "l": [1]}, {"id": 1, "v": 2, "l": [2, 3]}, {"id": 2, "v": 3}]), "--key", "id")
        # Which one is not promised; but the nested rows are those of the record that stayed.
        kept = self.values("SELECT v FROM t WHERE id = 1")
        self.assertIn(kept, [[1], [2]])
        self.assertEqual(self.values("SELECT value FROM t__l ORDER BY 1"), {1: [1], 2: [2, 3]}[kept[0]])
        self.assertEqual(self.count("t"), 2)

    def test_composite_key(self):
        self.load(self.write("t.jsonl", [{"a": 1, "b": "x", "v": 1}, {"a": 1, "b": "y", "v": 2}]), "--key", "a", "--key", "b")
        self.load(self.write("t.jsonl", [{"a": 1, "b": "y", "v": 3}, {"a": 2, "b": "x", "v": 4}]), "--key", "a", "--key", "b")
        self.assertEqual(self.query("SELECT a, b, v FROM t ORDER BY ALL"), [(1, "x", 1), (1, "y", 3), (2, "x", 4)])

    def test_the_key_is_named_as_in_the_records(self):
        for _ in range(2):
            self.load(self.write("t.jsonl", [{"Order ID": 1}]), "--key", "Order ID")
        self.assertEqual(self.values("SELECT order_id FROM t"), [1])

    def test_merge_of_csv_and_parquet(self):
        self.load(self.write("t.csv", "id,v\n1,a\n2,b\n"), "--key", "id")
        self.load(self.write("t.csv", "id,v\n2,c\n3,d\n"), "--key", "id")
        self.assertEqual(self.query("SELECT id, v FROM t ORDER BY id"), [(1, "a"), (2, "c"), (3, "d")])
        pyarrow.parquet.write_table(pyarrow.table({"id": [3, 4], "v": ["e", "f"]}), self.path("t.parquet"))
        self.load("t.parquet", "--key", "id")
        self.assertEqual(self.query("SELECT id, v FROM t ORDER BY id"), [(1, "a"), (2, "c"), (3, "e"), (4, "f")])

    def test_append_becomes_merge(self):
        self.load(self.write("orders.jsonl", ORDERS))
        self.load("orders.jsonl", "--key", "id")
        self.assertEqual({table: self.count(table) for table in self.tables()}, ORDERS_ROWS)

    def test_tables_and_columns_that_were_dropped_by_hand_are_made_again(self):
        self.load(self.write("orders.jsonl", ORDERS))
        connection = duckdb.connect(str(self.database))
        connection.execute("DROP TABLE orders__lines; ALTER TABLE orders DROP COLUMN note")
        connection.close()
        self.load("orders.jsonl")
        self.assertEqual((self.count("orders"), self.count("orders__lines")), (6, 3))
        self.assertEqual(self.query("SELECT note FROM orders WHERE note IS NOT NULL"), [("late",)])

    def test_a_record_without_its_key(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--key", "id")
        before = self.contents()
        self.write("t.jsonl", [{"id": 2}, {"other": 1}])
        result = self.load("t.jsonl", "--key", "id", expect=EXIT_DATA)
        self.assertIn("id", result.err)
        self.assert_unchanged(before)

    def test_merge_needs_a_key(self):
        self.assertIn("--key", self.load(self.write("t.jsonl", ORDERS), "--disposition", "merge", expect=EXIT_USAGE).err)

    def test_a_key_is_for_merge(self):
        self.assertIn("--key", self.load(self.write("t.jsonl", ORDERS), "--disposition", "replace", "--key", "id", expect=EXIT_USAGE).err)


class Strategies(Case):
    def test_upsert_keeps_row_ids(self):
        self.load(self.write("t.jsonl", '{"id": 1, "v": "a", "l": [1, 2]}\n{"id": 2, "v": "a"}\n'), "--strategy", "upsert", "--key", "id")
        ids = self.query("SELECT id, _dlt_id FROM t ORDER BY id")
        self.load(self.write("t.jsonl", '{"id": 1, "v": "b", "l": [3]}\n'), "--disposition", "merge", "--strategy", "upsert", "--key", "id")
        self.assertEqual(self.query("SELECT id, _dlt_id FROM t ORDER BY id"), ids)
        self.assertEqual(self.query("SELECT id, v FROM t ORDER BY id"), [(1, "b"), (2, "a")])
        self.assertEqual(self.query("SELECT value FROM t__l"), [(3,)])

    def test_insert_only_and_cdc(self):
        self.load(self.write("t.jsonl", '{"id": 1, "v": "a"}\n'), "--strategy", "insert-only", "--key", "id")
        self.load(self.write("t.jsonl", '{"id": 1, "v": "b"}\n{"id": 2, "v": "b"}\n'), "--strategy", "insert-only", "--key", "id")
        self.assertEqual(self.query("SELECT id, v FROM t ORDER BY id"), [(1, "a"), (2, "b")])
        self.load(self.write("t.jsonl", '{"id": 3, "v": "c"}\n{"id": 1, "v": "c"}\n'), "--strategy", "cdc", "--key", "id")
        self.assertEqual(self.query("SELECT id, v FROM t ORDER BY id"), [(1, "c"), (3, "c")])

    def test_scd2_needs_no_key_and_takes_every_format(self):
        rows = "SELECT id, v, _dlt_valid_to IS NULL AS is_active FROM t ORDER BY id, _dlt_valid_from"
        self.load(self.write("t.csv", "id,v\n1,a\n2,a\n"), "--strategy", "scd2")
        self.load(self.write("t.csv", "id,v\n1,a\n2,b\n"), "--strategy", "scd2")
        self.assertEqual(self.query(rows), [(1, "a", True), (2, "a", False), (2, "b", True)])
        # The same record is the same version, whatever format it comes in.
        self.load(self.write("t.jsonl", '{"id": 1, "v": "a"}\n'), "--strategy", "scd2")
        self.assertEqual(self.query(rows), [(1, "a", True), (2, "a", False), (2, "b", False)])

    def test_upsert_of_csv_has_the_ids_of_the_key(self):
        self.load(self.write("t.jsonl", '{"id": 1, "l": [1]}\n'), "--strategy", "upsert", "--key", "id")
        self.load(self.write("t.csv", "id,v\n1,x\n"), "--strategy", "upsert", "--key", "id")
        self.assertEqual(self.query("SELECT id, v, _dlt_id FROM t"), [(1, "x", "z5jIxXIbUnmbKw")])
        self.assertEqual(self.query("SELECT count(*) FROM t__l"), [(0,)])

    def test_a_strategy_is_for_merge_and_needs_a_key(self):
        self.write("t.jsonl", ORDERS)
        self.assertIn("--strategy upsert needs", self.load("t.jsonl", "--strategy", "upsert", expect=EXIT_USAGE).err)
        self.assertIn("--strategy is for", self.load("t.jsonl", "--strategy", "scd2", "--disposition", "append", expect=EXIT_USAGE).err)
        self.assertIn("scd2", self.load("t.jsonl", "--strategy", "scd3", expect=EXIT_USAGE).err)


class Limits(Case):
    def test_limit(self):
        self.load(self.write("t.jsonl", [{"id": number, "l": [1]} for number in range(100)]), "--limit", "7")
        self.assertEqual(self.values("SELECT id FROM t ORDER BY 1"), list(range(7)))
        self.assertEqual(self.count("t__l"), 7)

    def test_limit_in_many_pages(self):
        self.load(self.write("t.jsonl", [{"id": number, "text": "x" * 1000} for number in range(5_000)]), "--limit", "4321")
        self.assertEqual(self.query("SELECT count(*), max(id) FROM t"), [(4321, 4320)])

    def test_limit_of_every_format(self):
        self.write("a.json", json.dumps([{"id": number} for number in range(50)]))
        self.write("b.csv", "id\n" + "".join(f"{number}\n" for number in range(50)))
        pyarrow.parquet.write_table(pyarrow.table({"id": list(range(50))}), self.path("c.parquet"))
        for name in ["a.json", "b.csv", "c.parquet"]:
            with self.subTest(name):
                self.load(name, "--limit", "3")
                self.assertEqual(self.values(f"SELECT id FROM {name[0]} ORDER BY 1"), [0, 1, 2])

    def test_limit_over_several_files(self):
        self.write("a.jsonl", [{"id": 1}, {"id": 2}])
        self.write("b.jsonl", [{"id": 3}, {"id": 4}])
        self.load("a.jsonl", "b.jsonl", "--as", "t", "--limit", "3")
        self.assertEqual(self.values("SELECT id FROM t ORDER BY 1"), [1, 2, 3])

    def test_limit_larger_than_the_input(self):
        self.load(self.write("t.jsonl", ORDERS), "--limit", "1000")
        self.assertEqual(self.count("t"), 3)

    def test_workers_give_the_same(self):
        self.write("t.jsonl", [{"id": number, "v": number if number % 7 != 3 else f"x{number}", "l": [{"x": number}] * (number % 3)} for number in range(3_000)])
        found = []
        for workers in [1, 2, 5]:
            self.load("t.jsonl", f"w{workers}.duckdb", "--workers", workers)
            database = self.path(f"w{workers}.duckdb")
            found.append(
                (
                    self.query("SELECT id, v, v__v_text FROM t ORDER BY _dlt_id", database=database),
                    self.query("SELECT x, _dlt_list_idx, substr(_dlt_parent_id, 9), substr(_dlt_id, 9) FROM t__l ORDER BY _dlt_id", database=database),
                    self.columns("t", database=database),
                )
            )
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])


class DryRun(Case):
    def test_tells_tables_columns_and_types_and_writes_nothing(self):
        self.write("orders.jsonl", ORDERS)
        result = self.load("orders.jsonl", "--dry-run")
        self.assertFalse(self.database.exists())
        self.assert_no_leftovers()
        lines = [line.split() for line in result.out.splitlines()]
        for expected in [
            ["orders", "id", "bigint", "yes"],
            ["orders", "customer__address__city", "text", "yes"],
            ["orders", "note", "text", "yes"],
            ["orders__lines", "qty", "bigint", "yes"],
            ["orders__lines__tags", "value", "text", "yes"],
            ["orders__lines", "_dlt_parent_id", "text", "no"],
        ]:
            self.assertIn(expected, lines)
        self.assertIn("dry run", result.out)

    def test_reads_the_whole_input(self):
        self.write("t.jsonl", [{"id": number, "text": "x" * 500} for number in range(10_000)] + [{"late": True}])
        result = self.load("t.jsonl", "--dry-run")
        self.assertIn(["t", "late", "bool", "yes"], [line.split() for line in result.out.splitlines()])

    def test_of_parquet_and_csv(self):
        pyarrow.parquet.write_table(pyarrow.table({"p": [1, 2]}), self.path("a.parquet"))
        self.write("b.csv", "c,d\n1,x\n")
        result = self.load("a.parquet", "b.csv", "--dry-run")
        lines = [line.split() for line in result.out.splitlines()]
        self.assertIn(["a", "p", "bigint", "yes"], lines)
        self.assertIn(["b", "d", "text", "yes"], lines)
        self.assertFalse(self.database.exists())

    def test_tells_only_what_is_new(self):
        self.load(self.write("t.jsonl", [{"id": 1}]))
        before = self.contents()
        result = self.load(self.write("t.jsonl", [{"id": "x", "new": 1}]), "--dry-run")
        self.assert_unchanged(before)
        self.assertIn("id__v_text", result.out)
        self.assertIn(["t", "new", "bigint", "yes"], [line.split() for line in result.out.splitlines()])
        self.assertNotIn(["t", "id", "bigint", "yes"], [line.split() for line in result.out.splitlines()])

    def test_as_json(self):
        event = self.load(self.write("orders.jsonl", ORDERS), "--dry-run", "--json").finished()
        self.assertEqual(event["rows"], ORDERS_ROWS)
        self.assertEqual(event["new_columns"]["orders__lines"]["qty"], "bigint")
        self.assertEqual(event["loads"], [])
        self.assertFalse(self.database.exists())

    def test_of_a_bad_file(self):
        self.load(self.write("t.jsonl", '{"id": 1}\n{"id": \n'), "--dry-run", expect=EXIT_DATA)
        self.assertFalse(self.database.exists())


class Output(Case):
    def test_summary(self):
        result = self.load(self.write("orders.jsonl", ORDERS))
        lines = [line.split() for line in result.out.splitlines()]
        for table, rows in ORDERS_ROWS.items():
            self.assertTrue(any(line[:3] == [table, str(rows), "new"] for line in lines if len(line) > 3), result.out)
        self.assertRegex(result.out, r"extract \+ normalize +[0-9.]+ s .*records/s")
        self.assertRegex(result.out, r"\nload +[0-9.]+ s .*rows/s")
        self.assertRegex(result.out, r"\ntotal +[0-9.]+ s +peak memory [0-9.]+ [kMG]?B")
        self.assertIn("9 rows in 3 tables", result.out)
        self.assertIn(str(self.database), result.out)
        load_id = self.values("SELECT load_id FROM _dlt_loads")[0]
        self.assertIn(load_id, result.out)

    def test_the_next_commands_of_the_summary_work(self):
        self.write("orders.jsonl", ORDERS)
        result = self.tipple("load", "orders.jsonl", "my shop.duckdb", "--dataset", "raw")
        commands = re.findall(r"(?:next:|      ) +(tipple .*)", result.out)
        self.assertEqual(len(commands), 2, result.out)
        for command in commands:
            answer = self.tipple(*shlex.split(command)[1:])
            self.assertIn("sku" if "JOIN" in command else "customer__name", answer.out)

    def test_summary_of_a_second_run_names_new_columns(self):
        self.load(self.write("t.jsonl", [{"id": 1}]))
        result = self.load(self.write("t.jsonl", [{"id": 1, "extra": 1.5}]))
        self.assertRegex(result.out, r"t +1 +\+1 columns?: extra double")

    def test_append_says_that_rows_of_the_same_file_were_there(self):
        self.write("t.jsonl", [{"id": 1}])
        self.assertNotIn("before", self.load("t.jsonl").err)
        first = self.values("SELECT load_id FROM _dlt_loads")[0]
        self.assertRegex(self.load("t.jsonl").err, rf"t\.jsonl was loaded before.* by load {first} ")
        self.assertNotIn("before", self.load("t.jsonl", "--disposition", "replace").err)
        self.write("t.jsonl", [{"id": 1}, {"id": 2}])
        self.assertNotIn("before", self.load("t.jsonl").err, "it is not the same any more")

    def test_nothing_to_load(self):
        result = self.load(self.write("t.jsonl", ""))
        self.assertIn("no records", result.out)

    def test_quiet(self):
        result = self.load(self.write("orders.jsonl", ORDERS), "-q")
        self.assertEqual((result.out, result.err), ("", ""))
        result = self.load(self.write("t.jsonl", "{"), "-q", expect=EXIT_DATA)
        self.assertEqual(result.out, "")
        self.assertIn("error:", result.err)

    def test_verbose(self):
        self.write("orders.jsonl", ORDERS)
        plain = self.load("orders.jsonl")
        debug = self.load("orders.jsonl", "-vv")
        self.assertGreater(len(debug.err), len(plain.err))
        self.assertIn("reading as jsonl", debug.err)

    def test_log_file(self):
        self.load(self.write("orders.jsonl", ORDERS), "-vv", "--log-file", "run.log")
        self.assertIn("reading as jsonl", self.path("run.log").read_text())

    def test_log_as_json(self):
        self.load(self.write("orders.jsonl", ORDERS), "-v", "--log-file", "run.log", "--log-format", "json")
        failed = self.load(self.write("broken.jsonl", "{"), "-q", "--log-format", "json", expect=EXIT_DATA)
        lines = [json.loads(line) for line in self.path("run.log").read_text().splitlines() + failed.err.splitlines()]
        for line in lines:
            self.assertEqual(line["v"], 1)
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
            self.assertIn(line["level"], ["info", "warning", "error"])
        self.assertIn("broken.jsonl", lines[-1]["message"])
        self.assertEqual(lines[-1]["level"], "error")
        self.assertTrue(any(line.get("pipeline") == "load_main" and "run" in line for line in lines), lines)

    def test_json(self):
        result = self.load(self.write("orders.jsonl", ORDERS), "--json")
        event = result.finished()
        self.assertEqual((event["status"], event["exit_code"], event["rows"], event["records"]), ("done", 0, ORDERS_ROWS, 3))
        self.assertEqual(event["loads"], self.values("SELECT load_id FROM _dlt_loads"))
        self.assertEqual(event["new_columns"]["orders"]["id"], "bigint")
        for key in ["run", "ts", "pipeline", "dataset", "destination", "bytes_read", "duration_s", "peak_memory", "skipped_count"]:
            self.assertIn(key, event)
        for event in result.events():
            self.assertEqual(event["v"], 1)

    def test_json_of_a_failure(self):
        for content, code, kind in [("{", EXIT_DATA, "data"), (None, EXIT_USAGE, "usage")]:
            if content is not None:
                self.write("t.jsonl", content)
            result = self.load("t.jsonl" if content else "none.jsonl", "--json", expect=code)
            event = result.finished()
            self.assertEqual((event["status"], event["exit_code"], event["kind"]), ("failed", code, kind))
            self.assertIn("jsonl", event["message"])

    def test_json_with_skipped_records(self):
        result = self.load(self.write("t.jsonl", '{"id": 1}\n{"id": \n{"id": 3}\n'), "--json", "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        event = result.finished()
        self.assertEqual((event["status"], event["exit_code"], event["skipped_count"], event["rows"]), ("partial", 7, 1, {"t": 2}))
        self.assertEqual((event["skipped"][0]["origin"], event["skipped"][0]["line"]), ("t.jsonl", 2))

    def test_progress_modes_say_nothing_on_stdout(self):
        self.write("orders.jsonl", ORDERS)
        for mode in ["lines", "bar", "none"]:
            with self.subTest(mode):
                result = self.load("orders.jsonl", "--progress", mode, "--disposition", "replace")
                self.assertNotIn("extract  ", result.out)
        result = self.load("orders.jsonl", "--progress", "none", "--disposition", "replace")
        self.assertEqual(result.err, "")
        result = self.load("orders.jsonl", "--progress", "lines", "--disposition", "replace")
        self.assertRegex(result.err, r"(?m)^extract +orders .* done in ")
        self.assertRegex(result.err, r"(?m)^load +.* done in ")

    def test_progress_json_with_a_summary_for_people(self):
        result = self.load(self.write("orders.jsonl", ORDERS), "--progress", "json")
        events = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
        self.assertEqual([event["event"] for event in events if event["event"] == "step.finished"], ["step.finished"] * 2)

    def test_an_unknown_progress_mode(self):
        self.assertIn("--progress", self.load(self.write("t.jsonl", ORDERS), "--progress", "loud", expect=EXIT_USAGE).err)

    def test_no_colour_without_a_terminal(self):
        result = self.load(self.write("orders.jsonl", ORDERS))
        self.assertNotIn("\x1b[", result.out + result.err)
        self.assertIn("\x1b[", self.load("orders.jsonl", "--color", "always").out)
        self.assertNotIn("\x1b[", self.load("orders.jsonl", "--color", "never").out)

    def test_ascii_where_the_locale_has_no_more(self):
        result = self.load(self.write("orders.jsonl", ORDERS), env={"LC_ALL": "C"})
        self.assertTrue(result.out.isascii(), result.out)

    def test_a_bar_on_a_terminal(self):
        self.write("t.jsonl", [{"id": number, "text": "x" * 1000} for number in range(20_000)])
        out = self.on_terminal("load", "t.jsonl", "shop.duckdb")
        self.assertIn("20,000 rows", out)
        self.assertEqual(self.count("t"), 20_000)

    def test_colour_on_a_terminal(self):
        self.write("orders.jsonl", ORDERS)
        out = self.on_terminal("load", "orders.jsonl", "shop.duckdb")
        self.assertIn("\x1b[32m", out)
        out = self.on_terminal("load", "orders.jsonl", "shop.duckdb", env={"NO_COLOR": "1"})
        self.assertNotIn("\x1b[32m", out)


class BadRecords(Case):
    def test_a_place_of_a_bad_line(self):
        result = self.assert_load_fails(
            self.write("t.jsonl", '{"id": 1}\n\n{"id": 2}\n{"id": }\n{"id": 4}\n'), expect=EXIT_DATA, says=["t.jsonl:4", "--on-bad-record"]
        )
        self.assertIn('"t"', result.err)

    def test_skip_names_the_first_ten(self):
        lines = "".join('{"id": %d}\n' % number if number % 2 else '{"id": %d\n' % number for number in range(1, 51))
        result = self.load(self.write("t.jsonl", lines), "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        self.assertEqual(self.values("SELECT id FROM t ORDER BY 1"), list(range(1, 51, 2)))
        self.assertIn("25 records were left out", result.err)
        self.assertEqual(re.findall(r"t\.jsonl:(\d+)", result.err), [str(number) for number in range(2, 21, 2)])
        self.assertIn("15 more", result.err)

    def test_skip_in_every_form_of_json(self):
        contents = {
            "list.json": '[{"id": 1}, {"id": tru}, {"id": 3}]',
            "objects.json": '{"id": 1} {"id": tru} {"id": 3}',
            "lines.jsonl": '{"id": 1}\n{"id": tru}\n{"id": 3}\n',
        }
        for name, content in contents.items():
            with self.subTest(name):
                table = name.split(".")[0]
                result = self.load(self.write(name, content), "--on-bad-record", "skip", expect=EXIT_PARTIAL)
                self.assertEqual(self.values(f"SELECT id FROM {table} ORDER BY 1"), [1, 3])
                self.assertIn(name, result.err)

    def test_skip_with_nothing_to_skip(self):
        self.load(self.write("t.jsonl", ORDERS), "--on-bad-record", "skip", expect=EXIT_DONE)

    def test_all_records_are_bad(self):
        self.load(self.write("t.jsonl", "{]\n" * 5), "--on-bad-record", "skip", expect=EXIT_PARTIAL)

    def test_quiet_still_tells_what_was_left_out(self):
        result = self.load(self.write("t.jsonl", '{"id": 1}\n{\n'), "-q", "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        self.assertIn("t.jsonl:2", result.err)


class Contracts(Case):
    def setUp(self):
        super().setUp()
        self.load(self.write("t.jsonl", [{"id": 1}]))

    def test_freeze(self):
        self.assert_load_fails(self.write("t.jsonl", [{"id": 2}, {"id": 3, "new": 1}]), "--contract", "freeze", expect=EXIT_DATA, says="new")

    def test_discard_value(self):
        self.load(self.write("t.jsonl", [{"id": 2, "new": 1}]), "--contract", "discard_value")
        self.assertEqual(self.query("SELECT id FROM t ORDER BY 1"), [(1,), (2,)])
        self.assertEqual(list(self.columns("t")), ["id"])

    def test_discard_row(self):
        self.load(self.write("t.jsonl", [{"id": 2, "new": 1}, {"id": 3}]), "--contract", "discard_row", expect=None)
        self.assertEqual(self.values("SELECT id FROM t ORDER BY 1"), [1, 3])

    def test_an_unknown_contract(self):
        self.assertIn("--contract", self.load("t.jsonl", "--contract", "maybe", expect=EXIT_USAGE).err)


class Crowds(Case):
    def test_records_at_one_cursor_value(self):
        """So many that what is remembered of them has megabytes; it is stored as the reference stores a state."""
        records = [{"t": 1, "n": n} for n in range(200_000)]
        path = self.write("t.jsonl", records)
        self.load(path, "--cursor", "t")
        text = self.query("SELECT state FROM _dlt_pipeline_state")[0][0]
        self.assertGreater(len(text), 1_500_000)
        state = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
        packed = state["sources"]["load_main"]["resources"]["t"]["incremental"]["t"]["packed_records"]
        self.assertEqual((packed["kind"], packed["count"]), ("digests", 200_000))
        self.load(path, "--cursor", "t")
        self.load(self.write("t.jsonl", [*records[::-1], {"n": -1, "t": 1}]), "--cursor", "t")
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT n) FROM t"), [(200_001, 200_001)])


class Memory(Case):
    def test_what_is_no_size(self):
        for size in ["much", "-1", "1"]:
            with self.subTest(size):
                self.assertIn("--memory", self.load(self.write("t.jsonl", ORDERS), f"--memory={size}", expect=EXIT_USAGE).err)

    @unittest.skipIf(IS_SANITIZED, "sanitizers need memory of their own")
    def test_the_budget_holds(self):
        lines = "".join(json.dumps({"id": number, "text": "x" * 900, "list": [{"n": number}] * 3}) + "\n" for number in range(20_000))
        self.write("t.jsonl", lines * 5)
        event = self.load("t.jsonl", "--memory", "256MiB", "--json").finished()
        self.assertEqual(event["rows"], {"t": 100_000, "t__list": 300_000})
        # A few percent more: memory that the engine's allocator has not given back counts for nobody.
        self.assertLess(event["peak_memory"], 264 << 20)

    @unittest.skipIf(IS_SANITIZED, "sanitizers need memory of their own")
    def test_a_record_of_thousands_of_columns_fits(self):
        self.load(self.write("t.jsonl", [{f"column_{number}": str(number) for number in range(4_000)}]))
        self.assertEqual(self.query("SELECT column_0, column_3999 FROM t"), [("0", "3999")])

    def test_texts_that_do_not_fit_together_are_refused_before_the_transaction(self):
        lines = "".join(json.dumps({"id": number, "body": "x" * 30_000, "note": "y" * 300}) + "\n" for number in range(2_100))
        error = self.load(self.write("t.jsonl", lines), "--memory", "128MiB", expect=EXIT_LOCAL).err
        self.assertIn('rows of about 30', error)
        self.assertRegex(error, r'most of it in column "body", of which the engine writes 2048 at a time: .* Give --memory [0-9]+MiB, or keep such values in files')
        # The package waits, and loads with what the message says.
        asked = re.search("--memory ([0-9]+)MiB", error).group(1)
        self.load(self.write("u.jsonl", [{"id": 1}]), "--memory", f"{asked}MiB")
        self.assertEqual(self.query("SELECT count(*), sum(length(body)) FROM t"), [(2_100, 63_000_000)])


if __name__ == "__main__":
    main()
