#!/usr/bin/env python3
"""scripts/count-lines: every version has its column, which adds up; what is no code does not count; a table that names what is
not there is an error."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import httpd_process
from programs import ANTI_HANG_S, SOURCE

NETWORK = "net/nonblocking_network.cpp"


def count_lines(*options):
    return subprocess.run([sys.executable, SOURCE / "scripts" / "count-lines", *options], capture_output=True, text=True,
                          timeout=ANTI_HANG_S)


class CountLines(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="laio-lines-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(SOURCE / "httpd", self.root / "httpd")

    def count(self):
        done = count_lines("--json", "--root", self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["versions"]

    def change(self, name, old, new):
        path = self.root / "httpd" / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def assert_refused(self, what):
        done = count_lines("--root", self.root)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(what, done.stderr)

    def test_every_version_adds_up(self):
        versions = self.count()
        self.assertLessEqual(set(httpd_process.versions()), set(versions))
        for name, column in versions.items():
            self.assertEqual(column["total"], sum(column["lines"].values()), name)
            self.assertEqual(column["lines"]["partial-write state"] > 0, "-LAIO-LAIO" not in name, name)
            for row in ("file read", "name conversion"):
                self.assertGreater(column["lines"][row], 0, name)
        self.assertEqual(len({column["lines"]["the same in all"] for column in versions.values()}), 1)

    def test_the_table_shows_the_versions_and_the_files(self):
        done = count_lines()
        self.assertEqual(done.returncode, 0, done.stderr)
        print(done.stdout)
        tables = done.stdout[:done.stdout.index("\nfile read:")]
        heads = [line.split() for line in tables.splitlines() if line.startswith("  ")]
        self.assertEqual(sum(heads, []), list(self.count()))
        self.assertLessEqual(max(map(len, tables.splitlines())), 120)
        for part in ("file read ", "name conversion ", "partial-write state ", "total ", "net/laio_network.cpp"):
            self.assertIn(part, done.stdout)
        self.assertIn("Table 3", count_lines("--help").stdout)

    def test_what_counts(self):
        before = self.count()["Flash-NB-B"]["total"]
        for text, lines in (("\n\n   \n", 0), ("// one\n/* two\n\nthree */\n", 0), ("// goes on \\\nin this line\n", 0),
                            ("int a; // with a comment\n", 1), ("int b = 1'000; /* a\n b */ int c;\n", 2),
                            ('const char *d = "// none"; const char e = \'"\';\n', 1),
                            ('const char *f = R"x(\n// text, )"\n\n)x";\n', 4), ("#if 0\n#endif\n", 2)):
            with self.subTest(text):
                path = self.root / "httpd" / NETWORK
                kept = path.read_text()
                path.write_text(kept + text)
                self.assertEqual(self.count()["Flash-NB-B"]["total"] - before, lines)
                path.write_text(kept)

    def test_a_row_has_just_what_is_named(self):
        before = self.count()["Flash-NB-B"]["lines"]
        self.change(NETWORK, "outcome attempt_send() {", "outcome attempt_send() {\n        // why\n        ++bytes_sent_;")
        self.change(NETWORK, "outcome attempt_receive() {", "outcome attempt_receive() {\n\n        ++socket_;")
        after = self.count()["Flash-NB-B"]["lines"]
        changed = {row: lines - before[row] for row, lines in after.items() if lines != before[row]}
        self.assertEqual(changed, {"partial-write state": 1, "network's rest": 1})

    def test_what_is_named_and_is_not_there(self):
        self.change(NETWORK, "attempt_send_file", "try_send_file")
        self.assert_refused(f"httpd/{NETWORK}: there is no transfer.attempt_send_file")

    def test_a_member_that_is_not_there(self):
        self.change(NETWORK, "bytes_left_", "left_")
        self.assert_refused("there is no transfer.bytes_left_")

    def test_a_file_that_is_not_there(self):
        (self.root / "httpd" / "disk" / "blocking_disk.cpp").unlink()
        self.assert_refused("httpd/disk/blocking_disk.cpp, which is named, does not exist")

    def test_a_strategy_that_nobody_named(self):
        self.change("versions.cpp", "disk_kind::blocking", "disk_kind::holographic")
        self.assert_refused("a strategy called holographic")


if __name__ == "__main__":
    unittest.main(verbosity=2)
