#!/usr/bin/env python3
"""The demo, at a size that says nothing about speed: it succeeds and shows each of its parts; a server that sends one
wrong byte makes it fail and say which file that was; and no server outlives it.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from programs import ANTI_HANG_S, BIN, BUILD, HTTPD, LAUNCHER, SOURCE

NAMES = ["plain.html", "with space.txt", "per%cent.txt", "quote'\".css", "uni\u00e9.txt", "deep/er/index.html", "empty"]


def make_tree(root):
    for i, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([i]) * 5000 * i if name != "empty" else b"")


def demo(*arguments, build=BUILD):
    environment = dict(os.environ, LAIO_BUILD_DIR=str(build))
    done = subprocess.run([*LAUNCHER, sys.executable, SOURCE / "scripts" / "demo", "--quick", *arguments],
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=ANTI_HANG_S)
    print(done.stdout)
    return done.returncode, done.stdout


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="laio-demo-test-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.root = self.top / "tree"
        make_tree(self.root)

    def build_with_server(self, script):
        """A build folder whose laio-httpd is a script; $DIRECTORY in it is the folder to serve."""
        programs = self.top / "build" / "bin"
        programs.mkdir(parents=True)
        (programs / "laio-bench-micro").symlink_to(BIN / "laio-bench-micro")
        server = programs / "laio-httpd"
        server.write_text('#!/bin/bash\nfor DIRECTORY; do :; done\necho $$ >"${0%/*}/pid"\n' + script)
        server.chmod(0o755)
        return programs.parent

    def assert_server_gone(self, build):
        pid = (build / "bin" / "pid").read_text().strip()
        self.assertFalse(os.path.exists(f"/proc/{pid}"), "the server is still there")

    def test_shows_its_parts(self):
        code, text = demo(str(self.root))
        self.assertEqual(code, 0)
        self.assertTrue(text.startswith("machine: Linux "))
        self.assertIn(f"fetched        {len(NAMES)} of {len(NAMES)} files", text)
        self.assertEqual(text.count(" requests/s, "), 2)
        for route in ("direct", "attempt", "activation", "home", "queued"):
            self.assertRegex(text, rf"\n{route} +[0-9,]+ +[0-9,]+ +(about [0-9,]+ ns|-)  ")
        self.assertRegex(text, r"\nattempt +[1-9][0-9,]* +[1-9][0-9,]* +about [1-9][0-9,]* ns ")
        self.assertLess(text.index("goal (medians"), text.index("\nattempt "), "the routes come last")
        self.assertIn("requests submitted to io_uring", text)
        self.assertIn("goal (medians", text)
        self.assertIn("everything held", text)
        if "\nhdd: not shown: " not in text:
            for version in ("Flash-NB-B", "Flash-LAIO-LAIO"):
                self.assertRegex(text, rf"\n{version} +[0-9,]+ /s +[0-9.,]+ ms +[0-9,]+ us  ")

    def test_without_a_slow_disk_it_says_so_and_goes_on(self):
        build = self.build_with_server(f'exec "{HTTPD}" "$@"\n')  # and without laio-slowfs
        (build / "bin" / "laio-replay").symlink_to(BIN / "laio-replay")
        code, text = demo(str(self.root), build=build)
        self.assertEqual(code, 0)
        self.assertRegex(text, r"\nhdd: not shown: |\nFlash-NB-B +not measured: .*laio-slowfs is missing")
        self.assertIn("everything held", text)

    def test_a_wrong_byte_is_found(self):
        other = self.top / "other"
        make_tree(other)
        wrong = other / "with space.txt"
        wrong.write_bytes(wrong.read_bytes()[:-1] + b"x")
        real = pathlib.Path(HTTPD)
        build = self.build_with_server(f'exec "{real}" --port 0 --stats --json "{other}"\n')
        code, text = demo(str(self.root), build=build)
        self.assertEqual(code, 1)
        self.assertIn("WRONG  with space.txt: differs from the file at byte 4999", text)
        self.assertNotIn("everything held", text)
        self.assert_server_gone(build)

    def test_a_server_that_does_not_start_is_no_success(self):
        code, text = demo(str(self.root), build=self.build_with_server("exit 1\n"))
        self.assertEqual(code, 1)
        self.assertIn("laio-httpd did not start", text)

    def test_a_folder_without_files_is_refused(self):
        (self.top / "nothing").mkdir()
        code, text = demo(str(self.top / "nothing"))
        self.assertEqual(code, 1)
        self.assertIn("has no files that may be read", text)


if __name__ == "__main__":
    missing = [tool for tool in ("curl", "wrk") if not shutil.which(tool)]
    missing += [name for name in ("laio-httpd", "laio-bench-micro") if not (BIN / name).exists()]
    if missing:
        print(f"SKIPPED: the demo needs {', '.join(missing)}")
        sys.exit(77)
    unittest.main()
