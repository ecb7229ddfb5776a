"""What runs leave behind, and the commands that look at it or change it: list, show, runs, trace, jobs, state, drop, sync, plan, check, config, init."""

import json
import os
import subprocess

import duckdb

from tipple_cli import BINARY, EXIT_DATA, EXIT_LOCKED, EXIT_USAGE, Case, clean_environment, main

EXIT_CHANGES = 8

SHOP = """
[connection.local]
uri = "shop.duckdb"

[pipeline.shop]
source = { type = "files", uri = "data" }
destination = "local"
dataset = "main"
[pipeline.shop.resources.orders]
glob = "orders-*.jsonl"
cursor = { field = "id" }
"""


class RunsCase(Case):
    def setUp(self):
        super().setUp()
        self.write("tipple.toml", SHOP)
        self.write("data/orders-1.jsonl", [{"id": 1}, {"id": 2}])

    def json(self, *arguments, **options):
        return json.loads(self.tipple(*arguments, "--json", **options).out)


class Records(RunsCase):
    def test_every_run_leaves_a_record(self):
        self.assertEqual(self.json("list")["pipelines"][0]["status"], "never run")
        self.tipple("run")
        self.write("data/orders-2.jsonl", "{\n")
        self.tipple("run", expect=EXIT_DATA)
        self.write("data/orders-2.jsonl", [{"id": 3}])
        self.tipple("run")
        runs = self.json("runs", "shop")["runs"]
        self.assertEqual([run["status"] for run in runs], ["done", "failed", "done"], "newest first")
        last = runs[0]
        self.assertEqual((last["v"], last["exit_code"], last["rows"], last["error"]), (1, 0, 1, None))
        self.assertEqual(last["cursors"], [{"resource": "orders", "cursor": "id", "before": 2, "after": 3}])
        self.assertEqual([(job["table"], job["rows"]) for job in last["jobs"]][0], ("orders", 1))
        self.assertEqual([step["step"] for step in last["steps"]], ["extract", "load"])
        self.assertGreater(last["peak_memory"], 0)
        self.assertEqual(runs[1]["error"]["kind"], "data")
        self.assertIn("orders-2.jsonl", runs[1]["error"]["message"])
        self.assertEqual(self.json("runs", "shop", runs[1]["run"][:5]), runs[1])
        self.assertEqual(len(self.json("runs", "shop", "--failed")["runs"]), 1)
        self.assertEqual(self.json("trace", "shop"), last)
        self.assertIn("failed", self.tipple("runs", "shop").out)
        self.assertIn("orders-2.jsonl", self.tipple("runs", "shop", runs[1]["run"]).out)
        self.assertIn("no run", self.tipple("runs", "shop", "zzz", expect=EXIT_USAGE).err)
        self.assertEqual(self.json("list")["pipelines"][0]["rows"], 1)

    def test_a_dry_run_leaves_none_and_load_leaves_one(self):
        self.tipple("run", "--dry-run")
        self.assertIn("has not been run", self.tipple("trace", "shop", expect=EXIT_USAGE).err)
        self.tipple("load", "data/orders-1.jsonl", "other.duckdb")
        self.assertEqual(self.json("trace", "other.duckdb")["pipeline"], "load_main")

    def test_show_jobs_and_the_names_of_dlt(self):
        self.tipple("run")
        shown = self.json("show", "shop")
        self.assertEqual(shown["resources"], [{"resource": "orders", "disposition": "append", "primary_key": "", "cursor": "id"}])
        self.assertEqual(shown["cursors"], [{"resource": "orders", "cursor": "id", "value": 2}])
        self.assertEqual(self.tipple("pipeline", "shop", "info").out, self.tipple("show", "shop").out)
        self.assertEqual(self.json("pipeline", "shop", "trace"), self.json("trace", "shop"))
        self.assertEqual({job["state"] for job in self.json("jobs", "shop")["jobs"]}, {"loaded"})
        self.assertEqual(self.json("pipeline", "shop", "failed-jobs")["jobs"], [])
        self.assertIn("did you mean trace", self.tipple("pipeline", "shop", "trac", expect=EXIT_USAGE).err)
        load = self.json("trace", "shop")["loads"][0]
        self.assertEqual(self.tipple("pipeline", "shop", "load-package").out, self.tipple("packages", "show", "shop", load).out)
        self.assertEqual(self.tipple("pipeline", "shop", "load-package", load).out, self.tipple("packages", "show", "shop", load).out)
        self.assertEqual(self.tipple("pipeline", "shop", "schema", "--format", "yaml").out, self.tipple("schema", "shop", "-o", "yaml").out)
        self.assertEqual(self.tipple("pipeline", "--list-pipelines").out, self.tipple("list").out)
        self.assertIn("NAME is required", self.tipple("pipeline", expect=EXIT_USAGE).err)
        self.assertIn("too many", self.tipple("pipeline", "shop", "trace", "more", expect=EXIT_USAGE).err)

    def test_the_names_of_dlt_for_what_takes_away(self):
        self.tipple("run")
        holder = duckdb.connect(str(self.database), read_only=True)
        self.write("data/orders-2.jsonl", [{"id": 3}])
        self.tipple("run", "--lock-timeout", "0.1", expect=EXIT_LOCKED)
        holder.close()
        [waiting] = self.pending()
        refused = self.tipple("pipeline", "shop", "drop-pending-packages", expect=EXIT_USAGE)
        self.assertIn(waiting, refused.err)
        self.assertEqual(self.pending(), [waiting])
        self.tipple("pipeline", "shop", "drop-pending-packages", "--yes")
        self.assertEqual(self.pending(), [])
        # The cursor moves with the commit only, so nothing is skipped.
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 2, 3])
        self.tipple("pipeline", "shop", "drop", "--drop-all", "--state-only", "--yes")
        self.assertEqual(self.json("state", "show", "shop")["sources"]["shop"]["resources"], {})
        self.assertEqual(self.count("orders"), 3, "the table stayed")
        self.tipple("pipeline", "shop", "drop", "orders", "--yes")
        self.assertEqual(self.tables(), [])


