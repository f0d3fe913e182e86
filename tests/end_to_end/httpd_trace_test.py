#!/usr/bin/env python3
"""No call on the thread of laio-httpd's loop blocks: seen from the kernel's side.

The server runs under strace and is given a load on a tree whose files are not in memory, with slow readers and
connections that wait. Then every system call that the loop's thread made from its first poll to the end of its run is
held against the list below. A call that is not in the list fails the test, so the list is what we claim. Activations are
forbidden here: a call in place may block, and what becomes of the loop then is seen by the tests on slow files.
"""

import collections
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from httpd_process import Client, Server, bytes_of, request
from programs import BUILD

# The poll: the only calls in which the thread may wait.
POLL = re.compile(r"(epoll_wait|epoll_pwait|epoll_pwait2|io_uring_enter)\(")

# Calls that do not wait whatever their arguments are: about the thread, its memory, descriptors, time, settings.
NEVER_WAITS = set("""
    clock_gettime gettimeofday gettid getpid getrandom sched_getcpu
    mmap munmap mprotect madvise brk rseq set_robust_list
    clone clone3 rt_sigprocmask rt_sigaction rt_sigreturn sigaltstack tgkill
    epoll_ctl epoll_create1 eventfd2 timerfd_create timerfd_settime pidfd_open
    getsockopt setsockopt getsockname shutdown prlimit64 io_uring_register restart_syscall
""".split())

# Calls in their non-blocking form.
NON_BLOCKING = [re.compile(pattern) for pattern in [
    r"(preadv2|pwritev2)\(.*\bRWF_NOWAIT\b",
    r"(recvfrom|recvmsg|sendto|sendmsg)\(.*\bMSG_DONTWAIT\b",
    r"openat2\(.*\bRESOLVE_CACHED\b",
    r"statx\(.*\bAT_STATX_DONT_SYNC\b",
    r"fcntl\(\d+<.*>, F_(GETFL|SETFL|GETFD|GETPIPE_SZ|DUPFD_CLOEXEC)\b",
    r"futex\(.*, FUTEX_WAKE(_PRIVATE)?, ",
    r"(poll|ppoll)\(.*, (0|\{tv_sec=0, tv_nsec=0\})(, NULL, \d+)? *\) ",
    r"(read|write)\(\d+<anon_inode:\[(eventfd|timerfd|signalfd)\]>",  # made non-blocking, by the library and the server
    r"fstat\(\d+<",    # of an open local file: answered from its inode
    r"fstatfs\(\d+<",  # asked once for each file system
    r"close\(\d+<",    # of a file that was only read, or of a socket without SO_LINGER
    # From the kernel's memory: the table of mounts, once for a file system; the name of a thread that was made.
    r'openat\(AT_FDCWD<.*>, "/proc/self/(mountinfo|task/\d+/comm)", ',
    r"(read|write)\(\d+</proc/\d+/(mountinfo|task/\d+/comm)>",
    # The lock of the carriers' queue, when a carrier just has it: held for some instructions, never during a call.
    r"futex\(\w+, FUTEX_WAIT_PRIVATE, 2, NULL *\) ",
]]


def offences(calls):
    """Those of the calls (as strace prints them) that are in neither list."""
    return [call for call in calls
            if not POLL.match(call) and call.split("(", 1)[0] not in NEVER_WAITS
            and not any(pattern.match(call) for pattern in NON_BLOCKING)]


def calls_of_loop(trace):
    """What the process's first thread called between its first poll and its report, in order; signals left out."""
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    loop = lines[0].split()[0]
    mine = []
    for line in lines:
        task, text = line.split(None, 1)
        if task != loop or text.startswith(("---", "+++")):
            continue
        if text.startswith("<..."):  # the end of a line that another task's broke in two
            mine[-1] = mine[-1].removesuffix("<unfinished ...>") + text.split("resumed>", 1)[1]
        else:
            mine.append(text)
    first = next(i for i, call in enumerate(mine) if POLL.match(call))
    last = next(i for i, call in enumerate(mine) if i > first and call.startswith("write(1<"))
    return mine[first:last]


