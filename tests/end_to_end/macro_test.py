#!/usr/bin/env python3
"""The smallest experiment of the evaluation, as `make paper` would run it: two servers are measured, cold and warm,
the numbers are kept, a rerun finds them, and a report is written. It says nothing about speed, and runs as any
user."""

import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from programs import ANTI_HANG_S, BIN, BUILD, LAUNCHER, SOURCE

REQUESTS = 2000


def paper(*arguments):
    done = subprocess.run([*LAUNCHER, sys.executable, SOURCE / "scripts" / "paper", *arguments],
                          env=dict(os.environ, LAIO_BUILD_DIR=str(BUILD)), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=ANTI_HANG_S)
    print(done.stdout)
    return done.returncode, done.stdout


class Smallest(unittest.TestCase):
    def setUp(self):
        # Beside the build, where there is a disk: /tmp may have none.
        beside = BUILD if os.access(BUILD, os.W_OK) else None
        folder = tempfile.TemporaryDirectory(prefix="laio-paper-test-", dir=beside)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def smallest(self, *arguments):
        return paper("--plan", "smallest", "--folder", str(self.folder), *arguments)

    def records(self):
        return [json.loads(path.read_text()) for path in sorted((self.folder / "cells").glob("*.json"))]

    def test_from_empty_caches_to_a_report(self):
        code, text = self.smallest()
        self.assertEqual(code, 0)
        records = self.records()
        self.assertEqual(sorted(record["cell"]["server"] for record in records), ["Flash-LAIO-LAIO", "Flash-NB-B"])
        for record in records:
            self.assertEqual([one["kind"] for one in record["passes"]], ["cold", "warm"])
            for one in record["passes"]:
                self.check_pass(one, is_root=record["machine"]["is_root"])
            self.assertIsNone(record["passes"][0]["measured"]["blocked_calls"]
                              if record["cell"]["server"] == "Flash-NB-B" else None)
        self.assertIn("Flash-LAIO-LAIO", (self.folder / "report.html").read_text())
        tables = json.loads((self.folder / "tables.json").read_text())
        names = [one["name"] for one in tables["versions"]["rows"]]
        self.assertLessEqual(set(names), set(tables["lines_of_code"]["rows"]))  # all are counted; some may not be built
        self.assertLessEqual({"Flash-NB-B", "Flash-LAIO-LAIO"}, set(names))
        self.assertEqual([one["described"]["requests"] for one in tables["workloads"]["rows"]], [REQUESTS])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["cells", "report.html", "tables.json", "workloads"], "something was left behind")

        code, text = self.smallest()
        self.assertEqual(code, 0)
        if records[0]["commit"] == "unknown" or records[0]["commit"].endswith("-dirty"):
            self.assertEqual(text.count("finished before"), 0, "nobody knows what was measured")
            return
        self.assertEqual(text.count("finished before"), 2)
        self.assertEqual(self.records(), records)
        (self.folder / "cells").joinpath(sorted(os.listdir(self.folder / "cells"))[0]).unlink()
        code, text = self.smallest()
        self.assertEqual((code, text.count("finished before")), (0, 0), "compared with another time's")

    def check_pass(self, one, is_root):
        load, measured = one["load"], one["measured"]
        self.assertEqual((load["requests"], load["errors"]), (REQUESTS, {}))
        self.assertEqual(load["body_bytes"], REQUESTS * 16384)
        self.assertGreater(measured["server_cpu_us"], 0)
        # In memory the second time, whatever machine this is; what was not is void, which is what is asked for.
        if one["kind"] == "warm" and measured["disk_read_bytes"] > 0.005 * load["body_bytes"]:
            self.assertTrue(one["void"])
        else:
            self.assertEqual(one["void"], [])
        if not is_root:
            self.assertIsNone(one["memory"]["limit_bytes"])

    def test_cells_are_listed_in_the_order_of_the_seed(self):
        lists = [self.smallest("--list", "--seed", str(seed))[1] for seed in range(1, 9)]
        self.assertEqual({len(text.splitlines()) for text in lists}, {3}, "two cells, and how long they take")
        self.assertEqual(len(set(lists)), 2, "eight seeds, one order")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_default_is_quick(self):
        lists = [paper("--list", "--folder", str(self.folder), *which)[1] for which in ((), ("--quick",))]
        self.assertEqual(lists[0], lists[1])
        self.assertEqual(len(lists[0].splitlines()), 6)
        self.assertRegex(lists[0].splitlines()[-1], "^quick: 5 cells, about [0-9]+ minutes$")

    def test_one_run_in_a_folder(self):
        lock = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, text = self.smallest()
        self.assertEqual((code, "another run is using" in text), (1, True))

    def test_wrong_use(self):
        for arguments in (("--plan", "none"), ("--quick", "--standard"), ("--seed", "x"), ("--unknown",)):
            self.assertEqual(paper(*arguments)[0], 2, arguments)

    def test_nothing_to_measure(self):
        code, text = self.smallest("--only", "no such server")
        self.assertEqual((code, "no cell has such a name" in text), (1, True))
        code, text = self.smallest("--report-only")
        self.assertEqual((code, "nothing has been measured" in text), (1, True))


if __name__ == "__main__":
    missing = [name for name in ("laio-httpd", "laio-replay") if not (BIN / name).exists()]
    if missing:
        print(f"SKIPPED: the evaluation needs {', '.join(missing)}")
        sys.exit(77)
    unittest.main()
