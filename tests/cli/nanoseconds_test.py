"""Times with nanoseconds, of which columns of times keep the microseconds: what is said of them, in every form in which they come."""

import contextlib
import json
import sqlite3

import duckdb
import pyarrow
import pyarrow.parquet

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, Case, main

MIDNIGHT = 1_704_067_200_000_000_000
# By id, from 1 on: whole microseconds, nanoseconds beyond them, nothing, and nanoseconds before 1970 or without a digit of microseconds.
MOMENTS = [MIDNIGHT + 1_000, MIDNIGHT + 123_456_789, None, -1]
TIMES = [1_000, 123_456_789, None, 7]
WALL, ZONE, TIME = pyarrow.timestamp("ns"), pyarrow.timestamp("ns", "UTC"), pyarrow.time64("ns")
# What the second and the last value are called.
TEXTS = {WALL: ("2024-01-01T00:00:00.123456789", "1969-12-31T23:59:59.999999999"),
         ZONE: ("2024-01-01T00:00:00.123456789+00:00", "1969-12-31T23:59:59.999999999+00:00"),
         TIME: ("00:00:00.123456789", "00:00:00.000000007")}
FORMS = [(name, kind, column) for column, kind in (("wall", WALL), ("zone", ZONE), ("time", TIME)) for name in ("parquet", "database") if (name, kind) != ("database", ZONE)]


def values_of(kind):
    return TIMES if kind == TIME else MOMENTS


