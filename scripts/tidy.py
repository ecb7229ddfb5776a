#!/usr/bin/env python3
"""The checks that no compiler makes: `scripts/tidy.py`, or `ctest -R tidy`.

Prints one line per finding, `file:line: [check] what is wrong: what to do`, and ends with 1 when there is one. `--list` names the checks,
`--root DIR` looks at another tree (tests/tidy_test.py does, to show that each check can fail). Needs Python's standard library only.
"""
import argparse
import fnmatch
import glob
import os
import re
import sys
from collections import namedtuple

Finding = namedtuple("Finding", "path line check text")

# ---- what the design says -------------------------------------------------------------------------------------------------------

# Third-party headers, as regular expressions, and the only files that may include them. A new dependency has a line here and a page in
# docs/decisions. fmt is part of our interfaces, so it may be anywhere.
THIRD_PARTY = [
    ("DuckDB", r"duckdb\.(h|hpp)|duckdb/.*", ["src/tipple/engine/*"]),
    ("simdjson", r"simdjson.*", ["src/tipple/json/*"]),
    ("OpenSSL", r"openssl/.*", ["src/tipple/core/hash.cpp", "src/tipple/core/signature.cpp"]),
    ("xxHash", r"xxh(ash|3)\.h", ["src/tipple/core/hash.cpp"]),
    ("CLI11", r"CLI/.*", ["src/cli/*arguments.cpp"]),
    ("libpq", r"libpq.*|postgresql/.*", ["src/tipple/postgres/*", "tests/golden/postgres_store.cpp", "bench/copy_binary.cpp", "bench/copy_out.cpp"]),
    ("SQLite", r"sqlite3\.h", ["src/tipple/sources/sql/sqlite/*"]),
    ("spdlog", r"spdlog/.*", ["src/tipple/core/log.cpp"]),
    ("flatbuffers", r"flatbuffers/.*", ["src/tipple/format/*"]),
    ("lz4", r"lz4.*\.h", ["src/tipple/format/*"]),
    ("libcurl", r"curl/.*", ["src/tipple/io/*"]),
    ("pugixml", r"pugixml\.hpp", ["src/tipple/io/s3_xml.cpp"]),
    ("zlib", r"zlib\.h", ["src/tipple/io/*", "src/tipple/destination/*"]),
    ("zstd", r"zstd.*\.h", ["src/tipple/io/*"]),
    ("bzip2", r"bzlib\.h", ["src/tipple/io/*"]),
    ("lzma", r"lzma.*", ["src/tipple/io/*"]),
    ("toml++", r"toml\+\+/.*", ["src/tipple/config/toml.cpp"]),
    ("yaml-cpp", r"yaml-cpp/.*", ["src/tipple/schema/yaml.cpp"]),
    ("GoogleTest", r"g(test|mock)/.*", ["*_test.cpp", "*_fixture.h", "tests/*"]),
    ("rapidcheck", r"rapidcheck.*", ["*_test.cpp", "*_fixture.h", "tests/*"]),
    ("Google Benchmark", r"benchmark/.*", ["bench/*"]),
    ("cpp-httplib", r"httplib\.h", ["examples/*", "tests/support/http_server.h"]),
    ("fmt", r"fmt/.*", ["*"]),
]
# Headers of C, POSIX, Linux and the compilers. Those of C++ have no ending.
SYSTEM_HEADERS = re.compile(
    r"(sys|linux|netinet|arpa)/\w+\.h|[a-z]*mmintrin\.h|immintrin\.h|arm_neon\.h|"
    r"(dirent|errno|fcntl|fnmatch|glob|iconv|limits|malloc|math|netdb|poll|pthread|pwd|regex|semaphore|signal|spawn|stddef|stdint|stdio|stdlib|string|"
    r"strings|termios|time|ucontext|unistd|wchar|dlfcn|execinfo)\.h")

