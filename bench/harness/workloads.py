"""What is loaded, by whom, and how good the result has to be."""
import json
import os
import subprocess
from dataclasses import dataclass, field

from harness.environment import BENCH, npm_package, python_of, say
from harness.tally import Tally, check_path, read_check, write_check

WEBHOOKS = ("@octokit/webhooks-examples", "7.6.1")


@dataclass(frozen=True)
class DataSet:
    """One file and its check file, made when they are missing."""

    name: str
    ending: str = "jsonl"

    @property
    def file(self):
        return f"{self.name}.{self.ending}"

    def ensure(self, folder):
        """Its path."""
        path = f"{folder}/{self.file}"
        check = read_check(folder, self.name)
        if not check or not os.path.exists(path) or check["files"].get(self.file) != os.path.getsize(path):
            say(f"making {self.file}")
            self.make(folder)
        return path

    def check(self, folder):
        return check_path(folder, self.name)

    def make(self, folder):
        raise NotImplementedError

    def _run_maker(self, folder, *arguments):
        subprocess.run([python_of("data"), f"{BENCH}/make_data.py", "--out", folder, *arguments], check=True, stdout=subprocess.DEVNULL)


class Nested(DataSet):
    def make(self, folder):
        self._run_maker(folder, "--nested-mb", self.name.removeprefix("nested_").removesuffix("mb"))


class Flat(DataSet):
    def make(self, folder):
        self._run_maker(folder, "--flat-rows", self.name.removeprefix("flat_"), "--formats", self.ending)


class Wide(DataSet):
    def make(self, folder):
        self._run_maker(folder, "--wide", self.name.removeprefix("wide_"))


class Webhooks(DataSet):
    """The example payloads of every GitHub webhook, as records of one file: hundreds of shapes in one table and its children."""

    def make(self, folder):
        with open(f"{npm_package(*WEBHOOKS)}/api.github.com/index.json") as file:
            events = json.load(file)
        write_records(folder, self.name, [example for event in events for example in event["examples"]], has_sums=False)


class Cursor(DataSet):
    """A million records of which all have one value of `t`, or each its own."""

    def make(self, folder):
        _, kind, rows = self.name.split("_")
        write_records(folder, self.name, ({"id": number, "t": 1_700_000_000 + (number if kind == "distinct" else 0), "name": f"customer {number}"}
                                          for number in range(int(rows))))


class CsvFiles(DataSet):
    """Many files of about 1 MB with the same columns: `csv_files_<count>`, a pattern for all of them."""

    @property
    def file(self):
        return f"{self.name}/*.csv"

    def ensure(self, folder):
        if not read_check(folder, self.name):
            say(f"making {self.file}")
            self.make(folder)
        return f"{folder}/{self.file}"

    def make(self, folder):
        os.makedirs(f"{folder}/{self.name}", exist_ok=True)
        tally = Tally(texts=("note",))
        number = 0
        for index in range(int(self.name.rsplit("_", 1)[1])):
            with open(f"{folder}/{self.name}/{index:05}.csv", "w", newline="") as file:
                file.write("id,customer,amount,placed,is_paid,note\n")
                for _ in range(14_000):
                    note = f"order {number}, with a text"
                    file.write(f'{number},customer {number % 997},{number % 10_000 / 100},2024-{number % 12 + 1:02}-{number % 28 + 1:02} 10:{number % 60:02}:00,'
                               f'{"true" if number % 3 else "false"},"{note}"\n')
                    tally.add({"id": number, "note": note})
                    number += 1
        write_check(folder, self.name, tally.records, [], tally.checks())


class Tiny(DataSet):
    """About 1 KB."""

    def make(self, folder):
        write_records(folder, self.name, [
            {"id": number, "name": f"customer {number}", "at": f"2024-01-{number + 1:02}T00:00:00Z", "price": number / 4, "tags": ["a", "b"]}
            for number in range(12)])


