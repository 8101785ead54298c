"""A proxy between a table and its store that cuts, delays, repeats and lies, at random from a seed: before a request has reached the
store, or after the store has carried it out."""

import http.client
import random
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ["cut before", "cut after", "delay", "500 before", "503 after", "429 before", "412 before", "repeat", "half"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def forward(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            upstream.close()

    def answer(self, status, headers, body, cut=None):
        self.send_response_only(status)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[:cut])

    def refuse(self, status):
        self.answer(status, [], b"<Error><Code>Injected</Code><Message>by the proxy</Message></Error>")

    def drop(self):
        self.close_connection = True

    def handle_any(self):
        with self.server.counting:
            self.server.requests.append(f"{self.command} {self.path}")
            fault = self.server.pick(self.server.requests[-1])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "cut before":
            return self.drop()
        if fault in ("500 before", "429 before", "412 before"):
            return self.refuse(int(fault[:3]))
        if fault == "delay":
            time.sleep(self.server.random.uniform(0.05, 0.5))
        if self.server.latency:
            time.sleep(self.server.latency)
        answer = self.forward(body)
        if fault == "repeat":
            answer = self.forward(body)
        if fault == "cut after":
            return self.drop()
        if fault == "503 after":
            return self.refuse(503)
        if fault == "half" and len(answer[2]) > 1:
            self.answer(*answer, cut=len(answer[2]) // 2)
            return self.drop()
        self.answer(*answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream, chance, seed, latency, faults, only):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.chance, self.latency = upstream, chance, latency
        self.faults, self.only = faults, re.compile(only)
        self.random, self.counting, self.requests = random.Random(seed), threading.Lock(), []

    def pick(self, request):
        strikes = self.only.search(request) and self.random.random() < self.chance
        return self.random.choice(self.faults) if strikes else None

    def handle_error(self, request, client_address):
        pass  # A client that was killed leaves its connection behind.


@contextmanager
def proxy(upstream, chance=0.0, seed=0, latency=0.0, faults=FAULTS, only=""):
    """`only` is a pattern of the requests that faults strike, as in `PUT /bucket/key`."""
    server = Server(upstream, chance, seed, latency, faults, only)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Careless(BaseHTTPRequestHandler):
    """A store that knows nothing of If-None-Match."""

    protocol_version = "HTTP/1.1"
    objects: dict = {}

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b""):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.send_header("ETag", f'"{hash(body)}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.objects[self.path] = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200)

    def do_GET(self):
        if "list-type" in self.path:
            return self.answer(200, b"<ListBucketResult></ListBucketResult>")
        self.answer(200, self.objects[self.path]) if self.path in self.objects else self.answer(404)

    do_HEAD = do_GET

    def do_DELETE(self):
        self.objects.pop(self.path, None)
        self.answer(204)


@contextmanager
def careless():
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
