"""laio-slowfs as tests start it: mounted at .top below a folder of its own, unmounted whatever happens."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from programs import ANTI_HANG_S, BIN, LAUNCHER

SLOWFS = str(BIN / "laio-slowfs")


class NoFuse(Exception):
    """There is no FUSE to be had here; the text says why."""


def run(*arguments):
    """The finished process, which is not to mount anything."""
    return subprocess.run([*LAUNCHER, SLOWFS, *map(str, arguments)], text=True, capture_output=True, timeout=ANTI_HANG_S,
                          check=False)


def unmount(path):
    """Whatever stands there, also if its server is gone."""
    how = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
    subprocess.run([*how, path], stderr=subprocess.DEVNULL, check=False)


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return any(line.split()[4] == str(path) for line in mounts)


class SlowDisk:
    """`source`: a folder, or the text of a list of files."""

    def __init__(self, source, *options):
        if not os.access(SLOWFS, os.X_OK):
            raise NoFuse(f"{SLOWFS} was not built (without libfuse3 it is not)")
        self.folder = tempfile.TemporaryDirectory(prefix="slowfs-")
        self.below = pathlib.Path(self.folder.name).resolve()
        self.top, self.statistics = self.below / "top", self.below / "statistics"
        self.top.mkdir()
        self.shown = [source]
        if isinstance(source, str):
            (self.below / "list").write_text(source, encoding="utf-8")
            self.shown = ["--files", self.below / "list"]
        self.process = subprocess.Popen([*LAUNCHER, SLOWFS, "--stats", self.statistics, *options, *self.shown, self.top],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        if said != "ready\n":
            complaint = self.process.stderr.read().strip()
            self.close()
            if "/dev/fuse" in complaint or "cannot be mounted" in complaint:
                raise NoFuse(complaint)
            raise AssertionError(f"laio-slowfs said '{said}' and '{complaint}'")

    def report(self):
        """The statistics of now."""
        before = json.loads(self.statistics.read_text(encoding="utf-8"))["number"]
        self.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + ANTI_HANG_S
        while time.monotonic() < deadline:
            found = json.loads(self.statistics.read_text(encoding="utf-8"))
            if found["number"] > before:
                return found
            time.sleep(0.005)
        raise AssertionError("no report in answer to SIGUSR1")

    def stop(self, how=signal.SIGTERM):
        """The last statistics; the process must end well."""
        self.process.send_signal(how)
        out, complaint = self.process.communicate(timeout=ANTI_HANG_S)
        if self.process.returncode != 0 or out or complaint:
            raise AssertionError(f"exit code {self.process.returncode}: {out}{complaint}")
        return json.loads(self.statistics.read_text(encoding="utf-8"))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(ANTI_HANG_S)
        self.process.stdout.close()
        self.process.stderr.close()
        if is_mounted(self.top):
            unmount(self.top)
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
