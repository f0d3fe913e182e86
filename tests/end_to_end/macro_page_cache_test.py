#!/usr/bin/env python3
"""Caches and control groups as the runner of the evaluation uses them, on this machine: what was read before is gone
when a cell begins, whoever it was charged to; a group bounds what is kept, and is gone afterwards with its processes;
and a pass that read what should have been in memory is void. Without root what takes it is skipped."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

from programs import ANTI_HANG_S, BUILD
from macro_records import cell, one_pass

from macro import cgroup, cpus, memory_limit, meters, page_cache
from macro.failure import CellFailure

FILES, FILE_BYTES = 32, 2 << 20  # 64 MB
LIMIT_BYTES = 24 << 20
# Reads all files named after the first word so often, and waits to be ended.
READER = """
import sys
for _ in range(int(sys.argv[1])):
    for path in sys.argv[2:]:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 18):
                pass
print("read", flush=True)
sys.stdin.read()
"""


# Sends the files named after CPU, host and port from that CPU, all but their last bytes.
SENDER = """
import os, socket, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
with socket.create_connection((sys.argv[2], int(sys.argv[3]))) as connection:
    for path in sys.argv[4:]:
        with open(path, "rb", buffering=0) as file:
            connection.sendfile(file, count=os.path.getsize(path) - 100)
