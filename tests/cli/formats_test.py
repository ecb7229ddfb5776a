"""What can be loaded: every format, every compression, whatever the file is called."""

import bz2
import datetime
import decimal
import gzip
import io
import json
import lzma
import os

import pyarrow
import pyarrow.parquet

from tipple_cli import EXIT_DATA, EXIT_USAGE, Case, main

RECORDS = [{"id": 1, "name": "ann", "tags": ["a", "b"]}, {"id": 2, "name": "bob", "tags": []}, {"id": 3, "name": "é🚀", "tags": ["c"]}]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS)
ROWS = [(1, "ann"), (2, "bob"), (3, "é🚀")]
FLAT_CSV = "id,name\n1,ann\n2,bob\n3,é🚀\n"


def zstd(content):
    return pyarrow.compress(content, codec="zstd", asbytes=True)


COMPRESSIONS = {"gz": gzip.compress, "zst": zstd, "bz2": bz2.compress, "xz": lzma.compress}


def parquet(columns):
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


FLAT_PARQUET = parquet({"id": [1, 2, 3], "name": ["ann", "bob", "é🚀"]})


class Formats(Case):
    def check(self, table="data", tags=True):
        self.assertEqual(self.query(f"SELECT id, name FROM {table} ORDER BY id"), ROWS)
        if tags:
            found = self.query(
                f"SELECT p.id, c._dlt_list_idx, c.value FROM {table} p JOIN {table}__tags c ON c._dlt_parent_id = p._dlt_id ORDER BY ALL"
            )
            self.assertEqual(found, [(1, 0, "a"), (1, 1, "b"), (3, 0, "c")])

    def test_json_lines(self):
        self.load(self.write("data.jsonl", LINES))
        self.check()

    def test_ndjson(self):
        self.load(self.write("data.ndjson", LINES))
        self.check()

    def test_json_lines_without_a_last_line_end(self):
        self.load(self.write("data.jsonl", LINES.rstrip("\n")))
        self.check()

    def test_json_lines_with_windows_line_ends_and_empty_lines(self):
        self.load(self.write("data.jsonl", "\r\n" + LINES.replace("\n", "\r\n\r\n")))
        self.check()

    def test_byte_order_mark(self):
        for name, content in [("data.jsonl", LINES), ("data.json", json.dumps(RECORDS)), ("data.csv", FLAT_CSV)]:
            with self.subTest(name):
                self.database.unlink(missing_ok=True)
                self.load(self.write(name, b"\xef\xbb\xbf" + content.encode()))
                self.check(tags=not name.endswith("csv"))

    def test_json_list(self):
        self.load(self.write("data.json", json.dumps(RECORDS)))
        self.check()

    def test_pretty_json_list(self):
        self.load(self.write("data.json", json.dumps(RECORDS, indent=4)))
        self.check()

    def test_one_object(self):
        self.load(self.write("data.json", json.dumps(RECORDS[0], indent=1)))
        self.assertEqual(self.query("SELECT id, name FROM data"), ROWS[:1])
        self.assertEqual(self.count("data__tags"), 2)

    def test_objects_one_after_another_without_a_separator(self):
        self.load(self.write("data.json", "".join(json.dumps(record) for record in RECORDS)))
        self.check()

    def test_pretty_objects_one_after_another(self):
        self.load(self.write("data.json", "\n".join(json.dumps(record, indent=2) for record in RECORDS)))
        self.check()

    def test_a_list_of_scalars(self):
        self.load(self.write("data.json", "[1, 2, 3]"))
        self.assertEqual(sorted(self.values("SELECT value FROM data")), [1, 2, 3])

    def test_csv(self):
        self.load(self.write("data.csv", FLAT_CSV))
        self.check(tags=False)
        self.assertEqual(self.columns("data"), {"id": "BIGINT", "name": "VARCHAR"})

    def test_csv_types(self):
        self.load(
            self.write(
                "data.csv",
                "i,d,b,t,day,text\n"
                "1,1.5,true,2024-01-02 03:04:05,2024-01-02,x\n"
                "-9223372036854775808,1e300,false,2024-01-02 03:04:05.123456,1969-12-31,\"a,\"\"b\"\"\nc\"\n"
                ",,,,,\n",
            )
        )
        types = self.columns("data")
        self.assertEqual((types["i"], types["d"], types["b"], types["day"], types["text"]), ("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "VARCHAR"))
        rows = self.query("SELECT i, d, b, day, text FROM data ORDER BY i NULLS LAST")
        self.assertEqual(
            rows,
            [
                (-(2**63), 1e300, False, datetime.date(1969, 12, 31), 'a,"b"\nc'),
                (1, 1.5, True, datetime.date(2024, 1, 2), "x"),
                (None, None, None, None, None),
            ],
        )

    def test_csv_delimiters(self):
        for name, delimiter in [("semicolon", ";"), ("pipe", "|")]:
            with self.subTest(name):
                self.load(self.write(f"{name}.csv", FLAT_CSV.replace(",", delimiter)))
                self.check(name, tags=False)
        self.load(self.write("other.csv", FLAT_CSV.replace(",", "^")), "--csv-delimiter", "^")
        self.check("other", tags=False)

    def test_a_csv_file_that_is_read_again_keeps_those_before_it(self):
        self.write("a.csv", "x,y\n" + "1,a\n" * 100)
        self.write("b.csv", "x,y\n" + "2,b\n" * 40_000 + "oops,b\n")
        self.write("c.csv", "x,y\n3,c\n")
        self.load("*.csv", "--as", "data")
        self.assertEqual(self.query("SELECT y, count(*) FROM data GROUP BY y ORDER BY y"), [("a", 100), ("b", 40_001), ("c", 1)])

    def test_csv_without_a_header(self):
        self.load(self.write("data.csv", "1,ann\n2,bob\n"), "--no-csv-header")
        self.assertEqual(self.query("SELECT column0, column1 FROM data ORDER BY 1"), ROWS[:2])

    def test_csv_with_odd_column_names(self):
        self.load(self.write("data.csv", "First Name,ALL-CAPS,größe,_x\nann,1,2,3\n"))
        self.assertEqual(self.query("SELECT first_name, all_caps, _x FROM data"), [("ann", 1, 3)])

    def test_tsv(self):
        self.load(self.write("data.tsv", FLAT_CSV.replace(",", "\t")))
        self.check(tags=False)

    def test_parquet(self):
        self.load(self.write("data.parquet", FLAT_PARQUET))
        self.check(tags=False)

    def test_parquet_is_not_said_to_be_read_before_it_is(self):
        out = self.load(self.write("data.parquet", FLAT_PARQUET)).out
        self.assertIn("to be read where it lies", out)
        self.assertNotIn("records/s", out)

    def test_parquet_types(self):
        utc = datetime.timezone.utc
        columns = {
            "b": pyarrow.array([True, None]),
            "small": pyarrow.array([1, None], pyarrow.int8()),
            "big": pyarrow.array([2**63 - 1, None], pyarrow.int64()),
            "f": pyarrow.array([1.5, None], pyarrow.float32()),
            "d": pyarrow.array([0.1, None], pyarrow.float64()),
            "t": pyarrow.array(["x", None]),
            "blob": pyarrow.array([b"\x00\xff", None]),
            "day": pyarrow.array([datetime.date(2024, 1, 2), None]),
            "moment": pyarrow.array([datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=utc), None], pyarrow.timestamp("us", "UTC")),
            "wall": pyarrow.array([datetime.datetime(2024, 1, 2, 3, 4, 5), None], pyarrow.timestamp("us")),
            "money": pyarrow.array([decimal.Decimal("1.50"), None], pyarrow.decimal128(12, 2)),
        }
        self.load(self.write("data.parquet", parquet(columns)))
        types = self.columns("data")
        self.assertEqual(list(types), list(columns))
        self.assertEqual(types["big"], "BIGINT")
        self.assertEqual(types["money"], "DECIMAL(12,2)")
        self.assertEqual(types["moment"], "TIMESTAMP WITH TIME ZONE")
        row = self.query("SELECT b, small, big, f, d, t, blob, day, epoch_us(moment), wall, money FROM data WHERE b")[0]
        micros = int(datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=utc).timestamp()) * 1_000_000 + 6
        self.assertEqual(row[:9], (True, 1, 2**63 - 1, 1.5, 0.1, "x", b"\x00\xff", datetime.date(2024, 1, 2), micros))
        self.assertEqual(str(row[10]), "1.50")
        self.assertEqual(self.query("SELECT count(*) FROM data WHERE b IS NULL AND money IS NULL AND moment IS NULL"), [(1,)])

    def test_parquet_with_lists_and_structs(self):
        self.load(self.write("data.parquet", parquet({"id": [1], "s": [{"x": 1, "y": "q"}], "l": [[1, 2]]})))
        # Columns that hold others arrive as JSON.
        s, l = self.query("SELECT s, l FROM data")[0]
        self.assertEqual((json.loads(s), json.loads(l)), ({"x": 1, "y": "q"}, [1, 2]))
        columns = {"m": pyarrow.array([[("a", 1), ("b", None)], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())), "deep": [[{"l": [{"k": 1.5}]}], []]}
        self.load(self.write("nested.parquet", parquet(columns)))
        rows = [tuple(value and json.loads(value) for value in row) for row in self.query("SELECT m, deep FROM nested ORDER BY m NULLS LAST")]
        self.assertEqual(rows, [({"a": 1, "b": None}, [{"l": [{"k": 1.5}]}]), (None, [])])
        self.assertEqual(self.tables(), ["data", "nested"])

    def test_columns_of_parquet_files_and_those_of_the_table(self):
        """V63 to V68 of the specification, and what is another way on purpose."""
        self.load(self.write("t.parquet", parquet({"col2": ["a"], "col1": [1]})))
        self.load(self.write("t.parquet", parquet({"col_new": [1.5], "col1": [2], "col2": ["b"]})))
        self.load(self.write("t.parquet", parquet({"col1": [3]})))
        self.assertEqual([name for name in self.columns("t") if not name.startswith("_")], ["col2", "col1", "col_new"], "V63")
        self.assertEqual(self.query("SELECT col2, col1, col_new FROM t ORDER BY col1"), [("a", 1, None), ("b", 2, 1.5), (None, 3, None)], "V64")
        self.assertIn('would both be named "col_new"', self.load(self.write("u.parquet", parquet({"col^New": [1], "col_new": [2]})), expect=EXIT_DATA).err)
        self.load(self.write("u.parquet", parquet({"col^New": [1], "none": pyarrow.nulls(1)})))
        self.assertEqual(self.query("SELECT col_new, none FROM u"), [(1, None)], "V65, V66: a column of nulls is made")
        self.assertEqual(self.query("SELECT count(DISTINCT _dlt_id) FROM t"), [(3,)], "V67: ids are always added")
        self.load("u.parquet", "--as", "v", "--column", "col_new:bigint:not_null")
        self.assertEqual(self.query("SELECT is_nullable FROM information_schema.columns WHERE table_name = 'v' AND column_name = 'col_new'"), [("NO",)], "V68")

    def test_every_compression_of_every_format(self):
        formats = {"jsonl": LINES.encode(), "json": json.dumps(RECORDS).encode(), "csv": FLAT_CSV.encode(), "parquet": FLAT_PARQUET}
        for format_, content in formats.items():
            for ending, compress in COMPRESSIONS.items():
                with self.subTest(f"{format_}.{ending}"):
                    table = f"t_{format_}_{ending}"
                    self.load(self.write(f"{table}.{format_}.{ending}", compress(content)))
                    self.check(table, tags=format_.startswith("json"))

    def test_several_compressed_members_in_one_file(self):
        for ending, compress in COMPRESSIONS.items():
            with self.subTest(ending):
                parts = LINES.splitlines(keepends=True)
                self.load(self.write(f"parts_{ending}.jsonl.{ending}", b"".join(compress(part.encode()) for part in parts)))
                self.check(f"parts_{ending}")


