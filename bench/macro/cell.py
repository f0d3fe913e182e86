"""A cell: one server before one workload on one disk, with so many clients. It is run in one server process, from
empty caches: first the whole trace once, which is the cold pass; then, where asked for, once again, which is the warm
one. Each pass has a record of its own. Cells are values: what they are made of is their identity, and names their
file."""

import dataclasses
import hashlib
import json


def size_text(size):
    for limit, unit in ((1 << 20, "MB"), (1 << 10, "KB")):
        if size >= limit:
            return f"{size / limit:g} {unit}"
    return f"{size} bytes"


@dataclasses.dataclass(frozen=True)
class Workload:
    kind: str              # of laio-replay generate: rice, berkeley, flat, metadata, or a JSON file of parameters
    scale: float = 1.0
    seed: int = 1
    options: tuple = ()    # NAME=VALUE of parameters that differ from the kind's

    @property
    def name(self):
        values = dict(option.split("=", 1) for option in self.options)
        if self.kind == "flat" and "mean_file_bytes" in values:
            return f"files of {size_text(int(values['mean_file_bytes']))}"
        return f"{self.kind} x {self.scale:g}" + (f" ({', '.join(self.options)})" if self.options else "")


@dataclasses.dataclass(frozen=True)
class Cell:
    server: str                  # a name of servers.py or peers.py
    workload: Workload
    disk: str = "ext4"           # a name of disks.py
    clients: int = 64
    passes: tuple = ("cold",)    # ("cold",) or ("cold", "warm")
    memory: float | None = None  # of the footprint, what the server's control group may use; None: no limit
    disk_concurrency: int = 64   # helpers, threads or reads at once, for those that have to be told
    probe: bool = False          # a probe of hot files beside the load
    seconds: float | None = None # plays so long, not to the trace's end: where some would take fifty times as long
    disk_bound: bool = False     # what the disk itself can give is measured first
    experiment: str = ""         # what it is for: the cells of one experiment, round and disk are compared
    round: int = 0
    is_again: bool = False       # the same server once more, for the A/A test
    plan: str = ""               # whose it is: no plan's cells are compared with another's

    @property
    def is_in_memory(self):
        """Whether all of the tree fits into what the server may use."""
        return self.memory is None or self.memory >= 1

    @property
    def label(self):
        parts = [self.server + (" again" if self.is_again else ""), self.workload.name, self.disk,
                 f"{self.clients} clients", "+".join(self.passes)]
        if self.disk_concurrency != 64:
            parts.append(f"{self.disk_concurrency} helpers")
        if self.round:
            parts.append(f"round {self.round + 1}")
        return ", ".join(parts)

    def as_json(self):
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields):
        workload = dict(fields["workload"], options=tuple(fields["workload"]["options"]))
        return Cell(**dict(fields, workload=Workload(**workload), passes=tuple(fields["passes"])))

    def key(self):
        """Stable over runs: the name of the cell's file."""
        digest = hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:12]
        plain = "".join(c if c.isalnum() or c in "-." else "_" for c in f"{self.experiment}-{self.server}")
        return f"{plain}-{self.clients}-{digest}"
