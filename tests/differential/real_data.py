#!/usr/bin/env python3
"""Loads files with the reference (dlt) and with tipple, and compares the two datasets: tables, columns, types, every value, links, order.

    real_data.py FILE... [--select PATH] [--values] [--limit N] [--table NAME] [--max-table-nesting N] [--tipple PATH]

Each file is one table of a dataset of its own. Takes JSON lines, a JSON list of records, or one JSON document with the list under `--select` (a
dotted path). With `--values` the records are the values of an object, each with its name as `key`. Needs dlt, duckdb and pytz in the Python that
runs it; the program is found through --tipple or TIPPLE_BIN.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import canonical
import reference


def read_records(path, select, takes_values):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8-sig")
    try:
        document = json.loads(text)
    except ValueError:
        document = [json.loads(line) for line in text.splitlines() if line.strip()]
    for part in (select or "").split("."):
        if part:
            document = document[part]
    if takes_values:
        return [{"key": key, **value} if isinstance(value, dict) else {"key": key, "value": value} for key, value in document.items()]
    return document if isinstance(document, list) else [document]


def load_with_dlt(records, table, nesting, folder):
    import dlt

    path = os.path.join(folder, "dlt.duckdb")
    pipeline = dlt.pipeline("compare", destination=dlt.destinations.duckdb(path), dataset_name="data", pipelines_dir=os.path.join(folder, "dlt"))
    resource = dlt.resource(records, name=table, max_table_nesting=nesting)
    pipeline.run(resource)
    return path


def load_with_tipple(binary, lines, table, nesting, folder):
    path = os.path.join(folder, "tipple.duckdb")
    command = [binary, "load", lines, path, "--dataset", "data", "--as", table, "--data-dir", os.path.join(folder, "tipple"), "-q"]
    if nesting is not None:
        command += ["--max-table-nesting", str(nesting)]
    subprocess.run(command, check=True)
    return path


def describe(path):
    schema = canonical.stored_tables(path, "data")
    tables, _, loads = canonical.read_dataset(path, "data", schema)
    return tables, loads


def compare(reference, ours):
    differences = []
    for name in sorted(set(reference) | set(ours)):
        if name not in ours or name not in reference:
            differences.append(f"table {name}: only with {'dlt' if name in reference else 'tipple'}")
            continue
        a, b = reference[name], ours[name]
        if a["columns"] != b["columns"]:
            differences.append(f"table {name}: columns\n    dlt    {a['columns']}\n    tipple {b['columns']}")
        if len(a["rows"]) != len(b["rows"]):
            differences.append(f"table {name}: {len(a['rows'])} rows with dlt, {len(b['rows'])} with tipple")
            continue
        shown = 0
        for i, (x, y) in enumerate(zip(a["rows"], b["rows"])):
            if json.dumps(x) != json.dumps(y):
                differences.append(f"table {name}, row {i + 1}:\n    dlt    {x}\n    tipple {y}")
                shown += 1
                if shown == 3:
                    break
    return differences


def compare_file(path, arguments, folder):
    records = read_records(path, arguments.select, arguments.values)[: arguments.limit]
    lines = os.path.join(folder, "records.jsonl")
    with open(lines, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    reference_tables, _ = describe(load_with_dlt(records, arguments.table, arguments.max_table_nesting, folder))
    tables, _ = describe(load_with_tipple(arguments.tipple, lines, arguments.table, arguments.max_table_nesting, folder))
    differences = compare(reference_tables, tables)
    for difference in differences:
        print(difference)
    rows = sum(len(table["rows"]) for table in tables.values())
    values = sum(len(table["rows"]) * len(table["columns"]) for table in tables.values())
    print(f"{path}: {len(tables)} tables, {rows} rows, {values} values, {len(differences)} differences", flush=True)
    return len(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--select")
    parser.add_argument("--values", action="store_true")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--table", default="t")
    parser.add_argument("--max-table-nesting", type=int)
    parser.add_argument("--tipple", default=os.environ.get("TIPPLE_BIN", "build/release/bin/tipple"))
    arguments = parser.parse_args()
    base = reference.start_dlt()
    try:
        found = 0
        for path in arguments.files:
            folder = tempfile.mkdtemp(dir=base)
            found += compare_file(path, arguments, folder)
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{len(arguments.files)} files, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
