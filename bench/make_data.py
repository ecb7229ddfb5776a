#!/usr/bin/env python3
"""Makes benchmark data. Same arguments and library versions, same bytes.

    make_data.py --out DIR [--seed 7] [--nested-mb 100] [--flat-rows 1000000] [--formats jsonl,csv,parquet] [--wide 500x150000]

Writes what the flags ask for:
  nested_<MB>mb.jsonl              shape of GitHub events: about 1.5 KB a record, 4 levels, one list of objects (0 to 5), two lists of scalars
                                   (0 to 3), objects and values that are sometimes missing or null, escapes, UTF-8
  flat_<rows>.{jsonl,csv,parquet}  10 fields: 3 integers, timestamp, 2 doubles, bool, 3 texts; `id` is 0 to rows - 1
  wide_<columns>x<rows>.jsonl      integers and short texts in turn: c0000, c0001, ...
and beside each set NAME.check.json, what a correct load of it holds: rows per table, sums of integers, bytes of texts.
Needs numpy, orjson and pyarrow; bench/run has an environment with them.
"""
import argparse
import os
import time

import numpy as np
import orjson
from harness.tally import Tally, write_check

EPOCH = np.datetime64("2024-01-01T00:00:00", "ms")
WORDS = ("fix add remove refactor loader schema état naïve 日本語 \"quoted\" back\\slash tab\there line\nbreak "
         "emoji🚀 parser merge cursor façade Ünïcode release build docs test deploy rollback cache index table").split(" ")
TYPES = ["PushEvent", "PullRequestEvent", "IssuesEvent", "WatchEvent", "ForkEvent", "CreateEvent"]
API = "https://api.example.com"


def iso(ms):
    return np.datetime_as_string(EPOCH + ms.astype("timedelta64[ms]"), unit="ms")


class NestedDraws:
    """The random numbers behind one block of records, drawn together because that is fast."""

    def __init__(self, rng, size):
        self.ints = rng.integers(0, 1 << 31, size=(size, 12)).tolist()
        self.floats = rng.random((size, 4)).tolist()
        self.created = iso(rng.integers(0, 86_400_000 * 365, size)).tolist()
        self.merged = iso(rng.integers(0, 86_400_000 * 365, size)).tolist()
        self.commits = rng.integers(0, 6, size).tolist()
        self.labels = rng.integers(0, 4, size).tolist()
        self.reviewers = rng.integers(0, 4, size).tolist()
        self.optional = rng.random((size, 4)).tolist()
        self.words = rng.integers(0, len(WORDS), size=(size, 64)).tolist()
        self.hashes = rng.integers(0, 1 << 62, size=(size, 8)).tolist()

    def record(self, number, at):
        i, f, h, words = self.ints[at], self.floats[at], self.hashes[at], self.words[at]

        def say(first, end):
            return " ".join(WORDS[x] for x in words[first:end])

        login = f"user-{i[0] % 200000}"
        repo = f"org-{i[1] % 5000}/repo-{i[2] % 50000}"
        record = {
            "id": number, "event_id": f"{h[0]:016x}", "type": TYPES[i[3] % 6], "public": bool(i[4] & 1),
            "created_at": self.created[at] + "Z", "score": round(f[0] * 100, 6),
            "actor": {"id": i[0] % 200000, "login": login, "display_login": login, "gravatar_id": "", "url": f"{API}/users/{login}",
                      "avatar_url": f"https://avatars.example.com/u/{i[0] % 200000}?v=4"},
            "repo": {"id": i[2] % 50000, "name": repo, "url": f"{API}/repos/{repo}",
                     "owner": {"id": i[1] % 5000, "type": "Organization",
                               "plan": {"name": "team" if i[5] & 1 else "free", "seats": i[5] % 500}}},
            "payload": {"push_id": h[1], "size": self.commits[at], "ref": f"refs/heads/{WORDS[words[63]]}-{i[6] % 100}",
                        "head": f"{h[2]:016x}{h[3]:016x}", "before": f"{h[4]:016x}{h[5]:016x}",
                        "stats": {"additions": i[7] % 5000, "deletions": i[8] % 3000, "ratio": round(f[1], 9),
                                  "ci": {"ok": bool(i[9] & 1), "seconds": f[2] * 900}},
                        "commits": [{"sha": f"{h[6] + c:016x}{h[7] + c:016x}", "message": say(c * 8, c * 8 + 8),
                                     "distinct": bool((i[10] >> c) & 1), "author": {"name": login, "email": f"{login}@example.com"},
                                     "files_changed": (i[11] >> c) % 40} for c in range(self.commits[at])]},
            "labels": [WORDS[x] for x in words[50:50 + self.labels[at]]],
            "reviewer_ids": [x % 100000 for x in i[0:self.reviewers[at]]],
            "title": say(40, 50),
        }
        has = self.optional[at]
        if has[0] < 0.4:
            org = i[1] % 5000
            record["org"] = {"id": org, "login": f"org-{org}", "url": f"{API}/orgs/org-{org}"}
        if has[1] < 0.25:
            record["payload"]["pull_request"] = {
                "number": i[6] % 90000, "state": "open" if i[7] & 1 else "closed", "title": say(20, 30),
                "merged_at": self.merged[at] + "Z" if i[8] & 1 else None, "base": {"ref": "main", "sha": f"{h[5]:016x}"}}
        if has[2] < 0.1:
            record["geo"] = {"lat": round(f[3] * 180 - 90, 7), "lon": round(f[0] * 360 - 180, 7)}
        if has[3] < 0.3:
            record["note"] = None if has[3] < 0.1 else say(0, 5)
        return record