# "fix me" and its like, spelled so that this file does not hold them.
MARKERS = re.compile(r"\b(" + "|".join(["FIX" + "ME", "TO" + "DO", "XX" + "X", "HA" + "CK"]) + r")\b")
PRINTING = re.compile(r"\bstd::(cout|cerr|clog)\b|(?<![\w:.>])(std::)?(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror)\s*\(|"
                      r"\bfmt::(v?print|println)\b|\bstd::(print|println)\b")
HOME_PATH = re.compile(r"/(?:home|Users)/[A-Za-z0-9_.-]+/|(?<![\w./-])/root/[A-Za-z0-9_.-]")
LINES_MAX = 900
# The one header of the library that lies in no folder: the public ones of the module api in one include.
FRONT_HEADER = "tipple/tipple.h"

# Folders that hold files of ours, and files beside them.
TOP_FOLDERS = ["src", "tests", "examples", "fuzz", "bench", "scripts", "cmake", "docs", "python", "dashboard", ".ci"]
SKIPPED_FOLDERS = {"build", ".deps", ".git", ".cache", "__pycache__", "node_modules"}
SKIPPED_PATHS = ["bench/data", "bench/results"]
TEXT_ENDINGS = (".cpp", ".h", ".in", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".json", ".case", ".c", ".sql", ".yaml", ".yml")
CODE_ENDINGS = (".cpp", ".h", ".c", ".py", ".sh", ".cmake", ".md", ".toml")
SOURCE_ENDINGS = (".cpp", ".h")


def is_test(path):
    return path.endswith("_test.cpp") or path.endswith("_fixture.h")


# ---- the tree -------------------------------------------------------------------------------------------------------------------

class Tree:
    """Files of one repository by their path in it."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.files = sorted(self._walk())
        self._texts = {}

    def _walk(self):
        for name in os.listdir(self.root):
            if os.path.isfile(os.path.join(self.root, name)):
                yield name
        for top in TOP_FOLDERS:
            for folder, folders, names in os.walk(os.path.join(self.root, top)):
                here = os.path.relpath(folder, self.root).replace(os.sep, "/")
                folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and f"{here}/{f}" not in SKIPPED_PATHS)
                for name in names:
                    yield f"{here}/{name}"

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def text(self, path):
        if path not in self._texts:
            try:
                with open(os.path.join(self.root, path), encoding="utf-8") as file:
                    self._texts[path] = file.read()
            except (UnicodeDecodeError, OSError):
                self._texts[path] = None  # not text
        return self._texts[path]

    def lines(self, path):
        """Numbered from 1."""
        text = self.text(path)
        return enumerate(text.split("\n"), 1) if text is not None else ()

    def sources(self, under="src/"):
        return [f for f in self.files if f.startswith(under) and f.endswith(SOURCE_ENDINGS)]

    def is_text(self, path):
        if path.endswith(TEXT_ENDINGS):
            return self.text(path) is not None
        # Scripts without an ending.
        return "." not in path.rsplit("/", 1)[-1] and (self.text(path) or "").startswith("#!")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# ---- CMake ----------------------------------------------------------------------------------------------------------------------

class Module:
    """One tipple_module() or tipple_builtin() call."""

    def __init__(self, name, folder, path, line, lists):
        self.name, self.folder, self.path, self.line = name, folder, path, line
        self.headers = lists.get("HEADERS", [])
        self.sources = lists.get("SOURCES", [])
        self.depends = lists.get("DEPENDS", [])
        libraries = lists.get("LIBRARIES", []) + lists.get("TEST_LIBRARIES", [])
        self.test_depends = [name[len("tipple::"):] for name in libraries
                             if name.startswith("tipple::") and not name.startswith("tipple::dep::")]


CALL = re.compile(r"^[ \t]*(tipple_module|tipple_builtin|tipple_source|tipple_destination)\(([^)]*)\)", re.M)
KEYWORDS = {"HEADERS", "SOURCES", "DEPENDS", "LIBRARIES", "TEST_LIBRARIES", "REQUIRES"}


def without_comments(text):
    """Of CMake code, keeping the lines."""
    return re.sub(r"#.*", "", text)


def read_modules(tree):
    modules = {}
    for path in tree.files:
        if not (path.startswith("src/tipple/") and path.endswith("/CMakeLists.txt")):
            continue
        text = without_comments(tree.text(path))
        for call in CALL.finditer(text):
            words = call.group(2).split()
            if call.group(1) not in ("tipple_module", "tipple_builtin") or not words:
                continue
            lists, current = {}, None
            for word in words[1:]:
                if word in KEYWORDS:
                    current = lists.setdefault(word, [])
                elif current is not None:
                    current.append(word)
            modules[words[0]] = Module(words[0], path.rsplit("/", 1)[0], path, line_of(text, call.start()), lists)
    return modules


# ---- the checks: each yields findings -------------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(tree, path):
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def module_of(path, modules):
    if path == "src/" + FRONT_HEADER:
        return modules.get("api")
    for module in modules.values():
        if path.startswith(module.folder + "/"):
            return module
    return None


def check_module_includes(tree, modules):
    """Every #include of a module is of itself or of a public header of one of its DEPENDS."""
    for path in tree.sources("src/tipple/"):
        own = module_of(path, modules)
        if own is None:
            yield Finding(path, 1, "modules", "the file belongs to no tipple_module(): put it into a module's folder")
            continue
        for number, _, header in includes(tree, path):
            if not header.startswith("tipple/"):
                continue
            yield from check_include(tree, modules, own, path, number, header)


