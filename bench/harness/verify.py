"""Compares a database with a check file: `verify.py DATABASE SCHEMA LAYOUT CHECK_FILE`. Prints a JSON list of what is wrong.

LAYOUT says how a load lies in the database:
  tables   a table per list, objects flattened: t, t__payload__commits, columns a__b
  structs  one table t, objects as structs, lists as lists
  loose    one table t, objects and lists as JSON in their columns or all of a record in a column `data`; only the root's values are compared
  none     there must be no table at all: the load was refused
"""
import json
import sys

import duckdb


def quoted(*names):
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


class Tables:
    def __init__(self, connection, schema):
        self.schema = schema

    def name(self, table):
        return "__".join(["t", *(key for path in table for key in path)])

    def source(self, table):
        return quoted(self.schema, self.name(table))

    def column(self, table, path):
        return quoted("__".join(path) or "value")

    def unexpected(self, connection, tables):
        found = {name for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? AND NOT starts_with(table_name, '_dlt_')", [self.schema]).fetchall()}
        return [f"table {name} should not be there" for name in sorted(found - {self.name(table) for table in tables})]


class Structs:
    def __init__(self, connection, schema):
        self.schema = schema

    def source(self, table):
        if not table:
            return quoted(self.schema, "t")
        above, path = table[:-1], table[-1]
        return f"(SELECT unnest({self.column(above, path)}) AS v FROM {self.source(above)})"

    def column(self, table, path):
        return quoted(*(["v"] if table else []), *path)

    def unexpected(self, connection, tables):
        return []


class Loose:
    def __init__(self, connection, schema):
        self.schema = schema
        self.columns = {name for (name,) in connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = 't'", [schema]).fetchall()}

    def source(self, table):
        return quoted(self.schema, "t") if not table else ""

    def column(self, table, path):
        if path[0] in self.columns:
            return quoted(path[0]) if len(path) == 1 else f"json_extract_string({quoted(path[0])}::JSON, '$.{'.'.join(path[1:])}')"
        return f"json_extract_string(data::JSON, '$.{'.'.join(path)}')"

    def unexpected(self, connection, tables):
        return []


MEASURES = {
    "sum": "sum({})",
    "bytes": "sum(strlen({}))",
    "epoch_ms": "sum(epoch_ms({}))",
}
LOOSE_MEASURES = {
    "sum": "sum(try_cast({} AS HUGEINT))",
    "bytes": "sum(strlen({}::VARCHAR))",
    "epoch_ms": "sum(epoch_ms(try_cast({} AS TIMESTAMPTZ)))",
}


def wrong_in(connection, layout, measures, check):
    """What differs in one table."""
    source = layout.source(check["table"])
    if not source:
        return []
    wanted = [("rows", check["rows"])]
    expressions = ["count(*)"]
    for column in check["columns"]:
        wanted.append((f"{column['measure']} of {'.'.join(column['path']) or 'value'}", column["value"]))
        expressions.append(f"coalesce({measures[column['measure']].format(layout.column(check['table'], column['path']))}, 0)")
    name = ".".join(key for path in check["table"] for key in path) or "root"
    try:
        found = connection.execute(f"SELECT {', '.join(expressions)} FROM {source}").fetchone()
    except duckdb.Error as error:
        return [f"{name}: {str(error).splitlines()[0]}"]
    return [f"{name}: {what} is {value}, should be {right}" for (what, right), value in zip(wanted, found) if int(value) != right]


def main():
    database, schema, layout_name, check_file = sys.argv[1:5]
    connection = duckdb.connect(database, read_only=True)
    if layout_name == "none":
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return [f"table {name} should not be there" for (name,) in names]
    with open(check_file) as file:
        tables = json.load(file)["tables"]
    layout = {"tables": Tables, "structs": Structs, "loose": Loose}[layout_name](connection, schema)
    wrong = layout.unexpected(connection, [check["table"] for check in tables])
    for check in tables:
        wrong += wrong_in(connection, layout, LOOSE_MEASURES if layout_name == "loose" else MEASURES, check)
    return wrong


print(json.dumps(main()))
