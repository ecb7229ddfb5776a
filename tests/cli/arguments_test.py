"""The command line itself: help, versions, what is not known, flags anywhere."""

import json
import os
import re
import unittest

from tipple_cli import EXIT_USAGE, Case, main

COMMANDS = ["load", "query", "preview", "schema", "version", "help"]


class Help(Case):
    def test_of_the_program(self):
        for arguments in [["--help"], ["-h"], ["help"], []]:
            with self.subTest(arguments):
                result = self.tipple(*arguments)
                for command in COMMANDS:
                    self.assertRegex(result.out, rf"(?m)^  {command}\b")
                self.assertEqual(result.err, "")

    def test_of_each_command(self):
        for command in COMMANDS:
            for arguments in [[command, "--help"], [command, "-h"], *([["help", command]] if command != "help" else [])]:
                with self.subTest(arguments):
                    result = self.tipple(*arguments)
                    self.assertIn("Usage: tipple " + command, result.out)
                    self.assertEqual(result.err, "")

    def test_every_flag_says_what_it_does(self):
        for command in COMMANDS:
            flags = re.findall(r"(?m)^  +(-\S[^\n]*)$", self.tipple(command, "--help").out)
            for line in flags:
                with self.subTest(line):
                    # CLI11 puts the text into the next line when the flag is long.
                    self.assertTrue(re.search(r" {2,}\S", line) or len(line) > 26, line)

    def test_of_sources_and_destinations(self):
        self.assertIn("destination duckdb", self.tipple("help", "duckdb").out)
        self.assertIn("source files", self.tipple("help", "files").out)

    def test_on_nothing_known(self):
        result = self.tipple("help", "lode", expect=EXIT_USAGE)
        self.assertIn('did you mean "load"?', result.err)

    def test_writes_nothing(self):
        self.tipple("load", "--help")
        self.assertEqual(list(self.folder.iterdir()), [])


class Version(Case):
    def test_flag_and_command(self):
        version = os.environ.get("TIPPLE_VERSION")
        if version:
            self.assertEqual(self.tipple("--version").out, f"tipple {version}\n")
        self.assertRegex(self.tipple("version").out, r"^tipple \d+\.\d+\.\d+\nDuckDB v\d+\.\d+\.\d+\n$")

    def test_json(self):
        document = json.loads(self.tipple("version", "--json").out)
        self.assertEqual(document["v"], 1)
        self.assertRegex(document["tipple"], r"^\d+\.\d+\.\d+$")


