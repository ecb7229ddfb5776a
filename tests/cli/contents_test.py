"""What is inside files: CSV of every kind, encodings, and where records come from."""
import bz2
import csv
import datetime
import gzip
import io
import json
import lzma
import os
import random
import threading
import unittest

import pyarrow
import pyarrow.parquet

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, EXIT_USAGE, Case, main


def parquet(columns):
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def write_until_closed(path, text):
    """Into a named pipe, which a reader may close before it has taken all."""
    try:
        path.write_text(text)
    except BrokenPipeError:
        pass


class Dialects(Case):
    def rows(self, content, *options, table="t", columns="*"):
        self.database.unlink(missing_ok=True)
        self.load(self.write("t.csv", content), "--as", table, *options)
        return self.query(f"SELECT {columns} FROM {table} ORDER BY ALL")

    def test_options(self):
        content = "made by x\n# columns:\nid|amount|note\n1|1.50|'a|\\'b'\n#2|7|x\n3|-|\n"
        options = {"csv_delimiter": "|", "csv_quote": "'", "csv_escape": "\\", "csv_comment": "#", "csv_skip_lines": "1", "csv_null": "-\n", "csv_types": "amount:decimal(6,2)"}
        flags = [part for name, value in options.items() for part in ("--option", f"{name}={value}")]
        self.assertEqual(self.rows(content, *flags, columns="id, amount::TEXT, note"), [(1, "1.50", "a|'b"), (3, None, None)])
        self.assertEqual(self.columns("t")["amount"], "DECIMAL(6,2)")

    def test_options_of_a_project_file(self):
        self.write("sales.csv", "id;amount;when\n1;1,5;NULL\n2;;05.01.2024\n")
        self.write("tipple.toml", """
            version = 1
            [pipeline.sales]
            source = "files"
            destination = "shop.duckdb"
            [pipeline.sales.resources.sales]
            glob = "*.csv"
            csv = { delimiter = ";", header = true, encoding = "latin-1", null = ["", "NULL"], types = { id = "text" } }
            metadata = ["_source_file", "_source_line"]
        """)
        self.tipple("run", "sales")
        rows = self.query('SELECT id, amount, "when", _source_file, _source_line FROM sales.sales ORDER BY id')
        place = str(self.path("sales.csv"))
        self.assertEqual(rows, [("1", "1,5", None, place, 2), ("2", None, "05.01.2024", place, 3)])

    def test_wrong_options(self):
        name = self.write("t.csv", "a,b\n1,2\n")
        for option, says in [("csv_delimeter=;", "csv_delimiter"), ("csv_quote=ab", "one ASCII character"), ("csv_types=a:decimel", "decimel"), ("csv_types=a", "NAME:TYPE"),
                             ("metadata=_source_lien", '"_source_line"'), ("csv_skip_lines=x", "whole number"), ("hive_types=a:json", "a text is not read as")]:
            with self.subTest(option):
                self.assertIn(says, self.load(name, "--option", option, expect=EXIT_USAGE).err)
        self.assertIn("klingon", self.load(name, "--encoding", "klingon", expect=EXIT_USAGE).err)

    def test_headers(self):
        self.assertEqual(self.rows('"a ""quoted"" name","line\nbreak",, id \n1,2,3,4\n', columns="a_quoted_name, line_break, column2, id"), [(1, 2, 3, 4)])
        self.load(self.write("twice.csv", "a,a,A\n1,2,3\n"))
        self.assertEqual(self.query("SELECT a, a_1, a_2 FROM twice"), [(1, 2, 3)])
        error = self.load(self.write("one.csv", "Order ID,order_id\n1,2\n"), expect=EXIT_DATA).err
        self.assertIn('both be named "order_id"', error)

    def test_line_ends(self):
        for end in ("\n", "\r\n", "\r"):
            with self.subTest(repr(end)):
                self.assertEqual(self.rows(end.join(["a,b", "1,x", '2,"y' + end + 'z"', "", "3,w"]), columns="a, b"), [(1, "x"), (2, f"y{end}z"), (3, "w")])

    def test_odd_values(self):
        text = "n,d,tel,zip,x\n" + '"1,234",31.12.2024,+49123,007,a\0b\n' + '5,01/02/2024,+1,12345,"a""b"\n'
        self.assertEqual(self.rows(text, columns="n, d, tel, zip, x"), [("1,234", "31.12.2024", "+49123", "007", "a\0b"), ("5", "01/02/2024", "+1", "12345", 'a"b')])

    def test_large_fields_and_many_columns(self):
        large = "x" * (1 << 20)
        self.assertEqual(self.rows(f'id,a,b\n1,"{large}\n",{large}\n2,,{large}', columns="id, length(a), length(b)"), [(1, (1 << 20) + 1, 1 << 20), (2, None, 1 << 20)])
        names = [f"c{number}" for number in range(2_000)]
        wide = ",".join(names) + "\n" + "".join(",".join(str(row + number) for number in range(2_000)) + "\n" for row in range(50))
        self.assertEqual(self.rows(wide, columns="c0, c1999")[:2], [(0, 1999), (1, 2000)])
        self.assertEqual(self.columns("t")["c1999"], "BIGINT")

    def test_a_long_last_line_without_an_end(self):
        rows = self.rows("id,x\n1,a\n2," + "y" * 3_000_000, columns="id, length(x)")
        self.assertEqual(rows, [(1, 1), (2, 3_000_000)])

    def test_empty_files_and_headers_alone(self):
        for content in (b"", b"\n\n", b"\xef\xbb\xbf", b"a,b", b"a,b\n", b"# x\n"):
            with self.subTest(content):
                self.write("in/1.csv", content)
                self.write("in/2.csv", "a,b\n1,2\n")
                self.database.unlink(missing_ok=True)
                options = ["--option", "csv_comment=#"] if content.startswith(b"#") else []
                self.load("in/*.csv", "--as", "t", *options)
                self.assertEqual(self.query("SELECT a, b FROM t"), [(1, 2)])

    def test_as_python_reads_it(self):
        seeded = random.Random(7)
        pieces = ["", "a", '"', '""', ",", ";", "\n", "\r\n", " ", "é", "'", "\\", "1", "\t", "x y"]
        for round_ in range(12):
            rows = [["r" + "".join(seeded.choices(pieces, k=seeded.randrange(6))) for _ in range(3)] for _ in range(seeded.randrange(1, 400))]
            out = io.StringIO(newline="")
            writer = csv.writer(out, quoting=seeded.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), lineterminator=seeded.choice(["\n", "\r\n"]))
            writer.writerows([["a", "b", "c"], *rows])
            self.database.unlink(missing_ok=True)
            name = self.write("t.csv", out.getvalue())
            self.load(name, "--csv-delimiter", ",", "--option", 'csv_quote="', "--option", 'csv_escape="', "--metadata")
            with self.subTest(round_):
                found = self.query("SELECT a, b, c FROM t ORDER BY _source_line")
                self.assertEqual(found, [tuple(row) for row in csv.reader(io.StringIO(out.getvalue(), newline=""))][1:])


