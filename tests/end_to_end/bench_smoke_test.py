#!/usr/bin/env python3
"""Runs each benchmark at a size that says nothing about speed, and checks that its JSON has all rows and that every
figure is a number. The benchmarks themselves check what they read, and end with 1 when it is wrong: any other exit code
than the expected one fails here too.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

from programs import ANTI_HANG_S, BIN, IS_THREAD_SANITIZED

LAIO_WAYS = ["laio", "laio-no-ring", "laio-ring", "laio-promised", "laio-told", "laio-activations", "laio-carriers"]
AIO_WAYS = ["aio", "aio-unpinned"]
BYTE_WAYS = ["plain", "epoll", *LAIO_WAYS, *AIO_WAYS, "liburing"]
CASES = {f"{channel}_{scenario}": BYTE_WAYS + (["plain-threads"] if scenario == "ready_alone" else [])
         for channel in ("pipe", "tcp", "unix") for scenario in ("ready", "ready_alone", "not_ready")}
CASES |= {
    "file_cached": ["plain", "plain-threads", *LAIO_WAYS, *AIO_WAYS, "liburing"],
    "getppid": ["plain", "laio"],
    "fcntl": ["plain", "laio"],
    "msync": ["plain", "plain-threads", "laio", "laio-signals-blocked", "laio-carriers"],
    "stat": ["plain", "plain-threads", "laio", "laio-signals-blocked", "laio-carriers",
             "liburing", "thread-pool", "libuv"],
    "turn": ["plain", "plain-threads", "epoll", "laio", "laio-no-ring", "laio-ring", "laio-promised", "laio-told",
             "liburing"],
    "file_cold_1": ["plain", "laio", "laio-no-ring", *AIO_WAYS, "liburing"],
    "file_cold_32": ["laio", "laio-no-ring", *AIO_WAYS, "liburing"],
}
# What may be missing for want of io_uring, activations or libuv, and with ThreadSanitizer; the rest has to be there.
MAY_BE_SKIPPED = {"laio-ring", "laio-promised", "liburing", "laio-activations", "laio-signals-blocked", "plain-threads",
                  "libuv"}
MAY_BE_SKIPPED |= set(AIO_WAYS) if IS_THREAD_SANITIZED else set()
GOALS = 23
SETS = ["default", "no-ring", "sockets-in-ring"]

problems = []


def expect(condition, text):
    if not condition:
        problems.append(text)


def is_positive(value):
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0


def run(name, *arguments, succeeds=True):
    """Runs a benchmark in a folder of its own; its JSON, or None if it wrote none."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        command = [BIN / name, "--json", path, *arguments]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=ANTI_HANG_S)
        print(f"$ {name} {' '.join(arguments)}: exit code {done.returncode}")
        if (done.returncode == 0) != succeeds:
            print(done.stdout)
            problems.append(f"{name} {' '.join(arguments)}: exit code {done.returncode}")
        if not os.path.exists(path):
            expect(not succeeds, f"{name} wrote no JSON")
            return None
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def check_machine(figures):
    for field in ("cpu", "cpus", "kernel", "file_system", "compiler", "date_utc", "commit"):
        expect(figures["machine"].get(field), f"machine has no {field}")


def check_micro():
    figures = run("laio-bench-micro", "--rounds", "2", "--rounds-cold", "2", "--iterations", "40", "--iterations-slow",
                  "10", "--cold-megabytes", "4", "--cold-reads", "8", "--commit", "smoke")
    if figures is None:
        return
    check_machine(figures)
    rows = {row["case"]: row for row in figures["cases"]}
    expect(list(rows) == list(CASES), f"cases are {list(rows)}")
    for case, ways in CASES.items():
        row = rows.get(case, {})
        if "skipped" in row:
            print(f"SKIPPED {case}: {row['skipped']}")
            expect(case.startswith("file_cold"), f"{case} was skipped: {row['skipped']}")
            continue
        cells = {cell["way"]: cell for cell in row.get("ways", [])}
        expect(sorted(cells) == sorted(ways), f"{case} has the ways {sorted(cells)}")
        for way, cell in cells.items():
            check_cell(case, way, cell, cells)
    expect(len(figures["goals"]) == GOALS, f"{len(figures['goals'])} goals")
    for goal in figures["goals"]:
        if {goal["way"], goal["base"]} & MAY_BE_SKIPPED and "measured" not in goal:
            continue
        expect(math.isfinite(goal.get("measured", math.nan)), f"goal without a figure: {goal['goal']}")
        expect(goal.get("met") == (goal.get("measured", math.nan) <= goal["at_most"]), f"goal: {goal}")
    seen = figures["promises"]
    expect(seen["ready"] > 0 and seen["not_ready"] > 0 and seen["ready_waited"] == 0, f"promises: {seen}")


def check_cell(case, way, cell, cells):
    if "skipped" in cell:
        print(f"SKIPPED {case}/{way}: {cell['skipped']}")
        expect(way in MAY_BE_SKIPPED, f"{case}/{way} was skipped: {cell['skipped']}")
        return
    spreads = ["nanoseconds"]
    spreads += ["x_plain"] if "plain" in cells else []
    spreads += ["x_aio"] if "nanoseconds" in cells.get("aio", {}) else []
    for spread in spreads:
        values = [cell.get(spread, {}).get(part) for part in ("p10", "median", "p90")]
        expect(all(map(is_positive, values)) and values == sorted(values), f"{case}/{way} {spread}: {values}")
    expect(cell["rounds"] == 2, f"{case}/{way}: {cell['rounds']} rounds")


