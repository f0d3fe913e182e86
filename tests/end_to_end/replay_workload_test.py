#!/usr/bin/env python3
"""laio-replay convert, describe and generate from outside: what they write, print and leave behind, and their exit codes."""

import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

from programs import ANTI_HANG_S, BIN, LAUNCHER

REPLAY = str(BIN / "laio-replay")


def run(*arguments, expect=0, prepared=None, **how):
    """The finished process, whose exit code must be the one expected."""
    done = subprocess.run([*LAUNCHER, REPLAY, *map(str, arguments)], text=True, capture_output=True, preexec_fn=prepared,
                          timeout=ANTI_HANG_S, check=False, **how)
    if done.returncode != expect:
        raise AssertionError(f"exit code {done.returncode}, not {expect}: {done.stderr}{done.stdout}")
    return done


def log_line(host, second, request, status=200, agent=' "-" "agent"'):
    return f'{host} - - [23/Nov/2026:09:05:{second:02} +0000] "{request}" {status} 5{agent}\n'


def small_files_only():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="laio-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


class Generate(InAFolder):
    def test_a_workload_is_what_its_description_says(self):
        out = self.folder / "rice"
        printed = json.loads(run("generate", "rice", "--scale", "0.02", "--out", out, "--json").stdout)
        self.assertEqual(sorted(p.name for p in out.iterdir()), ["files", "parameters.json", "trace", "tree"])
        by_tree = json.loads(run("describe", out / "trace", "--tree", out / "tree", "--json").stdout)
        by_list = json.loads(run("describe", out / "trace", "--files", out / "files", "--json").stdout)
        self.assertEqual(by_tree, by_list)
        self.assertEqual(by_tree, {name: printed[name] for name in by_tree})
        self.assertEqual(by_tree["requests"], round(245_820 * 0.02))
        self.assertEqual(by_tree["requests_without_file"], 0)
        self.assertAlmostEqual(by_tree["footprint_bytes"] / 22e6, 1, delta=0.01)
        for name, share in {"small_share": 0.055, "medium_share": 0.202, "large_share": 0.743}.items():
            self.assertAlmostEqual(by_tree[name], share, delta=0.005)
        files = [p for p in (out / "tree").rglob("*") if p.is_file()]
        self.assertEqual(len(files), by_tree["files"])
        self.assertEqual(sum(p.stat().st_size for p in files), by_tree["footprint_bytes"])

    def test_parameters_can_be_given_back(self):
        first, again = self.folder / "first", self.folder / "again"
        run("generate", "berkeley", "--scale", "0.005", "--seed", "7", "--set", "zipf_exponent=0.8", "--set", "folder_depth=2",
            "--out", first, "--no-tree")
        run("generate", first / "parameters.json", "--out", again, "--no-tree")
        for name in ("trace", "files", "parameters.json"):
            self.assertEqual((first / name).read_bytes(), (again / name).read_bytes(), name)
        self.assertFalse((again / "tree").exists())
        parameters = json.loads((again / "parameters.json").read_text())
        self.assertEqual((parameters["scale"], parameters["seed"], parameters["zipf_exponent"]), (0.005, 7, 0.8))

    def test_what_is_there_is_not_touched(self):
        for name in ("tree", "trace", "files", "parameters.json"):
            there = self.folder / name
            there.write_text("mine")
            said = run("generate", "flat", "--scale", "0.01", "--out", self.folder, expect=1).stderr
            self.assertIn(f"{there}: exists already", said)
            self.assertEqual([p.name for p in self.folder.iterdir()], [name])
            self.assertEqual(there.read_text(), "mine")
            there.unlink()

    def test_what_was_half_written_is_removed(self):
        for parent in (self.folder, self.folder / "new"):
            said = run("generate", "rice", "--scale", "0.02", "--out", parent, expect=1, prepared=small_files_only).stderr
            self.assertIn("File too large", said)
            self.assertEqual(list(self.folder.iterdir()), [])
        # The trace is too large for the limit, the tree's files are not.
        said = run("generate", "flat", "--set", "mean_file_bytes=1000", "--set", "footprint_bytes=20000", "--scale", "1", "--out",
                   self.folder / "new", expect=1, prepared=small_files_only).stderr
        self.assertIn("File too large", said)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_wrong_use_is_told_from_failure(self):
        out = ["--out", self.folder / "out", "--no-tree"]
        for wrong in (["nothing"], ["rice", "--set", "depth=1"], ["rice", "--set", "scale"], ["rice", "--scale", "0"],
                      ["rice", "--set", "mean_file_bytes=90000"], ["rice", "--scale", "0.00001"]):
            self.assertNotEqual(run("generate", *wrong, *out, expect=2).stderr, "")
        run("generate", "rice", expect=2)
        for text in ("", "{", "[]", '{"scale": "large"}', '{"sizes": 3}'):
            said = run("generate", self.file("x.json", text), *out, expect=1).stderr
            self.assertIn("x.json: ", said)
        self.assertIn("No such file", run("generate", self.folder / "none.json", *out, expect=1).stderr)
        self.assertFalse((self.folder / "out").exists())
        self.assertIn("zipf_exponent", run("generate", "--help").stdout)