def write_records(folder, name, records, has_sums=True):
    tally = Tally()
    with open(f"{folder}/{name}.jsonl", "w") as file:
        for record in records:
            tally.add(record)
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    checks = tally.checks()
    if not has_sums:
        for check in checks:
            check["columns"] = []
    write_check(folder, name, tally.records, [f"{name}.jsonl"], checks)


@dataclass(frozen=True)
class Target:
    """Our `metric` must be at most `limit`, or `limit` times that of the contender `against`."""

    metric: str  # wall, cpu, peak
    limit: float
    against: str = ""


@dataclass(frozen=True)
class Workload:
    name: str
    data: DataSet
    contenders: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    arguments: tuple[str, ...] = ()     # more for `tipple load`
    command: tuple[str, ...] = ()       # instead of `tipple load`
    pipelines: int = 0                  # of the project that the command finds
    is_frozen: bool = False             # the schema is there already, and a contract freezes it
    runs: int = 0                       # other than asked for
    watches_memory: bool = True
    may_refuse: bool = False            # stopping before anything is written, with a figure, is an answer too
    recorded: dict = field(default_factory=dict)  # contender -> (wall s, CPU s, peak MiB); None = not known


def at_most(metric, limit, against=""):
    return Target(metric, limit, against)


MEMORY = at_most("peak", 512)


def nested(name, megabytes, quick_megabytes, is_quick, contenders, more_targets=(), recorded=None):
    return Workload(name, Nested(f"nested_{quick_megabytes if is_quick else megabytes}mb"), contenders,
                    (at_most("wall", 1.0, "duckdb"), at_most("cpu", 1.0, "duckdb"), at_most("cpu", 1 / 10, "dlt-tuned"), *more_targets, MEMORY),
                    recorded=recorded or {})


def flat(ending, rows, is_quick, contenders, targets, recorded=None):
    size = f"{rows // 1_000_000}m"
    quick_rows = 50_000 if rows == 1_000_000 else 100_000
    return Workload(f"flat-{ending}-{size}", Flat(f"flat_{quick_rows if is_quick else rows}", ending), contenders, (*targets, MEMORY),
                    recorded=recorded or {})