def check_include(tree, modules, own, path, number, header):
    parts = header.split("/", 2)
    other = modules.get(parts[1]) if len(parts) == 3 else None
    if other is None:
        yield Finding(path, number, "modules", f'"{header}" is in no module: correct the path')
    elif other is own:
        if not tree.exists("src/" + header):
            yield Finding(path, number, "modules", f'"{header}" does not exist: correct the path')
    else:
        allowed = own.depends + (own.test_depends if is_test(path) else [])
        if other.name not in allowed:
            yield Finding(path, number, "modules",
                          f'module {own.name} includes "{header}", but {own.path}:{own.line} does not list {other.name} in DEPENDS: '
                          f"do without it, or add it there and to ARCHITECTURE.md")
        yield from check_public(modules, path, number, header)


def check_public(modules, path, number, header):
    if header == FRONT_HEADER:
        return
    parts = header.split("/", 2)
    other = modules.get(parts[1]) if len(parts) == 3 else None
    if other is None:
        yield Finding(path, number, "modules", f'"{header}" is in no module: correct the path')
    elif parts[2] not in other.headers:
        yield Finding(path, number, "modules",
                      f'"{header}" is private to module {other.name}: use one of its public headers ({", ".join(other.headers)}), or list it '
                      f"in HEADERS of {other.path}")


def check_outside_includes(tree, modules):
    """Front ends, tests and tools include public headers only."""
    for path in tree.files:
        if not path.endswith(SOURCE_ENDINGS) or path.startswith("src/tipple/"):
            continue
        for number, _, header in includes(tree, path):
            if header.startswith("tipple/"):
                yield from check_public(modules, path, number, header)


def check_module_lists(tree, modules):
    """What CMake names exists, and modules build on modules that come before them."""
    order = list_order(tree)
    for module in modules.values():
        for name in module.headers + module.sources:
            if "$" not in name and not tree.exists(f"{module.folder}/{name}"):
                yield Finding(module.path, module.line, "modules", f"{name} does not exist: remove it from module {module.name}")
        for other in module.depends:
            if other not in modules:
                yield Finding(module.path, module.line, "modules", f"DEPENDS names {other}, which is no module: correct it")
            elif module.name in order and other in order and order.index(other) > order.index(module.name):
                yield Finding(module.path, module.line, "modules",
                              f"module {module.name} depends on {other}, which comes after it in src/tipple/CMakeLists.txt: a module may use "
                              f"only those above it")


def list_order(tree):
    text = tree.text("src/tipple/CMakeLists.txt") if tree.exists("src/tipple/CMakeLists.txt") else ""
    return re.findall(r"^\s*add_subdirectory\((\w+)\)", without_comments(text), re.M)


