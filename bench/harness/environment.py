"""Where things are, the Python environments of data maker and peers, and what machine this is."""
import os
import platform
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = f"{ROOT}/bench"
DEPS = f"{ROOT}/.deps/bench"
CORES = 2  # what the targets are for

# The engine alone starts from an environment of its own, so that nothing else is imported or looked for.
PACKAGES = {
    "data": ["numpy==2.4.6", "orjson==3.13.0", "pyarrow==26.0.1"],
    "duckdb": ["duckdb==1.5.5"],
    "dlt": ["dlt==1.31.0", "duckdb==1.5.5", "orjson==3.13.0", "pyarrow==26.0.1"],
    "dlt-postgres": ["dlt==1.31.0", "orjson==3.13.0", "pyarrow==26.0.1", "psycopg2-binary==2.9.10"],
    "dlt-s3": ["dlt==1.31.0", "duckdb==1.5.5", "orjson==3.13.0", "pyarrow==26.0.1", "s3fs==2026.9.0"],
    "dlt-sql": ["dlt==1.31.0", "duckdb==1.5.5", "orjson==3.13.0", "pyarrow==26.0.1", "sqlalchemy==2.0.44"],
}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python_of(name):
    """The interpreter of an environment, which is made when it is missing or has other versions."""
    folder = f"{DEPS}/{name}"
    wanted = "\n".join(PACKAGES[name])
    try:
        with open(f"{folder}/packages.txt") as file:
            if file.read() == wanted:
                return f"{folder}/bin/python"
    except FileNotFoundError:
        pass
    say(f"making the Python environment {os.path.relpath(folder, ROOT)}: {' '.join(PACKAGES[name])}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([f"{folder}/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES[name]], check=True,
                   stdout=sys.stderr)
    # So that no measured run has to compile what it imports.
    subprocess.run([f"{folder}/bin/python", "-m", "compileall", "-q", f"{folder}/lib"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(f"{folder}/packages.txt", "w") as file:
        file.write(wanted)
    return f"{folder}/bin/python"


def site_packages(name):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{DEPS}/{name}/lib/python{version}/site-packages"


def npm_package(name, version):
    """The folder of an npm package, fetched when it is missing."""
    folder = f"{DEPS}/{name.split('/')[-1]}-{version}"
    if not os.path.isdir(f"{folder}/package"):
        say(f"fetching the npm package {name} {version}")
        os.makedirs(folder, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, capture_output=True, text=True)
        subprocess.run(["tar", "xzf", packed.stdout.split()[-1]], cwd=folder, check=True)
    return f"{folder}/package"


def use_two_cores():
    """The targets are for two cores; all that is started from here on stays on them."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) > CORES:
        os.sched_setaffinity(0, allowed[:CORES])


def _first(path, prefix):
    try:
        with open(path) as file:
            return next((line.split(":", 1)[-1].strip() for line in file if line.startswith(prefix)), "")
    except OSError:
        return ""


def _system_name():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.system()


def machine():
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": _system_name(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def describe_machine(facts):
    return (f"{facts['cpu']}, {facts['cores_used']} of {facts['cores']} cores, {facts['memory_gib']} GiB, {facts['system']}, "
            f"Linux {facts['kernel']}, Python {facts['python']}")


def source_version():
    found = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude", "*"], capture_output=True, text=True)
    return found.stdout.strip()