class Changes(RunsCase):
    def test_state(self):
        self.assertIn("remembers nothing yet", self.tipple("state", "show", "shop", expect=EXIT_USAGE).err)
        self.tipple("run")
        path = "resources.orders.incremental.id.last_value"
        self.assertEqual(self.tipple("state", "get", "shop", path).out, "2\n")
        self.assertIn('"last_value": 2', self.tipple("state", "show", "shop").out)
        self.assertIn("--yes", self.tipple("state", "set", "shop", path, "1", expect=EXIT_USAGE).err)
        self.tipple("state", "set", "shop", path, "1", "--yes")
        self.tipple("state", "set", "shop", "resources.orders.own", '{"a": [1]}', "--yes")
        self.assertEqual(self.tipple("state", "get", "shop", path).out, "1\n")
        self.assertEqual(self.tipple("state", "get", "shop", "resources.orders.own.a[0]").out, "1\n")
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 1, 2, 2], "from 1 on, which nothing says was read")
        self.tipple("state", "reset", "shop", "orders", "--yes")
        self.tipple("run")
        self.assertEqual(self.count("orders"), 6)
        self.assertIn('did you mean "orders"', self.tipple("state", "reset", "shop", "ordres", "--yes", expect=EXIT_USAGE).err)
        self.assertIn("did you mean get", self.tipple("state", "gett", "shop", expect=EXIT_USAGE).err)

    def test_drop(self):
        self.tipple("run")
        before = self.contents()
        self.assertIn("--yes", self.tipple("drop", "shop", "orders", expect=EXIT_USAGE).err)
        self.assertIn("which resources", self.tipple("drop", "shop", expect=EXIT_USAGE).err)
        self.assert_unchanged(before)
        self.tipple("drop", "shop", "orders", "--yes")
        self.assertEqual(self.tables(), [])
        self.tipple("run")
        self.assertEqual(self.count("orders"), 2)
        self.tipple("drop", "shop", "--all", "--state-only", "--yes")
        self.tipple("run")
        self.assertEqual(self.count("orders"), 4)

    def test_sync(self):
        self.tipple("run")
        self.assertIn("--yes", self.tipple("sync", "shop", expect=EXIT_USAGE).err)
        self.tipple("sync", "shop", "--yes")
        self.tipple("run")
        self.assertEqual(self.count("orders"), 2, "the destination knows the cursor")