class Convert(InAFolder):
    def test_a_log_becomes_sequences_and_what_is_left_out_is_said(self):
        log = self.file("access.log", log_line("a", 0, "GET /1 HTTP/1.1") + log_line("b", 1, "GET /2?q HTTP/1.1", 304) +
                        "damaged\n" + log_line("a", 5, "POST /3 HTTP/1.1") + log_line("a", 6, "GET /4 HTTP/1.1", 404) +
                        log_line("a", 10, "GET /5 HTTP/1.1", agent="") + log_line("a", 30, "GET /6 HTTP/1.1"))
        done = run("convert", log)
        self.assertEqual(done.stdout, "@0 /1 /5\n@1 /2?q\n@30 /6\n")
        for phrase in ("1 request that is not GET", "1 request answered with neither 2xx nor 304", "1 broken line (line 3)"):
            self.assertIn(phrase, done.stderr)
        self.assertEqual(run("convert", "--gap", "60", log).stdout, "@0 /1 /5 /6\n@1 /2?q\n")
        self.assertEqual(run("convert", "--from", "common", input=log.read_text()).stdout, done.stdout)
        sessions = run("convert", "--to", "httperf", log)
        self.assertEqual(sessions.stdout, "/1\n/5\n\n/2?q\n\n/6\n")
        self.assertIn("3 starts of sequences", sessions.stderr)

    def test_a_file_can_become_itself(self):
        path = self.file("sessions", "/a think=1\n\t/b\n\n/c\n")
        run("convert", path, path)
        self.assertEqual(path.read_text(), "/a /b\n/c\n")
        self.assertEqual(os.listdir(self.folder), ["sessions"])

    def test_an_error_leaves_what_was_there(self):
        out = self.file("out", "mine")
        bad = self.file("bad", "/a\n/b  /c\n")
        self.assertIn(f"{bad}:2: ", run("convert", "--from", "text", bad, out, expect=1).stderr)
        self.assertEqual(out.read_text(), "mine")
        large = self.file("large", "/a" + "x" * 1000 + "\n" * 2)
        large.write_text(large.read_text() * 200)
        self.assertIn("File too large", run("convert", "--from", "httperf", large, out, expect=1, prepared=small_files_only).stderr)
        self.assertEqual(out.read_text(), "mine")
        self.assertEqual(sorted(os.listdir(self.folder)), ["bad", "large", "out"])
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([*LAUNCHER, REPLAY, "convert", "--from", "httperf", large], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=ANTI_HANG_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)

    def test_what_is_no_regular_file_stays_what_it_is(self):
        sessions = self.file("sessions", "/a think=1\n\t/b\n")
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
            run("convert", sessions, fifo)
            self.assertEqual(reader.communicate(timeout=ANTI_HANG_S)[0], "/a /b\n")
        null = self.folder / "null"
        try:
            os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            with open(null, "wb"):
                pass
        except OSError:  # an ordinary user, who cannot harm the real one, or a file system without devices
            null.unlink(missing_ok=True)
            null = pathlib.Path("/dev/null") if os.geteuid() != 0 else None
        if null:
            run("convert", sessions, null)
            self.assertTrue(stat.S_ISCHR(null.stat().st_mode))
        link, target = self.folder / "link", self.file("target", "old")
        link.symlink_to(target)
        run("convert", sessions, link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(target.read_text(), "/a /b\n")
        self.assertIn("No space left", run("convert", sessions, "/dev/full", expect=1).stderr)
        self.assertIn("s a directory", run("convert", sessions, self.folder, expect=1).stderr)
        self.assertFalse([name for name in os.listdir(self.folder) if name.endswith(".partial")])

    def test_what_is_ambiguous_or_unknown_is_asked_for(self):
        self.assertIn("--from", run("convert", self.file("single", "/a\n/b\n"), expect=2).stderr)
        self.assertIn("--from", run("convert", input="/a /b\n", expect=2).stderr)
        run("convert", "--from", "pcap", expect=2)
        run("convert", "--to", "combined", expect=2)
        run("convert", "--gap", "-1", expect=2)
        run("convert", "--gap", "0.5", self.file("log", log_line("a", 0, "GET /1 HTTP/1.1")), expect=2)
        self.assertIn("No such file", run("convert", self.folder / "none", expect=1).stderr)
        self.assertIn("is a folder", run("convert", "--from", "text", self.folder, expect=1).stderr)
        self.assertIn("no line of it", run("convert", "--from", "common", self.file("text", "/a /b\n"), expect=1).stderr)


class Describe(InAFolder):
    def test_files_that_do_not_exist_are_counted(self):
        trace = self.file("trace", "/a /b /gone\n/a%20b?x\n")
        files = self.file("files", "10000 /a\n1 /b\n300000 /a b\n")
        made = json.loads(run("describe", trace, "--files", files, "--json").stdout)
        self.assertEqual((made["requests"], made["requests_without_file"], made["files"]), (4, 1, 3))
        self.assertEqual(made["transferred_bytes"], 310_001)
        self.assertAlmostEqual(made["large_share"], 300_000 / 310_001)
        text = run("describe", trace, "--files", files).stdout
        self.assertIn("without a file       1 (25.0 %)", text)

    def test_a_description_that_cannot_be_written_is_an_error(self):
        trace, files = self.file("trace", "/a\n"), self.file("files", "1 /a\n")
        for command in (["describe", trace, "--files", files], ["describe", trace, "--files", files, "--json"],
                        ["generate", "flat", "--scale", "0.01", "--no-tree", "--out", self.folder / "text"],
                        ["generate", "flat", "--scale", "0.01", "--no-tree", "--out", self.folder / "json", "--json"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([*LAUNCHER, REPLAY, *map(str, command)], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=ANTI_HANG_S, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("standard output: No space left", done.stderr)

    def test_wrong_use_is_told_from_failure(self):
        trace, files = self.file("trace", "/a\n"), self.file("files", "1 /a\n")
        run("describe", trace, expect=2)
        run("describe", trace, "--files", files, "--tree", self.folder, expect=2)
        self.assertIn("not a folder", run("describe", trace, "--tree", files, expect=1).stderr)
        self.assertIn("files:1: ", run("describe", trace, "--files", self.file("files", "/a 1\n"), expect=1).stderr)


if __name__ == "__main__":
    unittest.main()