"""


class OnDisk(unittest.TestCase):
    """A tree beside the build: /tmp may have no disk."""

    def setUp(self):
        beside = BUILD if os.access(BUILD, os.W_OK) else None
        folder = tempfile.TemporaryDirectory(prefix="laio-page-cache-test-", dir=beside)
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name) / "tree"
        self.tree.mkdir()
        (self.tree / "empty").touch()
        self.paths = []
        for number in range(FILES):
            path = self.tree / f"with space {number}"
            path.write_bytes(os.urandom(FILE_BYTES))
            self.paths.append(path)
        subprocess.run(["sync", "-f", self.tree], check=True, timeout=ANTI_HANG_S)

    def make_cold(self):
        """Or skips: some file systems keep everything in memory."""
        try:
            page_cache.make_cold(self.tree)
        except CellFailure as failure:
            kind = subprocess.run(["stat", "-f", "-c", "%T", self.tree], capture_output=True, text=True,
                                  check=True).stdout
            if kind.strip() in ("tmpfs", "ramfs", "overlayfs"):
                self.skip(f"{kind.strip()}: {failure}")
            raise

    def skip(self, reason):
        print(f"SKIPPED: {reason}")
        self.skipTest(reason)

    def read_by(self, group, times=1):
        """A process in the group that has read all files, and is still there."""
        reader = subprocess.Popen([sys.executable, "-c", READER, str(times), *self.paths], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True, preexec_fn=group.enter if group else None)
        self.addCleanup(reader.communicate)
        self.addCleanup(reader.kill)
        self.assertEqual(reader.stdout.readline(), "read\n")
        return reader


class AnyUser(OnDisk):
    def test_what_was_read_is_gone(self):
        self.read_by(None)
        self.assertEqual(page_cache.resident_bytes(self.tree), FILES * FILE_BYTES)
        self.make_cold()
        self.assertEqual(page_cache.resident_bytes(self.tree), 0)

    def test_what_was_just_written_is_gone_too(self):
        self.paths[0].write_bytes(os.urandom(FILE_BYTES))
        self.make_cold()
        self.assertEqual(page_cache.resident_bytes(self.tree), 0)

    def test_what_was_sent_is_gone_too(self):
        """By sendfile(2), from one CPU to another: a few such pages stay in use after all have ended."""
        if not cpus.are_apart():
            self.skip("one CPU")
        for _ in range(5):
            self.send_all()
            self.make_cold()
            self.assertEqual(page_cache.resident_bytes(self.tree), 0)

    def send_all(self):
        server_cpu, client_cpu = cpus.chosen()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host, port = listener.getsockname()
            sender = subprocess.Popen([sys.executable, "-c", SENDER, str(server_cpu), host, str(port), *self.paths])
            self.addCleanup(sender.kill)
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {client_cpu})
            try:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(1 << 20):
                        pass
            finally:
                os.sched_setaffinity(0, before)
        self.assertEqual(sender.wait(ANTI_HANG_S), 0)

    def test_what_stays_in_memory_is_no_cold_cell(self):
        self.read_by(None)
        with unittest.mock.patch.object(page_cache, "clear"), unittest.mock.patch.object(page_cache, "STUBBORN_S", 0.5), \
                self.assertRaisesRegex(CellFailure, "still in memory"):
            page_cache.make_cold(self.tree)

    def test_a_tree_that_is_not_there(self):
        with self.assertRaises(CellFailure):
            page_cache.resident_bytes(self.tree / "nowhere")

    def test_what_a_process_read_from_disk(self):
        self.make_cold()
        reader = self.read_by(None)
        self.assertGreaterEqual(meters.read_processes([reader.pid])["disk_read_bytes"], FILES * FILE_BYTES)
        again = self.read_by(None)  # the kernel may have taken some of it back
        self.assertLess(meters.read_processes([again.pid])["disk_read_bytes"], FILES * FILE_BYTES // 4)


class InAGroup(OnDisk):
    def setUp(self):
        if reason := cgroup.why_not():
            self.skip(reason)
        super().setUp()
        self.make_cold()

    def test_a_group_bounds_what_is_kept(self):
        with cgroup.Group(LIMIT_BYTES) as group:
            reader = self.read_by(group)
            self.assertEqual(group.processes(), [reader.pid])
            self.assertLessEqual(group.memory()["bytes"], LIMIT_BYTES)
            self.assertGreater(group.memory()["page_cache_bytes"], LIMIT_BYTES // 4)
            self.assertLessEqual(page_cache.resident_bytes(self.tree), LIMIT_BYTES)

    def test_what_processes_have_for_themselves_is_in_addition(self):
        own = 3 * LIMIT_BYTES
        with cgroup.Group(LIMIT_BYTES + memory_limit.AT_START_BYTES) as group:
            hoards = f"kept = b'x' * {own}; print('has it', flush=True); input()"
            hoarder = subprocess.Popen([sys.executable, "-c", hoards],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=group.enter)
            self.addCleanup(hoarder.communicate)
            self.addCleanup(hoarder.kill)
            self.assertEqual(hoarder.stdout.readline(), "has it\n")
            with memory_limit.Follower(group, LIMIT_BYTES) as follower:
                self.read_by(group)
                self.assertGreaterEqual(follower.own_bytes_most, own)
                cached = group.memory()["page_cache_bytes"]
                self.assertLessEqual(cached, LIMIT_BYTES + (8 << 20))  # the reader's own is added now and then
                self.assertGreater(cached, LIMIT_BYTES // 4)

    def test_who_was_killed_for_want_of_memory_is_counted(self):
        with cgroup.Group(LIMIT_BYTES) as group:
            self.assertEqual(group.memory()["killed"], 0)
            done = subprocess.run([sys.executable, "-c", f"b'x' * {8 * LIMIT_BYTES}"], preexec_fn=group.enter,
                                  check=False, timeout=ANTI_HANG_S)
            self.assertEqual(done.returncode, -signal.SIGKILL)
            self.assertEqual(group.memory()["killed"], 1)

    def test_its_processes_and_pages_go_with_it(self):
        with cgroup.Group(LIMIT_BYTES) as group:
            reader = self.read_by(group)
            folders = group.folders()
        self.assertEqual(reader.wait(ANTI_HANG_S), -signal.SIGKILL)
        self.assertFalse(any(folder.exists() for folder in folders))
        page_cache.make_cold(self.tree)
        self.assertEqual(page_cache.resident_bytes(self.tree), 0)

    def test_what_another_group_has_read_is_not_served_for_free(self):
        with cgroup.Group() as first:
            self.read_by(first)
        page_cache.make_cold(self.tree)
        with cgroup.Group() as second:
            reader = self.read_by(second)
            self.assertGreaterEqual(meters.read_processes([reader.pid])["disk_read_bytes"], FILES * FILE_BYTES)
            self.assertGreaterEqual(second.memory()["page_cache_bytes"], FILES * FILE_BYTES)

    def test_a_pass_in_memory_that_read_from_disk_is_void(self):
        def second_pass(limit):
            page_cache.make_cold(self.tree)
            with cgroup.Group(limit) as group:
                before = meters.read_processes([self.read_by(group).pid])["disk_read_bytes"]
                reader = self.read_by(group, times=2)
                read = meters.read_processes([reader.pid])["disk_read_bytes"]
            served = {"requests": 1000, "body_bytes": 2 * FILES * FILE_BYTES}
            self.assertGreater(before, 0)
            return one_pass(cell(memory=None), "warm", 1000, load=served, measured={"disk_read_bytes": read})["void"]
        self.assertEqual(second_pass(None), [])
        self.assertIn("was read from disk", second_pass(LIMIT_BYTES)[0])

    def test_cpu_time_of_those_who_have_ended(self):
        with cgroup.Group() as group:
            if group.cpu_us() is None:
                self.skip("no control group counts CPU time here")
            subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"],
                           preexec_fn=group.enter, check=True, timeout=ANTI_HANG_S)
            self.assertGreaterEqual(group.cpu_us(), 200_000)

    def test_groups_of_runs_that_were_killed_are_removed(self):
        ended = subprocess.Popen(["true"])
        ended.wait()
        abandoned = cgroup.Group(LIMIT_BYTES, owner=ended.pid)
        abandoned.__enter__()
        reader = self.read_by(abandoned)
        cgroup.remove_abandoned()
        self.assertEqual(reader.wait(ANTI_HANG_S), -signal.SIGKILL)
        self.assertFalse(any(folder.exists() for folder in abandoned.folders()))


if __name__ == "__main__":
    unittest.main()
