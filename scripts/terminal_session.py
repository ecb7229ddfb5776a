"""What somebody sees who types commands into a terminal: a pseudo terminal of a given size, the screen that results, and pictures of it.

The screen understands what tipple and common tools print: text, line ends, carriage returns, colours, and "clear the rest of the line". Anything
else is an error, so that nothing is drawn wrong in silence.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata
from html import escape

SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
STYLES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow"}
THEMES = {
    "light": {"background": "#ffffff", "text": "#24292f", "red": "#b31d28", "green": "#176f2c", "yellow": "#7d5700", "dim": "#6e7781"},
    "dark": {"background": "#0d1117", "text": "#d0d7de", "red": "#ff7b72", "green": "#56d364", "yellow": "#e3b341", "dim": "#8b949e"},
}


class Screen:
    """Rows of cells, as wide as the terminal, all that was scrolled away included."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [[]]
        self.at = 0
        self.style = frozenset()

    def write(self, text):
        while text:
            if text[0] == "\x1b":
                match = SEQUENCE.match(text)
                if not match:
                    raise ValueError(f"a sequence that this screen does not know: {text[:12]!r}")
                self.control(*match.groups())
                text = text[match.end():]
                continue
            self.put(text[0])
            text = text[1:]

    def control(self, numbers, letter):
        if letter == "m":
            for number in numbers.split(";"):
                self.style = frozenset() if number in ("", "0") else self.style | {STYLES[number]}
        elif letter == "K" and numbers in ("", "0"):
            del self.rows[-1][self.at:]
        else:
            raise ValueError(f"a sequence that this screen does not know: CSI {numbers}{letter}")

    def put(self, character):
        if character == "\r":
            self.at = 0
        elif character == "\n":
            self.rows.append([])
            self.at = 0
        elif character == "\x07":
            pass
        elif ord(character) < 32:
            raise ValueError(f"a character that this screen does not know: {character!r}")
        else:
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if self.at + width > self.columns:
                self.rows.append([])
                self.at = 0
            row = self.rows[-1]
            row.extend([(" ", frozenset())] * (self.at - len(row)))
            row[self.at:self.at + width] = [(character, self.style)] + [("", self.style)] * (width - 1)
            self.at += width

    def lines(self):
        return ["".join(character for character, _ in row).rstrip() for row in self.rows]

    def svg(self, theme):
        """A picture of all rows."""
        colours = THEMES[theme]
        cell, line, margin = 8.0, 18, 12
        width, height = self.columns * cell + 2 * margin, len(self.rows) * line + 2 * margin
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" '
               f'font-family="monospace" font-size="13.3" fill="{colours["text"]}">',
               f'<rect width="100%" height="100%" rx="6" fill="{colours["background"]}"/>']
        for number, row in enumerate(self.rows):
            y = margin + (number + 0.75) * line
            for start, text, style in runs_of(row):
                colour = next((colours[name] for name in ("red", "green", "yellow", "dim") if name in style), None)
                attributes = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if "bold" in style else "")
                # The length makes columns meet whatever font there is.
                length = f' textLength="{len(text) * cell:g}"' if len(text) > 1 else ""
                out.append(f'<text x="{margin + start * cell:g}" y="{y:g}" xml:space="preserve"{length}{attributes}>{escape(text)}</text>')
        return "\n".join(out) + "\n</svg>\n"


def runs_of(row):
    """(column, text, style) of what stands together in one style; gaps of blanks part."""
    runs = []
    for column, (character, style) in enumerate(row):
        if not character:
            continue
        last = runs[-1] if runs else None
        if last and last[2] == style and last[0] + len(last[1]) == column and not (character == " " and last[1].endswith(" ")):
            runs[-1] = (last[0], last[1] + character, style)
        elif character != " ":
            runs.append((column, character, style))
    return [(column, text.rstrip(), style) for column, text, style in runs]


def run(command, folder, environment, columns, rows=24, answers=(), seconds_max=120):
    """What a shell command writes to a terminal of that size. `answers` are (text to wait for, text to type). Returns (text, exit code)."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stdin=child, stdout=child, stderr=child, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(child)
    seen, answers, end = b"", list(answers), time.monotonic() + seconds_max
    while True:
        if time.monotonic() > end:
            process.kill()
            raise TimeoutError(f"{command} still runs after {seconds_max} s")
        if not select.select([parent], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(parent, 65536)
        except OSError:  # The other end is closed: that is how Linux says it.
            break
        if not part:
            break
        seen += part
        if answers and answers[0][0].encode() in seen:
            os.write(parent, answers.pop(0)[1].encode())
    os.close(parent)
    return seen.decode(), process.wait()
