"""What the numbers were measured on: it stands in each record and in the report."""

import os
import pathlib
import time

from . import cpus, peers
from .failure import Failure
from .programs import ROOT, is_root, output_of

UNKNOWN = "unknown"


def field(path, key):
    """The value of the first "key : value" line of a file of such lines."""
    try:
        for line in pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip() == key:
                return value.strip()
    except OSError:
        pass
    return UNKNOWN


def setting(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return UNKNOWN


def commit():
    """Of the sources, "-dirty" when they are not as committed."""
    try:
        return output_of(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"], cwd=ROOT).strip()
    except (Failure, OSError):
        return UNKNOWN


def mount_of(folder):
    """File system and device of a folder, as "ext4 on /dev/vda"."""
    try:
        return " on ".join(output_of(["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target",
                                      folder]).split()[:2])
    except (Failure, OSError):
        return UNKNOWN


def describe(folder):
    server_cpu, client_cpu = cpus.chosen()
    status = os.stat(folder)
    device = f"/sys/dev/block/{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    queue = "queue" if os.path.exists(f"{device}/queue") else "../queue"  # a partition's is its disk's
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cpus": len(cpus.available()),
        "hypervisor": "virtual machine" if "hypervisor" in field("/proc/cpuinfo", "flags").split() else "none seen",
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": f"{os.uname().sysname} {os.uname().release} {os.uname().machine}",
        "files": mount_of(folder),
        "read_ahead_kb": setting(f"{device}/{queue}/read_ahead_kb"),
        "scheduler": setting(f"{device}/{queue}/scheduler"),
        "reclaim_by_damon": setting("/sys/module/damon_reclaim/parameters/enabled"),
        "server_cpu": server_cpu,
        "client_cpu": client_cpu,
        "is_root": is_root(),
        "load_before": " ".join(setting("/proc/loadavg").split()[:3]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "peers": {kind: version for kind in peers.PROGRAMS if (version := peers.version(kind))},
    }
