"""What the end-to-end tests of laio-httpd share: the server as a process, a client of bare sockets, and trees of files.

A test that waits does so for an event, under ANTI_HANG_S, which is there to end a hang and measures nothing.
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from programs import ANTI_HANG_S, HTTPD, IS_THREAD_SANITIZED, LAUNCHER


class Server:
    """laio-httpd serving a directory on a port that the kernel chose. `prefix` is put before the command (strace)."""

    def __init__(self, directory, *options, forbid="", prefix=(), preexec=None):
        environment = dict(os.environ)
        environment.pop("LAIO_FORBID", None)
        if forbid:
            environment["LAIO_FORBID"] = forbid
        command = [*prefix, *LAUNCHER, HTTPD, "--port", "0", "--stats", "--json", *options, str(directory)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                                        preexec_fn=preexec, text=True)
        self.url = self.process.stdout.readline().strip()
        self.report = None
        if not self.url:
            raise RuntimeError(f"{command}: {self.process.stderr.read()}")
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        """The exit code; the statistics are in .report then."""
        out, self.errors = self.process.communicate(timeout=ANTI_HANG_S)
        self.report = json.loads(out) if out.strip() else None
        return self.process.returncode

    def stop(self):
        if self.process.returncode is None:
            if self.process.poll() is None:
                self.signal()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
                raise
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        code = self.stop()
        if code != 0 and sys.exc_info()[0] is None:
            raise AssertionError(f"the server ended with {code}: {self.errors}")


class Response:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body


class Client:
    """One connection, byte by byte under the test's control."""

    def __init__(self, server, receive_buffer=None):
        self.port, self.receive_buffer = server.port, receive_buffer
        self.connect()

    def connect(self):
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(ANTI_HANG_S)
        self.socket.connect(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.is_last = False  # the server has said that it closes

    def send(self, data):
        self.socket.sendall(data)

    def read_head(self):
        """(status, fields by lower-case name), or None when the server has closed the connection."""
        line = self.stream.readline()
        if not line:
            return None
        version, status, _ = line.decode("latin-1").split(" ", 2)
        assert version == "HTTP/1.1", line
        fields = {}
        while (line := self.stream.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), line
            name, value = line.decode("latin-1").split(":", 1)
            assert name.lower() not in fields, f"two fields {name}"
            fields[name.lower()] = value.strip()
        self.is_last = fields.get("connection") == "close"
        return int(status), fields

    def read_response(self, head_only=False):
        head = self.read_head()
        if head is None:
            return None
        status, fields = head
        has_body = not head_only and status != 304
        body = self.stream.read(int(fields["content-length"])) if has_body else b""
        return Response(status, fields, body)

    def get(self, target, method="GET", fields=""):
        """Over another connection where the server has ended the last one."""
        if self.is_last:
            self.close()
            self.connect()
        self.send(request(target, method, fields))
        return self.read_response(method == "HEAD")

    def at_end(self):
        """Waits for the server to close; True if it sent nothing more."""
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:
            return True

    def reset(self):
        """Leaves with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(target, method="GET", fields="", version="1.1"):
    return f"{method} {target} HTTP/{version}\r\nHost: test\r\n{fields}\r\n".encode("latin-1")


def bytes_of(seed, length):
    return random.Random(seed).randbytes(length)


def until(condition, what):
    """Waits until condition() holds."""
    end = time.monotonic() + ANTI_HANG_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.01)


CHUNK = 65536
SIZES = [0, 1, 2, 1000, CHUNK - 300, CHUNK - 200, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1 << 20]
LARGE = 8 << 20


def make_tree(root):
    """Files of many sizes and with difficult names; returns {path relative to the root: content}."""
    content = {f"size/{size}.bin": bytes_of(size, size) for size in SIZES}
    for i, name in enumerate(["index.html", "page.html", "with space.txt", "per%cent.txt", "uni\u00e9\u20ac.txt",
                              "..dots", "a+b&c=d.txt", "quote'\".css", "deep/er/and/deeper/index.html",
                              "no-extension"]):
        content[name] = bytes_of(1000 + i, 500 + i)
    content["large.bin"] = bytes_of(1, LARGE)
    for name, data in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "empty").mkdir()
    return content


def target_of(name):
    return "/" + urllib.parse.quote(name)


class Tree(unittest.TestCase):
    """The tree that the tests of a class read, and a secret beside it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="laio-httpd-")
        top = pathlib.Path(cls.folder.name)
        cls.secret = top / "secret.txt"
        cls.secret.write_bytes(b"secret")
        cls.root = top / "root"
        cls.root.mkdir()
        cls.content = make_tree(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()


class EngineSet:
    """Tests that are done with each set of engines, and with each version of the server. `forbid` is what the library may
    not use."""

    forbid = ""
    version = "Flash-LAIO-LAIO"

    @property
    def persists(self):
        return not self.version.startswith("thttpd")

    def needs_persistence(self):
        if not self.persists:
            self.skipTest("one request a connection")
    many = 1000  # connections at once

    def serve(self, *options, root=None, **rest):
        return Server(root or self.root, "--version-name", self.version, *options, forbid=self.forbid, **rest)

    def assert_answers(self, server):
        with Client(server) as probe:
            self.assertEqual(probe.get("/page.html").body, self.content["page.html"])


def versions():
    """The names that --list-versions gives."""
    done = subprocess.run([*LAUNCHER, HTTPD, "--list-versions"], capture_output=True, text=True, check=True,
                          timeout=ANTI_HANG_S)
    return done.stdout.split()


def runnable_versions():
    """Those that can run here; says which cannot, and why."""
    names = versions()
    if IS_THREAD_SANITIZED:
        print("not tried: Flash-NB-AIO (a thread sanitizer does not know the C library's threads for AIO)", file=sys.stderr)
        names.remove("Flash-NB-AIO")
    uring = [name for name in names if "URING" in name]
    if uring:
        with tempfile.TemporaryDirectory(prefix="laio-httpd-") as empty:
            try:
                Server(empty, "--version-name", uring[0]).stop()
            except RuntimeError as failure:
                if "io_uring" not in str(failure):
                    raise
                print(f"not tried: {', '.join(uring)} ({failure})", file=sys.stderr)
                names = [name for name in names if name not in uring]
    return names


def with_each_engine_set(tests):
    """Test cases made of the class `tests`, by name, for each set of engines and each version of the server:
    globals().update() shows them to unittest."""
    sets = {
        "AllEngines": {},
        "WithoutRing": {"forbid": "ring"},
        "WithoutNowaitForms": {"forbid": "nowait,cached"},
        "CarriersOnly": {"forbid": "ring,readiness", "many": 50},  # each waits on a kernel thread
    }
    sets |= {name.replace("-", ""): {"version": name} for name in runnable_versions() if name != EngineSet.version}
    return {f"{tests.__name__}{name}": type(f"{tests.__name__}{name}", (tests, EngineSet, Tree), what)
            for name, what in sets.items()}