def check_micro_options():
    figures = run("laio-bench-micro", "--rounds", "1", "--iterations", "5", "--cases", "getppid,fcntl", "--spread")
    if figures is not None:
        expect([row["case"] for row in figures["cases"]] == ["getppid", "fcntl"], "--cases does not choose")
        expect(all("met" not in goal for goal in figures["goals"] if goal["case"] == "tcp_ready"), "a goal of nothing")
    run("laio-bench-micro", "--cases", "no_such_case", succeeds=False)
    run("laio-bench-micro", "--rounds", "0", succeeds=False)
    run("laio-bench-micro", "--cpu", "100000", "--cases", "getppid", succeeds=False)


def check_waiting(transport):
    figures = run("laio-bench-waiting", "--connections", "200", "--transport", transport, "--commit", "smoke")
    if figures is None:
        return
    check_machine(figures)
    expect([row["set"] for row in figures["sets"]] == SETS, f"sets: {figures['sets']}")
    for row in figures["sets"]:
        if "skipped" in row:
            print(f"SKIPPED {row['set']}: {row['skipped']}")
            expect(row["set"] == "sockets-in-ring", f"{row['set']} was skipped: {row['skipped']}")
            continue
        expect(row["connections"] == 200, f"{transport} {row['set']}: {row['connections']} connections")
        # No thread per connection: a bound on a count, whatever the machine.
        expect(1 <= row["threads"] < 20, f"{transport} {row['set']}: {row['threads']} threads")
        for field in ("submit_ns", "complete_ns", "complete_cpu_ns", "completions_per_poll"):
            expect(is_positive(row.get(field)), f"{transport} {row['set']}: {field} is {row.get(field)}")


# Situations by part, and which figures each row has, with their parts. What needs rights of its own may be skipped.
ACTIVATION_PARTS = {
    "blocked": (["pinned", "free", "busy", "busy_other_group", "pinned_rested", "free_rested"],
                ["calls", "median_us", "p10_us", "p90_us", "p99_us", "max_us"]),
    "ready": (["pinned", "free", "busy"], ["calls"]),
    "turns": (["pinned", "free", "pinned_paced", "free_paced"], ["turns", "turn_us", "own_us"]),
    "idle": (["poll", "other_loop", "sleep", "compute"], ["seconds"]),
    "quota": (["plain", "laio", "laio-no-activations"], ["runs"]),
}
ACTIVATION_GOALS = 13
IDLE_PERCENT_MAX = 5  # ten times the goal, and a share, not a time


def check_activation():
    figures = run("laio-bench-activation", "--calls", "20", "--calls-slow", "5", "--calls-rested", "5",
                  "--calls-ready", "2000", "--turns", "50", "--turns-paced", "20", "--idle-s", "2",
                  "--quota-runs", "2", "--quota-s", "0.3", "--commit", "smoke")
    if figures is None:
        return
    check_machine(figures)
    for part, (situations, fields) in ACTIVATION_PARTS.items():
        rows = {row.get("situation") or row.get("loop"): row for row in figures[part]}
        expect(list(rows) == situations, f"{part} has {list(rows)}")
        for name, row in rows.items():
            if "skipped" in row:
                print(f"SKIPPED {part}/{name}: {row['skipped']}")
                continue
            for field in fields:
                expect(is_positive(row.get(field)), f"{part}/{name}: {field} is {row.get(field)}")
            check_activation_row(part, name, row)
    expect(len(figures["goals"]) == ACTIVATION_GOALS, f"{len(figures['goals'])} goals of activations")
    for goal in figures["goals"]:
        if goal.get("skipped"):
            continue
        expect(goal.get("met") == (goal.get("measured", math.nan) <= goal["at_most"]), f"goal: {goal}")


def check_activation_row(part, name, row):
    if part == "blocked":
        expect(row["counts"]["claims"] >= row["calls"], f"{part}/{name}: {row['counts']} for {row['calls']} calls")
    if part == "ready":
        expect(row["left_behind"] == 0, f"{part}/{name}: {row['left_behind']} calls left behind")
    if part == "idle":
        expect(0 <= row["percent"] < IDLE_PERCENT_MAX, f"{part}/{name}: {row['percent']} % of a CPU")
        expect("laio-sentinel" in row["threads_percent"], f"{part}/{name}: {row['threads_percent']}")
    if part == "quota":
        expect(is_positive(row["cpu_percent"]["median"]), f"{part}/{name}: {row}")


def check_activation_options():
    figures = run("laio-bench-activation", "--quick", "--parts", "ready", "--calls-ready", "100")
    if figures is not None:
        expect("ready" in figures and "idle" not in figures, "--parts does not choose")
    run("laio-bench-activation", "--parts", "no_such_part", succeeds=False)
    run("laio-bench-activation", "--calls", "0", succeeds=False)
    run("laio-bench-activation", "--cpu", "100000", "--parts", "ready", succeeds=False)


def main():
    programs = ("laio-bench-micro", "laio-bench-activation", "laio-bench-waiting")
    programs = [name for name in programs if (BIN / name).exists()]
    if not programs:
        print(f"SKIPPED: no benchmark in {BIN}")
        return 77
    if "laio-bench-micro" in programs:
        check_micro()
        check_micro_options()
    else:
        print("SKIPPED: laio-bench-micro is not built (no liburing)")
    check_activation()
    check_activation_options()
    for transport in ("tcp", "unix"):
        check_waiting(transport)
    for problem in problems:
        print(f"WRONG: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
