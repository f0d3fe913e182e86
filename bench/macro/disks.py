"""Where a tree lies while it is served. ext4: a folder beside the build, on the machine's own disk. ext4-ra128: a loop
device with read-ahead of 128 KB, the kernel's default, where the machine's own disk may have another; its image is
read past the page cache, or everything would be in memory twice. The others are laio-slowfs, mounted afresh for each
cell, with files that are nowhere but in its arithmetic. However a run ends, the loop device goes with its mount; the
mounts of a run that was killed are removed by the next one. They are never looked at, only unmounted: one whose
laio-slowfs is dead answers nothing but errors."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from . import cpus
from .failure import CellFailure, Unavailable
from .programs import ANTI_HANG_S, end_with_us, first_line_within, is_root, ours, output_of, system

READ_AHEAD_KB = 128
SCRATCH_PREFIX = "cell-"
OPTIONS = {  # of laio-slowfs; below 4,000 accesses a second its own CPU time does not show
    "hdd": ("--model", "7200rpm", "--speed", "10"),
    "flash": ("--model", "flash", "--latency", "3ms"),
    "lookups": ("--model", "flash", "--cost", "lookup=20ms"),
}
NAMES = ("ext4", "ext4-ra128", *OPTIONS)


class Attached:
    """A tree that is ready to be served."""

    def __init__(self, tree, process=None, stats=None):
        self.tree, self.process, self.stats = tree, process, stats
        status = os.stat(tree)
        self.device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
        self.is_slowfs = process is not None

    def statistics(self):
        """Of laio-slowfs, as it says at SIGUSR1; each report has a number."""
        last = self.said()["number"]
        self.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + ANTI_HANG_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if (found := self.said())["number"] > last:
                return found
            time.sleep(0.005)
        raise CellFailure(f"laio-slowfs does not say its statistics; it ended with {self.process.poll()}")

    def said(self):
        return json.loads(self.stats.read_text(encoding="utf-8"))


def needs_listing_only(name):
    return name in OPTIONS


def why_not(name):
    """None where this disk can be had, or the reason."""
    if name == "ext4-ra128" and not is_root():
        return "a loop device takes root"
    if name == "ext4-ra128" and not os.path.exists("/dev/loop-control"):
        return "there are no loop devices here"
    if name in OPTIONS and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used here"
    return None


def attach(name, prepared, scratch):
    """A context in which the tree is there."""
    if reason := why_not(name):
        raise Unavailable(f"disk {name}: {reason}")
    if name == "ext4":
        return contextlib.nullcontext(Attached(prepared.tree))
    if name == "ext4-ra128":
        return loop_device(prepared, scratch)
    return slow_disk(name, prepared, scratch)


def make_image(prepared, image):
    """An ext4 with the tree in it: mke2fs copies it without a mount."""
    files = prepared.description["files"]
    size = int(prepared.footprint_bytes * 1.15) + files * 8192 + (64 << 20)
    making = image.with_suffix(".making")
    with open(making, "wb") as file:
        file.truncate(size)
    try:
        output_of([system("mke2fs", "e2fsprogs"), "-q", "-t", "ext4", "-N", files * 2 + 1000, "-E",
                   "lazy_itable_init=0,lazy_journal_init=0", "-m", "0", "-d", prepared.tree, making], 3600)
        output_of(["sync", "-f", making], 3600)
        os.rename(making, image)
    finally:
        making.unlink(missing_ok=True)


@contextlib.contextmanager
def loop_device(prepared, scratch):
    image = prepared.folder / "ext4.img"
    if not image.exists():
        make_image(prepared, image)
    mounted_at = scratch / "loop"
    mounted_at.mkdir(parents=True, exist_ok=True)
    device = output_of([system("losetup", "mount"), "--find", "--show", "--direct-io=on", "--read-only", image]).strip()
    try:
        if not is_direct(device):
            raise Unavailable(f"{device} does not read {image} past the page cache")
        output_of([system("blockdev", "util-linux"), "--setra", READ_AHEAD_KB * 2, device])
        output_of([system("mount"), "-t", "ext4", "-o", "ro,noload", device, mounted_at])
    finally:  # once it is mounted, the kernel does it when that ends
        output_of([system("losetup", "mount"), "--detach", device])
    try:
        yield Attached(mounted_at)
    finally:
        unmount(mounted_at)


def is_direct(device):
    """Whether a loop device reads past the page cache. losetup says nothing when the file system does not let it."""
    return pathlib.Path("/sys/block", pathlib.Path(device).name, "loop", "dio").read_text().strip() == "1"


def unmount(at):
    """Also what is dead, busy or not mounted at all; without root, what is of FUSE."""
    command = ["umount", "--lazy"] if is_root() else ["fusermount3", "-u", "-z"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([system(command[0], "mount" if is_root() else "fuse3"), *command[1:], str(at)],
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=ANTI_HANG_S)


@contextlib.contextmanager
def slow_disk(name, prepared, scratch):
    mounted_at, stats = scratch / "slow", scratch / "slowfs.json"
    mounted_at.mkdir(parents=True, exist_ok=True)
    stats.unlink(missing_ok=True)
    _, cpu = cpus.chosen()
    command = [ours("laio-slowfs"), *OPTIONS[name], "--stats", str(stats), "--files", str(prepared.files),
               str(mounted_at)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               preexec_fn=lambda: (end_with_us(), os.sched_setaffinity(0, {cpu})))
    try:
        if (said := first_line_within(process, ANTI_HANG_S).strip()) != "ready":
            raise Unavailable(f"laio-slowfs did not start: it said {said!r}, and has ended with {process.poll()}")
        yield Attached(mounted_at, process, stats)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ANTI_HANG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(ANTI_HANG_S)
        finally:
            process.stdout.close()
            unmount(mounted_at)


def remove_abandoned(top):
    """What runs that were killed have left: mounts, loop devices of our images, folders."""
    for folder in top.glob(f"{SCRATCH_PREFIX}*"):
        for at in (folder / "slow", folder / "loop"):
            unmount(at)
        shutil.rmtree(folder, ignore_errors=True)
    if is_root() and os.path.exists("/dev/loop-control"):
        listed = output_of([system("losetup", "mount"), "--list", "--noheadings", "--raw", "--output",
                            "NAME,BACK-FILE"])
        for device in abandoned_loops(listed, top):
            output_of([system("losetup", "mount"), "--detach", device])


def abandoned_loops(listed, top):
    """Of losetup's lines "NAME FILE", the devices whose files are ours."""
    pairs = (line.partition(" ") for line in listed.splitlines())
    return [device for device, _, file in pairs if pathlib.Path(file).is_relative_to(top)]


def device_name(device):
    """Of "major:minor", the name in /proc/diskstats; None where a file system has no device of its own."""
    link = pathlib.Path("/sys/dev/block") / device
    return link.resolve().name if link.exists() else None
