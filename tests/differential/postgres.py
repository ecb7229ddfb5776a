#!/usr/bin/env python3
"""dlt and tipple take turns at one Postgres dataset, each from the dataset alone: `postgres.py [--tipple PATH]`.

Starts a server of its own. Needs `dlt[postgres]==1.31.0` and pytz in the Python that runs it, and the Debian package postgresql.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from postgres_server import PASSWORD, USER, Server  # noqa: E402

KEYS = ("id", "name", "at", "price", "ok")


def records(turn):
    """Ten records of which five are known from the turn before; a column of their own comes with each turn."""
    return [
        {"id": n, "name": f"turn {turn}", "at": "2024-01-02T03:04:05.123456Z", "price": n + 0.5, "ok": n % 2 == 0, f"new_{turn}": turn,
         "lines": [{"sku": f"{turn}-{n}-{m}", "tags": ["x", "y"]} for m in range(n % 3)]}
        for n in range(turn * 5, turn * 5 + 10)
    ]


def by_dlt(server, dataset, turn, mode, folder):
    import dlt

    destination = dlt.destinations.postgres(
        credentials={"drivername": "postgresql", "database": "shop", "username": USER, "password": PASSWORD, "host": "127.0.0.1", "port": server.port})
    pipeline = dlt.pipeline(pipeline_name=f"load_{dataset}", destination=destination, dataset_name=dataset, pipelines_dir=os.path.join(folder, f"dlt-{turn}"))
    hints = {"primary_key": "id"} if mode == "merge" else {}
    pipeline.run(dlt.resource(records(turn), name="orders", write_disposition=mode, **hints)).raise_on_failed_jobs()


def by_tipple(server, dataset, turn, mode, folder, tipple):
    path = os.path.join(folder, "orders.jsonl")
    pathlib.Path(path).write_text("".join(json.dumps(record) + "\n" for record in records(turn)), encoding="utf-8")
    flags = ["--key", "id"] if mode == "merge" else ["--disposition", mode]
    subprocess.run([tipple, "--data-dir", os.path.join(folder, f"tipple-{turn}"), "load", "-q", path, server.url(), "--dataset", dataset, *flags], check=True)


def expected(turns, mode):
    if mode == "append":
        return [record for turn in range(turns) for record in records(turn)]
    if mode == "replace":
        return records(turns - 1)
    return list({record["id"]: record for turn in range(turns) for record in records(turn)}.values())


def check(server, dataset, turns, mode):
    """What is wrong after so many turns, as texts."""
    rows = expected(turns, mode)
    wrong = []

    def same(what, sql, value):
        found = server.psql(f"SET search_path = {dataset}; SET TimeZone = 'UTC'; {sql}")
        if found != value:
            wrong.append(f"{what}: expected {value}, found {found}")

    lines = sorted(line["sku"] for row in rows for line in row["lines"])
    same("rows", "SELECT id, name FROM orders ORDER BY id, name", [[str(row["id"]), row["name"]] for row in sorted(rows, key=lambda row: (row["id"], row["name"]))])
    same("values", "SELECT count(*) FROM orders WHERE at = '2024-01-02 03:04:05.123456' AND price = id + 0.5 AND ok = (id % 2 = 0)", [[str(len(rows))]])
    same("nested rows", 'SELECT l.sku FROM orders__lines AS l JOIN orders AS o ON o._dlt_id = l._dlt_parent_id ORDER BY l.sku COLLATE "C"', [[sku] for sku in lines])
    same("rows below them", "SELECT count(*) FROM orders__lines__tags AS t JOIN orders__lines AS l ON l._dlt_id = t._dlt_parent_id", [[str(2 * len(lines))]])
    same("all nested rows", "SELECT (SELECT count(*) FROM orders__lines), (SELECT count(*) FROM orders__lines__tags)", [[str(len(lines)), str(2 * len(lines))]])
    same("ids", "SELECT count(DISTINCT _dlt_id) FROM orders", [[str(len(rows))]])
    same("loads", "SELECT count(*), count(DISTINCT load_id) FROM _dlt_loads WHERE status = 0", [[str(turns)] * 2])
    same("types", "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum BETWEEN 1 AND 5",
         [["bigint,character varying,timestamp with time zone,double precision,boolean"]])
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tipple", default=os.environ.get("TIPPLE_BINARY", "build/release/bin/tipple"))
    arguments = parser.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    failed = 0
    with Server() as server:
        for mode in ("append", "replace", "merge"):
            for first in ("dlt", "tipple"):
                dataset = f"{mode}_{first}"
                with tempfile.TemporaryDirectory() as folder:
                    for turn in range(4):
                        who = first if turn % 2 == 0 else {"dlt": "tipple", "tipple": "dlt"}[first]
                        if who == "dlt":
                            by_dlt(server, dataset, turn, mode, folder)
                        else:
                            by_tipple(server, dataset, turn, mode, folder, os.path.abspath(arguments.tipple))
                        for line in check(server, dataset, turn + 1, mode):
                            failed += 1
                            print(f"{mode}, {first} first, turn {turn + 1} ({who}): {line}", flush=True)
    print("dlt and tipple continue each other" if failed == 0 else f"{failed} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
