#!/usr/bin/env python3
"""Fills in what tipple does with cases of our own: the tables after each run, or that it ends with an error. Look at the result before it is kept.

    own_case.py [--golden PATH] CASE...

A case is a file as in tests/golden/README.md without `expect`, or with an older one. An error that was expected before keeps its `contains`.
Needs the packages of tests/requirements.txt.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import canonical
from case_format import dump_case


def run(golden, case, base):
    """The tables after the last run of the case, and the error of that run or None."""
    name = case["name"]
    folder = os.path.join(base, "cases")
    os.makedirs(folder, exist_ok=True)
    dump_case(case, os.path.join(folder, name + ".json"))
    kept = tempfile.mkdtemp(dir=base)
    done = subprocess.run([golden, folder], capture_output=True, text=True, env={**os.environ, "TIPPLE_GOLDEN_KEEP": kept})
    error = next((line.split("got error: ", 1)[1] for line in done.stdout.splitlines() if "got error: " in line), None)
    database = os.path.join(kept, name, "golden.duckdb")
    if not os.path.exists(database):
        return {}, error
    dataset, ids = case["pipeline"]["dataset"], case.get("ids")
    tables, _, _ = canonical.read_dataset(database, dataset, canonical.stored_tables(database, dataset), True if ids == "exact" else ids)
    return tables, error


def complete(golden, case):
    expects, older = [], case.get("expect", [])
    for count in range(1, len(case["runs"]) + 1):
        passed = [{"tables": None, "error": entry["error"]} for entry in expects]
        part = {**case, "runs": case["runs"][:count], "expect": [*passed, {"tables": None, "error": None}]}
        with tempfile.TemporaryDirectory() as base:
            tables, error = run(golden, part, base)
        entry = {"tables": tables, "error": None}
        if error is not None:
            before = older[count - 1]["error"] if count <= len(older) else None
            entry["error"] = {"contains": before["contains"] if before else []}
            print(f"{case['name']}, run {count}: {error}")
        expects.append(entry)
    return {**case, "expect": expects}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", default=os.environ.get("TIPPLE_GOLDEN", "build/release/bin/golden"))
    parser.add_argument("cases", nargs="+")
    arguments = parser.parse_args()
    for path in arguments.cases:
        with open(path, encoding="utf-8") as file:
            case = json.load(file)
        dump_case(complete(os.path.abspath(arguments.golden), case), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