class Unknown(Case):
    def test_flags(self):
        for arguments, near in [
            (["load", "a.jsonl", "b.duckdb", "--dispositon", "append"], "--disposition"),
            (["load", "a.jsonl", "b.duckdb", "--memroy=1GB"], "--memory"),
            (["query", "b.duckdb", "SELECT 1", "--outptu", "csv"], "--output"),
            (["schema", "b.duckdb", "--datset", "x"], "--dataset"),
            (["--verison"], "--version"),
        ]:
            with self.subTest(arguments):
                result = self.tipple(*arguments, expect=EXIT_USAGE)
                self.assertIn(f"did you mean {near}?", result.err)
                self.assertEqual(result.out, "")

    def test_flags_that_resemble_nothing(self):
        result = self.tipple("load", "a.jsonl", "b.duckdb", "--zzzzzzzz", expect=EXIT_USAGE)
        self.assertIn("--zzzzzzzz", result.err)
        self.assertNotIn("did you mean", result.err)
        self.assertIn("tipple load --help", result.err)

    def test_commands(self):
        for word, near in [("lod", "load"), ("qurey", "query"), ("shema", "schema"), ("previw", "preview"), ("rnu", "run")]:
            with self.subTest(word):
                self.assertIn(f"did you mean {near}?", self.tipple(word, expect=EXIT_USAGE).err)

    def test_commands_with_arguments(self):
        self.write("a.jsonl", [{"id": 1}])
        result = self.tipple("laod", "a.jsonl", "b.duckdb", expect=EXIT_USAGE)
        self.assertIn("did you mean load?", result.err)
        self.assertFalse(self.path("b.duckdb").exists())

    def test_values(self):
        self.write("a.jsonl", [{"id": 1}])
        for flag, value in [
            ("--disposition", "upsert"),
            ("--workers", "0"),
            ("--workers", "many"),
            ("--limit", "-1"),
            ("--limit", "x"),
            ("--max-table-nesting", "-1"),
            ("--max-table-nesting", "1001"),
            ("--on-bad-record", "ignore"),
            ("--lock-timeout", "-1"),
            ("--color", "blue"),
        ]:
            with self.subTest(f"{flag} {value}"):
                result = self.load("a.jsonl", f"{flag}={value}", expect=EXIT_USAGE)
                self.assertIn(flag, result.err)
                self.assertFalse(self.database.exists())

    def test_missing_arguments(self):
        for arguments in [["load"], ["load", "a.jsonl"], ["query"], ["query", "x.duckdb"], ["preview"], ["schema"], ["load", "a", "b.duckdb", "--as"]]:
            with self.subTest(arguments):
                result = self.tipple(*arguments, expect=EXIT_USAGE)
                self.assertIn("error:", result.err)
                self.assertIn("--help", result.err)

    def test_too_many_arguments(self):
        self.tipple("query", "x.duckdb", "SELECT 1", "more", expect=EXIT_USAGE)


class Flags(Case):
    def test_anywhere(self):
        self.write("a.jsonl", [{"id": 1}])
        data = ["--data-dir", "elsewhere"]
        for number, arguments in enumerate(
            [
                ["load", "--as", "t", *data, "a.jsonl", "0.duckdb"],
                ["load", "a.jsonl", "--as", "t", "1.duckdb", *data],
                [*data, "load", "a.jsonl", "2.duckdb", "--as=t"],
            ]
        ):
            with self.subTest(arguments):
                self.tipple(*arguments, data_folder=False)
                self.assertEqual(self.count("t", database=self.path(f"{number}.duckdb")), 1)

    def test_two_dashes_end_them(self):
        self.write("--odd.jsonl", [{"id": 1}])
        self.tipple("load", "--as", "t", "--", "--odd.jsonl", "shop.duckdb")
        self.assertEqual(self.count("t"), 1)

    def test_from_the_environment(self):
        self.write("a.jsonl", [{"id": 1}])
        result = self.load("a.jsonl", env={"TIPPLE_JSON": "true", "TIPPLE_WORKERS": "1", "TIPPLE_MEMORY": "256MiB"})
        self.assertEqual(result.finished()["status"], "done")
        self.assertIn("TIPPLE_WORKERS", self.load("a.jsonl", env={"TIPPLE_WORKERS": "none"}, expect=EXIT_USAGE).err.replace("--workers", "TIPPLE_WORKERS"))

    def test_a_flag_goes_before_the_environment(self):
        self.write("a.jsonl", [{"id": 1}])
        self.load("a.jsonl", "--dataset", "from_flag", env={"TIPPLE_DATASET": "from_environment"})
        self.assertEqual(self.tables(), ["from_flag.a"])

    def test_the_data_folder(self):
        self.write("a.jsonl", [{"id": 1}])
        home = self.path("home")
        home.mkdir()
        for place, environment in [
            (home / ".local/share/tipple", {}),
            (home / "xdg/tipple", {"XDG_DATA_HOME": str(home / "xdg")}),
            (home / "own", {"TIPPLE_DATA_DIR": str(home / "own")}),
        ]:
            with self.subTest(place):
                self.assertFalse(place.exists())
                self.tipple("load", "a.jsonl", "shop.duckdb", env={"HOME": str(home), **environment}, data_folder=False)
                self.assertTrue((place / "pipelines").is_dir())


if __name__ == "__main__":
    main()
