#!/usr/bin/env python3
"""The versions of laio-httpd on io_uring: where it is refused they say so, and in the ring nothing holds up the loop."""

import shutil
import subprocess
import sys
import tempfile
import unittest

from httpd_process import Client, Server, versions
from programs import ANTI_HANG_S, BUILD, HTTPD, LAUNCHER

URING = [name for name in versions() if "URING" in name]


def refusing(error):
    return ["strace", "-D", "--quiet=all", "--output=/dev/null", f"--inject=io_uring_setup:error={error}"]


def can_trace():
    return shutil.which("strace") and subprocess.run([*refusing("EPERM"), "true"], capture_output=True).returncode == 0


class Refused(unittest.TestCase):
    def test_where_io_uring_is_refused_the_server_says_so(self):
        if not can_trace():
            self.skipTest("no strace, or it may not trace")
        with tempfile.TemporaryDirectory(prefix="laio-httpd-") as empty:
            for name in URING:
                for error in ("EPERM", "ENOSYS"):
                    with self.subTest(name, error=error):
                        done = subprocess.run([*refusing(error), *LAUNCHER, HTTPD, "--port", "0", "--version-name",
                                               name, empty], capture_output=True, text=True, timeout=ANTI_HANG_S)
                        self.assertEqual(done.returncode, 1)
                        self.assertEqual(done.stdout, "")
                        self.assertIn("io_uring", done.stderr)

    def test_old_kernels_get_the_flags_that_they_know(self):
        """The first and the second set of flags are refused, as by kernels that do not know them."""
        if not can_trace():
            self.skipTest("no strace, or it may not trace")
        with tempfile.TemporaryDirectory(prefix="laio-httpd-") as empty:
            for name in URING:
                for refused in ("1", "1..2"):
                    with self.subTest(name, refused=refused):
                        prefix = refusing(f"EINVAL:when={refused}")
                        with Server(empty, "--version-name", name, prefix=prefix) as server, Client(server) as client:
                            self.assertEqual(client.get("/none").status, 404)


if __name__ == "__main__":
    if not URING:
        print("built without liburing")
        sys.exit(77)
    unittest.main(verbosity=2)