class ManyFiles(Case):
    def test_columns_come_go_and_change_places(self):
        self.write("in/1.csv", "id,name\n1,a\n")
        self.write("in/2.csv", "name;age;id\nb;7;2\n")
        self.write("in/3.csv", "id\n3\n")
        self.write("in/4.tsv", "age\tid\n8\t4\n")
        self.load("in/*", "--as", "t")
        self.assertEqual(self.query("SELECT id, name, age FROM t ORDER BY id"), [(1, "a", None), (2, "b", 7), (3, None, None), (4, None, 8)])

    def test_types_are_those_of_all_files(self):
        for number in range(40):
            self.write(f"in/{number:02}.csv", f"n,d,v\n{number},2024-01-{number % 28 + 1:02}{'T10:00:00Z' if number == 39 else ''},{'1.5' if number == 39 else number}\n")
        self.load("in/*.csv", "--as", "t")
        columns = self.columns("t")
        self.assertEqual((columns["n"], columns["v"]), ("BIGINT", "DOUBLE"))
        self.assertTrue(columns["d"].startswith("TIMESTAMP"))

    def test_a_later_type_changes_no_value_that_is_there(self):
        self.load(self.write("a.csv", "id,v\n1,007\n2,5\n"), "--as", "t")
        before = self.query("SELECT id, v FROM t ORDER BY id")
        self.load(self.write("b.csv", "id,v\n3,1.5\n4,8\n"), "--as", "t")
        self.assertEqual(self.query("SELECT id, v FROM t WHERE id < 3 ORDER BY id"), before)
        self.load(self.write("c.csv", "id,w\n1,5\n"), "--as", "u")
        self.load(self.write("d.csv", "id,w\n2,x\n3,1.5\n"), "--as", "u")
        self.assertEqual(self.query("SELECT id, w, w__v_text FROM u ORDER BY id"), [(1, 5, None), (2, None, "x"), (3, None, "1.5")])

    def test_a_value_beyond_the_sample_changes_its_file_only(self):
        self.write("in/1.csv", "id,v\n" + "".join(f"{row},{row}\n" for row in range(100)))
        self.write("in/2.csv", "id,v\n" + "".join(f"{row},{row}\n" for row in range(100, 30_000)) + "30000,late\n")
        self.write("in/3.csv", "id,v\n30001,1\n")
        self.load("in/*.csv", "--as", "t")
        self.assertEqual(self.query("SELECT count(*), count(v), count(v__v_text), sum(v) FROM t"), [(30_002, 30_001, 1, sum(range(30_000)) + 1)])

    def test_a_pipe_is_read_again_as_well(self):
        text = "id,v\n" + "".join(f"{row},{row}\n" for row in range(40_000)) + "40000,late\n"
        self.load("-", "--as", "t", input=text)
        self.assertEqual(self.query("SELECT count(*), count(v) FROM t WHERE typeof(v) = 'VARCHAR'"), [(40_001, 40_001)])

    def test_named_pipes(self):
        lines = {"csv": ["id,v\n"] + [f"{row},{row}\n" for row in range(20_000)], "jsonl": [json.dumps({"id": row, "v": row}) + "\n" for row in range(20_000)]}
        for first, second in (("csv", "csv"), ("csv", "jsonl")):
            with self.subTest(first + " and " + second):
                self.database.unlink(missing_ok=True)
                writers = []
                for name, kind in (("a", first), ("b", second)):
                    pipe = self.path(f"{name}-{first}-{second}")
                    os.mkfifo(pipe)
                    writers.append(threading.Thread(target=write_until_closed, args=(pipe, "".join(lines[kind])), daemon=True))
                    writers[-1].start()
                self.load(f"a-{first}-{second}", f"b-{first}-{second}", "--as", "t")
                self.assertEqual(self.query("SELECT count(*), sum(v)::BIGINT FROM t"), [(40_000, 2 * sum(range(20_000)))])