class Nanoseconds(Case):
    def source(self, form, kind, column, values=None):
        """Rows of `id` and a column of that kind: what names them to `load`, and the place of a row."""
        values = values_of(kind) if values is None else values
        table = pyarrow.table({"id": list(range(1, len(values) + 1)), "t": pyarrow.array(values, kind)})
        if form == "parquet":
            path = self.folder / f"{column}.parquet"
            # Several groups of rows, and a column of text between those that matter.
            pyarrow.parquet.write_table(table.append_column("note", pyarrow.array(["x" * 1000] * len(values))), path, row_group_size=2)
            return [path], f"{column}.parquet, record "
        with duckdb.connect(str(self.folder / f"{column}.duckdb")) as connection:
            made = {WALL: "make_timestamp_ns(t)", TIME: "CAST(make_timestamp_ns(t) AS TIME_NS)"}[kind]
            rows = ", ".join(f"({row}, {'NULL' if value is None else value})" for row, value in enumerate(values, 1))
            connection.execute(f"CREATE OR REPLACE TABLE rows AS SELECT id, {made} AS t FROM (VALUES {rows}) AS v(id, t)")
        return [f"duckdb:///{self.folder / column}.duckdb", "-r", "rows"], "record "

    def loaded(self, table):
        return self.query(f"SELECT id, epoch_us(t) FROM {table} ORDER BY id")

    def test_what_is_cut_is_told(self):
        for form, kind, column in FORMS:
            source, place = self.source(form, kind, column)
            cut = [(row, None if value is None else value // 1_000) for row, value in enumerate(values_of(kind), 1)]
            for mode in ("evolve", "discard_row", "discard_value"):
                with self.subTest(form, column=column, mode=mode):
                    table = f"{form}_{column}_{mode}"
                    err = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", table, "--contract", f"data_type={mode}").err
                    self.assertIn(f'table "{table}", column "t": times with nanoseconds were cut to microseconds, 2 times, first in ', err)
                    self.assertIn(f"{place}2 (to keep them, declare the column as text)", err)
                    self.assertEqual(self.loaded(table), cut)

    def test_a_frozen_type_refuses_them(self):
        for form, kind, column in FORMS:
            with self.subTest(form, column=column):
                source, place = self.source(form, kind, column)
                table = f"{form}_{column}"
                err = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", table, "--contract", "data_type=freeze", expect=EXIT_DATA).err
                text = TEXTS[WALL if form == "database" and kind == ZONE else kind][0]
                self.assertRegex(err, f'{place}2: table "{table}", column "t": the time {text[:29]}')
                self.assertIn("has more digits behind the second than the 6 that the column keeps, which the schema contract freezes", err)
                self.assertIn("to keep nanoseconds, declare the column as text", err)
                self.assertFalse(self.path("shop.duckdb").exists() and table in self.tables())

    def test_a_contract_puts_them_aside_as_they_came(self):
        for form, kind, column in FORMS:
            with self.subTest(form, column=column):
                source, _ = self.source(form, kind, column)
                table = f"{form}_{column}"
                self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", table, "--contract", "data_type=quarantine", expect=EXIT_PARTIAL)
                self.assertEqual([row for row, _ in self.loaded(table)], [1, 3])
                rows = self.query(f"SELECT column_name, (record::JSON)->>'id', left((record::JSON)->>'t', 29) FROM _tipple_quarantine WHERE root_table = '{table}' ORDER BY 2")
                self.assertEqual(rows, [("t", "2", TEXTS[kind][0][:29]), ("t", "4", TEXTS[kind][1][:29])])

    def test_text_keeps_them(self):
        for form, kind, column in FORMS:
            with self.subTest(form, column=column):
                source, _ = self.source(form, kind, column)
                table = f"{form}_{column}"
                err = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", table, "--column", "t:text", "--contract", "data_type=freeze").err
                self.assertNotIn("nanoseconds", err)
                texts = self.query(f"SELECT left(t, 29) FROM {table} WHERE id IN (2, 4) ORDER BY id")
                self.assertEqual(texts, [(text[:29],) for text in TEXTS[kind]])

    def test_whole_microseconds_are_nothing_to_tell(self):
        for form, kind, column in FORMS:
            with self.subTest(form, column=column):
                values = [1_000, None, 86_399_999_999_000]
                source, _ = self.source(form, kind, column, values)
                table = f"{form}_{column}"
                result = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", table, "--contract", "data_type=freeze")
                self.assertNotIn("nanoseconds", result.err)
                self.assertEqual(self.loaded(table), [(row, value and value // 1_000) for row, value in enumerate(values, 1)])
                # As it lies, where the engine takes the type for one of ours.
                if form == "parquet" and kind != WALL:
                    self.assertIn("to be read where it lies", result.out)

    def test_a_file_with_them_is_not_loaded_as_it_lies(self):
        for kind, column in ((ZONE, "zone"), (TIME, "time")):
            source, _ = self.source("parquet", kind, column)
            self.assertNotIn("where it lies", self.tipple("load", source[0], "shop.duckdb").out)

    def test_columns_that_are_declared_with_less(self):
        source, _ = self.source("parquet", WALL, "wall")
        err = self.tipple("load", source[0], "shop.duckdb", "--column", "t:timestamp(3):timezone=false").err
        self.assertIn('column "t": times with more digits behind the second than the column keeps were rounded, 3 times, first in ', err)
        self.assertIn("wall.parquet, record 1 (to keep them, declare the column with a greater precision)", err)
        self.assertNotIn("nanoseconds", err)

    def test_rows_that_are_left_out_are_not_looked_at(self):
        for form, kind, column in FORMS:
            source, place = self.source(form, kind, column)
            for name, options, rows in (("cursor", ("--cursor", "id", "--cursor-start", "3"), [3, 4]), ("limit", ("--limit", "1"), [1])):
                with self.subTest(form, column=column, by=name):
                    table = f"{form}_{column}_{name}"
                    load = ("load", source[0], "shop.duckdb", *source[1:], "--as", table, *options)
                    if name == "limit":
                        self.assertNotIn("nanoseconds", self.tipple(*load, "--contract", "data_type=freeze").err)
                    else:
                        self.assertIn(" than the 6 that the column keeps", self.tipple(*load, "--contract", "data_type=freeze", expect=EXIT_DATA).err)
                        self.assertRegex(self.tipple(*load).err, "cut to microseconds, once, first in ")
                    self.assertEqual([row for row, _ in self.loaded(table)], rows)

    def test_conditions_and_steps(self):
        source, _ = self.source("parquet", ZONE, "zone")
        for name, setting, rows, said in (("condition", 'where = "id < 2 or id == 3"', [1, 3], None), ("filter", 'steps = [{ filter = "id == 1 or id == 4" }]', [1, 4], "once, first in .*zone.parquet, record 4"),
                                    ("dropped", 'steps = [{ drop = ["t"] }]', [1, 2, 3, 4], None)):
            with self.subTest(name):
                self.write("tipple.toml", f"[pipeline.{name}]\nsource = {{ type = 'files', uri = '.' }}\ndestination = 'shop.duckdb'\ndataset = '{name}'\n"
                                          f"[pipeline.{name}.resources.rows]\nglob = '{source[0].name}'\n{setting}\n")
                err = self.tipple("run", name).err
                self.assertEqual(self.query(f"SELECT list(id ORDER BY id) FROM {name}.rows"), [(rows,)])
                if said:
                    self.assertRegex(err, f"were cut to microseconds, {said}")
                else:
                    self.assertNotIn("nanoseconds", err)


class Texts(Case):
    """Texts that read as times: the second and the fourth have more digits than a column of times keeps."""

    MOMENTS = ["2024-01-01T00:00:00.123456000Z", "2024-01-01T00:00:00.123456789Z", None, "2024-01-01 00:00:00.000000007"]
    CUT = [(1, 1_704_067_200_123_456), (2, 1_704_067_200_123_456), (3, None), (4, 1_704_067_200_000_000)]

    def sources(self):
        """What names each to `load`, and where its second row is."""
        (self.folder / "t.jsonl").write_text("".join(json.dumps({"id": row, "t": text}) + "\n" for row, text in enumerate(self.MOMENTS, 1)))
        (self.folder / "t.csv").write_text("id,t\n" + "".join(f"{row},{text or ''}\n" for row, text in enumerate(self.MOMENTS, 1)))
        with contextlib.closing(sqlite3.connect(self.folder / "t.db")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, t TIMESTAMP)")
            connection.executemany("INSERT OR REPLACE INTO t VALUES (?, ?)", list(enumerate(self.MOMENTS, 1)))
            connection.commit()
        yield "jsonl", ["t.jsonl"], "t.jsonl:2 "
        yield "csv", ["t.csv", "--column", "t:timestamp"], "t.csv, record 2"
        yield "sqlite", ["t.db", "-r", "t"], "record 2"

    def test_what_is_cut_is_told(self):
        for name, source, place in self.sources():
            with self.subTest(name):
                err = self.tipple("load", source[0], "shop.duckdb", *source[1:], "--as", name).err
                self.assertIn(f'table "{name}", column "t": times with nanoseconds were cut to microseconds, 2 times, first in ', err)
                self.assertIn(place, err)
                self.assertEqual(self.query(f"SELECT id, epoch_us(t) FROM {name} ORDER BY id"), self.CUT)

    def test_a_frozen_type_refuses_them(self):
        for name, source, place in self.sources():
            with self.subTest(name):
                load = ["load", source[0], "shop.duckdb", *source[1:], "--as", name]
                self.tipple(*load)
                err = self.tipple(*load, "--contract", "data_type=freeze", expect=EXIT_DATA).err
                self.assertIn(place, err)
                self.assertIn(".123456789", err)
                self.assertEqual(self.query(f"SELECT count(*) FROM {name}"), [(4,)])

    def test_a_quarantine_takes_them_as_they_came(self):
        for name, source, _ in self.sources():
            with self.subTest(name):
                load = ["load", source[0], "shop.duckdb", *source[1:], "--as", name]
                self.tipple(*load)
                self.tipple(*load, "--contract", "data_type=quarantine", expect=EXIT_PARTIAL)
                self.assertEqual(self.query(f"SELECT count(*) FROM {name}"), [(6,)])
        kept = self.query("SELECT record FROM _tipple_quarantine")
        self.assertEqual(len([record for (record,) in kept if ".123456789" in record]), 3)

    def test_a_column_of_text_keeps_them(self):
        self.assertEqual(next(self.sources())[0], "jsonl")
        self.tipple("load", "t.jsonl", "shop.duckdb", "--column", "t:text")
        self.assertEqual(self.query("SELECT t FROM t WHERE id = 2"), [("2024-01-01T00:00:00.123456789Z",)])


if __name__ == "__main__":
    main()
