"""REST APIs as a user reads them: the example projects against servers that behave as the public documentation says, what `-v`, `check` and `help` say,
and a server on which nothing can be relied."""

import json
import os
import pathlib
import shutil
import sys
import threading
import tomllib

from tipple_cli import EXIT_DATA, EXIT_PARTIAL, EXIT_USAGE, IS_LONG, Case, main, seeded_random

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from api_server import APIS, TROUBLES, ApiServer, Refusal  # noqa: E402

TOKENS = {"GITHUB_TOKEN": "github-token", "STRIPE_KEY": "sk_test_123", "HUBSPOT_TOKEN": "pat-eu1", "ARTICLES_KEY": "articles-key"}
BASES = {"github": "/repos/duckdb/duckdb", "stripe": "/v1", "hubspot": "", "pokeapi": "/api/v2", "articles": ""}


def small_pages(name):
    """So that a handful of records has several pages."""
    path = f"TIPPLE_PIPELINE__{name.upper()}__"
    return {"github": {path + "DEFAULTS__PARAMS__PER_PAGE": "3"}, "stripe": {path + "RESOURCES__CHARGES__PARAMS__LIMIT": "3"},
            "hubspot": {path + "RESOURCES__CONTACTS__JSON__LIMIT": "2"}, "pokeapi": {path + "RESOURCES__NAMES__PARAMS__LIMIT": "2"}}.get(name, {})


class RestApiCase(Case):
    def setUp(self):
        super().setUp()
        self.server = ApiServer()
        self.enterContext(self.server)

    def use_example(self, name):
        shutil.copy(ROOT / "examples/rest_api" / name / "tipple.toml", self.folder)
        self.database = self.folder / "warehouse.duckdb"
        # The server is on this machine, so nothing waits long.
        self.env = {**TOKENS, **small_pages(name), f"TIPPLE_PIPELINE__{name.upper()}__SOURCE__BASE_URL": self.server.url + BASES[name],
                    f"TIPPLE_PIPELINE__{name.upper()}__SOURCE__RATE_LIMIT": "1000/s"}

    def run_example(self, *arguments, **options):
        self.server.seen.clear()
        return self.tipple("run", *arguments, env=self.env, **options)


class Examples(RestApiCase):
    def rows(self, sql):
        return self.query(sql)

    def three_runs(self, name, check):
        self.use_example(name)
        for step in range(3):
            self.server.step = step
            self.run_example("--quiet")
            check(step)

    def test_each_can_be_checked(self):
        for name in BASES:
            with self.subTest(name):
                self.use_example(name)
                self.assertRegex(self.tipple("check", name, env=self.env).out, r" (1 record|\d+ records); ")

    def test_github(self):
        api = APIS["/repos/"]

        def check(step):
            issues, comments = api.records(step)
            self.assertEqual(self.rows("SELECT id, number, title, state, user__login FROM github.issues ORDER BY id"),
                             sorted((i["id"], i["number"], i["title"], i["state"], i["user"]["login"]) for i in issues))
            self.assertEqual(self.rows("SELECT _issues_number, id, body FROM github.issue_comments ORDER BY id"),
                             sorted(((n, c["id"], c["body"]) for n, all in comments.items() for c in all), key=lambda row: row[1]))
            asked = sorted(int(target.split("/")[-2]) for target in {t.split("?")[0] for t in self.server.seen} if target.endswith("/comments"))
            # The newest of the run before lies within the lag.
            self.assertEqual(asked, [list(range(1, 8)), [2, 7, 8], [4, 8]][step], "only what changed is visited")

        self.three_runs("github", check)

    def test_stripe(self):
        def check(step):
            charges = APIS["/v1/charges"].records(step)
            self.assertEqual(self.rows("SELECT id, amount, metadata__order FROM stripe.charges ORDER BY id"), sorted((c["id"], c["amount"], c["metadata"]["order"]) for c in charges))
            self.assertEqual(self.query("SELECT count(*) FROM stripe.charges__refunds__data")[0][0], sum(len(c["refunds"]["data"]) for c in charges))

        self.three_runs("stripe", check)

    def test_hubspot(self):
        def check(step):
            contacts = APIS["/crm/v3/objects/contacts/search"].records(step)
            self.assertEqual(self.rows("SELECT id, properties__email FROM hubspot.contacts ORDER BY id"), sorted((c["id"], c["properties"]["email"]) for c in contacts))

        self.three_runs("hubspot", check)
        self.assertEqual(len(self.server.seen), 2, "the last run reads what is new: the newest of the run before, two new ones, a changed one")

    def test_pokeapi(self):
        def check(step):
            self.assertEqual(self.rows("SELECT id, name, weight FROM pokeapi.pokemon ORDER BY id"), [(p["id"], p["name"], p["weight"]) for p in APIS["/api/v2/"].records(step)])
            self.assertEqual(self.tables(), ["pokeapi.pokemon", "pokeapi.pokemon__types"])

        self.three_runs("pokeapi", check)

    def test_articles(self):
        def check(step):
            articles = APIS["/articles"].records(step)
            self.assertEqual(self.rows("SELECT id, title, score FROM articles.articles ORDER BY id"), [(a["id"], a["title"], a["score"]) for a in articles])

        self.three_runs("articles", check)
        self.assertEqual(self.server.seen, ["GET /articles?updated_since=2026-01-10T00%3A00%3A00Z&api_key=articles-key"])


