"""Everything that loads a file into a DuckDB database here, and how each is called."""
import os
import subprocess
import tempfile

from harness.environment import BENCH, CORES, ROOT, python_of, site_packages

QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "SLING_DISABLE_TELEMETRY": "TRUE", "INGESTR_DISABLE_TELEMETRY": "true",
         "DISABLE_TELEMETRY": "true"}
# The fastest settings that dlt documents, as far as measured: Parquet files for the loader, both workers, no gzip, larger buffers,
# files that rotate so that both workers have work.
DLT_TUNED = {
    "NORMALIZE__WORKERS": "2", "LOAD__WORKERS": "2",
    "SOURCES__DATA_WRITER__BUFFER_MAX_ITEMS": "10000", "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "10000",
    "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "20000", "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "200000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true", "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "SOURCES__DATA_WRITER__DISABLE_COMPRESSION": "true",
}


class Contender:
    """`command` is given the file, a database that does not exist yet and an empty folder."""

    name = ""
    layout = "tables"  # how the result lies in the database: see verify.py
    schema = "bench"
    is_ours = False
    must_be_right = True  # a wrong result makes the run fail
    turns_max = None  # for what takes minutes, so that a comparison in percents is not what anyone asks of it
    environment = {}

    def missing(self):
        """Why it cannot run, or nothing."""
        return ""

    def prepare(self):
        """What must not be measured: installing."""

    def declare(self, file, folder, workload):
        """Makes what a load of the workload finds, which is not measured."""

    def command(self, file, database, folder, workload):
        raise NotImplementedError


class Tipple(Contender):
    is_ours = True

    def __init__(self, name, binary):
        self.name = name
        self.binary = binary

    def missing(self):
        return "" if os.access(self.binary, os.X_OK) else f"{self.binary} is missing; scripts/build makes it"

    def command(self, file, database, folder, workload):
        if workload.command:
            return [self.binary, *(["-C", folder, "--data-dir", folder] if workload.pipelines else []), *workload.command]
        schema = ["--schema-import", f"{folder}/schemas"] if workload.is_frozen else []
        return [*self.load(folder, file, database), *schema, *workload.arguments]

    def load(self, folder, file, database):
        return [self.binary, "--data-dir", folder, "--progress", "none", "load", file, database, "--as", "t", "--dataset", "bench"]

    def declare(self, file, folder, workload):
        if workload.pipelines:
            with open(f"{folder}/tipple.toml", "w") as project:
                project.write('[connection.warehouse]\nuri = "warehouse.duckdb"\n')
                project.writelines(f'[pipeline.p{number}]\nsource = "{file}"\ndestination = "warehouse"\n' for number in range(workload.pipelines))
        if not workload.is_frozen:
            return
        with tempfile.TemporaryDirectory(dir=folder) as other:
            subprocess.run([*self.load(other, file, f"{other}/declared.duckdb"), "--schema-export", f"{folder}/schemas"], check=True, capture_output=True)


class Duckdb(Contender):
    """CREATE TABLE AS SELECT * FROM read_...(file) into a new file, threads=2."""

    layout = "structs"
    schema = "main"

    def __init__(self, name="duckdb", storage_version=None):
        self.name = name
        self.storage_version = storage_version

    def prepare(self):
        python_of("duckdb")

    def statement(self, file):
        if file.endswith(".csv"):
            source = f"read_csv('{file}')"
        elif file.endswith(".parquet"):
            source = f"read_parquet('{file}')"
        else:
            return f"CREATE TABLE t AS SELECT * FROM read_json('{file}', format='newline_delimited')"
        # With the columns that we add too: most of the difference is the id.
        return f"CREATE TABLE t AS SELECT *, 'l' AS _dlt_load_id, left(uuid()::varchar, 14) AS _dlt_id FROM {source}"

    def job(self, database, sql):
        return [python_of("duckdb"), "-I", "-S", f"{BENCH}/harness/duckdb_job.py", site_packages("duckdb"), database, str(CORES), sql]

    def command(self, file, database, folder, workload):
        if self.storage_version:
            sql = f"ATTACH '{database}' AS db (STORAGE_VERSION '{self.storage_version}'); USE db; {self.statement(file)}"
            return self.job(":memory:", sql)
        return self.job(database, self.statement(file))


class Dlt(Contender):
    def __init__(self, name, reader="json", loader_format=None, environment=None, turns_max=None):
        self.name = name
        self.turns_max = turns_max
        self.reader = reader
        self.loader_format = loader_format
        self.environment = environment or {}

    def prepare(self):
        python_of("dlt")

    def command(self, file, database, folder, workload):
        command = [python_of("dlt"), f"{BENCH}/harness/dlt_job.py", file, database, folder, self.reader]
        return command + ([self.loader_format] if self.loader_format else [])


class Ingestr(Contender):
    """Used when INGESTR_BIN names its binary: the package of that name only downloads it."""

    name = "ingestr"
    layout = "loose"
    must_be_right = False

    def __init__(self):
        self.binary = os.environ.get("INGESTR_BIN", "")

    def missing(self):
        return "" if self.binary else "INGESTR_BIN is not set"

    def command(self, file, database, folder, workload):
        return [self.binary, "ingest", "--source-uri", f"{file.rsplit('.', 1)[1]}://{file}", "--source-table", "t",
                "--dest-uri", f"duckdb:///{database}", "--dest-table", "bench.t", "--yes", "--progress", "log",
                "--incremental-strategy", "append"]


class Sling(Contender):
    """Used when SLING_BIN names its binary: the package of that name only downloads it. It drives the DuckDB command line (DUCKDB_PATH)."""

    name = "sling"
    layout = "loose"
    must_be_right = False

    def __init__(self):
        self.binary = os.environ.get("SLING_BIN", "")
        self.environment = {"SLING_HOME_DIR": f"{ROOT}/.deps/bench/sling"}

    def missing(self):
        return "" if self.binary else "SLING_BIN is not set"

    def command(self, file, database, folder, workload):
        return [self.binary, "run", "--src-stream", f"file://{file}", "--tgt-conn", f"duckdb://{database}", "--tgt-object", "bench.t",
                "--mode", "full-refresh"]


def contenders(tipple, baseline=""):
    """All there are, by name."""
    known = [Tipple("tipple", tipple)]
    if baseline:
        known.append(Tipple("baseline", baseline))
    known += [
        Duckdb(),
        Duckdb("duckdb-v1.4", storage_version="v1.4.0"),
        Dlt("dlt", turns_max=1),
        Dlt("dlt-tuned", loader_format="parquet", environment=DLT_TUNED),
        Dlt("dlt-arrow", reader="arrow"),
        Dlt("dlt-files", reader="files"),
        Dlt("dlt-files-arrow", reader="files-arrow"),
        Ingestr(),
        Sling(),
    ]
    return {one.name: one for one in known}
