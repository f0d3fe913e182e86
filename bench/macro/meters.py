"""What is read just before and just after a pass; a measurement is the difference. CPU time is the control group's,
which counts children and threads that have ended too; without a group it is that of the processes that are there.
Bytes read from disk are what the kernel says of the server's processes (/proc/PID/io), whoever else uses the disk; the
disk's own numbers are beside them. What a server's process that has ended had read is lost: helpers live as long as
their server."""

import contextlib
import os
import pathlib
import time

from . import cpus, disks

TICKS = os.sysconf("SC_CLK_TCK")
SECTOR_BYTES = 512


def fields(text):
    """Lines of "name: number ...", as in /proc/PID/io and /proc/PID/status."""
    result = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and words and words[0].isdigit():
            result[name] = int(words[0])
    return result


def cpu_us_of_stat(text):
    """From /proc/PID/stat: its own time and that of children it has waited for."""
    words = text.rpartition(")")[2].split()
    return sum(int(word) for word in words[11:15]) * 1_000_000 // TICKS


def read_process(pid):
    folder = pathlib.Path("/proc") / str(pid)
    result = {"cpu_us": cpu_us_of_stat((folder / "stat").read_text()), "threads": 0,
              "switches_voluntary": 0, "switches_involuntary": 0, "disk_read_bytes": 0, "rss_bytes": 0}
    with contextlib.suppress(OSError):  # another user's
        result["disk_read_bytes"] = fields((folder / "io").read_text())["read_bytes"]
    for task in (folder / "task").iterdir():
        with contextlib.suppress(OSError):
            status = fields((task / "status").read_text())
            result["threads"] += 1
            result["switches_voluntary"] += status.get("voluntary_ctxt_switches", 0)
            result["switches_involuntary"] += status.get("nonvoluntary_ctxt_switches", 0)
            result["rss_bytes"] = max(result["rss_bytes"], status.get("VmRSS", 0) * 1024)
    return result


def read_processes(pids):
    """The sums over processes; one that has ended meanwhile has none."""
    total = {"processes": 0}
    for pid in pids:
        with contextlib.suppress(OSError):
            for name, value in read_process(pid).items():
                total[name] = total.get(name, 0) + value
            total["processes"] += 1
    return total


def parse_diskstats(text, name):
    """Of one device: reads, bytes, milliseconds that reads took, milliseconds busy, and that weighted by how many were
    under way."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 14 and words[2] == name:
            return {"reads": int(words[3]), "read_bytes": int(words[5]) * SECTOR_BYTES, "reads_ms": int(words[6]),
                    "busy_ms": int(words[12]), "weighted_ms": int(words[13])}
    return None


def of_slowfs(statistics):
    """The same numbers of a software disk, from what it says itself. Its times are the modelled disk's: our clock's
    are shorter by its speed."""
    below, operations, speed = statistics["disk"], statistics["operations"], statistics["speed"]
    busy_s = below["busy_s"] or [0]
    return {"reads": operations["read"]["requests"], "read_bytes": operations["read"]["bytes"],
            "reads_ms": sum(one["requests"] * one["mean_ms"] for one in operations.values()) / speed,
            "busy_ms": sum(busy_s) / len(busy_s) * 1000 / speed,
            "weighted_ms": below["queue"]["integral_s"] * 1000 / speed, "lookups": operations["lookup"]["requests"],
            "accesses": below["accesses"], "seeks": below["seeks"]}


def read_disk(disk):
    if disk.is_slowfs:
        return of_slowfs(disk.statistics())
    name = disks.device_name(disk.device)
    return parse_diskstats(pathlib.Path("/proc/diskstats").read_text(encoding="ascii"), name) if name else None


def difference(before, after):
    """Of two readings, number by number; what is no number is as it was after."""
    if before is None or after is None:
        return None
    result = {}
    for name, value in after.items():
        if isinstance(value, dict):
            result[name] = difference(before.get(name, {}), value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            result[name] = value - before.get(name, 0)
        else:
            result[name] = value
    return result


class Meters:
    """All that is read around a pass."""

    def __init__(self, server, disk, group):
        self.server, self.disk, self.group = server, disk, group

    def read(self):
        processes = read_processes(self.server.processes())
        return {
            "time_s": time.monotonic(),
            "processes": processes,
            "cpu_us": self.group.cpu_us() if self.group else processes.get("cpu_us"),
            "idle": cpus.idle(),
            "disk": read_disk(self.disk),
            "slowfs_cpu_us": read_process(self.disk.process.pid)["cpu_us"] if self.disk.is_slowfs else None,
            "statistics": self.server.statistics(),
        }


def blocked_calls(statistics):
    """Of laio's routes, what was not over at once; None without laio."""
    routes = (statistics or {}).get("laio", {})
    routes = routes.get("routes") if routes else None
    return sum(route["blocked"] for route in routes.values()) if routes else None


def between(before, after):
    """What happened from one reading to the other."""
    wall_s = after["time_s"] - before["time_s"]
    processes = difference(before["processes"], after["processes"])
    statistics = difference(before["statistics"], after["statistics"])
    server_cpu, client_cpu = cpus.chosen()
    disk = difference(before["disk"], after["disk"])
    result = {
        "wall_s": wall_s,
        "server_cpu_us": after["cpu_us"] - before["cpu_us"],
        "server_cpu_share": (after["cpu_us"] - before["cpu_us"]) / 1e6 / wall_s,
        "server_idle_share": cpus.idle_share(before["idle"], after["idle"], server_cpu),
        "client_idle_share": cpus.idle_share(before["idle"], after["idle"], client_cpu),
        "context_switches": processes.get("switches_voluntary", 0) + processes.get("switches_involuntary", 0),
        "disk_read_bytes": processes.get("disk_read_bytes", 0),
        "threads": after["processes"].get("threads"),
        "processes": after["processes"].get("processes"),
        "rss_bytes": after["processes"].get("rss_bytes"),
        "blocked_calls": blocked_calls(statistics),
        "statistics": statistics,
        "disk": disk,
    }
    if after["slowfs_cpu_us"] is not None:
        result["slowfs_cpu_share"] = (after["slowfs_cpu_us"] - before["slowfs_cpu_us"]) / 1e6 / wall_s
    return result
