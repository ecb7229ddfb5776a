"""Pipelines of a project file: `tipple run`, and the other commands with a pipeline as their target."""

import contextlib
import json
import sqlite3
import textwrap

import duckdb

from tipple_cli import EXIT_DATA, EXIT_DONE, EXIT_PARTIAL, EXIT_TRANSIENT, EXIT_USAGE, Case, Run, main

EXIT_TIMEOUT = 124

SHOP = """
version = 1

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


def orders(first, last):
    return [{"id": number, "total": number * 2} for number in range(first, last + 1)]


class ProjectCase(Case):
    def project(self, text, name="tipple.toml"):
        self.write(name, textwrap.dedent(text))

    def run_fails(self, *arguments, says, expect=EXIT_USAGE, **options):
        """The run changes nothing and says all of `says`."""
        before = self.contents()
        result = self.tipple("run", *arguments, expect=expect, **options)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, result.err)
        self.assert_unchanged(before)
        return result


class Runs(ProjectCase):
    def test_growing_files_are_loaded_once(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 3))
        self.tipple("run")
        self.assertEqual(self.count("orders"), 3)
        # The same file, longer, and another one.
        self.write("data/orders-1.jsonl", orders(1, 5))
        self.write("data/orders-2.jsonl", orders(6, 7))
        result = self.tipple("run", "shop", "--json").finished()
        self.assertEqual(result["rows"], {"orders": 4})
        self.assertIn("nothing new", self.tipple("run").out)
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), list(range(1, 8)))
        self.assertEqual(len(self.values("SELECT load_id FROM _dlt_loads")), 2, "a run without anything new is no load")

    def test_a_failed_run_leaves_the_cursor_where_it_was(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 3))
        self.tipple("run")
        self.write("data/orders-2.jsonl", '{"id": 4}\n{"id": \n')
        self.run_fails(expect=EXIT_DATA, says=["orders-2.jsonl"])
        self.write("data/orders-2.jsonl", orders(4, 5))
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 2, 3, 4, 5])

    def test_full_refresh_begins_anew(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 3))
        self.tipple("run")
        self.write("data/orders-1.jsonl", [{"id": 1, "other": "x"}])
        self.tipple("run", "--full-refresh")
        self.assertEqual(self.columns("orders"), {"id": "BIGINT", "other": "VARCHAR"})
        self.assertEqual(self.count("orders"), 1)

    def test_lag_start_and_records_without_a_cursor(self):
        self.project(SHOP.replace('cursor = { field = "id" }', """
            disposition = "merge"
            primary_key = "id"
            cursor = { field = "day", start = 2024-01-02, lag = "1d", on_missing = "include" }"""))
        self.write("data/orders-1.jsonl", [{"id": 1, "day": "2024-01-01"}, {"id": 2, "day": "2024-01-05"}, {"id": 3}])
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [2, 3], "the first lies before the start")
        self.write("data/orders-2.jsonl", [{"id": 4, "day": "2024-01-04"}, {"id": 5, "day": "2024-01-03"}])
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [2, 3, 4], "a day late is not too late, two are")

    def test_missing_cursor_is_an_error_by_default(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", [{"id": 1}, {"x": 2}])
        self.run_fails(expect=EXIT_DATA, says=["orders-1.jsonl:2", 'cursor "id"', "include"])

    def test_a_timeout_ends_a_run_in_order(self):
        self.project('[pipeline.shop]\nsource = "stdin"\ndestination = "shop.duckdb"\ndataset = "main"\n')
        before = self.contents()
        with Run(self.arguments(["run", "--timeout", "1s"]), self.folder) as run:
            run.feed(b'{"id": 1}\n')
            run.wait_for("the time is up")
            result = run.finish()
        self.assertEqual(result.code, EXIT_TIMEOUT, result.err)
        self.assert_unchanged(before)
        [record] = json.loads(self.tipple("runs", "shop", "--json").out)["runs"]
        self.assertEqual((record["status"], record["exit_code"], record["loads"]), ("stopped", EXIT_TIMEOUT, []))
        self.tipple("run", "--timeout", "5m", input='{"id": 1}\n')
        self.assertEqual(self.count("stdin"), 1)

    def test_since_and_until(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 6))
        self.tipple("run")
        self.tipple("run", "--since", "3", "--until", "5")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 2, 3, 3, 4, 4, 5, 6])
        self.tipple("run", "--since", "6")
        self.assertEqual(self.count("orders"), 9)
        self.tipple("run")
        self.assertEqual(self.count("orders"), 9, "the cursor did not fall back")
        self.write("data/orders-2.jsonl", orders(7, 8))
        self.tipple("run", "--since", "100")
        self.assertEqual(self.count("orders"), 11, "nothing was skipped")
        self.tipple("run", "--since", "100", "--full-refresh")
        self.tipple("run")
        self.assertEqual(self.count("orders"), 8, "where one run began is not remembered")
        self.project(SHOP.replace('cursor = { field = "id" }', ""))
        self.run_fails("--since", "1", says="has a cursor")

    def test_several_resources_and_their_hints(self):
        self.project("""
            [pipeline.shop]
            source = { type = "files", uri = "data" }
            destination = "shop.duckdb"
            dataset = "main"
            [pipeline.shop.defaults]
            disposition = "merge"
            primary_key = "id"
            state = "none"
            columns = { id = "bigint" }
            [pipeline.shop.resources.orders]
            glob = ["orders-*.jsonl"]
            table = "sales"
            columns = { total = { type = "decimal", precision = 10, scale = 2 } }
            [pipeline.shop.resources.customers]
            glob = "customers.csv"
            csv = { delimiter = ";", header = true }
            [pipeline.shop.resources.events]
            glob = "none-*.jsonl"
            disposition = "append"
            primary_key = "!unset"
            [pipeline.shop.resources.off]
            enabled = false
            """)
        self.write("data/orders-1.jsonl", [{"id": 1, "total": 1.5}, {"id": 1, "total": 2}])
        self.write("data/customers.csv", "id;name\n1;Ada\n2;Bob\n")
        self.tipple("run")
        self.assertEqual(self.tables(), ["customers", "sales"])
        self.assertEqual(self.columns("sales"), {"id": "BIGINT", "total": "DECIMAL(10,2)"})
        self.write("data/customers.csv", "id;name\n2;Eve\n")
        self.tipple("run", "shop", "-r", "customers")
        self.assertEqual(self.query("SELECT id, name FROM customers ORDER BY id"), [(1, "Ada"), (2, "Eve")])
        self.run_fails("-r", "custmers", says='did you mean "customers"?')

    def test_many_pipelines(self):
        self.project("""
            [pipeline.a]
            source = "a.jsonl"
            destination = "shop.duckdb"
            [pipeline.b]
            source = "b.jsonl"
            destination = "shop.duckdb"
            [pipeline.c]
            source = "c.jsonl"
            destination = "shop.duckdb"
            """)
        self.write("a.jsonl", [{"x": 1}])
        self.write("b.jsonl", "{\n")
        self.write("c.jsonl", [{"x": 1}])
        self.run_fails(says=["which pipeline?", "a, b, c"])
        self.run_fails("d", says="has no pipeline \"d\"")
        result = self.tipple("run", "--all", "--keep-going", expect=EXIT_PARTIAL)
        self.assertIn('error: pipeline "b"', result.err)
        self.assertEqual(self.tables(), ["a.a", "c.c"])
        # Without it, what comes behind the failure is not run.
        self.tipple("run", "a", "b", "c", expect=EXIT_DATA)
        self.assertEqual((self.count("a.a"), self.count("c.c")), (2, 1))
        events = self.tipple("run", "--all", "--keep-going", "--json", expect=EXIT_PARTIAL).events()
        ends = [(event["pipeline"], event["status"]) for event in events if event["event"] == "run.finished"]
        self.assertEqual(ends, [("a", "done"), ("b", "failed"), ("c", "done")])

    def test_dry_run_and_limit(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 9))
        self.assertIn("dry run", self.tipple("run", "--dry-run").out)
        self.assertFalse(self.database.exists())
        self.tipple("run", "--limit", "4")
        self.assertEqual(self.count("orders"), 4)
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), list(range(1, 10)), "the limit did not move the cursor too far")


class Places(ProjectCase):
    def test_found_from_below_and_by_flags(self):
        self.project(SHOP)
        self.write("data/orders-1.jsonl", orders(1, 2))
        self.write("elsewhere/deep/x.txt", "")
        binary_folder = self.folder
        self.folder = self.folder / "elsewhere/deep"
        self.addCleanup(setattr, self, "folder", binary_folder)
        self.tipple("run")
        self.assertEqual(self.count("orders"), 2)
        self.folder = binary_folder
        self.tipple("-C", "elsewhere/deep", "run")
        self.tipple("run", "-f", "tipple.toml")
        self.assertIn('no project file "other.toml"', self.tipple("run", "-f", "other.toml", expect=EXIT_USAGE).err)
        self.assertIn("tipple init", self.tipple("-C", "/", "run", expect=EXIT_USAGE).err)

    def test_targets(self):
        self.project(SHOP.replace('dataset = "main"', ""))
        self.write("data/orders-1.jsonl", orders(1, 2))
        self.tipple("run")
        for target in ("shop", "local/shop"):
            self.assertEqual(self.tipple("query", target, "SELECT sum(total) AS s FROM orders", "-o", "csv").out, "s\n6\n")
            self.assertIn("orders", self.tipple("preview", target).out)
            self.assertIn("id", self.tipple("schema", target, "orders").out)
            self.assertIn("nothing is in quarantine", self.tipple("quarantine", target).err)
        self.assertEqual(self.tipple("query", "local", "SELECT 1 AS one", "-o", "csv", "--dataset", "shop").out, "one\n1\n")
        self.assertIn('did you mean "shop"', self.tipple("query", "shpo", "SELECT 1", expect=EXIT_USAGE).err)
        self.tipple("load", self.write("more.jsonl", [{"a": 1}]), "local/extra")
        self.assertIn("extra.more", self.tables())
        # A project that is broken is no reason not to look at a file.
        self.project("[pipeline")
        self.tipple("query", "shop.duckdb", "SELECT 1")


class Settings(ProjectCase):
    def test_wrong_settings_are_told_together_with_place_and_nearest_name(self):
        self.project("""
            [pipeline.shop]
            sorce = "x"
            destination = "locl"
            workers = "many"
            [pipeline.shop.resources.orders]
            primry_key = "id"
            disposition = "merg"
            columns = { a = "bigin" }
            cursor = { feild = "id", lag = "3 days" }
            [connection.local]
            uri = "shop.duckdb"
            """)
        self.run_fails(says=["tipple.toml:3", '"sorce"; did you mean "source"?', "tipple.toml:4", 'did you mean "local"?', "tipple.toml:5", "whole number",
                             "tipple.toml:7", '"primry_key"; did you mean "primary_key"?', "tipple.toml:8", 'did you mean "merge"?', "tipple.toml:9",
                             "did you mean bigint", "tipple.toml:10", '"feild"; did you mean "field"?', "3 days"])
        self.project("[pipelin.shop]\n")
        self.run_fails(says=["tipple.toml:1", 'did you mean "pipeline"?'])
        self.project("[pipeline.shop]\nsource = \n")
        self.run_fails(says=["tipple.toml:2:", "not TOML"])
        self.project("version = 2\n")
        self.run_fails(says=["tipple.toml:1", "version = 1"])

    def test_missing_secret_names_what_to_set(self):
        self.project(SHOP.replace('uri = "shop.duckdb"', 'uri = "${secret:warehouse.path}"'))
        variable = "TIPPLE_CONNECTION__LOCAL__URI"
        self.run_fails(says=[variable, '[warehouse] path = "..."', ".tipple/secrets.toml (which does not exist)"])
        self.run_fails(says=["TIPPLE_CONNECTION__LOCAL__URL in the environment: a typo?"], env={"TIPPLE_CONNECTION__LOCAL__URL": "x"})
        self.write(".tipple/secrets.toml", "[warehouse]\npaht = 'shop.duckdb'\n")
        self.run_fails(says="warehouse.paht in .tipple/secrets.toml: a typo?")
        self.write("data/orders-1.jsonl", orders(1, 1))
        self.write(".tipple/secrets.toml", "[warehouse]\npath = 'shop.duckdb'\n")
        self.tipple("run")
        self.write(".tipple/secrets.toml", "")
        self.tipple("run", env={variable: "shop.duckdb"})
        self.assertEqual(self.count("orders"), 1)

    def test_looking_at_loads_needs_no_secrets_of_the_source(self):
        self.project(SHOP.replace('uri = "data"', 'uri = "${env:DROPS}"').replace('glob = "', 'glob = "${secret:drops.prefix}'))
        self.write("data/orders-1.jsonl", orders(1, 2))
        secrets = {"DROPS": "data", "TIPPLE_PIPELINE__SHOP__RESOURCES__ORDERS__GLOB": "orders-*.jsonl"}
        self.tipple("run", "shop", env=secrets)
        self.assertEqual(len(json.loads(self.tipple("runs", "shop", "--json").out)["runs"]), 1)
        self.assertEqual([entry["rows"] for entry in json.loads(self.tipple("list", "--json").out)["pipelines"]], [2])
        self.assertIn("orders", self.tipple("trace", "shop").out)
        for command in (["jobs", "shop"], ["packages", "list", "shop"], ["state", "show", "shop"], ["schema", "blame", "shop", "orders.total"], ["quarantine", "list", "shop"]):
            self.assertEqual(self.tipple(*command).out, self.tipple(*command, env=secrets).out)
        shown = self.tipple("show", "shop")
        self.assertIn("last run", shown.out)
        self.assertIn("warning: the resources cannot be shown", shown.err)
        self.assertIn("drops.prefix", shown.err)
        self.assertEqual([entry["resource"] for entry in json.loads(self.tipple("show", "shop", "--json", env=secrets).out)["resources"]], ["orders"])
        # Where the run is kept depends on the destination.
        self.project(SHOP.replace('"shop.duckdb"', '"${secret:warehouse.path}"'))
        self.assertIn("warehouse", self.tipple("runs", "shop", expect=EXIT_USAGE).err)

    def test_references(self):
        self.project(SHOP.replace('"shop.duckdb"', '"${env:PLACE}.${file:ending.txt}"').replace('"main"', '"${env:NOT_SET:-main}"'))
        self.write("ending.txt", "duckdb\n")
        self.write("data/orders-1.jsonl", orders(1, 1))
        self.run_fails(says=["the environment variable PLACE is not set"])
        self.tipple("run", env={"PLACE": "shop"})
        self.assertEqual(self.count("orders"), 1)
        self.project(SHOP.replace('"shop.duckdb"', '"${vault:x}"'))
        self.run_fails(says=["is no reference"])

    def test_profiles_variables_and_flags_go_on_top(self):
        self.project(SHOP + '\n[profile.test.pipeline.shop]\ndataset = "from_profile"\n')
        self.write("data/orders-1.jsonl", orders(1, 1))
        dataset = lambda *arguments, **options: self.tipple("run", "--json", *arguments, **options).finished()["dataset"]
        self.assertEqual(dataset(), "main")
        self.assertEqual(dataset("--profile", "test"), "from_profile")
        self.assertEqual(dataset(env={"TIPPLE_PROFILE": "test"}), "from_profile")
        variables = {"TIPPLE_PIPELINE__SHOP__DATASET": "from_variable"}
        self.assertEqual(dataset("--profile", "test", env=variables), "from_variable")
        self.assertEqual(dataset("--set", "pipeline.shop.dataset=from_flag", env=variables), "from_flag")
        self.run_fails("--profile", "tset", says='did you mean "test"?')

    def test_secrets_are_never_printed(self):
        self.project("""
            [connection.local]
            type = "duckdb"
            path = "${secret:p}"
            [pipeline.shop]
            source = "a.jsonl"
            destination = "postgrs://user:hunter2@host/db"
            workers = "${secret:p}"
            """)
        self.write(".tipple/secrets.toml", 'p = "hunter2"\n')
        result = self.run_fails(says=["***"])
        self.assertNotIn("hunter2", result.out + result.err)


class CredentialsInATable(ProjectCase):
    """What may stand in a table of its own is checked there as anywhere."""

    SOURCE = """
        version = 1
        [pipeline.drops]
        destination = "shop.duckdb"
        [pipeline.drops.source]
        uri = "s3://acme-drops/sales/"
        {source}
        [pipeline.drops.resources.sales]
        glob = "*.csv"
        {resource}
        """
    DESTINATION = """
        version = 1
        [pipeline.orders]
        source = "orders.jsonl"
        destination = "lake"
        [connection.lake]
        uri = "{uri}"
        {destination}
        """

    def test_of_a_source(self):
        for source, says in (
            ('credentials = { access_key = "a", secret_access_key = "b" }', ["tipple.toml:6", 'credentials has no key "access_key"; did you mean "access_key_id"?']),
            ('credentials = { aws_secret_access_key = "b" }', ["tipple.toml:6", 'did you mean "secret_access_key"?']),
            ('credentials = { glob = "b" }', ["tipple.toml:6", 'credentials has no key "glob"']),
            ('region = "eu-west-1"\ncredentials = { access_key_id = "a", secret_access_key = "sesame", region = "eu-west-2" }',
             ["tipple.toml:7", "says region twice, in the table credentials and beside it (tipple.toml:6 and tipple.toml:7)"]),
            ('credentials = "sesame"', ["tipple.toml:6", '"credentials" must be a table of access_key_id, secret_access_key,', "not text"]),
            ('credentails = { region = "x" }', ["tipple.toml:6", 'did you mean "credentials"?']),
            ('credentials = { access_key_id = "a" }', ['"secret_access_key" is missing: an access key is access_key_id and secret_access_key']),
            ('credentials = { anonymous = "perhaps" }', ['"anonymous" must be true or false, not "perhaps"']),
        ):
            with self.subTest(source):
                self.write("tipple.toml", textwrap.dedent(self.SOURCE).strip().format(source=source, resource=""))
                self.assertNotIn("sesame", self.run_fails(says=says).err)

    def test_of_a_resource(self):
        self.write("tipple.toml", textwrap.dedent(self.SOURCE).strip().format(source="", resource='credentials = { region = "x" }'))
        self.run_fails(says=["tipple.toml:9", 'has no key "credentials": it is one of the source'])

    def test_of_a_destination(self):
        self.write("orders.jsonl", [{"id": 1}])
        for uri, destination, says in (
            ("s3://lake/team", 'credentials = { access_key_id = "a", secret_access_key = "b", regoin = "x" }', ["tipple.toml:7", 'did you mean "region"?']),
            ("s3://lake/team", 'credentials = { profile = "a" }\nprofile = "b"', ["tipple.toml:8", "says profile twice"]),
            ("shop.duckdb", 'credentials = { region = "x" }', ["tipple.toml:7", 'has no key "credentials"']),
        ):
            with self.subTest(destination):
                self.write("tipple.toml", textwrap.dedent(self.DESTINATION).strip().format(uri=uri, destination=destination))
                self.run_fails(says=says)


class SettingsOfDlt(ProjectCase):
    PROJECT = '[connection.wh]\n[pipeline.shop]\nsource = "a.jsonl"\ndestination = "wh"\n'

    def test_below_our_own(self):
        self.project(self.PROJECT)
        self.write("a.jsonl", [{"x": 1}])
        self.run_fails(says='"uri" is missing')
        self.write(".dlt/secrets.toml", '[destination.wh]\ncredentials = "duckdb:///shop.duckdb"\n')
        self.write(".dlt/config.toml", '[pipelines.shop]\ndataset_name = "raw"\n[sources.files]\ntable = "events"\n')
        self.tipple("run")
        self.assertEqual(self.tables(), ["raw.events"])
        self.assertEqual(self.tipple("query", "shop", "SELECT x FROM events", "-o", "csv").out, "x\n1\n")
        self.tipple("run", env={"SHOP__SOURCES__FILES__TABLE": "other"})
        self.assertEqual(self.tables(), ["raw.events", "raw.other"])
        self.project(self.PROJECT + 'dataset = "own"\n')
        self.tipple("run")
        self.assertIn("own.events", self.tables())

    def test_where_a_value_comes_from(self):
        self.project('[connection.postgres]\ntype = "postgres"\n[pipeline.shop]\nsource = "a.jsonl"\ndestination = "postgres"\n')
        self.write("a.jsonl", [{"x": 1}])
        self.write(".dlt/secrets.toml", '[destination.postgres.credentials]\npassword = "hunter2"\n')
        self.write(".dlt/config.toml", '[destination.postgres.credentials]\nhost = "db1"\n[pipelines.shop]\ndataset_name = "raw"\n')

        explain = self.explain
        host, key = "connection.postgres.host", "destination.postgres.credentials.host"
        in_file = ("db1", f".dlt/config.toml:2 ({key})")
        self.assertEqual(explain(host), [in_file])
        self.assertIn(f'{host} = "db1"    from .dlt/config.toml:2 ({key})\n', self.tipple("config", "explain", host).out)
        self.assertEqual(explain(host, TIPPLE_CONNECTION__POSTGRES__HOST="own"), [("own", "TIPPLE_CONNECTION__POSTGRES__HOST"), in_file])
        self.assertEqual(explain(host, CREDENTIALS__HOST="env"), [("env", "CREDENTIALS__HOST")])
        scoped = "SHOP__DESTINATION__POSTGRES__CREDENTIALS__HOST"
        self.assertEqual(explain(host, **{scoped: "env"}), [in_file, ("env", scoped + ", for pipeline shop only")])
        self.assertEqual(explain("connection.postgres.password"), [("***", ".dlt/secrets.toml:2 (destination.postgres.credentials.password)")])
        self.assertEqual(explain("pipeline.shop.dataset"), [("raw", ".dlt/config.toml:4 (pipelines.shop.dataset_name)")])
        self.assertEqual(explain("pipeline.shop.source.select", SOURCES__FILES__SELECT="data"), [("data", "SOURCES__FILES__SELECT")])
        self.assertEqual(explain("connection.postgres.port"), [])
        url = {"DESTINATION__POSTGRES__CREDENTIALS": "postgresql://u:hunter2@db2/dw"}
        self.assertEqual(explain("connection.postgres.uri", **url), [("***", "DESTINATION__POSTGRES__CREDENTIALS")])
        self.assertEqual(explain(host, **url), [], "the URL counts")

    def test_a_url_and_its_password(self):
        self.write("a.jsonl", [{"x": 1}])
        self.write(".dlt/config.toml", '[destination.postgres.credentials]\nhost = "127.0.0.2"\nport = 1\n')

        def reached(says, **env):
            self.assertIn(says, self.tipple("run", "--retry-budget", "0", env=env, expect=EXIT_TRANSIENT).err)

        named = '[connection.postgres]\ntype = "postgres"\n[pipeline.shop]\nsource = "a.jsonl"\ndestination = "postgres"\n'
        for project in (named, '[pipeline.shop]\nsource = "a.jsonl"\ndestination = { type = "postgres" }\n'):
            self.project(project)
            reached("127.0.0.2:1/")
            reached("127.0.0.3:1/", SHOP__DESTINATION__POSTGRES__CREDENTIALS__HOST="127.0.0.3")
            reached("127.0.0.1:2/dw", DESTINATION__POSTGRES__CREDENTIALS="postgresql://u:hunter2@127.0.0.1:2/dw")
            reached("127.0.0.1:3/dw", SHOP__DESTINATION__POSTGRES__CREDENTIALS="postgresql://u@127.0.0.1:3/dw", DESTINATION__POSTGRES__CREDENTIALS="postgresql://u@127.0.0.1:2/dw")

    def test_sources_under_the_names_of_dlt(self):
        with contextlib.closing(sqlite3.connect(self.path("own.db"))) as own:
            own.executescript("CREATE TABLE orders(id INTEGER); INSERT INTO orders VALUES (1), (2)")
        self.project('[pipeline.shop]\nsource = { type = "sql" }\ndestination = "shop.duckdb"\ndataset = "main"\n')
        self.run_fails(says='needs "uri"')
        self.write(".dlt/secrets.toml", 'credentials = "sqlite:///other.db"\n[sources.sql_database]\ncredentials = "sqlite:///own.db"\n')
        self.tipple("run")
        self.assertEqual(self.count("orders"), 2)
        explained = json.loads(self.tipple("config", "explain", "pipeline.shop.source.uri", "--json").out)
        self.assertEqual(explained["values"][0], {"value": "***", "from": ".dlt/secrets.toml:3 (sources.sql_database.credentials)"})
        self.write("drops/a.jsonl", [{"x": 1}])
        self.write(".dlt/config.toml", '[sources.filesystem]\nbucket_url = "drops"\n')
        self.project('[pipeline.shop]\nsource = { type = "files" }\ndestination = "shop.duckdb"\ndataset = "main"\n[pipeline.shop.resources.events]\nglob = "*.jsonl"\n')
        self.tipple("run")
        self.assertEqual(self.count("events"), 1)

    def test_files_beside_credentials(self):
        self.project('[connection.filesystem]\ntype = "filesystem"\n[pipeline.shop]\nsource = "a.jsonl"\ndestination = "filesystem"\n')
        self.write("a.jsonl", [{"x": 1}])
        self.write(".dlt/config.toml", '[destination.filesystem]\nbucket_url = "lake"\nlayout = "{table_name}/x{load_id}.{file_id}.{ext}"\n')
        self.tipple("run")
        [file] = self.path("lake/shop/a").iterdir()
        self.assertTrue(file.name.startswith("x"))

    def explain(self, key, preexec=None, **env):
        found = json.loads(self.tipple("config", "explain", key, "--json", env=env, preexec=preexec).out)["values"]
        return [(value["value"], value["from"]) for value in found]

    def test_files_of_all_projects(self):
        self.project(self.PROJECT)
        self.write("a.jsonl", [{"x": 1}])
        home = self.data_folder / "home"
        (home / ".dlt").mkdir(parents=True)
        (home / ".dlt/secrets.toml").write_text('[destination.wh]\ncredentials = "duckdb:///data/all.duckdb"\n')
        (home / ".dlt/config.toml").write_text('[pipelines]\ndataset_name = "raw"\n[sources.files]\ntable = "events"\n')
        become = self.unprivileged()
        env = {"HOME": str(home)}
        self.run_fails(says='"uri" is missing', env={"HOME": str(self.folder)}, preexec=become)
        self.tipple("run", env=env, preexec=become)
        self.assertEqual(self.tables(self.data_folder / "all.duckdb"), ["raw.events"])
        self.assertEqual(self.explain("pipeline.shop.dataset", become, **env), [("raw", f"{home}/.dlt/config.toml:2 (pipelines.dataset_name)")])
        self.assertEqual(self.explain("connection.wh.uri", become, **env), [("***", f"{home}/.dlt/secrets.toml:2 (destination.wh.credentials)")])
        # The project's own files come first, key by key.
        self.write(".dlt/config.toml", '[pipelines]\ndataset_name = "own"\n')
        self.tipple("run", env=env, preexec=become)
        self.assertEqual(self.tables(self.data_folder / "all.duckdb"), ["own.events", "raw.events"])
        # Where there is no ~/.dlt, the place of the desktop counts; a home that is not one's own does not.
        (home / ".dlt").rename(home / "dlt")
        env = {"HOME": str(home), "XDG_DATA_HOME": str(home)}
        self.assertEqual(self.explain("pipeline.shop.source.table", become, **env), [("events", f"{home}/dlt/config.toml:4 (sources.files.table)")])
        self.assertEqual(self.explain("pipeline.shop.source.table", become, HOME="/nowhere", XDG_DATA_HOME=str(home)), [])

    def test_variables_without_files(self):
        self.project(self.PROJECT)
        self.write("a.jsonl", [{"x": 1}])
        self.run_fails(says='"uri" is missing', env={"CREDENTIALS": "duckdb:///shop.duckdb"})
        named = {"DESTINATION__WH__CREDENTIALS": "duckdb:///shop.duckdb", "PIPELINES__DATASET_NAME": "raw", "DATASET_NAME": "no", "TABLE": "no"}
        self.tipple("run", env=named)
        self.assertEqual(self.tables(), ["raw.a"])
        self.assertEqual(self.explain("pipeline.shop.dataset", **named), [("raw", "PIPELINES__DATASET_NAME")])
        self.assertEqual(self.explain("pipeline.shop.source.table", TABLE="no"), [])
        # They are those of a project of dlt's as soon as there is a file.
        self.write(".dlt/config.toml", "")
        self.assertEqual(self.explain("pipeline.shop.source.table", TABLE="yes"), [("yes", "TABLE")])

    def test_credentials_in_parts(self):
        self.project('[pipeline.shop]\nsource = { type = "sql" }\ndestination = "shop.duckdb"\ndataset = "main"\n')
        parts = "[sources.sql_database.credentials]\n"
        with contextlib.closing(sqlite3.connect(self.path("own.db"))) as own:
            own.executescript("CREATE TABLE orders(id INTEGER); INSERT INTO orders VALUES (1), (2)")
        self.write(".dlt/secrets.toml", parts + 'drivername = "sqlite"\ndatabase = "own.db"\n')
        self.tipple("run")
        self.assertEqual(self.count("orders"), 2)
        key = "sources.sql_database.credentials"
        self.assertEqual(self.explain("pipeline.shop.source.uri"), [("***", f".dlt/secrets.toml:2 ({key}.drivername)")])
        self.write(".dlt/config.toml", parts + 'drivername = "postgresql+psycopg2"\nhost = "127.0.0.1"\nport = 1\ndatabase = "the dw"\nusername = "u s"\n')
        self.write(".dlt/secrets.toml", parts + 'password = "p@/w"\n[sources.sql_database.credentials.query]\nsslmode = "wrong"\n')
        self.assertEqual(self.explain("pipeline.shop.source.host"), [("127.0.0.1", f".dlt/config.toml:3 ({key}.host)")])
        self.assertEqual(self.explain("pipeline.shop.source.sslmode"), [("wrong", f".dlt/secrets.toml:3 ({key}.query.sslmode)")])
        self.assertIn("sslmode", self.tipple("run", "--retry-budget", "0", expect=None).err)
        self.write(".dlt/secrets.toml", parts + 'password = "p@/w"\n')

        def reached(says, **env):
            self.assertIn(says, self.tipple("run", "--retry-budget", "0", env=env, expect=EXIT_TRANSIENT).err)

        reached("127.0.0.1:1/the dw")
        reached("127.0.0.1:2/the dw", SOURCES__SQL_DATABASE__CREDENTIALS__PORT="2")
        # A URL that counts less than the table.
        self.write(".dlt/secrets.toml", 'credentials = "postgresql://127.0.0.2:9/less"\n' + parts + 'password = "p@/w"\n')
        reached("127.0.0.1:1/the dw")
        # One that counts more, and what it leaves out is looked up.
        reached("127.0.0.1:1/other", SOURCES__SQL_DATABASE__CREDENTIALS="postgresql://127.0.0.1/other")
        reached("127.0.0.2:3/other", CREDENTIALS="postgresql://127.0.0.2:3/other")
        # The project's own URL is complete.
        self.project('[pipeline.shop]\nsource = { type = "sql", uri = "postgresql://127.0.0.3:4" }\ndestination = "shop.duckdb"\ndataset = "main"\n')
        self.assertNotIn("the dw", self.tipple("run", "--retry-budget", "0", expect=EXIT_TRANSIENT).err)
        reached("127.0.0.3:4/")
        self.assertEqual(self.explain("pipeline.shop.source.host"), [])

    def test_a_destination_in_parts(self):
        self.write("a.jsonl", [{"x": 1}])
        self.project(self.PROJECT)
        self.write(".dlt/secrets.toml", '[destination.wh.credentials]\ndrivername = "duckdb"\ndatabase = "shop.duckdb"\n')
        self.tipple("run")
        self.assertEqual(self.tables(), ["shop.a"])
        self.project('[pipeline.shop]\nsource = "a.jsonl"\ndestination = { type = "duckdb" }\ndataset = "main"\n')
        self.write(".dlt/secrets.toml", '[destination.duckdb.credentials]\ndatabase = "shop.duckdb"\n')
        self.tipple("run")
        self.assertEqual(self.tables(), ["a", "shop.a"])
        # What dlt says of another server does not change the project's own URL.
        self.project('[connection.wh]\nuri = "postgresql://127.0.0.1:1/dw"\n[pipeline.shop]\nsource = "a.jsonl"\ndestination = "wh"\n')
        self.write(".dlt/config.toml", '[destination.wh.credentials]\nhost = "127.0.0.2"\nport = 2\ndatabase = "other"\n')
        self.assertIn("127.0.0.1:1/dw", self.tipple("run", "--retry-budget", "0", expect=EXIT_TRANSIENT).err)
        self.assertEqual(self.explain("connection.wh.host"), [])

    def test_a_secret_in_the_wrong_file(self):
        self.project(self.PROJECT)
        self.write(".dlt/config.toml", '[destination.wh]\ncredentials = "duckdb:///shop.duckdb"\n')
        self.run_fails(says=["destination.wh.credentials", "secrets.toml"])


class LoadWithCursor(ProjectCase):
    def test_only_what_is_new(self):
        for last in (3, 5, 5):
            self.write("orders.jsonl", orders(1, last))
            self.load("orders.jsonl", "--cursor", "id", expect=EXIT_DONE)
            self.assertEqual(self.count("orders"), last)
        self.load("orders.jsonl", "--cursor", "id", "--full-refresh")
        self.assertEqual(self.count("orders"), 5)

    def test_start_lag_and_missing(self):
        self.write("orders.jsonl", [{"id": 1, "at": "2024-01-01T10:00:00Z"}, {"id": 2, "at": "2024-01-01T12:00:00Z"}, {"id": 3}])
        flags = ["--cursor", "at", "--cursor-start", "2024-01-01T11:00:00Z", "--cursor-lag", "30m", "--cursor-missing", "exclude", "--key", "id"]
        self.load("orders.jsonl", *flags)
        self.assertEqual(self.values("SELECT id FROM orders"), [2])
        self.write("orders.jsonl", [{"id": 4, "at": "2024-01-01T11:40:00Z"}, {"id": 5, "at": "2024-01-01T11:20:00Z"}])
        self.load("orders.jsonl", *flags)
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [2, 4])
        self.assertIn("--cursor", self.tipple("load", "orders.jsonl", "shop.duckdb", "--cursor-lag", "5m", expect=EXIT_USAGE).err)
        self.assertIn("must be a number or a time", self.tipple("load", "orders.jsonl", "shop.duckdb", "--cursor", "at", "--cursor-lag", "5x", expect=EXIT_USAGE).err)

    def test_the_type_of_a_cursor_decides_how_values_compare(self):
        self.project(SHOP.replace('cursor = { field = "id" }', 'cursor = { field = "id", type = "bigint" }'))
        self.write("data/orders-1.jsonl", [{"id": "9"}, {"id": "10"}])
        self.tipple("run", "--quiet")
        self.write("data/orders-2.jsonl", [{"id": "11"}, {"id": "2"}])
        self.tipple("run", "--quiet")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY length(id), id"), ["9", "10", "11"])
        self.write("data/orders-3.jsonl", [{"id": "twelve"}])
        self.run_fails(says='cursor "id": "twelve" (text) cannot be read as bigint', expect=EXIT_DATA)


SELECTION = """
[pipeline.shop]
source = { type = "files", uri = "data" }
destination = "shop.duckdb"
dataset = "main"

