"""An S3 server of the tests' own on a free loopback port: moto, behind a gate that checks what moto does not (signatures, regions, tokens, clocks) and
breaks answers when a test wants it.

As a program: `s3_server.py COMMAND...` starts one with a bucket, runs the command with `s3://bucket` in TIPPLE_TEST_S3 and endpoint, keys and region in
AWS_* variables, and ends with its exit code; 77, "skipped", where moto is not installed.
"""

import contextlib
import dataclasses
import datetime
import fnmatch
import hashlib
import io
import logging
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

try:
    import boto3
    import botocore.auth
    import botocore.awsrequest
    import botocore.config
    import botocore.credentials
    import moto.backends
    import moto.moto_server.werkzeug_app
    import werkzeug.serving
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
except ImportError:
    boto3 = None

ACCESS_KEY_ID = "TIPPLETESTACCESSKEY1"
# What needs care in a signature, a URL and an INI file.
SECRET_ACCESS_KEY = "wJalr/XUtn+FEMI=K7MDENG%bPx#RfiCYEXAMPLE"
REGION = "eu-west-1"
SKEW_MAX_SECONDS = 15 * 60


def is_available():
    return boto3 is not None


@dataclasses.dataclass
class Fault:
    """What happens instead of an answer, or to it. For the first `times` requests that fit; `skip` of those before are left alone."""

    method: str = "*"
    #: Pattern of `/bucket/key?query`.
    target: str = "*"
    times: int = 1
    skip: int = 0
    #: An error answer: (503, "SlowDown").
    error: tuple = None
    headers: dict = dataclasses.field(default_factory=dict)
    #: Bytes of the body after which the connection is cut in order, though Content-Length said more, or reset.
    cut_after: int = None
    reset_after: int = None
    #: The request is carried out, and the connection reset before any answer.
    loses_answer: bool = False
    #: The request waits until `S3Server.let_go`.
    holds: bool = False
    #: Each piece of the body waits so long.
    slow_seconds: float = 0
    #: Is called with the request's target before it is carried out.
    action: object = None


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: dict
    status: int = 0
    body_size: int = 0


