"""A proxy between a client and a server of the tests, where connections break and stall when the test wants it."""

import contextlib
import socket
import struct
import threading

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Proxy:
    """Forwards connections on `port` to another port. What it does otherwise is set before a client connects:

    - `lose_answer_to`: bytes of the client after which the server's next answer is swallowed and the connection cut; the first time only.
    - `reset_after`: bytes of one connection from client to server after which it is reset on both sides; the first time only.
    - `hold_after`: bytes of one connection from client to server; then `is_held` is set, and nothing is forwarded until `let_go` is called.
    """

    def __init__(self, target_port):
        self.target_port = target_port
        self.lose_answer_to = None
        self.hold_after = None
        self.reset_after = None
        self.sent_max = 0  # bytes of the client on the connection that sent most
        self.is_held = threading.Event()
        self.has_lost_answer = threading.Event()
        self._may_go = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def let_go(self):
        self._may_go.set()

    def close(self):
        self.let_go()
        self._listener.close()
        for each in self._sockets:
            _cut(each)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target_port))
                except OSError:
                    client.close()
                    continue
                self._sockets += [client, server]
                connection = _Connection(self, client, server)
                threading.Thread(target=connection.to_server, daemon=True).start()
                threading.Thread(target=connection.to_client, daemon=True).start()


class Refusing:
    """A server that answers whoever connects with one message of failure, as Postgres and poolers word it on the wire, and hangs up."""

    def __init__(self, code, message):
        fields = b"".join(kind + text.encode() + b"\x00" for kind, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", message))) + b"\x00"
        self._answer = b"E" + struct.pack("!I", len(fields) + 4) + fields
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _serve(self):
        ssl_request = 80_877_103
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client:
                    while (start := client.recv(8_192)) and struct.unpack("!I", start[4:8]) == (ssl_request,):
                        client.sendall(b"N")
                    client.sendall(self._answer)


class _Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.loses_answer = False

    def to_server(self):
        sent = 0
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                proxy = self.proxy
                if proxy.lose_answer_to is not None and proxy.lose_answer_to in data:
                    proxy.lose_answer_to = None
                    self.loses_answer = True
                sent += len(data)
                proxy.sent_max = max(proxy.sent_max, sent)
                if proxy.reset_after is not None and sent >= proxy.reset_after:
                    part = data[: len(data) - (sent - proxy.reset_after)]
                    proxy.reset_after = None
                    self.server.sendall(part)
                    _reset(self.server)
                    _reset(self.client)
                    return
                if proxy.hold_after is not None and sent > proxy.hold_after:
                    proxy.hold_after = None
                    proxy.is_held.set()
                    proxy._may_go.wait()
                self.server.sendall(data)
        _cut(self.server)

    def to_client(self):
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.loses_answer:
                    self.proxy.has_lost_answer.set()
                    break
                self.client.sendall(data)
        _cut(self.client)
        _cut(self.server)


def _reset(connection):
    # Closed without lingering, which the other side sees as a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()


def _cut(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
