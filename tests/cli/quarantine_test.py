"""Records that are put aside: `--contract quarantine`, `--on-bad-record quarantine`, and `tipple quarantine`."""

import json

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, EXIT_USAGE, Case, main


class Quarantine(Case):
    GOOD = '{"id": 1, "n": 1}\n'
    MIXED = '{"id": 2, "n": "abc", "lines": [{"k": 1}]}\n{"id": 3, "n": 3}\n{"id": 4, "zz": [1]}\n{"id": 5, "n": \n'

    def put_aside(self, *arguments, expect=EXIT_PARTIAL):
        self.load(self.write("t.jsonl", self.GOOD))
        return self.tipple("load", self.write("t.jsonl", self.MIXED), "shop.duckdb", "--contract", "quarantine", "--on-bad-record", "quarantine",
                           *arguments, expect=expect)

    def listed(self, *arguments):
        return json.loads(self.tipple("quarantine", "list", "shop.duckdb", "--json", *arguments).out)

    def command(self, *arguments, expect=0):
        return self.tipple("quarantine", *arguments, expect=expect)

    def test_records_are_kept_whole_with_reason_and_place(self):
        result = self.put_aside()
        self.assertIn("3 records were put into quarantine", result.err)
        self.assertEqual(self.query("SELECT id FROM t ORDER BY id"), [(1,), (3,)])
        rows = self.query("SELECT root_table, table_name, column_name, source LIKE '%t.jsonl', line, record_number, record FROM _tipple_quarantine ORDER BY line")
        self.assertEqual(rows, [
            ("t", "t", "n__v_text", True, 1, 1, '{"id": 2, "n": "abc", "lines": [{"k": 1}]}'),
            ("t", "t__zz", None, True, 3, 3, '{"id": 4, "zz": [1]}'),
            ("t", "t", None, True, 4, 4, '{"id": 5, "n":'),
        ])
        loads = self.query("SELECT DISTINCT _dlt_load_id FROM _tipple_quarantine")
        self.assertEqual(loads, self.query("SELECT max(load_id) FROM _dlt_loads"))
        shown = self.command("show", "shop.duckdb", self.listed()[0]["id"]).out
        self.assertIn("has another type than its column", shown)
        self.assertIn('{"id": 2, "n": "abc", "lines": [{"k": 1}]}', shown)

    def test_replay_loads_what_the_schema_lets_in_now(self):
        self.put_aside()
        # Nothing has changed: all stay, once.
        self.assertIn("0 of 3 records", self.command("replay", "shop.duckdb", "--all", expect=EXIT_PARTIAL).out)
        self.assertEqual(len(self.listed()), 3)
        self.assertIn("2 of 3 records", self.command("replay", "shop.duckdb", "--all", "--contract", "evolve", expect=EXIT_PARTIAL).out)
        self.assertEqual(self.query("SELECT id, n__v_text FROM t ORDER BY id"), [(1, None), (2, "abc"), (3, None), (4, None)])
        self.assertEqual(self.query("SELECT k FROM t__lines"), [(1,)])
        left = self.listed()
        self.assertEqual([(row["line"], row["record_no"]) for row in left], [(4, 4)])
        self.assertTrue(left[0]["source"].endswith("t.jsonl"))
        # The contract of the tables is what it was.
        self.tipple("load", self.write("t.jsonl", '{"id": 9, "new": 1}\n'), "shop.duckdb", expect=EXIT_PARTIAL)

    def test_single_records_and_discard(self):
        self.put_aside()
        first, second, third = [row["id"] for row in self.listed()]
        self.command("replay", "shop.duckdb", first, "--contract", "evolve")
        self.assertEqual(self.query("SELECT id FROM t ORDER BY id"), [(1,), (2,), (3,)])
        self.assertIn("1 record taken out", self.command("discard", "shop.duckdb", second).out)
        self.assertEqual([row["id"] for row in self.listed()], [third])
        self.assertIn("not in the quarantine", self.command("discard", "shop.duckdb", second, expect=EXIT_USAGE).err)
        self.command("discard", "shop.duckdb", "--all")
        self.assertEqual(self.listed(), [])

    def test_merge_and_replace_tables(self):
        self.load(self.write("m.jsonl", [{"id": 1, "n": 1}]), "--key", "id")
        self.tipple("load", self.write("m.jsonl", [{"id": 1, "n": "x"}]), "shop.duckdb", "--key", "id", "--contract", "quarantine", expect=EXIT_PARTIAL)
        self.load(self.write("r.jsonl", [{"id": 1}]), "--disposition", "replace")
        self.tipple("load", self.write("r.jsonl", [{"id": 2}, {"id": 3, "z": 1}]), "shop.duckdb", "--disposition", "replace", "--contract", "quarantine",
                    expect=EXIT_PARTIAL)
        self.command("replay", "shop.duckdb", "--all", "--contract", "evolve")
        self.assertEqual(self.query("SELECT id, n, n__v_text FROM m"), [(1, None, "x")])
        self.assertEqual(self.query("SELECT id, z FROM r ORDER BY id"), [(2, None), (3, 1)])

    def test_csv_rows_and_broken_lines(self):
        self.load(self.write("c.csv", "a,b\n1,2\n"))
        self.tipple("load", self.write("c.csv", "a,b\n3,x\n4,5\n"), "shop.duckdb", "--contract", "quarantine", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT record FROM _tipple_quarantine"), [('{"a":3,"b":"x"}',)])
        self.assertEqual(self.query("SELECT a, b FROM c ORDER BY a"), [(1, 2), (4, 5)])
        self.command("replay", "shop.duckdb", "--all", "--contract", "evolve")
        self.assertEqual(self.query("SELECT a, b, b__v_text FROM c ORDER BY a"), [(1, 2, None), (3, None, "x"), (4, 5, None)])

    def test_new_table_is_put_aside_whole(self):
        self.load(self.write("t.jsonl", self.GOOD))
        contract = ("--contract", "quarantine")
        self.tipple("load", self.write("u.jsonl", [{"a": 1}, {"a": 2}]), "shop.duckdb", *contract, expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT root_table, record FROM _tipple_quarantine ORDER BY line"), [("u", '{"a": 1}'), ("u", '{"a": 2}')])
        self.command("replay", "shop.duckdb", "--all", "--contract", "evolve")
        self.assertEqual(self.query("SELECT a FROM u ORDER BY a"), [(1,), (2,)])

    def test_contracts_of_parts(self):
        self.load(self.write("t.jsonl", self.GOOD))
        records = '{"id": 2, "n": "abc"}\n{"id": 3, "zz": 1}\n{"id": 4, "c": [1]}\n'
        self.tipple("load", self.write("t.jsonl", records), "shop.duckdb", "--contract", "columns=quarantine,tables=discard_value", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT id, n, n__v_text FROM t ORDER BY id"), [(1, 1, None), (2, None, "abc"), (4, None, None)], "variants evolve")
        self.assertEqual([(row["table"], row["column"]) for row in self.listed()], [("t", "zz")])
        self.assertEqual(self.tables(), ["_tipple_quarantine", "t"], "the list is left out, and its record is not")
        self.assertIn("0 of 1 record", self.command("replay", "shop.duckdb", "--all", "--contract", "columns=quarantine", expect=EXIT_PARTIAL).out)
        self.command("replay", "shop.duckdb", "--all", "--contract", "columns=evolve")
        self.assertEqual(self.query("SELECT zz FROM t WHERE id = 3"), [(1,)])
        self.assertIn('"column" is no part of a schema contract', self.tipple("load", "t.jsonl", "shop.duckdb", "--contract", "column=freeze", expect=EXIT_USAGE).err)

    def test_digits_that_would_be_rounded(self):
        self.load(self.write("t.jsonl", self.GOOD))
        column = ("--column", "price:decimal(10,2)")
        rows = [{"id": 1, "price": "1.25"}, {"id": 2, "price": "1.235"}]
        for name, path in (("records", self.write("records.jsonl", rows)), ("columns", self.write("columns.csv", "id,price\n1,1.25\n2,1.235\n"))):
            with self.subTest(name):
                frozen = self.load(path, *column, "--as", name, "--contract", "data_type=freeze", expect=EXIT_DATA)
                self.assertRegex(frozen.err, r'table "?\w+"?, column "?price"?.*more decimal places than')
                self.assertNotIn(name, self.tables())
                self.load(path, *column, "--as", name, "--contract", "data_type=quarantine", expect=EXIT_PARTIAL)
                self.assertEqual(self.query(f"SELECT id, price::VARCHAR FROM {name}"), [(1, "1.25")])
                self.command("replay", "shop.duckdb", "--all", "--contract", "evolve")
                self.assertEqual(self.query(f"SELECT id, price::VARCHAR FROM {name} ORDER BY id"), [(1, "1.25"), (2, "1.24")])

    def test_the_same_whatever_the_workers(self):
        records = "".join(json.dumps({"id": n, **({"n": "x"} if n % 7 == 0 else {})}) + "\n" for n in range(20000))
        found = []
        for workers in ("1", "3"):
            self.load(self.write("t.jsonl", self.GOOD), "--as", f"t{workers}")
            self.tipple("load", self.write("t.jsonl", records), "shop.duckdb", "--as", f"t{workers}", "--contract", "quarantine", "--workers", workers,
                        expect=EXIT_PARTIAL)
            found.append(self.query(f"SELECT line, record FROM _tipple_quarantine WHERE root_table = 't{workers}' ORDER BY length(id), id"))
        self.assertEqual(found[0], found[1])
        self.assertEqual(len(found[0]), 2858)

    def test_dry_run_and_mistakes(self):
        self.load(self.write("t.jsonl", self.GOOD))
        self.tipple("load", self.write("t.jsonl", self.MIXED), "shop.duckdb", "--contract", "quarantine", "--on-bad-record", "quarantine", "--dry-run",
                    expect=EXIT_PARTIAL)
        self.assertIn("nothing is in quarantine", self.command("list", "shop.duckdb").err)
        self.command("replay", "shop.duckdb", expect=EXIT_USAGE)
        self.assertIn("did you mean list?", self.command("lst", "shop.duckdb", expect=EXIT_USAGE).err)
        self.assertIn("TARGET is required", self.command("replay", expect=EXIT_USAGE).err)
        # A contract puts aside what it forbids, not what is broken.
        self.tipple("load", self.write("t.jsonl", '{"id": \n'), "shop.duckdb", "--contract", "quarantine", expect=EXIT_DATA)


if __name__ == "__main__":
    main()
