"""Records as the runner keeps them, made up: what tests of validity, claims and reports start from."""

import dataclasses
import sys

from programs import SOURCE

sys.path.insert(0, str(SOURCE / "bench"))
from macro import measurement
from macro.cell import Cell, Workload

BERKELEY = Workload("berkeley", 0.02)
RICE = Workload("rice", 0.1)
MACHINE = {"cpu": "a processor", "cpus": 2, "hypervisor": "none seen", "memory": "1 kB", "kernel": "Linux",
           "files": "ext4 on /dev/x", "read_ahead_kb": "128", "scheduler": "none", "server_cpu": 1, "client_cpu": 0,
           "is_root": True, "load_before": "0 0 0", "date": "2026-01-01", "peers": {"nginx": "nginx/1"}}


def cell(server="Flash-LAIO-LAIO", workload=BERKELEY, **fields):
    defaults = {"experiment": workload.kind, "memory": 0.3 if workload is BERKELEY else 1.8, "passes": ("cold", "warm")}
    return Cell(server, workload, **{**defaults, **fields})


def one_pass(of, kind, requests_per_s, *, cpu_us=100.0, response_ms=None, probe_p99_ms=None, load=None, measured=None,
             memory=None, server_said=""):
    """A pass of a second in which 1,000,000 bytes were served for each 100 requests."""
    requests = int(requests_per_s)
    record = {
        "kind": kind,
        "load": {"requests": requests, "body_bytes": requests * 10_000, "requests_per_s": requests_per_s,
                 "megabits_per_s": requests_per_s * 0.08, "errors": {}, "probe_errors": {}, "is_client_bound": False,
                 "seconds": 1.0, "has_probe_starved": False,
                 "latency_ms": {"mean": response_ms or 64_000 / requests_per_s, "p99": 9.0},
                 "probe_ms": {"p99": probe_p99_ms} if probe_p99_ms else None, **(load or {})},
        "measured": {"wall_s": 1.0, "server_cpu_us": cpu_us * requests, "server_cpu_share": 0.5,
                     "client_idle_share": 0.5, "context_switches": requests, "disk_read_bytes": 0,
                     "blocked_calls": None,
                     "disk": {"reads": 10, "read_bytes": 0, "reads_ms": 400, "busy_ms": 200, "weighted_ms": 500},
                     **(measured or {})},
        "server_said": server_said,
        "workload": {"requests": requests, "footprint_bytes": 1},
        "memory": {"limit_bytes": 1, **(memory or {})},
    }
    measurement.judge(of, record)
    return record


def record(of, requests_per_s, **fields):
    """Of a cell: the warm pass is twice as fast as the cold one."""
    passes = [one_pass(of, kind, requests_per_s * (2 if kind == "warm" else 1), **fields) for kind in of.passes]
    return {"cell": dataclasses.asdict(of), "commit": "0123456789ab", "started": "2026-01-01 00:00:00", "took_s": 2.0,
            "machine": MACHINE, "passes": passes}
