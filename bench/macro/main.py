"""scripts/paper: reproduces the evaluation of the paper's sections 8 and 9 on this machine, other servers beside it.

Each cell is one server before one workload, with so many clients, on one disk, from empty caches: `make paper
ARGS=--quick` builds and measures five of them. Raw numbers are kept in build/paper/cells/; a run that was ended goes on
where it was. Control groups, empty caches and loop devices take root; without it does what it can and says what it left
out. A block of cells that are compared is measured as a whole: if one of them is missing, failed or void, all are
measured again. Exit status: 0 if all cells were measured, 1 if some could not be, 2 for a wrong command line.
"""

import argparse
import collections
import fcntl
import os
import pathlib
import signal
import sys
import time

from . import cgroup, cpus, disks, machine, measurement, page_cache, plan, report, servers, tables
from .cell import Cell
from .failure import Failure
from .programs import BUILD, is_root
from .results import Results


def parse(words):
    parser = argparse.ArgumentParser(prog="paper", description=__doc__.split("\n\n", 1)[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(plan="quick")
    which = parser.add_mutually_exclusive_group()
    for name, help_text in (("quick", "five cells, about three minutes (the default)"),
                            ("standard", "about 110 cells, less than an hour"),
                            ("full", "everything, with repetitions; begins with how long that takes")):
        which.add_argument(f"--{name}", dest="plan", action="store_const", const=name, help=help_text)
    which.add_argument("--plan", choices=sorted(plan.PLANS),
                       help="one of these plans; warm: in memory, in pairs; cold: four times the memory; "
                            "sensitivity: the workload's open parameters")
    parser.add_argument("--only", metavar="TEXT", action="append", default=[],
                        help="only cells with TEXT in their name (again: any of them)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the cells (default: 1)")
    parser.add_argument("--list", action="store_true",
                        help="print the cells in their order and about how long they take; measure nothing")
    parser.add_argument("--report-only", action="store_true",
                        help="write the report of what was measured of this plan, and of warm, cold and sensitivity")
    parser.add_argument("--commit", help="with --report-only: of what was measured at this commit")
    parser.add_argument("--write-docs", action="store_true", help="write docs/evaluation.md and its pictures as well")
    parser.add_argument("--afresh", action="store_true", help="measure again what is finished")
    parser.add_argument("--folder", type=pathlib.Path, default=BUILD / "paper",
                        help="where trees, numbers and the report go (default: %(default)s)")
    return parser.parse_args(words)


def chosen_cells(arguments):
    cells = plan.of(arguments.plan)
    if arguments.only:
        cells = [cell for cell in cells if any(text in cell.label for text in arguments.only)]
    return plan.ordered(cells, arguments.seed)


def told(place, cells):
    """What cannot be had here is said before anything is measured, and the cells that need it are left out."""
    if not page_cache.can_drop():
        print("caches cannot be dropped by this user: names stay known between cells, only the "
              "files' bytes are dropped from memory")
    if place.no_groups:
        print(f"{place.no_groups}: memory is not limited, cells that need it are void")
    if not cpus.are_apart():
        print("one CPU: server, client and disk share it")
    known = set(servers.versions())
    left_out = collections.Counter()
    kept = []
    for cell in cells:
        reason = disks.why_not(cell.disk)
        if not reason and servers.is_ours(cell.server) and cell.server not in known:
            reason = f"{cell.server} is not in this build"
        if reason:
            left_out[f"{cell.disk}: {reason}" if disks.why_not(cell.disk) else reason] += 1
        else:
            kept.append(cell)
    for reason, count in left_out.items():
        print(f"SKIPPED {count} cells: {reason}")
    return kept


def line_of(record):
    """The outcome of a cell, a line for each pass."""
    if "failure" in record:
        return f"FAILED: {record['failure']}"
    parts = []
    for one in record["passes"]:
        derived = one["derived"]
        text = (f"{one['kind']} {derived['requests_per_s']:,.0f} requests/s, {derived['megabits_per_s']:,.0f} Mb/s, "
                f"CPU {derived['cpu_us_per_request']:.0f} us a request")
        if derived["response_ms"] is not None:
            text += f", {derived['response_ms']:.1f} ms"
        if derived["read_by_disk_bound"] is not None:
            text += f", read {100 * derived['read_by_disk_bound']:.0f} % of what the disk can give"
        if derived["probe_p99_ms"] is not None:
            text += f", probe's p99 {derived['probe_p99_ms']:.1f} ms"
        if one["saturated"]:
            text += f" [{', '.join(one['saturated'])} saturated]"
        if one["void"]:
            text += f" VOID: {'; '.join(one['void'])}"
        parts.append(text)
    return "\n        ".join(parts)


def measure(cells, place, results, is_afresh):
    """Measures the blocks that are not finished. Returns how many cells have failed."""
    failures, spent, measured = 0, 0.0, 0
    wanted = cells if is_afresh else plan.to_measure(cells, results.is_finished)
    results.forget(wanted)
    left = set(wanted)
    for number, cell in enumerate(cells, 1):
        if cell not in left:
            print(f"[{number:>3}/{len(cells)}] {cell.label}: finished before")
            continue
        print(f"[{number:>3}/{len(cells)}] {cell.label}", flush=True)
        began = time.monotonic()
        record = measurement.run(cell, place)
        results.keep(cell, record)
        failures += "failure" in record
        spent, measured = spent + time.monotonic() - began, measured + 1
        print(f"        {line_of(record)}", flush=True)
        if sys.stderr.isatty() and measured < len(wanted):
            left_s = (len(wanted) - measured) * spent / measured
            print(f"        about {left_s / 60:.0f} minutes left", file=sys.stderr)
    return failures


def keep_others_out(folder):
    """Two runs in one folder would take one another's disks away; on one machine they would only disturb one
    another."""
    lock = os.open(folder, os.O_RDONLY)  # held until we end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Failure(f"another run is using {folder}") from None


def leave(number, _):
    """Ended from outside, we leave as by an error: the server, its group and its disk go first."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def how_much(arguments, cells):
    return f"{arguments.plan}: {len(cells)} cells, about {plan.estimate_s(cells) / 60:.0f} minutes"


def run(arguments):
    cells = chosen_cells(arguments)
    if not cells:
        raise Failure("no cell has such a name")
    if arguments.list:
        print("\n".join([*(cell.label for cell in cells), how_much(arguments, cells)]))
        return 0
    arguments.folder.mkdir(parents=True, exist_ok=True)
    cpus.go_to_the_clients()
    keep_others_out(arguments.folder)
    disks.remove_abandoned(arguments.folder)
    if is_root():
        cgroup.remove_abandoned()
    place = measurement.Place(arguments.folder, machine.describe(arguments.folder), cgroup.why_not())
    results = Results(arguments.folder / "cells", arguments.commit or machine.commit(),
                      is_asked_for=bool(arguments.commit))
    failures = 0
    if not arguments.report_only:
        cells = told(place, cells)
        print(how_much(arguments, cells), flush=True)
        failures = measure(cells, place, results, arguments.afresh)
    records = results.all(plan.reported_with(arguments.plan))
    if not records:
        raise Failure("nothing has been measured")
    tables.write(arguments.folder, [Cell.from_json(record["cell"]) for record in records])
    for path in report.write(records, arguments.folder, arguments.write_docs):
        print(f"written: {path}")
    return 1 if failures else 0


def main(words=None):
    arguments = parse(words)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        return run(arguments)
    except Failure as failure:
        print(f"paper: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
