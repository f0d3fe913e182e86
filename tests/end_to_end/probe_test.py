#!/usr/bin/env python3
"""laio-probe from outside: its report, its table, its exit codes, and what it says where a seccomp filter stands."""

import ctypes
import json
import os
import pathlib
import platform
import re
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

from programs import ANTI_HANG_S, LAUNCHER, PROBE

CALLS = {"x86_64": {"io_uring_setup": 425, "pidfd_open": 434, "openat2": 437, "cachestat": 451, "preadv2": 327,
                    "membarrier": 324, "sched_setscheduler": 144, "sched_setaffinity": 203},
         "aarch64": {"io_uring_setup": 425, "pidfd_open": 434, "openat2": 437, "cachestat": 451, "preadv2": 286,
                     "membarrier": 283, "sched_setscheduler": 119, "sched_setaffinity": 122}}
ROUTES = {"direct", "attempt", "activation", "home"}


def run(*arguments, forbid=None, filtered=None):
    """The finished process. `filtered`: what prepares it to run behind a seccomp filter."""
    environment = dict(os.environ)
    environment.pop("LAIO_FORBID", None)
    if forbid is not None:
        environment["LAIO_FORBID"] = forbid
    return subprocess.run([*LAUNCHER, PROBE, *arguments], env=environment, preexec_fn=filtered, text=True,
                          capture_output=True, timeout=ANTI_HANG_S, check=False)


