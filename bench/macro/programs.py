"""Where the programs are, and running those that only have to succeed."""

import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

from .failure import Failure, Unavailable

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("LAIO_BUILD_DIR", "build")).resolve()
PEERS = ROOT / "bench" / "peers"
ANTI_HANG_S = 120  # for what takes a moment; measures nothing
DEBIAN = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")  # an ordinary user's PATH has no sbin


def ours(name):
    """A program of our build."""
    path = BUILD / "bin" / name
    if not os.access(path, os.X_OK):
        raise Failure(f"{path} is missing; run 'make build' first")
    return str(path)


def system(name, package=None):
    """A program of the system."""
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(DEBIAN))
    if not path:
        raise Unavailable(f"{name} is not installed (Debian: {package or name}; scripts/install-packages peers)")
    return path


def output_of(command, timeout_s=ANTI_HANG_S, **options):
    """What a command prints; it must succeed."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout_s, check=False, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} had not ended after {timeout_s} s") from None
    if done.returncode != 0:
        raise Failure(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def first_line_of(command):
    """For versions of programs, some of which say them on standard error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANTI_HANG_S,
                          check=False)
    return ((done.stdout + done.stderr).strip().splitlines() or ["unknown"])[0]


def first_line_within(process, timeout_s):
    """What a process says first on its standard output, a pipe of bytes; as much as there is when it says no more."""
    deadline, said = time.monotonic() + timeout_s, b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not more:
            break
        said += more
    return said.decode(errors="replace").partition("\n")[0]


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_with_us():
    """In a child before its program begins: a run that is killed takes its servers and disks with it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def is_root():
    return os.geteuid() == 0
