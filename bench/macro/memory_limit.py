"""How much memory a server's group may use: the workload's share of its footprint, which is for files and what the
kernel knows of them, and in addition what the server's processes have for themselves, followed while it runs. The
paper's machine had 2 GB, of which sixty helpers' stacks and tables were nothing; at a fiftieth of its footprint they
would be most of the memory, and the scale of the experiment would be measured instead of the helpers. What was added
is in the record.

A thread of the runner does it, a few times a second, on the client's CPU: about 1 % of it with 64 helpers."""

import contextlib
import pathlib
import threading
import time

from .cgroup import numbers
from .meters import fields
from .programs import ANTI_HANG_S

INTERVAL_S = 0.5
SETTLED_S, SETTLING_S = 0.2, 10
STACK_BYTES = 16384      # of a thread in the kernel
AT_START_BYTES = 1 << 30  # until the server has begun, and is looked at: it has read nothing yet


def own_bytes(group):
    """What the processes of a group have for themselves: their own pages, their tables, their stacks in the kernel."""
    folder, version = group.where["memory"]
    stat = numbers((folder / "memory.stat").read_text())
    if version == 2:
        return stat["anon"] + stat.get("kernel_stack", 0) + stat.get("pagetables", 0)
    own = stat.get("total_rss", stat["rss"])
    for pid in group.processes():
        with contextlib.suppress(OSError):  # it has ended
            status = fields(pathlib.Path(f"/proc/{pid}/status").read_text())
            own += status.get("VmPTE", 0) * 1024 + status.get("Threads", 0) * STACK_BYTES
    return own


def program_bytes(group):
    """Of a server that has served nothing yet: its program and libraries, as far as they are charged to it."""
    folder, _ = group.where["memory"]
    stat = numbers((folder / "memory.stat").read_text())
    return stat.get("total_mapped_file", stat.get("file_mapped", 0))


class Follower:
    """`with Follower(group, bytes)`: until the end of the block the group may use these bytes and what its processes
    have."""

    def __init__(self, group, file_bytes):
        self.group, self.file_bytes = group, file_bytes
        self.own_bytes_most = 0
        self.kernel_bytes = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def follow(self):
        own = own_bytes(self.group) + self.kernel_bytes
        self.own_bytes_most = max(self.own_bytes_most, own)
        with contextlib.suppress(OSError):  # nothing can be given back just now: the next time, then
            self.group.limit(self.file_bytes + own)

    def run(self):
        while not self.ended.wait(INTERVAL_S):
            with contextlib.suppress(OSError, KeyError):  # a group whose server has crashed
                self.follow()

    def wait_until_settled(self):
        """A server that listens may still be starting its workers: until what it has is the same at a second look."""
        deadline, before = time.monotonic() + SETTLING_S, -1
        while (now := self.group.memory()["bytes"]) != before and time.monotonic() < deadline:
            before = now
            time.sleep(SETTLED_S)

    def __enter__(self):
        self.wait_until_settled()
        # What the kernel keeps for the processes and their descriptors: nothing else can have been charged yet.
        memory = self.group.memory()
        self.kernel_bytes = max(0, memory["bytes"] - memory["page_cache_bytes"] - own_bytes(self.group))
        self.kernel_bytes += program_bytes(self.group)
        self.follow()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(ANTI_HANG_S)
