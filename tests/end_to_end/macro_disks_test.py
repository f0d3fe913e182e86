#!/usr/bin/env python3
"""The disks of the evaluation, and what happens when something in a cell goes wrong: nothing stays mounted or attached
however a run ends, nothing that does not answer is waited for without end, and whatever fails in a cell fails that
cell alone. What takes root, FUSE or loop devices is skipped without."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

from programs import ANTI_HANG_S, BIN, BUILD, SOURCE
from macro_records import MACHINE, cell, one_pass

from macro import cpus, disk_bound, disks, measurement, programs
from macro.cell import Workload
from macro.failure import Unavailable

FILE_BYTES = 3 << 20


@dataclasses.dataclass
class Prepared:
    """A tree of three files, and its list."""
    folder: pathlib.Path

    def __post_init__(self):
        self.tree, self.files = self.folder / "tree", self.folder / "files"
        (self.tree / "below").mkdir(parents=True)
        for name in ("a", "b", "below/c"):
            (self.tree / name).write_bytes(os.urandom(FILE_BYTES))
        self.files.write_text("".join(f"{FILE_BYTES} /{name}\n" for name in ("a", "b", "below/c")))
        self.description, self.footprint_bytes = {"files": 3}, 3 * FILE_BYTES


def mounted_below(folder):
    text = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return [line.split()[4] for line in text.splitlines() if line.split()[4].startswith(f"{folder}/")]


def loops_of(folder):
    listed = programs.output_of([programs.system("losetup"), "--list", "--noheadings", "--raw", "--output",
                                 "NAME,BACK-FILE"])
    return disks.abandoned_loops(listed, folder)


class OnDisk(unittest.TestCase):
    def setUp(self):
        beside = BUILD if os.access(BUILD, os.W_OK) else None
        folder = tempfile.TemporaryDirectory(prefix="laio-disks-test-", dir=beside, ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()
        self.prepared = Prepared(self.top / "workloads" / "one")
        self.scratch = self.top / f"{disks.SCRATCH_PREFIX}x"
        self.scratch.mkdir()

    def need(self, name):
        reason = disks.why_not(name)
        if name in disks.OPTIONS and not (BIN / "laio-slowfs").exists():
            reason = "laio-slowfs was not built"
        if reason:
            print(f"SKIPPED: {name}: {reason}")
            self.skipTest(reason)


class Software(OnDisk):
    def setUp(self):
        self.need("flash")
        super().setUp()

    def test_a_disk_that_dies_leaves_no_mount(self):
        with disks.attach("flash", self.prepared, self.scratch) as disk:
            self.assertEqual(mounted_below(self.top), [str(self.scratch / "slow")])
            disk.process.kill()
            disk.process.wait(ANTI_HANG_S)
            with self.assertRaises(OSError):
                os.listdir(disk.tree)
        self.assertEqual(mounted_below(self.top), [])

    def test_what_a_run_that_was_killed_left_is_removed(self):
        abandoned = disks.attach("flash", self.prepared, self.scratch)
        disk = abandoned.__enter__()
        self.addCleanup(abandoned.gen.close)
        disk.process.kill()
        disk.process.wait(ANTI_HANG_S)
        self.assertEqual(len(mounted_below(self.top)), 1)
        disks.remove_abandoned(self.top)
        self.assertEqual(mounted_below(self.top), [])
        self.assertFalse(self.scratch.exists())

    def test_one_that_does_not_start(self):
        self.prepared.files.write_text("no list\n")
        with self.assertRaisesRegex(Unavailable, "did not start"), \
                disks.attach("flash", self.prepared, self.scratch):
            self.fail("it has started")


class Loop(OnDisk):
    def setUp(self):
        self.need("ext4-ra128")
        super().setUp()

    def attach(self):
        try:
            disk = disks.attach("ext4-ra128", self.prepared, self.scratch)
            return disk, disk.__enter__()
        except (programs.Failure, Unavailable) as reason:
            print(f"SKIPPED: {reason}")
            self.skipTest(str(reason))

    def test_the_device_goes_with_the_mount(self):
        context, disk = self.attach()
        self.assertEqual((disk.tree / "a").read_bytes(), (self.prepared.tree / "a").read_bytes())
        name = disks.device_name(disk.device)
        self.assertTrue(disks.is_direct(name))
        self.assertEqual(pathlib.Path(f"/sys/block/{name}/loop/autoclear").read_text().strip(), "1")
        self.assertEqual(int(pathlib.Path(f"/sys/block/{name}/queue/read_ahead_kb").read_text()), disks.READ_AHEAD_KB)
        context.__exit__(None, None, None)
        self.assertEqual((mounted_below(self.top), loops_of(self.top)), ([], []))

    def test_what_a_run_that_was_killed_left_is_removed(self):
        context, _ = self.attach()
        self.addCleanup(context.gen.close)
        image = self.prepared.folder / "ext4.img"
        programs.output_of([programs.system("losetup"), "--find", "--read-only", image])
        self.assertEqual(len(loops_of(self.top)), 2)
        disks.remove_abandoned(self.top)
        self.assertEqual((mounted_below(self.top), loops_of(self.top)), ([], []))


class Bound(OnDisk):
    def test_the_disk_is_read(self):
        found = disk_bound.measure(self.prepared.tree, 4, seconds=0.2)
        if found is None:
            self.skipTest("no O_DIRECT here")
        self.assertGreater(found["bytes_per_s"], 0)

    def test_the_better_counts(self):
        slow, fast = ({"bytes_per_s": value, "readers": 4, "seconds": 3} for value in (1.0, 2.0))
        self.assertEqual(disk_bound.better(slow, fast)["bytes_per_s"], 2.0)
        self.assertEqual(disk_bound.better(fast, slow)["bytes_per_s"], 2.0)
        self.assertIsNone(disk_bound.better(None, None))

    def test_an_empty_tree(self):
        self.assertIsNone(disk_bound.measure(self.scratch, 4, seconds=0.2))

    def test_how_near_a_server_comes(self):
        of = cell(passes=("cold",), disk_bound=True)
        record = one_pass(of, "cold", 100, measured={"disk_read_bytes": 500_000})
        record["disk_bound"] = {"bytes_per_s": 1e6}
        measurement.judge(of, record)
        self.assertEqual((record["derived"]["read_by_disk_bound"], record["derived"]["served_by_disk_bound"]), (0.5, 1))


class InACell(unittest.TestCase):
    def test_whatever_fails_fails_the_cell_alone(self):
        place = measurement.Place(pathlib.Path("/nowhere"), MACHINE)
        for failure in (TypeError("a mistake"), subprocess.TimeoutExpired("a program", 1), KeyError("a name"),
                        Unavailable("not here"), BrokenPipeError()):
            with unittest.mock.patch.object(measurement, "prepare", side_effect=failure):
                record = measurement.run(cell(workload=Workload("flat")), place)
            self.assertTrue(record["failure"].startswith(type(failure).__name__), record)
            self.assertEqual(record["passes"], [])

    def test_who_wants_to_end_may(self):
        place = measurement.Place(pathlib.Path("/nowhere"), MACHINE)
        with unittest.mock.patch.object(measurement, "prepare", side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            measurement.run(cell(), place)

    def test_the_server_worked_for_the_probe_as_well(self):
        of = cell(probe=True)
        alone = one_pass(of, "cold", 100)["derived"]
        beside = one_pass(of, "cold", 100, load={"probe_requests": 100})["derived"]
        for name in ("cpu_us_per_request", "switches_per_request"):
            self.assertEqual(beside[name], alone[name] / 2, name)

    def test_nobody_is_waited_for_without_end(self):
        with subprocess.Popen(["sleep", str(ANTI_HANG_S)], stdout=subprocess.PIPE) as silent:
            self.assertEqual(programs.first_line_within(silent, 0.05), "")
            silent.kill()
        with subprocess.Popen(["printf", "ready\\nmore"], stdout=subprocess.PIPE) as talks:
            self.assertEqual(programs.first_line_within(talks, ANTI_HANG_S), "ready")
        with self.assertRaisesRegex(programs.Failure, "had not ended"):
            programs.output_of(["sleep", ANTI_HANG_S], timeout_s=0.05)

    def test_the_runner_is_on_the_clients_cpu(self):
        text = ("import os; from macro import cpus; before = cpus.available(); cpus.go_to_the_clients(); "
                "assert os.sched_getaffinity(0) == {before[0]}; assert cpus.chosen() == (before[-1], before[0])")
        subprocess.run([sys.executable, "-c", text], cwd=SOURCE / "bench", check=True, timeout=ANTI_HANG_S)
        self.assertEqual(cpus.available(), tuple(sorted(os.sched_getaffinity(0))))


if __name__ == "__main__":
    unittest.main()