class WrongNames(Case):
    """The content decides before the name."""

    def check(self, name, content, table, *flags):
        self.load(self.write(name, content), *flags)
        self.assertEqual(self.query(f"SELECT id, name FROM {table} ORDER BY id"), ROWS)

    def test_compressed_under_a_plain_name(self):
        for number, (format_, content) in enumerate({"jsonl": LINES, "json": json.dumps(RECORDS), "csv": FLAT_CSV}.items()):
            for ending, compress in COMPRESSIONS.items():
                with self.subTest(f"{ending} named {format_}"):
                    table = f"plain_{number}_{ending}"
                    self.check(f"{table}.{format_}", compress(content.encode()), table)

    def test_plain_under_a_compressed_name(self):
        for format_, content in {"jsonl": LINES, "json": json.dumps(RECORDS), "csv": FLAT_CSV}.items():
            for ending in COMPRESSIONS:
                with self.subTest(f"{format_} named {format_}.{ending}"):
                    self.check(f"packed_{format_}_{ending}.{format_}.{ending}", content, f"packed_{format_}_{ending}")

    def test_one_compression_under_the_name_of_another(self):
        self.check("other.csv.gz", zstd(FLAT_CSV.encode()), "other")
        self.check("another.csv.zst", gzip.compress(FLAT_CSV.encode()), "another")

    def test_parquet_under_other_names(self):
        for name in ["a.csv", "b.json", "c", "d.dat"]:
            with self.subTest(name):
                self.check(name, FLAT_PARQUET, name[0])

    def test_json_under_other_names(self):
        self.check("a.csv", LINES, "a")
        self.check("b.txt", LINES, "b")
        self.check("c.jsonl", json.dumps(RECORDS, indent=1), "c")
        self.check("d.json", LINES, "d")
        self.check("e", LINES, "e")

    def test_csv_without_an_ending(self):
        self.check("plain", FLAT_CSV, "plain")
        self.check("tabs", FLAT_CSV.replace(",", "\t"), "tabs")

    def test_the_format_can_be_said(self):
        self.check("data.dat", FLAT_CSV.replace(",", " "), "data", "--format", "csv", "--csv-delimiter", " ")

    def test_what_cannot_be_told_is_asked_for(self):
        self.write("data.bin", b"\x00\x01\x02 nothing known")
        result = self.load("data.bin", expect=EXIT_USAGE)
        self.assertIn("--format", result.err)
        self.assertIn("data.bin", result.err)
        self.assertFalse(self.database.exists())

    def test_an_unknown_format(self):
        result = self.load(self.write("data.jsonl", LINES), "--format", "xml", expect=EXIT_USAGE)
        self.assertIn("xml", result.err)
        self.assertIn("jsonl", result.err)


