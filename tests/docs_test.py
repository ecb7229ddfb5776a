"""Runs the documents: docs_test.py PATH/TO/tipple.

A block marked `sh` in README.md or docs/guide is run by bash, all blocks of one document one after the other in one empty folder, with
the built program first on the PATH. `sh ignore` is not run. A block marked `text` behind it is what it must print to standard output; figures that
differ from run to run (seconds, rates, load ids, times, the folder) are masked on both sides. Besides, what the guide says about flags and exit
codes is compared with the program, and the example of CONTRIBUTING.md with the file that is compiled.
"""
import difflib
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIPPLE = None
FENCE = re.compile(r"^```(\w*)[ ]*(\w*)\n(.*?)^```$", re.M | re.S)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


sys.path[:0] = [os.path.join(ROOT, "tests/support"), os.path.join(ROOT, "scripts")]
import record_session  # noqa: E402
from api_server import ApiServer  # noqa: E402

# The API that docs/guide/rest-api.md reads, in the place of the one that it names.
API = ApiServer()
API_DOCUMENT = "docs/guide/rest-api.md"
INSTALL_DOCUMENT = "docs/guide/install.md"


def api_environment():
    return {"ARTICLES_KEY": "articles-key", **{f"TIPPLE_PIPELINE__{name}__SOURCE__BASE_URL": API.url for name in ("ARTICLES", "TRIAL")}}


def environment(folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIPPLE_", "XDG_", "LC_"))}
    return {**kept, "PATH": os.path.dirname(TIPPLE) + os.pathsep + kept.get("PATH", ""), "HOME": folder, "LANG": "C.UTF-8",
            "NO_COLOR": "1"}


MASKS = [
    (re.compile(r"\b\d{10}\.\d{6}\b"), "LOAD_ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=\s+LOAD_ID)"), "TIME"),
    (re.compile(r"\b[\d.,]+ [kMGT]?B/s"), "RATE"),
    (re.compile(r"\b[\d.,]+ (rows|records)/s"), "RATE"),
    (re.compile(r"\b(\d+ m )?[\d.]+ s\b"), "SECONDS"),
    (re.compile(r"peak memory [\d.]+ [kMG]?B"), "peak memory SIZE"),
    (re.compile(r"[─-]{2,}"), "--"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r" +$", re.M), ""),
]


def masked(text, folder):
    text = text.replace(folder, "/data")
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return [line for line in text.strip().split("\n") if line.strip()]


class Documents(unittest.TestCase):
    def run_document(self, path, prepare=lambda folder: None):
        text = read(path)
        count = 0
        with tempfile.TemporaryDirectory() as folder:
            folder = os.path.realpath(folder)
            prepare(folder)
            printed, at = None, ""
            surroundings = {**environment(folder), **(api_environment() if path == API_DOCUMENT else {})}
            for block in FENCE.finditer(text):
                language, option, content = block.groups()
                line = text.count("\n", 0, block.start()) + 1
                if language == "sh" and option != "ignore":
                    at = f"{path}:{line}"
                    run = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", content], cwd=folder, env=surroundings,
                                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
                    self.assertEqual(run.returncode, 0, f"{at} ended with {run.returncode}\n{content}\n{run.stdout}\n{run.stderr}")
                    printed = run.stdout
                    count += 1
                elif language == "text" and printed is not None:
                    wanted, got = masked(content, folder), masked(printed, folder)
                    difference = "\n".join(difflib.unified_diff(wanted, got, f"{path}:{line}", "printed", lineterm=""))
                    self.assertEqual(wanted, got, f"the block at {at} prints something else\n{difference}\n\nall of it:\n{printed}")
                    printed = None
                elif language == "sh":
                    printed = None
        return count

    def test_readme(self):
        self.assertGreater(self.run_document("README.md"), 2)

    def test_guide(self):
        paths = sorted(glob.glob("docs/guide/*.md", root_dir=ROOT))
        self.assertGreater(len(paths), 3)
        for path in paths:
            if path == INSTALL_DOCUMENT:
                continue  # It builds a program: install_test.py runs it.
            with self.subTest(path):
                self.run_document(path)


