"""Reads a dataset that was loaded into files as somebody does who knows what lies there and not how tipple reads it: files of loads that `_dlt_loads`
has, without those that a finished load is about to remove (docs/internals/files-destination.md). Default layout only."""

import json

import duckdb

SYSTEM_FOLDERS = {
    "_dlt_loads": {"load_id": "text", "schema_name": "text", "status": "bigint", "inserted_at": "timestamp", "schema_version_hash": "text"},
    "_dlt_version": {"version": "bigint", "engine_version": "bigint", "inserted_at": "timestamp", "schema_name": "text", "version_hash": "text", "schema": "text"},
    "_dlt_pipeline_state": {"version": "bigint", "engine_version": "bigint", "pipeline_name": "text", "state": "text", "created_at": "timestamp", "version_hash": "text",
                            "_dlt_load_id": "text"},
}
TYPES = {"text": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "timestamp": "TIMESTAMPTZ", "date": "DATE", "time": "TIME", "decimal": "DECIMAL(38,9)",
         "wei": "DECIMAL(38,0)", "json": "JSON", "binary": "VARCHAR"}


def load_id_of_state(path):
    return path.stem.split("__")[-2]


def visible(folder):
    """Table -> its files; and table -> column -> type."""
    loads = {path.stem.rsplit("__", 1)[1]: path for path in (folder / "_dlt_loads").glob("*.jsonl")}
    hidden = set()
    for path in (folder / "_tipple").glob("*.intent"):
        intent = json.loads(path.read_text(encoding="utf-8"))
        hidden.update(folder / name for name in intent["removed" if path.stem in loads else "added"])
    loads = {load_id: path for load_id, path in loads.items() if path not in hidden}
    versions = {}
    for path in sorted((folder / "_dlt_version").glob("*.jsonl"), key=lambda path: float(path.stem.split("__")[-2])):
        if path not in hidden:
            versions[path.stem.rsplit("__", 2)[0]] = json.loads(json.loads(path.read_text(encoding="utf-8"))["schema"])
    files = {"_dlt_loads": sorted(loads.values()), "_dlt_version": sorted(path for path in (folder / "_dlt_version").glob("*.jsonl") if path not in hidden),
             "_dlt_pipeline_state": sorted(path for path in (folder / "_dlt_pipeline_state").glob("*.jsonl") if path not in hidden and load_id_of_state(path) in loads)}
    columns = dict(SYSTEM_FOLDERS)
    for schema in versions.values():
        for name, table in schema["tables"].items():
            known = {column: hints["data_type"] for column, hints in table["columns"].items() if "data_type" in hints}
            if name in SYSTEM_FOLDERS or not known:
                continue
            columns[name] = known
            found = sorted((folder / name).iterdir()) if (folder / name).is_dir() else []
            files[name] = [path for path in found if path not in hidden and ".".join(path.name.split(".")[:2]) in loads]
    return files, columns


def connect(folder):
    """A database in memory with the tables."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    if not (folder / "init").exists():
        return connection
    files, tables = visible(folder)
    for name, columns in tables.items():
        types = {column: TYPES[type_] for column, type_ in columns.items()}
        connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{chr(34)}{column}{chr(34)} {type_}" for column, type_ in types.items())})')
        for path in files[name]:
            if ".parquet" in path.name:
                source = f"read_parquet('{path}')"
            elif ".csv" in path.name:
                source = f"read_csv('{path}', all_varchar = true, header = true)"
            else:
                # Some columns are not in every file: those that are there are asked for.
                source = f"read_json('{path}', format = 'newline_delimited', columns = {types})"
            connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM {source}')
    return connection