class StandardInput(Case):
    def check(self, table, tags):
        self.assertEqual(self.query(f"SELECT id, name FROM {table} ORDER BY id"), ROWS)
        if tags:
            self.assertEqual(self.count(f"{table}__tags"), 3)

    def test_every_format(self):
        contents = {"jsonl": LINES.encode(), "json": json.dumps(RECORDS).encode(), "csv": FLAT_CSV.encode(), "parquet": FLAT_PARQUET}
        for format_, content in contents.items():
            with self.subTest(format_):
                self.load("-", "--as", f"t_{format_}", input=content)
                self.check(f"t_{format_}", format_.startswith("json"))

    def test_every_compression(self):
        for ending, compress in COMPRESSIONS.items():
            for format_, content in {"jsonl": LINES.encode(), "csv": FLAT_CSV.encode()}.items():
                with self.subTest(f"{format_}.{ending}"):
                    self.load("-", "--as", f"t_{format_}_{ending}", input=compress(content))
                    self.check(f"t_{format_}_{ending}", format_ == "jsonl")

    def test_bytes_that_come_one_by_one(self):
        with self.start("load", "-", "shop.duckdb", "--as", "t") as run:
            for byte in LINES.encode():
                run.feed(bytes([byte]))
            result = run.finish()
        self.assertEqual((result.code, result.err.count("error")), (0, 0))
        self.check("t", True)

    def test_the_table_has_a_name_of_its_own(self):
        self.load("-", input=LINES)
        self.check("stdin", True)

    def test_nothing_comes(self):
        result = self.load("-", "--as", "t", input=b"")
        self.assertIn("no records", result.out)
        self.assertFalse(self.database.exists() and "t" in self.tables())

    def test_not_together_with_files(self):
        result = self.load("-", self.write("data.jsonl", LINES), expect=EXIT_USAGE)
        self.assertIn("standard input", result.err)

    def test_a_pipe_that_has_a_name(self):
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        with self.start("load", "pipe", "shop.duckdb", "--as", "t", "--format", "jsonl") as run:
            with open(pipe, "wb") as file:
                file.write(LINES.encode())
            result = run.finish()
        self.assertEqual(result.code, 0, result.err)
        self.check("t", True)


