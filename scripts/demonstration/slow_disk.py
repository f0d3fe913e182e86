"""Who waits for a slow disk: the experiment of tests/end_to_end/stall.py, shown with two versions of the server."""

import os
import sys

from common import BUILD, ROOT, Failure, Server, heading

os.environ["LAIO_BUILD_DIR"] = str(BUILD)
sys.path.insert(0, str(ROOT / "tests" / "end_to_end"))

from slow_files import NoFuse, SlowFiles
from stall import LOAD_CONNECTIONS, PROBES_PER_S, Experiment

DELAY_MS = 50
VERSIONS = {
    "Flash-NB-B": "non-blocking sockets, blocking files",
    "Flash-LAIO-LAIO": "both through laio_syscall()",
}


def row(version, scratch, seconds):
    """(outcome, longest turn of the loop in seconds) of a version."""
    with SlowFiles(cached=True, directory=scratch) as files:
        experiment = Experiment(files.below, seconds)
        with Server(files.top, "--version-name", version) as server:
            port = int(server.url.rsplit(":", 1)[1])
            experiment.warm(port)
            files.all_take(DELAY_MS)
            try:
                outcome = experiment.run(port)
            except AssertionError as failure:
                raise Failure(f"{version} on a slow disk: {failure}") from None
            return outcome, server.stop()["httpd"]["longest_turn_ns"] / 1e9


def stall_test(scratch, quick):
    seconds = 1 if quick else 5
    heading(f"Who waits for a slow disk: {DELAY_MS} ms for each of its operations, {seconds} s for each server")
    print(f"load: {LOAD_CONNECTIONS} connections ask for files that nobody has asked for before\n"
          f"probe: {PROBES_PER_S} requests a second, over connections of its own, for files in memory\n")
    rows = []
    try:
        rows = [(version, *row(version, scratch, seconds)) for version in VERSIONS]
    except NoFuse as reason:
        print(f"not shown: there is no FUSE file system to be had here ({reason})")
        return
    print(f"{'':<18}{'probe: median':>15}{'99 of 100 within':>18}{'load':>16}{'longest turn':>15}")
    for version, outcome, turn_s in rows:
        print(f"{version:<18}{outcome.median_s * 1e3:>12.1f} ms{outcome.late_s * 1e3:>15.1f} ms"
              f"{outcome.served:>7} requests{turn_s * 1e3:>12.1f} ms  {VERSIONS[version]}")
