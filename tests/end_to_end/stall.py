"""The experiment with a slow disk: a load that waits for the disk, and beside it a probe that does not need to.

The load asks for files that nobody has asked for before, over several connections, each request as soon as the answer to
the one before is there. The probe asks for files that are in memory, at fixed times, over connections of its own; what
it has to wait for is the server. Each of its times counts from when the request was due, so that one which could not be
sent is not forgotten. The tests and the demo use it.
"""

import collections
import itertools
import math
import selectors
import socket
import time

from programs import ANTI_HANG_S

HOT_FILES = 20
HOT_FILE_BYTES = 1000
COLD_FILE_BYTES = 8192
COLD_FILES_PER_S = 50  # for each connection; more than a slow disk can give
LOAD_CONNECTIONS = 8
PROBES_PER_S = 100

Outcome = collections.namedtuple("Outcome", "median_s late_s served")  # late: 99 of 100 are earlier


class Line:
    """A connection with one request at a time; made again where the server closes it after each."""

    def __init__(self, port, selector):
        self.port, self.selector = port, selector
        self.socket = None

    def begin(self, target, due):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=ANTI_HANG_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self.socket, selectors.EVENT_READ, self)
        self.due, self.got, self.length, self.closes = due, b"", None, False
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode())

    def is_answered(self):
        """Takes what has come; whether that was the end of the response."""
        data = self.socket.recv(65536)
        if not data:
            raise AssertionError("the server closed a connection before it had answered")
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        if self.length is None and end >= 0:
            head = self.got[:end].decode("latin-1").lower()
            if not head.startswith("http/1.1 200 "):
                raise AssertionError(f"not as expected: {head}")
            self.closes = "connection: close" in head
            self.length = end + 4 + int(head.split("content-length: ")[1].split("\r\n")[0])
        is_whole = self.length is not None and len(self.got) >= self.length
        if is_whole and self.closes:
            self.close()
        return is_whole

    def close(self):
        if self.socket:
            self.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


def fill(folder, files, length):
    folder.mkdir()
    for i in range(files):
        (folder / str(i)).write_bytes(bytes(length))


class Experiment:
    """Files for it below a folder, and how it is run on a server of that folder; once, for then the files are warm."""

    def __init__(self, folder, seconds):
        self.seconds = seconds
        self.selector = selectors.DefaultSelector()
        fill(folder / "hot", HOT_FILES, HOT_FILE_BYTES)
        # A folder for each connection: FUSE looks up one name at a time in each.
        for i in range(LOAD_CONNECTIONS):
            fill(folder / f"cold-{i}", int(seconds * COLD_FILES_PER_S), COLD_FILE_BYTES)

    def warm(self, port):
        """Asks for the probe's files, that they be in memory."""
        line = Line(port, self.selector)
        for i in range(HOT_FILES):
            line.begin(f"/hot/{i}", 0)
            while not line.is_answered():
                pass
        line.close()

    def run(self, port):
        probes = int(self.seconds * PROBES_PER_S)
        load = {Line(port, self.selector): (f"/cold-{i}/{j}" for j in itertools.count()) for i in range(LOAD_CONNECTIONS)}
        idle, times_s = [], []
        sent = served = 0
        start = time.monotonic()
        for line, fresh in load.items():
            line.begin(next(fresh), start)
        while len(times_s) < probes:
            now = time.monotonic()
            if now > start + self.seconds + ANTI_HANG_S:
                raise AssertionError(f"{probes - len(times_s)} probes are not answered")
            due = start + sent / PROBES_PER_S
            if sent < probes and due <= now:
                line = idle.pop() if idle else Line(port, self.selector)
                line.begin(f"/hot/{sent % HOT_FILES}", due)
                sent += 1
                continue
            for line in self.answered(due - now if sent < probes else ANTI_HANG_S):
                now = time.monotonic()
                if line not in load:
                    times_s.append(now - line.due)
                    idle.append(line)
                elif now < start + self.seconds:
                    served += 1
                    line.begin(next(load[line]), now)
        for key in list(self.selector.get_map().values()):
            key.data.close()
        times_s.sort()
        return Outcome(times_s[len(times_s) // 2], times_s[math.ceil(len(times_s) * 0.99) - 1], served)

    def answered(self, timeout_s):
        """The lines whose answer is there."""
        return [key.data for key, _ in self.selector.select(timeout_s) if key.data.is_answered()]