class BadLines(Case):
    TEXT = 'id,v\n1,a\n2,b,c\n3\n4,"x"y\n5,"open\n'

    def test_end_the_load(self):
        error = self.assert_load_fails(self.write("t.csv", self.TEXT), expect=EXIT_DATA, says=["t.csv:3 (byte 9)", "3 fields", "2,b,c", "--on-bad-record skip"])
        self.assertNotIn("/tmp", error.err.split("record:")[0])

    def test_are_left_out_or_kept_for_later(self):
        name = self.write("t.csv", self.TEXT)
        result = self.load(name, "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        for line in ("t.csv:3", "t.csv:4", "t.csv:5", "t.csv:6"):
            self.assertIn(line, result.err)
        self.assertEqual(self.query("SELECT id, v FROM t"), [(1, "a")])
        self.load(name, "--as", "u", "--on-bad-record", "quarantine", "--metadata", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT line, record FROM _tipple_quarantine ORDER BY line"), [(3, "2,b,c"), (4, "3"), (5, '4,"x"y'), (6, '5,"open')])

    def test_declared_types_are_held(self):
        name = self.write("t.csv", "id,v\n1,1.5\n2,abc\n3,1.256\n")
        flags = ["--option", "csv_types=v:decimal(5,2)"]
        self.assert_load_fails(name, *flags, expect=EXIT_DATA, says=["t.csv:3", 'column "v"', '"abc" is no decimal'])
        self.load(name, *flags, "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT id, v::TEXT FROM t"), [(1, "1.50")])


class Encodings(Case):
    TEXT = "id,text\n1,Grüße €\n2,ok\n"
    LINES = '{"id": 1, "text": "Grüße €"}\n{"id": 2, "text": "ok"}\n'
    EXPECTED = [(1, "Grüße €"), (2, "ok")]

    def check(self, name, content, *options):
        self.database.unlink(missing_ok=True)
        self.load(self.write(name, content), "--as", "t", *options)
        self.assertEqual(self.query("SELECT id, text FROM t ORDER BY id"), self.EXPECTED)

    def test_by_mark(self):
        for text, ending in ((self.TEXT, "csv"), (self.LINES, "jsonl"), (json.dumps([json.loads(line) for line in self.LINES.splitlines()], ensure_ascii=False), "json")):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
                with self.subTest(f"{ending} {encoding}"):
                    content = ("\ufeff" + text).encode(encoding)
                    self.check(f"t.{ending}", content)
                    self.check(f"t.{ending}.gz", gzip.compress(content))

    def test_by_name(self):
        for encoding in ("windows-1252", "utf-16le", "utf-16-be", "iso-8859-15", "cp1252"):
            with self.subTest(encoding):
                self.check("t.csv", self.TEXT.encode(encoding), "--encoding", encoding)
                self.check("t.jsonl", self.LINES.encode(encoding), "--encoding", encoding)

    def test_a_wrong_one_is_an_error_that_says_what_to_do(self):
        name = self.write("t.csv", self.TEXT.encode("windows-1252"))
        self.assert_load_fails(name, expect=EXIT_DATA, says=["t.csv:2 (byte 8)", "UTF-8", "--encoding"])
        self.assert_load_fails(name, "--encoding", "ascii", expect=EXIT_DATA, says=["t.csv", "(byte 12, 0xFC)", "--encoding"])
        self.assert_load_fails(name, "--encoding", "utf-16le", expect=EXIT_DATA, says=["t.csv"])
        self.assert_load_fails(self.write("u.csv", self.TEXT.encode("utf-16-le")), expect=EXIT_USAGE, says=["--encoding utf-16le"])
        self.assert_load_fails(self.write("u.jsonl", self.LINES.encode("utf-16-be")), expect=EXIT_USAGE, says=["--encoding utf-16be"])

    def test_the_place_of_a_bad_record(self):
        content = ('{"id": 1}\n{"id": \n' + self.LINES).encode("utf-16-le")
        self.assert_load_fails(self.write("t.jsonl", content), "--encoding", "utf-16le", expect=EXIT_DATA, says="t.jsonl:2")


class Compressions(Case):
    PACKERS = {"gz": lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]), "zst": lambda data: pyarrow.compress(data, codec="zstd", asbytes=True), "bz2": bz2.compress, "xz": lzma.compress}
    CONTENTS = {"jsonl": b'{"id": 1, "t": "x"}\n\n{"id": 2, "t": "y"}\n', "json": b'[{"id": 1, "t": "x"}, {"id": 2, "t": "y"}]', "csv": b"id,t\n1,x\n2,y\n", "tsv": b"id\tt\n1\tx\n2\ty\n",
                "parquet": parquet({"id": [1, 2], "t": ["x", "y"]})}

    def test_every_format_in_every_compression_whatever_its_name(self):
        for packer, pack in self.PACKERS.items():
            for form, content in self.CONTENTS.items():
                for name in (f"t.{form}.{packer}", f"t.{form}"):
                    with self.subTest(f"{packer} {name}"):
                        self.database.unlink(missing_ok=True)
                        self.load(self.write(name, pack(content)), "--as", "t")
                        self.assertEqual(self.query("SELECT id, t FROM t ORDER BY id"), [(1, "x"), (2, "y")])

    def test_by_a_pattern_and_by_an_exact_name(self):
        """F6: the reference opens the first of these alone."""
        self.write("z.jsonl.gz", gzip.compress(self.CONTENTS["jsonl"]))
        self.write("z.jsonl.bz2", bz2.compress(self.CONTENTS["jsonl"]))
        for number, place in enumerate(("*.gz", "z.jsonl.gz", "z.jsonl.bz2", "*.bz2")):
            with self.subTest(place):
                self.load(place, "--as", f"t{number}")
                self.assertEqual(self.query(f"SELECT id, t FROM t{number} ORDER BY id"), [(1, "x"), (2, "y")])

    def test_a_zip_archive_is_named(self):
        self.assert_load_fails(self.write("t.csv", b"PK\x03\x04" + b"x" * 100), expect=EXIT_USAGE, says=["t.csv", "zip archive", "unzip"])


