#!/usr/bin/env python3
"""What measurements refuse before they begin."""

import pathlib
import subprocess
import sys
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"


class RestApi(unittest.TestCase):
    def run_with(self, *arguments):
        # A program that fails at once ends what is not refused.
        return subprocess.run([sys.executable, BENCH / "rest_api.py", "--tipple", "false", *arguments], capture_output=True, text=True, timeout=60)

    def test_pages_that_cannot_be_compared(self):
        for pages in ("0", "1", "4"):
            with self.subTest(pages):
                result = self.run_with("--pages", "3", "--dlt-pages", pages)
                self.assertEqual(result.returncode, 2)
                self.assertIn("--dlt-pages must be at least 2 and at most --pages, which is 3", result.stderr)

    def test_pages_that_can(self):
        for pages, of_dlt in (("3", "2"), ("3", "3"), ("1", "1")):
            with self.subTest(of_dlt):
                self.assertIn("tipple, 1 in flight ended with", self.run_with("--pages", pages, "--dlt-pages", of_dlt).stderr)


if __name__ == "__main__":
    unittest.main()