def make_cold(path):
    """Takes a file out of memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load(server, content, seed, failures):
    """One client: files in random order, a name that nobody has looked up before, a body cut into bytes."""
    dice = random.Random(seed)
    names = list(content)
    dice.shuffle(names)
    try:
        with Client(server) as client:
            for i, name in enumerate(names):
                got = client.get("/" + name)
                if (got.status, got.body) != (200, content[name]):
                    failures.append(f"{name}: {got.status}, {len(got.body)} bytes")
                if i % 8 == 0 and client.get(f"/new-{seed}-{i}").status != 404:
                    failures.append("a missing file was found")
            client.send(request("/" + names[0])[:-1])
            client.send(b"\n")
            client.read_response()
    except Exception as failure:  # pylint: disable=broad-except
        failures.append(repr(failure))


class TheChecker(unittest.TestCase):
    """That the list can say no."""

    def test_notices_blocking_calls(self):
        blocking = [
            'read(5<socket:[1]>, "x", 1) = 1',
            'pread64(7</t/a>, "x", 4096, 0) = 4096',
            'preadv2(7</t/a>, [{iov_base="x", iov_len=1}], 1, 0, 0) = 1',
            "recvfrom(5<socket:[1]>, \"x\", 1, 0, NULL, NULL) = 1",
            'sendto(5<socket:[1]>, "x", 1, MSG_NOSIGNAL, NULL, 0) = 1',
            'openat2(3</t>, "a", {flags=O_RDONLY, resolve=RESOLVE_BENEATH}, 24) = 7',
            'openat(3</t>, "a", O_RDONLY) = 7', 'newfstatat(3</t>, "a", {st_mode=0}, 0) = 0',
            "accept4(4<socket:[2]>, NULL, NULL, SOCK_CLOEXEC) = 5",
            "poll([{fd=5, events=POLLIN}], 1, -1) = 1", "poll([{fd=5, events=POLLIN}], 1, 100) = 0 (Timeout)",
            "futex(0x7f00, FUTEX_WAIT_PRIVATE, 1, NULL) = 0", 'read(5</t/mountinfo>, "", 10) = 0',
            "nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0",
            "fcntl(3</t/a>, F_SETLKW, {l_type=F_RDLCK}) = 0", "fsync(3</t/a>) = 0",
        ]
        self.assertEqual(offences(blocking), blocking)

    def test_lets_the_others_pass(self):
        self.assertEqual(offences([
            "epoll_pwait2(5<anon_inode:[eventpoll]>, [], 64, NULL, NULL, 8) = 1",
            'recvfrom(5<socket:[1]>, "x", 1, MSG_DONTWAIT, NULL, NULL) = 1',
            "poll([{fd=5<socket:[1]>, events=POLLIN}], 1, 0) = 0 (Timeout)",
            'preadv2(7</t/a>, [{iov_base="x", iov_len=1}], 1, 0, RWF_NOWAIT) = 1',
            "futex(0x7f00, FUTEX_WAKE_PRIVATE, 1) = 1",
        ]), [])


class Trace(unittest.TestCase):
    files = 120
    clients = 8

    @classmethod
    def setUpClass(cls):
        if os.environ.get("LAIO_SANITIZE"):
            raise unittest.SkipTest("a sanitizer makes system calls of its own")
        if shutil.which("strace") is None:
            raise unittest.SkipTest("no strace here")
        probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
        if probe.returncode != 0:
            raise unittest.SkipTest(f"strace may not trace here: {probe.stderr.decode(errors='replace').strip()}")
        # In the build folder: what is in /tmp may be in memory for good.
        cls.folder = tempfile.TemporaryDirectory(prefix="httpd-trace-", dir=BUILD)
        cls.root = pathlib.Path(cls.folder.name) / "root"
        cls.root.mkdir()
        cls.content = {}
        for i in range(cls.files):
            name = f"{i % 10}/file-{i}.bin"
            cls.content[name] = bytes_of(i, (i % 12 + 1) * 20000)
            (cls.root / name).parent.mkdir(exist_ok=True)
            (cls.root / name).write_bytes(cls.content[name])
        cls.large = bytes_of(0, 4 << 20)
        (cls.root / "large.bin").write_bytes(cls.large)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def trace(self, forbid):
        for path in self.root.rglob("*.bin"):
            make_cold(path)
        output = pathlib.Path(self.folder.name) / "trace"
        prefix = ["strace", "-f", "-y", "-s", "0", "-e", "trace=all", "-o", str(output)]
        failures = []
        # strace does not pass SIGTERM on while it is at work: the tracee is told directly.
        with Server(self.root, forbid=forbid, prefix=prefix) as server:
            tracee = child_of(server.process.pid)
            waiting = [Client(server) for _ in range(20)]
            slow = [Client(server, receive_buffer=4096) for _ in range(4)]
            for client in slow:
                client.send(request("/large.bin"))
            threads = [threading.Thread(target=load, args=(server, self.content, seed, failures))
                       for seed in range(self.clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in slow[:2]:
                self.assertEqual(client.read_response().body, self.large)
            os.kill(tracee, 15)
            self.assertEqual(slow[2].read_response().body, self.large)  # drained
            for client in waiting + slow:
                client.close()
            self.assertEqual(server.wait(), 0)
        self.assertEqual(failures, [])

        report = server.report["laio"]
        self.assertGreater(report["ring_submitted"] + report["routes"]["queued"]["calls"] + report["carriers_peak"], 0,
                           "nothing ever waited for the disk: the test saw nothing")
        self.assertGreater(report["routes"]["attempt"]["blocked"], 0)
        calls = calls_of_loop(output)
        seen = collections.Counter(call.split("(", 1)[0] for call in calls)
        print(f"forbid '{forbid}': {len(calls)} calls: " + ", ".join(f"{n} {name}" for name, n in seen.most_common()))
        self.assertGreater(len(calls), self.files * self.clients)
        found = offences(calls)
        if found:
            self.fail(f"{len(found)} calls that may block, among them:\n" + "\n".join(found[:200]))

    def test_with_all_engines(self):
        self.trace("activations")

    def test_without_ring(self):
        self.trace("activations,ring")

    def test_without_ring_and_nowait(self):
        self.trace("activations,ring,nowait,cached")


def child_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


if __name__ == "__main__":
    outcome = unittest.main(verbosity=2, exit=False).result
    for _, why in outcome.skipped:
        print(f"skipped: {why}")
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
