"""One load with dlt: `dlt_job.py FILE DATABASE PIPELINES_FOLDER json|arrow|files|files-arrow [LOADER_FILE_FORMAT [DATASET KEY]]`, table bench.t.

`json` reads as dlt's own read_jsonl does, `arrow` hands over Arrow tables, `files` is the source `filesystem` with
`read_csv_duckdb`, `files-arrow` the same by Arrow. Tuned settings come from the environment, as dlt documents. DATABASE is a DuckDB
file or the URL of a Postgres database. With a key, the records are merged by it into t of the dataset.
"""
import sys

import dlt
from dlt.common.json import json

file, database, pipelines, reader = sys.argv[1:5]
loader_format = sys.argv[5] if len(sys.argv) > 5 else None
dataset, key = sys.argv[6:8] if len(sys.argv) > 7 else ("bench", None)


def json_pages():
    page = []
    with open(file, "rb") as lines:
        for line in lines:
            page.append(json.loadb(line))
            if len(page) == 1000:
                yield page
                page = []
    if page:
        yield page


def arrow_tables():
    import pyarrow as pa
    if file.endswith(".parquet"):
        import pyarrow.parquet as pq
        for batch in pq.ParquetFile(file).iter_batches(122_880):
            yield pa.Table.from_batches([batch])
    else:
        import pyarrow.csv as pc
        for batch in pc.open_csv(file, read_options=pc.ReadOptions(block_size=16 << 20)):
            yield pa.Table.from_batches([batch])


def many_files():
    import os
    from dlt.sources.filesystem import filesystem, read_csv_duckdb
    folder, pattern = os.path.split(file)
    return (filesystem(bucket_url=folder, file_glob=pattern) | (read_csv_duckdb(use_pyarrow=True, chunk_size=50_000) if reader == "files-arrow" else read_csv_duckdb())).with_name("t")


pages = json_pages if reader == "json" else arrow_tables
hints = {"write_disposition": "merge", "primary_key": key} if key else {"write_disposition": "append"}
resource = many_files() if reader.startswith("files") else dlt.resource(pages, name="t", **hints)
destination = dlt.destinations.postgres if database.startswith("postgresql://") else dlt.destinations.duckdb
pipeline = dlt.pipeline("bench", destination=destination(database), dataset_name=dataset, pipelines_dir=pipelines)
info = pipeline.run(resource, **({"loader_file_format": loader_format} if loader_format else {}))
if info.has_failed_jobs:
    sys.exit(f"failed jobs: {info}")
