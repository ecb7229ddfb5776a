"""APIs to be read from, as their public documentation describes them, on a free port of the loopback interface. They are strict: what they are not
sent as they want it, they refuse. Each has three states, one per run of a test: `step` 0, 1 and 2.

`python3 api_server.py` prints its URL and serves until its input ends.
"""

import http.server
import json
import socket
import struct
import sys
import threading
import time
import urllib.parse


class Refusal(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def require(condition, text, status=400):
    if not condition:
        raise Refusal(status, text)


class Request:
    def __init__(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.method = method
        self.path = parts.path
        self.params = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body

    def take_only(self, *names):
        unknown = set(self.params) - set(names)
        require(not unknown, f"unknown parameters {sorted(unknown)}")

    def number(self, name, otherwise):
        return int(self.params.get(name, otherwise))


def day(number, hour=0):
    return f"2026-01-{number:02d}T{hour:02d}:00:00Z"


class GitHub:
    """Issues of a repository and their comments: pages by the Link header, `since` in ascending order of change."""

    def records(self, step):
        issues = [{"id": 1000 + n, "number": n, "title": f"issue {n}", "state": "open", "user": {"login": f"user{n % 3}"}, "labels": [{"name": "bug"}] if n % 2 else [], "updated_at": day(n)}
                  for n in range(1, 8)]
        comments = {n: [{"id": n * 100 + k, "body": f"comment {k}", "created_at": day(n)} for k in range(n % 4)] for n in range(1, 8)}
        if step >= 1:
            issues[1] |= {"state": "closed", "updated_at": day(20)}
            comments[2] = comments[2] + [{"id": 299, "body": "done", "created_at": day(20)}]
            issues.append({"id": 1008, "number": 8, "title": "issue 8", "state": "open", "user": {"login": "user2"}, "labels": [], "updated_at": day(21)})
            comments[8] = [{"id": 801, "body": "new", "created_at": day(21)}]
        if step >= 2:
            issues[3] |= {"title": "renamed", "updated_at": day(22)}
        return sorted(issues, key=lambda issue: issue["updated_at"]), comments

    def answer(self, request, step, url):
        require(request.headers.get("Authorization") == "Bearer github-token", "Bad credentials", 401)
        require(request.headers.get("Accept") == "application/vnd.github+json", "wrong media type", 415)
        issues, comments = self.records(step)
        parts = request.path.strip("/").split("/")
        size, page = request.number("per_page", 30), request.number("page", 1)
        if parts[-1] == "issues":
            request.take_only("state", "sort", "direction", "since", "per_page", "page")
            require(request.params.get("state") == "all" and request.params.get("sort") == "updated", "other issues are meant")
            rows = [issue for issue in issues if issue["updated_at"] >= request.params.get("since", "")]
        else:
            request.take_only("per_page", "page")
            require(parts[-1] == "comments" and int(parts[-2]) in comments, "Not Found", 404)
            rows = comments[int(parts[-2])]
        headers = {}
        if page * size < len(rows):
            query = urllib.parse.urlencode({**request.params, "page": page + 1})
            headers["Link"] = f'<{url}{request.path}?{query}>; rel="next", <{url}{request.path}?page=9>; rel="last"'
        return rows[(page - 1) * size:page * size], headers


class Stripe:
    """Charges, newest first: a cursor that is the id of the last one, and `has_more`."""

    def records(self, step):
        count = (7, 9, 12)[step]
        return [{"id": f"ch_{n:03d}", "object": "charge", "amount": 100 * n, "currency": "eur", "created": 1767225600 + n * 86400, "metadata": {"order": str(n)},
                 "refunds": {"data": [{"id": f"re_{n}", "amount": 5}] if n % 3 == 0 else []}} for n in range(1, count + 1)][::-1]

    def answer(self, request, step, url):
        require(request.headers.get("Authorization") == "Bearer sk_test_123", "Invalid API Key provided", 401)
        request.take_only("limit", "starting_after", "created[gte]")
        rows = [row for row in self.records(step) if row["created"] >= request.number("created[gte]", 0)]
        after = request.params.get("starting_after")
        if after:
            ids = [row["id"] for row in rows]
            require(after in ids, "No such charge")
            rows = rows[ids.index(after) + 1:]
        size = request.number("limit", 10)
        return {"object": "list", "url": "/v1/charges", "has_more": len(rows) > size, "data": rows[:size]}, {}


class HubSpot:
    """Contacts by a search: everything is in the body of a POST, the cursor too."""

    def records(self, step):
        count = (5, 6, 8)[step]
        rows = [{"id": str(n), "properties": {"email": f"c{n}@example.com", "lastmodifieddate": day(n)}, "archived": False} for n in range(1, count + 1)]
        if step == 2:
            rows[0]["properties"] = {"email": "changed@example.com", "lastmodifieddate": day(25)}
        return sorted(rows, key=lambda row: row["properties"]["lastmodifieddate"])

    def answer(self, request, step, url):
        require(request.method == "POST", "Method Not Allowed", 405)
        require(request.headers.get("Authorization") == "Bearer pat-eu1", "Authentication credentials not found", 401)
        require(request.headers.get("Content-Type") == "application/json", "Unsupported Media Type", 415)
        body = json.loads(request.body)
        require(set(body) <= {"filterGroups", "sorts", "properties", "limit", "after"}, f"unknown members {sorted(body)}")
        rows = self.records(step)
        for group in body.get("filterGroups", []):
            for condition in group["filters"]:
                require(condition["operator"] == "GTE", "unknown operator")
                rows = [row for row in rows if row["properties"][condition["propertyName"]] >= condition["value"]]
        start, size = int(body.get("after", 0)), int(body.get("limit", 10))
        answer = {"total": len(rows), "results": rows[start:start + size]}
        if start + size < len(rows):
            answer["paging"] = {"next": {"after": str(start + size), "link": "?after"}}
        return answer, {}


class PokeApi:
    """A list by offset that gives the next URL, and one thing behind each entry. It has no times: every run reads all."""

    NAMES = ["bulbasaur", "ivysaur", "venusaur", "charmander", "charmeleon", "charizard", "squirtle"]

    def records(self, step):
        names = self.NAMES[:5 + step]
        return [{"id": n + 1, "name": name, "weight": 10 * n + step, "types": [{"slot": 1, "type": {"name": "grass" if n < 3 else "fire"}}]} for n, name in enumerate(names)]

    def answer(self, request, step, url):
        rows = self.records(step)
        parts = request.path.strip("/").split("/")
        if parts[-1] != "pokemon":
            found = [row for row in rows if row["name"] == parts[-1]]
            require(found, "Not Found", 404)
            return found[0], {}
        request.take_only("limit", "offset")
        start, size = request.number("offset", 0), request.number("limit", 20)
        following = f"{url}{request.path}?offset={start + size}&limit={size}" if start + size < len(rows) else None
        return {"count": len(rows), "next": following, "previous": None,
                "results": [{"name": row["name"], "url": f"{url}/api/v2/pokemon/{row['name']}/"} for row in rows[start:start + size]]}, {}


class Articles:
    """Numbered pages with a total, by a key in the URL; filtered by a time."""

    def records(self, step):
        rows = [{"id": n, "title": f"article {n}", "tags": ["a", "b"][:n % 3], "score": n / 2, "updated_at": day(n)} for n in range(1, 8)]
        if step >= 1:
            rows.append({"id": 8, "title": "article 8", "tags": [], "score": 4, "updated_at": day(10)})
        if step >= 2:
            rows[4] |= {"title": "edited", "updated_at": day(11)}
        return rows

    def answer(self, request, step, url):
        request.take_only("api_key", "page", "per_page", "updated_since")
        require(request.params.get("api_key") == "articles-key", "who are you?", 403)
        rows = [row for row in self.records(step) if row["updated_at"] >= request.params.get("updated_since", "")]
        page, size = request.number("page", 1), request.number("per_page", 3)
        require(page >= 1 and (page == 1 or (page - 1) * size < len(rows)), "there is no such page", 404)
        return {"meta": {"page": page, "total_pages": max(1, -(-len(rows) // size))}, "articles": rows[(page - 1) * size:page * size]}, {}


APIS = {"/repos/": GitHub(), "/v1/charges": Stripe(), "/crm/v3/objects/contacts/search": HubSpot(), "/api/v2/": PokeApi(), "/articles": Articles()}


# No answer, half of one, or one that takes its time in the middle.
TROUBLES = ("reset", "cut", "slow")


class ApiServer:
    def __init__(self):
        self.step = 0
        self.seen = []
        # What stands in the way of the next requests: called with the request, returns (status, headers), one of TROUBLES, or None.
        self.trouble = None
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave together, so that no answer waits for an acknowledgement.
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def respond(self):
                length = int(self.headers.get("Content-Length", 0))
                request = Request(self.command, self.path, self.headers, self.rfile.read(length).decode())
                owner.seen.append(f"{self.command} {self.path}")
                trouble = owner.trouble(request) if owner.trouble else None
                if trouble == "reset":
                    return self.reset()
                if isinstance(trouble, tuple):
                    status, headers, answer = *trouble, {"error": "not now"}
                else:
                    status, headers, answer = owner.answer(request)
                content = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                half = len(content) // 2
                if trouble in ("cut", "slow"):
                    self.wfile.write(content[:half])
                    self.wfile.flush()
                    content = content[half:]
                if trouble == "cut":
                    return self.reset()
                if trouble == "slow":
                    time.sleep(0.02)
                self.wfile.write(content)
                self.wfile.flush()

            def reset(self):
                """The client sees "connection reset by peer"."""
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

            do_GET = do_POST = respond

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                # Clients are killed.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def answer(self, request):
        try:
            for prefix, api in APIS.items():
                if request.path.startswith(prefix):
                    answer, headers = api.answer(request, self.step, self.url)
                    return 200, headers, answer
            raise Refusal(404, "no such path")
        except Refusal as refusal:
            return refusal.status, {}, {"message": str(refusal)}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    with ApiServer() as server:
        print(server.url, flush=True)
        sys.stdin.read()