class Paths(Case):
    def ids(self, table):
        return sorted(self.values(f"SELECT id FROM {table}"))

    def test_a_pattern(self):
        for number in range(3):
            self.write(f"in/events-{number}.jsonl", [{"id": number}])
        self.write("in/other.jsonl", [{"id": 99}])
        self.load("in/events-*.jsonl")
        self.assertEqual(self.ids("events"), [0, 1, 2])

    def test_a_pattern_over_folders(self):
        for number, folder in enumerate(["a", "a/b", "c"]):
            self.write(f"in/{folder}/x{number}.jsonl", [{"id": number}])
        self.load("in/**/*.jsonl", "--as", "all_of_them")
        self.assertEqual(self.ids("all_of_them"), [0, 1, 2])

    def test_files_of_several_formats_into_one_table(self):
        self.write("in/1.jsonl", [{"id": 1}])
        self.write("in/2.csv", "id\n2\n")
        self.write("in/3.json.gz", gzip.compress(b'[{"id": 3}]'))
        self.write("in/4.parquet", parquet({"id": [4]}))
        self.load("in/*", "--as", "mixed")
        self.assertEqual(self.ids("mixed"), [1, 2, 3, 4])

    def test_several_paths(self):
        self.write("a.jsonl", [{"id": 1}])
        self.write("b.csv", "id\n2\n")
        self.load("a.jsonl", "b.csv")
        self.assertEqual((self.ids("a"), self.ids("b")), ([1], [2]))

    def test_several_paths_into_one_table(self):
        self.write("a.jsonl", [{"id": 1}])
        self.write("b.jsonl", [{"id": 2}])
        self.load("a.jsonl", "b.jsonl", "--as", "shared")
        self.assertEqual(self.ids("shared"), [1, 2])

    def test_paths_with_the_same_stem_share_a_table(self):
        self.write("x/day.jsonl", [{"id": 1}])
        self.write("y/day.jsonl", [{"id": 2}])
        self.load("x/day.jsonl", "y/day.jsonl")
        self.assertEqual(self.ids("day"), [1, 2])

    def test_names_with_special_characters(self):
        names = ["with space", "quote'd", "semi;colon", "brackets[1]", "star*", "question?", "per%cent", "größe", "dollar$HOME", 'double"quote', "back\\slash", "~", "-dash"]
        contents = {
            "jsonl": lambda number: f'{{"id": {number}}}\n',
            "csv": lambda number: f"id,x\n{number},1\n",
            "parquet": lambda number: parquet({"id": [number]}),
        }
        for format_, content in contents.items():
            with self.subTest(format_):
                files = [self.write(f"{name}.{format_}", content(number)) for number, name in enumerate(names)]
                self.tipple("load", "--as", format_, "--", *files, "shop.duckdb")
                self.assertEqual(self.ids(format_), list(range(len(names))))

    def test_a_name_with_wildcards_is_the_file_of_that_name(self):
        for format_, content in {"jsonl": '{"id": %d}\n', "csv": "id,x\n%d,1\n"}.items():
            with self.subTest(format_):
                self.write(f"a1.{format_}", content % 1)
                self.write(f"a[1].{format_}", content % 2)
                self.load(f"a[1].{format_}", "--as", f"t_{format_}")
                self.assertEqual(self.ids(f"t_{format_}"), [2])

    def test_parquet_with_wildcards_in_its_name(self):
        self.write("a1.parquet", parquet({"id": [1]}))
        self.write("a[1].parquet", parquet({"id": [2]}))
        self.load("a[1].parquet", "--as", "t")
        self.assertEqual(self.ids("t"), [2])

    def test_absolute_paths(self):
        self.write("a.jsonl", [{"id": 1}])
        self.tipple("load", self.path("a.jsonl"), self.database)
        self.assertEqual(self.ids("a"), [1])

    def test_no_such_file(self):
        self.write("orders.jsonl", [{"id": 1}])
        result = self.load("ordres.jsonl", expect=EXIT_USAGE)
        self.assertIn("orders.jsonl", result.err)
        self.assertFalse(self.database.exists())

    def test_no_file_matches(self):
        self.assertIn("no file matches", self.load("x*.jsonl", expect=EXIT_USAGE).err)

    def test_a_typo_in_a_name(self):
        self.write("orders.jsonl", LINES)
        self.write("in/orders.jsonl", LINES)
        for typed, meant in {"order.jsonl": "orders.jsonl", "in/ordes.jsonl": "in/orders.jsonl", "./order.jsonl": "./orders.jsonl"}.items():
            with self.subTest(typed):
                self.assertIn(f'there is no file "{typed}"; did you mean "{meant}"?', self.load(typed, expect=EXIT_USAGE).err)

    def test_a_folder(self):
        self.write("in/a.jsonl", [{"id": 1}])
        result = self.load("in", expect=EXIT_USAGE)
        self.assertIn("folder", result.err)
        self.assertIn("in/*", result.err)

    def test_links(self):
        self.write("real.jsonl", [{"id": 1}])
        os.symlink("real.jsonl", self.path("link.jsonl"))
        os.symlink("nowhere.jsonl", self.path("broken.jsonl"))
        self.load("link.jsonl")
        self.assertEqual(self.ids("link"), [1])
        self.assertIn("broken.jsonl", self.load("broken.jsonl", expect=EXIT_USAGE).err)


