"""How REST APIs are reached: certificates, HTTP/2, proxies, compression, and servers that let one wait, each with real connections."""

import gzip
import json
import pathlib
import socket
import sys
import threading
import urllib.parse
import zlib

import pyarrow

from tipple_cli import EXIT_DATA, EXIT_TRANSIENT, EXIT_USAGE, Case, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from tls_server import Certificates, ConnectProxy, LoopbackServer, TlsServer  # noqa: E402

PAGES = 12

PROJECT = """
version = 1
[connection.local]
uri = "api.duckdb"
[pipeline.api]
source = {{ type = "rest_api", base_url = "{url}", retry = {{ attempts = {attempts}, base = "1ms", max = "2ms" }}{settings} }}
destination = "local"
dataset = "main"
[pipeline.api.resources.things]
select = "data"
paginator = {{ type = "page_number", base_page = 1, total_path = "total" }}
"""


def page(target):
    number = int(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query)).get("page", 1))
    return json.dumps({"total": PAGES, "data": [{"id": number * 10 + n, "text": "ä" * 500} for n in range(10)]}).encode()


def plain(method, target, headers):
    return 200, {"Content-Type": "application/json"}, page(target)


class ConnectionCase(Case):
    def setUp(self):
        super().setUp()
        self.database = self.folder / "api.duckdb"
        self.certificates = Certificates(self.folder / "certificates")

    def serve(self, answer=plain, name="server", subject_alternative="IP:127.0.0.1", **options):
        return self.enterContext(TlsServer(self.certificates.issue(name, subject_alternative), answer, **options))

    def run_api(self, url, settings="", attempts=1, env=None, expect=0, verbosity="--quiet"):
        self.write("tipple.toml", PROJECT.format(url=url, settings=", " + settings if settings else "", attempts=attempts))
        return self.tipple("run", verbosity, env=env, expect=expect)

    def tls(self, **files):
        return "tls = { " + ", ".join(f'{name} = "{path}"' for name, path in {"ca_file": self.certificates.ca, **files}.items()) + " }"

    def assert_all_loaded(self):
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT id), min(length(text)) FROM things"), [(PAGES * 10, PAGES * 10, 500)])


class Tls(ConnectionCase):
    def test_a_server_is_trusted_by_the_ca_that_is_named(self):
        server = self.serve()
        refused = self.run_api(server.url, attempts=3, expect=EXIT_USAGE)
        self.assertIn("when the server's certificate is signed by one of your own, name it as the CA file", refused.err)
        self.assertEqual(server.seen, [], "nothing is sent to a server that is not trusted")
        self.run_api(server.url, self.tls())
        self.assert_all_loaded()
        self.assertIn("the CA file must be there", self.run_api(server.url, self.tls(ca_file="/nowhere.pem"), expect=EXIT_USAGE).err)
        other = Certificates(self.folder / "other")
        self.run_api(server.url, self.tls(ca_file=other.ca), expect=EXIT_USAGE)

    def test_a_certificate_of_another_host_is_refused(self):
        server = self.serve(name="elsewhere", subject_alternative="DNS:elsewhere.example")
        self.run_api(server.url, self.tls(), expect=EXIT_USAGE)
        self.assertEqual(server.seen, [])

    def test_a_client_shows_its_certificate(self):
        server = self.serve(client_ca=self.certificates.ca)
        certificate, key = self.certificates.issue("loader", password="s3cret-pass")
        self.run_api(server.url, self.tls(), expect=None)
        self.assertEqual(server.seen, [], "without one, it is not let in")
        settings = self.tls(certificate_file=certificate, key_file=key, key_password="${env:KEY_PASSWORD}")
        self.run_api(server.url, settings, env={"KEY_PASSWORD": "s3cret-pass"})
        self.assert_all_loaded()
        self.assertEqual(set(server.clients), {"loader"})
        wrong = self.run_api(server.url, settings, env={"KEY_PASSWORD": "wrong-pass"}, expect=EXIT_USAGE)
        self.assertIn("the client certificate and its key must be there in PEM form, with the right password", wrong.err)
        self.assertNotIn("wrong-pass", wrong.err)
        both = self.path("both.pem")
        plain_certificate, plain_key = self.certificates.issue("in one file")
        both.write_text(pathlib.Path(plain_certificate).read_text() + pathlib.Path(plain_key).read_text())
        self.run_api(server.url, self.tls(certificate_file=str(both)))
        self.assertIn("in one file", server.clients)
        stranger, stranger_key = Certificates(self.folder / "strangers").issue("stranger")
        self.run_api(server.url, self.tls(certificate_file=stranger, key_file=stranger_key), expect=None)
        self.assertNotIn("stranger", server.clients)


