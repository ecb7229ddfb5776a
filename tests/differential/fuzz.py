#!/usr/bin/env python3
"""Random cases through the reference (dlt) and through tipple; every difference is shrunk and written as a case of its own.

    fuzz.py [--seed N] [--cases N] [--seconds S] [--focus FOCUS] [--golden PATH] [--out FOLDER] [--keep FOLDER]

FOCUS is one of nested, types, names, hints, contracts, merge, loads, cursors, all. A case is named after its seed: `fuzz.py --seed 7 --focus
names --cases 1` makes it again. `--keep` writes all cases with what dlt made of them. Needs dlt[duckdb] and pytz in the Python that runs it.
"""
import argparse
import collections
import copy
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time

import known
import reference
from case_format import dump_case
from case_maker import FOCUSES, make_case
from shrink import shrink

BATCH = 24
# When neither cases nor seconds are given.
SECONDS = 60
# Differences of one kind are mostly one defect: so many of each are shrunk, of the others one line is shown.
SHRUNK_PER_KIND = 2


class Golden:
    """The runner of golden cases as a child: a folder per call."""

    def __init__(self, path, base):
        self.path = os.path.abspath(path)
        self.base = base

    def run(self, cases):
        """Name -> lines of differences, of the cases that differ."""
        folder = os.path.join(self.base, "cases")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for case in cases:
            dump_case(case, os.path.join(folder, case["name"] + ".json"))
        done = subprocess.run([self.path, folder], capture_output=True, text=True, env={**os.environ, "TMPDIR": self.base}, errors="replace")
        failed, name = {}, None
        for line in done.stdout.splitlines():
            if line.startswith("FAILED "):
                name = line[len("FAILED "):]
                failed[name] = []
            elif name and line.startswith("    "):
                failed[name].append(line.strip())
        if not re.search(r"\d+ passed, \d+ failed", done.stdout):
            raise RuntimeError(f"{self.path} ended with {done.returncode}: {done.stderr[-2000:]}")
        return failed


def kind_of(lines):
    """What sort of difference it is, without names and numbers: shrinking keeps to it."""
    first = lines[0] if lines else ""
    first = re.sub(r"^run \d+:? ?", "", first)
    word = re.match(r"(tables|schema_version|schema|state|system|loads)?", first).group(0)
    if word:
        return word + (" columns" if ".columns" in first else " rows" if ".rows" in first else "")
    return re.sub(r"[\"'`].*|\d+", "", first)[:40]


def complete(case, base):
    """The case with `expect`. Runs behind a failed load are left out, since what is there then depends on timing in dlt, and those of known.py."""
    made = reference.complete(case, base, stop_after_failed_load=True)
    count = known.comparable_runs(made["expect"])
    known.forget_versions(made)
    return {**made, "runs": made["runs"][:count], "expect": made["expect"][:count]}


class Fuzzer:
    def __init__(self, golden, base, out, keep):
        self.golden, self.base, self.out, self.keep = golden, base, out, keep
        self.count = self.runs = self.errors = self.found = 0
        self.kinds = collections.Counter()

    def differs(self, case):
        try:
            made = complete(case, self.base)
        except Exception:
            return None
        if len(made["runs"]) < len(case["runs"]):
            return None
        failed = self.golden.run([made])
        return kind_of(failed[case["name"]]) if failed else None

    def batch(self, cases):
        made = []
        for case in cases:
            made.append(complete(case, self.base))
            if not made[-1]["runs"]:
                made.pop()
                continue
            self.count += 1
            self.runs += len(made[-1]["runs"])
            self.errors += sum(entry["error"] is not None for entry in made[-1]["expect"])
            if self.keep:
                dump_case(made[-1], os.path.join(self.keep, case["name"] + ".json"))
        for name, lines in self.golden.run(made).items():
            self.report(next(case for case in made if case["name"] == name), lines)

    def report(self, case, lines):
        self.found += 1
        kind = kind_of(lines)
        self.kinds[kind] += 1
        if self.kinds[kind] > SHRUNK_PER_KIND:
            print(f"DIFFERS {case['name']}: {lines[0][:300]}", flush=True)
            return
        print(f"DIFFERS {case['name']}: {kind}", *(line[:700] for line in lines[:4]), sep="\n    ", flush=True)
        bare = copy.deepcopy({key: value for key, value in case.items() if key not in ("expect", "made_with")})
        small = shrink(bare, lambda candidate: self.differs(candidate) == kind)
        made = complete(small, self.base)
        path = os.path.join(self.out, case["name"] + ".json")
        dump_case(made, path)
        print(f"  smallest: {path}", flush=True)
        for run in small["runs"]:
            print("   ", json.dumps({"pipeline": small["pipeline"], **run}, ensure_ascii=False)[:1500])
        for line in self.golden.run([made]).get(case["name"], [])[:4]:
            print("     ", line[:900])
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--focus", default="all", choices=[*FOCUSES, "all"])
    parser.add_argument("--golden", default=os.environ.get("TIPPLE_GOLDEN", "build/release/bin/golden"))
    parser.add_argument("--out", default="fuzz-found")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    for folder in (arguments.out, arguments.keep):
        if folder:
            os.makedirs(folder, exist_ok=True)
    base = reference.start_dlt()
    print(f"seeds from {arguments.seed}, focus {arguments.focus}", flush=True)
    fuzzer = Fuzzer(Golden(arguments.golden, base), base, os.path.abspath(arguments.out), arguments.keep)
    seeds = itertools.islice(itertools.count(arguments.seed), arguments.cases)
    seconds = arguments.seconds or (SECONDS if arguments.cases is None else math.inf)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            cases = [make_case(seed, arguments.focus) for seed, _ in zip(seeds, range(BATCH))]
            if not cases:
                break
            fuzzer.batch(cases)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{fuzzer.count} cases, {fuzzer.runs} runs ({fuzzer.errors} of them errors), {fuzzer.found} differences")
    return 1 if fuzzer.found else 0


if __name__ == "__main__":
    sys.exit(main())
