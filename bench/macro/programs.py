"""Where the programs are, and running those that only have to succeed."""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess

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
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=timeout_s, check=False, **options)
    if done.returncode != 0:
        raise Failure(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def first_line_of(command):
    """For versions of programs, some of which say them on standard error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANTI_HANG_S,
                          check=False)
    return ((done.stdout + done.stderr).strip().splitlines() or ["unknown"])[0]


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_with_us():
    """In a child before its program begins: a run that is killed takes its servers and disks with it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def is_root():
    return os.geteuid() == 0
