"""Random merges, by dlt and by tipple: writes what dlt makes of them as golden cases and runs these.

    python strategies.py GOLDEN [--cases N] [--seed N] [--keep FOLDER]     # needs the PyPI package dlt[duckdb]

GOLDEN is the program `build/release/bin/golden`. What docs/known-differences.md lists is kept out of the input: a primary key twice in one
load of upsert, insert-only and cdc; rows below roots that do not come; lists under scd2 with a version column of the data.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import canonical

os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL")


def disposition(rng, strategy):
    options = {"disposition": "merge", "strategy": strategy}
    if strategy != "insert-only" and rng.random() < 0.25:
        options["source_filter"] = rng.choice(["v < 5", "v IS NOT NULL", "day <> 'c' AND (v > 1 OR v IS NULL)"])
    if strategy in ("delete-insert", "cdc", "scd2") and rng.random() < 0.25:
        options["destination_scope"] = rng.choice(["day = 'a'", "day IN (SELECT day FROM {staging_table})", "{table}.v > 3"])
    if strategy in ("upsert", "cdc") and rng.random() < 0.4:
        options["skip_unchanged_rows"] = True
        if rng.random() < 0.3:
            options["row_version_column_name"] = "ver"
    if strategy == "scd2" and rng.random() < 0.3:
        options["row_version_column_name"] = "ver"
    if strategy == "scd2" and rng.random() < 0.2:
        options["active_record_timestamp"] = "9999-12-31"
    if strategy == "scd2" and rng.random() < 0.2:
        options["validity_column_names"] = ["From Date", "to_date"]
    return options


def record(rng, key, options, nests, marks):
    row = {"id": key, "day": rng.choice("abc"), "v": rng.choice([1, 2, 3, 7, 9, None])}
    if "row_version_column_name" in options:
        row["ver"] = rng.choice("pqr") + str(key)
    if rng.random() < 0.3:
        row["w"] = {"x": rng.choice([1.5, 1.0, 1e-5]), "Y": rng.choice(["é", "", "\u2028"])}
    if nests and rng.random() < 0.8:
        row["l"] = [rng.choice([1, 2]) for _ in range(rng.randrange(4))]
    if nests and rng.random() < 0.5:
        row["o"] = [{"a": rng.randrange(3), "k": [rng.randrange(2)] * rng.randrange(3)} for _ in range(rng.randrange(3))]
    if marks and rng.random() < 0.3:
        row["gone"] = rng.choice([True, False, None])
    return row


def change_strategy(rng, runs):
    """Another strategy, or append, from some run on. Rows below are kept out: those of random ids stay without a parent in the reference."""
    changed = rng.choice([{"disposition": "merge", "strategy": s} for s in ("delete-insert", "upsert", "insert-only", "cdc", "scd2")] + ["append"])
    for run in runs[rng.randrange(1, len(runs)):]:
        run["resources"][0]["write_disposition"] = changed
        run["resources"][0].setdefault("primary_key", ["id"])
        # A primary key twice in one load.
        run["resources"][0]["data"] = list({row["id"]: row for row in run["resources"][0]["data"]}.values())


def make_case(rng, number):
    strategy = rng.choice(["delete-insert", "upsert", "insert-only", "cdc", "scd2"])
    options = disposition(rng, strategy)
    nests = rng.random() < 0.5 and not (strategy == "scd2" and "row_version_column_name" in options)
    # Below a root that is deleted in the same load the reference inserts rows under insert-only.
    marks = strategy != "scd2" and rng.random() < 0.4 and not (strategy == "insert-only" and nests)
    resource = {"name": "t", "write_disposition": options}
    if strategy != "scd2":
        resource["primary_key"] = ["id"] if rng.random() < 0.8 else ["id", "day"]
    if strategy in ("delete-insert", "cdc", "scd2") and rng.random() < 0.4:
        resource["merge_key"] = ["day"]
    columns = {}
    if marks:
        columns["gone"] = {"hard_delete": True, "data_type": "bool"}
    if strategy == "delete-insert" and rng.random() < 0.3:
        columns["v"] = {"dedup_sort": rng.choice(["asc", "desc"]), "data_type": "bigint"}
    if columns:
        resource["columns"] = columns
    runs = []
    for _ in range(rng.randrange(2, 5)):
        keys = rng.sample(range(6), rng.randrange(1, 6))
        data = [record(rng, key, options, nests, marks) for key in keys]
        if strategy == "delete-insert" and "dedup_sort" not in columns.get("v", {}) and rng.random() < 0.3:
            data.append(dict(data[0]))
        runs.append({"resources": [dict(resource, data=data)]})
    if rng.random() < 0.25 and not nests:
        change_strategy(rng, runs)
        return {"name": f"random-{number}", "about": "strategies change", "pipeline": {"name": "shop", "dataset": "data", "schema": "shop"}, "runs": runs}
    exact = strategy != "delete-insert" and not (strategy == "scd2" and "row_version_column_name" in options)
    case = {"name": f"random-{number}", "about": strategy, "pipeline": {"name": "shop", "dataset": "data", "schema": "shop"}, "runs": runs}
    if exact:
        case["ids"] = "exact"
    return case


def canonical_schema(tables):
    left_out = ("x-merge-source-filter", "x-merge-destination-scope", "x-merge-skip-unchanged-rows", "description", "name", "columns")
    out = {}
    for name, table in tables.items():
        if name.startswith("_dlt_"):
            continue
        described = {k: v for k, v in table.items() if k not in left_out and v is not None}
        columns = {}
        for column, hints in table["columns"].items():
            complete = hints.get("data_type") is not None
            shown = {k: v for k, v in hints.items() if k not in ("name", "data_type", "description") and v is not None and (k != "nullable" or not complete)}
            if not complete:
                shown["incomplete"] = True
            if shown:
                columns[column] = shown
        if columns:
            described["columns"] = columns
        out[name] = described
    return out


def run_reference(case, folder):
    """Adds to the case what dlt leaves after each run."""
    import dlt
    path = os.path.join(folder, "dlt.duckdb")
    pipeline = dlt.pipeline("shop", pipelines_dir=os.path.join(folder, "work"), destination=dlt.destinations.duckdb(path), dataset_name="data")
    case["expect"] = []
    for run in case["runs"]:
        spec = run["resources"][0]
        hints = {k: v for k, v in spec.items() if k not in ("name", "data")}

        @dlt.source(name="shop")
        def source():
            return dlt.resource(json.loads(json.dumps(spec["data"])), name=spec["name"], **json.loads(json.dumps(hints)))

        error = None
        try:
            pipeline.run(source())
        except Exception as exception:  # the reference's own errors are part of the case
            error = {"step": "load", "kind": type(exception).__name__, "contains": [], "pending": False, "text": str(exception)[-300:]}
        if error:
            case["expect"].append({"tables": None, "schema": {}, "state": {}, "loads": 0, "system": {}, "error": error})
            case["runs"] = case["runs"][: len(case["expect"])]
            return
        stored = canonical.stored_tables(path, "data")
        tables, system, loads = canonical.read_dataset(path, "data", stored, True if "ids" in case else None)
        case["expect"].append({"tables": tables, "schema": canonical_schema(stored), "state": {}, "loads": loads, "system": system, "error": None})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("golden")
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", help="leave the cases in this folder")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(options.seed)
    print(f"seed {options.seed}")
    for number in range(options.cases):
        case = make_case(rng, number)
        work = tempfile.mkdtemp()
        run_reference(case, work)
        shutil.rmtree(work)
        with open(os.path.join(folder, f"{case['name']}.json"), "w", encoding="utf-8") as file:
            json.dump(case, file, ensure_ascii=False, indent=1)
    result = subprocess.run([options.golden, folder], check=False)
    if not options.keep:
        shutil.rmtree(folder)
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
