#!/usr/bin/env python3
"""Records a session of commands in terminals of two widths: record_session.py PATH/TO/tipple.

Writes docs/guide/session.md between its marks, and the pictures beside it. tests/docs_test.py runs the same session and compares.
"""
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from terminal_session import Screen, run  # noqa: E402

PAGE = "docs/guide/session.md"
PICTURES = "docs/guide/pictures"
BEGIN, END = "<!-- session: begin -->\n", "<!-- session: end -->\n"
WIDTHS = (80, 200)
# As long as the folder that it stands for, so that nothing is broken at another place.
SHOWN_FOLDER = "/srv/pipeline"

BROKEN_FILE = """\
{"id": 4, "updated_at": "2026-04-01T08:00:00Z", "total": 12.5, "lines": [{"sku": "tea", "qty": 1}]}
{"id": 5, "updated_at": "2026-04-01T08:20:00Z", "total": 8
{"id": 6, "updated_at": "2026-04-01T09:00:00Z", "total": 99}
"""
# What is typed; and what somebody else does meanwhile.
SESSION = [
    "tipple init",
    "tipple run shop",
    lambda folder: write(os.path.join(folder, "data/orders-2026-04.jsonl"), BROKEN_FILE),
    "tipple run shop",
    "tipple list",
    "tipple trace shop",
    "sed -n 2p data/orders-2026-04.jsonl",
    "sed -i '2s/$/}/' data/orders-2026-04.jsonl",
    "tipple plan shop",
    "tipple run shop",
    "tipple query shop 'SELECT id, total FROM orders ORDER BY id'",
    "tipple runs shop",
]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def record(tipple, columns):
    """The screen after the session."""
    with tempfile.TemporaryDirectory(prefix="", dir="/tmp") as folder:
        folder = os.path.realpath(folder)
        if len(folder) != len(SHOWN_FOLDER):
            raise RuntimeError(f"{folder} is not as long as {SHOWN_FOLDER}")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIPPLE_", "XDG_", "LC_")) and name not in ("CI", "NO_COLOR")}
        environment = {**kept, "PATH": os.path.dirname(tipple) + os.pathsep + kept.get("PATH", ""), "HOME": folder, "LANG": "C.UTF-8", "TERM": "xterm-256color",
                       "TIPPLE_DATA_DIR": os.path.join(folder, ".tipple-data")}
        screen = Screen(columns)
        for step in SESSION:
            if callable(step):
                step(folder)
                continue
            screen.write(f"\x1b[1m$ {step}\x1b[0m\r\n")
            text, _ = run(step, folder, environment, columns)
            screen.write(text.replace(folder, SHOWN_FOLDER) + "\r\n")
    while screen.rows and not screen.rows[-1]:
        screen.rows.pop()
    return screen


def picture(columns, theme):
    return f"{PICTURES}/session-{columns}-{theme}.svg"


def text_of_svg(svg):
    """The rows of a picture, as text."""
    rows = {}
    for x, y, text in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        column = round((float(x) - 12) / 8)
        row = rows.get(float(y), "").ljust(column)
        rows[float(y)] = row + text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
    return "\n".join(rows[y] for y in sorted(rows))


def main(tipple):
    os.makedirs(os.path.join(ROOT, PICTURES), exist_ok=True)
    for columns in WIDTHS:
        screen = record(tipple, columns)
        for theme in ("light", "dark"):
            write(os.path.join(ROOT, picture(columns, theme)), screen.svg(theme))
        if columns == WIDTHS[0]:
            page = os.path.join(ROOT, PAGE)
            with open(page, encoding="utf-8") as file:
                before, _, rest = file.read().partition(BEGIN)
            transcript = "\n".join(screen.lines()).rstrip()
            write(page, before + BEGIN + f"```console\n{transcript}\n```\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: record_session.py PATH/TO/tipple")
    main(os.path.abspath(sys.argv[1]))