class Origins(Case):
    CONTENTS = {
        "a.jsonl": ('{"id": 1}\n\n{"id": 2, "l": [1]}\n', [1, 3]),
        "b.json": ('[{"id": 3},\n\n{"id": 4}]', [1, 2]),
        "c.csv": ('id,t\n\n5,"x\n\ny"\n6,z\n', [3, 6]),
        "d.parquet": (parquet({"id": [7, 8]}), [1, 2]),
    }

    def write_all(self, folder="in"):
        for name, (content, _) in self.CONTENTS.items():
            self.write(f"{folder}/{name}", content)
            os.utime(self.path(f"{folder}/{name}"), (1_700_000_000, 1_700_000_000))

    def expected(self, folder="in"):
        ids = iter(range(1, 9))
        return [(next(ids), str(self.path(f"{folder}/{name}")), line) for name, (_, lines) in self.CONTENTS.items() for line in lines]

    def test_of_every_format(self):
        self.write_all()
        for workers in ("1", "3"):
            self.load("in/*", "--as", f"t{workers}", "--metadata", "--workers", workers)
            self.assertEqual(self.query(f"SELECT id, _source_file, _source_line FROM t{workers} ORDER BY id"), self.expected())
            self.assertEqual(self.query(f"SELECT DISTINCT epoch(_source_modified) FROM t{workers}"), [(1_700_000_000,)])
            self.assertEqual([name for name in self.columns(f"t{workers}__l") if name.startswith("_source")], [])
        self.assertEqual(self.columns("t1"), self.columns("t3"))

    def test_one_large_file_by_several_threads(self):
        """Line breaks in quotes, lines that are no records, a column whose first value comes late and one that is not what it looks like."""
        lines = ["id,text,late,v"]
        for i in range(60_000):
            lines.append(f'{i},"line of\n""{i}"", {"x" * (i % 90)}",{i if i > 40_000 else ""},{i / 2 if i % 3 else ""}' if i % 9_973 else f"{i},too,many,fields,here")
        lines.append("60000,last,,none")
        self.write("t.csv", "\n".join(lines))
        rows, reports = [], []
        for workers in ("1", "2", "4"):
            run = self.tipple("load", "t.csv", f"w{workers}.duckdb", "--as", "t", "--metadata", "--workers", workers, "--on-bad-record", "quarantine", expect=EXIT_PARTIAL)
            reports.append([line for line in run.err.splitlines() if "t.csv:" in line])
            database = self.path(f"w{workers}.duckdb")
            rows.append(self.query("SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM t ORDER BY rowid", database) + self.query("SELECT line, record FROM _tipple_quarantine ORDER BY rowid", database))
            self.assertEqual(self.query("SELECT count(*), count(DISTINCT _dlt_id), max(id), max(_source_line), typeof(any_value(v)), typeof(any_value(late)) FROM t", database),
                             [(59_994, 59_994, 60_000, 119_995, "VARCHAR", "BIGINT")])
        for other in (1, 2):
            self.assertTrue(rows[0] == rows[other], "too many rows to show")
            self.assertEqual(reports[0], reports[other])
        self.assertEqual(len(reports[0]), 7)

    def test_only_those_that_were_asked_for(self):
        self.write_all()
        self.load("in/*", "--as", "t", "--option", "metadata=_source_line")
        self.assertEqual([name for name in self.columns("t") if name.startswith("_source")], ["_source_line"])

    def test_a_key_of_file_and_line(self):
        self.write_all()
        for strategy in ("delete-insert", "upsert"):
            with self.subTest(strategy):
                flags = ["--as", strategy.replace("-", "_"), "--metadata", "--key", "_source_file", "--key", "_source_line", "--strategy", strategy]
                self.load("in/*", *flags)
                self.load("in/*", *flags)
                self.assertEqual(self.query(f"SELECT id, _source_file, _source_line FROM {flags[1]} ORDER BY id"), self.expected())

    def test_versions_do_not_change_with_the_place(self):
        for form, rows in {"csv": ("id,v\n1,a\n", "id,v\n\n1,a\n"), "jsonl": ('{"id": 1, "v": "a"}\n', '\n{"id": 1, "v": "a"}\n')}.items():
            for content in rows:
                self.load(self.write(f"{form}.{form}", content), "--as", form, "--metadata", "--strategy", "scd2")
            self.assertEqual(self.query(f"SELECT count(*) FROM {form}"), [(1,)])

    def test_a_record_that_has_such_a_field(self):
        name = self.write("t.jsonl", '{"id": 1}\n{"id": 2, "_source_line": 9}\n')
        self.assert_load_fails(name, "--metadata", expect=EXIT_DATA, says=["t.jsonl:2", "_source_line"])
        self.load(name, "--metadata", "--on-bad-record", "skip", expect=EXIT_PARTIAL)
        self.assertEqual(self.query("SELECT id, _source_line FROM t"), [(1, 1)])
        for other in (self.write("u.csv", "id,_source_file\n1,x\n"), self.write("u.parquet", parquet({"id": [1], "_source_file": ["x"]}))):
            self.assert_load_fails(other, "--metadata", expect=EXIT_DATA, says=["_source_file", "of its own"])

    def test_the_quarantine_keeps_them(self):
        self.load(self.write("t.jsonl", [{"id": 1}]), "--metadata")
        self.tipple("load", self.write("t.jsonl", '{"id": 2}\n{"id": 3, "new": {"a": 1}}\n'), "shop.duckdb", "--metadata", "--contract", "quarantine", expect=EXIT_PARTIAL)
        self.tipple("quarantine", "replay", "shop.duckdb", "--all", "--contract", "evolve")
        self.assertEqual(self.query("SELECT id, _source_file, _source_line FROM t ORDER BY id"), [(number, str(self.path("t.jsonl")), line) for number, line in ((1, 1), (2, 1), (3, 2))])

    def test_with_a_cursor(self):
        self.load(self.write("t.jsonl", [{"id": 1}, {"id": 2}]), "--metadata", "--cursor", "id")
        self.load(self.write("t.jsonl", [{"id": 1}, {"id": 2}, {"id": 3}]), "--metadata", "--cursor", "id")
        self.load(self.write("t.json", "[{\"id\": 2},\n{\"id\": 4}]"), "--metadata", "--cursor", "id")
        self.assertEqual(self.query("SELECT id, _source_line FROM t ORDER BY id"), [(1, 1), (2, 2), (3, 3), (4, 2)])

    def test_records_that_are_no_objects_and_names_that_meet(self):
        self.load(self.write("t.json", '[1, {"a": 1, "A": 2}]'), "--metadata")
        self.assertEqual(self.query("SELECT value, a, _source_line FROM t ORDER BY _source_line"), [(1, None, 1), (None, 2, 2)])

    def test_folders(self):
        for number, folder in enumerate(["year=2024/month=05/k=a%20b", "year=2025/month=12/k=__HIVE_DEFAULT_PARTITION__"]):
            self.write(f"in/{folder}/a.jsonl", [{"id": number}])
            self.write(f"in/{folder}/b.csv", f"id\n{number}\n")
            self.write(f"in/{folder}/c.parquet", parquet({"id": [number]}))
        self.load("in/**/*.*", "--as", "t", "--hive")
        self.assertEqual(self.query("SELECT DISTINCT id, year, month, k FROM t ORDER BY id"), [(0, 2024, 5, "a b"), (1, 2025, 12, None)])
        self.assertEqual(self.count("t"), 6)
        self.load("in/**/*.*", "--as", "u", "--hive", "--option", "hive_types=month:text")
        self.assertEqual(self.values("SELECT DISTINCT month FROM u ORDER BY 1"), ["05", "12"])
        self.assert_load_fails(self.write("x/id=7/t.csv", "id\n1\n"), "--hive", expect=EXIT_DATA, says=['"id" of its own', "hive"])


if __name__ == "__main__":
    main()
