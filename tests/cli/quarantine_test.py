"""Records that are put aside: `--contract quarantine`, `--on-bad-record quarantine`, and `tipple quarantine`."""

import json
import re

import duckdb

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
                place = "records.jsonl:2 (byte 27)" if name == "records" else "columns.csv, record 2"
                self.assertIn(f'{place}: table "{name}", column "price": the number 1.235 has more decimal places than decimal(10,2), which the schema contract freezes', frozen.err)
                self.assertIn("declare the column with more of them", frozen.err)
                self.assertNotIn(name, self.tables())
                self.load(path, *column, "--as", name, "--contract", "data_type=quarantine", expect=EXIT_PARTIAL)
                self.assertEqual(self.query(f"SELECT id, price::VARCHAR FROM {name}"), [(1, "1.25")])
                self.command("replay", "shop.duckdb", "--all", "--contract", "evolve")
                self.assertEqual(self.query(f"SELECT id, price::VARCHAR FROM {name} ORDER BY id"), [(1, "1.25"), (2, "1.24")])

    def fine_times(self):
        """Three rows, of which the last two have a time with four digits, in four forms: name -> what names it to `load`."""
        times = ["2024-01-01T00:00:00.5", "2024-01-01T00:00:01.9996", "2024-01-01T00:00:02.0004"]
        values = ", ".join(f"({n + 1}, TIMESTAMP '{time}')" for n, time in enumerate(times))
        with duckdb.connect(str(self.folder / "source.duckdb")) as connection:
            connection.execute(f"CREATE OR REPLACE TABLE rows AS SELECT * FROM (VALUES {values}) AS v(id, t)")
            connection.execute(f"COPY rows TO '{self.folder / 'parquet.parquet'}' (FORMAT parquet)")
        return {"records": [self.write("records.jsonl", [{"id": n + 1, "t": time} for n, time in enumerate(times)])],
                "columns": [self.write("columns.csv", "id,t\n" + "".join(f"{n + 1},{time}\n" for n, time in enumerate(times)))],
                "parquet": [self.folder / "parquet.parquet"],
                "database": [f"duckdb:///{self.folder / 'source.duckdb'}", "-r", "rows"]}

    def test_digits_of_times_that_would_be_rounded(self):
        self.load(self.write("t.jsonl", self.GOOD))
        column = ("--column", "t:timestamp(3):timezone=false")
        kept = [(1, "2024-01-01 00:00:00.5")]
        rounded = [*kept, (2, "2024-01-01 00:00:02"), (3, "2024-01-01 00:00:02")]
        places = {"records": "records.jsonl:2 (byte 40)", "columns": "columns.csv, record 2", "parquet": "parquet.parquet, record 2", "database": "record 2"}
        for name, source in self.fine_times().items():
            with self.subTest(name):
                load = ("load", source[0], "shop.duckdb", *source[1:], *column, "--as", name)
                frozen = self.tipple(*load, "--contract", "data_type=freeze", expect=EXIT_DATA).err
                self.assertIn(f'{places[name]}: table "{name}", column "t": the time 2024-01-01T00:00:01.999600 has more digits behind the second than the 3 that the column keeps, '
                              "which the schema contract freezes", frozen)
                self.assertIn("declare the column with more of them", frozen)
                self.assertNotIn(name, self.tables())
                self.tipple(*load, "--contract", "data_type=quarantine", expect=EXIT_PARTIAL)
                text = f"SELECT id, t::VARCHAR FROM {name} ORDER BY id"
                self.assertEqual(self.query(text), kept)
                self.assertEqual(self.query(f"SELECT column_name, (record::JSON)->>'id' FROM _tipple_quarantine WHERE root_table = '{name}' ORDER BY 2"), [("t", "2"), ("t", "3")])
                self.assertIn("were rounded, 2 times", self.command("replay", "shop.duckdb", "--all", "--contract", "evolve").err)
                self.assertEqual(self.query(text), rounded)
                for mode in ("discard_row", "discard_value", "evolve"):
                    other = f"{name}_{mode}"
                    warned = self.tipple("load", source[0], "shop.duckdb", *source[1:], *column, "--as", other, "--contract", f"data_type={mode}").err
                    self.assertRegex(warned, f'table "{other}", column "t": times with more digits behind the second than the column keeps were rounded, 2 times, first in .*{re.escape(places[name])}')
                    self.assertEqual(self.query(f"SELECT id, t::VARCHAR FROM {other} ORDER BY id"), rounded)

    def test_times_of_which_all_digits_are_kept(self):
        for form, source in self.fine_times().items():
            for number, column in enumerate(("t:timestamp(6):timezone=false", "t:timestamp(3)")):
                # A database says itself that its times have no zone.
                if form == "database" and number == 1:
                    continue
                with self.subTest(form, column=column):
                    name = f"{form}_{number}"
                    result = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--column", column, "--as", name, "--contract", "data_type=freeze")
                    self.assertNotIn("rounded", result.err)
                    self.assertEqual(self.query(f"SELECT max(epoch_us(t)) FROM {name}"), [(1704067202000400,)])

    def test_the_first_row_that_a_contract_forbids_is_named(self):
        self.load(self.write("c.csv", "a,b\n1,2\n"))
        frozen = self.tipple("load", self.write("c.csv", "a,b,z\n3,4,\nx,5,\n4,y,1\n"), "shop.duckdb", "--contract", "freeze", expect=EXIT_DATA).err
        self.assertIn('c.csv, record 2: table "c", column "a": the value "x" has another type than its column, which the schema contract freezes', frozen)
        self.assertIn('record: {"a":"x","b":"5","z":null}', frozen)

    def test_values_that_fit_neither_their_column_nor_its_variant(self):
        self.load(self.write("c.csv", "id,b\n1,2\n"), "--column", "b__v_text:bool")
        rows = self.write("c.csv", "id,b\n3,4\n4,x\n5,yes\n")
        self.assertIn('c.csv, record 2: table "c", column "b": the value "x" fits neither the column nor its variant', self.load(rows, expect=EXIT_DATA).err)
        self.load(rows, "--on-bad-record", "quarantine", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT id, b, b__v_text FROM c ORDER BY id"), [(1, 2, None), (3, 4, None), (5, None, True)])
        self.assertEqual(self.query("SELECT record FROM _tipple_quarantine"), [('{"id":4,"b":"x"}',)])

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

    def test_a_broken_line_stays_as_it_came_however_often_it_is_replayed(self):
        for name, records in (("lines.jsonl", '{"id": 1}\n{"id": 2,\n'), ("list.json", '[{"id": 1},\n{"id": 2,\n "n" 3},\n{"id": 4}]')):
            with self.subTest(name):
                self.tipple("load", self.write(name, records), "shop.duckdb", "--as", "t", "--on-bad-record", "quarantine", expect=EXIT_PARTIAL)
                before = self.query("SELECT record, reason FROM _tipple_quarantine")
                self.assertEqual(len(before), 1)
                for _ in range(2):
                    self.command("replay", "shop.duckdb", "--all", expect=EXIT_PARTIAL)
                    self.assertEqual(self.query("SELECT record, reason FROM _tipple_quarantine"), before)
                self.command("discard", "shop.duckdb", "--all")

    def test_the_list_fits_a_terminal(self):
        self.put_aside()
        screen = re.sub(r"\x1b\[[0-9;]*m", "", self.on_terminal("quarantine", "list", "shop.duckdb", columns=60))
        ids = [row["id"] for row in self.listed()]
        for number, text in enumerate(["t.n__v_text  t.jsonl:1 (byte 0)", "t__zz  t.jsonl:3", "t  t.jsonl:4"]):
            self.assertIn(f"{ids[number]}  {text}", screen)
        self.assertIn('{"id": 2, "n": "abc", "lines": [{"k": 1}]}', screen)
        self.assertIn("which the schema contract", screen)
        self.assertIn("tipple quarantine replay shop.duckdb --all", screen)
        self.assertTrue(all(len(line) <= 60 for line in screen.splitlines() if "next:" not in line), screen)
        self.assertIn("record_no", self.command("list", "shop.duckdb", "-o", "table").out)
        self.command("discard", "shop.duckdb", "--all")
        self.assertIn("nothing is in quarantine", self.command("list", "shop.duckdb").err)

    def test_dry_run_and_mistakes(self):
        self.load(self.write("t.jsonl", self.GOOD))
        self.tipple("load", self.write("t.jsonl", self.MIXED), "shop.duckdb", "--contract", "quarantine", "--on-bad-record", "quarantine", "--dry-run",
                    expect=EXIT_PARTIAL)
        self.assertIn("nothing is in quarantine", self.command("list", "shop.duckdb").err)
        self.command("replay", "shop.duckdb", expect=EXIT_USAGE)
        self.assertIn("did you mean list?", self.command("lst", "shop.duckdb", expect=EXIT_USAGE).err)
        self.assertIn("TARGET is required", self.command("replay", expect=EXIT_USAGE).err)
        self.assertIn('"shopp.duckdb" does not exist', self.command("list", "shopp.duckdb", expect=EXIT_USAGE).err)
        # A contract puts aside what it forbids, not what is broken.
        self.tipple("load", self.write("t.jsonl", '{"id": \n'), "shop.duckdb", "--contract", "quarantine", expect=EXIT_DATA)


if __name__ == "__main__":
    main()
