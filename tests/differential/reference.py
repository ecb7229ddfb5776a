#!/usr/bin/env python3
"""Makes golden cases: runs the `runs` of a case through the reference (dlt, DuckDB) and writes what it left as `expect`.

    reference.py CASE.json... [--out FOLDER]     # writes each case with `expect` into FOLDER (default: in place)
    reference.py CASE.json... --check            # makes `expect` again and tells which cases differ from what is in the file

The form of cases is in tests/golden/README.md. Needs dlt[duckdb] and pytz in the Python that runs it. One process imports dlt once and
runs any number of cases.
"""
import argparse
import contextlib
import functools
import itertools
import json
import os
import shutil
import sys
import tempfile

import canonical
from case_format import dump_case, from_typed, to_typed

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "LOAD__WORKERS": "1",
    "NORMALIZE__WORKERS": "1",
    "EXTRACT__WORKERS": "1",
    "EXTRACT__MAX_PARALLEL_ITEMS": "1",
}
SYSTEM_TABLES = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")
PROPERTIES = ("name", "data_type", "nullable", "description")
HIDDEN_TABLE_HINTS = ("name", "columns", "description", "x-merge-source-filter", "x-merge-destination-scope", "x-merge-skip-unchanged-rows")
LAST_VALUE_FUNCTIONS = {"min": min, "max": max}


