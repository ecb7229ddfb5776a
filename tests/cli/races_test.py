"""Runs that meet at one dataset: two pipelines that make it at the same moment, two machines with the same pipeline, and a run that slept while another went by."""

import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from postgres_server import Server, is_available  # noqa: E402
from tipple_cli import EXIT_LOCKED, IS_LONG, Case, Run, main  # noqa: E402

RACES = 50 if IS_LONG else 5
PIPELINE = '''
[pipeline.{name}]
source = {{ type = "files", uri = "." }}
destination = "{destination}"
dataset = "{dataset}"
lock_timeout = 120
[pipeline.{name}.resources.{name}]
glob = "{name}.jsonl"
'''


class Races:
    """At `self.destination`; `ask` gives the rows of a query."""

    def setUp(self):
        super().setUp()
        for name in ("ann", "bob"):
            self.write(f"{name}.jsonl", [{"id": number, "lines": [{"n": number}]} for number in range(50)])

    def test_two_pipelines_make_a_dataset_at_once(self):
        for race in range(RACES):
            dataset = f"race_{race}"
            self.path("tipple.toml").write_text("".join(PIPELINE.format(name=name, destination=self.destination, dataset=dataset) for name in ("ann", "bob")))
            with self.start("run", "ann") as ann, self.start("run", "bob") as bob:
                for run in (ann, bob):
                    result = run.finish()
                    self.assertEqual(result.code, 0, result.err)
            for table in ("ann", "bob", "ann__lines", "bob__lines"):
                self.assertEqual(self.ask(f"SELECT count(*), count(DISTINCT _dlt_id) FROM {dataset}.{table}"), [(50, 50)])
            self.assertEqual(self.ask(f"SELECT count(*), count(DISTINCT load_id) FROM {dataset}._dlt_loads WHERE status = 0"), [(2, 2)])
            self.assertEqual(self.ask(f"SELECT count(*), count(DISTINCT schema_name) FROM {dataset}._dlt_version"), [(2, 2)])
            self.assertEqual(self.ask(f"SELECT count(*), count(DISTINCT pipeline_name) FROM {dataset}._dlt_pipeline_state"), [(2, 2)])

    def test_two_machines_run_one_pipeline(self):
        """They have no lock in common. Whoever is overtaken says so and changes nothing; the cursor lets nothing in twice."""
        for race in range(RACES):
            flags = ["load", "ann.jsonl", self.destination, "--dataset", f"machines_{race}", "--cursor", "id", "--lock-timeout", "120"]
            with self.start(*flags) as here, self.start_elsewhere(*flags) as there:
                codes = sorted(run.finish().code for run in (here, there))
            self.assertEqual(codes[0], 0)
            self.assertIn(codes[1], (0, EXIT_LOCKED))
            self.assertEqual(self.ask(f"SELECT count(*), count(DISTINCT id) FROM machines_{race}.ann"), [(50, 50)])
            self.tipple(*flags)
            self.assertEqual(self.ask(f"SELECT count(*) FROM machines_{race}.ann__lines"), [(50,)])

    def test_a_run_that_slept_while_another_went_by(self):
        self.tipple("load", "ann.jsonl", self.destination, "--dataset", "sleep", "--cursor", "id")
        with self.start("load", "-", self.destination, "--as", "ann", "--dataset", "sleep", "--cursor", "id") as sleeper:
            sleeper.feed(b'{"id": 100, "lines": []}\n')
            self.wait_until_it_has_looked(sleeper)
            sleeper.send(signal.SIGSTOP)
            self.write("more.jsonl", [{"id": 200}])
            self.tipple("load", "more.jsonl", self.destination, "--as", "ann", "--dataset", "sleep", "--cursor", "id", "--data-dir", self.path("elsewhere"), data_folder=False)
            sleeper.send(signal.SIGCONT)
            result = sleeper.finish()
        self.assertEqual(result.code, EXIT_LOCKED, result.err)
        self.assertIn("another run of pipeline", result.err)
        self.assertEqual(self.ask("SELECT max(id), count(*) FROM sleep.ann"), [(200, 51)])
        self.assertEqual(self.pending(), [])

    def start_elsewhere(self, *arguments):
        """As another machine does, which has a data folder of its own."""
        return Run(["--data-dir", str(self.path("elsewhere")), *arguments], self.folder)

    def wait_until_it_has_looked(self, run):
        """Its data folder has the package that it writes, so the destination's state was read."""
        while not list(self.data_folder.glob("pipelines/*/packages/*")):
            self.assertIsNone(run.process.poll(), "it ended early")
            time.sleep(0.01)


class Duckdb(Races, Case):
    def ask(self, sql):
        return self.query(sql)


class Postgres(Races, Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not is_available():
            raise unittest.SkipTest("the Debian package postgresql is not installed")
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.destination = self.server.url()

    def ask(self, sql):
        return [tuple(map(int, row)) for row in self.server.psql(sql)]


if __name__ == "__main__":
    main()