[pipeline.shop.resources.orders]
glob = "orders.jsonl"
where = 'state == "open" and (total > 4 or by.id == 9)'
limit = 2
depends = "payments"
cursor = { field = "id", order = "asc" }

[pipeline.shop.resources.payments]
glob = "payments.csv"
where = 'day >= "2024-02-01" and not paid == false'
"""


class Selection(ProjectCase):
    """The keys where, limit and depends."""

    def setUp(self):
        super().setUp()
        self.project(SELECTION)
        self.write(
            "data/orders.jsonl",
            [{"id": n, "state": "done" if n == 2 else "open", "total": n + 3, "by": {"id": 9 if n == 1 else 1}} for n in range(1, 7)],
        )
        self.write("data/payments.csv", "id,day,paid\n1,2024-01-05,true\n2,2024-02-01,false\n3,2024-03-01,true\n")

    def changed(self, old, new):
        self.assertIn(old, SELECTION)
        self.project(SELECTION.replace(old, new))

    def test_a_limit_takes_so_many_records_and_the_next_run_goes_on(self):
        first = self.tipple("run", "--json").finished()
        self.assertEqual({table: first["rows"][table] for table in ("orders", "payments")}, {"orders": 2, "payments": 1})
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 3], "one whose condition holds by its path, then the next that is open")
        self.assertEqual(self.values("SELECT id FROM payments"), [3])
        self.assertEqual(first["unwanted_records"], 1 + 2)
        record = json.loads(self.tipple("trace", "shop", "--json").out)
        self.assertEqual(record["left_out"]["by_conditions"], 3)
        self.assertEqual(record["cursors"], [{"resource": "orders", "cursor": "id", "before": None, "after": 3}])
        self.assertNotIn("twice", self.tipple("run").err, "of the same file, other records")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 3, 4, 5])
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 3, 4, 5, 6])

    def test_what_depends_on_others_is_read_behind_them(self):
        def tables():
            return [table for table in self.tipple("run", "--dry-run", "--json").finished()["rows"] if table in ("orders", "payments")]

        self.assertEqual(tables(), ["payments", "orders"])
        self.changed('depends = "payments"\n', "")
        self.assertEqual(tables(), ["orders", "payments"])
        self.project(SELECTION + "enabled = false\n")
        self.assertEqual(tables(), ["orders"], "one that is switched off is not waited for")
        self.project(SELECTION)
        self.tipple("run", "-r", "orders")
        self.assertEqual([table for table in self.tables() if not table.startswith("_")], ["orders"], "a dependency is an order, no choice")

    def test_records_are_numbered_as_they_are_in_the_file(self):
        self.write("data/payments.csv", "id,day,paid\n1,2024-01-05,true\n2,2024-03-01,false\n3,2024-03-01,true\n4,2024-03-02,\n")
        self.changed("where = 'day", "disposition = 'merge'\nprimary_key = 'paid'\nwhere = 'day")
        self.run_fails("-r", "payments", says="payments.csv, record 4", expect=EXIT_DATA)

    def test_a_parquet_file_is_read_when_rows_are_left_out(self):
        duckdb.sql(f"COPY (SELECT range AS id, range % 2 = 0 AS even FROM range(10)) TO '{self.path('data/n.parquet')}'")
        self.project(SELECTION + '[pipeline.shop.resources.n]\nglob = "n.parquet"\nwhere = "even == true and id >= 4"\n')
        self.tipple("run", "-r", "n")
        self.assertEqual(self.values("SELECT id FROM n ORDER BY id"), [4, 6, 8])

    def test_what_is_wrong_is_told_with_its_place(self):
        for old, new, says in (
            ('depends = "payments"', 'depends = "payment"', 'tipple.toml:11: resource "orders" depends on "payment", which is no resource of this pipeline; did you mean "payments"?'),
            ('depends = "payments"', 'depends = "orders"', "tipple.toml:11: "),
            ("where = 'day", "depends = 'orders'\nwhere = 'day", 'tipple.toml:7: resources depend on each other, so none of them can be read first: "orders" on "payments" on "orders"'),
            ("total > 4", "total >> 4", 'tipple.toml:9: where "state == "open" and (total >> 4 or by.id == 9)" at character 29: expected a number'),
            (', order = "asc"', "", 'tipple.toml:7: resource "orders" has a cursor and a limit, but nothing says'),
            ('cursor = { field = "id", order = "asc" }', "", 'tipple.toml:7: resource "orders" reads every file once and whole, and a limit would load a part of one'),
            ("limit = 2", "limit = -1", 'tipple.toml:10: resource "orders": "limit"'),
            ("where = 'day", "delete_missing = 'hard'\ndisposition = 'merge'\nprimary_key = 'id'\nwhere = 'day", "a condition (where) leaves records out"),
            ("[pipeline.shop.resources.orders]", "[pipeline.shop.defaults]\ndepends = 'orders'\n[pipeline.shop.resources.orders]", 'tipple.toml:8: "defaults": "depends" is for single resources'),
        ):
            self.changed(old, new)
            self.run_fails(says=says)
            # What needs nothing to be read, a check says before a run does.
            if "delete_missing" not in new:
                self.assertIn(says, self.tipple("check", expect=EXIT_USAGE).out + self.tipple("check", expect=EXIT_USAGE).err)

    def test_children_are_read_of_parents_that_are_left(self):
        asked = []

        def answer(path):
            asked.append(path)
            return [{"id": n, "open": n != 2} for n in range(1, 6)] if path == "/shops" else [{"n": 1}]

        url = self.serve_json(answer)
        self.project(
            f"""
            [pipeline.api]
            source = {{ type = "rest_api", base_url = "{url}", paginator = {{ type = "single_page" }} }}
            destination = "shop.duckdb"
            dataset = "main"
            [pipeline.api.resources.shops]
            where = "open == true"
            limit = 3
            [pipeline.api.resources.orders]
            parent = "shops"
            path = "shops/{{parent.id}}/orders"
            """
        )
        for flags in ((), ("-r", "orders"), ("--set", "pipeline.api.resources.shops.enabled=false")):
            asked.clear()
            self.tipple("run", *flags)
            self.assertEqual(asked, ["/shops", "/shops/1/orders", "/shops/3/orders", "/shops/4/orders"], flags)
        self.assertEqual(self.values("SELECT id FROM shops ORDER BY id"), [1, 3, 4])

    def test_a_condition_in_the_language_of_the_database(self):
        with duckdb.connect(self.path("source.duckdb")) as source:
            source.execute("CREATE TABLE a AS SELECT range AS n FROM range(10)")
            source.execute("CREATE TABLE b AS SELECT range AS n FROM range(10)")
        self.project(
            """
            [pipeline.copy]
            source = "source.duckdb"
            destination = "shop.duckdb"
            dataset = "main"
            [pipeline.copy.resources.a]
            where = "n BETWEEN 3 AND 8"
            limit = 4
            depends = "b"
            [pipeline.copy.resources.b]
            limit = 0
            """
        )
        self.tipple("run")
        self.assertEqual(self.count("a"), 4)
        self.write("tipple.toml", self.path("tipple.toml").read_text().replace('depends = "b"', 'depends = "cc"'))
        self.assertIn('resource "a" depends on "cc", which is no resource of source "sql"; there are: a, b\n', self.tipple("run", expect=EXIT_USAGE).err)
        self.assertTrue(set(self.values("SELECT n FROM a")) <= set(range(3, 9)))
        self.assertNotIn("b", self.tables())


if __name__ == "__main__":
    main()