def start_dlt():
    """Imports dlt with fast settings, in an empty folder, so that no configuration of the machine is found."""
    os.environ.update(SETTINGS)
    folder = tempfile.mkdtemp(prefix="tipple-reference-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    os.environ["DLT_DATA_DIR"] = os.path.join(folder, "home")
    os.environ["DLT_PROJECT_DIR"] = folder
    import dlt  # noqa: F401

    remember_type_questions()
    return folder


def remember_type_questions():
    """dlt asks the same questions about types for every setting it looks up, which is half of a small run's time."""
    from dlt.common import typing
    from dlt.common.configuration.specs import base_configuration

    for name in ("extract_inner_type", "extract_type_if_modifier", "is_union_type", "is_optional_type", "is_literal_type", "is_subclass",
                 "is_secret_hint", "extract_inner_hint", "is_base_configuration_inner_hint", "is_valid_hint"):
        original = vars(typing).get(name) or vars(base_configuration).get(name)
        if original is None:
            continue
        cached = functools.lru_cache(maxsize=None)(original)

        @functools.wraps(original)
        def answer(*arguments, _original=original, _cached=cached, **options):
            try:
                return _cached(*arguments, **options)
            except TypeError:
                return _original(*arguments, **options)

        for module in list(sys.modules.values()):
            if vars(module).get(name) is original:
                setattr(module, name, answer)


@contextlib.contextmanager
def environment(values):
    before = {key: os.environ.get(key) for key in values}
    os.environ.update({key: str(value) for key, value in values.items()})
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


# ---- resources and sources


def change_state(state, changes):
    for key, value in (changes or {}).items():
        state[key] = state.get(key, 0) + value["add"] if isinstance(value, dict) and set(value) == {"add"} else from_typed(value)


def yields_of(resource):
    """The yields of a resource, one after the other."""
    import dlt
    from dlt.common.json import json as reference_json

    if resource.get("materialize"):
        yield dlt.mark.materialize_table_schema()
    if "data" in resource:
        yield from_typed(resource["data"])
    for page in resource.get("pages", []):
        yield from_typed(page)
    for item in resource.get("items", []):
        if isinstance(item, dict) and "$to_table" in item:
            yield dlt.mark.with_table_name(from_typed(item["item"]), item["$to_table"])
        else:
            yield from_typed(item)
    if "jsonl" in resource:
        yield [reference_json.loads(line) for line in resource["jsonl"]]


def generator_of(resource):
    def read():
        import dlt

        changes = resource.get("state_ops", {})
        if "resource" in changes:
            change_state(dlt.current.resource_state(), changes["resource"])
        if "source" in changes:
            change_state(dlt.current.source_state(), changes["source"])
        pages = yields_of(resource)
        if "raise_after_pages" not in resource:
            yield from pages
            return
        yield from itertools.islice(pages, resource["raise_after_pages"])
        raise ValueError("the source fails on purpose")

    return read


def table_name_of(value):
    if not isinstance(value, dict):
        return value
    field, prefix = value["field"], value.get("prefix", "")
    return lambda item: prefix + str(item[field])


def nested_hints_of(value):
    return {tuple(path.split("/")) if "/" in path else path: hints for path, hints in value.items()}


def incremental_of(value):
    import dlt

    options = {key: from_typed(option) for key, option in value.items()}
    if "last_value_func" in options:
        options["last_value_func"] = LAST_VALUE_FUNCTIONS[options["last_value_func"]]
    return dlt.sources.incremental(options.pop("cursor_path"), **options)


def make_resource(spec):
    import dlt

    hints = {key: from_typed(spec[key]) for key in ("write_disposition", "primary_key", "merge_key", "columns", "max_table_nesting", "schema_contract") if key in spec}
    if "table_name" in spec:
        hints["table_name"] = table_name_of(spec["table_name"])
    if "nested_hints" in spec:
        hints["nested_hints"] = nested_hints_of(spec["nested_hints"])
    if "incremental" in spec:
        hints["incremental"] = incremental_of(spec["incremental"])
    resource = dlt.resource(generator_of(spec), name=spec["name"], **hints)
    return resource.add_limit(spec["limit"]) if "limit" in spec else resource


def make_source(name, resources, pipeline, options):
    from dlt.common.schema import Schema
    from dlt.extract import DltSource

    schema = Schema(name)
    settings = pipeline.get("settings", {})
    if "detections" in settings:
        schema._settings["detections"] = list(settings["detections"])
    if "preferred_types" in settings:
        schema.update_preferred_types(settings["preferred_types"])
    if "default_hints" in settings:
        schema.merge_hints(settings["default_hints"])
    source = DltSource(schema, name, [make_resource(resource) for resource in resources])
    for key in ("max_table_nesting", "root_key", "schema_contract"):
        if key in pipeline:
            setattr(source, key, pipeline[key])
        if key in options:
            setattr(source, key, options[key])
    return source.with_resources(*options["select"]) if "select" in options else source


# ---- one case


class CaseRun:
    """The pipeline of a case, run by run. With `holds` the database stays open until `close`: opening it for each step is a third of the time."""

    def __init__(self, case, folder, holds=False):
        self.case = case
        self.options = case["pipeline"]
        self.folder = folder
        self.database = os.path.join(folder, "reference.duckdb")
        self.workdir = os.path.join(folder, "work")
        self.pipeline = None
        self.load_failed = False
        self.held = None
        if holds:
            import duckdb

            self.held = duckdb.connect(self.database)

    def close(self):
        if self.held:
            self.held.close()

    def environment(self, run):
        values = dict(self.options.get("config", {}))
        if "naming" in self.options:
            values["SCHEMA__NAMING"] = self.options["naming"]
        if "replace_strategy" in self.options:
            values["DESTINATION__REPLACE_STRATEGY"] = self.options["replace_strategy"]
        values.update(run.get("config", {}))
        return environment(values)

    def open(self):
        import dlt

        limits = {}
        if "max_identifier_length" in self.options:
            limits = {key: self.options["max_identifier_length"] for key in ("max_identifier_length", "max_column_identifier_length")}
        destination = dlt.destinations.duckdb(self.database, **limits)
        imported = {"import_schema_path": self.write_import()} if "import_tables" in self.options else {}
        return dlt.pipeline(self.options["name"], pipelines_dir=self.workdir, destination=destination, dataset_name=self.options["dataset"], **imported)

    def write_import(self):
        """A folder with the document of a schema that has the tables of the case."""
        from dlt.common.schema import Schema

        document = Schema(self.options["schema"]).to_dict()
        document["tables"].update(self.options["import_tables"])
        folder = os.path.join(self.folder, "import")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, self.options["schema"] + ".schema.yaml"), "w", encoding="utf-8") as file:
            file.write(Schema.from_dict(document).to_pretty_yaml())
        return folder

    def execute_sql(self, statements):
        import duckdb

        connection = duckdb.connect(self.database)
        for statement in [statements] if isinstance(statements, str) else statements:
            connection.execute(statement.replace("{dataset}", '"' + self.options["dataset"] + '"'))
        connection.close()

    def step(self, run):
        """Does one entry of `runs` and returns its `expect`."""
        if "sql" in run:
            self.execute_sql(run["sql"])
        with self.environment(run):
            if run.get("fresh_workdir"):
                shutil.rmtree(self.workdir, ignore_errors=True)
            if self.pipeline is None or run.get("fresh_workdir") or run.get("new_process"):
                self.pipeline = self.open()
            error = self.attempt(run)
            return self.expect(error)

    def attempt(self, run):
        try:
            self.work(run)
        except Exception as caught:
            error = describe_error(caught, self.pipeline.has_pending_data)
            with contextlib.suppress(Exception):
                self.pipeline.abort_packages()
            return error
        return None

    def work(self, run):
        if "drop" in run:
            self.drop(run["drop"])
            return
        options = run.get("source", {})
        if "sources" in run:
            data = [make_source(source["schema"], source["resources"], self.options, options) for source in run["sources"]]
        elif run.get("loose"):
            data = [make_resource(resource) for resource in run["resources"]]
        else:
            data = make_source(self.options["schema"], run["resources"], self.options, options)
        arguments = from_typed(run.get("run", {}))
        if "refresh" in run:
            arguments["refresh"] = run["refresh"]
        self.pipeline.run(data, **arguments)

    def drop(self, what):
        from dlt.pipeline.helpers import pipeline_drop

        command = pipeline_drop(self.pipeline, resources=what.get("resources", ()), state_paths=what.get("state_paths", ()),
                                drop_all=what.get("drop_all", False), state_only=what.get("state_only", False))
        command()

    def expect(self, error):
        load_failed = error is not None and error["step"] == "load"
        self.load_failed = self.load_failed or load_failed
        schemas = {name: self.pipeline.schemas[name] for name in self.pipeline.schema_names}
        tables, system, loads = self.read_tables(schemas)
        if self.load_failed:
            system.pop("_dlt_pipeline_state", None)
        own = self.options["schema"]
        states = self.pipeline.state.get("sources", {})
        result = {
            "tables": None if load_failed else tables,
            "schema": schema_hints(schemas[own]) if own in schemas else {},
            "state": canonical_state(states.get(own, {})),
            "loads": loads,
            "system": system,
            "error": error,
        }
        # An import counts every time it saves its working copy, which tipple does not have.
        if own in schemas and "import_tables" not in self.options:
            result["schema_version"] = schemas[own].version
        others = sorted(set(schemas) - {own})
        if others:
            result["other_schemas"] = {name: schema_hints(schemas[name]) for name in others}
        other_states = {name: canonical_state(state) for name, state in sorted(states.items()) if name != own and state}
        if other_states:
            result["other_states"] = other_states
        return result

    def read_tables(self, schemas):
        if not os.path.exists(self.database):
            return {}, {}, 0
        known = {}
        for schema in schemas.values():
            known.update(schema.tables)
        return canonical.read_dataset(self.database, self.options["dataset"], known, True if self.case.get("ids") == "exact" else self.case.get("ids"), self.held)