def workloads(is_quick):
    """The table of targets. Figures recorded on a quiet 2-core machine on 2026-11-24 stand in for contenders that do not take part."""
    listed = [
        nested("nested-100mb", 100, 10, is_quick, ("tipple", "duckdb", "dlt-tuned", "dlt", "ingestr", "sling"),
               (at_most("cpu", 1 / 80, "dlt"), at_most("cpu", 1 / 6, "ingestr"), at_most("cpu", 1 / 6, "sling")),
               {"duckdb": (1.2, 1.32, 303), "dlt-tuned": (13.2, 13.27, 425), "dlt": (None, 106.5, 5729), "ingestr": (5.4, 8.19, 699),
                "sling": (7.2, 8.37, 769)}),
        # dlt as installed would need about 57 GB.
        nested("nested-1gb", 1000, 20, is_quick, ("tipple", "duckdb", "dlt-tuned", "ingestr"), (at_most("cpu", 1 / 6, "ingestr"),),
               {"duckdb": (4.9, 7.98, 659), "dlt-tuned": (None, 124.2, 686), "ingestr": (None, 76.3, 2866)}),
        Workload("nested-5gb", Nested("nested_30mb" if is_quick else "nested_5000mb"), ("tipple",), (MEMORY,)),
    ]
    flat_json = (at_most("cpu", 0.8, "duckdb"), at_most("wall", 1.0, "duckdb"))
    arrow_peers = (at_most("cpu", 1.0, "ingestr"), at_most("cpu", 1.0, "dlt-arrow"))
    csv = (at_most("wall", 1.4, "duckdb"), *arrow_peers)
    parquet = (at_most("wall", 1.25, "duckdb"), *arrow_peers)
    tables = ("tipple", "duckdb", "dlt-arrow", "ingestr", "sling")
    listed += [
        flat("jsonl", 1_000_000, is_quick, ("tipple", "duckdb", "dlt-tuned", "dlt", "ingestr", "sling"), flat_json,
             {"duckdb": (None, 1.55, 265), "dlt-tuned": (14.1, 22.6, 362), "dlt": (None, 192.7, 3327), "ingestr": (None, 31.1, 316), "sling": (None, 19.35, 790)}),
        flat("jsonl", 10_000_000, is_quick, ("tipple", "duckdb"), flat_json),
        flat("csv", 1_000_000, is_quick, tables, csv, {"dlt-arrow": (2.8, 3.12, 512), "ingestr": (4.7, 6.69, 438), "sling": (None, 17.7, 602)}),
        flat("csv", 10_000_000, is_quick, ("tipple", "duckdb", "dlt-arrow"), csv),
        flat("parquet", 1_000_000, is_quick, tables, parquet,
             {"dlt-arrow": (2.1, 2.51, 514), "ingestr": (1.1, 1.48, 457), "sling": (None, 27.1, 540)}),
        flat("parquet", 10_000_000, is_quick, ("tipple", "duckdb", "dlt-arrow", "ingestr"), parquet,
             {"dlt-arrow": (9.8, 13.05, 1183), "ingestr": (7.3, 11.22, 746)}),
    ]
    listed.append(Workload("csv-files", CsvFiles("csv_files_20" if is_quick else "csv_files_1000"), ("tipple", "duckdb", "dlt-files", "dlt-files-arrow"),
                           (at_most("cpu", 1 / 5, "dlt-files"), at_most("cpu", 1 / 3, "dlt-files-arrow"), MEMORY)))
    # What the schema can do beside growing: kinds of values are kept apart until all is read; nothing may be new.
    listed += [Workload(f"{one.name}-{variant}", one.data, ("tipple",), (MEMORY,), arguments=arguments, is_frozen=variant == "frozen")
               for one in listed if one.name in ("nested-100mb", "flat-jsonl-1m") for variant, arguments in (("widen", ("--widen",)), ("frozen", ("--contract", "freeze")))]
    # The budget is really enforced: the same loads within half of it.
    listed += [Workload(f"{one.name}-256mib", one.data, ("tipple",), (at_most("peak", 256),), arguments=("--memory", "256MiB"))
               for one in listed if not one.name.endswith(("-1m", "-widen", "-frozen"))]
    # What is remembered of a crowd at the cursor's last value: by key, and as whole records. The same with distinct values is what it is to be compared with.
    cursor_rows = 50_000 if is_quick else 1_000_000
    listed += [Workload(f"cursor-{kind}{'-key' if arguments else ''}", Cursor(f"cursor_{kind}_{cursor_rows}"), ("tipple",), (MEMORY,),
                        arguments=("--cursor", "t", *arguments))
               for kind in ("distinct", "crowd") for arguments in ((), ("--key", "id"))]
    rows = 2_000 if is_quick else 150_000
    # The engine's own reader takes very long for the wider ones, and no target compares with it.
    listed += [Workload(f"wide-{columns}", Wide(f"wide_{columns}x{rows}"), ("tipple", "duckdb") if columns == 500 else ("tipple",), (MEMORY,),
                        may_refuse=True) for columns in (500, 1_000, 3_000)]
    listed += [
        Workload("start-version", Tiny("tiny"), ("tipple",), (at_most("wall", 0.015),), command=("--version",), runs=20, watches_memory=False),
        Workload("start-list", Tiny("tiny"), ("tipple",), (at_most("wall", 0.030),), command=("list",), pipelines=100, runs=20, watches_memory=False),
        Workload("start-load", Tiny("tiny"), ("tipple", "duckdb"), (at_most("wall", 0.060),), runs=20, watches_memory=False),
        Workload("webhooks", Webhooks("webhooks"), ("tipple", "dlt"), (at_most("wall", 1.0),), recorded={"dlt": (24.0, None, None)}),
    ]
    return listed
