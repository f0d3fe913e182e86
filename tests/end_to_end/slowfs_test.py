#!/usr/bin/env python3
"""laio-slowfs from outside: what it shows, what that costs, what it counts, and how it ends.

Delays are compared with what was told and with one another. That nothing is answered before its time holds on any machine;
that things wait beside one another is a ratio with ample room.
"""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from programs import ANTI_HANG_S
from slowfs_process import SLOWFS, NoFuse, SlowDisk, is_mounted, run, unmount

MASK = 2**64 - 1
FREE = ("--model", "none")


def generated(path, size):
    """The first bytes of a generated file, by the rule of laio-replay(1)."""
    seed = 0xcbf29ce484222325
    for byte in path.encode():
        seed = (seed ^ byte) * 0x100000001b3 & MASK
    words = []
    for i in range((size + 7) // 8):
        z = seed + i * 0x9e3779b97f4a7c15 & MASK
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
        words.append((z ^ z >> 31).to_bytes(8, "little"))
    return b"".join(words)[:size]


def files(count, size=4096, folder="/f"):
    """A list of that many files of one folder."""
    return "".join(f"{size} {folder}/{i}\n" for i in range(count))


def read(path):
    """All bytes, and how long that took in seconds."""
    began = time.monotonic()
    return path.read_bytes(), time.monotonic() - began


def read_all_at_once(paths):
    """How long each of them took, and all together."""
    took = [0.0] * len(paths)

    def read_one(i):
        took[i] = read(paths[i])[1]

    threads = [threading.Thread(target=read_one, args=(i,)) for i in range(len(paths))]
    began = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join(ANTI_HANG_S)
    return took, time.monotonic() - began


class Listed(unittest.TestCase):
    """Files that are only listed."""

    def test_shows_what_is_listed_with_the_bytes_of_the_rule(self):
        sizes = {"/index.html": 0, "/a/one": 1, "/a/b c/seven": 4097, "/a/ü": 70001}
        with SlowDisk("".join(f"{size} {path}\n" for path, size in sizes.items()), *FREE) as disk:
            found = {"/" + str(path.relative_to(disk.top)) for path in disk.top.rglob("*") if path.is_file()}
            self.assertEqual(found, set(sizes))
            self.assertEqual(sorted(os.listdir(disk.top / "a")), ["b c", "one", "ü"])
            for path, size in sizes.items():
                shown = disk.top / path[1:]
                self.assertEqual(shown.stat().st_size, size)
                self.assertEqual(shown.read_bytes(), generated(path, size))
            with open(disk.top / "a/ü", "rb") as file:
                self.assertEqual(os.pread(file.fileno(), 1000, 12345), generated("/a/ü", 70001)[12345:13345])
                self.assertEqual(os.pread(file.fileno(), 1000, 70000), generated("/a/ü", 70001)[-1:])
                self.assertEqual(os.pread(file.fileno(), 1000, 80000), b"")
            self.assertRaises(FileNotFoundError, os.stat, disk.top / "nothing")
            self.assertRaises(NotADirectoryError, os.stat, disk.top / "a/one/two")
            disk.stop()

    def test_many_names_in_a_folder_are_all_listed(self):
        with SlowDisk(files(5000), *FREE) as disk:
            self.assertEqual(set(os.listdir(disk.top / "f")), {str(i) for i in range(5000)})
            self.assertEqual(sum(entry.stat().st_size for entry in os.scandir(disk.top / "f")), 5000 * 4096)
            disk.stop()

    def test_nothing_can_be_changed(self):
        with SlowDisk(files(1), *FREE) as disk:
            for change in (lambda: (disk.top / "new").touch(), lambda: (disk.top / "new").mkdir(),
                           lambda: (disk.top / "f/0").unlink(), lambda: (disk.top / "f/0").rename(disk.top / "g"),
                           lambda: (disk.top / "f/0").write_bytes(b""), lambda: os.truncate(disk.top / "f/0", 0),
                           lambda: os.utime(disk.top / "f/0"), lambda: (disk.top / "l").symlink_to("f")):
                with self.assertRaises(OSError) as raised:
                    change()
                self.assertEqual(raised.exception.errno, errno.EROFS)
            disk.stop()


class Folder(unittest.TestCase):
    def setUp(self):
        source = tempfile.TemporaryDirectory(prefix="slowfs-source-")
        self.addCleanup(source.cleanup)
        self.source = pathlib.Path(source.name)
        (self.source / "a/b").mkdir(parents=True)
        (self.source / "a/b/bytes").write_bytes(os.urandom(300_000))
        (self.source / "empty").touch()
        (self.source / "link").symlink_to("a/b/bytes")
        os.mkfifo(self.source / "fifo")
        os.utime(self.source / "empty", (784111777, 784111777))
        (self.source / "empty").chmod(0o640)

    def test_shows_what_is_there(self):
        with SlowDisk(self.source, *FREE) as disk:
            self.assertEqual(sorted(os.listdir(disk.top)), ["a", "empty", "link"])
            self.assertEqual((disk.top / "a/b/bytes").read_bytes(), (self.source / "a/b/bytes").read_bytes())
            self.assertEqual(os.readlink(disk.top / "link"), "a/b/bytes")
            self.assertEqual((disk.top / "link").read_bytes(), (self.source / "a/b/bytes").read_bytes())
            status = (disk.top / "empty").stat()
            self.assertEqual((status.st_mtime, status.st_mode & 0o777, status.st_uid), (784111777, 0o640, os.geteuid()))
            disk.process.terminate()
            said = disk.process.communicate(timeout=ANTI_HANG_S)[1]
            self.assertIn("1 that are neither file nor folder nor symbolic link", said)
            self.assertEqual(disk.process.returncode, 0)

    def test_a_file_that_is_gone_is_an_error_and_nothing_else(self):
        (self.source / "fifo").unlink()
        with SlowDisk(self.source, *FREE) as disk:
            (self.source / "a/b/bytes").rename(self.source / "elsewhere")
            self.assertRaises(OSError, (disk.top / "a/b/bytes").read_bytes)
            self.assertEqual((disk.top / "empty").read_bytes(), b"")
            self.assertGreater(disk.stop()["operations"]["read"]["errors"], 0)


class Costs(unittest.TestCase):
    """--cost, as one sees it through FUSE."""

    def test_nothing_comes_before_its_time_and_all_wait_beside_one_another(self):
        readers, delay_s = 12, 0.1
        with SlowDisk(files(2 * readers), *FREE, "--cost", f"read={delay_s}s") as disk:
            paths = [disk.top / "f" / str(i) for i in range(2 * readers)]
            alone = [read(path)[1] for path in paths[:readers]]
            self.assertGreaterEqual(min(alone), delay_s)
            together, all_of_them = read_all_at_once(paths[readers:])
            self.assertGreaterEqual(min(together), delay_s)
            self.assertLess(all_of_them, sum(alone) / 2, "they do not wait for one another")
            counted = disk.stop()
        self.assertAlmostEqual(counted["operations"]["read"]["mean_ms"], delay_s * 1e3, places=3)
        self.assertGreater(counted["outstanding"]["max"], readers / 2)

    def test_an_arm_serves_one_after_another(self):
        with SlowDisk(files(20), "--seek-min", "20ms", "--seek-max", "20ms", "--rpm", "0", "--track-buffer", "0",
                      "--cost", "lookup=0", "--cost", "readdir=0", "--rate", "10mb") as disk:
            # Every other one, so that none begins where another one ends.
            all_of_them = read_all_at_once([disk.top / "f" / str(i) for i in range(0, 20, 2)])[1]
            counted = disk.stop()["disk"]
        self.assertGreaterEqual(all_of_them, 10 * 0.02)
        self.assertEqual((counted["accesses"], counted["seeks"]), (10, 10))
        self.assertAlmostEqual(counted["busy_s"][0], 10 * (0.02 + 4096 / 10e6), places=6)

    def test_speed_divides(self):
        with SlowDisk(files(20), *FREE, "--cost", "read=1s", "--speed", "50") as disk:
            took = [read(disk.top / "f" / str(i))[1] for i in range(20)]
            counted = disk.stop()
        self.assertGreaterEqual(min(took), 0.02)
        self.assertLess(sorted(took)[10], 0.5, "not the 1 s of the disk's own time")
        self.assertAlmostEqual(counted["operations"]["read"]["mean_ms"], 1000, places=3)
        self.assertAlmostEqual(counted["elapsed_s"] / counted["elapsed_real_s"], 50, places=3)

    def test_each_operation_has_its_own(self):
        costs = {"lookup": 11, "getattr": 12, "open": 13, "opendir": 14, "readdir": 15, "read": 16, "statfs": 17}
        options = [word for what, ms in costs.items() for word in ("--cost", f"{what}={ms}ms")]
        with SlowDisk(files(1), *FREE, *options, "--keep-s", "0") as disk:
            (disk.top / "f/0").read_bytes()
            os.listdir(disk.top)
            os.stat(disk.top)
            os.statvfs(disk.top)
            counted = disk.stop()["operations"]
        for what, ms in costs.items():
            self.assertGreater(counted[what]["requests"], 0, what)
            # At the end of a file or of a folder there is nothing to read: that is not free, as these are no accesses.
            self.assertAlmostEqual(counted[what]["mean_ms"], ms, places=3, msg=what)

    def test_lookups_cost_accesses(self):
        with SlowDisk(files(5), "--model", "flash", "--deviation", "0", "--latency", "1ms", "--channel-rate", "1gb",
                      "--cost", "lookup=3", "--cost", "read=0") as disk:
            for i in range(5):
                (disk.top / "f" / str(i)).stat()
            counted = disk.stop()
        self.assertEqual(counted["operations"]["lookup"]["requests"], 6)  # and the folder
        self.assertEqual(counted["disk"]["accesses"], 3 * 6)
        self.assertAlmostEqual(counted["operations"]["lookup"]["mean_ms"], 3 * (1 + 4096 / 1e6), places=3)


class Cache(unittest.TestCase):
    def test_what_was_read_is_warm(self):
        with SlowDisk(files(10, 100_000), *FREE) as disk:
            paths = [disk.top / "f" / str(i) for i in range(10)]
            missing = disk.top / "missing"
            for _ in range(3):
                for path in paths:
                    path.read_bytes()
                self.assertFalse(missing.exists())
            counted = disk.report()["operations"]
            self.assertEqual(counted["read"]["bytes"], 10 * 100_000)
            self.assertEqual(counted["lookup"]["requests"], 1 + 10 + 1)
            self.assertLessEqual(counted["open"]["requests"], 1, "the kernel opens by itself")
            before = counted["read"]["requests"]
            for path in paths:
                path.read_bytes()
            self.assertEqual(disk.stop()["operations"]["read"]["requests"], before)

    def test_opening_for_a_price_forgets_nothing(self):
        with SlowDisk(files(1, 100_000), *FREE, "--cost", "open=1ms") as disk:
            for _ in range(3):
                (disk.top / "f/0").read_bytes()
            counted = disk.stop()["operations"]
        self.assertEqual((counted["open"]["requests"], counted["read"]["bytes"]), (3, 100_000))

    @unittest.skipIf(os.geteuid() != 0, "only root may set the kernel's read-ahead")
    def test_reads_become_as_large_as_the_read_ahead(self):
        def requests(*options):
            with SlowDisk("8388608 /large\n", *FREE, *options) as disk:
                (disk.top / "large").read_bytes()
                return disk.stop()["operations"]["read"]["requests"]

        self.assertGreaterEqual(requests("--max-read", "64kib"), 128)
        try:
            large = requests("--read-ahead-kb", "1024")
        except AssertionError as refused:
            self.skipTest(f"/sys cannot be written to here: {refused}")
        self.assertLess(large, 32)


class End(unittest.TestCase):
    def test_unmounts_while_somebody_is_in_it(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with SlowDisk(files(2), *FREE) as disk:
                held = os.open(disk.top / "f/0", os.O_RDONLY)
                disk.stop(how)
                self.assertFalse(is_mounted(disk.top))
                self.assertRaises(OSError, os.pread, held, 1, 0)
                with contextlib.suppress(OSError):  # of what is gone closing tells, too
                    os.close(held)

    def test_whoever_waits_gets_an_error(self):
        with SlowDisk(files(20), *FREE, "--cost", "read=3600s") as disk:
            errors = []

            def read_one(path):
                try:
                    path.read_bytes()
                except OSError as error:
                    errors.append(error)

            threads = [threading.Thread(target=read_one, args=(disk.top / "f" / str(i),)) for i in range(20)]
            for one in threads:
                one.start()
            while disk.report()["outstanding"]["now"] < 20:
                pass
            disk.stop()
            for one in threads:
                one.join(ANTI_HANG_S)
            self.assertEqual(len(errors), 20)

    def test_ends_when_it_is_unmounted(self):
        with SlowDisk(files(2), *FREE) as disk:
            (disk.top / "f/0").read_bytes()
            unmount(disk.top)
            self.assertEqual(disk.process.wait(ANTI_HANG_S), 0)

    def test_in_the_background(self):
        with tempfile.TemporaryDirectory(prefix="slowfs-") as folder:
            top = pathlib.Path(folder).resolve() / "top"
            top.mkdir()
            (top.parent / "list").write_text(files(1), encoding="utf-8")
            # Paths that are relative: it goes elsewhere.
            done = subprocess.run([SLOWFS, "--background", "--stats", "statistics", *FREE, "--files", "list", "top"],
                                  cwd=folder, text=True, capture_output=True, timeout=ANTI_HANG_S, check=False)
            try:
                self.assertEqual((done.returncode, done.stdout), (0, "ready\n"), done.stderr)
                self.assertEqual((top / "f/0").read_bytes(), generated("/f/0", 4096))
            finally:
                unmount(top)
            deadline = time.monotonic() + ANTI_HANG_S
            while '"number": 1' not in (top.parent / "statistics").read_text(encoding="utf-8"):
                self.assertLess(time.monotonic(), deadline, "no report at the end")
                time.sleep(0.005)


class Complaints(unittest.TestCase):
    def complains(self, code, words, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_of_wrong_use(self):
        self.complains(2, "SOURCE MOUNTPOINT", "/tmp")
        self.complains(2, "no SOURCE", "--files", "x", "/tmp", "/tmp")
        self.complains(2, "'look' is no operation", "--cost", "look=1", "/tmp", "/tmp")
        self.complains(2, "neither a number of accesses", "--cost", "read=5", "--cost", "read=x", "/tmp", "/tmp")
        self.complains(2, "no duration", "--seek-min", "5", "/tmp", "/tmp")
        self.complains(2, "belongs to another --model", "--model", "flash", "--rpm", "5400", "/tmp", "/tmp")
        self.complains(2, "--seek-min is above", "--seek-min", "1s", "/tmp", "/tmp")

    def test_of_what_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            there = pathlib.Path(folder)
            (there / "list").write_text("5 /a\n6 b\n", encoding="utf-8")
            (there / "twice").write_text("5 /a\n6 /a/b\n", encoding="utf-8")
            (there / "top").mkdir()
            self.complains(1, "No such file", "--files", there / "none", there / "top")
            self.complains(1, "list:2: the path does not begin with '/'", "--files", there / "list", there / "top")
            self.complains(1, "'/a' is there twice", "--files", there / "twice", there / "top")
            self.complains(1, "is no folder to mount at", folder, there / "none")
            self.complains(1, "No such file", there / "none", there / "top")
            self.complains(1, "is no folder", there / "list", there / "top")
            self.complains(1, "is inside", folder, there / "top")

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--cost", done.stdout)


if __name__ == "__main__":
    try:
        with SlowDisk(files(1), *FREE):
            pass
    except NoFuse as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    outcome = unittest.main(verbosity=2, exit=False).result
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
