"""A test with a Postgres database of its own."""

import time

from tipple_cli import Case


class PostgresCase(Case):
    """`server` is that of the module, which sets it."""

    server = None
    databases = 0

    def setUp(self):
        super().setUp()
        PostgresCase.databases += 1
        self.name = f"test_{PostgresCase.databases}"
        self.server.psql(f"CREATE DATABASE {self.name}", database="postgres")

    def url(self, **options):
        return self.server.url(database=self.name, **options)

    def psql(self, sql, **options):
        return self.server.psql(sql, database=self.name, **options)

    def value(self, sql):
        return self.server.value(sql, database=self.name)

    def load_into(self, url, path, *flags, **options):
        return self.tipple("load", path, url, *flags, **options)

    def load(self, path, *flags, **options):
        return self.load_into(self.url(), path, *flags, **options)

    def records_file(self, name, count, **more):
        return self.write(name, [{"id": n, "text": f"text {n} " + "x" * 100, "items": [{"n": n}], **more} for n in range(count)])

    def assert_loaded(self, count, loads=1):
        self.assertEqual(self.psql("SELECT count(*), count(DISTINCT id), count(DISTINCT _dlt_id) FROM t"), [[str(count)] * 3])
        self.assertEqual(self.psql("SELECT count(*), count(DISTINCT _dlt_parent_id) FROM t__items"), [[str(count)] * 2])
        self.assertEqual(self.value("SELECT count(*) FROM _dlt_loads WHERE status = 0"), str(loads))

    def assert_a_commit_in_doubt_is_waited_for(self, url):
        """A load whose client is killed while the server is committing. The next run waits for the commit instead of taking the load for lost."""
        path = self.records_file("t.jsonl", 100)
        self.load_into(url, path)
        self.psql("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END'")
        self.psql("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON _dlt_loads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()")
        self.write("t.jsonl", [{"id": 100 + n, "text": "more", "items": [{"n": n}]} for n in range(50)])
        committing = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'"
        with self.start("load", path, url) as run:
            while self.value(committing) == "0":
                self.assertIsNone(run.process.poll(), "it ended before its commit was seen")
                time.sleep(0.02)
            run.kill()
        self.assertEqual(self.value(committing), "1", "the commit was over too soon for this test")
        self.assertEqual(self.value("SELECT count(*) FROM _dlt_loads"), "1")
        self.assertIn("not loaded once more", self.load_into(url, path).err)
        self.assert_loaded(150, loads=2)
