#!/usr/bin/env python3
"""REST pages from this machine: tipple with 1 and 8 requests in flight, beside dlt's rest_api.

    bench/rest_api.py [--pages 10000] [--dlt PYTHON] [--dlt-pages 10000] [--tipple PROGRAM]

A server in a process of its own answers with 100 records a page, made before the measurement; what is measured is the reader: CPU time, wall time and
peak memory of its process. PYTHON has dlt[duckdb]. With fewer --dlt-pages, what a page takes dlt beyond its start (a run of one page) is multiplied.
Prints one line for each.
"""

import argparse
import http.server
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

RECORDS = 100


def page(number, pages):
    rows = [{"id": number * RECORDS + n, "name": f"name {n}", "email": f"user{number}.{n}@example.com", "active": n % 2 == 0, "score": n * 1.25, "updated_at": f"2026-01-{n % 28 + 1:02d}T00:00:00Z",
             "address": {"city": f"city {n % 10}", "zip": f"{n:05d}", "geo": {"lat": 48.1 + n, "lon": 11.5}}, "tags": ["a", "b"] if n % 5 == 0 else [], "description": "x" * 120} for n in range(RECORDS)]
    return json.dumps({"data": rows, "page": number, "total": pages}).encode()


def serve(pages, pipe):
    bodies = [page(number, pages) for number in range(1, 33)]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def do_GET(self):
            number = int(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)).get("page", 1))
            # The same records under other ids would cost the server more than it is worth.
            body = bodies[number % 32]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pipe.send(server.server_port)
    server.serve_forever()


DLT = """
import dlt
from dlt.sources.rest_api import rest_api_source
source = rest_api_source({{"client": {{"base_url": "{url}", "paginator": {{"type": "page_number", "base_page": 1, "total_path": "total", "maximum_page": {end}}}}},
    "resources": [{{"name": "users", "endpoint": {{"path": "users", "data_selector": "data"}}}}]}})
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb("dlt.duckdb"), dataset_name="api", pipelines_dir="pipelines")
pipeline.run(source)
"""

PROJECT = """
version = 1
[connection.local]
uri = "tipple.duckdb"
[pipeline.api]
source = {{ type = "rest_api", base_url = "{url}", concurrency = {concurrency} }}
destination = "local"
[pipeline.api.resources.users]
select = "data"
paginator = {{ type = "page_number", base_page = 1, total_path = "total" }}
"""


def measure(name, command, folder, rows_of):
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "DLT_TELEMETRY": "false", "RUNTIME__DLTHUB_TELEMETRY": "false"})
    start = os.times().elapsed
    _, status, usage = os.wait4(process.pid, 0)
    wall = os.times().elapsed - start
    if status:
        sys.exit(f"{name} ended with {status}")
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{name:26} {wall:8.2f} s wall {cpu:8.2f} s CPU {usage.ru_maxrss / 1024:8.0f} MiB {rows_of():>10,} rows", flush=True)
    return cpu


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pages", type=int, default=10_000)
    arguments.add_argument("--dlt", help="a Python that has dlt[duckdb]")
    arguments.add_argument("--dlt-pages", type=int, help="pages for dlt; its CPU time is then scaled to --pages")
    arguments.add_argument("--tipple", default=str(pathlib.Path(__file__).resolve().parents[1] / "build/release/bin/tipple"))
    given = arguments.parse_args()
    # What a page takes is told from the difference to a run of one.
    if given.dlt_pages not in (None, given.pages) and not 2 <= given.dlt_pages < given.pages:
        arguments.error(f"--dlt-pages must be at least 2 and at most --pages, which is {given.pages}")
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(given.pages, theirs), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{mine.recv()}"
    print(f"{given.pages} pages of {RECORDS} records, {len(page(1, given.pages)):,} bytes each")

    def count(database, table):
        answer = subprocess.run([given.tipple, "query", database, f"SELECT count(*) AS n FROM {table}", "--output", "json"], capture_output=True, text=True, check=True).stdout
        return int("".join(filter(str.isdigit, answer)))

    cpu = {}
    for concurrency in (1, 8):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "tipple.toml").write_text(PROJECT.format(url=url, concurrency=concurrency))
            name = f"tipple, {concurrency} in flight"
            cpu[name] = measure(name, [given.tipple, "run", "--quiet", "--data-dir", folder + "/data", "--memory", "256MiB"], folder, lambda: count(folder + "/tipple.duckdb", "api.users"))
    def run_dlt(pages):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "job.py").write_text(DLT.format(url=url, end=pages + 1))
            # Its engine may be newer than ours.
            count_rows = "import duckdb; print(duckdb.connect('dlt.duckdb').execute('SELECT count(*) FROM api.users').fetchone()[0])"
            return measure(f"dlt rest_api, {pages} pages", [given.dlt, "job.py"], folder,
                           lambda: int(subprocess.run([given.dlt, "-c", count_rows], cwd=folder, capture_output=True, text=True, check=True).stdout))

    if given.dlt:
        pages = given.dlt_pages or given.pages
        took = run_dlt(pages)
        if pages < given.pages:
            start = run_dlt(1)
            took = start + (took - start) / (pages - 1) * (given.pages - 1)
            print(f"dlt rest_api, {given.pages} pages: {took:.1f} s CPU by calculation")
        for name in cpu:
            print(f"{name}: 1/{took / cpu[name]:.1f} of dlt's CPU time")
    server.terminate()


if __name__ == "__main__":
    main()