class Commands(RestApiCase):
    def test_verbose_shows_each_request_and_no_secret(self):
        self.use_example("articles")
        result = self.run_example("-v")
        lines = [line for line in result.err.splitlines() if " info GET " in line]
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[1], r"GET http://127\.0\.0\.1:\d+/articles\?updated_since=\S+&page=2&api_key=\*\*\* 200 [\d.]+ s \d+ B attempt 1$")
        self.assertNotIn("articles-key", result.out + result.err)
        self.env["ARTICLES_KEY"] = "wrong-secret"
        failed = self.run_example(expect=5)
        self.assertIn("status 403: {\"message\": \"who are you?\"}", failed.err)
        self.assertNotIn("wrong-secret", failed.out + failed.err)
        for path in self.data_folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.assertNotIn(b"articles-key", content, path)
                self.assertNotIn(b"wrong-secret", content, path)

    def test_check_asks_each_resource_for_one_page(self):
        self.use_example("articles")
        result = self.tipple("check", env=self.env)
        self.assertRegex(result.out, r'ok +articles +articles +3 records; paginator page_number, total_path = "meta\.total_pages" \(found out\); select "articles" \(found out\); fields id bigint')
        self.assertEqual(len(self.server.seen), 1)
        self.env["ARTICLES_KEY"] = "wrong-secret"
        self.assertIn("status 403", self.tipple("check", env=self.env, expect=5).out)

    def test_mistakes_are_said_with_file_and_line(self):
        self.use_example("articles")
        text = self.path("tipple.toml").read_text().replace("location =", "locaton =").replace("[pipeline.articles.resources.articles]\n", "[pipeline.articles.resources.articles]\nselct = \"x\"\n")
        self.write("tipple.toml", text)
        result = self.run_example(expect=EXIT_USAGE)
        self.assertRegex(result.err, r'tipple\.toml:\d+: resource "articles" has no key "selct"; did you mean "select"\?')
        self.write("tipple.toml", text.replace('selct = "x"\n', ""))
        self.assertRegex(self.run_example(expect=EXIT_USAGE).err, r'tipple\.toml:\d+: "auth" has no key "locaton"; did you mean "location"\?')
        self.assertEqual(self.server.seen, [])

    def test_help_lists_all_settings(self):
        out = self.tipple("help", "rest_api").out
        for name in ["base_url", "rate_limit", "concurrency", "path", "paginator", "include", "max_failed_parents"]:
            self.assertRegex(out, rf"(?m)^  {name} ")

    def test_interrupted_run_loads_nothing_and_the_next_one_all(self):
        self.use_example("github")
        before = self.contents()
        self.server.trouble = lambda request: (500, {}) if request.path.endswith("/7/comments") else None
        self.env["TIPPLE_PIPELINE__GITHUB__SOURCE__RETRY__ATTEMPTS"] = "2"
        self.env["TIPPLE_PIPELINE__GITHUB__SOURCE__RETRY__BASE"] = "1ms"
        failed = self.run_example(expect=None)
        self.assertNotEqual(failed.code, 0)
        self.assertIn("status 500 after 2 attempts", failed.err)
        self.assert_unchanged(before)
        self.server.trouble = None
        self.run_example("--quiet")
        self.assertEqual(self.query("SELECT count(*) FROM github.issues")[0][0], 7)