def check_third_party(tree, modules):
    """A library is included where the design says, and by no public header but fmt's."""
    for path in tree.files:
        if not path.endswith((".cpp", ".h", ".c")):
            continue
        own = module_of(path, modules)
        is_public = own is not None and path[len(own.folder) + 1:] in own.headers
        for number, mark, header in includes(tree, path):
            is_quoted = mark == '"' and not header.startswith(("duckdb", "simdjson", "xxh"))
            if is_quoted or header.startswith("tipple/"):
                continue  # ours
            if re.fullmatch(r"[a-z_]+", header) or SYSTEM_HEADERS.fullmatch(header):
                continue
            known = next((entry for entry in THIRD_PARTY if re.fullmatch(entry[1], header)), None)
            if known is None:
                yield Finding(path, number, "third-party",
                              f"<{header}> is of no known library: add the library to THIRD_PARTY in scripts/tidy.py and give it a page in "
                              f"docs/decisions")
                continue
            name, _, places = known
            if not any(fnmatch.fnmatch(path, place) for place in places):
                yield Finding(path, number, "third-party", f"<{header}> ({name}) may be included in {', '.join(places)} only: go through "
                              f"the module that wraps it")
            elif is_public and name != "fmt":
                yield Finding(path, number, "third-party", f"<{header}> ({name}) in a public header: hide it behind an Impl in the .cpp")


def check_markers(tree, modules):
    """Nothing is left to be done in comments."""
    for path in tree.files:
        if not tree.is_text(path):
            continue
        for number, line in tree.lines(path):
            match = MARKERS.search(line)
            if match:
                yield Finding(path, number, "markers", f"{match.group(1)} is left: do it, or open an issue and say in words what holds today")


def check_printing(tree, modules):
    """The library prints nothing: what it has to say goes through Log, Observer or Error."""
    for path in tree.sources("src/tipple/"):
        if is_test(path):
            continue
        for number, line in tree.lines(path):
            match = PRINTING.search(strip_line(line))
            if match:
                yield Finding(path, number, "printing", f"the library prints ({match.group(0).strip()}): use Log, Observer or Error")


STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'')


def strip_line(line):
    """A line of C++ without texts and comments at its end."""
    return STRING.sub('""', line).split("//", 1)[0]


def check_built(tree, modules):
    """Every source is named by a CMakeLists, every test is run."""
    cmake = {path.rsplit("/", 1)[0] if "/" in path else "": with_loops_written_out(without_comments(tree.text(path)))
             for path in tree.files if path.rsplit("/", 1)[-1] == "CMakeLists.txt"}
    for path in tree.files:
        if path.endswith(".cpp") and path.startswith("src/"):
            if path.endswith("_test.cpp") and path.startswith("src/tipple/"):
                own = module_of(path, modules)
                if own is not None and path.rsplit("/", 1)[0] != own.folder and not is_named(path, cmake):
                    yield Finding(path, 1, "built", f"tests are looked for in {own.folder} itself, so this one is never built: move it there, or name it in a program of its own")
            elif not is_named(path, cmake):
                yield Finding(path, 1, "built", "no CMakeLists.txt names the file, so it is never built: add it to its module")
        elif path.startswith(("tests/", "examples/", "fuzz/", "bench/")) and path.endswith((".cpp", "_test.py", "_test.sh")):
            if not is_named(path, cmake):
                yield Finding(path, 1, "built", "no CMakeLists.txt names the file, so it never runs: add it")


LOOP = re.compile(r"foreach\((\w+)\s+([^()]*)\)(.*?)endforeach\(\)", re.S)


def with_loops_written_out(text):
    """CMake with the body of each foreach once per item."""
    return LOOP.sub(lambda loop: "".join(loop.group(3).replace("${%s}" % loop.group(1), item) for item in loop.group(2).split()), text)