def innermost(error):
    """The error a step's error was raised from."""
    from dlt.extract.exceptions import ResourceExtractionError
    from dlt.normalize.exceptions import NormalizeJobFailed
    from dlt.pipeline.exceptions import PipelineStepFailed

    while isinstance(error, (PipelineStepFailed, NormalizeJobFailed, ResourceExtractionError)) and error.__cause__ is not None:
        error = error.__cause__
    return error


def describe_error(caught, pending):
    from dlt.pipeline.exceptions import PipelineStepFailed

    step = caught.step if isinstance(caught, PipelineStepFailed) else None
    error = innermost(caught)
    names = [getattr(error, key, None) for key in ("table_name", "column_name")]
    return {"step": step, "kind": type(error).__name__, "contains": [name for name in names if name], "pending": pending}


def schema_hints(schema):
    tables = {}
    for name, table in schema.tables.items():
        if name.startswith("_dlt"):
            continue
        hints = {key: value for key, value in table.items() if key not in HIDDEN_TABLE_HINTS}
        columns = {}
        for column, properties in table["columns"].items():
            own = {key: value for key, value in properties.items() if key not in PROPERTIES and value is not None}
            if "data_type" not in properties:
                own["incomplete"] = True
                own.update({key: properties[key] for key in ("nullable",) if key in properties})
            if own:
                columns[column] = own
        if columns:
            hints["columns"] = columns
        tables[name] = to_typed(hints)
    return tables


