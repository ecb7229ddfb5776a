"""Resources of files in a bucket, as a project says it: credentials, one listing, the ledger, objects that break off."""

import gzip
import pathlib
import shutil
import unittest

from tipple_cli import EXIT_PARTIAL, EXIT_USAGE, Case, main

import s3_server  # noqa: E402

PROJECT = """
version = 1
[connection.drops]
uri = "s3://acme-drops/sales/"
access_key_id = "{key_id}"
secret_access_key = "${{env:DROPS_SECRET}}"
region = "eu-west-1"
endpoint = "{endpoint}"
[pipeline.drops]
source = "drops"
destination = "shop.duckdb"
dataset = "main"
[pipeline.drops.resources.sales]
glob = "**/*.csv.gz"
format = "csv"
{more}
"""


@unittest.skipUnless(s3_server.is_available(), "moto is not installed")
class Bucket(Case):
    def setUp(self):
        super().setUp()
        self.server = s3_server.S3Server()
        self.addCleanup(self.server.close)
        self.server.create_bucket("acme-drops")
        self.project()

    def project(self, more="", key_id=s3_server.ACCESS_KEY_ID):
        self.write("tipple.toml", PROJECT.format(key_id=key_id, endpoint=self.server.endpoint, more=more))

    def drop(self, name, *ids):
        self.server.put("acme-drops", "sales/" + name, gzip.compress(("id,amount\n" + "".join(f"{id},{id}.5\n" for id in ids)).encode()))

    def go(self, *arguments, expect=0):
        return self.tipple("run", "drops", "--json", *arguments, expect=expect, env={"DROPS_SECRET": s3_server.SECRET_ACCESS_KEY})

    def files(self, *arguments, **options):
        return self.go(*arguments, **options).finished()["metrics"]["sales"]["files"]

    def listings(self):
        found = len([request for request in self.server.seen("GET", "*list-type*")])
        self.server.requests.clear()
        return found

    def ids(self, table="sales"):
        return [id for (id,) in self.query(f"SELECT id FROM {table} ORDER BY id")]

    def test_each_object_is_loaded_once_and_one_listing_finds_them(self):
        self.drop("2024/a.csv.gz", 1, 2)
        self.drop("2025/b.csv.gz", 3)
        self.server.put("acme-drops", "sales/readme.txt", b"not this one")
        self.server.put("acme-drops", "sales/2025/", b"")
        self.assertEqual((self.files(), self.listings()), (2, 1))
        self.assertEqual(self.ids(), [1, 2, 3])
        self.assertEqual(self.query("SELECT file, row_count FROM _tipple_files_sales ORDER BY file"), [("s3://acme-drops/sales/2024/a.csv.gz", 2), ("s3://acme-drops/sales/2025/b.csv.gz", 1)])
        self.assertEqual((self.files(), self.listings()), (0, 1))
        self.drop("1999/late.csv.gz", 4)
        self.assertEqual(self.files(), 1)
        self.assertEqual(self.ids(), [1, 2, 3, 4])

    def test_credentials_in_a_table(self):
        text = self.path("tipple.toml").read_text()
        text = text.replace('access_key_id = "', 'credentials = { access_key_id = "').replace('"\nsecret', '", secret').replace('"\nregion', '", region').replace('"\nendpoint', '", endpoint')
        text = text.replace(self.server.endpoint + '"', self.server.endpoint + '" }')
        self.assertEqual(text.count("\n"), PROJECT.count("\n") - 3)
        self.write("tipple.toml", text)
        self.drop("a.csv.gz", 1)
        self.assertEqual(self.files(), 1)
        self.write("tipple.toml", text.replace(s3_server.ACCESS_KEY_ID, "AKIAWRONG"))
        self.assertIn("the store knows no access key AKIAWRONG", self.go(expect=None).err)
        # The same of a source without a connection, and of what a literal secret is shown as.
        block = text[text.index("credentials"):].splitlines()[0]
        source = 'uri = "s3://acme-drops/sales/", ' + block.replace("${env:DROPS_SECRET}", s3_server.SECRET_ACCESS_KEY)
        self.write("tipple.toml", text.replace('source = "drops"', f"source = {{ {source} }}"))
        self.drop("b.csv.gz", 2)
        self.assertEqual(self.files(), 1)
        shown = self.tipple("config", "show", env={"DROPS_SECRET": s3_server.SECRET_ACCESS_KEY})
        self.assertIn('"secret_access_key": "***"', shown.out)
        self.assertNotIn(s3_server.SECRET_ACCESS_KEY, shown.out + shown.err)

    def test_the_same_content_again_is_no_change(self):
        self.drop("a.csv.gz", 1)
        content = self.server.get("acme-drops", "sales/a.csv.gz")
        self.files()
        self.server.put("acme-drops", "sales/a.csv.gz", content)
        self.assertEqual(self.files(), 0)
        self.drop("a.csv.gz", 1, 2)
        self.assertIn("s3://acme-drops/sales/a.csv.gz has changed since load", self.go(expect=3).err)

    def test_two_resources_share_a_listing(self):
        self.project('[pipeline.drops.resources.old]\nglob = "2024/*.csv.gz"\nformat = "csv"\n')
        self.drop("2024/a.csv.gz", 1)
        self.drop("2025/b.csv.gz", 2)
        metrics = self.go().finished()["metrics"]
        self.assertEqual((metrics["sales"]["files"], metrics["old"]["files"], self.listings()), (2, 1, 1))
        self.assertEqual(self.ids("old"), [1])

    def test_objects_that_break_off(self):
        self.project('on_bad_file = "skip"')
        self.drop("a.csv.gz", 1)
        self.server.put("acme-drops", "sales/b.csv.gz", gzip.compress(b"id,amount\n" + b"2,2.5\n" * 10_000)[:60])
        self.drop("c.csv.gz", 3)
        finished = self.go(expect=EXIT_PARTIAL).finished()
        self.assertEqual([bad["path"] for bad in finished["bad_files"]], ["s3://acme-drops/sales/b.csv.gz"])
        self.assertEqual(self.ids(), [1, 3])

    def test_objects_that_go_or_change_while_they_are_read(self):
        # Larger than what is read at once, so that records of it have been written when it goes.
        many = [*range(100, 200_000)]
        for name in ("going", "gone"):
            self.server.put("acme-drops", f"sales/{name}.csv", ("id,amount\n" + "".join(f"{id},{id}.5\n" for id in many)).encode())
        self.write("tipple.toml", self.path("tipple.toml").read_text().replace("**/*.csv.gz", "**/*.csv*"))
        self.drop("a.csv.gz", 1)
        self.drop("changing.csv.gz", 2)
        self.drop("z.csv.gz", 3)
        # The first look at each is for the dialect.
        self.server.faults = [s3_server.Fault("GET", "/acme-drops/sales/gone.csv", action=lambda _: self.server.delete("acme-drops", "sales/gone.csv"), skip=1),
                              s3_server.Fault("GET", "/acme-drops/sales/going.csv", cut_after=1_500_000, skip=1),
                              s3_server.Fault("GET", "/acme-drops/sales/going.csv", action=lambda _: self.server.delete("acme-drops", "sales/going.csv"), skip=1),
                              s3_server.Fault("GET", "/acme-drops/sales/changing.csv.gz", action=lambda _: self.drop("changing.csv.gz", 20, 21), skip=1)]
        result = self.go()
        for name in ("gone", "going"):
            self.assertIn(f"sales/{name}.csv is gone since it was listed", result.err)
        self.assertEqual(self.ids(), [1, 3, 20, 21])
        self.assertEqual([(pathlib.Path(file).name, rows) for file, rows in self.query("SELECT file, row_count FROM _tipple_files_sales ORDER BY file")],
                         [("a.csv.gz", 1), ("changing.csv.gz", 2), ("z.csv.gz", 1)])
        self.assertEqual(self.files(), 0)

    def test_what_is_wrong_is_said_without_secrets(self):
        self.project(key_id="SOMEBODYELSE")
        result = self.go(expect=None)
        self.assertNotEqual(result.code, 0)
        self.assertNotIn(s3_server.SECRET_ACCESS_KEY, result.out + result.err)
        self.project("on_chnge = 1")
        self.assertIn('did you mean "on_change"?', self.go(expect=EXIT_USAGE).err)

    def test_the_example(self):
        shutil.copy(pathlib.Path(__file__).parents[2] / "examples/s3_drops/tipple.toml", self.folder)
        environment = {**self.server.environment(), "TIPPLE_PIPELINE__DROPS__RESOURCES__SALES__MAX_FILES": "8"}
        for number in range(9):
            self.drop(f"{number:03}.csv.gz", number)
        run = ["run", "drops", "--json"]
        read = [self.tipple(*run, env=environment).finished()["metrics"]["sales"]["files"] for _ in range(3)]
        self.assertEqual(read, [8, 1, 0])
        self.drop("007.csv.gz", 1007, 2007)
        self.assertEqual(self.tipple(*run, env=environment).finished()["metrics"]["sales"]["files"], 1)
        found = self.query("SELECT count(*), count(DISTINCT id), max(id), max(_source_line) FROM raw.sales", database=self.path("sales.duckdb"))
        self.assertEqual(found, [(10, 10, 2007, 3)])

    def test_check_looks_into_the_bucket(self):
        self.drop("a.csv.gz", 1)
        result = self.tipple("check", "drops", env={"DROPS_SECRET": s3_server.SECRET_ACCESS_KEY})
        self.assertRegex(result.out, r"sales +1 file matches, .*; the newest is s3://acme-drops/sales/a.csv.gz")


if __name__ == "__main__":
    main()
