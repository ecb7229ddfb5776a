"""Pipelines side by side: `tipple run A B --parallel N`."""

import http.server
import json
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))

from tipple_cli import EXIT_DATA, EXIT_INTERRUPTED, EXIT_PARTIAL, EXIT_USAGE, HANGS_AFTER_SECONDS, Case, Run, main  # noqa: E402


class Meeting(http.server.ThreadingHTTPServer):
    """An API that answers the first request of each path only when so many paths have been asked for: who asks for one after the other waits for good."""

    def __init__(self, count):
        self.together = threading.Barrier(count)
        self.met = set()
        self.asked = threading.Semaphore(0)
        meeting = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path not in meeting.met:
                    meeting.met.add(self.path)
                    meeting.asked.release()
                    try:
                        meeting.together.wait(HANGS_AFTER_SECONDS / 10)
                    except threading.BrokenBarrierError:
                        return
                body = json.dumps([{"id": n, "path": self.path, "lines": [{"n": n}]} for n in range(50)]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def api(name, port, destination, dataset=None):
    return f"""
[pipeline.{name}]
source = {{ type = "rest_api", base_url = "http://127.0.0.1:{port}", paginator = {{ type = "single_page" }} }}
destination = "{destination}"
dataset = "{dataset or name}"
[pipeline.{name}.resources.{name}_rows]
path = "{name}"
"""


def files(name, pattern, destination):
    return f"""
[pipeline.{name}]
source = "{pattern}"
destination = "{destination}"
"""


class Parallel(Case):
    def meet(self, count):
        server = self.enterContext(Meeting(count))
        self.addCleanup(server.together.abort)
        return server

    def events_by_pipeline(self, result):
        found = {}
        for event in result.events():
            found.setdefault(event["pipeline"], []).append(event)
        return found

    def assert_overlap(self, events):
        """All have begun before the first one ends."""
        first_end = next(i for i, event in enumerate(events) if event["event"] == "run.finished")
        started = {event["pipeline"] for event in events[:first_end] if event["event"] == "run.started"}
        self.assertEqual(started, {event["pipeline"] for event in events})

    def rows(self, database):
        tables = ("a.a_rows", "a.a_rows__lines", "b.b_rows", "b.b_rows__lines")
        return [self.query(f"SELECT * EXCLUDE ({', '.join(self.ids(table))}) FROM {table} ORDER BY ALL", database=database) for table in tables]

    def ids(self, table):
        return ["_dlt_id", "_dlt_parent_id"] if table.endswith("__lines") else ["_dlt_id", "_dlt_load_id"]

    def test_two_pipelines_are_read_at_the_same_time_into_one_file(self):
        server = self.meet(2)
        self.write("tipple.toml", api("a", server.server_port, "both.duckdb") + api("b", server.server_port, "both.duckdb"))
        result = self.tipple("run", "--all", "--parallel", "2", "--json")
        self.assert_overlap(result.events())
        by_pipeline = self.events_by_pipeline(result)
        for name, events in by_pipeline.items():
            self.assertEqual(events[-1]["event"], "run.finished")
            self.assertEqual((events[-1]["status"], events[-1]["exit_code"]), ("done", 0))
            record = json.loads(self.tipple("trace", name, "--json").out)
            self.assertEqual((record["pipeline"], record["exit_code"], record["run"]), (name, 0, events[-1]["run"]))
            self.assertEqual({event["run"] for event in events}, {record["run"]}, "each line says whose it is")
        # The same one after the other, of a server that waits for nobody any more.
        self.write("tipple.toml", api("a", server.server_port, "serial.duckdb") + api("b", server.server_port, "serial.duckdb"))
        self.tipple("run", "--all")
        self.assertEqual(self.rows(self.path("both.duckdb")), self.rows(self.path("serial.duckdb")))
        self.assertEqual(self.query("SELECT count(*) FROM a._dlt_loads", database=self.path("both.duckdb")), [(1,)])

    def test_without_the_flag_the_second_one_waits_for_the_first(self):
        server = self.meet(2)
        self.write("tipple.toml", api("a", server.server_port, "a.duckdb") + api("b", server.server_port, "b.duckdb"))
        with Run(self.arguments(["run", "--all", "--parallel", "1"]), self.folder) as run:
            self.assertTrue(server.asked.acquire(timeout=HANGS_AFTER_SECONDS))
            run.send(signal.SIGINT)
            self.assertEqual(run.finish().code, EXIT_INTERRUPTED)
        self.assertEqual(server.met, {"/a"})

    def test_lines_for_people_say_whose_they_are(self):
        self.write("a.jsonl", [{"id": 1}, {"id": 2}])
        self.write("b.jsonl", '{"id": 1}\n{"id": \n')
        self.write("tipple.toml", files("a", "a.jsonl", "a.duckdb") + files("b", "b.jsonl", "b.duckdb"))
        result = self.tipple("run", "--all", "--parallel", "2", "--keep-going", expect=EXIT_PARTIAL)
        self.assertIn("pipeline a\n", result.out)
        for line in result.err.splitlines():
            self.assertRegex(line, r"^(a|b): ")
        self.assertRegex(result.err, r"(?m)^b: error: .*b\.jsonl")
        table = result.out[result.out.rindex("pipeline  status"):].splitlines()
        self.assertEqual([line.split()[:3] for line in table[2:4]], [["a", "done", "0"], ["b", "failed", str(EXIT_DATA)]])
        self.assertEqual(json.loads(self.tipple("trace", "b", "--json").out)["exit_code"], EXIT_DATA)
        self.assertEqual(json.loads(self.tipple("trace", "a", "--json").out)["exit_code"], 0)

    def test_after_a_failure_no_more_are_begun_and_those_that_run_end_well(self):
        server = self.meet(2)
        self.write("a.jsonl", "{\n")
        self.write("c.jsonl", [{"id": 1}])
        self.write("tipple.toml", files("a", "a.jsonl", "a.duckdb") + api("b", server.server_port, "b.duckdb") + files("c", "c.jsonl", "c.duckdb"))
        with Run(self.arguments(["run", "a", "b", "c", "--parallel", "2"]), self.folder) as run:
            run.wait_for("a: error:")
            # Only now is the other one answered.
            server.together.wait(HANGS_AFTER_SECONDS)
            result = run.finish()
        self.assertEqual(result.code, EXIT_DATA, result.err)
        table = result.out[result.out.rindex("pipeline  status"):].splitlines()
        self.assertEqual([line.split()[:3] for line in table[2:4]], [["a", "failed", str(EXIT_DATA)], ["b", "done", "0"]])
        self.assertEqual(table[4].split(), ["c", "not", "begun"])
        self.assertFalse(self.path("c.duckdb").exists())
        with_all = self.tipple("run", "a", "b", "c", "--parallel", "3", "--keep-going", "--json", expect=EXIT_PARTIAL)
        codes = {event["pipeline"]: event["exit_code"] for event in with_all.events() if event["event"] == "run.finished"}
        self.assertEqual(codes, {"a": EXIT_DATA, "b": 0, "c": 0})

    def test_an_interrupt_ends_all(self):
        server = self.meet(3)
        self.write("tipple.toml", api("a", server.server_port, "a.duckdb") + api("b", server.server_port, "b.duckdb"))
        with Run(self.arguments(["run", "a", "b", "--parallel", "2"]), self.folder) as run:
            for _ in range(2):
                self.assertTrue(server.asked.acquire(timeout=HANGS_AFTER_SECONDS))
            run.send(signal.SIGINT)
            result = run.finish()
        self.assertEqual(result.code, EXIT_INTERRUPTED, result.err)
        self.assertFalse(self.path("a.duckdb").exists() or self.path("b.duckdb").exists())

    def test_the_memory_is_divided(self):
        self.write("a.jsonl", [{"id": 1}])
        self.write("tipple.toml", files("a", "a.jsonl", "a.duckdb") + files("b", "a.jsonl", "b.duckdb"))
        error = self.tipple("run", "--all", "--parallel", "2", "--memory", "128MiB", expect=EXIT_USAGE).err
        self.assertIn("64 MiB for each of 2 pipelines", error)
        self.write("big.jsonl", [{"id": n, "text": "x" * 900 + str(n)} for n in range(60_000)])
        self.write("tipple.toml", files("a", "big.jsonl", "a.duckdb") + files("b", "big.jsonl", "b.duckdb"))
        events = self.tipple("run", "--all", "--parallel", "2", "--memory", "400MiB", "--json").events()
        peaks = [event["peak_memory"] for event in events if event["event"] == "run.finished"]
        self.assertEqual(len(peaks), 2)
        self.assertLessEqual(max(peaks), 400 << 20)

    def test_what_makes_no_sense(self):
        self.write("a.jsonl", [{"id": 1}])
        self.write("tipple.toml", files("a", "a.jsonl", "a.duckdb") + files("b", "a.jsonl", "b.duckdb"))
        self.assertIn("twice", self.tipple("run", "a", "b", "a", "--parallel", "2", expect=EXIT_USAGE).err)
        self.assertIn("--parallel", self.tipple("run", "a", "--parallel", "0", expect=EXIT_USAGE).err)


if __name__ == "__main__":
    main()