def printed_by(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([TIPPLE, *arguments], env=environment(folder), capture_output=True, text=True, check=True).stdout


def flags_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


class Deployment(unittest.TestCase):
    """What docs/guide/deployment.md gives to other programs: its commands run, and it is what those programs take."""

    PAGE = "docs/guide/deployment.md"

    def blocks(self, language):
        found = re.findall(rf"^```{language}\n(.*?)^```$", read(self.PAGE), re.M | re.S)
        self.assertEqual(len(found), 1, language)
        return found[0]

    def run_as_deployed(self, command):
        """The command with its folders inside of one of ours, in which a project lies at /srv/shop."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([TIPPLE, "init", os.path.join(folder, "srv/shop")], env=environment(folder), check=True, capture_output=True)
            for made in ("var/log/tipple", "var/lib/tipple"):
                os.makedirs(os.path.join(folder, made))
            command = command.replace("/usr/local/bin/tipple", TIPPLE).replace(" /srv/", f" {folder}/srv/").replace("/var/l", f"{folder}/var/l")
            run = subprocess.run(["sh", "-c", command], env=environment(folder), cwd=os.path.join(folder, "srv/shop"), capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 0, f"{command}\n{run.stderr}")
            count = subprocess.run([TIPPLE, "query", "warehouse.duckdb", "SELECT count(*) FROM shop.orders", "-o", "csv"], env=environment(folder),
                                   cwd=os.path.join(folder, "srv/shop"), capture_output=True, text=True, check=True)
            self.assertEqual(count.stdout.split()[-1], "3")
            return run

    def test_cron(self):
        lines = [line for line in self.blocks("cron").splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), 1)
        fields = lines[0].split(maxsplit=5)
        self.assertEqual(fields[:5], ["*/15", "*", "*", "*", "*"])
        run = self.run_as_deployed(fields[5])
        self.assertEqual((run.stdout, run.stderr), ("", ""), "cron would send mail of a run that is well")

    def test_systemd(self):
        service = self.blocks("systemd-service")
        self.run_as_deployed(re.search(r"^ExecStart=(.*)$", service, re.M)[1])
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed: the units were not verified")
        with tempfile.TemporaryDirectory() as folder:
            # Folders and program are those of the machine that the page speaks of.
            service = re.sub(r"^ExecStart=\S+", f"ExecStart={TIPPLE}", service, flags=re.M).replace("User=tipple", "User=root")
            paths = [os.path.join(folder, f"tipple-shop.{kind}") for kind in ("service", "timer")]
            for path, text in zip(paths, (service, self.blocks("systemd-timer"))):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            run = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60)
            self.assertEqual([line for line in run.stderr.splitlines() if "tipple-shop" in line], [])
            calendar = re.search(r"^OnCalendar=(.*)$", self.blocks("systemd-timer"), re.M)[1]
            self.assertEqual(subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, timeout=60).returncode, 0)

    def test_container(self):
        dockerfile = self.blocks("dockerfile")
        entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[1]) + json.loads(re.search(r"^CMD (.*)$", dockerfile, re.M)[1])
        self.run_as_deployed(" ".join(entry))
        if not shutil.which("dpkg-query") or not shutil.which("readelf"):
            self.skipTest("the packages of libraries are known on Debian only")
        packages = set(re.search(r"--no-install-recommends (.*?)&&", dockerfile, re.S)[1].replace("\\", " ").split()) | {"libc6", "libgcc-s1"}
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", subprocess.run(["readelf", "-d", TIPPLE], capture_output=True, text=True, check=True).stdout)
        self.assertGreater(len(needed), 10)
        for library in needed:
            owner = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True).stdout
            if owner and "duckdb" not in library:
                names = {name.strip().split(":")[0] for line in owner.splitlines() for name in line.split(": /")[0].split(",")}
                self.assertTrue(names & packages, f"{library} is in {names}, which the Dockerfile does not install")


class Session(unittest.TestCase):
    """The recorded session is what a terminal shows today, in the page and in the pictures."""

    MASKS = [(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"), (re.compile(r"^(run )?[0-9a-f]{8}(?= )", re.M), "RUN"),
             (re.compile(r"(?<= )\d+\.\d(?=$| data/)", re.M), "SECONDS"), (re.compile(r"(?<=failed )+\d\.\d+ 2$", re.M), "SECONDS 2")]

    def masked(self, lines):
        lines = masked("\n".join(lines), record_session.SHOWN_FOLDER)
        text = "\n".join(lines)
        for pattern, name in self.MASKS:
            text = pattern.sub(name, text)
        return text.split("\n")

    def test_at_each_width(self):
        self.maxDiff = None
        for columns in record_session.WIDTHS:
            with self.subTest(columns):
                shown = self.masked(record_session.record(TIPPLE, columns).lines())
                self.assertTrue(any("an object or list" in line for line in shown), shown)
                self.assertIn(" 6 99.00", shown, "the last run has loaded all")
                if columns == record_session.WIDTHS[0]:
                    page = read(record_session.PAGE).split(record_session.BEGIN)[1].split(record_session.END)[0]
                    self.assertEqual(self.masked(page.split("\n")[1:-2]), shown, f"{record_session.PAGE} is out of date: scripts/record_session.py")
                for theme in ("light", "dark"):
                    path = record_session.picture(columns, theme)
                    self.assertEqual(self.masked(record_session.text_of_svg(read(path)).split("\n")), shown, f"{path} is out of date: scripts/record_session.py")

    def test_pictures_are_small(self):
        paths = [record_session.picture(columns, theme) for columns in record_session.WIDTHS for theme in ("light", "dark")]
        self.assertLess(sum(os.path.getsize(os.path.join(ROOT, path)) for path in paths), 100_000)


class Reference(unittest.TestCase):
    def test_every_flag_of_load_has_its_row(self):
        """The first column of the guide's tables names exactly the flags that the help does."""
        help_flags = flags_in(printed_by("load", "--help")) | flags_in(printed_by("--help").split("Commands:")[0])
        # The examples above the options use flags of other programs.
        rows = re.findall(r"^\| (`-.*?) \|", read("docs/guide/load.md"), re.M)
        documented = flags_in(" ".join(rows))
        self.assertEqual(sorted(documented - help_flags), [], "the guide names flags that are not there")
        self.assertEqual(sorted(help_flags - documented), [], "flags without a row in docs/guide/load.md")

    def test_the_reference_of_options_is_what_the_program_prints(self):
        self.assertEqual(read("docs/reference/options.md"), printed_by("help", "--reference"), "docs/reference/options.md is out of date: tipple help --reference > docs/reference/options.md")

    def test_exit_codes(self):
        """The table names every kind of error with the number the program gives it."""
        code = read("src/cli/exit_code.cpp")
        numbers = {kind: number for kind, number in re.findall(r"case ErrorKind::(\w+):\s*return (\d+);", code)}
        rows = {kind: number for number, kind in re.findall(r"^\| (\d+) \| (\w+) \|", read("docs/guide/exit-codes.md"), re.M)}
        for kind, number in numbers.items():
            self.assertEqual(rows.get(kind), number, f"docs/guide/exit-codes.md on {kind}")

    def test_programs_of_the_guide_are_compiled(self):
        """Every block of C++ is one of the examples, or a part of a program that a test builds."""
        built = [read(path) for path in [*sorted(glob.glob("examples/*.cpp", root_dir=ROOT)), "tests/consumer/main.cpp"]]
        lines = {line.strip() for program in built for line in program.split("\n")}
        for path in ["README.md", *sorted(glob.glob("docs/guide/*.md", root_dir=ROOT))]:
            for language, _, content in FENCE.findall(read(path)):
                if language != "cpp" or content in built:
                    continue
                unknown = [line for line in content.strip().split("\n") if line.strip() not in lines]
                self.assertEqual(unknown, [], f"{path}: no program that is built has these lines")

    def test_the_example_is_the_file_that_is_compiled(self):
        blocks = [content for language, _, content in FENCE.findall(read("CONTRIBUTING.md")) if language == "cpp"]
        self.assertIn(read("tests/examples/count.cpp"), blocks, "CONTRIBUTING.md and tests/examples/count.cpp differ")


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: docs_test.py PATH/TO/tipple [unittest arguments]")
    TIPPLE = os.path.abspath(sys.argv.pop(1))
    with API:
        unittest.main()
