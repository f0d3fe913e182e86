#!/usr/bin/env python3
"""laio-httpd when the disk fails, files change under its hands, helpers are killed and clients leave: the answer says
so or is cut short, the connection's state is right, the server lives. By every version, with the engines it has.
"""

import errno
import os
import pathlib
import shutil
import signal
import sys
import threading
import unittest

from httpd_process import LARGE, Client, Server, Tree, bytes_of, request, until, runnable_versions
from programs import IS_SANITIZED
from slow_files import NoFuse, SlowFiles

FILE = bytes_of(5, 300000)  # more than is read ahead
HELPERS = {"Flash-NB-AMPED"}  # the versions whose disk is in other processes


class Faults:
    version = ""

    def serve(self, root, *options):
        return Server(root, "--version-name", self.version, *options)

    def mount(self, **how):
        """A file system of slow files, with `file` in it and a hundred more; nothing of it is in memory."""
        try:
            files = SlowFiles(**how)
        except NoFuse as reason:
            self.skipTest(str(reason))
        self.addCleanup(files.close)
        (files.below / "file").write_bytes(FILE)
        for i in range(100):
            (files.below / str(i)).write_bytes(b"")
        return files

    def assert_answers(self, server, target="/page.html", body=None):
        with Client(server) as client:
            self.assertEqual(client.get(target).body, self.content["page.html"] if body is None else body)

    # ---- The disk fails

    def test_errors_before_the_head_are_answered(self):
        for operation, error, status in [("getattr", errno.EIO, 500), ("open", errno.EIO, 500),
                                         ("getattr", errno.EACCES, 403), ("open", errno.EACCES, 403),
                                         ("open", errno.ENOMEM, 503)]:
            with self.subTest(operation=operation, error=errno.errorcode[error]):
                files = self.mount()
                with self.serve(files.top) as server, Client(server) as client:
                    files.fail(operation, error)
                    for _ in range(2):  # the connection persists where the version's do, and no error is kept for ever
                        got = client.get("/file")
                        self.assertEqual(got.status, status)
                        if "connection" in got.fields:
                            self.assertTrue(client.at_end())
                            break
                    files.fail(operation, 0)
                    until(lambda: self.recovers(server), "the file is served again")

    def recovers(self, server):
        with Client(server) as client:
            got = client.get("/file")
            if got.status == 200:
                self.assertEqual(got.body, FILE)
            return got.status == 200

    def test_an_error_of_reading_cuts_the_response_short(self):
        files = self.mount()
        with self.serve(files.top) as server:
            files.fail("read", errno.EIO)
            for _ in range(3):
                with Client(server) as client:
                    client.send(request("/file") + request("/file"))
                    head = client.read_head()
                    if head is None:  # what comes from a mapped file goes with the head, or neither does
                        continue
                    status, fields = head
                    if status == 200:  # the head went before the file was read: the end of the connection tells
                        self.assertEqual(int(fields["content-length"]), len(FILE))
                        body = client.stream.read()
                        self.assertLess(len(body), len(FILE))
                        self.assertEqual(body, FILE[:len(body)])
                    else:
                        self.assertEqual(status, 500)
            files.fail("read", 0)
            self.assert_answers(server, "/file", FILE)

    # ---- Files that change

    def test_file_deleted_or_cut_while_it_is_opened(self):
        files = self.mount()
        for change, allowed in [(os.unlink, (200, 404)), (lambda path: os.truncate(path, 1000), (200,))]:
            (files.below / "file").write_bytes(FILE)
            with self.serve(files.top) as server, Client(server) as client:
                before = files.calls("open")
                files.all_take(86400000, ("open",))
                client.send(request("/file"))
                until(lambda: files.calls("open") > before, "the file is being opened")
                change(files.below / "file")
                files.all_take(0)
                head = client.read_head()
                self.assertIn(head[0], allowed)
                if head[0] == 200:  # of the length that was announced, or cut short; what came is of the file
                    body = client.stream.read(int(head[1]["content-length"]))
                    self.assertTrue(all(got in (0, was) for got, was in zip(body, FILE)))

    def test_directory_swapped_for_a_symbolic_link(self):
        outside = self.root.parent / "outside"
        inside, link, parked = (self.root / name for name in ("swapped", "link", "parked"))
        for folder, data in ((outside, b"secret"), (inside, b"inside")):
            folder.mkdir()
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            for i in range(400):
                (folder / str(i)).write_bytes(data)
        link.symlink_to(outside)
        ended = threading.Event()

        def swap():
            while not ended.is_set():
                inside.rename(parked)
                link.rename(inside)
                inside.rename(link)
                parked.rename(inside)

        swapper = threading.Thread(target=swap)
        statuses = set()
        with self.serve(self.root) as server:
            swapper.start()
            try:
                for i in range(400):
                    with Client(server) as client:  # a name for each request: what is remembered of one decides no other
                        got = client.get(f"/swapped/{i}")
                        statuses.add(got.status)
                        if got.status == 200:
                            self.assertEqual(got.body, b"inside")
                        else:
                            self.assertNotIn(b"secret", got.body)
            finally:
                ended.set()
                swapper.join()
            self.assertLessEqual(statuses, {200, 403, 404, 503})
            self.assertIn(200, statuses)
            self.assert_answers(server)
        link.unlink()

    # ---- Clients that leave

    def test_client_gone_at_every_point_of_a_response(self):
        for wait in ("getattr", "open", "read"):  # before the head, or in the body, while the disk is asked
            files = self.mount()
            with self.serve(files.top) as server:
                client = Client(server)
                before = files.calls(wait)
                files.all_take(86400000, (wait,))
                client.send(request("/file"))
                until(lambda: files.calls(wait) > before, f"{wait} is under way")
                client.reset()
                files.all_take(0)
                self.assert_answers(server, "/file", FILE)
        with self.serve(self.root) as server:
            for taken in (0, 1, 17, 200, 1000, 100000, LARGE):
                client = Client(server, receive_buffer=4096)
                client.send(request("/large.bin"))
                client.stream.read(taken)
                client.reset()
            for data in (b"", b"G", request("/large.bin")[:-1], request("/page.html") * 3):
                client = Client(server)
                client.send(data)
                client.reset()
            self.assert_answers(server)

    def test_half_closed_client_gets_its_answer(self):
        with self.serve(self.root) as server, Client(server) as client:
            client.send(request("/large.bin"))
            client.socket.shutdown(1)
            self.assertEqual(client.read_response().body, self.content["large.bin"])
            self.assertTrue(client.at_end())
            self.assert_answers(server)

    # ---- The end

    def test_ends_in_the_midst(self):
        files = self.mount()
        with self.serve(files.top, "--drain-timeout-ms", "86400000") as server, Client(server) as client:
            before = files.calls("read")
            files.freeze()
            client.send(request("/file"))
            until(lambda: files.control.waiting > 0, "the disk is asked")
            server.signal()
            files.freeze(False)
            self.assertEqual(client.read_response().body, FILE)
            self.assertEqual(server.wait(), 0)
            self.assertGreater(files.calls("read"), before)

    # ---- Helper processes

    def test_helper_process_killed(self):
        if self.version not in HELPERS:
            return
        files = self.mount()
        with self.serve(files.top) as server:
            self.assert_answers(server, "/0", b"")
            with Client(server) as client:
                before = files.calls("open")
                files.all_take(86400000, ("open",))
                client.send(request("/file"))
                until(lambda: files.calls("open") > before or files.control.waiting > 0, "a helper is at work")
                helpers = children(server)
                self.assertTrue(helpers)
                for helper in helpers:
                    os.kill(helper, signal.SIGKILL)
                files.all_take(0)
                got = client.read_response()  # asked of another helper, or given up
                self.assertIn(got.status, (200, 500, 503))
                if got.status == 200:
                    self.assertEqual(got.body, FILE)
            until(lambda: self.recovers(server), "there are helpers again")


def children(server):
    folder = pathlib.Path(f"/proc/{server.process.pid}/task")
    return [int(word) for task in folder.iterdir()
            for word in (task / "children").read_text(encoding="ascii").split()]


for chosen in ["Flash-LAIO-LAIO"] if IS_SANITIZED else runnable_versions():
    name = "Faults" + chosen.replace("-", "")
    globals()[name] = type(name, (Faults, Tree), {"version": chosen})


if __name__ == "__main__":
    for name in sorted(HELPERS - set(runnable_versions())):
        print(f"SKIPPED: killing a helper of {name}: there is no such version")
    outcome = unittest.main(verbosity=2, exit=False).result
    for _, why in outcome.skipped:
        print(f"SKIPPED: {why}")
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