class Files(ConnectionCase):
    def test_a_file_of_a_server_that_is_trusted_by_the_ca_that_is_named(self):
        # Like servers that know no HEAD.
        server = self.serve(lambda method, target, headers: (405, {}, b"") if method == "HEAD" else (200, {"Content-Type": "text/csv"}, b"id\n1\n2\n"))
        refused = self.tipple("load", f"{server.url}/a.csv", self.database, expect=None)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("name it as the CA file", refused.err)
        self.assertEqual(server.seen, [], "nothing is sent to a server that is not trusted")
        self.tipple("load", f"{server.url}/a.csv", self.database, "--option", f"ca_file={self.certificates.ca}", "--quiet")
        self.assertEqual(self.query("SELECT id FROM a ORDER BY id"), [(1,), (2,)])


class Http2(ConnectionCase):
    def test_requests_share_one_connection(self):
        server = self.serve()
        self.run_api(server.url, self.tls() + ", concurrency = 8")
        self.assert_all_loaded()
        self.assertEqual({protocol for protocol, _, _ in server.seen}, {"2"})
        self.assertEqual(server.connections, 1)
        self.assertEqual(len(server.seen), PAGES)
        older = self.serve(name="older", protocols=("http/1.1",))
        before = self.query("SELECT id, text FROM things ORDER BY ALL")
        self.database.unlink()
        self.run_api(older.url, self.tls() + ", concurrency = 8")
        self.assertEqual(self.query("SELECT id, text FROM things ORDER BY ALL"), before)
        self.assertEqual({protocol for protocol, _, _ in older.seen}, {"1.1"})

    def test_a_request_that_is_reset_is_sent_again(self):
        broken = set()

        def answer(method, target, headers):
            if target.endswith("page=3") and target not in broken:
                return broken.add(target)
            return plain(method, target, headers)

        for protocol in ("h2", "http/1.1"):
            with self.subTest(protocol):
                self.database.unlink(missing_ok=True)
                broken.clear()
                server = self.serve(answer, protocols=(protocol,))
                self.run_api(server.url, self.tls(), attempts=2)
                self.assert_all_loaded()
                self.assertEqual(len(server.seen), PAGES + 1)


class Proxies(ConnectionCase):
    def test_the_servers_certificate_counts_behind_a_proxy(self):
        server = self.serve()
        proxy = self.enterContext(ConnectProxy())
        self.run_api(server.url, self.tls() + f', proxy = "http://{proxy.address}"')
        self.assert_all_loaded()
        self.assertEqual(set(proxy.asked), {f"CONNECT 127.0.0.1:{server.port}"})
        self.run_api(server.url, f'proxy = "http://{proxy.address}"', expect=EXIT_USAGE)

    def test_the_environment_names_a_proxy_and_the_settings_another_or_none(self):
        server = self.serve()
        proxy, other = self.enterContext(ConnectProxy()), self.enterContext(ConnectProxy())
        env = {"HTTPS_PROXY": f"http://{proxy.address}", "NO_PROXY": None, "no_proxy": None}
        self.run_api(server.url, self.tls(), env=env)
        self.assertEqual((len(proxy.asked) > 0, len(other.asked)), (True, 0))
        proxy.asked.clear()
        self.run_api(server.url, self.tls(), env={**env, "NO_PROXY": "127.0.0.1"})
        self.run_api(server.url, self.tls() + ', proxy = ""', env=env)
        self.assertEqual(proxy.asked, [])
        self.run_api(server.url, self.tls() + f', proxy = "http://{other.address}"', env=env)
        self.assertEqual((len(proxy.asked), len(other.asked) > 0), (0, True))

    def test_a_proxy_may_want_to_know_who_asks(self):
        server = self.serve()
        proxy = self.enterContext(ConnectProxy(login=("me", "pr0xy-pass")))
        env = {"PROXY_PASSWORD": "pr0xy-pass"}
        self.run_api(server.url, self.tls() + f', proxy = "http://me:${{env:PROXY_PASSWORD}}@{proxy.address}"', env=env)
        self.assert_all_loaded()
        refused = self.run_api(server.url, self.tls() + f', proxy = "http://me:${{env:PROXY_PASSWORD}}@{proxy.address}"', env={"PROXY_PASSWORD": "wr0ng-pass"}, expect=None, verbosity="-v")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("407", refused.err)
        self.assertNotIn("wr0ng-pass", refused.out + refused.err)
        for path in self.data_folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"r0ng-pass", path.read_bytes(), path)

    def test_a_proxy_that_is_not_there_is_named_as_such(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        failed = self.run_api("https://127.0.0.1:1", f'proxy = "http://127.0.0.1:{port}"', expect=None)
        self.assertNotEqual(failed.code, 0)
        self.assertIn(str(port), failed.err)


def deflate(body):
    return zlib.compress(body)


ENCODINGS = {"gzip": gzip.compress, "deflate": deflate, "br": lambda body: pyarrow.compress(body, "brotli", asbytes=True), "zstd": lambda body: pyarrow.compress(body, "zstd", asbytes=True)}


class Compression(ConnectionCase):
    def test_each_encoding_that_is_asked_for_is_read(self):
        for name, compress in ENCODINGS.items():
            with self.subTest(name):
                self.database.unlink(missing_ok=True)
                offered = set()

                def answer(method, target, headers):
                    offered.add(headers.get("accept-encoding"))
                    return 200, {"Content-Encoding": name}, compress(page(target))

                server = self.serve(answer)
                self.run_api(server.url, self.tls())
                self.assert_all_loaded()
                self.assertEqual(len(offered), 1)
                self.assertIn(name, [one.strip() for one in offered.pop().split(",")])

    def test_what_becomes_too_large_is_refused(self):
        bomb = gzip.compress(b"[" + b" " * (8 << 20) + b"]")
        server = self.serve(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb))
        self.assertLess(len(bomb), 20_000)
        refused = self.run_api(server.url, self.tls() + ', max_response = "1MiB"', attempts=3, expect=EXIT_DATA)
        self.assertIn("max_response", refused.err)
        self.assertEqual(len(server.seen), 1, "it would not become smaller")

    def test_a_broken_body_is_asked_for_again(self):
        count = []

        def answer(method, target, headers):
            count.append(target)
            body = gzip.compress(page(target))
            return 200, {"Content-Encoding": "gzip"}, body[:20] + b"\0" * (len(body) - 20) if len(count) == 1 else body

        server = self.serve(answer)
        self.run_api(server.url, self.tls(), attempts=2)
        self.assert_all_loaded()
        self.assertEqual(len(count), PAGES + 1)


