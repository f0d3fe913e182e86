"""One cell, from empty caches to its record: the tree where it has to be, a control group of its own, nothing in
memory, the server, the passes, and what was read before and after each. Whatever fails in it fails this cell alone."""

import contextlib
import dataclasses
import pathlib
import tempfile
import time

from . import cgroup, client, disk_bound, disks, memory_limit, page_cache, servers, validity, workload
from .meters import Meters, between

MEMORY_LEAST_BYTES = 8 << 20  # below it there is hardly room for a read-ahead


@dataclasses.dataclass
class Place:
    """Where cells are run, and what can be had there."""
    top: pathlib.Path                # build/paper
    machine: dict
    no_groups: str | None = None     # why there are no control groups

    @property
    def workloads(self):
        return self.top / "workloads"


def memory_bytes(cell, prepared):
    if cell.memory is None:
        return None
    return max(int(cell.memory * prepared.footprint_bytes), MEMORY_LEAST_BYTES)


def prepare(cell, place):
    return workload.prepare(cell.workload, place.workloads, not disks.needs_listing_only(cell.disk))


def residency(disk, group):
    """What of the tree is in memory, and what the group is charged. A software disk is not asked: each file would be
    looked up on it."""
    return {"resident_after_bytes": None if disk.is_slowfs else page_cache.resident_bytes(disk.tree),
            "group_after": group.memory() if group else None}


def run(cell, place):
    """The record of a cell."""
    record = {"started": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), "machine": place.machine, "passes": []}
    began = time.monotonic()
    try:
        prepared = prepare(cell, place)
        record["preparing_s"] = round(time.monotonic() - began, 3)
        began = time.monotonic()
        record["passes"] = measure(cell, prepared, place)
    except Exception as failure:  # whatever it is, also a mistake of ours: the other cells are worth measuring
        record["failure"] = f"{type(failure).__name__}: {failure}"
    record["took_s"] = round(time.monotonic() - began, 3)
    return record


def measure(cell, prepared, place):
    limit = memory_bytes(cell, prepared)
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix=disks.SCRATCH_PREFIX, dir=place.top)
        scratch = pathlib.Path(stack.enter_context(folder))
        scratch.chmod(0o755)
        at_start = limit + memory_limit.AT_START_BYTES if limit else None
        group = None if place.no_groups else stack.enter_context(cgroup.Group(at_start))
        disk = stack.enter_context(disks.attach(cell.disk, prepared, scratch))
        bound = disk_bound.measure(disk.tree, cell.disk_concurrency) if cell.disk_bound else None
        page_cache.make_cold(disk.tree, is_ours_alone=disk.is_slowfs)
        server = stack.enter_context(servers.Server(cell, disk.tree, group, scratch))
        follower = stack.enter_context(memory_limit.Follower(group, limit)) if group and limit else None
        meters = Meters(server, disk, group)
        passes = []
        for kind in cell.passes:
            one = dict(play_once(cell, prepared, server, meters), kind=kind)
            one["memory"] = memory_of(group, follower)
            passes.append(one)
        passes[0]["memory"]["resident_before_bytes"] = None if disk.is_slowfs else 0  # make_cold() has looked
        passes[-1]["memory"].update(residency(disk, group))
        if cell.disk_bound:
            bound = disk_bound.better(bound, disk_bound.measure(disk.tree, cell.disk_concurrency))
            passes = [dict(one, disk_bound=bound) for one in passes]
    for one in passes:
        judge(cell, one)
    return passes


def memory_of(group, follower):
    """What the server might use and did: the limit was for files, and `own_bytes_most` in addition to it."""
    if not group:
        return {"limit_bytes": None, "own_bytes_most": None, "killed": 0}
    return {"limit_bytes": follower and follower.file_bytes,
            "own_bytes_most": follower.own_bytes_most if follower else memory_limit.own_bytes(group),
            "killed": group.memory()["killed"]}


def play_once(cell, prepared, server, meters):
    probe = prepared.hot_files() if cell.probe else ()
    if probe:
        client.bring_in(server.url, probe)
    before = meters.read()
    load = client.play(server.url, prepared.trace, cell.clients, servers.is_persistent(cell.server), probe,
                       cell.seconds)
    measured = between(before, meters.read())
    return {"load": dataclasses.asdict(load), "measured": measured,
            "server_said": server.complaints(),
            "workload": {"requests": prepared.requests, "footprint_bytes": prepared.footprint_bytes}}


def judge(cell, one):
    """What follows from what was read: the numbers that are compared, and whether they count."""
    load, measured = one["load"], one["measured"]
    # The server worked for the probe's requests as well, and cannot say for which how much.
    requests, served = max(load["requests"] + load.get("probe_requests", 0), 1), max(load["body_bytes"], 1)
    read = validity.read_from_disk(measured)
    bound = (one.get("disk_bound") or {}).get("bytes_per_s")
    one["derived"] = {
        "requests_per_s": load["requests_per_s"],
        "megabits_per_s": load["megabits_per_s"],
        "response_ms": load["latency_ms"].get("mean"),
        "response_p99_ms": load["latency_ms"].get("p99"),
        # Not answered at all: at least as long as it was asked.
        "probe_p99_ms": load["seconds"] * 1000 if load["has_probe_starved"] else (load["probe_ms"] or {}).get("p99"),
        "cpu_percent": 100 * measured["server_cpu_share"],
        "cpu_us_per_request": measured["server_cpu_us"] / requests,
        "read_per_served": read / served,
        "read_mb_per_s": read / 1e6 / measured["wall_s"],
        "switches_per_request": measured["context_switches"] / requests,
        "blocked_calls": measured["blocked_calls"],
        "bound_requests_per_s": validity.bound_requests_per_s(measured, load["requests_per_s"]),
        "disk_busy_share": validity.busy_share(measured),
        "disk_bound_bytes_per_s": bound,
        "read_by_disk_bound": read / measured["wall_s"] / bound if bound else None,
        "served_by_disk_bound": served / measured["wall_s"] / bound if bound else None,
        **queue_depths(measured),
    }
    one["void"] = validity.void_reasons(cell, one["kind"], one)
    one["saturated"] = validity.saturated(measured, load["is_client_bound"])


def queue_depths(measured):
    """Two ways to the same number: the weighted time, and rate times latency. When they differ for a real disk,
    writes or other programs were at it, or the kernel's clock is coarser than the disk; a software disk's requests
    may wait for what is no access of its arm."""
    disk = measured.get("disk")
    if not disk:
        return {"queue_depth": None, "rate_x_latency": None}
    wall_ms = measured["wall_s"] * 1000
    return {"queue_depth": disk["weighted_ms"] / wall_ms, "rate_x_latency": disk["reads_ms"] / wall_ms}
