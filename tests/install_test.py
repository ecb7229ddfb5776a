"""Installs what was built and builds a project of somebody else from it: install_test.py BUILD_FOLDER.

The project is tests/consumer. It is built far away from the repository, from a copy of the installed folder, so that nothing of either is needed.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import docs_test

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = None


def run(command, cwd, code=0, env=None):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, env=env)
    if result.returncode != code:
        raise AssertionError(f"{' '.join(command)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = os.path.realpath(cls.temporary.name)
        first = os.path.join(cls.folder, "first")
        run(["cmake", "--install", BUILD, "--prefix", first], cls.folder)
        cls.prefix = os.path.join(cls.folder, "moved")
        os.rename(first, cls.prefix)
        cls.environment = {**{name: value for name, value in os.environ.items() if not name.startswith("TIPPLE_")}, "HOME": cls.folder}

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def build(self, source, name):
        build = os.path.join(self.folder, name)
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        run(["cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}", *launcher], self.folder)
        run(["cmake", "--build", build], self.folder)
        return build

    def test_the_command(self):
        tipple = os.path.join(self.prefix, "bin", "tipple")
        self.assertIn("tipple", run([tipple, "--version"], self.folder, env=self.environment).stdout)

    def folders_of_libraries(self, program):
        """Where the loader looks for libraries of a program, besides the folders of the system. Nothing in the list is the current folder."""
        dynamic = run(["readelf", "-d", program], self.folder).stdout
        return [folder for line in dynamic.splitlines() if "RUNPATH" in line for folder in line.split("[")[1].split("]")[0].split(":")]

    def test_libraries_are_not_looked_for_in_the_current_folder(self):
        for program in (os.path.join(BUILD, "bin", "tipple"), os.path.join(self.prefix, "bin", "tipple")):
            for folder in self.folders_of_libraries(program):
                self.assertTrue(folder.startswith(("/", "$ORIGIN/")), f"{program}: \"{folder}\"")

    def test_the_installed_command_knows_nothing_of_the_build(self):
        for folder in self.folders_of_libraries(os.path.join(self.prefix, "bin", "tipple")):
            self.assertFalse(folder.startswith((ROOT, BUILD)), folder)

    def test_only_public_headers(self):
        """A header that is installed includes what is installed."""
        include = os.path.join(self.prefix, "include")
        count = 0
        for folder, _, names in os.walk(include):
            for name in names:
                count += 1
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    for line in file:
                        if line.startswith('#include "tipple/'):
                            self.assertTrue(os.path.exists(os.path.join(include, line.split('"')[1])), f"{name}: {line}")
        self.assertGreater(count, 20)

    def test_a_project_of_somebody_else(self):
        project = os.path.join(self.folder, "project")
        shutil.copytree(os.path.join(ROOT, "tests", "consumer"), project)
        consumer = os.path.join(self.build(project, "project-build"), "consumer")
        work = os.path.join(self.folder, "work")
        os.makedirs(work)
        self.assertEqual(run([consumer], work, env=self.environment).stdout, "4 rows\n2 rows side by side\n6 orders\n")
        run([consumer, "load", "shop", "out.duckdb", "--option", "name=Bob"], work, env=self.environment)
        result = run([consumer, "query", "out.duckdb", "SELECT name FROM orders WHERE id = 3", "-o", "csv"], work, env=self.environment)
        self.assertEqual(result.stdout.split(), ["name", "Bob"])

    def test_a_source_that_init_has_written(self):
        tipple = os.path.join(self.prefix, "bin", "tipple")
        work = os.path.join(self.folder, "init")
        os.makedirs(work)
        printed = run([tipple, "init", "--source", "weather"], work, env=self.environment).stdout
        self.assertIn("weather/CMakeLists.txt", printed)
        build = self.build(os.path.join(work, "weather"), "weather-build")
        run(["ctest", "--output-on-failure"], build, env=self.environment)
        loaded = run([os.path.join(build, "weather"), "load", "weather", "out.duckdb", "--option", "pages=5", "--json"], work, env=self.environment)
        self.assertEqual(json.loads(loaded.stdout.strip().split("\n")[-1])["metrics"], {"items": {"requests": 5}})
        result = run([tipple, "query", "out.duckdb", "SELECT count(*) FROM items", "-o", "csv"], work, env=self.environment)
        self.assertEqual(result.stdout.split()[1], "5")
        refused = run([tipple, "init", "--source", "weather"], work, code=2, env=self.environment)
        self.assertIn("weather has files already", refused.stderr)
        self.assertIn("cannot be the name", run([tipple, "init", "--source", "Web-Shop"], work, code=2, env=self.environment).stderr)

    def test_the_page_of_the_guide(self):
        """Its commands, run where the sources seem to lie in the folder `tipple`, and its program, which is the one that is built above."""
        docs_test.TIPPLE = os.path.join(BUILD, "bin", "tipple")

        def prepare(folder):
            os.makedirs(os.path.join(folder, "tipple", "build"))
            os.symlink(BUILD, os.path.join(folder, "tipple", "build", "release"))

        self.assertGreater(docs_test.Documents().run_document(docs_test.INSTALL_DOCUMENT, prepare), 2)
        blocks = [content for language, _, content in docs_test.FENCE.findall(docs_test.read(docs_test.INSTALL_DOCUMENT)) if language == "cmake"]
        self.assertEqual(len(blocks), 1)
        self.assertIn(blocks[0], docs_test.read("tests/consumer/CMakeLists.txt"))


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("usage: install_test.py BUILD_FOLDER [unittest arguments]")
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
