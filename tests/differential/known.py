"""What docs/known-differences.md lists, as far as random cases could run into it: such inputs are changed before the case is run."""
import importlib
import json

from case_format import READERS

CARRIERS = {chr(0xF026 + k) for k in range(8)}


def naming_of(pipeline):
    name = pipeline.get("naming", "snake_case")
    return importlib.import_module(f"dlt.common.normalizers.naming.{name}").NamingConvention(pipeline.get("max_identifier_length"))


class RecordWalk:
    """Removes from records what two loaders are known to treat differently where names meet.

    - A null under a name that another key of the record has too: the null wins in dlt.
    - Lists of different places that become one table: doubled ids, or rows of two parents in one table.
    - A list under a key without a name.
    """

    def __init__(self, naming, tables):
        self.naming = naming
        self.tables = tables

    def key_name(self, key):
        if not key.strip():
            return "_empty"
        try:
            return self.naming.normalize_path(key)
        except ValueError:
            return None

    def record(self, record, table):
        """Changes one row's record in place and goes down into its lists."""
        scalars, lists, empty, objects = {}, {}, [], []
        self.collect(record, (), scalars, lists, empty, objects)
        # Where no level is left, objects and lists are values too.
        whole = {self.naming.shorten_fragments(*path) for path in [*lists, *objects]}
        for name, places in scalars.items():
            if len(places) > 1 or name in whole:
                for holder, key in places:
                    if holder.get(key, 0) is None:
                        del holder[key]
        for holder, key in empty:
            del holder[key]
        for path, places in lists.items():
            child = self.naming.shorten_fragments(*table, *path)
            owner = self.tables.setdefault(child, (table, path))
            if owner != (table, path):
                for holder, key in places:
                    del holder[key]
                continue
            for holder, key in places:
                self.elements(holder[key], (*table, *path))

    def elements(self, elements, table):
        for element in elements:
            if isinstance(element, dict):
                self.record(element, table)
            elif isinstance(element, list):
                self.record({"list": element}, table)

    def collect(self, record, path, scalars, lists, empty, objects):
        for key, value in record.items():
            name = self.key_name(key)
            if name is None or not name and not isinstance(value, dict):
                empty.append((record, key))
            elif isinstance(value, list) and not key.strip():
                empty.append((record, key))
            elif isinstance(value, list):
                lists.setdefault((*path, name), []).append((record, key))
            elif isinstance(value, dict) and not is_typed(value):
                objects.append((*path, name))
                self.collect(value, (*path, name), scalars, lists, empty, objects)
            else:
                scalars.setdefault(self.naming.shorten_fragments(*path, name), []).append((record, key))


def is_typed(value):
    return len(value) == 1 and next(iter(value)) in READERS


# From here on dlt writes a number into a decimal column as 1E+16, which DuckDB takes for a double: other digits are loaded.
EXACT_DOUBLE_MAX = 1e15


def has_decimals(case):
    text = json.dumps(case)
    return any(f'"{word}"' in text for word in ("$decimal", "$wei", "decimal", "wei"))


def without_large_doubles(value):
    if isinstance(value, dict):
        return {key: without_large_doubles(member) for key, member in value.items()}
    if isinstance(value, list):
        return [without_large_doubles(member) for member in value]
    return EXACT_DOUBLE_MAX if isinstance(value, float) and abs(value) > EXACT_DOUBLE_MAX else value


def pages_of(resource):
    return [resource["data"]] if "data" in resource else resource.get("pages", [])


def generate_around(case):
    """Changes the records of a case in place, see RecordWalk and EXACT_DOUBLE_MAX."""
    naming = naming_of(case["pipeline"])
    tables = {}
    for run in case["runs"]:
        for resource in run.get("resources", []):
            table = naming.normalize_tables_path(resource["name"])
            tables.setdefault(table, None)
            walk = RecordWalk(naming, tables)
            for page in pages_of(resource):
                for record in page:
                    if isinstance(record, dict) and not is_typed(record):
                        walk.record(record, (table,))
    if has_decimals(case):
        case["runs"] = without_large_doubles(case["runs"])


def is_known(expect):
    """Whether a run of dlt ended in a way that tipple does not share: at a number too far from 1970 for the C library, at a table whose name is
    none for a file, or in the database at a value that does not fit its column."""
    error = expect["error"]
    return error is not None and (error["kind"] in ("OSError", "OverflowError", "InvalidCharError") or error["kind"].startswith("LoadClientJob"))


def forget_versions(made):
    """Versions that dlt counts in its working folder only: the limit of a resource makes another document and then, with rows, the one that
    the destination has already, so that nothing is stored there."""
    limited = False
    for run, expect in zip(made["runs"], made["expect"]):
        limited = limited or any("max_table_nesting" in resource for resource in run.get("resources", []))
        if limited and run is not made["runs"][0]:
            expect.pop("schema_version", None)


def carries_hashes(state):
    """Whether a cursor remembers several records: dlt stores them in an order that changes, and takes that for a change of the state."""
    cursors = [cursor for resource in state.get("resources", {}).values() for cursor in (resource or {}).get("incremental", {}).values()]
    return any(len(cursor.get("unique_hashes", [])) > 1 for cursor in cursors)


def comparable_runs(expects):
    """How many runs may be compared. A run that loads nothing changes the schema in dlt's working folder; tipple keeps it at the destination
    only, with the next load. A load without rows may be one of hashes in another order. A schema that becomes again what it was before the last
    change is stored again by tipple only, see known differences."""
    schemas = []
    before = {"loads": 0, "schema": {}, "schema_version": None, "tables": {}, "state": {}}
    for number, expect in enumerate(expects):
        has_changed = expect["schema"] != before["schema"] or expect.get("schema_version") != before.get("schema_version")
        if expect["schema"] != before["schema"] and expect["schema"] in schemas:
            return number
        schemas.append(expect["schema"])
        if is_known(expect) or expect["error"] is None and expect["loads"] == before["loads"] and has_changed:
            return number
        is_same = expect["tables"] == before["tables"] and expect["state"] == before["state"]
        if is_same and expect["error"] is None and expect["loads"] > before["loads"] and carries_hashes(expect["state"]):
            return number
        before = expect
    return len(expects)
