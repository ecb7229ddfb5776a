#!/usr/bin/env python3
"""A SQLite database, and with TIPPLE_TEST_POSTGRES one of Postgres, over three runs: by dlt's sql_database alone, by tipple alone, and by both in turn, beginning with either. The
tables must be equal, and each must go on where the other stopped. Needs a Python with dlt[duckdb] and SQLAlchemy.

    sql_database.py [TIPPLE]
"""

import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import dlt
import duckdb
from dlt.sources.sql_database import sql_database

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

SQLITE = """CREATE TABLE customers(id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, since DATE, active BOOLEAN);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), updated_at DATETIME NOT NULL, total DECIMAL(10,2), weight FLOAT, note TEXT);"""
POSTGRES = """CREATE TABLE customers(id bigint PRIMARY KEY, name varchar(40) NOT NULL, since date, active boolean);
CREATE TABLE orders(id bigint PRIMARY KEY, customer_id bigint REFERENCES customers(id), updated_at timestamp NOT NULL, total numeric(10,2), weight float, note text);"""
STEPS = [
    "INSERT INTO customers VALUES (1, 'Ann', '2024-05-01', {yes}), (2, 'Bob', NULL, {no});"
    "INSERT INTO orders VALUES (1, 1, '2026-03-01 09:30:00.000000', 17.5, 1.25, 'tea'), (2, 2, '2026-03-02 10:05:00.250000', 4, NULL, NULL);",
    "UPDATE orders SET total = 18, updated_at = '2026-03-03 00:00:00.000000' WHERE id = 1; INSERT INTO orders VALUES (3, 1, '2026-03-02 10:05:00.250000', 9.25, 2, '');",
    "INSERT INTO customers VALUES (3, 'Cid', '2025-01-17', NULL); INSERT INTO orders VALUES (4, 3, '2026-03-04 12:00:00.000000', NULL, 0.5, 'late');",
]
PROJECT = """version = 1
[pipeline.shop]
source = "{uri}"
destination = "{database}"
schema = "sql_database"
[pipeline.shop.resources.customers]
disposition = "replace"
[pipeline.shop.resources.orders]
disposition = "merge"
cursor = "updated_at"
"""


def run_dlt(folder, uri, database):
    source = sql_database(credentials=uri.replace("postgresql://", "postgresql+psycopg2://"), table_names=["customers", "orders"])
    source.customers.apply_hints(write_disposition="replace")
    source.orders.apply_hints(write_disposition="merge", incremental=dlt.sources.incremental("updated_at"))
    pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb(str(database)), dataset_name="shop", pipelines_dir=str(folder / "dlt"))
    pipeline.run(source).raise_on_failed_jobs()


def run_tipple(tipple, folder, uri, database):
    (folder / "tipple.toml").write_text(PROJECT.format(uri=uri, database=database))
    subprocess.run([tipple, "--data-dir", folder / "data", "run", "shop", "--quiet"], cwd=folder, check=True)


def contents(database):
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = {"customers": "id, name, since, active", "orders": "id, customer_id, updated_at, total, weight, note"}
        return {table: connection.execute(f"SELECT {names} FROM shop.{table} ORDER BY id").fetchall() for table, names in columns.items()} | {
            # That a key of SQLite is never null is said by tipple alone.
            "types": connection.execute("SELECT table_name, column_name, data_type, is_nullable OR column_name = 'id' FROM duckdb_columns() WHERE schema_name = 'shop' AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\' "
                                        "AND column_name NOT LIKE '\\_dlt%' ESCAPE '\\' ORDER BY ALL").fetchall()}


def three_runs(tipple, kind, loaders):
    """`loaders`: who does which run, "d" or "t"."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        database = folder / "warehouse.duckdb"
        uri, execute = kind(folder)
        # In a format that both libraries read.
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{database}' AS made (STORAGE_VERSION 'v1.4.0')")
        for step, loader in zip(STEPS, loaders):
            execute(step)
            run_dlt(folder, uri, database) if loader == "d" else run_tipple(tipple, folder, uri, database)
        return contents(database)


def in_sqlite(folder):
    path = folder / "shop.db"

    def execute(sql):
        connection = sqlite3.connect(path)
        connection.executescript(sql.format(yes=1, no=0))
        connection.close()

    execute(SQLITE)
    return f"sqlite:///{path}", execute


def in_postgres(folder):
    url = os.environ["TIPPLE_TEST_POSTGRES"]

    def execute(sql):
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url, "-c", sql.format(yes="true", no="false")], check=True, stderr=subprocess.DEVNULL)

    execute("DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS customers;" + POSTGRES)
    return url, execute


def main():
    tipple = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/bin/tipple")
    kinds = [in_sqlite] + ([in_postgres] if os.environ.get("TIPPLE_TEST_POSTGRES") else [])
    for kind in kinds:
        wanted = three_runs(tipple, kind, "ddd")
        for loaders in ("ttt", "dtd", "tdt", "ddt", "tdd"):
            got = three_runs(tipple, kind, loaders)
            for part in wanted:
                if got[part] != wanted[part]:
                    sys.exit(f"{kind.__name__}, {loaders}: {part} differs\n  dlt:    {wanted[part]}\n  {loaders}:    {got[part]}")
        print(f"{kind.__name__}: three runs by dlt, by tipple and by both in turn are equal: {len(wanted['orders'])} orders, {len(wanted['customers'])} customers")


if __name__ == "__main__":
    main()