class Select(Case):
    def test_a_member(self):
        self.write("page.json", json.dumps({"meta": {"n": 2}, "data": [{"id": 1}, {"id": 2}]}))
        self.load("page.json", "--select", "data")
        self.assertEqual(sorted(self.values("SELECT id FROM page")), [1, 2])
        self.assertEqual(list(self.columns("page")), ["id"])

    def test_deep_paths(self):
        document = {"result": {"items": [{"rows": [{"id": 1}, {"id": 2}]}, {"rows": [{"id": 3}]}], "n": [0]}}
        for number, path in enumerate(["result.items[*].rows", "$.result.items[*].rows", "$['result'].items[*].rows[*]"]):
            with self.subTest(path):
                self.load(self.write(f"p{number}.json", json.dumps(document)), "--select", path)
                self.assertEqual(sorted(self.values(f"SELECT id FROM p{number}")), [1, 2, 3])

    def test_an_element(self):
        self.load(self.write("p.json", json.dumps({"pages": [[{"id": 1}], [{"id": 2}]]})), "--select", "pages[1]")
        self.assertEqual(self.values("SELECT id FROM p"), [2])

    def test_on_each_line(self):
        self.load(self.write("p.jsonl", [{"data": [{"id": 1}]}, {"data": [{"id": 2}, {"id": 3}]}]), "--select", "data")
        self.assertEqual(sorted(self.values("SELECT id FROM p")), [1, 2, 3])

    def test_an_object_is_one_record(self):
        self.load(self.write("p.json", json.dumps({"user": {"id": 1}})), "--select", "user")
        self.assertEqual(self.values("SELECT id FROM p"), [1])

    def test_nothing_is_there(self):
        result = self.load(self.write("p.json", json.dumps({"data": [1]})), "--select", "dta")
        self.assertIn("no records", result.out)

    def test_a_broken_path(self):
        self.assertIn("data[", self.load(self.write("p.json", "{}"), "--select", "data[", expect=EXIT_USAGE).err)

    def test_not_for_tables(self):
        self.assertIn("--select", self.load(self.write("p.csv", "a,b\n1,2\n"), "--select", "data", expect=EXIT_USAGE).err)


if __name__ == "__main__":
    main()
