"""A test with a Postgres database of its own."""

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
