#!/usr/bin/env python3
"""laio-httpd from outside: the right bytes to honest clients, the right errors to others, no way out of the document
root. Everything is done once for each set of engines that the library can work with."""

import email.utils
import os
import pathlib
import random
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import httpd_process
from httpd_process import LARGE, Client, bytes_of, request, target_of
from programs import ANTI_HANG_S


class Serving:
    # ---- The right bytes

    def test_every_file_byte_for_byte_on_one_connection(self):
        with self.serve() as server, Client(server) as client:
            for name, data in self.content.items():
                got = client.get(target_of(name))
                self.assertEqual(got.status, 200, name)
                self.assertEqual(got.body, data, name)
                self.assertEqual("connection" in got.fields, not self.persists)
            server.stop()
            self.assertEqual(server.report["httpd"]["responses"]["2xx"], len(self.content))
            self.assertEqual(server.report["httpd"]["bytes_read"], sum(map(len, self.content.values())))

    def test_documentation_of_this_machine_with_curl(self):
        if shutil.which("curl") is None:
            self.skipTest("no curl here")
        root = pathlib.Path("/usr/share/doc")
        files = [p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink()][:400]
        if not files:
            self.skipTest("no files in /usr/share/doc")
        with self.serve(root=root) as server, tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "config"
            config.write_text("".join(
                f'url = "{server.url}{urllib.parse.quote(str(path.relative_to(root)))}"\noutput = "{folder}/{i}"\n'
                for i, path in enumerate(files)), encoding="utf-8")
            subprocess.run(["curl", "--silent", "--show-error", "--fail", "--path-as-is", "-K", str(config)],
                           check=True, timeout=ANTI_HANG_S)
            for i, path in enumerate(files):
                got = pathlib.Path(folder) / str(i)  # curl makes no file for an empty answer
                self.assertEqual(got.read_bytes() if got.exists() else b"", path.read_bytes(), path)

    def test_index_and_redirect(self):
        with self.serve() as server, Client(server) as client:
            self.assertEqual(client.get("/").body, self.content["index.html"])
            self.assertEqual(client.get("/deep/er/and/deeper/").body, self.content["deep/er/and/deeper/index.html"])
            got = client.get("/deep/er?x")
            self.assertEqual((got.status, got.fields["location"]), (301, "/deep/er/"))
            got = client.get("//deep/./er")
            self.assertEqual((got.status, got.fields["location"]), (301, "/deep/er/"))
            self.assertEqual(client.get("/empty/").status, 404)
            self.assertEqual(client.get("/page.html/").status, 404)

    def test_fields_of_a_response(self):
        with self.serve() as server, Client(server) as client:
            got = client.get("/page.html")
            self.assertEqual(got.fields["content-type"], "text/html")
            modified = email.utils.parsedate_to_datetime(got.fields["last-modified"])
            self.assertEqual(modified.timestamp(), int((self.root / "page.html").stat().st_mtime))
            email.utils.parsedate_to_datetime(got.fields["date"])
            self.assertEqual(client.get("/no-extension").fields["content-type"], "application/octet-stream")

    def test_head_is_get_without_its_body(self):
        with self.serve() as server, Client(server) as client:
            for target in ["/page.html", "/large.bin", "/size/0.bin", "/missing", "/deep"]:
                head = client.get(target, "HEAD")
                got = client.get(target)
                self.assertEqual(head.status, got.status)
                for fields in (head.fields, got.fields):
                    fields.pop("date")
                self.assertEqual(head.fields, got.fields)

    # ---- Connections

    def test_http_1_0_and_connection_close(self):
        with self.serve() as server:
            for data in [request("/page.html", version="1.0"), request("/page.html", fields="Connection: close\r\n")]:
                with Client(server) as client:
                    client.send(data)
                    got = client.read_response()
                    self.assertEqual(got.body, self.content["page.html"])
                    self.assertEqual(got.fields["connection"], "close")
                    self.assertTrue(client.at_end())
            self.needs_persistence()
            with Client(server) as client:
                for _ in range(3):
                    client.send(request("/page.html", fields="Connection: keep-alive\r\n", version="1.0"))
                    got = client.read_response()
                    self.assertEqual(got.fields["connection"], "keep-alive")

    def test_pipelined_requests_are_answered_in_order(self):
        self.needs_persistence()
        names = [name for name in self.content if name != "large.bin"] * 40
        with self.serve() as server, Client(server) as client, Client(server) as other:
            writer = threading.Thread(target=client.send, args=(b"".join(request(target_of(n)) for n in names),))
            writer.start()
            other_got = other.get("/page.html")  # is not starved
            for name in names:
                self.assertEqual(client.read_response().body, self.content[name], name)
            writer.join()
            self.assertEqual(other_got.body, self.content["page.html"])

    def test_request_byte_by_byte(self):
        self.needs_persistence()
        with self.serve() as server, Client(server) as client:
            for byte in request("/page.html") + request("/index.html"):
                client.send(bytes([byte]))
            self.assertEqual(client.read_response().body, self.content["page.html"])
            self.assertEqual(client.read_response().body, self.content["index.html"])

    def test_slow_readers_hold_up_nobody(self):
        with self.serve() as server:
            slow = [Client(server, receive_buffer=4096) for _ in range(32)]
            for client in slow:
                client.send(request("/large.bin"))
            for client in slow:  # each is in the middle of its response now
                self.assertEqual(client.read_head()[0], 200)
            for _ in range(20):
                self.assert_answers(server)
            for client in slow[:2]:
                self.assertEqual(client.stream.read(LARGE), self.content["large.bin"])
            for client in slow:
                client.close()

    def test_clients_that_reset_in_the_middle_of_a_response(self):
        with self.serve() as server:
            for i in range(50):
                client = Client(server, receive_buffer=4096)
                client.send(request("/large.bin"))
                if i % 2:
                    client.read_head()
                client.reset()
            self.assert_answers(server)
            server.stop()
            self.assertGreaterEqual(server.report["httpd"]["responses_cut_short"], 25)

    def test_many_persistent_connections_at_once(self):
        self.needs_persistence()
        with self.serve("--connections", "2000") as server:
            clients = [Client(server) for _ in range(self.many)]
            names = ["page.html", "index.html", "size/1000.bin"]
            for name in names:
                for client in clients:
                    client.send(request(target_of(name)))
                for client in clients:
                    self.assertEqual(client.read_response().body, self.content[name])
            for client in clients:
                client.close()
            server.stop()
            self.assertEqual(server.report["httpd"]["connections_peak"], self.many)
            self.assertEqual(server.report["httpd"]["requests"], self.many * len(names))

    def test_wrk(self):
        if shutil.which("wrk") is None:
            self.skipTest("no wrk here")
        with self.serve() as server:
            done = subprocess.run(["wrk", "-t1", f"-c{min(self.many, 200)}", "-d1s", "--timeout", "100s",
                                   server.url + "page.html"],
                                  check=True, capture_output=True, text=True, timeout=ANTI_HANG_S)
            self.assertNotIn("Non-2xx", done.stdout)
            self.assertNotIn("Socket errors", done.stdout)
            server.stop()
            self.assertGreater(server.report["httpd"]["requests"], 0)

    # ---- Errors of the client

    def test_statuses_after_which_the_connection_persists(self):
        with self.serve() as server, Client(server) as client:
            for target, method, status in [("/missing", "GET", 404), ("/page.html", "POST", 405), ("/", "OPTIONS", 405),
                                           ("/", "BREW", 501), ("/%zz", "GET", 400), ("/a%00b", "GET", 400),
                                           ("/a%0d%0ab", "GET", 400), ("/" + "x" * 300, "GET", 404),
                                           ("/" + "x/" * 2500, "GET", 404)]:
                got = client.get(target, method)
                self.assertEqual(got.status, status, target[:20])
                self.assertEqual("connection" in got.fields, not self.persists)
                if status == 405:
                    self.assertEqual(got.fields["allow"], "GET, HEAD")

    def test_statuses_after_which_it_is_closed(self):
        long = "x" * 9000
        for data, status in [(b"\x16\x03\x01\x02\x00", 400), (b"GET /\r\n\r\n", 400), (b"GET / HTTP/1.1\n\n", 400),
                             (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
                             (request("/", version="2.0"), 505), (request("/" + long), 414),
                             (request("/", fields=f"A: {long}\r\n"), 431),
                             (request("/", fields="Content-Length: 65537\r\n"), 413),
                             (request("/", fields="Content-Length: -1\r\n"), 400),
                             (request("/", fields="Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
                             (request("/", fields="Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 501),
                             (request("/", fields="Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
                             (request("/", fields="Expect: something\r\n"), 417),
                             (request("/", fields="Expect: 100-continue\r\nContent-Length: 5\r\n"), 200)]:
            with self.subTest(data[:60]), self.serve() as server, Client(server) as client:
                client.send(data + request("/page.html"))
                got = client.read_response()
                self.assertEqual(got.status, status)
                self.assertEqual(got.fields["connection"], "close")
                self.assertTrue(client.at_end())

    def test_bodies_are_dropped(self):
        self.needs_persistence()
        with self.serve() as server, Client(server) as client:
            for method, status in [("GET", 200), ("POST", 405)]:
                body = bytes_of(7, 20000)
                client.send(request("/page.html", method, f"Content-Length: {len(body)}\r\n") + body)
                self.assertEqual(client.read_response().status, status)
            self.assertEqual(client.get("/page.html").body, self.content["page.html"])

    def test_garbage(self):
        seed = int(os.environ.get("LAIO_FUZZ_SEED", "20040627"))
        print(f"seed {seed}")
        dice = random.Random(seed)
        with self.serve() as server:
            for _ in range(200):
                data = bytearray(request("/page.html") * dice.randrange(1, 4))
                for _ in range(dice.randrange(1, 6)):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                with Client(server) as client:
                    cut = dice.randrange(len(data))
                    try:
                        client.send(data[:cut])
                        client.send(data[cut:])
                    except (BrokenPipeError, ConnectionResetError):
                        pass
                    if dice.randrange(2):
                        client.reset()
            self.assert_answers(server)

    # ---- No way out of the document root

    def test_no_way_out_of_the_document_root(self):
        root = self.root / "attack"
        (root / "sub").mkdir(parents=True)
        self.addCleanup(shutil.rmtree, root)
        (root / "inside.txt").write_bytes(b"inside")
        links = {"absolute": self.secret, "relative": "../../secret.txt", "directory": "/etc", "up": "..",
                 "magic": "/proc", "sub/far": "../../../secret.txt"}
        for name, to in links.items():
            (root / name).symlink_to(to)
        (root / "good").symlink_to("inside.txt")
        (root / "sub" / "good").symlink_to("../inside.txt")
        (root / "loop").symlink_to("loop")
        with self.serve(root=root) as server, Client(server) as client:
            for target in ["/good", "/sub/good", "/sub/../good"]:
                self.assertEqual(client.get(target).body, b"inside", target)
            for target, status in [("/../../secret.txt", 400), ("/%2e%2e/%2e%2e/secret.txt", 400),
                                   ("/sub/../../../x", 400), ("/..%2f..%2fsecret.txt", 404),
                                   ("/.%2e/secret.txt", 400), ("/..", 400), ("/%2e%2e%2fsecret.txt", 404),
                                   ("/..%00/secret.txt", 400), ("/..\\..\\secret.txt", 404),
                                   ("/..;/..;/secret.txt", 404), ("//etc/passwd", 404),
                                   ("/%252e%252e/secret.txt", 404), ("/..%c0%afsecret.txt", 404),
                                   ("http://x/../../secret.txt", 400), (str(self.secret), 404), ("/absolute", 403),
                                   ("/relative", 403), ("/sub/far", 403), ("/directory/passwd", 403),
                                   ("/up/secret.txt", 403), ("/up/attack/inside.txt", 403),
                                   ("/magic/self/root/etc/passwd", 403), ("/loop", 404)]:
                got = client.get(target)
                if target == "/up/attack/inside.txt" and got.status == 200 and not self.persists:
                    # thttpd asks for a name's status alone, which may lead out and in again, and knows the file already.
                    self.assertEqual(got.body, b"inside")
                    continue
                self.assertEqual(got.status, status, target)
                self.assertNotIn(b"secret", got.body)

    def test_only_regular_files_are_served(self):
        root = self.root / "special"
        root.mkdir()
        self.addCleanup(shutil.rmtree, root)
        os.mkfifo(root / "fifo")
        unix = socket.socket(socket.AF_UNIX)
        self.addCleanup(unix.close)
        unix.bind(str(root / "socket"))
        (root / "dir.html").mkdir()
        (root / "index.html").mkdir()
        (root / "unreadable").write_bytes(b"x")
        (root / "unreadable").chmod(0)
        with self.serve(root=root) as server, Client(server) as client:
            self.assertEqual(client.get("/fifo").status, 403)
            self.assertEqual(client.get("/socket").status, 403)
            self.assertEqual(client.get("/dir.html").status, 301)
            self.assertEqual(client.get("/").status, 404)
            if os.geteuid() == 0:
                print("not tried: a file without permission (root may read everything)")
            else:
                self.assertEqual(client.get("/unreadable").status, 403)

    # ---- Files that change

    def test_file_that_becomes_shorter_or_is_deleted_during_its_response(self):
        path = self.root / "changing.bin"
        for change in [lambda: os.truncate(path, 100000), path.unlink]:
            path.write_bytes(self.content["large.bin"])
            with self.serve() as server, Client(server, receive_buffer=4096) as client:
                client.send(request("/changing.bin"))
                _, fields = client.read_head()
                self.assertEqual(int(fields["content-length"]), LARGE)
                change()
                body = client.stream.read(LARGE)
                if path.exists():  # sendfile(2) sends what is in memory when the peer takes it, zeros after the cut
                    shorter = path.stat().st_size
                    self.assertEqual(body[:shorter], self.content["large.bin"][:shorter])
                    self.assertTrue(all(got in (0, was) for got, was in zip(body, self.content["large.bin"])))
                else:
                    self.assertEqual(body, self.content["large.bin"])
                self.assert_answers(server)


globals().update(httpd_process.with_each_engine_set(Serving))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    unittest.main(verbosity=2)
