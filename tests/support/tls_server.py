"""Servers on free ports of the loopback interface: HTTPS, speaking HTTP/1.1 and HTTP/2, with certificates that openssl makes for the test; a proxy that
leads to them; and what those that answer in their own way are made of."""

import base64
import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading

import h2.config
import h2.connection
import h2.events


class Certificates:
    """A CA of the test's own. `issue` gives files that it has signed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self._file("ca.pem")
        self._key = self._file("ca.key")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._key, "-out", self.ca, "-days", "2", "-subj", "/CN=test CA")

    def issue(self, name, subject_alternative="IP:127.0.0.1", password=None):
        """(certificate, key): paths. With a password, the key is encrypted by it."""
        certificate, key, request, extensions = (self._file(f"{name}.{end}") for end in ("pem", "key", "csr", "ext"))
        protection = ["-passout", f"pass:{password}"] if password else ["-nodes"]
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *protection, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        pathlib.Path(extensions).write_text(f"subjectAltName={subject_alternative}\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", extensions)
        return certificate, key

    def _file(self, name):
        return str(self.folder / name)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class LoopbackServer:
    """Accepts connections; `_serve(client)` of the class that is made of it has a thread for each. Clients that go away are part of the tests."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._try_serve, args=(client,), daemon=True).start()

    def _try_serve(self, client):
        with contextlib.suppress(OSError), client:
            self._serve(client)


class TlsServer(LoopbackServer):
    """`answer(method, target, headers)` returns (status, headers, body), or None to break the request off. `seen` has (protocol, connection's number,
    target) of each request; `clients` the names of clients' certificates, one per connection that showed one."""

    def __init__(self, certificate, answer, protocols=("h2", "http/1.1"), client_ca=None):
        self.answer = answer
        self.seen = []
        self.clients = []
        self.connections = 0
        self.streams_max = 0  # requests in flight at a time on one connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.set_alpn_protocols(list(protocols))
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}"

    def _serve(self, client):
        with self._context.wrap_socket(client, server_side=True) as connection:
            self.connections += 1
            certificate = connection.getpeercert()
            if certificate:
                self.clients.append(dict(part[0] for part in certificate["subject"])["commonName"])
            serve = self._serve_http2 if connection.selected_alpn_protocol() == "h2" else self._serve_http1
            serve(connection, self.connections)

    def _serve_http1(self, connection, number):
        stream = connection.makefile("rwb")
        while line := stream.readline().decode():
            method, target, _ = line.split()
            headers = {}
            while (line := stream.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            stream.read(int(headers.get("content-length", 0)))
            self.seen.append(("1.1", number, target))
            found = self.answer(method, target, headers)
            if found is None:
                return
            status, answer_headers, body = found
            head = "".join(f"{name}: {value}\r\n" for name, value in {**answer_headers, "Content-Length": len(body)}.items())
            stream.write(f"HTTP/1.1 {status} x\r\n{head}\r\n".encode() + body)
            stream.flush()

    def _serve_http2(self, connection, number):
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        connection.sendall(http.data_to_send())
        waiting, bodies = [], {}
        while data := connection.recv(65536):
            for event in http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    waiting.append((event.stream_id, dict(event.headers)))
                elif isinstance(event, h2.events.StreamReset):
                    bodies.pop(event.stream_id, None)
                elif isinstance(event, h2.events.ConnectionTerminated):
                    return
            self.streams_max = max(self.streams_max, len(waiting))
            while waiting:
                self._answer_stream(http, *waiting.pop(), number, bodies)
            self._send_bodies(http, bodies)
            connection.sendall(http.data_to_send())

    def _answer_stream(self, http, stream, headers, number, bodies):
        self.seen.append(("2", number, headers[":path"]))
        found = self.answer(headers[":method"], headers[":path"], headers)
        if found is None:
            http.reset_stream(stream, error_code=2)
            return
        status, answer_headers, body = found
        http.send_headers(stream, [(":status", str(status)), *((name.lower(), str(value)) for name, value in answer_headers.items())])
        bodies[stream] = body

    @staticmethod
    def _send_bodies(http, bodies):
        """As much as the client has room for."""
        for stream, body in list(bodies.items()):
            while body and (room := min(http.local_flow_control_window(stream), http.max_outbound_frame_size)) > 0:
                http.send_data(stream, body[:room])
                body = body[room:]
            bodies[stream] = body
            if not body:
                http.end_stream(stream)
                del bodies[stream]


class ConnectProxy(LoopbackServer):
    """A proxy for HTTPS. `login`: (name, password) that it wants. `asked` has what it was asked to connect to."""

    def __init__(self, login=None):
        self.login = login
        self.asked = []
        super().__init__()
        self.address = f"127.0.0.1:{self.port}"

    def _serve(self, client):
        with client.makefile("rb") as stream:
            method, target, _ = stream.readline().decode().split()
            head = []
            while line := stream.readline().decode().strip():
                head.append(line)
            self.asked.append(f"{method} {target}")
            wanted = base64.b64encode(":".join(self.login).encode()).decode() if self.login else None
            if wanted and f"Proxy-Authorization: Basic {wanted}" not in head:
                client.sendall(b"HTTP/1.1 407 no\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
