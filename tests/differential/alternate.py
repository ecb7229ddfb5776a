#!/usr/bin/env python3
"""Six runs of an incremental merge pipeline, by dlt and tipple in turn: what is there in the end equals six runs of either alone.

    alternate.py [--tipple PATH] [--seed N]

On a DuckDB file, and where TIPPLE_TEST_POSTGRES has the URL of a server (tests/support/postgres_server.py COMMAND...) in schemas there. Each run is a process of its own without a working folder: all that is
known comes from the destination. Needs dlt[duckdb], for Postgres dlt[postgres] too, in the Python that runs it.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

RUNS = 6
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

DLT_RUN = """
import json, sys
import dlt
from dlt.destinations import duckdb, postgres
url, dataset, path, folder = sys.argv[1:]
destination = postgres(url) if url.startswith("postgres") else duckdb(url)
records = json.load(open(path))
orders = dlt.resource(lambda since=dlt.sources.incremental("updated_at", lag=3): records, name="orders", primary_key="id", write_disposition="merge")
pipeline = dlt.pipeline("shop", destination=destination, dataset_name=dataset, pipelines_dir=folder)
pipeline.run(orders).raise_on_failed_jobs()
"""
PROJECT = """
[pipeline.shop]
source = {{ type = "files", uri = "." }}
destination = "{url}"
dataset = "{dataset}"

[pipeline.shop.resources.orders]
glob = "orders.jsonl"
disposition = "merge"
primary_key = "id"
cursor = {{ field = "updated_at", lag = 3 }}
"""


def all_runs(seed):
    """What the API gives in each run: records that are new, were changed, come late, or were read before; later ones have columns and lists that are new."""
    numbers = random.Random(seed)
    orders = {}
    for run in range(1, RUNS + 1):
        for _ in range(40):
            number = numbers.randrange(1, 60)
            moment = run * 10 + numbers.randrange(-3, 10)
            order = {"id": number, "updated_at": moment, "total": numbers.randrange(1000) / 4, "lines": [{"sku": f"s{numbers.randrange(9)}"} for _ in range(numbers.randrange(3))]}
            if run >= 3:
                order["note"] = f"run {run}"
            if run >= 4:
                order["tags"] = ["a"] * numbers.randrange(3)
            orders[number] = order
        yield sorted(orders.values(), key=lambda order: order["updated_at"])


class Place:
    def __init__(self, url, folder, tipple):
        self.url, self.folder, self.tipple = url, folder, tipple

    def run_dlt(self, dataset, records, folder):
        path = os.path.join(folder, "orders.json")
        with open(path, "w") as file:
            json.dump(records, file)
        environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"}
        subprocess.run([sys.executable, "-c", DLT_RUN, self.url, dataset, path, os.path.join(folder, "dlt")], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    def run_tipple(self, dataset, records, folder):
        with open(os.path.join(folder, "orders.jsonl"), "w") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        with open(os.path.join(folder, "tipple.toml"), "w") as file:
            file.write(PROJECT.format(url=self.url, dataset=dataset))
        subprocess.run([self.tipple, "--data-dir", os.path.join(folder, "data"), "run", "shop", "--quiet"], cwd=folder, check=True)

    def contents(self, dataset):
        """Rows without what loaders number, and where the cursor stands."""
        queries = [
            f"SELECT id, updated_at, total, note FROM {dataset}.orders ORDER BY id",
            f"SELECT o.id, l._dlt_list_idx, l.sku FROM {dataset}.orders__lines l JOIN {dataset}.orders o ON o._dlt_id = l._dlt_parent_id ORDER BY 1, 2",
            f"SELECT o.id, t._dlt_list_idx, t.value FROM {dataset}.orders__tags t JOIN {dataset}.orders o ON o._dlt_id = t._dlt_parent_id ORDER BY 1, 2",
            f"SELECT count(*) FROM {dataset}.orders__lines",
        ]
        return [self.query(sql) for sql in queries]

    def query(self, sql):
        if self.url.startswith("postgres"):
            import psycopg2

            connection = psycopg2.connect(self.url)
            cursor = connection.cursor()
            cursor.execute(sql)
            rows = cursor.fetchall()
        else:
            import duckdb

            connection = duckdb.connect(self.url, read_only=True)
            rows = connection.execute(sql).fetchall()
        connection.close()
        return rows

    def live(self, dataset, loaders, runs):
        for loader, records in zip(loaders, runs):
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                (self.run_dlt if loader == "dlt" else self.run_tipple)(dataset, records, folder)
        return self.contents(dataset)


def make_database(path):
    """In a format that DuckDB 1.4 reads: dlt takes the newest DuckDB, tipple the one it was built with."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS made (STORAGE_VERSION 'v1.4.0')")
    connection.execute("CREATE TABLE made.main.t (i INT)")
    connection.execute("DROP TABLE made.main.t")
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tipple", default=os.path.join(ROOT, "build/release/bin/tipple"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    runs = list(all_runs(arguments.seed))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        urls = [os.path.join(folder, "shop.duckdb")]
        if os.environ.get("TIPPLE_TEST_POSTGRES"):
            urls.append(os.environ["TIPPLE_TEST_POSTGRES"])
        make_database(urls[0])
        for url in urls:
            place = Place(url, folder, os.path.abspath(arguments.tipple))
            kind = "postgres" if url.startswith("postgres") else "duckdb"
            alone = place.live("by_dlt", ["dlt"] * RUNS, runs)
            for name, loaders in {"by_tipple": ["tipple"] * RUNS, "dlt_first": ["dlt", "tipple"] * RUNS, "tipple_first": ["tipple", "dlt"] * RUNS}.items():
                found = place.live(name, loaders, runs)
                is_same = found == alone
                failed += not is_same
                print(f"{kind} {name}: {'the same' if is_same else 'DIFFERENT'}, {len(found[0])} orders, {len(found[1])} lines")
                for wanted, got in zip(alone, found):
                    if wanted != got:
                        print("   only dlt", sorted(set(wanted) - set(got), key=repr)[:5], "\n   only here", sorted(set(got) - set(wanted), key=repr)[:5])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
