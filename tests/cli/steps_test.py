"""The key `steps` of a project's resources: what is done to records before they are loaded, whatever their source."""

import json
import shutil
import textwrap

import duckdb

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, EXIT_USAGE, Case, main


STEPS = """
[pipeline.shop]
source = { type = "files", uri = "data" }
destination = "shop.duckdb"
dataset = "main"

[pipeline.shop.resources.orders]
glob = "orders.*"
"""


class Steps(Case):
    """The key steps, for every source."""

    def steps(self, text, more=""):
        self.project(STEPS + f"steps = [{text}]\n" + more)

    def project(self, text):
        self.write("tipple.toml", textwrap.dedent(text))

    def run_fails(self, *arguments, says, expect=EXIT_USAGE):
        result = self.tipple("run", *arguments, expect=expect)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, result.err)

    def rows(self, sql):
        with duckdb.connect(self.path("shop.duckdb"), read_only=True) as database:
            return database.sql(sql).fetchall()

    def names_of(self, table):
        return [name for name in self.values(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position") if not name.startswith("_dlt")]

    def write_orders(self, form):
        """The same records as JSON lines, JSON, CSV or Parquet."""
        records = [
            {"id": 1, "email": "a@x", "state": "open", "total": 1.5},
            {"id": 2, "email": None, "state": "done", "total": 2.5},
            {"id": 3, "email": "c@x", "state": "open", "total": 3.5},
        ]
        if form == "jsonl":
            self.write("data/orders.jsonl", records)
        elif form == "json":
            self.write("data/orders.json", json.dumps(records))
        elif form == "csv":
            self.write("data/orders.csv", "id,email,state,total\n" + "".join(f"{r['id']},{r['email'] or ''},{r['state']},{r['total']}\n" for r in records))
        else:
            self.write("rows.jsonl", records)
            duckdb.sql(f"COPY (SELECT * FROM read_json('{self.path('rows.jsonl')}')) TO '{self.path('data')}/orders.parquet' (FORMAT parquet)")

    def test_every_form_of_file_gives_the_same(self):
        steps = (
            "{ filter = 'state == \"open\" or id == 2' }, { filter = 'id < 3', drop = ['state'], rename = { total = 'amount', id = 'number' }, set = { origin = 'eu', vat = 0.19, big = 7, "
            "yes = true }, mask = ['email'] }, { keep = ['number', 'email', 'amount', 'origin', 'vat', 'big', 'yes'], rename = { origin = 'source' } }"
        )
        for form in ("jsonl", "json", "csv", "parquet"):
            with self.subTest(form=form):
                shutil.rmtree(self.path("data"), ignore_errors=True)
                self.path("data").mkdir()
                self.write_orders(form)
                self.steps(steps)
                self.tipple("run", "--full-refresh")
                self.assertEqual(self.names_of("orders"), ["number", "email", "amount", "source", "vat", "big", "yes"])
                self.assertEqual(
                    self.rows("SELECT * EXCLUDE (_dlt_load_id, _dlt_id) FROM orders ORDER BY number"), [(1, "***", 1.5, "eu", 0.19, 7, True), (2, None, 2.5, "eu", 0.19, 7, True)]
                )

    def test_a_list_becomes_records(self):
        records = [{"id": 1, "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]}, {"id": 2, "lines": []}, {"id": 3, "lines": [{"sku": "c", "n": 9}]}]
        self.path("data").mkdir()
        for form in ("jsonl", "csv", "parquet"):
            with self.subTest(form=form):
                shutil.rmtree(self.path("data"), ignore_errors=True)
                self.path("data").mkdir()
                if form == "jsonl":
                    self.write("data/orders.jsonl", records)
                elif form == "csv":
                    self.write("data/orders.csv", "id;lines\n" + "".join(f"{r['id']};{json.dumps(r['lines'])}\n" for r in records))
                else:
                    values = ", ".join(f"({r['id']}, '{json.dumps(r['lines'])}')" for r in records)
                    duckdb.sql(f"COPY (SELECT * FROM (VALUES {values}) AS t(id, lines)) TO '{self.path('data')}/orders.parquet' (FORMAT parquet)")
                more = "csv = { delimiter = ';', quote = 'none' }\n" if form == "csv" else ""
                self.steps("{ explode = 'lines', rename = { lines = 'line' } }, { filter = 'line.n == null or line.n < 9' }", more)
                self.tipple("run", "--full-refresh")
                self.assertEqual(self.rows("SELECT id, line__sku, line__n FROM orders ORDER BY id, line__n"), [(1, "a", 1), (1, "b", 2), (2, None, None)])

    def test_conditions_cursors_and_limits_see_what_steps_have_left(self):
        self.write("data/orders.jsonl", [{"n": n, "state": "done" if n == 2 else "open"} for n in range(1, 7)])
        self.steps("{ filter = 'state == \"open\"', rename = { n = 'id' }, drop = ['state'] }", "where = 'id != 3'\nlimit = 2\ncursor = { field = 'id', order = 'asc' }\n")
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 4])
        self.tipple("run")
        self.assertEqual(self.values("SELECT id FROM orders ORDER BY id"), [1, 4, 5, 6])
        self.steps("{ drop = ['n'] }", "cursor = 'n'\n")
        self.run_fails("--full-refresh", says='cursor "n"', expect=EXIT_DATA)

    def test_records_keep_their_places(self):
        self.write("data/orders.jsonl", '{"id":1,"a":[1,2]}\n\n{"id":2,"a":[1]}\n{"id":3,"a":[{"b":1}]}\n')
        self.steps("{ filter = 'id != 2' }, { explode = 'a' }, { rename = { a = 'x' } }", "primary_key = 'key'\ndisposition = 'merge'\n")
        self.run_fails(says="orders.jsonl:1 ", expect=EXIT_DATA)
        self.write("data/orders.jsonl", '{"key":1,"a":[1,2]}\n\n{"key":2,"a":[1]}\n{"id":3,"a":[{"b":1}]}\n')
        self.run_fails(says="orders.jsonl:4 (byte 39)", expect=EXIT_DATA)
        self.write("data/orders.jsonl", '{"key":1,"a":[1,2]}\n\n{"key":2,"a":[tru]}\n{"key":3}\n')
        self.run_fails(says="orders.jsonl:3 ", expect=EXIT_DATA)
        self.write("tipple.toml", self.path("tipple.toml").read_text().replace('dataset = "main"', 'dataset = "main"\non_bad_record = "skip"'))
        self.tipple("run", expect=EXIT_PARTIAL)
        self.assertEqual(self.rows("SELECT key, x FROM orders ORDER BY key"), [(1, 1), (3, None)])
        self.write("data/orders.jsonl", '{"key":1}\n{"key":7,"id":7} {"key":8,"id":8}\n')
        self.steps("{ mask = ['id'] }", "metadata = ['_source_line']\n")
        self.tipple("run", "--full-refresh")
        self.assertEqual(self.rows("SELECT key, id, _source_line FROM orders ORDER BY key"), [(1, None, 1), (7, "***", 2), (8, "***", 2)])

    def test_where_a_record_comes_from_is_no_field_of_it(self):
        self.write("data/orders.csv", "id,l\n1,\"[1,2]\"\n2,\n")
        self.steps("{ keep = ['id'] }", "metadata = ['_source_file', '_source_line']\n")
        self.tipple("run")
        self.assertEqual(self.rows("SELECT id, right(_source_file, 10), _source_line FROM orders ORDER BY id"), [(1, "orders.csv", 2), (2, "orders.csv", 3)])
        self.steps("{ explode = 'l' }", "metadata = ['_source_line']\n")
        self.tipple("run", "--full-refresh")
        self.assertEqual(self.rows("SELECT id, l, _source_line FROM orders ORDER BY id, l"), [(1, 1, 2), (1, 2, 2), (2, None, 3)])

    def test_a_parquet_file_is_not_loaded_as_it_lies(self):
        self.path("data").mkdir()
        self.write_orders("parquet")
        self.steps("{ mask = ['email'] }")
        self.tipple("run")
        self.assertEqual(self.values("SELECT email FROM orders ORDER BY id"), ["***", None, "***"])

    def test_tables_of_a_database(self):
        with duckdb.connect(self.path("source.duckdb")) as source:
            source.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, secret INTEGER NOT NULL, gone DATE, price DECIMAL(12,2), tags VARCHAR)")
            source.execute("INSERT INTO a VALUES (1, 11, '2024-01-01', 1.25, '[1,2]'), (2, 12, NULL, 2.5, '[]'), (3, 13, NULL, 3, NULL)")
        text = """
            [pipeline.copy]
            source = "source.duckdb"
            destination = "shop.duckdb"
            dataset = "main"
            [pipeline.copy.resources.a]
            disposition = "merge"
            cursor = { field = "price", order = "asc" }
            where = "id > 0"
            steps = [{ filter = "id < 3", drop = ["gone"], mask = ["secret"], rename = { id = "key" }, set = { origin = "eu" } }]
            """
        self.project(text)
        self.tipple("run")
        self.tipple("run")
        self.assertEqual(self.names_of("a"), ["key", "price", "tags", "secret", "origin"])
        self.assertEqual([(key, str(price), secret, origin) for key, price, secret, origin in self.rows("SELECT key, price, secret, origin FROM a ORDER BY key")], [(1, "1.25", "***", "eu"), (2, "2.50", "***", "eu")])
        self.assertEqual(self.values("SELECT data_type FROM information_schema.columns WHERE table_name = 'a' AND column_name = 'price'"), ["DECIMAL(12,2)"])
        self.project(text.replace("mask = [", "explode = 'tags', mask = [").replace('disposition = "merge"', ""))
        self.tipple("run", "--full-refresh")
        self.assertEqual(self.rows("SELECT key, tags::VARCHAR FROM a ORDER BY key, tags"), [(1, "1"), (1, "2"), (2, None)])
        self.project(text.replace('drop = ["gone"]', 'drop = ["id"]'))
        self.run_fails("--full-refresh", says='resource "a" has disposition merge, but nothing says which records are the same')

    def test_answers_of_an_api(self):
        url = self.serve_json(lambda _: [{"id": n, "name": "x", "l": [1, 2]} for n in range(1, 4)])
        self.project(
            f"""
            [pipeline.api]
            source = {{ type = "rest_api", base_url = "{url}", paginator = {{ type = "single_page" }} }}
            destination = "shop.duckdb"
            dataset = "main"
            [pipeline.api.resources.shops]
            steps = [{{ filter = "id < 3", explode = "l", mask = ["name"] }}, {{ rename = {{ id = "key" }} }}]
            where = "key != 2"
            """
        )
        self.tipple("run")
        self.assertEqual(self.rows("SELECT key, name, l FROM shops ORDER BY l"), [(1, "***", 1), (1, "***", 2)])

    def test_steps_of_all_resources_and_none_of_one(self):
        self.write("data/orders.jsonl", [{"a": 1, "b": 2}])
        self.project(STEPS.replace("[pipeline.shop.resources.orders]", "[pipeline.shop.defaults]\nsteps = [{ drop = ['b'] }]\n[pipeline.shop.resources.orders]") + "[pipeline.shop.resources.all]\nglob = 'orders.*'\nsteps = '!unset'\n")
        self.tipple("run")
        self.assertEqual((self.names_of("orders"), self.names_of("all")), (["a"], ["a", "b"]))

    def test_what_is_wrong_is_told_with_its_place(self):
        self.write("data/orders.csv", "id,a\n1,2\n")
        for steps, says in (
            ("{ dorp = ['a'] }", ['tipple.toml:9: resource "orders", step 1', 'did you mean "drop"?']),
            ("{ drop = ['a'] }, { filter = 'id >> 1' }", ['tipple.toml:9: ', "at character 5"]),
            ("{ rename = { a = 'x', id = 'x' } }", ['tipple.toml:9: ', '"rename" makes two fields "x"']),
            ("{ set = 'x' }", ['tipple.toml:9: ', '"set" is a table']),
        ):
            self.steps(steps)
            self.run_fails(says=says)
            checked = self.tipple("check", expect=EXIT_USAGE)
            self.assertIn(says[0], checked.out + checked.err)
        self.steps("{ filter = 'a.b == 1' }")
        self.run_fails(says='resource "orders": its records come as columns')
        self.tipple("check")
        self.steps("{ filter = 'id == 1' }", "delete_missing = 'hard'\ndisposition = 'merge'\nprimary_key = 'id'\nstate = 'none'\n")
        self.run_fails(says="a filter in its steps leaves records out")

    def test_a_path_into_a_column_is_refused_before_anything_is_read(self):
        says = "a condition can compare columns by their names only, not \"a.b\""
        self.path("data").mkdir()
        for glob in ("glob = '*.parquet'", "glob = ['a.pq', 'b-*.parquet']", "glob = '*.txt'\nformat = 'csv'"):
            for condition in ("steps = [{ filter = 'a.b == 1' }]", "where = 'a.b == 1'"):
                self.project(STEPS.replace("glob = \"orders.*\"", f"{glob}\n{condition}"))
                checked = self.tipple("check", expect=EXIT_USAGE)
                self.assertIn(says, checked.out)
                self.run_fails(says=says)
        for resource in ("glob = '*.parquet'\nsteps = [{ explode = 'a' }, { filter = 'a.b == 1' }]", "glob = ['*.parquet', '*.jsonl']\nsteps = [{ filter = 'a.b == 1' }]"):
            self.project(STEPS.replace("glob = \"orders.*\"", resource))
            self.tipple("check")
        with duckdb.connect(self.path("source.duckdb")) as source:
            source.execute("CREATE TABLE t AS SELECT {'b': 1} AS a")
        self.project("[pipeline.copy]\nsource = 'source.duckdb'\ndestination = 'shop.duckdb'\n[pipeline.copy.resources.t]\nsteps = [{ filter = 'a.b == 1' }]\n")
        self.assertIn(says, self.tipple("check", expect=EXIT_USAGE).out)


if __name__ == "__main__":
    main()
