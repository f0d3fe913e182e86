#!/usr/bin/env python3
"""laio-httpd from outside: its limits in time, connections and descriptors, its orderly end, and its command line."""

import pathlib
import resource
import signal
import socket
import subprocess
import unittest

import httpd_process
from httpd_process import LARGE, Client, Server, Tree, request, until
from programs import ANTI_HANG_S, HTTPD, LAUNCHER


class Limits:
    def test_a_request_has_to_arrive_in_time(self):
        with self.serve("--head-timeout-ms", "200", "--idle-timeout-ms", "86400000") as server:
            for begun in [b"G", request("/page.html")[:-1],
                          request("/page.html") + request("/", fields="Content-Length: 5\r\n") + b"123"]:
                with Client(server) as client:
                    client.send(begun)
                    got = client.read_response()
                    if got.status == 200 and not self.persists:
                        continue
                    if got.status == 200:
                        got = client.read_response()
                    self.assertEqual(got.status, 408)
                    self.assertEqual(got.fields["connection"], "close")
                    self.assertTrue(client.at_end())

    def test_an_idle_connection_is_closed(self):
        self.needs_persistence()
        with self.serve("--idle-timeout-ms", "200") as server:
            with Client(server) as client:
                self.assertTrue(client.at_end())
            with Client(server) as client:
                self.assertEqual(client.get("/page.html").status, 200)
                self.assertTrue(client.at_end())
            server.stop()
            self.assertEqual(server.report["httpd"]["timeouts"], 2)

    def test_a_client_that_does_not_read_is_cut_off(self):
        with self.serve("--send-timeout-ms", "200") as server:
            with Client(server, receive_buffer=4096) as client:
                client.send(request("/large.bin"))
                until(lambda: not has_established(server.port, client), "the server closes")
            server.stop()
            self.assertEqual(server.report["httpd"]["responses_cut_short"], 1)

    def test_connections_over_the_limit_wait(self):
        self.needs_persistence()
        with self.serve("--connections", "2") as server:
            first, second, third = (Client(server) for _ in range(3))
            for client in (first, second):
                self.assertEqual(client.get("/page.html").status, 200)
            third.send(request("/page.html"))
            first.close()
            self.assertEqual(third.read_response().status, 200)
            for client in (second, third):
                client.close()
            server.stop()
            self.assertEqual(server.report["httpd"]["connections_peak"], 2)
            self.assertGreaterEqual(server.report["httpd"]["accept_pauses"], 1)

    def test_without_descriptors(self):
        self.needs_persistence()
        with self.serve("--cache-files", "0") as server, Client(server) as client:
            self.assertEqual(client.get("/page.html").status, 200)
            pid = server.process.pid
            limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            # Below the limit are the standard streams alone: what the server closes meanwhile frees no number it may use.
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
            got = client.get("/page.html")
            self.assertEqual((got.status, got.fields.get("retry-after")), (503, "1"))
            others = [Client(server) for _ in range(3)]
            for other in others:
                other.send(request("/page.html"))
            self.assertEqual(client.get("/page.html").status, 503)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            # The accept that waited had its descriptor already; so one may have come in, to find none for the file.
            self.assertIn(others[0].read_response().status, (200, 503))
            for other in others[1:]:
                self.assertEqual(other.read_response().body, self.content["page.html"])
            for other in others:
                other.close()
            self.assertEqual(client.get("/page.html").status, 200)

    # ---- The end

    def test_ends_at_once_when_idle(self):
        self.needs_persistence()
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.serve() as server, Client(server) as kept, Client(server) as silent:
                self.assertEqual(kept.get("/page.html").status, 200)
                server.signal(number)
                self.assertEqual(server.wait(), 0)
                self.assertTrue(kept.at_end())
                self.assertTrue(silent.at_end())

    def test_finishes_what_has_begun(self):
        self.needs_persistence()
        with self.serve("--drain-timeout-ms", "86400000") as server, Client(server, receive_buffer=4096) as client:
            client.send(request("/large.bin") + request("/page.html"))
            self.assertEqual(client.read_head()[0], 200)
            server.signal()
            until(lambda: not is_listening(server.port), "the server stops listening")
            self.assertEqual(client.stream.read(LARGE), self.content["large.bin"])
            got = client.read_response()
            self.assertEqual((got.body, got.fields["connection"]), (self.content["page.html"], "close"))
            self.assertTrue(client.at_end())
            self.assertEqual(server.wait(), 0)

    def test_cuts_off_what_takes_too_long(self):
        for timeout_ms, second_signal in [("200", False), ("86400000", True)]:
            with self.serve("--drain-timeout-ms", timeout_ms) as server, Client(server, receive_buffer=4096) as client:
                client.send(request("/large.bin"))
                self.assertEqual(client.read_head()[0], 200)
                server.signal()
                if second_signal:
                    until(lambda: not is_listening(server.port), "the server stops listening")
                    server.signal()
                self.assertEqual(server.wait(), 0)
                self.assertEqual(server.report["httpd"]["responses_cut_short"], 1)


globals().update(httpd_process.with_each_engine_set(Limits))


class CommandLine(Tree):
    def fails(self, *arguments):
        command = [*LAUNCHER, HTTPD, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANTI_HANG_S, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotEqual(done.stderr, "")
        self.assertEqual(done.stdout, "")

    def test_errors(self):
        self.fails()
        self.fails(str(self.root / "missing"))
        self.fails(str(self.root / "page.html"))
        self.fails("--address", "nonsense", str(self.root))
        self.fails("--port", "70000", str(self.root))
        self.fails("--json", str(self.root))
        self.fails("--unknown", str(self.root))
        with Server(self.root) as server:
            self.fails("--port", str(server.port), str(self.root))

    def test_report_for_people(self):
        command = [*LAUNCHER, HTTPD, "--port", "0", "--stats", str(self.root)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.assertTrue(process.stdout.readline().startswith("http://127.0.0.1:"))
        process.terminate()
        out, _ = process.communicate(timeout=ANTI_HANG_S)
        self.assertEqual(process.returncode, 0)
        self.assertIn("requests", out)
        self.assertIn("queued", out)

    def test_ipv6(self):
        try:
            socket.socket(socket.AF_INET6).bind(("::1", 0))
        except OSError as failure:
            self.skipTest(f"no IPv6 here: {failure}")
        with Server(self.root, "--address", "::1") as server:
            self.assertTrue(server.url.startswith("http://[::1]:"))
            with socket.create_connection(("::1", server.port), timeout=ANTI_HANG_S) as client:
                client.sendall(request("/page.html"))
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n"))


def tcp_rows():
    """(local port, remote port, state) of the IPv4 sockets of this machine."""
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        yield int(words[1].split(":")[1], 16), int(words[2].split(":")[1], 16), int(words[3], 16)


def is_listening(port):
    return any(row[0] == port and row[2] == 10 for row in tcp_rows())


def has_established(port, client):
    """Whether the server's end of the client's connection is open."""
    return (port, client.socket.getsockname()[1], 1) in tcp_rows()


if __name__ == "__main__":
    unittest.main(verbosity=2)
