#!/usr/bin/env python3
"""The versions of laio-httpd on io_uring: where it is refused they say so; files that are not in memory come whole."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from httpd_process import Client, Server, bytes_of, runnable_versions, versions
from programs import ANTI_HANG_S, BUILD, HTTPD, LAUNCHER

URING = [name for name in versions() if "URING" in name]


def refusing(error):
    return ["strace", "-D", "--quiet=all", "--output=/dev/null", f"--inject=io_uring_setup:error={error}"]


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("LAIO_SANITIZE"):
            raise unittest.SkipTest("LeakSanitizer does not work under strace")
        if shutil.which("strace") is None:
            raise unittest.SkipTest("no strace here")
        if subprocess.run([*refusing("EPERM"), "true"], capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest("strace may not trace here")

    def test_where_io_uring_is_refused_the_server_says_so(self):
        with tempfile.TemporaryDirectory(prefix="laio-httpd-") as empty:
            for name in URING:
                for error in ("EPERM", "ENOSYS"):
                    with self.subTest(name, error=error):
                        done = subprocess.run([*refusing(error), *LAUNCHER, HTTPD, "--port", "0", "--version-name",
                                               name, empty], capture_output=True, text=True, check=False,
                                              timeout=ANTI_HANG_S)
                        self.assertEqual(done.returncode, 1)
                        self.assertEqual(done.stdout, "")
                        self.assertIn("io_uring", done.stderr)

    def test_old_kernels_get_the_flags_that_they_know(self):
        """The first and the second set of flags are refused, as by kernels that do not know them."""
        with tempfile.TemporaryDirectory(prefix="laio-httpd-") as empty:
            for name in URING:
                for refused in ("1", "1..2"):
                    with self.subTest(name, refused=refused):
                        prefix = refusing(f"EINVAL:when={refused}")
                        with Server(empty, "--version-name", name, prefix=prefix) as server, Client(server) as client:
                            self.assertEqual(client.get("/none").status, 404)


class Cold(unittest.TestCase):
    def test_files_that_are_not_in_memory(self):
        """More clients than reads at once, each after all of the files, which are taken out of memory meanwhile."""
        clients, files = 12, 20
        # In the build folder, if that can be: what is in /tmp may be in memory for good.
        place = BUILD if os.access(BUILD, os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="httpd-cold-", dir=place) as folder:
            content = {f"{i}.bin": bytes_of(i, 40000 * (i + 1)) for i in range(files)}
            for name, data in content.items():
                (pathlib.Path(folder) / name).write_bytes(data)
            for version in runnable_versions():
                if version not in URING:
                    continue
                with self.subTest(version), Server(folder, "--version-name", version,
                                                   "--disk-concurrency", "4") as server:
                    wrong = []

                    def client(first):
                        try:
                            with Client(server) as mine:
                                for i in range(first, first + files):
                                    name = f"{i % files}.bin"
                                    make_cold(pathlib.Path(folder) / name)
                                    if mine.get("/" + name).body != content[name]:
                                        wrong.append(name)
                        except Exception as failure:  # pylint: disable=broad-except
                            wrong.append(repr(failure))

                    threads = [threading.Thread(target=client, args=(i // 2,)) for i in range(clients)]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    self.assertEqual(wrong, [])


def make_cold(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    if not URING:
        print("built without liburing")
        sys.exit(77)
    outcome = unittest.main(verbosity=2, exit=False).result
    for _, why in outcome.skipped:
        print(f"skipped: {why}")
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