def make_nested(folder, megabytes, seed):
    """Records until the file has `megabytes` million bytes."""
    name = f"nested_{megabytes}mb"
    rng = np.random.default_rng(seed)
    tally = Tally(texts={"title", "message", "value"})
    written, block = 0, 4000
    with NewFile(f"{folder}/{name}.jsonl") as file:
        while written < megabytes * 1_000_000:
            draws = NestedDraws(rng, block)
            lines = []
            for at in range(block):
                record = draws.record(tally.records, at)
                tally.add(record)
                lines.append(orjson.dumps(record))
                written += len(lines[-1]) + 1
                if written >= megabytes * 1_000_000:
                    break
            file.write(b"\n".join(lines) + b"\n")
    write_check(folder, name, tally.records, [f"{name}.jsonl"], tally.checks(), seed)


def flat_columns(ids, rng):
    count = len(ids)
    name = np.char.add("customer-", (ids * 7919 % 100003).astype(str))
    code = np.char.add(np.char.add("SKU-", rng.integers(0, 5000, count).astype(str)), "-x")
    notes = np.array([" ".join(WORDS[word] if WORDS[word].isalnum() else "plain" for word in row)
                      for row in rng.integers(0, len(WORDS), size=(1024, 4))])
    return {
        "id": ids, "account": rng.integers(0, 1 << 40, count), "qty": rng.integers(0, 1000, count),
        "updated_at": ids % 31_000_000_000, "price": np.round(rng.random(count) * 1000, 4), "ratio": rng.random(count),
        "active": rng.random(count) < 0.7, "name": name, "code": code, "note": notes[rng.integers(0, 1024, count)],
    }


class FlatWriter:
    """Writes the same rows in each of the formats."""

    def __init__(self, folder, name, formats):
        self.files = {ending: NewFile(f"{folder}/{name}.{ending}") for ending in formats}
        self.csv = self.parquet = None

    def write(self, columns):
        import pyarrow as pa
        import pyarrow.csv as pc
        import pyarrow.parquet as pq
        times = iso(columns["updated_at"])
        zoned = [text + "Z" for text in times.tolist()]
        arrays = {key: pa.array(values.tolist() if values.dtype.kind == "U" else values) for key, values in columns.items()}
        arrays["updated_at"] = (pa.array(times.astype("datetime64[ms]"), pa.timestamp("ms")).cast(pa.timestamp("us"))
                                .cast(pa.timestamp("us", "UTC")))
        if "jsonl" in self.files:
            rows = zip(*(zoned if key == "updated_at" else values.tolist() for key, values in columns.items()))
            self.files["jsonl"].write(b"\n".join(orjson.dumps(dict(zip(columns, row))) for row in rows) + b"\n")
        if "csv" in self.files:
            table = pa.table(arrays | {"updated_at": pa.array(zoned)})
            self.csv = self.csv or pc.CSVWriter(self.files["csv"], table.schema, write_options=pc.WriteOptions(quoting_style="needed"))
            self.csv.write_table(table)
        if "parquet" in self.files:
            table = pa.table(arrays)
            self.parquet = self.parquet or pq.ParquetWriter(self.files["parquet"], table.schema, compression="snappy")
            self.parquet.write_table(table, row_group_size=122_880)

    def close(self):
        for writer in (self.csv, self.parquet, *self.files.values()):
            if writer:
                writer.close()


