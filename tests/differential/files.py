#!/usr/bin/env python3
"""dlt and tipple take turns at one dataset of files, each from the dataset alone: `files.py [--tipple PATH]`.

After every turn both read it: dlt through its own dataset, tipple through `tipple query`. Needs `dlt[duckdb,filesystem,parquet]==1.31.0` in the Python that runs it.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

FORMATS = ("jsonl", "parquet", "csv")
MODES = ("append", "replace", "cursor")
VALUES = "id, name, price, ok, placed"
ROWS = f"SELECT {VALUES} FROM orders ORDER BY id, name"
LINES = "SELECT l.sku FROM orders__lines AS l JOIN orders AS o ON o._dlt_id = l._dlt_parent_id ORDER BY l.sku"
TAGS = "SELECT count(*) FROM orders__lines__tags AS t JOIN orders__lines AS l ON l._dlt_id = t._dlt_parent_id"
LOADS = "SELECT count(*) FROM _dlt_loads"


def records(turn):
    """Ten records of which five are known from the turn before; a column of their own comes with each turn."""
    return [
        {"id": n, "name": f'turn "{turn}", ü', "price": n + 0.5, "ok": n % 2 == 0, "placed": "2024-01-02T03:04:05.123456Z", f"new_{turn}": turn,
         "lines": [{"sku": f"{turn}-{n}-{m}", "tags": ["x", "y"]} for m in range(n % 3)]}
        for n in range(turn * 5, turn * 5 + 10)
    ]


def dlt_pipeline(lake, dataset, folder, turn):
    import dlt

    return dlt.pipeline(pipeline_name=f"load_{dataset}", destination=dlt.destinations.filesystem(f"file://{lake}"), dataset_name=dataset,
                        pipelines_dir=os.path.join(folder, f"dlt-{turn}"))


def by_dlt(lake, dataset, turn, mode, form, folder):
    import dlt

    hints = {"write_disposition": "replace" if mode == "replace" else "append"}

    @dlt.source(name=f"load_{dataset}")
    def source():
        if mode == "cursor":
            @dlt.resource(name="orders", **hints)
            def orders(cursor=dlt.sources.incremental("id")):
                yield records(turn)
            return orders
        return dlt.resource(records(turn), name="orders", **hints)

    dlt_pipeline(lake, dataset, folder, turn).run(source(), loader_file_format=form).raise_on_failed_jobs()


def by_tipple(lake, dataset, turn, mode, form, folder, tipple):
    path = os.path.join(folder, "orders.jsonl")
    pathlib.Path(path).write_text("".join(json.dumps(record) + "\n" for record in records(turn)), encoding="utf-8")
    flags = ["--cursor", "id"] if mode == "cursor" else ["--disposition", mode]
    subprocess.run([tipple, "--data-dir", os.path.join(folder, f"tipple-{turn}"), "load", "-q", path, f"file://{lake}?format={form}", "--dataset", dataset, *flags], check=True)


def expected(turns, mode):
    if mode == "append":
        return [record for turn in range(turns) for record in records(turn)]
    if mode == "replace":
        return records(turns - 1)
    # The record at the last value is another one in each turn, and so it is new.
    return [record for turn in range(turns) for record in records(turn) if turn == 0 or record["id"] >= turn * 5 + 4]


def rows_of_dlt(lake, dataset, folder, turns, sql):
    pipeline = dlt_pipeline(lake, dataset, folder, f"reader-{turns}")
    pipeline.sync_destination()
    with pipeline.sql_client() as client, client.execute_query(sql) as cursor:
        return [tuple(value.isoformat() if hasattr(value, "isoformat") else value for value in row) for row in cursor.fetchall()]


def rows_of_tipple(lake, dataset, tipple, sql):
    out = subprocess.run([tipple, "query", f"{lake}/", sql, "--dataset", dataset, "-o", "json", "--limit", "0"], check=True, capture_output=True, text=True).stdout
    return [tuple(row.values()) for row in json.loads(out)]


def plain(rows):
    """Times as both print them."""
    return [tuple(str(value).replace(" ", "T").removesuffix(":00") if isinstance(value, str) and value.startswith("20") else value for value in row) for row in rows]


def check(lake, dataset, turns, mode, folder, tipple):
    """What is wrong after so many turns, as texts."""
    rows = sorted(expected(turns, mode), key=lambda row: (row["id"], row["name"]))
    lines = sorted(line["sku"] for row in rows for line in row["lines"])
    wrong = []
    for reader, read in (("dlt", lambda sql: rows_of_dlt(lake, dataset, folder, turns, sql)), ("tipple", lambda sql: rows_of_tipple(lake, dataset, tipple, sql))):
        for what, sql, value in (("rows", ROWS, [(row["id"], row["name"], row["price"], row["ok"], "2024-01-02T03:04:05.123456+00") for row in rows]),
                                 ("nested rows", LINES, [(sku,) for sku in lines]), ("rows below them", TAGS, [(2 * len(lines),)]), ("loads", LOADS, [(turns,)])):
            found = plain(read(sql))
            if found != value:
                wrong.append(f"{reader} reads {what}: expected {value}, found {found}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tipple", default=os.environ.get("TIPPLE_BINARY", "build/release/bin/tipple"))
    arguments = parser.parse_args()
    tipple = os.path.abspath(arguments.tipple)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    failed = 0
    with tempfile.TemporaryDirectory() as lake:
        for mode in MODES:
            for form in FORMATS:
                for first in ("dlt", "tipple"):
                    dataset = f"{mode}_{form}_{first}"
                    with tempfile.TemporaryDirectory() as folder:
                        for turn in range(4):
                            who = first if turn % 2 == 0 else {"dlt": "tipple", "tipple": "dlt"}[first]
                            if who == "dlt":
                                by_dlt(lake, dataset, turn, mode, form, folder)
                            else:
                                by_tipple(lake, dataset, turn, mode, form, folder, tipple)
                            for line in check(lake, dataset, turn + 1, mode, folder, tipple):
                                failed += 1
                                print(f"{mode}, {form}, {first} first, turn {turn + 1} ({who}): {line}", flush=True)
    print("dlt and tipple continue each other" if failed == 0 else f"{failed} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
