"""Shows that each check of scripts/tidy.py can fail: small trees that are in order but for one thing."""
import importlib.util
import os
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts", "tidy.py")
spec = importlib.util.spec_from_file_location("tidy", SCRIPT)
tidy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tidy)

# Written in two parts, so that this file does not hold the words itself.
LEFT_OVER = "FIX" + "ME"

GOOD = {
    "README.md": "# Sample\n\nThe code is in `src/tipple`, the table in [ARCHITECTURE.md](ARCHITECTURE.md).\n",
    "ARCHITECTURE.md": "| module | its one responsibility | includes |\n|---|---|---|\n"
                       "| `core` | errors | – |\n| `io` | files | – |\n| `schema` | tables | io |\n",
    "src/tipple/CMakeLists.txt": "add_subdirectory(core)\nadd_subdirectory(io)\nadd_subdirectory(schema)\n",
    "src/tipple/core/CMakeLists.txt": "tipple_module(core\n  HEADERS error.h hash.h\n  SOURCES hash.cpp)\n",
    "src/tipple/core/error.h": "#pragma once\n\nnamespace tipple {\n\n/// Ends a run.\nclass Error {\n};\n\n}  // namespace tipple\n",
    "src/tipple/core/hash.h": "#pragma once\n\nnamespace tipple {\n\n/// A hash.\nint hash(int number);\n\n}  // namespace tipple\n",
    "src/tipple/core/hash.cpp": '#include "tipple/core/hash.h"\n\n#include <openssl/evp.h>\n\n#include <string>\n',
    "src/tipple/core/hash_test.cpp": '#include <gtest/gtest.h>\n\n#include "tipple/core/hash.h"\n',
    "src/tipple/io/CMakeLists.txt": "tipple_module(io\n  HEADERS file.h\n  SOURCES file.cpp detail.h\n  DEPENDS core)\n",
    "src/tipple/io/file.h": '#pragma once\n\n#include "tipple/core/error.h"\n\n/// A file.\nstruct File;\n',
    "src/tipple/io/detail.h": "#pragma once\n",
    "src/tipple/io/file.cpp": '#include "tipple/io/file.h"\n\n#include "tipple/io/detail.h"\n',
    "src/tipple/schema/CMakeLists.txt": "tipple_module(schema\n  HEADERS table.h\n  SOURCES table.cpp\n  DEPENDS core io)\n",
    "src/tipple/schema/table.h": "#pragma once\n\nnamespace tipple::schema {\n\n/// A table.\nstruct Table {\n    int rows = 0;\n};\n\n"
                                 "}  // namespace tipple::schema\n",
    "src/tipple/schema/table.cpp": '#include "tipple/schema/table.h"\n\n#include "tipple/io/file.h"\n',
    "src/cli/CMakeLists.txt": "add_executable(tipple main.cpp)\n",
    "src/cli/main.cpp": '#include <cstdio>\n\n#include "tipple/core/error.h"\n\nint main() { std::puts("hello"); }\n',
    "tests/CMakeLists.txt": "add_test(NAME sample COMMAND python3 sample_test.py)\n",
    "tests/sample_test.py": "print()\n",
    "scripts/build": "#!/bin/sh\ncmake --build build\n",
}


