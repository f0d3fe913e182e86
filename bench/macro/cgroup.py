"""The server's control group: what bounds its memory, page cache included, and counts its CPU time. Version 1 and 2
are understood, each controller where it is mounted. A page is charged to the group that read it first and served to
anyone: so a group lives for one cell, and is emptied before it is removed (page_cache.py checks that nothing is left).
Groups are made at the top of the hierarchy: in version 2 our own group has processes and could have no children with
controllers. Of a group that cannot be had, the reason is kept."""

import contextlib
import os
import pathlib
import signal
import time

from .failure import Unavailable
from .programs import ANTI_HANG_S

PREFIX = "laio-paper-"  # and the process id of the run it belongs to
NAMES_IN_V2 = {"cpuacct": "cpu", "memory": "memory"}


def mounted(mountinfo):
    """Controller -> (where it is mounted, version), from the text of /proc/self/mountinfo. Version 2 has its
    controllers in a file, which the caller reads: they are None here."""
    found = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words, tail = before.split(), after.split()
        if len(words) < 5 or len(tail) < 3:
            continue
        if tail[0] == "cgroup2":
            found[None] = (words[4], 2)
        elif tail[0] == "cgroup":
            found.update({controller: (words[4], 1) for controller in tail[2].split(",")})
    return found


def places():
    """For memory and cpuacct: where they are, and in which version."""
    found = mounted(pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    unified = found.get(None)
    in_unified = (pathlib.Path(unified[0]) / "cgroup.controllers").read_text().split() if unified else []
    result = {}
    for controller, name_in_v2 in NAMES_IN_V2.items():
        if name_in_v2 in in_unified:
            result[controller] = unified
        elif controller in found:
            result[controller] = found[controller]
    return result


def numbers(text):
    """Lines of "name number", as in memory.stat."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


class Group:
    """`with Group(...) as group`: made at the beginning, emptied and removed at the end with whoever is still in
    it."""

    def __init__(self, memory_bytes=None, owner=None):
        self.memory_bytes = memory_bytes
        self.where = {}
        for controller, (top, version) in places().items():
            self.where[controller] = (pathlib.Path(top) / f"{PREFIX}{owner or os.getpid()}", version)
        if "memory" not in self.where:
            raise Unavailable("no control group for memory: it is mounted nowhere")

    def folders(self):
        return {folder for folder, _ in self.where.values()}

    def __enter__(self):
        try:
            self.remove()
            for controller, (folder, version) in self.where.items():
                if version == 2:
                    enable(folder.parent, NAMES_IN_V2[controller])
                folder.mkdir(exist_ok=True)
            if self.memory_bytes is not None:
                self.limit(self.memory_bytes)
        except OSError as error:
            with contextlib.suppress(OSError):
                self.remove()
            raise Unavailable(f"no control group of our own: {error.strerror} ({error.filename})") from None
        return self

    def __exit__(self, *_):
        self.remove()

    def limit(self, memory_bytes):
        folder, version = self.where["memory"]
        (folder / ("memory.max" if version == 2 else "memory.limit_in_bytes")).write_text(str(memory_bytes))
        if version == 2 and (folder / "memory.swap.max").exists():
            (folder / "memory.swap.max").write_text("0")

    def enter(self):
        """Called by a child between fork and exec."""
        for folder in self.folders():
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def processes(self):
        folder, _ = self.where["memory"]
        return [int(word) for word in (folder / "cgroup.procs").read_text().split()]

    def cpu_us(self):
        folder, version = self.where.get("cpuacct", (None, 0))
        if version == 2:
            return numbers((folder / "cpu.stat").read_text())["usage_usec"]
        if version == 1:
            return int((folder / "cpuacct.usage").read_text()) // 1000
        return None

    def memory(self):
        """Bytes of page cache charged to it, and of all; and how many of its processes the kernel has killed."""
        folder, version = self.where["memory"]
        stat = numbers((folder / "memory.stat").read_text())
        usage = (folder / ("memory.current" if version == 2 else "memory.usage_in_bytes")).read_text()
        # What was killed for want of memory had been serving.
        events = numbers((folder / ("memory.events" if version == 2 else "memory.oom_control")).read_text())
        cached = stat["file"] if version == 2 else stat.get("total_cache", stat["cache"])
        return {"killed": events.get("oom_kill", 0), "page_cache_bytes": cached, "bytes": int(usage)}

    def empty(self):
        """Ends who is still in it, and gives its pages back: what stays charged to a removed group is served for
        free."""
        deadline = time.monotonic() + ANTI_HANG_S
        for folder in self.folders():
            while (folder / "cgroup.procs").exists() and (left := (folder / "cgroup.procs").read_text().split()):
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                if time.monotonic() > deadline:
                    raise Unavailable(f"processes in {folder} do not end")
                time.sleep(0.01)
        folder, version = self.where["memory"]
        with contextlib.suppress(OSError):  # as much as can be: page_cache.py looks at what is left
            if version == 2:
                (folder / "memory.reclaim").write_text(str(self.memory()["bytes"]))
            else:
                (folder / "memory.force_empty").write_text("0")

    def remove(self):
        if any(folder.exists() for folder in self.folders()):
            self.empty()
        deadline = time.monotonic() + ANTI_HANG_S
        for folder in self.folders():
            while folder.exists():  # a process that has ended still counts for a moment
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)


def enable(top, controller):
    subtree = top / "cgroup.subtree_control"
    if controller not in subtree.read_text().split():
        subtree.write_text(f"+{controller}")


def why_not():
    """None where groups can be had, or the reason."""
    try:
        with Group(64 << 20):
            return None
    except Unavailable as reason:
        return str(reason)


def remove_abandoned():
    """The groups of runs that were killed, with the servers in them."""
    for top, _ in set(places().values()):
        for folder in pathlib.Path(top).glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX)
            if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
                Group(owner=owner).remove()