class Rooms:
    """Messages of rooms, each with a time of its own room; rooms come and go."""

    def __init__(self):
        self.rooms = {"a": [1, 2, 3], "b": [101, 102], "c": []}
        self.broken = set()
        self.fields = {}

    def answer(self, request, step, url):
        segments = request.path.strip("/").split("/")
        if len(segments) == 1:
            names = sorted(self.rooms)
            page = int(request.params.get("page", 1))
            return {"rooms": [{"name": name, **self.fields.get(name, {})} for name in names[page - 1:page]], "total": len(names)}, {}
        if segments[1] in self.broken:
            raise Refusal(410, "gone")
        after = int(request.params.get("after", 0))
        return {"messages": [{"seq": seq, "text": f"{segments[1]}{seq}"} for seq in self.rooms[segments[1]] if seq >= after]}, {}


class ParentCursors(RestApiCase):
    """A cursor for each parent: what one of them has come to says nothing of another."""

    PROJECT = """
version = 1
[connection.local]
uri = "rooms.duckdb"
[pipeline.rooms]
source = {{ type = "rest_api", base_url = "{url}", concurrency = 3 }}
destination = "local"
dataset = "main"
[pipeline.rooms.resources.rooms]
disposition = "replace"
primary_key = "name"
paginator = {{ type = "page_number", base_page = 1, total_path = "total" }}
[pipeline.rooms.resources.messages]
parent = "rooms"
path = "rooms/{{parent.name}}/messages"
select = "messages"
params = {{ after = "{{cursor.start}}" }}
include = ["name"]
cursor = {{ field = "seq", scope = "parent" }}
"""

    def setUp(self):
        super().setUp()
        self.api = Rooms()
        APIS["/rooms"] = self.api
        self.addCleanup(APIS.pop, "/rooms")
        self.database = self.folder / "rooms.duckdb"
        self.write("tipple.toml", self.PROJECT.format(url=self.server.url))

    def asked(self):
        asked = sorted(target.split("/rooms/")[1] for target in self.server.seen if "/messages" in target)
        self.server.seen.clear()
        return asked

    def messages(self):
        return [text for (text,) in self.query("SELECT text FROM messages ORDER BY seq, text")]

    def test_each_parent_goes_on_where_it_was(self):
        self.tipple("run", "--quiet")
        self.assertEqual(self.asked(), ["a/messages", "b/messages", "c/messages"])
        self.assertEqual(self.messages(), ["a1", "a2", "a3", "b101", "b102"])
        self.api.rooms["a"].append(4)
        self.api.rooms["c"] += [7]
        self.api.rooms["d"] = [1]
        self.tipple("run", "--quiet")
        self.assertEqual(self.asked(), ["a/messages?after=3", "b/messages?after=102", "c/messages", "d/messages"], "one cursor for all would ask for 102 everywhere")
        self.assertEqual(self.messages(), ["a1", "d1", "a2", "a3", "a4", "c7", "b101", "b102"], "appended, and nothing twice")
        del self.api.rooms["b"]
        self.tipple("run", "--quiet")
        self.api.rooms["b"] = [101, 102, 103]
        self.asked()
        self.tipple("run", "--quiet")
        self.assertIn("b/messages?after=102", self.asked(), "a parent that was away is remembered")
        self.assertEqual(self.messages()[-3:], ["b101", "b102", "b103"])
        self.tipple("run", "--quiet", "--full-refresh")
        self.assertEqual(self.asked(), ["a/messages", "b/messages", "c/messages", "d/messages"])

    def test_a_parent_that_failed_stays_where_it_was(self):
        self.write("tipple.toml", self.path("tipple.toml").read_text() + "max_failed_parents = 1\n")
        self.tipple("run", "--quiet")
        self.api.rooms["a"].append(4)
        self.api.rooms["b"].append(103)
        self.api.broken.add("a")
        self.tipple("run", "--quiet", expect=EXIT_PARTIAL)
        self.api.broken.clear()
        self.asked()
        self.tipple("run", "--quiet")
        self.assertEqual(self.asked(), ["a/messages?after=3", "b/messages?after=103", "c/messages"])
        self.assertEqual(self.messages(), ["a1", "a2", "a3", "a4", "b101", "b102", "b103"])

    def test_parents_without_a_key_are_told_apart_by_what_requests_take(self):
        text = self.path("tipple.toml").read_text()
        self.write("tipple.toml", text.replace('primary_key = "name"\n', "").replace('include = ["name"]', 'include = ["name", "updated_at"]\nprimary_key = "seq"'))
        self.api.fields = {"a": {"updated_at": 1}, "b": {"updated_at": None}}
        self.tipple("run", "--quiet")
        self.api.fields["a"] = {"updated_at": 2}
        self.api.rooms["a"].append(4)
        self.asked()
        self.tipple("run", "--quiet")
        self.assertEqual(self.asked(), ["a/messages?after=3", "b/messages?after=102", "c/messages"], "a parent that has changed is the same")
        self.assertEqual(self.messages(), ["a1", "a2", "a3", "a4", "b101", "b102"])

    def test_parents_without_their_key_are_left_out_when_that_is_allowed(self):
        text = self.path("tipple.toml").read_text().replace('primary_key = "name"', 'primary_key = "id"')
        self.write("tipple.toml", text)
        self.api.fields = {"a": {"id": 1}, "b": {"id": None}, "c": {"id": 3}}
        self.assertIn('this one has no "id" to tell it from others', self.tipple("run", "-r", "messages", expect=EXIT_DATA).err)
        self.asked()
        self.write("tipple.toml", text + 'on_null = "skip"\n')
        self.tipple("run", "--quiet", "-r", "messages")
        self.assertEqual(self.asked(), ["a/messages", "c/messages"])
        self.assertEqual(self.messages(), ["a1", "a2", "a3"])

    def test_what_it_cannot_be_combined_with_is_said(self):
        self.assertIn("a limit would move them past records that are not loaded", self.tipple("run", "--limit", "1", expect=EXIT_USAGE).err)
        self.tipple("run", "--limit", "1", "--dry-run")
        text = self.path("tipple.toml").read_text()
        self.write("tipple.toml", text.replace('primary_key = "name"', 'primary_key = "nam"'))
        self.assertIn('this one has no "nam" to tell it from others', self.tipple("run", "-r", "messages", expect=EXIT_DATA).err)
        self.write("tipple.toml", text.replace('primary_key = "name"\n', 'primary_key = "name"\ncursor = { field = "name", scope = "parent" }\n'))
        self.assertIn('it is not read by the records of a parent; leave "scope" out', self.tipple("run", expect=EXIT_USAGE).err)
        self.write("tipple.toml", text.replace('scope = "parent"', 'scope = "parents"'))
        self.assertIn('"scope" cannot be "parents"', self.tipple("run", expect=EXIT_USAGE).err)