class TidyTest(unittest.TestCase):
    def findings(self, changes, removed=()):
        files = {path: text for path, text in {**GOOD, **changes}.items() if path not in removed}
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                place = os.path.join(root, path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "w", encoding="utf-8") as file:
                    file.write(text)
            return tidy.run_checks(root)

    def assert_finding(self, changes, check, path, line, text, removed=()):
        found = self.findings(changes, removed)
        self.assertEqual([(f.check, f.path, f.line) for f in found], [(check, path, line)], "\n".join(f.text for f in found))
        self.assertIn(text, found[0].text)

    def with_line(self, path, line):
        return {path: GOOD[path] + line + "\n"}, GOOD[path].count("\n") + 1

    def test_a_tree_in_order_has_no_findings(self):
        self.assertEqual(self.findings({}), [])

    # modules

    def test_an_include_without_depends(self):
        changes, line = self.with_line("src/tipple/io/file.cpp", '#include "tipple/schema/table.h"')
        self.assert_finding(changes, "modules", "src/tipple/io/file.cpp", line, "does not list schema in DEPENDS")

    def test_tests_are_held_to_depends_too(self):
        changes, line = self.with_line("src/tipple/core/hash_test.cpp", '#include "tipple/io/file.h"')
        self.assert_finding(changes, "modules", "src/tipple/core/hash_test.cpp", line, "does not list io in DEPENDS")

    def test_a_module_that_only_tests_use(self):
        changes, _ = self.with_line("src/tipple/core/hash_test.cpp", '#include "tipple/io/file.h"')
        changes["src/tipple/core/CMakeLists.txt"] = (
            "tipple_module(core\n  HEADERS error.h hash.h\n  SOURCES hash.cpp\n  TEST_LIBRARIES tipple::io tipple::dep::rapidcheck)\n")
        self.assertEqual(self.findings(changes), [])

    def test_a_private_header_of_another_module(self):
        changes, line = self.with_line("src/tipple/schema/table.cpp", '#include "tipple/io/detail.h"')
        self.assert_finding(changes, "modules", "src/tipple/schema/table.cpp", line, "private to module io")

    def test_a_private_header_in_a_front_end(self):
        changes, line = self.with_line("src/cli/main.cpp", '#include "tipple/io/detail.h"')
        self.assert_finding(changes, "modules", "src/cli/main.cpp", line, "private to module io")

    def test_a_header_of_no_module(self):
        changes, line = self.with_line("src/tipple/io/file.cpp", '#include "tipple/util/helpers.h"')
        self.assert_finding(changes, "modules", "src/tipple/io/file.cpp", line, "in no module")

    def test_a_listed_file_that_is_missing(self):
        self.assert_finding({}, "modules", "src/tipple/schema/CMakeLists.txt", 1, "table.cpp does not exist",
                            removed=["src/tipple/schema/table.cpp"])

    def test_a_module_that_uses_one_below_it(self):
        changes = {"src/tipple/CMakeLists.txt": "add_subdirectory(core)\nadd_subdirectory(schema)\nadd_subdirectory(io)\n",
                   "ARCHITECTURE.md": "| `core` | errors | – |\n| `schema` | tables | io |\n| `io` | files | – |\n"}
        self.assert_finding(changes, "modules", "src/tipple/schema/CMakeLists.txt", 1, "comes after it")

    # third-party

    def test_a_library_in_the_wrong_module(self):
        changes, line = self.with_line("src/tipple/io/file.cpp", "#include <duckdb.h>")
        self.assert_finding(changes, "third-party", "src/tipple/io/file.cpp", line, "src/tipple/engine/*")

    def test_a_library_in_another_file_of_its_module(self):
        changes, line = self.with_line("src/tipple/core/hash.h", "#include <openssl/evp.h>")
        self.assert_finding(changes, "third-party", "src/tipple/core/hash.h", line, "src/tipple/core/hash.cpp")

    def test_a_library_in_a_public_header(self):
        changes, line = self.with_line("src/tipple/io/file.h", "#include <zlib.h>")
        self.assert_finding(changes, "third-party", "src/tipple/io/file.h", line, "public header")

    def test_a_library_that_nobody_knows(self):
        changes, line = self.with_line("src/tipple/io/file.cpp", "#include <boost/json.hpp>")
        self.assert_finding(changes, "third-party", "src/tipple/io/file.cpp", line, "no known library")

    # markers, printing, home paths, length

    def test_something_left_to_do(self):
        changes, line = self.with_line("src/tipple/io/file.cpp", f"// {LEFT_OVER}: close it")
        self.assert_finding(changes, "markers", "src/tipple/io/file.cpp", line, LEFT_OVER)

    def test_something_left_to_do_in_a_script(self):
        changes, line = self.with_line("scripts/build", f"# {LEFT_OVER}")
        self.assert_finding(changes, "markers", "scripts/build", line, LEFT_OVER)

    def test_printing_in_the_library(self):
        for statement in ['std::cout << "x";', 'printf("x");', 'std::fprintf(stderr, "x");', 'fmt::print("x");']:
            changes, line = self.with_line("src/tipple/io/file.cpp", f"void f() {{ {statement} }}")
            self.assert_finding(changes, "printing", "src/tipple/io/file.cpp", line, "Log, Observer or Error")

    def test_what_is_not_printing(self):
        changes, _ = self.with_line("src/tipple/io/file.cpp", 'void f() { std::snprintf(b, 1, "printf("); }  // no printf(...)')
        self.assertEqual(self.findings(changes), [])

    def test_a_path_of_somebody(self):
        changes, line = self.with_line("scripts/build", "ls /" + "home/somebody/src")
        self.assert_finding(changes, "home-paths", "scripts/build", line, "somebody's own folder")

    def test_a_file_that_is_too_long(self):
        changes = {"src/tipple/io/file.cpp": GOOD["src/tipple/io/file.cpp"] + "\n" * tidy.LINES_MAX}
        self.assert_finding(changes, "length", "src/tipple/io/file.cpp", tidy.LINES_MAX, "split the file")

    # built

    def test_a_source_that_is_never_built(self):
        self.assert_finding({"src/tipple/io/lost.cpp": ""}, "built", "src/tipple/io/lost.cpp", 1, "never built")

    def test_a_name_inside_of_another_does_not_count(self):
        self.assert_finding({"src/tipple/io/ile.cpp": ""}, "built", "src/tipple/io/ile.cpp", 1, "never built")

    def test_a_test_where_nobody_looks(self):
        self.assert_finding({"src/tipple/io/deep/file_test.cpp": ""}, "built", "src/tipple/io/deep/file_test.cpp", 1, "move it there")

    def test_a_test_that_never_runs(self):
        self.assert_finding({"tests/lost_test.py": ""}, "built", "tests/lost_test.py", 1, "never runs")

    def test_plug_ins_are_named_without_their_ending(self):
        changes = {"src/tipple/io/CMakeLists.txt": "tipple_source(extra REQUIRES X)\n" + GOOD["src/tipple/io/CMakeLists.txt"],
                   "src/tipple/io/extra.cpp": ""}
        self.assertEqual(self.findings(changes), [])

    def test_tests_may_be_listed_in_a_loop(self):
        changes = {"tests/CMakeLists.txt": GOOD["tests/CMakeLists.txt"] + "foreach(theme load query)\n  tipple_cli_test(${theme})\nendforeach()\n", "tests/load_test.py": "",
                   "tests/query_test.py": ""}
        self.assertEqual(self.findings(changes), [])
        self.assert_finding({**changes, "tests/other_test.py": ""}, "built", "tests/other_test.py", 1, "never runs")

    # architecture

    def architecture(self, old, new):
        return {"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"].replace(old, new)}

    def test_a_module_without_a_row(self):
        self.assert_finding(self.architecture("| `io` | files | – |\n", ""), "architecture", "ARCHITECTURE.md", 4, "io is missing")

    def test_a_row_without_a_module(self):
        changes = self.architecture("| `schema`", "| `gone` | nothing | – |\n| `schema`")
        self.assert_finding(changes, "architecture", "ARCHITECTURE.md", 5, "remove the row")

    def test_a_row_with_other_dependencies(self):
        changes = self.architecture("| tables | io |", "| tables | – |")
        self.assert_finding(changes, "architecture", "ARCHITECTURE.md", 5, "make them equal")

    def test_rows_in_another_order(self):
        changes = {"ARCHITECTURE.md": "| `core` | errors | – |\n| `schema` | tables | io |\n| `io` | files | – |\n"}
        self.assert_finding(changes, "architecture", "ARCHITECTURE.md", 3, "make the orders equal")

    # paths

    def test_a_path_that_does_not_exist(self):
        changes, line = self.with_line("README.md", "See `src/tipple/gone.cpp`.")
        self.assert_finding(changes, "paths", "README.md", line, "src/tipple/gone.cpp")

    def test_a_pattern_that_nothing_matches(self):
        changes, line = self.with_line("README.md", "Tests are `src/*/*.rs`.")
        self.assert_finding(changes, "paths", "README.md", line, "src/*/*.rs")

    def test_a_link_that_leads_nowhere(self):
        changes, line = self.with_line("README.md", "See [the guide](docs/guide.md).")
        self.assert_finding(changes, "paths", "README.md", line, "docs/guide.md")

    def test_what_scripts_make_need_not_be_there(self):
        changes, _ = self.with_line("README.md", "Results go to `bench/results/TIME.json`.")
        self.assertEqual(self.findings(changes), [])

    # header-comments

    def in_header(self, text):
        path = "src/tipple/schema/table.h"
        head, tail = GOOD[path].rsplit("\n\n}", 1)
        return {path: f"{head}\n\n{text}\n\n}}{tail}"}

    def test_a_function_without_a_comment(self):
        self.assert_finding(self.in_header("int count(const Table& table);"), "header-comments", "src/tipple/schema/table.h", 10, "count")

    def test_a_class_without_a_comment(self):
        self.assert_finding(self.in_header("class Bare {\n    int x_ = 0;\n};"), "header-comments", "src/tipple/schema/table.h", 10, "Bare")

    def test_comments_that_count(self):
        for text in ["/// How many.\nint count(int table);\nint sum(int table);", "int count(int table);  ///< How many.",
                     "enum class Mode {\n    fast,  ///< Sooner.\n};", "class Forward;", "/// A list.\ntemplate <typename T>\nclass List {\n};"]:
            self.assertEqual(self.findings(self.in_header(text)), [], text)


if __name__ == "__main__":
    unittest.main()