def make_flat(folder, rows, seed, formats, block=245_760):
    name = f"flat_{rows}"
    rng = np.random.default_rng(seed)
    tally = Tally()
    writer = FlatWriter(folder, name, formats)
    for first in range(0, rows, block):
        columns = flat_columns(np.arange(first, min(rows, first + block), dtype=np.int64), rng)
        writer.write(columns)
        for key in ("id", "account", "qty"):
            tally.add_sum(key, int(columns[key].sum()))
        tally.add_epoch_ms("updated_at", int(columns["updated_at"].sum()) + int(EPOCH.astype(np.int64)) * len(columns["id"]))
        tally.add_bytes("note", sum(len(text.encode()) for text in columns["note"].tolist()))
        tally.add_rows(len(columns["id"]))
    writer.close()
    write_check(folder, name, rows, [f"{name}.{ending}" for ending in formats], tally.checks(), seed)


def make_wide(folder, columns, rows, seed, block=1_000):
    """Every other column is text: so wide that what matters is how much a writer keeps open per column."""
    name = f"wide_{columns}x{rows}"
    rng = np.random.default_rng(seed)
    vocabulary = [f"{number:x}" for number in rng.integers(0, 1 << 24, 4096).tolist()]
    lengths = np.array([len(text) for text in vocabulary])
    names = [f"c{index:04}" for index in range(columns)]
    template = "{" + ",".join(f'"{key}":' + ('"%s"' if index % 2 else "%d") for index, key in enumerate(names)) + "}\n"
    integer_count, text_count = (columns + 1) // 2, columns // 2
    sums, text_bytes = np.zeros(integer_count, np.int64), np.zeros(text_count, np.int64)
    with NewFile(f"{folder}/{name}.jsonl") as file:
        for first in range(0, rows, block):
            size = min(block, rows - first)
            integers = rng.integers(0, 100_000, size=(size, integer_count))
            texts = rng.integers(0, len(vocabulary), size=(size, text_count))
            sums += integers.sum(axis=0)
            text_bytes += lengths[texts].sum(axis=0)
            row = [None] * columns
            lines = []
            for row[0::2], indexes in zip(integers.tolist(), texts.tolist()):
                row[1::2] = [vocabulary[index] for index in indexes]
                lines.append(template % tuple(row))
            file.write("".join(lines).encode())
    tally = Tally()
    tally.add_rows(rows)
    for key, total in zip(names[0::2], sums.tolist()):
        tally.add_sum(key, total)
    for key, total in zip(names[1::2], text_bytes.tolist()):
        tally.add_bytes(key, total)
    write_check(folder, name, rows, [f"{name}.jsonl"], tally.checks(), seed)


class NewFile:
    """A file that has its name only once it is complete."""

    def __init__(self, path):
        self.path = path
        self.file = open(path + ".part", "wb", buffering=1 << 20)
        self.write = self.file.write
        self.flush = self.file.flush

    @property
    def closed(self):
        return self.file.closed

    def close(self):
        self.file.close()
        os.replace(self.path + ".part", self.path)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()
        else:
            self.file.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--nested-mb", type=int, default=0)
    parser.add_argument("--flat-rows", type=int, default=0)
    parser.add_argument("--formats", default="jsonl,csv,parquet")
    parser.add_argument("--wide", metavar="COLUMNSxROWS", default="")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    start = time.monotonic()
    if options.nested_mb:
        make_nested(options.out, options.nested_mb, options.seed)
    if options.flat_rows:
        make_flat(options.out, options.flat_rows, options.seed, options.formats.split(","))
    if options.wide:
        columns, rows = options.wide.split("x")
        make_wide(options.out, int(columns), int(rows), options.seed)
    print(f"made in {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main()
