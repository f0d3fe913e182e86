#!/usr/bin/env python3
"""laio-httpd on a slow disk: who waits for it.

Each version serves a load of files that nobody has asked for before, from a file system where each operation takes as long
as told, and beside it a probe of files that are in memory (stall.py). A version that does not wait for the disk in its loop
answers the probe as if the load were not there: 99 of 100 within a fifth of what an operation takes, and no turn of the
loop is as long as an operation. Both are ratios; so that a busy machine fails nobody, the disk becomes slower where they
are missed: a loop that waits for it misses them at every speed.
"""

import sys
import unittest

from httpd_process import Server, runnable_versions
from programs import IS_SANITIZED
from slow_files import OPERATIONS, NoFuse, SlowFiles
from stall import Experiment

DELAYS_MS = [50, 100, 200, 400]
SECONDS = 1.5
SHARE = 0.2  # of an operation: within this, 99 of 100 probes are answered

# What each version may wait for in its loop, and then does: looking up names ("getattr") and reading. The others: nothing.
WAITS_FOR = {
    "thttpd-NB-B": {"getattr", "read"},
    "Flash-NB-B": {"getattr", "read"},
    "Flash-NB-AIO": {"getattr"},
}
# What waits now and then for an operation of FUSE, which does not tell what is in memory: the look before sendfile(2) can be
# wrong there. Measured and printed, and neither passed nor failed.
UNSETTLED = {"Flash-NB-AMPED", "Flash-NB-AMTED", "Flash-NB-URING"}


def measure(version, delay_ms, slow):
    """(99 of 100 probes, longest turn), as multiples of the delay; the operations named in `slow` take it."""
    with SlowFiles(cached=True) as files:
        experiment = Experiment(files.below, SECONDS)
        with Server(files.top, "--version-name", version) as server:
            experiment.warm(server.port)
            files.all_take(delay_ms, slow)
            outcome = experiment.run(server.port)
            server.stop()
    turn_s = server.report["httpd"]["longest_turn_ns"] / 1e9
    print(f"{version:<18}{delay_ms:>4} ms: the probe's median {outcome.median_s * 1e3:8.1f} ms, 99 of 100 within "
          f"{outcome.late_s * 1e3:8.1f} ms, longest turn {turn_s * 1e3:8.1f} ms, load {outcome.served} requests")
    return outcome.late_s / delay_ms * 1e3, turn_s / delay_ms * 1e3


class Stall(unittest.TestCase):
    def does_not_wait(self, version, slow):
        for delay_ms in DELAYS_MS:
            late, turn = measure(version, delay_ms, slow)
            if late < SHARE and turn < 1:
                return
            if version in UNSETTLED:
                self.skipTest("a file system that does not tell what is in memory")
        self.fail(f"{version} waits for the disk: 99 of 100 probes took {late:.2f} of an operation's time, the longest "
                  f"turn {turn:.2f}")

    def waits(self, version):
        late, turn = measure(version, DELAYS_MS[0], OPERATIONS)
        self.assertGreater(late, SHARE)
        self.assertGreaterEqual(turn, 1)


def add_tests():
    for version in ["Flash-LAIO-LAIO", "Flash-NB-B"] if IS_SANITIZED else runnable_versions():
        waits_for = WAITS_FOR.get(version, set())
        name = version.replace("-", "_").lower()
        if waits_for:
            setattr(Stall, f"test_{name}_waits", lambda self, which=version: self.waits(which))
        slow = set(OPERATIONS) - waits_for
        if slow & {"getattr", "read"}:
            setattr(Stall, f"test_{name}_does_not_wait",
                    lambda self, which=version, what=slow: self.does_not_wait(which, what))


if __name__ == "__main__":
    try:
        with SlowFiles(cached=True):
            pass
    except NoFuse as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    add_tests()
    unittest.main(verbosity=2)
