"""Postgres servers and poolers of the tests' own: real ones, on free loopback ports, with folders of their own, run as a user that is not root, and
ended with whoever started them.

As a program: `postgres_server.py COMMAND...` starts a server, runs the command with its URL in TIPPLE_TEST_POSTGRES, and that of a pooler in front of it in TIPPLE_TEST_POOLER
where PgBouncer is installed, and ends the server. Exit code 77,
"skipped", where the Debian package `postgresql` is not installed.
"""

import contextlib
import ctypes
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

USER = "tipple"
# What needs encoding in a URL, and libpq's quoting elsewhere.
PASSWORD = "p@ss/w:rd?100%'"
PASSWORD_IN_URL = "p%40ss%2Fw%3Ard%3F100%25%27"
STARTS_WITHIN_SECONDS = 120


def find_program(name):
    """That of TIPPLE_POSTGRES_BIN, or the newest installed one, or None."""
    chosen = pathlib.Path(os.environ.get("TIPPLE_POSTGRES_BIN", "/nonexistent"), name)
    if chosen.exists():
        return str(chosen)
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: [int(n) for n in re.findall(r"\d+", path)])
    return found[-1] if found else shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def is_available():
    return find_program("initdb") is not None and find_program("psql") is not None


def start_for_module(**settings):
    """For `setUpModule`: a server that ends with the module's tests; the tests are skipped where there can be none."""
    if not is_available():
        raise unittest.SkipTest("the Debian package postgresql is not installed")
    server = Server(**settings)
    unittest.addModuleCleanup(server.close)
    return server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end_with_parent():
    # PR_SET_PDEATHSIG; SIGINT is Postgres's fast shutdown.
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _other_user():
    """For subprocess: servers refuse to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    raise RuntimeError("there is no user postgres or nobody to run a server as")


def run_psql(sql, *where, env=None):
    """Rows of the last statement as lists of texts; NULL is None."""
    done = subprocess.run(
        [find_program("psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d", "-v", "ON_ERROR_STOP=1", *map(str, where), "-f", "-"],
        input=sql, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr}\n{sql}")
    out = done.stdout.rstrip("\n")
    return [[None if value == "\x1d" else value for value in row.split("\x1f")] for row in out.split("\x1e")] if out else []


class _Process:
    """A server process in a folder of its own."""

    def __init__(self, prefix):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.identity = _other_user()
        if self.identity:
            os.chown(self.folder, self.identity["user"], self.identity["group"])
        self.port = free_port()
        self.process = None

    def spawn(self, arguments):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent, **self.identity)
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{arguments[0]} did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def is_up(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, which=signal.SIGINT):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(which)
        if self.process is not None:
            self.process.wait()

    def close(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server(_Process):
    def __init__(self, **settings):
        super().__init__("tipple-postgres-")
        self.settings = settings
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        made = subprocess.run(
            [find_program("initdb"), "-D", "data", "-U", USER, "-E", "UTF8", "--no-locale", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=password"],
            cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, **self.identity)
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        self.start()
        self.psql("CREATE DATABASE shop", database="postgres")

    def start(self):
        # Without fsync a killed server still finds all it wrote; only a machine that loses power would not.
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder, "fsync": "off", "max_connections": 60, **self.settings}
        self.spawn([find_program("postgres"), "-D", "data", *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))])

    def is_up(self):
        ready = subprocess.run([find_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
        return ready.returncode == 0

    def kill(self):
        """As when the machine takes it away: no process of it does anything any more."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False).stdout.split()
        os.kill(self.process.pid, signal.SIGKILL)
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        # The next one must not find the old one's memory in use.
        time.sleep(0.2)

    def url(self, database="shop", port=None, user=USER, password=PASSWORD_IN_URL):
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def psql(self, sql, database="shop", user=USER):
        """Rows of the last statement as lists of texts; NULL is None."""
        return run_psql(sql, "-h", self.folder, "-p", self.port, "-U", user, "-d", database)

    def value(self, sql, **options):
        rows = self.psql(sql, **options)
        return rows[0][0] if rows else None

    def session(self, database="shop"):
        return Session(self, database)


class Session:
    """A psql that stays connected, for transactions that last."""

    def __init__(self, server, database):
        self.process = subprocess.Popen([find_program("psql"), "-X", "-q", "-A", "-t", "-h", str(server.folder), "-p", str(server.port), "-U", USER, "-d", database], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, sql):
        """Returns when it is done, with what it printed."""
        self.process.stdin.write(f"{sql};\n\\echo --done--\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "--done--\n":
                break
            lines.append(line)
        if any("ERROR" in line for line in lines) or self.process.poll() is not None:
            raise RuntimeError(f"psql: {''.join(lines)}\n{sql}")
        return "".join(lines)

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            # What was not sent any more is of no interest.
            with contextlib.suppress(OSError):
                stream.close()


class Pooler(_Process):
    """PgBouncer in front of a server, in transaction mode: each transaction may get another of its few connections. `settings` are those of its file."""

    def __init__(self, server, pool_size=2, **settings):
        super().__init__("tipple-pgbouncer-")
        quoted = PASSWORD.replace("'", "''")
        settings = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "any", "pool_mode": "transaction", "default_pool_size": pool_size,
                    "max_client_conn": 100, "server_round_robin": 1, "logfile": "", "pidfile": "", "admin_users": USER, **settings}
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user={USER} password='{quoted}'\n[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.spawn([find_program("pgbouncer"), "pgbouncer.ini"])

    def psql(self, sql, database):
        """As a client of the pooler."""
        return run_psql(sql, "-h", "127.0.0.1", "-p", self.port, "-U", USER, "-d", database, env={"PGPASSWORD": PASSWORD})

    @staticmethod
    def is_available():
        return find_program("pgbouncer") is not None


def main():
    if not is_available():
        print("skipped: the Debian package postgresql is not installed")
        return 77
    with Server(max_prepared_transactions=4) as server:
        environment = {**os.environ, "TIPPLE_TEST_POSTGRES": server.url()}
        with Pooler(server) if Pooler.is_available() else contextlib.nullcontext() as pooler:
            if pooler is not None:
                environment["TIPPLE_TEST_POOLER"] = server.url(port=pooler.port)
            return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
