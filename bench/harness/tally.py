"""What a correct load of a data set holds: counted while the data is made, compared with every result."""
import json
import os
from collections import Counter


class Tally:
    """Counts rows and adds up integers of nested records, per table.

    A table is named by the lists that lead to it, a tuple of paths: () is the root, (("payload", "commits"),) a list below it. A column is a path
    below its table's rows; () is the row itself, for lists of scalars.
    """

    def __init__(self, texts=()):
        self.texts = frozenset(texts)  # last keys of the columns whose bytes are counted
        self.rows = Counter()
        self.values = Counter()

    @property
    def records(self):
        return self.rows[()]

    def add(self, record):
        self.rows[()] += 1
        self._object((), (), record)

    def add_rows(self, count):
        self.rows[()] += count

    def add_sum(self, column, value):
        self.values[(), (column,), "sum"] += value

    def add_bytes(self, column, value):
        self.values[(), (column,), "bytes"] += value

    def add_epoch_ms(self, column, value):
        self.values[(), (column,), "epoch_ms"] += value

    def _object(self, table, column, members):
        for key, value in members.items():
            self._value(table, (*column, key), value)

    def _value(self, table, column, value):
        kind = type(value)
        if kind is int:
            self.values[table, column, "sum"] += value
        elif kind is dict:
            self._object(table, column, value)
        elif kind is list:
            below = (*table, column)
            for element in value:
                self.rows[below] += 1
                self._value(below, (), element)
        elif kind is str and (column[-1] if column else "value") in self.texts:
            self.values[table, column, "bytes"] += len(value.encode())

    def checks(self):
        """[{"table": [...], "rows": N, "columns": [{"path": [...], "measure": "sum", "value": N}, ...]}, ...]"""
        return [{"table": table, "rows": rows,
                 "columns": [{"path": path, "measure": measure, "value": value}
                             for (owner, path, measure), value in self.values.items() if owner == table]}
                for table, rows in self.rows.items() if rows]


def check_path(folder, name):
    return f"{folder}/{name}.check.json"


def write_check(folder, name, records, files, tables, seed=None):
    """Written last: a data set is complete when its check file is there and knows the file's size."""
    known = read_check(folder, name)
    sizes = known["files"] if known and known["tables"] == json.loads(json.dumps(tables)) else {}
    sizes |= {file: os.path.getsize(f"{folder}/{file}") for file in files}
    path = check_path(folder, name)
    with open(path + ".part", "w") as out:
        json.dump({"name": name, "seed": seed, "records": records, "files": sizes, "tables": tables}, out)
    os.replace(path + ".part", path)


def read_check(folder, name):
    try:
        with open(check_path(folder, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return None
