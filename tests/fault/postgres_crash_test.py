"""The crash matrix on Postgres: the client is killed at every call by which it changes something that lasts or that the server sees, such calls fail, and the
connection is reset in the middle of what it sends. Each time the database is as before or as after, and the same command again makes it good.

Without TIPPLE_LONG_TESTS a few points of two write modes. TIPPLE_FAULT_POINTS=N takes N points of each cell."""

import errno
import json
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from killpoint import Point, evenly, kill_points
from matrix import MODES, RELOADS, REMOVALS, SHAPES, Matrix, ReloadMatrix, RemovalMatrix, add_cells, points_max
from postgres_server import start_for_module
from proxy import Proxy
from tipple_cli import IS_LONG, main

POINTS_MAX = points_max(300 if IS_LONG else 3)
OTHER_POINTS_MAX = points_max(200 if IS_LONG else 2)
modes = tuple(MODES) if IS_LONG else ("replace", "delete-missing hard")
shapes = tuple(SHAPES) if IS_LONG else ("nested",)

server = None


def setUpModule():
    global server
    server = start_for_module()


class PostgresMatrix(Matrix):
    port = None  # of a proxy, when there is one

    def load_into_it(self, path, *flags, **options):
        return self.tipple("load", path, server.url(port=self.port), *flags, **options)

    def admin(self, *statements):
        for statement in statements:
            server.psql(statement, database="postgres")

    def setUp(self):
        super().setUp()
        self.admin("DROP DATABASE IF EXISTS saved", "DROP DATABASE shop WITH (FORCE)", "CREATE DATABASE shop")

    def save(self):
        self.admin("CREATE DATABASE saved TEMPLATE shop")

    def restore_destination(self):
        self.admin("DROP DATABASE shop WITH (FORCE)", "CREATE DATABASE shop TEMPLATE saved")

    def tables(self):
        names = [row[0] for row in server.psql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")]
        found = {name: [] for name in names}
        if names:
            rows = " UNION ALL ".join(f"SELECT '{name}', to_jsonb(t) FROM public.\"{name}\" AS t" for name in names)
            for name, row in server.psql(rows):
                found[name].append(json.loads(row))
        return found

    def columns_of(self, table):
        rows = server.psql(f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position")
        return {name: kind for name, kind in rows if not name.startswith("_dlt")}

    def evidence(self, folder):
        (folder / "tables.json").write_text(json.dumps(self.tables(), indent=1))
        shutil.copy(server.folder / "log", folder / "postgres.log")


class KillCells(PostgresMatrix):
    def cell(self, mode, shape):
        self.prepare(mode, shape)
        points = kill_points(self.calls, POINTS_MAX)
        for point in points:
            with self.at(f"{mode}, {shape}: {self.name_of(point)}"):
                result = self.run_at(point, expect=None)
                self.assertEqual(result.code, -signal.SIGKILL if len(self.killpoint.calls()) >= point.at else 0, result.err)
                self.wait_for_backends()
                self.check()
        print(f"| kills | {mode} | {shape} | {len(self.calls)} | {len(points)} |", flush=True)

    def wait_for_backends(self):
        """Whatever the killed client has begun at the server has ended."""
        server.psql("SELECT pg_stat_clear_snapshot(); DO $$ BEGIN WHILE EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = 'shop' AND backend_type = 'client backend' "
                    "AND pid <> pg_backend_pid()) LOOP PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$")


class Kills(KillCells):
    pass


class RemovalKills(KillCells, RemovalMatrix):
    dataset = "public"

    def begin(self, mode, shape):
        self.destination = server.url()
        super().begin(mode, shape)


class ReloadKills(KillCells, ReloadMatrix):
    dataset = "public"

    def begin(self, mode, shape):
        self.destination = server.url()
        super().begin(mode, shape)


class Failures(PostgresMatrix):
    """Calls that fail: what is sent because the connection was reset, what is written for want of room; once, or from then on."""

    def cell(self, mode, shape):
        self.prepare(mode, shape)
        points = []
        for number, letter in enumerate(self.calls, start=1):
            error = errno.ECONNRESET if letter == "s" else errno.ENOSPC
            points += [Point(action, number, error=error) for action in ("fail_once", "fail_from")]
        points = evenly(points, OTHER_POINTS_MAX)
        for point in points:
            with self.at(f"{mode}, {shape}: {self.name_of(point)}"):
                result = self.run_at(point, expect=None)
                if result.code == 0:
                    self.assertEqual(self.state(), self.after, "it says that all is done")
                    self.assertEqual(self.loads(), 2)
                else:
                    self.assertIn("error:", result.err)
                self.check()
        print(f"| failures | {mode} | {shape} | {len(self.calls)} | {len(points)} |", flush=True)


class Resets(PostgresMatrix):
    """A proxy resets the connection after so many bytes of the client. The run tries again by itself and ends well."""

    def cell(self, mode, shape):
        with Proxy(server.port) as proxy:
            self.port = proxy.port
            self.prepare(mode, shape)
            sent = proxy.sent_max
            points = evenly(range(1, sent + 1), OTHER_POINTS_MAX)
            for bytes_sent in points:
                with self.at(f"{mode}, {shape}: reset after byte {bytes_sent} of {sent}"):
                    proxy.reset_after = bytes_sent
                    result = self.load_into_it("second.jsonl", *self.flags, expect=None)
                    proxy.reset_after = None
                    # While a connection is made first, before anything was read, it is not tried again.
                    self.assertIn(result.code, (0, 4), result.err)
                    if result.code == 0:
                        self.assertEqual(self.state(), self.after)
                        self.assertEqual(self.loads(), 2)
                    self.check()
            print(f"| resets | {mode} | {shape} | {sent} bytes | {len(points)} |", flush=True)


add_cells(RemovalKills, tuple(REMOVALS), ("nested",))
add_cells(ReloadKills, tuple(RELOADS), shapes)
for case in (Kills, Failures, Resets):
    add_cells(case, modes, shapes)

if __name__ == "__main__":
    main()
