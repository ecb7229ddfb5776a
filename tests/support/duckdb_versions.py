"""Runs a command with the library of DuckDB 2.0 in the place of the one that the build uses: `duckdb_versions.py FOLDER COMMAND...`. The library comes from the package of
PyPI, which is kept in FOLDER; there are no others of 2.0 that need nothing else."""

import os
import pathlib
import subprocess
import sys
import zipfile

RELEASE = "2.0.1"
# Of Debian 12: the package is an extension of this Python and needs its library, libpython3.11.
PYTHON = "3.11"


def library_of(folder):
    """The folder of a libduckdb.so, made when it is missing."""
    place = folder / f"duckdb-{RELEASE}"
    library = place / "libduckdb.so"
    if library.exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    wheels = ["--only-binary=:all:", "--no-deps", "--python-version", PYTHON, "--platform", "manylinux_2_28_x86_64", "--dest", str(place)]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *wheels, f"duckdb=={RELEASE}"], check=True)
    [wheel] = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [extension] = [name for name in archive.namelist() if name.startswith("_duckdb") and name.endswith(".so")]
        (place / "libduckdb_extension.so").write_bytes(archive.read(extension))
    # What is linked against libduckdb.so gets this one, which brings the extension and the library of Python along.
    source = place / "empty.c"
    source.touch()
    linked = ["-Wl,--no-as-needed", "-Wl,-soname,libduckdb.so", "-Wl,-rpath,$ORIGIN", f"-L{place}", "-l:libduckdb_extension.so", f"-l:libpython{PYTHON}.so.1.0"]
    subprocess.run(["g++", "-shared", "-x", "c", str(source), "-x", "none", "-o", str(library.with_suffix(".new")), *linked], check=True)
    library.with_suffix(".new").rename(library)
    return place


def main():
    folder, command = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    place = library_of(folder)
    print(f"DuckDB {RELEASE}: {' '.join(command)}", flush=True)
    return subprocess.run(command, env={**os.environ, "LD_LIBRARY_PATH": str(place)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
