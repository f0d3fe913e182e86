#!/usr/bin/env python3
"""laio-httpd with crowds: readers that hardly read, clients that hardly write, connections on which nothing happens; and
those beside them who do not notice. By every version, with the engines it has.
"""

import os
import pathlib
import resource
import socket
import sys
import time
import unittest

from httpd_process import Client, Server, Tree, bytes_of, request, until, runnable_versions
from programs import IS_SANITIZED
from slow_files import NoFuse, SlowFiles

READERS = 50 if IS_SANITIZED else 1000
WRITERS = 50 if IS_SANITIZED else 1000
IDLE = 200 if IS_SANITIZED else 5000
OTHER_DESCRIPTORS = 300  # of a test, and of a server
LARGE = 8 << 20
DISK_MS = 20
MISSES = 8  # at a time
ROUNDS = 4


def fitted(wanted):
    """As many as there are descriptors for, the server needing two for each: says so if that is fewer."""
    room = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_DESCRIPTORS) // 2
    if room < wanted:
        print(f"RLIMIT_NOFILE allows {room} connections, not {wanted}")
    return min(wanted, room)


def open_files(server):
    """What the server's descriptors are."""
    names = []
    folder = f"/proc/{server.process.pid}/fd"
    for number in os.listdir(folder):
        try:
            names.append(os.readlink(f"{folder}/{number}"))
        except FileNotFoundError:  # closed meanwhile
            pass
    return names


def sockets(server):
    """How many it has, those to its helpers apart, which it starts when it needs them."""
    rows = pathlib.Path("/proc/net/unix").read_text(encoding="ascii", errors="replace").splitlines()[1:]
    others = {f"socket:[{row.split()[6]}]" for row in rows}
    return sum(name.startswith("socket:") and name not in others for name in open_files(server))


def resident_kb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


class SlowReaders:
    """They ask for 8 MB each and take some bytes now and then, until all misses are served: had one of those to wait for
    a reader, the test would never end."""

    version = ""

    def test_misses_do_not_wait_for_slow_readers(self):
        try:
            files = SlowFiles(cached=True)
        except NoFuse as reason:
            self.skipTest(str(reason))
        with files:
            with open(files.below / "large.bin", "wb") as large:
                large.truncate(LARGE)
            cold = {f"{i}/cold.bin": bytes_of(i, 20000) for i in range(MISSES * ROUNDS)}
            for name, data in cold.items():
                (files.below / name).parent.mkdir()
                (files.below / name).write_bytes(data)
                (files.top / name).parent.stat()  # FUSE looks up one name at a time in each folder
            self.assertEqual((files.top / "large.bin").read_bytes(), bytes(LARGE))  # in memory now
            with Server(files.top, "--version-name", self.version, "--send-timeout-ms", "86400000") as server:
                before = sockets(server)
                took_s = self.misses_beside_readers(files, server, cold)
                until(lambda: sockets(server) == before, "the sockets are closed")
                self.assertLessEqual(sum(name.endswith("/large.bin") for name in open_files(server)), 1)
                server.stop()
                counts = server.report["httpd"]
                self.assertEqual(counts["responses_cut_short"], self.readers)
                self.assertEqual(counts["responses"]["2xx"], len(cold))
            print(f"{self.version}: {len(cold)} misses, {MISSES} at a time, took {took_s * 1e3 / ROUNDS:.0f} ms each beside "
                  f"{self.readers} slow readers; an operation of the disk takes {DISK_MS} ms")

    def misses_beside_readers(self, files, server, cold):
        self.readers = fitted(READERS)
        readers = [Client(server, receive_buffer=4096) for _ in range(self.readers)]
        for reader in readers:
            reader.send(request("/large.bin"))
        for reader in readers:  # each is in the middle of its response now
            self.assertEqual(reader.read_head()[0], 200)
        files.all_take(DISK_MS)
        others = [Client(server) for _ in range(MISSES)]
        names = iter(cold)
        took_s = 0
        for _ in range(ROUNDS):
            now = [(next(names), client) for client in others]
            began = time.monotonic()
            if self.version.startswith("thttpd"):
                now = [(name, Client(server)) for name, _ in now]
            for name, client in now:
                client.send(request("/" + name))
            for name, client in now:
                self.assertEqual(client.read_response().body, cold[name])
            took_s += time.monotonic() - began
            for _, client in now:
                if client not in others:
                    client.close()
            for reader in readers:
                self.assertEqual(reader.stream.read1(500).strip(b"\0"), b"")
        files.all_take(0)
        for client in readers + others:
            client.reset()
        return took_s


class SlowWriters:
    """Heads that come byte by byte, and connections on which nothing comes, beside normal requests."""

    version = ""

    def test_slow_and_idle_clients_hold_up_nobody(self):
        count = fitted(WRITERS + IDLE)
        idle_count = max(count - WRITERS, 0)
        with Server(self.root, "--version-name", self.version, "--connections", "10000", "--head-timeout-ms", "86400000",
                    "--idle-timeout-ms", "86400000") as server:
            before = sockets(server)
            self.answers(server)
            memory_kb = resident_kb(server)
            idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(idle_count)]
            until(lambda: sockets(server) >= before + len(idle), "the connections are accepted")
            used_kb = resident_kb(server) - memory_kb
            print(f"{self.version}: {used_kb * 1024 / max(len(idle), 1):,.0f} bytes resident for each of {len(idle)} idle "
                  "connections")
            writers = [Client(server) for _ in range(count - idle_count)]
            for byte in request("/page.html"):
                for writer in writers:
                    writer.send(bytes([byte]))
                self.answers(server)
            for writer in writers:
                self.assertEqual(writer.read_response().body, self.content["page.html"])
                writer.close()
            for client in idle[::2]:
                client.sendall(request("/page.html"))
            for client in idle[::2]:
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))
            for client in idle:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            until(lambda: sockets(server) <= before, "the sockets are closed")
            self.answers(server)

    def answers(self, server):
        with Client(server) as client:
            self.assertEqual(client.get("/page.html").body, self.content["page.html"])


for chosen in ["Flash-LAIO-LAIO"] if IS_SANITIZED else runnable_versions():
    name = chosen.replace("-", "")
    globals()[f"SlowReaders{name}"] = type(f"SlowReaders{name}", (SlowReaders, unittest.TestCase), {"version": chosen})
    globals()[f"SlowWriters{name}"] = type(f"SlowWriters{name}", (SlowWriters, Tree), {"version": chosen})


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    outcome = unittest.main(verbosity=2, exit=False).result
    for _, why in outcome.skipped:
        print(f"SKIPPED: {why}")
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