class Vectors(RestApiCase):
    """Vectors of our specification that need a whole run, by their names; the others are in src/tipple/sources/rest_api_test.cpp."""

    def serve(self, answer):
        """`answer(path, params)` gives the body for `/v/...`."""
        class Api:
            @staticmethod
            def answer(request, step, url):
                self.bodies.append((request.body, dict(request.headers)))
                return answer(request.path.removeprefix("/v/"), request.params), {}

        self.bodies = []
        APIS["/v/"] = Api
        self.addCleanup(APIS.pop, "/v/", None)

    def run_resources(self, resources, source="", expect=0):
        self.database = self.folder / "v.duckdb"
        self.server.seen.clear()
        self.write("tipple.toml", f"""
version = 1
[connection.local]
uri = "v.duckdb"
[pipeline.v]
source = {{ type = "rest_api", base_url = "{self.server.url}/v"{source} }}
destination = "local"
dataset = "main"
{resources}""")
        return self.tipple("run", "--quiet", expect=expect)

    def asked(self):
        return [target.removeprefix("GET /v/") for target in self.server.seen]

    PARENTS = """
[pipeline.v.resources.posts]
paginator = { type = "page_number", base_page = 1, total_path = "pages" }
select = "data"
"""

    def test_d9_a_childs_cursor_loses_no_parents_records(self):
        # The time falls from parent to parent, and each parent is a page of its own.
        self.serve(lambda path, params: {"pages": 4, "data": [{"id": int(params["page"])}]} if path == "posts" else [{"ts": 1000 - 100 * int(path.split("/")[1]) + n} for n in (0, 1)])
        self.run_resources(self.PARENTS + """
[pipeline.v.resources.notes]
parent = "posts"
path = "posts/{parent.id}/notes"
cursor = { field = "ts", start = 0 }
""")
        self.assertEqual(self.values("SELECT ts FROM notes ORDER BY ts"), [600, 601, 700, 701, 800, 801, 900, 901])

    def test_d10_a_child_sends_one_start_for_the_whole_run(self):
        self.serve(lambda path, params: {"pages": 2, "data": [{"id": int(params["page"])}]} if path == "posts" else [{"ts": 1000 - 100 * int(path.split("/")[1])}])
        child = """
[pipeline.v.resources.notes]
parent = "posts"
path = "posts/{parent.id}/notes"
params = { since = "{cursor.start}" }
cursor = { field = "ts", start = 0 }
"""
        self.run_resources(self.PARENTS + child)
        self.assertEqual(self.asked()[2:], ["posts/1/notes?since=0", "posts/2/notes?since=0"])
        self.run_resources(self.PARENTS + child)
        self.assertEqual(self.asked()[2:], ["posts/1/notes?since=900", "posts/2/notes?since=900"])

    def test_i1_what_was_read_at_the_last_value_does_not_come_again(self):
        rows = [{"id": 1, "u": "2024-01-05"}, {"id": 2, "u": "2024-01-09"}]
        self.serve(lambda path, params: rows)
        resource = """
[pipeline.v.resources.rows]
params = { since = "{cursor.start}" }
primary_key = "id"
cursor = { field = "u", start = "2024-01-01", type = "text" }
"""
        sent, counts = [], []
        for _ in range(3):
            self.run_resources(resource)
            sent += self.asked()
            counts.append(self.count("rows"))
            if len(counts) == 2:
                rows += [{"id": 3, "u": "2024-01-09"}, {"id": 4, "u": "2024-01-07"}]
        self.assertEqual(sent, ["rows?since=2024-01-01", "rows?since=2024-01-09", "rows?since=2024-01-09"])
        self.assertEqual(counts, [2, 2, 3])
        self.assertEqual(self.values("SELECT id FROM rows ORDER BY id"), [1, 2, 3])

    def test_i3_bounds_hold_though_the_server_knows_nothing_of_them(self):
        self.serve(lambda path, params: [{"ts": ts} for ts in range(3, 11)])
        self.run_resources("[pipeline.v.resources.rows]\ncursor = { field = 'ts', start = 5, end = 8 }")
        self.assertEqual(self.values("SELECT ts FROM rows ORDER BY ts"), [5, 6, 7])

    def test_i4_an_order_ends_the_pages(self):
        pages = "\npaginator = { type = 'page_number', maximum_page = 100 }\nselect = 'data'"
        self.serve(lambda path, params: {"data": [{"ts": int(params["page"])}]})
        self.run_resources("[pipeline.v.resources.rows]\ncursor = { field = 'ts', order = 'asc', start = 0, end = 3 }" + pages)
        self.assertEqual(self.values("SELECT ts FROM rows ORDER BY ts"), [0, 1, 2])
        self.assertLess(len(self.server.seen), 100)
        self.database.unlink()
        self.serve(lambda path, params: {"data": [{"ts": 10 - int(params["page"])}]})
        self.run_resources("[pipeline.v.resources.rows]\ncursor = { field = 'ts', order = 'desc', start = 7 }" + pages)
        self.assertEqual(self.values("SELECT ts FROM rows ORDER BY ts"), [7, 8, 9, 10])
        self.assertLess(len(self.server.seen), 100)

    def test_i6_records_without_a_cursor(self):
        self.serve(lambda path, params: [{"u": 1}, {"z": 1}, {"u": None}])
        for choice, count in (("include", 3), ("exclude", 1)):
            self.run_resources(f"[pipeline.v.resources.{choice}]\npath = 'rows'\ncursor = {{ field = 'u', on_null = '{choice}' }}")
            self.assertEqual(self.count(choice), count)

    def test_m1_defaults_are_merged_by_key_at_any_depth(self):
        self.serve(lambda path, params: [{"id": 1}])
        self.run_resources("""
[pipeline.v.defaults]
method = "POST"
json = { a = 1, n = { k = 1 } }
params = { p = 1, q = 1 }
headers = { X-B = "b" }
[pipeline.v.resources.rows]
json = { b = 2, n = { z = 1 } }
params = { p = 2 }
headers = { X-C = "c" }
""")
        body, headers = self.bodies[0]
        self.assertEqual(json.loads(body), {"a": 1, "n": {"k": 1, "z": 1}, "b": 2})
        self.assertEqual(sorted(self.server.seen[0].removeprefix("POST /v/rows?").split("&")), ["p=2", "q=1"])
        self.assertEqual((headers["X-B"], headers["X-C"]), ("b", "c"))