def is_named(path, cmake):
    folder = path
    while folder:
        folder = folder.rsplit("/", 1)[0] if "/" in folder else ""
        name = path[len(folder) + 1:] if folder else path
        stem = re.escape(name.rsplit(".", 1)[0])
        text = cmake.get(folder)
        if text is None:
            continue
        if re.search(rf"(?<![\w./-])(\S*/)?{re.escape(name)}(?![\w.-])", text):
            return True
        # tipple_source(NAME), tipple_destination(NAME) stand for NAME.cpp.
        if re.search(rf"tipple_(source|destination)\(\s*{stem}[\s)]", text):
            return True
        # tipple_cli_test(NAME) stands for NAME_test.py.
        if name.endswith("_test.py") and re.search(rf"tipple_\w+_test\(\s*{re.escape(name[:-len('_test.py')])}[\s)]", text):
            return True
    return False


ROW = re.compile(r"^\|\s*`(\w+)`\s*\|(.*)\|\s*([^|]*?)\s*\|\s*$")


def check_architecture(tree, modules):
    """The module table of ARCHITECTURE.md says what CMake says."""
    if not tree.exists("ARCHITECTURE.md"):
        yield Finding("ARCHITECTURE.md", 1, "architecture", "the file is missing: write it")
        return
    seen, last = [], 0
    order = list_order(tree)
    for number, line in tree.lines("ARCHITECTURE.md"):
        match = ROW.match(line)
        if not match:
            continue
        name, last = match.group(1), number
        if name not in modules:
            yield Finding("ARCHITECTURE.md", number, "architecture", f"the table has a module {name} that CMake does not: remove the row")
            continue
        listed = [] if match.group(3) in ("", "–", "-") else match.group(3).split()
        actual = [other for other in modules[name].depends if other != "core"]
        if sorted(listed) != sorted(actual):
            yield Finding("ARCHITECTURE.md", number, "architecture",
                          f"{name} uses \"{' '.join(listed)}\" here and \"{' '.join(actual)}\" in {modules[name].path}: make them equal")
        if not match.group(2).strip():
            yield Finding("ARCHITECTURE.md", number, "architecture", f"module {name} has no sentence: say what it is responsible for")
        if seen and name in order and seen[-1] in order and order.index(name) < order.index(seen[-1]):
            yield Finding("ARCHITECTURE.md", number, "architecture", f"{name} stands below {seen[-1]}, in src/tipple/CMakeLists.txt above: "
                          f"make the orders equal")
        seen.append(name)
    for name in modules:
        if name not in seen:
            yield Finding("ARCHITECTURE.md", last or 1, "architecture", f"module {name} is missing in the table: add its row")


NAMED_PATH = re.compile(r"(?<![\w./$~-])((?:" + "|".join(re.escape(f) for f in TOP_FOLDERS) + r")/[\w.*/-]*[\w*/])")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def check_paths(tree, modules):
    """Paths that documents name exist."""
    for path in tree.files:
        if not path.endswith(".md"):
            continue
        folder = path.rsplit("/", 1)[0] if "/" in path else ""
        for number, line in tree.lines(path):
            for match in LINK.finditer(line):
                target = match.group(1)
                if "://" in target or target.startswith("mailto:"):
                    continue
                place = os.path.normpath(os.path.join(folder, target))
                if not tree.exists(place):
                    yield Finding(path, number, "paths", f"the link leads to {target}, which does not exist: correct it")
            for match in NAMED_PATH.finditer(LINK.sub("", line)):
                name = match.group(1)
                # Made by scripts, and not in the repository.
                if any(name == made or name.startswith(made + "/") for made in SKIPPED_PATHS):
                    continue
                if not glob.glob(os.path.join(tree.root, name)):
                    yield Finding(path, number, "paths", f"{name} does not exist: correct the name")


def check_header_comments(tree, modules):
    """Classes and free functions of public headers say what they promise."""
    for module in modules.values():
        for name in module.headers:
            path = f"{module.folder}/{name}"
            if tree.exists(path):
                yield from undocumented(tree, path)


