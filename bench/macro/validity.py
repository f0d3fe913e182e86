"""Which passes do not count, and what must be known of those that do. Void is what was measured wrongly; a mark says
what bounded the number, so that a reader does not take the client's or the disk's limit for the server's."""

from . import cpus

IN_MEMORY_READ_SHARE_MAX = 0.005  # of the bytes served
CLIENT_IDLE_MIN = 0.15
BUSY_MIN = 0.95
SLOWFS_CPU_MAX = 0.90
OTHERS_CPU_MAX = 0.25  # of the server's; interrupts and the kernel's own threads are others, too
PROBE_CPU_MAX = 0.70  # of the load beside it; above it the probe waits for the CPU, not behind someone else's disk


def void_reasons(cell, kind, record):
    """Why a pass does not count: empty if it does."""
    reasons = []
    load, measured = record["load"], record["measured"]
    if load["errors"]:
        counts = ", ".join(f"{count} {kind_of}" for kind_of, count in sorted(load["errors"].items()))
        said = f"; the server said: {record['server_said']}" if record.get("server_said") else ""
        reasons.append(f"errors in responses: {counts}{said}")
    if load["probe_errors"]:
        reasons.append(f"errors in the probe's responses: {sum(load['probe_errors'].values())}")
    if load["requests"] == 0:
        reasons.append("nothing was answered")
    elif load["body_bytes"] == 0:
        reasons.append("nothing was served")
    elif not cell.seconds and load["requests"] + sum(load["errors"].values()) < record["workload"]["requests"]:
        reasons.append(f"{load['requests']} requests of {record['workload']['requests']} were played")
    if others_share(measured) > OTHERS_CPU_MAX and cell.experiment != "smallest":
        reasons.append(f"other programs took {100 * others_share(measured):.0f} % of the server's CPU")
    if not cell.is_in_memory and record["memory"]["limit_bytes"] is None:
        reasons.append("the server's memory was not limited")
    if record["memory"].get("killed"):
        reasons.append(f"processes of the server were killed for want of memory: {record['memory']['killed']}")
    if kind == "warm" and cell.is_in_memory and load["body_bytes"]:
        share = read_from_disk(measured) / load["body_bytes"]
        if share > IN_MEMORY_READ_SHARE_MAX:
            reasons.append(f"in memory, yet {100 * share:.1f} % of what was served was read from disk")
    return reasons


def others_share(measured):
    """Of the server's CPU; 0 where it is not its own."""
    idle = measured.get("server_idle_share")
    return 1 - idle - measured["server_cpu_share"] if idle is not None and cpus.are_apart() else 0


def read_from_disk(measured):
    """What the server caused to be read: of a software disk, what that delivered."""
    disk = measured.get("disk") or {}
    if "slowfs_cpu_share" in measured:
        return disk.get("read_bytes", 0)
    return measured["disk_read_bytes"]


def busy_share(measured):
    """How much of the time the disk had something to do; of one with channels, the mean of them."""
    disk = measured.get("disk")
    if not disk:
        return None
    return disk["busy_ms"] / 1000 / measured["wall_s"]


def bound_requests_per_s(measured, requests_per_s):
    """What this server could do at most, at the time of CPU and disk that its requests took here: as fast as when the
    busiest of them had nothing left (the utilisation law). Of a disk that serves several accesses at once, busy is
    less than full, and the bound too low: it is said for disks of one arm, and for those whose channels are
    counted."""
    shares = [measured["server_cpu_share"], measured.get("slowfs_cpu_share", 0)]
    if "slowfs_cpu_share" in measured:
        shares.append(busy_share(measured) or 0)
    return requests_per_s / max(shares) if max(shares) > 0 else None


def saturated(measured, is_client_bound=False):
    """What had nothing left to give: any of server, client, disk, slowfs."""
    found = []
    if measured["server_cpu_share"] >= BUSY_MIN:
        found.append("server")
    idle = measured.get("client_idle_share")
    if is_client_bound or (idle is not None and idle < CLIENT_IDLE_MIN):
        found.append("client")
    busy = busy_share(measured)
    if busy is not None and busy >= BUSY_MIN:
        found.append("disk")
    if measured.get("slowfs_cpu_share", 0) >= SLOWFS_CPU_MAX:
        found.append("slowfs")
    return found


def shows_inversion(record):
    """Whether the probe's latency says what waiting for the disk does to those who do not wait for it."""
    cpu_percent = record["derived"].get("cpu_percent")
    return cpu_percent is not None and cpu_percent < 100 * PROBE_CPU_MAX


def counts_in_comparison(record):
    """A pass whose client was the limit says nothing about servers, unless they share the CPU with it anyway."""
    return not record["void"] and "client" not in record["saturated"]