def report(*arguments, expect=0, **how):
    done = run("--json", *arguments, **how)
    if done.returncode != expect:
        raise AssertionError(f"exit code {done.returncode}, not {expect}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def libc():
    return ctypes.CDLL(None, use_errno=True)


class SeccompFilter:
    """For preexec_fn: one system call is answered with an error, or by killing the process."""

    ALLOW, KILL, ERRNO = 0x7fff0000, 0x80000000, 0x00050000

    def __init__(self, number, errno=None):
        answer = self.KILL if errno is None else self.ERRNO | errno
        program = [(0x20, 0, 0, 0),        # load the call's number
                   (0x15, 0, 1, number),   # is it this one?
                   (0x06, 0, 0, answer),
                   (0x06, 0, 0, self.ALLOW)]
        self.code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
        self.program = struct.pack("HxxxxxxP", len(program), ctypes.addressof(self.code))
        self.libc = libc()

    def __call__(self):
        if self.libc.prctl(38, 1, 0, 0, 0) != 0 or self.libc.prctl(22, 2, self.program, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")

    @staticmethod
    def can_be_installed():
        child = subprocess.run(["true"], preexec_fn=SeccompFilter(0xfffff, 1), check=False)
        return child.returncode == 0


def filters_or_skip(case):
    try:
        if SeccompFilter.can_be_installed():
            return CALLS[platform.machine()]
    except (subprocess.SubprocessError, OSError) as failure:
        case.skipTest(f"no seccomp filter can be installed here: {failure}")
    except KeyError:
        case.skipTest(f"the numbers of {platform.machine()} are not in this test")
    return case.skipTest("no seccomp filter can be installed here")


def visible_mounts():
    """(mount point, type) of what is not hidden beneath another mount, or from us."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        try:
            device = os.stat(fields[4]).st_dev
        except OSError:
            continue
        if f"{os.major(device)}:{os.minor(device)}" == fields[2]:
            yield fields[4], fields[fields.index("-") + 1]


class Machine(unittest.TestCase):
    def test_it_names_the_machine(self):
        got = report()
        self.assertEqual(got["kernel"]["release"], os.uname().release)
        self.assertEqual(got["kernel"]["machine"], os.uname().machine)
        self.assertEqual(got["laio"]["architecture"], os.uname().machine)
        self.assertRegex(got["laio"]["version"], r"^\d+\.\d+\.\d+$")
        self.assertIsNone(got["forbid"]["environment"])
        self.assertEqual(got["paths"], [])

    def test_the_ring_of_the_report_is_the_ring_of_a_loop(self):
        got = report()
        ring = got["io_uring"]
        self.assertEqual("ring" in got["engines"]["in_use"], ring["usable"])
        self.assertEqual(got["engines"]["ring_errno"] is None, ring["usable"])
        self.assertIn("readiness", got["engines"]["in_use"])
        self.assertIn("carriers", got["engines"]["in_use"])
        self.assertGreaterEqual(got["engines"]["carriers_hard_max"], got["engines"]["carriers_max"])
        self.assertIn(got["engines"]["cancel_signal"], range(signal.SIGRTMIN, signal.SIGRTMAX + 1))
        sysctl = pathlib.Path("/proc/sys/kernel/io_uring_disabled")
        if sysctl.exists():
            self.assertEqual(ring["io_uring_disabled"], int(sysctl.read_text(encoding="ascii")))
        if not ring["usable"]:
            self.assertTrue(ring["reason"] or ring["errno"])
            self.skipTest(f"no io_uring here: {ring['reason']}")
        self.assertEqual(len(ring["requests"]) + len(ring["requests_unknown"]), 10)
        self.assertIn("read", ring["requests"])

    def test_the_text_says_the_same(self):
        done = run("/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        for word in ("io_uring", "engines", "RWF_NOWAIT", "RESOLVE_CACHED", "pidfd", "cachestat", "activations", "file system"):
            self.assertIn(word, done.stdout)
        self.assertIn(os.uname().release, done.stdout)
        got = report()
        for name in ("io_uring", "activations"):
            self.assertRegex(done.stdout, f"(?m)^{name} +" + ("yes" if got[name]["usable"] else "no"))

    def test_it_works_where_children_are_ignored(self):
        got = report(filtered=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(got, report())


class Forbidden(unittest.TestCase):
    def test_what_is_forbidden_is_not_asked_for(self):
        got = report(forbid="ring,nowait,cached,pidfd,cachestat")
        self.assertEqual(got["forbid"]["names"], ["ring", "nowait", "cached", "pidfd", "cachestat"])
        self.assertEqual(got["engines"]["in_use"],
                         ["readiness", "carriers"] + ["activations"] * bool(got["activations"]["usable"]))
        self.assertEqual(got["engines"]["ring_errno"], "ECANCELED")
        for answer in (got["io_uring"], *(got["features"][f] for f in ("rwf_nowait", "resolve_cached", "pidfd", "cachestat"))):
            self.assertIsNone(answer["usable"])
            self.assertIn("LAIO_FORBID", answer["reason"])
        got = report(forbid="attempts,readiness")
        self.assertIsNone(got["features"]["attempts"]["usable"])
        self.assertNotIn("readiness", got["engines"]["in_use"])

    def test_activations_can_be_forbidden(self):
        got = report(forbid="activations")
        self.assertIsNone(got["activations"]["usable"])
        self.assertIn("LAIO_FORBID", got["activations"]["reason"])
        self.assertNotIn("activations", got["engines"]["in_use"])
        row = json.loads(run("--call", "fsync", "--json", forbid="activations").stdout)
        self.assertEqual((row["route"], row["route_now"]), ("activation", "queued"))

    def test_a_filter_that_kills_is_not_met_by_what_is_forbidden(self):
        numbers = filters_or_skip(self)
        for call, name in (("io_uring_setup", "ring"), ("preadv2", "nowait"), ("openat2", "cached"),
                           ("pidfd_open", "pidfd"), ("cachestat", "cachestat"), ("membarrier", "activations")):
            with self.subTest(call):
                got = report("/", forbid=name, filtered=SeccompFilter(numbers[call]))
                self.assertEqual(got["forbid"]["needed"], [])

    def test_set_up_flags_can_be_forbidden(self):
        if not report()["io_uring"]["usable"]:
            self.skipTest("no io_uring here")
        self.assertNotIn("DEFER_TASKRUN", report(forbid="defer")["io_uring"]["setup_flags"])
        self.assertEqual(report(forbid="ring_new")["io_uring"]["setup_flags"], [])

    def test_names_that_mean_nothing_are_named_after_the_report(self):
        got = report(forbid="rings,ring,,Nowait", expect=1)
        self.assertEqual(got["forbid"]["environment"], "rings,ring,,Nowait")
        self.assertEqual(got["forbid"]["unknown"], ["rings", "Nowait"])
        self.assertEqual(got["forbid"]["names"], ["ring"])
        done = run(forbid="rings")
        self.assertEqual(done.returncode, 1)
        self.assertIn("activations", done.stdout)
        self.assertIn("'rings'", done.stderr)
        self.assertEqual(report(forbid="")["forbid"]["unknown"], [])


class Filtered(unittest.TestCase):
    def setUp(self):
        self.numbers = filters_or_skip(self)

    def test_a_filter_that_kills_is_reported(self):
        for call, place, name in (("io_uring_setup", lambda got: got["io_uring"], "ring"),
                                  ("preadv2", lambda got: got["features"]["rwf_nowait"], "nowait"),
                                  ("openat2", lambda got: got["features"]["resolve_cached"], "cached"),
                                  ("pidfd_open", lambda got: got["features"]["pidfd"], "pidfd"),
                                  ("cachestat", lambda got: got["features"]["cachestat"], "cachestat")):
            with self.subTest(call):
                got = report("/", filtered=SeccompFilter(self.numbers[call]))
                if name == "ring" and not got["laio"]["liburing"]:
                    continue
                self.assertEqual(place(got)["usable"], False)
                self.assertEqual(place(got)["signal"], "SIGSYS")
                self.assertIn("seccomp", place(got)["reason"])
                self.assertEqual(got["forbid"]["needed"], [name])
                self.assertIn("carriers", got["engines"]["in_use"])

    def test_errors_of_a_filter_are_named(self):
        for call, place in (("io_uring_setup", lambda got: got["io_uring"]),
                            ("preadv2", lambda got: got["features"]["rwf_nowait"]),
                            ("openat2", lambda got: got["features"]["resolve_cached"]),
                            ("pidfd_open", lambda got: got["features"]["pidfd"]),
                            ("cachestat", lambda got: got["features"]["cachestat"])):
            for error, name in ((1, "EPERM"), (38, "ENOSYS")):
                with self.subTest(call=call, error=name):
                    got = report("/", filtered=SeccompFilter(self.numbers[call], error))
                    if call == "io_uring_setup" and not got["laio"]["liburing"]:
                        continue
                    self.assertEqual(place(got)["usable"], False)
                    self.assertEqual(place(got)["errno"], name)
                    self.assertTrue(place(got)["reason"])
                    self.assertEqual(got["forbid"]["needed"], [])
                    self.assertEqual("ring" in got["engines"]["in_use"], got["io_uring"]["usable"])


    def test_who_keeps_activations_away_is_named(self):
        if not report()["activations"]["usable"]:
            self.skipTest(f"no activations here: {report()['activations']['reason']}")
        for call in ("membarrier", "sched_setscheduler"):
            with self.subTest(call):
                got = report(filtered=SeccompFilter(self.numbers[call], 1))
                self.assertEqual((got["activations"]["usable"], got["activations"]["errno"]), (False, "EPERM"))
                self.assertIn(call, got["activations"]["reason"])
                self.assertEqual(got["forbid"]["needed"], [])
                self.assertNotIn("activations", got["engines"]["in_use"])
                got = report(filtered=SeccompFilter(self.numbers[call]))
                self.assertEqual((got["activations"]["usable"], got["activations"]["signal"]), (False, "SIGSYS"))
                self.assertIn(call, got["activations"]["reason"])
                self.assertEqual(got["forbid"]["needed"], ["activations"])
                self.assertEqual(got["engines"]["loop"]["usable"], True)

    def test_a_sentinel_that_cannot_follow_is_enough(self):
        if not report()["activations"]["usable"]:
            self.skipTest(f"no activations here: {report()['activations']['reason']}")
        got = report(filtered=SeccompFilter(self.numbers["sched_setaffinity"], 1))
        self.assertEqual(got["activations"]["usable"], True)


class Paths(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.features = report()["features"]

    def examine(self, path, **how):
        [got] = report(str(path), **how)["paths"]
        return got

    def test_a_directory_is_left_as_it_was(self):
        got = self.examine(self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertEqual(got["kind"], "directory")
        for form, feature in (("rwf_nowait_read", "rwf_nowait"), ("rwf_nowait_write", "rwf_nowait"),
                              ("resolve_cached_open", "resolve_cached")):
            self.assertEqual(got[form]["usable"] is not None, self.features[feature]["usable"], form)

    def test_a_file_is_not_written_to(self):
        file = self.folder / "file"
        file.write_bytes(b"content")
        os.utime(file, ns=(10**18, 10**18))
        before = file.stat()
        got = self.examine(file)
        after = file.stat()
        self.assertEqual(got["kind"], "regular file")
        self.assertIsNone(got["rwf_nowait_write"]["usable"])
        self.assertEqual((before.st_mtime_ns, before.st_atime_ns, before.st_ctime_ns),
                         (after.st_mtime_ns, after.st_atime_ns, after.st_ctime_ns))
        self.assertEqual(file.read_bytes(), b"content")
        if self.features["rwf_nowait"]["usable"]:
            self.assertEqual(got["rwf_nowait_read"], self.examine(self.folder)["rwf_nowait_read"])

    def test_a_file_that_may_not_be_opened(self):
        if os.geteuid() == 0:
            self.skipTest("root may open every file")
        file = self.folder / "file"
        file.touch(mode=0)
        got = self.examine(file)
        for form in ("rwf_nowait_read", "resolve_cached_open"):
            self.assertIsNone(got[form]["usable"])
            if self.features[form[:form.rindex("_")]]["usable"]:
                self.assertEqual(got[form]["errno"], "EACCES")

    def test_file_systems_are_named(self):
        got = self.examine("/proc")
        self.assertEqual((got["file_system"], got["mount_point"], got["local"]), ("proc", "/proc", False))
        if self.features["rwf_nowait"]["usable"]:
            read = self.examine("/proc/version")["rwf_nowait_read"]
            self.assertEqual((read["usable"], read["errno"]), (False, "EOPNOTSUPP"))
        memory = next((point for point, type_ in visible_mounts() if type_ == "tmpfs"), None)
        if memory is None:
            self.skipTest("no tmpfs can be seen here")
        got = self.examine(memory)
        self.assertEqual((got["file_system"], got["local"]), ("tmpfs", True))

    def test_what_is_no_file_is_not_opened(self):
        os.mkfifo(self.folder / "fifo")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.folder / "socket"))
            for path, kind in ((self.folder / "fifo", "FIFO"), (self.folder / "socket", "socket"),
                               ("/dev/null", "character device")):
                got = self.examine(path)
                self.assertEqual(got["kind"], kind)
                for form in ("rwf_nowait_read", "rwf_nowait_write", "resolve_cached_open"):
                    self.assertIsNone(got[form]["usable"])

    def test_what_the_machine_has_not_is_not_asked_of_a_path(self):
        got = self.examine(self.folder, forbid="nowait,cached")
        for form in ("rwf_nowait_read", "rwf_nowait_write", "resolve_cached_open"):
            self.assertIsNone(got[form]["usable"])
            self.assertIn("not usable", got[form]["reason"])

    def test_a_path_that_is_not_there_does_not_hide_the_others(self):
        missing = str(self.folder / "missing")
        got = report(missing, "/", expect=1)["paths"]
        self.assertEqual([each["path"] for each in got], [missing, "/"])
        self.assertEqual(got[0]["errno"], "ENOENT")
        self.assertIsNone(got[1]["errno"])
        done = run(missing)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{missing}: ENOENT", done.stderr)

    def test_odd_names_are_valid_json(self):
        odd = self.folder / "with \"quotes\"\nand\udcff bytes"
        odd.mkdir()
        self.assertEqual(self.examine(odd)["kind"], "directory")


class Calls(unittest.TestCase):
    def table(self, architecture):
        done = run("--calls", "--arch", architecture, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_row_is_whole(self):
        for architecture, some in CALLS.items():
            rows = self.table(architecture)
            self.assertGreater(len(rows), 300)
            self.assertEqual([row["number"] for row in rows], sorted({row["number"] for row in rows}))
            numbers = {row["name"]: row["number"] for row in rows}
            self.assertEqual(len(numbers), len(rows))
            self.assertEqual({name: numbers[name] for name in some}, some)
            has_activations = architecture == platform.machine() and report()["activations"]["usable"]
            for row in rows:
                with self.subTest(architecture=architecture, call=row["name"]):
                    self.assertIn(row["route"], ROUTES)
                    self.assertEqual(row["route_now"], "queued" if row["route"] == "activation" and
                                     not has_activations else row["route"])
                    self.assertEqual(row["form"] is not None, row["route"] == "attempt")
                    if row["descriptor_argument"] is not None:
                        self.assertEqual(row["arguments"][row["descriptor_argument"]], "descriptor")
                    plain = {"descriptor", "directory", "value"}
                    self.assertEqual(row["by_reference"],
                                     [i for i, kind in enumerate(row["arguments"]) if kind not in plain])

    def test_it_is_the_kernels_list(self):
        """Against the header of this machine, where a compiler and the headers are."""
        try:
            header = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-"], input="", text=True,
                                    capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as failure:
            self.skipTest(f"no header to compare with: {failure}")
        listed = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)\b", header)}
        self.assertGreater(len(listed), 200)
        done = run("--calls", "--json")
        rows = {row["name"]: row["number"] for row in json.loads(done.stdout)}
        self.assertEqual({name: rows.get(name) for name in listed}, listed)

    def test_columns_are_aligned(self):
        done = run("--calls")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 1 + len(json.loads(run("--calls", "--json").stdout)))
        headings = ["name", "route", "here", "form", "io_uring", "descriptor", "by reference"]
        places = [lines[0].index(f" {heading}") + 1 for heading in headings]
        for line in lines[1:]:
            for place in places:
                self.assertEqual(line[place - 1], " ", line)
                self.assertNotEqual(line[place], " ", line)

    def test_one_call(self):
        row = json.loads(run("--call", "pread64", "--json", "--arch", "x86_64").stdout)
        self.assertEqual(row, {"number": 17, "name": "pread64", "route": "attempt", "route_now": "attempt",
                               "form": "read", "ring_operation": "read", "descriptor_argument": 0,
                               "arguments": ["descriptor", "memory_written", "value", "value"], "by_reference": [1]})
        lines = run("--call", "unlink", "--arch", "x86_64").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        is_ours = platform.machine() == "x86_64" and report()["activations"]["usable"]
        self.assertEqual(lines[1].split(), ["87", "unlink", "activation", "activation" if is_ours else "queued", "-",
                                            "unlink", "-", "a0", "path"])

    def test_a_call_that_is_not_there(self):
        for arguments in (["--call", "open", "--arch", "aarch64"], ["--call", "nonsense"],
                          ["--call", "nonsense", "--json"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(arguments[1], done.stderr)


class CommandLine(unittest.TestCase):
    def test_help_and_version(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--calls", done.stdout)
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.strip(), "laio-probe " + report()["laio"]["version"])

    def test_wrong_usage(self):
        for arguments in (["--bogus"], ["--arch", "x86_64"], ["--calls", "--arch", "sparc"], ["--calls", "/"],
                          ["--calls", "--call", "read"], ["--call"], ["--call", ""]):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([*LAUNCHER, PROBE, "--calls"], stdout=full, stderr=subprocess.PIPE, check=False,
                                  timeout=ANTI_HANG_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    if not pathlib.Path(PROBE).exists():
        raise SystemExit(f"{PROBE} is missing")
    unittest.main(verbosity=2)
