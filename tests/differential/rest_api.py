#!/usr/bin/env python3
"""The example projects of examples/rest_api with tipple, and the same APIs with dlt's rest_api, against one server over three runs: the tables must be
equal. Needs a Python with dlt[duckdb].

    rest_api.py [TIPPLE]
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import dlt
import duckdb
from dlt.sources.rest_api import rest_api_source

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(ROOT / "tests/cli"))
from api_server import ApiServer  # noqa: E402
from rest_api_test import BASES, TOKENS, small_pages  # noqa: E402

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


def configurations(url):
    return {
        "github": {
            "client": {"base_url": url + BASES["github"], "headers": {"Accept": "application/vnd.github+json"}, "auth": {"type": "bearer", "token": TOKENS["GITHUB_TOKEN"]}, "paginator": "header_link"},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                {"name": "issues", "endpoint": {"path": "issues", "data_selector": "$", "params": {"per_page": 3, "state": "all", "sort": "updated", "direction": "asc", "since": "{incremental.start_value}"},
                                                "incremental": {"cursor_path": "updated_at", "initial_value": "2024-01-01T00:00:00Z"}}},
                {"name": "issue_comments", "include_from_parent": ["number"], "endpoint": {"path": "issues/{resources.issues.number}/comments", "data_selector": "$", "params": {"per_page": 3},
                                                                                           "response_actions": [{"status_code": 404, "action": "ignore"}]}},
            ],
        },
        "stripe": {
            "client": {"base_url": url + BASES["stripe"], "auth": {"type": "bearer", "token": TOKENS["STRIPE_KEY"]}},
            "resources": [{"name": "charges", "primary_key": "id", "write_disposition": "merge",
                           "endpoint": {"path": "charges", "data_selector": "data", "params": {"limit": 3, "created[gte]": "{incremental.start_value}"},
                                        "paginator": {"type": "cursor", "cursor_path": "data[-1].id", "cursor_param": "starting_after", "has_more_path": "has_more"},
                                        "incremental": {"cursor_path": "created", "initial_value": 0, "lag": 2592000}}}],
        },
        "hubspot": {
            "client": {"base_url": url + BASES["hubspot"], "auth": {"type": "bearer", "token": TOKENS["HUBSPOT_TOKEN"]}},
            "resources": [{"name": "contacts", "primary_key": "id", "write_disposition": "merge",
                           "endpoint": {"path": "crm/v3/objects/contacts/search", "method": "POST", "data_selector": "results",
                                        "json": {"limit": 2, "properties": ["email", "lastmodifieddate"],
                                                 "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "{incremental.start_value}"}]}]},
                                        "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_body_path": "after"},
                                        "incremental": {"cursor_path": "properties.lastmodifieddate", "initial_value": "2020-01-01T00:00:00Z"}}}],
        },
        "pokeapi": {
            "client": {"base_url": url + BASES["pokeapi"]},
            "resource_defaults": {"write_disposition": "replace"},
            "resources": [{"name": "names", "selected": False, "endpoint": {"path": "pokemon", "params": {"limit": 2}}},
                          {"name": "pokemon", "primary_key": "id", "endpoint": "pokemon/{resources.names.name}"}],
        },
        "articles": {
            "client": {"base_url": url + BASES["articles"], "auth": {"type": "api_key", "name": "api_key", "api_key": TOKENS["ARTICLES_KEY"], "location": "query"}},
            "resources": [{"name": "articles", "primary_key": "id", "write_disposition": "merge",
                           "endpoint": {"path": "articles", "data_selector": "articles", "params": {"updated_since": "{incremental.start_value}"},
                                        "paginator": {"type": "page_number", "base_page": 1, "total_path": "meta.total_pages"},
                                        "incremental": {"cursor_path": "updated_at", "initial_value": "2026-01-01T00:00:00Z"}}}],
        },
    }


def contents(database, dataset):
    """Table -> (columns, rows), without what loaders add."""
    connection = duckdb.connect(str(database), read_only=True)
    try:
        tables = {}
        for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [dataset]).fetchall():
            if name.startswith("_dlt"):
                continue
            columns = sorted((column, type_) for column, type_ in connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?", [dataset, name]).fetchall() if not column.startswith("_dlt"))
            chosen = ", ".join(f'"{column}"' for column, _ in columns)
            tables[name] = (columns, sorted(map(repr, connection.execute(f'SELECT {chosen} FROM "{dataset}"."{name}"').fetchall())))
        return tables
    finally:
        connection.close()


def main():
    tipple = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/bin/tipple")
    failures = 0
    for name in BASES:
        with ApiServer() as server, tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(ROOT / "examples/rest_api" / name / "tipple.toml", folder)
            path = f"TIPPLE_PIPELINE__{name.upper()}__SOURCE__"
            env = {**os.environ, **TOKENS, **small_pages(name), path + "BASE_URL": server.url + BASES[name], path + "RATE_LIMIT": "1000/s"}
            pipeline = dlt.pipeline(name, destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")), dataset_name=name, pipelines_dir=str(folder / "pipelines"))
            for step in range(3):
                server.step = step
                subprocess.run([tipple, "run", name, "--quiet", "--data-dir", str(folder / "data")], cwd=folder, env=env, check=True)
                pipeline.run(rest_api_source(configurations(server.url)[name], name=name))
                ours, theirs = contents(folder / "warehouse.duckdb", name), contents(folder / "dlt.duckdb", name)
                if ours != theirs:
                    failures += 1
                    print(f"{name}, run {step + 1}: different")
                    for table in sorted(set(ours) | set(theirs)):
                        if ours.get(table) != theirs.get(table):
                            print(f"  {table}\n    tipple {ours.get(table)}\n    dlt    {theirs.get(table)}")
            print(f"{name}: {sum(len(rows) for _, rows in ours.values())} rows in {len(ours)} tables")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