class Imports(RestApiCase):
    DLT = {
        "client": {"base_url": "URL", "auth": {"type": "api_key", "name": "api_key", "api_key": "articles-key", "location": "query"}},
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {"name": "articles", "endpoint": {"path": "articles", "data_selector": "articles", "params": {"per_page": 2, "updated_since": "{incremental.start_value}"},
                                              "incremental": {"cursor_path": "updated_at", "initial_value": "2026-01-01T00:00:00Z"},
                                              "paginator": {"type": "page_number", "base_page": 1, "total_path": "meta.total_pages"}}},
            {"name": "notes", "include_from_parent": ["id"], "endpoint": {"path": "articles/{id}/notes", "params": {"id": {"type": "resolve", "resource": "articles", "field": "id"}},
                                                                         "response_actions": [{"status_code": 404, "action": "ignore"}]}},
            {"name": "extra", "endpoint": "articles/{resources.articles.id}/extra/{{x}}", "selected": False},
        ],
    }

    def write_config(self, config):
        self.write("config.json", json.dumps(config).replace("URL", self.server.url))

    def test_a_configuration_of_dlt_becomes_a_project(self):
        self.write_config(self.DLT)
        result = self.tipple("import", "rest-api", "config.json", "--name", "news")
        self.assertIn("note  client.auth: put its secrets into .tipple/secrets.toml, table [news]", result.out)
        text = self.path("tipple.toml").read_text()
        self.assertNotIn("articles-key", text)
        self.assertIn('path = "articles/{parent.id}/notes"', text)
        self.assertIn('path = "articles/{parent.id}/extra/{x}"', text)
        self.write(".tipple/secrets.toml", '[news]\napi_key = "articles-key"\n')
        self.path(".tipple/secrets.toml").chmod(0o600)
        self.tipple("run", "news", "--quiet")
        self.assertEqual(self.query("SELECT count(*) FROM news.articles", database=self.path("warehouse.duckdb")), [(7,)])
        self.assertIn("GET /articles/7/notes?api_key=articles-key", self.server.seen)
        self.assertIn("is there already", self.tipple("import", "rest-api", "config.json", expect=EXIT_USAGE).err)

    def test_secrets_in_headers_and_nulls_are_not_carried_over(self):
        config = {"client": {"base_url": "URL", "headers": {"X-API-Key": "s3cret", "Accept": "application/json", "X-None": None}},
                  "resources": [{"name": "articles", "endpoint": {"path": "articles", "headers": {"Authorization": "Bearer s3cret"}, "json": {"a": None, "b": [1, None]}}}]}
        self.write_config(config)
        result = self.tipple("import", "rest-api", "config.json", "--name", "news")
        text = self.path("tipple.toml").read_text()
        self.assertNotIn("s3cret", text + result.out)
        self.assertIn("${secret:news.x_api_key}", text)
        self.assertIn("${secret:news.articles.authorization}", text)
        self.assertIn("application/json", text)
        self.assertNotIn("null", text)
        self.assertIn('put the value of "Authorization" into .tipple/secrets.toml, table [news.articles], as "authorization"', result.out)
        tomllib.loads(text)

    def test_what_cannot_be_carried_over_is_listed(self):
        config = json.loads(json.dumps(self.DLT))
        config["client"]["session"] = "<Session>"
        config["resources"][0]["processing_steps"] = [{"filter": "<function>"}]
        config["resources"][0]["endpoint"]["incremental"]["convert"] = "<function>"
        config["resources"][1]["endpoint"]["response_actions"] = ["<function>"]
        config["resources"][2]["hooks"] = {}
        self.write_config(config)
        err = self.tipple("import", "rest-api", "config.json", expect=7).err
        for part in ["client.session: code", 'articles: "processing_steps" are code', 'articles: "convert" is code', "notes: a response action is code", 'extra: "hooks" has no counterpart']:
            self.assertIn(part, err)
        self.write("config.json", "[]")
        self.assertIn("this is no configuration of dlt's rest_api", self.tipple("import", "rest-api", "config.json", "--folder", "other", expect=EXIT_USAGE).err)

    def test_init_writes_a_project_to_begin_with(self):
        self.tipple("init", "--source", "rest_api")
        self.database = self.folder / "warehouse.duckdb"
        self.tipple("run", "--quiet", env={"TIPPLE_PIPELINE__POKEAPI__SOURCE__BASE_URL": self.server.url + "/api/v2"})
        self.assertEqual(self.query("SELECT count(*) FROM pokeapi.pokemon"), [(5,)])
        self.assertIn("is there already", self.tipple("init", "--source", "rest_api", expect=EXIT_USAGE).err)