def canonical_state(state):
    state = to_typed(state)
    for resource in state.get("resources", {}).values():
        for cursor in (resource or {}).get("incremental", {}).values():
            if "unique_hashes" in cursor:
                cursor["unique_hashes"] = sorted(cursor["unique_hashes"])
    return state


def make_expect(case, base, stop_after_failed_load=False):
    """`expect` of a case; `base` is a folder for its files, which are removed again."""
    folder = tempfile.mkdtemp(dir=base)
    run = CaseRun(case, folder, holds=True)
    try:
        made = []
        for entry in case["runs"]:
            made.append(run.step(entry))
            if run.load_failed and stop_after_failed_load:
                break
        return made
    finally:
        run.close()
        shutil.rmtree(folder, ignore_errors=True)


def complete(case, base, stop_after_failed_load=False):
    """The case with `made_with` and `expect`."""
    import dlt

    out = {key: value for key, value in case.items() if key not in ("expect", "made_with")}
    place = list(out).index("pipeline")
    items = list(out.items())
    items.insert(place, ("made_with", "dlt " + dlt.__version__))
    return {**dict(items), "expect": make_expect(case, base, stop_after_failed_load)}


# ---- command line


def differences(expected, made):
    """Where two lists of `expect` differ: a few lines. What an error must name is chosen by hand, so it is not compared."""
    lines = []

    def walk(path, a, b):
        if len(lines) > 5 or a == b and json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True):
            return
        if isinstance(a, dict) and isinstance(b, dict):
            for key in list(a) + [key for key in b if key not in a]:
                if key != "contains":
                    walk(f"{path}.{key}", a.get(key, "<missing>"), b.get(key, "<missing>"))
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            for i, (x, y) in enumerate(zip(a, b)):
                walk(f"{path}[{i}]", x, y)
        else:
            lines.append(f"{path}: file {json.dumps(a, ensure_ascii=False)[:300]}\n      made {json.dumps(b, ensure_ascii=False)[:300]}")

    walk("expect", expected, made)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    paths = [os.path.abspath(path) for path in arguments.cases]
    base = start_dlt()
    same = 0
    try:
        for path in paths:
            with open(path, encoding="utf-8") as file:
                case = json.load(file)
            made = complete(case, base)
            if not arguments.check:
                dump_case(made, os.path.join(arguments.out or os.path.dirname(path), os.path.basename(path)))
                continue
            lines = differences(case["expect"], made["expect"])
            same += not lines
            if lines:
                print(f"DIFFERS {case['name']}", *lines, sep="\n    ", flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    if arguments.check:
        print(f"{same} of {len(paths)} cases made again are the same")
        return 0 if same == len(paths) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