class _Refusal(Exception):
    def __init__(self, status, code, message="refused", **fields):
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields

    def body(self):
        fields = "".join(f"<{name}>{value}</{name}>" for name, value in self.fields.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code><Message>{self.message}</Message>{fields}<RequestId>1</RequestId></Error>'.encode()


class S3Server:
    def __init__(self, checks_signatures=True):
        #: Secret access key by its id.
        self.keys = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
        #: Session tokens: id of the key -> token; no token is taken for other keys. Those of `expired` were good once.
        self.tokens = {}
        self.expired = set()
        #: Whom nobody needs to sign for.
        self.public_buckets = set()
        #: Keys that may not do that: (access key id, method, pattern of targets).
        self.denied = []
        self.faults = []
        self.requests = []
        self.checks_signatures = checks_signatures
        #: How far the server's clock is ahead; None = it does not care.
        self.clock_offset_seconds = 0
        #: False = conditions of writes are ignored, as old servers do.
        self.knows_conditions = True
        self.is_held = threading.Event()
        self._may_go = threading.Event()
        self._lock = threading.Lock()
        # Writes are atomic at moto only where one request is handled at a time.
        self._carries_out = threading.Lock()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        for backend in moto.backends.get_backend("s3").values():
            for each in backend.values():
                each.reset()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = werkzeug.serving.make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        self.let_go()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- for tests ----

    def environment(self, key_id=ACCESS_KEY_ID, region=REGION):
        """Variables by which the program finds the server."""
        return {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": self.keys[key_id], "AWS_REGION": region, "AWS_ENDPOINT_URL_S3": self.endpoint,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}

    def client(self, region=REGION):
        """boto3's, for the test's own look at buckets; it meets no faults."""
        return boto3.client("s3", endpoint_url=self.endpoint, region_name=region, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY,
                            config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, user_agent_extra="the-test-itself"))

    def create_bucket(self, name, region=REGION):
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.client(region).create_bucket(Bucket=name, **place)
        return name

    def put(self, bucket, key, body):
        self.client(self.region_of(bucket)).put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, bucket, key):
        return self.client(self.region_of(bucket)).get_object(Bucket=bucket, Key=key)["Body"].read()

    def delete(self, bucket, key):
        self.client(self.region_of(bucket)).delete_object(Bucket=bucket, Key=key)

    def list(self, bucket, prefix=""):
        """Key -> size."""
        pages = self.client(self.region_of(bucket)).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def uploads(self, bucket):
        """Keys of uploads in parts that were begun and neither ended nor taken back."""
        return [upload["Key"] for upload in self.client(self.region_of(bucket)).list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def region_of(self, bucket):
        backend = moto.backends.get_backend("s3")["123456789012"]["aws"]
        return backend.buckets[bucket].region_name if bucket in backend.buckets else REGION

    def let_go(self):
        self._may_go.set()

    def seen(self, method="*", target="*"):
        """Requests of the program so far."""
        with self._lock:
            return [request for request in self.requests if fnmatch.fnmatchcase(request.method, method) and fnmatch.fnmatchcase(request.target, target)]

    # ---- serving ----

    def _serve(self, environ, start_response):
        # A bucket in front of the host's name belongs in front of the path.
        host = environ.get("HTTP_HOST", "")
        match = re.fullmatch(r"(.+)\.localhost(:\d+)?", host)
        raw = environ["REQUEST_URI"]
        target = f"/{match[1]}{raw}" if match else raw
        is_test = "the-test-itself" in environ.get("HTTP_USER_AGENT", "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = environ[name]
        request = Request(environ["REQUEST_METHOD"], target, headers, body_size=len(body))
        fault = None
        if not is_test:
            with self._lock:
                self.requests.append(request)
            fault = self._take_fault(request)
        try:
            if fault is not None:
                self._before(fault, request, environ)
            if not is_test:
                self._check(request, raw, host, body)
            status, answer_headers, pieces = self._carry_out(environ, target, body)
        except _Refusal as refusal:
            status = f"{refusal.status} Refused"
            answer = refusal.body()
            answer_headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(answer)))]
            bucket = target.split("/")[1].split("?")[0]
            if refusal.status in (301, 400):
                answer_headers.append(("x-amz-bucket-region", self.region_of(bucket)))
            if fault is not None:
                answer_headers += list(fault.headers.items())
            pieces = [b"" if request.method == "HEAD" else answer]
        request.status = int(status.split()[0])
        if fault is not None and fault.loses_answer:
            _reset(environ["werkzeug.socket"])
            raise ConnectionError("the test wants it so")
        start_response(status, answer_headers)
        if fault is not None:
            return self._broken(fault, pieces, environ)
        return pieces

    def _take_fault(self, request):
        with self._lock:
            for fault in self.faults:
                if fault.times == 0 or not fnmatch.fnmatchcase(request.method, fault.method) or not fnmatch.fnmatchcase(request.target, fault.target):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _before(self, fault, request, environ):
        if fault.action is not None:
            fault.action(request.target)
        if fault.holds:
            self.is_held.set()
            self._may_go.wait()
        if fault.error is not None:
            raise _Refusal(*fault.error)
        if fault.reset_after == 0:
            _reset(environ["werkzeug.socket"])
            raise ConnectionError("the test wants it so")

    @staticmethod
    def _broken(fault, pieces, environ):
        sent = 0
        limit = fault.cut_after if fault.cut_after is not None else fault.reset_after
        for whole in pieces:
            for at in range(0, len(whole), 16384):
                piece = whole[at : at + 16384]
                if fault.slow_seconds:
                    time.sleep(fault.slow_seconds)
                if limit is not None and sent + len(piece) > limit:
                    yield piece[: limit - sent]
                    if fault.reset_after is not None:
                        _reset(environ["werkzeug.socket"])
                    else:
                        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                    raise ConnectionError("the test wants it so")
                sent += len(piece)
                yield piece

    def _carry_out(self, environ, target, body):
        environ = dict(environ)
        path = target.split("?")[0]
        environ.update({"REQUEST_URI": target, "RAW_URI": target, "PATH_INFO": urllib.parse.unquote_to_bytes(path).decode("latin-1"),
                        "HTTP_HOST": f"127.0.0.1:{self.port}", "wsgi.input": io.BytesIO(body)})
        if not self.knows_conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        answer = {}

        def start(status, headers, exc_info=None):
            answer["head"] = (status, headers)

        with self._carries_out:
            pieces = [b"".join(self._moto(environ, start))]
        return *answer["head"], pieces

    # ---- what moto does not check ----

    def _check(self, request, raw, host, body):
        bucket = request.target.split("/")[1].split("?")[0]
        for key_id, method, target in self.denied:
            if f"Credential={key_id}/" in request.headers.get("authorization", "") and fnmatch.fnmatchcase(request.method, method) and fnmatch.fnmatchcase(request.target, target):
                raise _Refusal(403, "AccessDenied", "Access Denied")
        if not self.checks_signatures or bucket in self.public_buckets and "authorization" not in request.headers:
            return
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                             request.headers.get("authorization", ""))
        if match is None:
            raise _Refusal(403, "AccessDenied", "Access Denied")
        key_id, _, region, signed, signature = match.groups()
        if key_id not in self.keys:
            raise _Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", AWSAccessKeyId=key_id)
        token = request.headers.get("x-amz-security-token")
        if token in self.expired:
            raise _Refusal(400, "ExpiredToken", "The provided token has expired.")
        if token != self.tokens.get(key_id):
            raise _Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.clock_offset_seconds or 0)
        then = datetime.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if self.clock_offset_seconds is not None and abs((now - then).total_seconds()) > SKEW_MAX_SECONDS:
            raise _Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        expected = self.region_of(bucket)
        if region != expected:
            raise _Refusal(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; the region '{region}' is wrong; expecting '{expected}'", Region=expected)
        if request.headers["x-amz-content-sha256"] not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            raise _Refusal(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        check = botocore.awsrequest.AWSRequest(method=request.method, url=f"http://{host}{raw}", headers={name: request.headers.get(name, "") for name in signed.split(";")})
        check.context["timestamp"] = request.headers["x-amz-date"]
        signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(key_id, self.keys[key_id]), "s3", region)
        right = signer.signature(signer.string_to_sign(check, signer.canonical_request(check)), check)
        if right != signature or "host" not in signed.split(";"):
            raise _Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")


def _reset(connection):
    # Closed without lingering, which the other side sees as a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()


if is_available():

    class _Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_):
            pass

        def handle(self):
            # A connection that the test broke is nothing to be told.
            with contextlib.suppress(ConnectionError, ValueError, OSError):
                super().handle()


def main():
    if not is_available():
        print("skipped: there is no moto; set TIPPLE_PYTHON to a Python with tests/requirements.txt")
        return 77
    with S3Server() as server:
        # Programs of the tests have clocks of their own.
        server.clock_offset_seconds = None
        server.create_bucket("tipple-test")
        return subprocess.run(sys.argv[1:], env={**os.environ, **server.environment(), "TIPPLE_TEST_S3": "s3://tipple-test"}).returncode


if __name__ == "__main__":
    sys.exit(main())
