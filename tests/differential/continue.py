#!/usr/bin/env python3
"""Each loader continues what the other began: all runs of a case but the last by one, the last by the other, from the dataset alone.

    continue.py [CASE.json...] [--golden PATH]

Without cases it takes the golden cases of several runs (tests/golden/reference) and the dataset of tests/fixtures. What must come out is what
dlt makes of its own dataset with an empty working folder. Needs dlt[duckdb] and pytz in the Python that runs it.
"""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import reference
from case_format import dump_case

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
# Counted by dlt in its working folder, which the next one does not have.
NOT_COMPARED = ("schema_version", "system")


def is_usable(case):
    if len(case["runs"]) < 2 or any(entry["error"] for entry in case["expect"]):
        return False
    return not any({"drop", "sources", "fresh_workdir", "sql"} & set(run) for run in case["runs"])


def with_fresh_end(case):
    return {**case, "runs": [*case["runs"][:-1], {**case["runs"][-1], "fresh_workdir": True}]}


def copy_database(path, copy):
    """A copy in a format that DuckDB 1.4 reads: dlt takes the newest DuckDB, tipple the one it was built with."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS source (READ_ONLY)")
    connection.execute(f"ATTACH '{copy}' AS copy (STORAGE_VERSION 'v1.4.0')")
    connection.execute("COPY FROM DATABASE source TO copy")
    connection.close()


class Continuer:
    def __init__(self, golden, base):
        self.golden, self.base = os.path.abspath(golden), base

    def run_golden(self, case, folder):
        """Runs a case that has `expect` in `folder`; the lines of differences."""
        cases = os.path.join(folder, "cases")
        os.makedirs(cases, exist_ok=True)
        dump_case(case, os.path.join(cases, case["name"] + ".json"))
        done = subprocess.run([self.golden, cases], capture_output=True, text=True, errors="replace", env={**os.environ, "TIPPLE_GOLDEN_KEEP": folder})
        if not re.search(r"\d passed", done.stdout):
            return [done.stdout + done.stderr]
        return [line.strip() for line in done.stdout.splitlines() if line.startswith("    ")]

    def dlt_by_itself(self, case, folder):
        """`expect` of all runs, and a copy of the database as it was before the last."""
        run = reference.CaseRun(case, folder)
        expects = [run.step(entry) for entry in case["runs"][:-1]]
        before = os.path.join(folder, "before.duckdb")
        copy_database(run.database, before)
        return [*expects, run.step(case["runs"][-1])], before

    def check(self, case):
        case = with_fresh_end({key: value for key, value in case.items() if key != "expect"})
        folder = os.path.join(self.base, case["name"])
        os.makedirs(folder)
        expects, before = self.dlt_by_itself(case, folder)
        lines = [f"dlt after tipple: {line}" for line in self.dlt_after_tipple(case, expects, folder)]
        lines += [f"tipple after dlt: {line}" for line in self.tipple_after_dlt(case, expects, before, folder)]
        shutil.rmtree(folder)
        return lines

    def dlt_after_tipple(self, case, expects, folder):
        begun = {**case, "runs": case["runs"][:-1], "expect": expects[:-1]}
        place = os.path.join(folder, "dlt-after-tipple")
        lines = self.run_golden(begun, place)
        if lines:
            return [f"the first runs differ: {line}" for line in lines[:2]]
        shutil.copy(os.path.join(place, case["name"], "golden.duckdb"), os.path.join(place, "reference.duckdb"))
        made = reference.CaseRun(case, place).step(case["runs"][-1])
        if made["error"]:
            return [f"error {made['error']}"]
        chosen = [{key: value for key, value in entry.items() if key not in NOT_COMPARED} for entry in (expects[-1], made)]
        return reference.differences(chosen[:1], chosen[1:])

    def tipple_after_dlt(self, case, expects, before, folder):
        place = os.path.join(folder, "tipple-after-dlt")
        os.makedirs(os.path.join(place, case["name"]))
        shutil.copy(before, os.path.join(place, case["name"], "golden.duckdb"))
        expect = {key: value for key, value in expects[-1].items() if key != "schema_version"}
        return self.run_golden({**case, "runs": case["runs"][-1:], "expect": [expect]}, place)


def fixture_case():
    path = os.path.join(ROOT, "..", "fixtures", "dlt-1.31.expect.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    pipeline = document.get("pipeline", {"name": "shop_pipeline", "dataset": "shop_data", "schema": "shop"})
    return [{"name": "fixture", "pipeline": pipeline, "runs": [*document["first_runs"], document["next_run"]], "expect": []}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--golden", default=os.environ.get("TIPPLE_GOLDEN", "build/release/bin/golden"))
    arguments = parser.parse_args()
    cases = [] if arguments.cases else fixture_case()
    for path in arguments.cases or sorted(glob.glob(os.path.join(ROOT, "reference", "*.json"))):
        with open(path, encoding="utf-8") as file:
            case = json.load(file)
        if is_usable(case):
            cases.append(case)
    base = reference.start_dlt()
    failed = 0
    try:
        continuer = Continuer(arguments.golden, base)
        for case in cases:
            lines = continuer.check(case)
            failed += bool(lines)
            if lines:
                print(f"DIFFERS {case['name']}", *(line[:600] for line in lines[:6]), sep="\n    ", flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{len(cases) - failed} of {len(cases)} cases continued by the other loader are as dlt's own")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