DECLARATION = re.compile(r"^(?:template\s*<.*>\s*)?(?:(class|struct|enum)\b|(?:\[\[\w+\]\]\s*)?[\w:<>,&*~\s]+?\b([a-z_]\w*)\s*\()")
NAMESPACE = re.compile(r"^(?:inline\s+)?namespace\b[^;]*\{|^extern\s+\"C\"\s*\{")


def undocumented(tree, path):
    """Looks at what stands directly in a namespace. A comment holds up to the next blank line, so related functions can share one; a type
    may instead have its comments inside."""
    depth, has_comment, is_open, pending = 0, False, False, None
    for number, raw in tree.lines(path):
        line = STRING.sub('""', raw)
        code = line.split("//", 1)[0].rstrip()
        if depth == 0 and not is_open:
            if pending is not None:
                yield pending
                pending = None
            if not raw.strip():
                has_comment = False
                continue
            if raw.lstrip().startswith("//"):
                has_comment = True
                continue
            if NAMESPACE.match(code) or code.startswith(("#", "}", "using ", "friend ")):
                continue
            has_comment = has_comment or "//" in line
            match = DECLARATION.match(code)
            is_forward = re.match(r"^(?:template\s*<.*>\s*)?(class|struct|enum)\s+[^{]*;$", code)
            is_member = match and match.group(2) and re.search(r"::~?" + match.group(2) + r"\s*\(", code)
            if match and not is_forward and not is_member and not has_comment and "operator" not in code:
                what = match.group(2) or re.sub(r"\s*[:{].*", "", code)
                finding = Finding(path, number, "header-comments",
                                  f"{what} has no comment: say with /// what it means, who owns what, what it throws")
                if match.group(2):
                    yield finding
                else:
                    pending = finding
        elif "//" in line:
            pending = None
        depth += code.count("{") - code.count("}")
        # A declaration that goes on behind this line.
        is_open = depth == 0 and bool(code) and not code.endswith((";", "}", ">", ")")) and not code.startswith("#")
    if pending is not None:
        yield pending


def check_home_paths(tree, modules):
    """Nothing depends on where one person keeps things."""
    for path in tree.files:
        if not tree.is_text(path):
            continue
        for number, line in tree.lines(path):
            match = HOME_PATH.search(line)
            if match:
                yield Finding(path, number, "home-paths", f"{match.group(0)} is somebody's own folder: use a path that everybody has")


def check_length(tree, modules):
    """Files stay readable."""
    for path in tree.files:
        if not path.endswith(CODE_ENDINGS):
            continue
        count = (tree.text(path) or "").count("\n")
        if count > LINES_MAX:
            yield Finding(path, LINES_MAX, "length", f"{count} lines, {LINES_MAX} at most: split the file by what its parts do")


CHECKS = {
    "modules": [check_module_includes, check_outside_includes, check_module_lists],
    "third-party": [check_third_party],
    "markers": [check_markers],
    "printing": [check_printing],
    "built": [check_built],
    "architecture": [check_architecture],
    "paths": [check_paths],
    "header-comments": [check_header_comments],
    "home-paths": [check_home_paths],
    "length": [check_length],
}


def run_checks(root, wanted=None):
    """All findings in the tree at `root`, sorted."""
    tree = Tree(root)
    modules = read_modules(tree)
    findings = set()
    for name, functions in CHECKS.items():
        if not wanted or name in wanted:
            for function in functions:
                findings.update(function(tree, modules))
    return sorted(findings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("--list", action="store_true", help="name the checks")
    parser.add_argument("checks", nargs="*", help="only these")
    arguments = parser.parse_args()
    if arguments.list:
        for name, functions in CHECKS.items():
            print(f"{name:<16} {' '.join(function.__doc__ for function in functions)}")
        return 0
    unknown = set(arguments.checks) - set(CHECKS)
    if unknown:
        parser.error(f"unknown checks {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    findings = run_checks(arguments.root, arguments.checks)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: [{finding.check}] {finding.text}")
    print(f"tidy: {len(findings)} findings" if findings else "tidy: all is in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