class Moody(Case):
    """A server whose records change while they are read, that refuses, breaks off and is slow, and runs that are killed: in the end everything is there."""

    PROJECT = """
version = 1
[connection.local]
uri = "moody.duckdb"
[pipeline.moody]
source = {{ type = "rest_api", base_url = "{url}", concurrency = 3, retry = {{ attempts = 30, base = "1ms", max = "5ms" }} }}
destination = "local"
dataset = "main"
[pipeline.moody.resources.things]
params = {{ since = "{{cursor.start}}" }}
paginator = {{ type = "json_link" }}
cursor = {{ field = "version", start = 0 }}
disposition = "merge"
primary_key = "id"
[pipeline.moody.resources.parts]
parent = "things"
path = "things/{{parent.id}}/parts"
include = ["id"]
disposition = "merge"
primary_key = "id"
"""

    def test_everything_arrives(self):
        rng = seeded_random("moody server")
        things, parts, state = {}, {}, {"version": 0, "calm": False}
        lock = threading.Lock()

        def change():
            state["version"] += 1
            thing = rng.randrange(40)
            things[thing] = {"id": thing, "version": state["version"], "name": f"n{state['version']}", "tags": list(range(rng.randrange(3)))}
            parts[thing] = [{"id": thing * 10 + k, "of": state["version"]} for k in range(3)]

        class Api:
            @staticmethod
            def answer(request, step, url):
                # A change is seen whole: a greater version must not be there before a smaller one.
                with lock:
                    return Api.locked_answer(request)

            @staticmethod
            def locked_answer(request):
                if not state["calm"]:
                    for _ in range(rng.randrange(3)):
                        change()
                segments = request.path.strip("/").split("/")
                if len(segments) == 3:
                    return parts[int(segments[1])], {}
                # Pages by value, not by place: what changes meanwhile comes again at the end.
                since = int(request.params.get("since", 0))
                rows = sorted((t for t in list(things.values()) if t["version"] >= since), key=lambda t: t["version"])
                page = rows[:5]
                following = f"/things?since={page[-1]['version'] + 1}" if len(rows) > 5 else None
                return {"data": page, "next": following}, {}

        for _ in range(60):
            change()
        APIS["/things"] = Api
        self.addCleanup(APIS.pop, "/things")
        self.database = self.folder / "moody.duckdb"
        with ApiServer() as server:
            self.write("tipple.toml", self.PROJECT.format(url=server.url))

            def trouble(_):
                with lock:
                    kind = 0 if state["calm"] else rng.randrange(16)
                kinds = {1: (429, {"Retry-After": "0"}), 2: (500, {}), 3: (502, {}), 4: (503, {}), 5: (504, {}), **dict(enumerate(TROUBLES, 6))}
                return kinds.get(kind)

            server.trouble = trouble
            for _ in range(200 if IS_LONG else 4):
                if rng.randrange(3) == 0:
                    with self.start("run", "--quiet") as run:
                        while len(server.seen) < rng.randrange(1, 30) and run.process.poll() is None:
                            os.sched_yield()
                        run.kill()
                    server.seen.clear()
                else:
                    self.tipple("run", "--quiet")
                    server.seen.clear()
            state["calm"] = True
            self.tipple("run", "--quiet")
        self.assertEqual(self.query("SELECT id, version, name FROM things ORDER BY id"), [(t["id"], t["version"], t["name"]) for _, t in sorted(things.items())])
        wanted = sorted((part["id"], part["of"]) for thing, all in parts.items() if thing in things for part in all)
        self.assertEqual(self.query("SELECT id, of FROM parts ORDER BY id"), wanted)


if __name__ == "__main__":
    main()