class SlowServer(LoopbackServer):
    """Accepts connections and does with them what `behave(socket, stopped)` says."""

    def __init__(self, behave):
        self._stopped = threading.Event()
        self._behave = behave
        super().__init__()

    def __exit__(self, *_):
        self._stopped.set()
        super().__exit__()

    def _serve(self, client):
        self._behave(client, self._stopped)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n["


class Waiting(ConnectionCase):
    """Each time-out ends a request that would never end, and says which it was."""

    def fail_with(self, url, timeout):
        failed = self.run_api(url, self.tls() + f", timeout = {{ {timeout} }}", expect=None)
        self.assertEqual(failed.code, EXIT_TRANSIENT, failed.err)
        return failed.err

    def slow(self, behave):
        return self.enterContext(SlowServer(behave)).port

    def test_connecting(self):
        # A queue that is full lets nobody in.
        listener = self.enterContext(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = self.enterContext(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        self.assertRegex(self.fail_with(f"http://127.0.0.1:{listener.getsockname()[1]}", 'connect = "200ms"'), "(?i)(time|timed) ?out")

    def test_the_handshake(self):
        port = self.slow(lambda client, stopped: stopped.wait())
        self.assertRegex(self.fail_with(f"https://127.0.0.1:{port}", 'connect = "200ms"'), "(?i)time-?out")

    def test_the_first_byte(self):
        port = self.slow(lambda client, stopped: stopped.wait())
        self.assertIn("no answer within 0.2 s", self.fail_with(f"http://127.0.0.1:{port}", 'first_byte = "200ms"'))

    def test_an_answer_that_stops(self):
        def behave(client, stopped):
            client.recv(65536)
            client.sendall(HEAD)
            stopped.wait()

        self.assertIn("the answer stopped, and nothing came for 0.2 s", self.fail_with(f"http://127.0.0.1:{self.slow(behave)}", 'idle = "200ms"'))

    def test_an_answer_that_trickles(self):
        def behave(client, stopped):
            client.recv(65536)
            client.sendall(HEAD)
            while not stopped.wait(0.02):
                client.sendall(b" ")

        self.assertIn("the answer was not complete within 0.5 s", self.fail_with(f"http://127.0.0.1:{self.slow(behave)}", 'idle = "60s", total = "500ms"'))

    def test_one_time_for_all(self):
        port = self.slow(lambda client, stopped: stopped.wait())
        failed = self.run_api(f"http://127.0.0.1:{port}", 'timeout = "300ms"', attempts=2, expect=None)
        self.assertIn("no answer within 0.3 s", failed.err)


if __name__ == "__main__":
    main()
