"""Drives killpoint.so: where in a program's life it is to be killed, or which call is to fail, and what was counted."""

import dataclasses
import mmap
import os
import pathlib
import struct

LIBRARY = os.environ.get("TIPPLE_KILLPOINT_LIBRARY", str(pathlib.Path(__file__).parents[2] / "build/release/lib/killpoint.so"))

# As `Control` in killpoint.cpp.
HEADER = struct.Struct("=IIQiIQ")
CALLS_MAX = 65_536

ACTIONS = {"count": 0, "kill": 1, "fail_once": 2, "fail_from": 3, "shorten": 4}
WHERE = {"before": 0, "middle": 1, "after": 2}
CALLS = {"w": "write", "p": "pwrite", "s": "send", "f": "fsync", "d": "fdatasync", "t": "ftruncate", "r": "rename", "u": "unlink"}
# Calls that hand over bytes and so can be cut in the middle.
BYTE_CALLS = "wps"


@dataclasses.dataclass(frozen=True)
class Point:
    action: str = "count"
    at: int = 0
    where: str = "before"
    error: int = 0

    def __str__(self):
        detail = self.where if self.action == "kill" else os.strerror(self.error) if self.error else ""
        return f"{self.action} at call {self.at}{', ' + detail if detail else ''}"


class Killpoint:
    """One preloaded run after the other, over one control file."""

    def __init__(self, path):
        self.path = path

    def environment(self, point):
        """What the program's environment needs, so that this happens to it."""
        header = HEADER.pack(ACTIONS[point.action], WHERE[point.where], point.at, point.error, 0, 0)
        self.path.write_bytes(header + bytes(CALLS_MAX))
        return {"LD_PRELOAD": LIBRARY, "TIPPLE_KILLPOINT": str(self.path), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def calls(self):
        """One letter of CALLS for every call that was counted."""
        with open(self.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as shared:
            count = HEADER.unpack(shared[: HEADER.size])[-1]
            assert count <= CALLS_MAX, f"{count} calls are more than are remembered"
            return shared[HEADER.size : HEADER.size + count].decode()


def evenly(items, most):
    """At most so many of them, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(number * (len(items) - 1) / (most - 1))] for number in range(most)]


def kill_points(calls, most):
    """Before, after and, where there is one, in the middle of every call; evenly sampled."""
    points = []
    for number, letter in enumerate(calls, start=1):
        points.append(Point("kill", number, "before"))
        if letter in BYTE_CALLS:
            points.append(Point("kill", number, "middle"))
        points.append(Point("kill", number, "after"))
    return evenly(points, most)
