"""What the report's Tables 1 to 3 are made of, beside the paper's: which versions there are, what the workloads are
like, and how many lines of code each version has. Kept in build/paper/tables.json; no cell depends on it."""

import json
import os
import sys

from . import servers, workload
from .failure import Failure
from .programs import ROOT, output_of

NETWORKS = {"NB": "system calls that do not block", "LAIO": "lazy asynchronous system calls", "URING": "io_uring"}
DISKS = {"B": "system calls that block", "LAIO": "lazy asynchronous system calls", "AIO": "POSIX AIO",
         "AMPED": "helper processes", "AMTED": "helper threads", "URING": "io_uring"}
PAPERS_WORKLOADS = {  # the paper's Table 2
    "rice": {"requests": 245_820, "small": 0.055, "medium": 0.202, "large": 0.743, "footprint": "1.1 GB"},
    "berkeley": {"requests": 3_184_540, "small": 0.082, "medium": 0.332, "large": 0.586, "footprint": "6.4 GB"}}


def versions():
    """Table 1: a version's name says how it serves, and waits for network and disk."""
    result = []
    for name in servers.versions():
        way, network, disk = name.split("-")
        result.append({"name": name, "way": way, "network": NETWORKS[network], "disk": DISKS[disk],
                       "is_persistent": servers.is_persistent(name)})
    return result


def workloads(cells, top):
    """Table 2: what `laio-replay describe` says of each that was made."""
    result = []
    for one in sorted({cell.workload for cell in cells}, key=lambda one: (one.name, one.seed)):
        if prepared := workload.find(one, top):
            result.append({"name": one.name, "kind": one.kind, "scale": one.scale, "options": list(one.options),
                           "described": prepared.description, "paper": PAPERS_WORKLOADS.get(one.kind)})
    return result


def lines_of_code():
    """Table 3."""
    return json.loads(output_of([sys.executable, ROOT / "scripts" / "count-lines", "--json"]))["versions"]


def made(make, *arguments):
    """A table, or why there is none."""
    try:
        return {"rows": make(*arguments)}
    except (Failure, OSError, ValueError, KeyError) as reason:
        return {"missing": f"{type(reason).__name__}: {reason}"}


def write(folder, cells):
    """Whole or not at all."""
    text = json.dumps({"versions": made(versions), "workloads": made(workloads, cells, folder / "workloads"),
                       "lines_of_code": made(lines_of_code)}, indent=1)
    making = folder / "tables.making"
    making.write_text(text, encoding="utf-8")
    os.replace(making, folder / "tables.json")