class Preparing(RunsCase):
    def test_plan(self):
        plan = self.json("plan")["plans"][0]
        self.assertIn("CREATE TABLE", plan["statements"][0])
        self.assertFalse(self.database.exists())
        self.tipple("plan", "--exit-code", expect=EXIT_CHANGES)
        self.tipple("run")
        self.assertIn("nothing new", self.tipple("plan", "shop", "--exit-code").out)
        self.write("data/orders-2.jsonl", [{"id": 3, "note": "x"}])
        self.assertIn('ADD COLUMN "note" text', self.tipple("plan", "shop", "--exit-code", expect=EXIT_CHANGES).out)

    def test_errors_of_a_plan_name_the_pipeline(self):
        self.write("tipple.toml", SHOP.replace('"orders-*.jsonl"', '"missing.jsonl"'))
        self.assertIn('pipeline "shop": ', self.tipple("plan", expect=EXIT_USAGE).err)

    def test_a_name_among_a_hundred(self):
        self.write("tipple.toml", "".join(f'[pipeline.load_{i}]\nsource = "a.jsonl"\ndestination = "shop.duckdb"\n' for i in range(100)))
        self.assertRegex(self.tipple("run", "nothing_like_it", expect=EXIT_USAGE).err, r"there are: (load_\d+, ){4}load_\d+ and 95 others")
        self.assertRegex(self.tipple("run", expect=EXIT_USAGE).err, r"has (load_\d+, ){4}load_\d+ and 95 others; give names, or --all")

    def test_check(self):
        self.assertIn("orders", self.tipple("check").out)
        self.write(".tipple/secrets.toml", "")
        os.chmod(self.path(".tipple/secrets.toml"), 0o644)
        self.assertIn("chmod 600", self.tipple("check", expect=EXIT_USAGE).out)
        os.chmod(self.path(".tipple/secrets.toml"), 0o600)
        self.write("tipple.toml", SHOP.replace('"orders-*.jsonl"', '"missing.jsonl"'))
        self.assertIn("missing.jsonl", self.tipple("check", "shop", expect=EXIT_USAGE).out)

    def test_config(self):
        self.write("tipple.toml", SHOP + '[connection.other]\nuri = "postgresql://u:hunter2@h/d"\npassword = "hunter3"\ntoken = "${env:T}"\n')
        shown = self.tipple("config", "show").out
        self.assertIn("${env:T}", shown)
        self.assertNotIn("hunter", shown)
        explained = self.tipple("config", "explain", "pipeline.shop.dataset", env={"TIPPLE_PIPELINE__SHOP__DATASET": "x"}).out
        self.assertIn('pipeline.shop.dataset = "x"    from TIPPLE_PIPELINE__SHOP__DATASET', explained)
        self.assertIn('hides pipeline.shop.dataset = "main"    from tipple.toml:8', explained)
        self.assertNotIn("hunter", self.tipple("config", "explain", "connection.other.password").out)
        self.assertIn("is not set", self.tipple("config", "explain", "pipeline.shop.memory").out)
        self.assertNotIn("hunter", self.tipple("connections").out)

    def test_json_everywhere(self):
        self.assertEqual(self.json("connections"), {"v": 1, "connections": [{"connection": "local", "kind": "duckdb", "where": "shop.duckdb"}]})
        explained = self.json("config", "explain", "connection.local.uri", env={"TIPPLE_CONNECTION__LOCAL__URI": "other.duckdb"})
        self.assertEqual(explained, {"v": 1, "key": "connection.local.uri", "variable": "TIPPLE_CONNECTION__LOCAL__URI",
                                     "values": [{"value": "other.duckdb", "from": "TIPPLE_CONNECTION__LOCAL__URI"}, {"value": "shop.duckdb", "from": "tipple.toml:3"}]})
        self.tipple("run")
        self.assertEqual(self.json("state", "get", "shop", "resources.orders.incremental.id.last_value"), {"v": 1, "path": "resources.orders.incremental.id.last_value", "values": [2]})
        for command in (["drop", "shop", "orders"], ["state", "reset", "shop", "orders"], ["state", "set", "shop", "a", "1"], ["sync", "shop"], ["pipeline", "shop", "drop", "orders"]):
            with self.subTest(command=command):
                self.assertIn("--dry-run", self.tipple(*command, expect=EXIT_USAGE).err)
                before = self.contents()
                plan = self.tipple(*command, "--dry-run").out
                self.assertIn("this will", plan)
                self.assertEqual(self.json(*command, "--dry-run"), {"v": 1, "plan": plan.strip()})
                self.assert_unchanged(before)
        self.assertEqual(self.json("packages", "discard", "shop"), {"v": 1, "discarded_packages": []})
        self.assertEqual(self.json("sync", "shop", "--yes"), {"v": 1, "pipeline": "shop", "discarded_packages": []})
        made = self.json("init", "new")
        self.assertEqual((made["v"], [os.path.exists(self.path(file)) for file in made["files"]]), (1, [True] * 5))

    def test_init_runs_at_once(self):
        self.tipple("init", "new")
        folder, self.folder = self.folder, self.folder / "new"
        self.addCleanup(setattr, self, "folder", folder)
        self.assertEqual(os.stat(self.path(".tipple/secrets.toml")).st_mode & 0o777, 0o600)
        self.tipple("run", "shop")
        self.tipple("run", "shop", "--profile", "test")
        self.tipple("check")
        self.assertEqual(self.count("shop.orders", database=self.folder / "warehouse.duckdb"), 3)
        self.assertIn("there already", self.tipple("init", expect=EXIT_USAGE).err)

    def test_completion(self):
        commands = self.tipple("--help").out.split("ommands:")[1].split("Documentation")[0]
        listed = {line.split()[0] for line in commands.splitlines() if line.startswith("  ") and not line.startswith("   ")}
        for shell in ("bash", "zsh", "fish"):
            script = self.tipple("completion", shell).out
            self.assertLessEqual(listed & {"load", "run", "undo", "state", "init", "help"}, set(script.replace('"', " ").split()))
        script = self.write("tipple.bash", self.tipple("completion", "bash").out)
        asked = f'source {script}; COMP_WORDS=(tipple "$1" "$2"); COMP_CWORD=$3; _tipple; echo "${{COMPREPLY[*]}}"'

        def complete(*words):
            environment = clean_environment({"PATH": os.path.dirname(BINARY) + os.pathsep + os.environ["PATH"]})
            run = subprocess.run(["bash", "-c", asked, "bash", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=True, timeout=60)
            return run.stdout.split()

        self.assertEqual(complete("sta", "", "1"), ["state"])
        self.assertIn("--keep-going", complete("run", "--keep", "2"))
        self.assertIn("shop", complete("run", "sh", "2"))


class UsualErrors(RunsCase):
    """What people meet most, and that the message says what to do."""

    def test_a_run_that_is_going_on(self):
        self.tipple("run")
        lock = next((self.data_folder / "pipelines").glob("shop-*")) / "lock"
        holder = subprocess.Popen(["flock", str(lock), "sleep", "60"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        while subprocess.run(["flock", "-n", str(lock), "true"], check=False).returncode == 0:
            pass
        error = self.tipple("run", expect=9).err
        self.assertIn('another run of pipeline "shop"', error)
        self.assertIn("wait for it", error)

    def test_a_column_that_cannot_be_as_hinted(self):
        self.write("tipple.toml", SHOP.replace('glob =', 'contract = { data_type = "freeze" }\nglob ='))
        self.tipple("run")
        self.write("data/orders-2.jsonl", [{"id": "three"}])
        self.write("tipple.toml", SHOP.replace('glob =', 'contract = { data_type = "freeze" }\nglob =').replace('cursor = { field = "id" }', ""))
        error = self.tipple("run", expect=EXIT_DATA).err
        for text in ("orders-2.jsonl:1", '"id"', "three"):
            self.assertIn(text, error)

    def test_merge_without_a_key(self):
        self.write("tipple.toml", SHOP.replace('glob =', 'disposition = "merge"\nglob ='))
        self.assertIn("give it a primary_key", self.tipple("run", expect=EXIT_USAGE).err)

    def test_append_where_merge_was_meant(self):
        self.write("tipple.toml", SHOP.replace('cursor = { field = "id" }', 'state = "none"'))
        self.tipple("run")
        self.assertIn("twice now", self.tipple("run").err)


if __name__ == "__main__":
    main()
