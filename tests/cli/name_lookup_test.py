"""Names that are looked up for long, or for ever: a request to stop is heard meanwhile. The system's resolver hears none, so a preloaded library stands in for it."""

import http.server
import os
import pathlib
import signal
import threading

from tipple_cli import EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_TRANSIENT, Case, main

LIBRARY = os.environ.get("TIPPLE_RESOLVER_LIBRARY", str(pathlib.Path(__file__).parents[2] / "build/release/lib/slow_resolver.so"))
ENVIRONMENT = {"LD_PRELOAD": LIBRARY, "ASAN_OPTIONS": "verify_asan_link_order=0", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://store.never.test:9000"}


class OneFile(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content = b"id\n1\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class NameLookup(Case):
    def setUp(self):
        super().setUp()
        self.write("a.jsonl", [{"id": 1}])

    def test_a_stop_is_heard_meanwhile(self):
        for arguments in (
            ["load", "postgresql://u@db.never.test/shop", self.database, "-r", "public.orders"],
            # The first one refuses; the name of the second is looked up when it is its turn.
            ["load", "postgresql://u@127.0.0.1:1,db.never.test:5432/shop", self.database, "-r", "public.orders"],
            ["load", "a.jsonl", "postgresql://u@db.never.test/shop"],
            ["load", "http://web.never.test/a.csv", self.database],
            ["load", "s3://lake/a.csv", self.database],
            ["load", "a.jsonl", "s3://lake/team"],
        ):
            for which, code in ((signal.SIGINT, EXIT_INTERRUPTED), (signal.SIGTERM, EXIT_TERMINATED)):
                with self.subTest(arguments, signal=which), self.start(*arguments, env=ENVIRONMENT) as run:
                    run.wait_for(".never.test")
                    run.send(which)
                    result = run.finish()
                    self.assertEqual(result.code, code, result.err)
                    self.assertFalse(self.database.exists())

    def test_an_answer_that_comes_late_counts(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneFile)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        self.assertIn("looking up web.late.test", self.tipple("load", f"http://web.late.test:{port}/a.csv", self.database, env=ENVIRONMENT).err)
        self.assertEqual(self.query("SELECT id FROM a"), [(1,)])
        refused = self.tipple("load", "postgresql://u@db.late.test:1/shop", "none.duckdb", "-r", "public.orders", env=ENVIRONMENT, expect=EXIT_TRANSIENT).err
        self.assertIn("looking up db.late.test", refused)
        self.assertIn("nothing listens there", refused)


if __name__ == "__main__":
    main()
