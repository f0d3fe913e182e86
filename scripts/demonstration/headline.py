"""The headline: the same small tree on a slow disk and on this machine's own, five servers, one CPU each. Cells of
bench/macro, which measures them as `make paper` does; a row is printed as soon as its cell has been measured."""

import sys

from common import BUILD, ROOT, Failure, heading

sys.path.insert(0, str(ROOT / "bench"))

from macro import cgroup, disks, failure, figures, machine, measurement, page_cache, plan, validity
from macro.cell import Workload
from macro.observations import Observations, flatten

SERVERS = {
    plan.BLOCKING: "the loop waits for the disk",
    "Flash-NB-AMPED": "helper processes wait",
    plan.LAIO: "whoever blocks waits: laio_syscall()",
    "nginx-cache": "the loop waits",
    "nginx-threads-64-cache": "a thread pool waits (aio threads)",
}
DISKS = {"hdd": "a disk of 7200 rpm made of software (laio-slowfs), its delays divided by 10",
         "ext4": "this machine's own disk"}
SECONDS = 4
CLIENTS = 64


def cells(is_quick):
    if is_quick:
        return plan.cells((plan.BLOCKING, plan.LAIO), plan.flat(16 << 10, 64, 2000), clients=4, disk="hdd", seconds=1,
                          probe=True, experiment="demo")
    return [one for disk in DISKS for one in
            plan.cells(SERVERS, Workload("berkeley", 0.02), clients=CLIENTS, disk=disk, seconds=SECONDS, probe=True,
                       experiment="demo")]


def row_of(cell, record):
    if "failure" in record:
        return f"not measured: {record['failure']}"
    one = record["passes"][0]
    derived = one["derived"]
    probe = derived["probe_p99_ms"]
    text = (f"{derived['requests_per_s']:>10,.0f} /s {'' if probe is None else f'{probe:,.1f} ms':>15}"
            f"{derived['cpu_us_per_request']:>14,.0f} us  ")
    if one["void"]:
        return text + "does not count: " + "; ".join(one["void"])
    waits_for_cpu = "" if validity.shows_inversion(one) else "; CPU full: the probe waits for it"
    return text + SERVERS[cell.server] + waits_for_cpu


def limits(place):
    """What cannot be had here, said before anything is measured."""
    if place.no_groups:
        print(f"{place.no_groups}: the servers' memory is not limited, as it takes root to do")
    if not page_cache.can_drop():
        print("names stay known from one server to the next: only root can make them forgotten")


def measure(place, is_quick):
    records, last_disk = [], None
    for cell in cells(is_quick):
        if reason := disks.why_not(cell.disk):
            print(f"\n{cell.disk}: not shown: {reason}" if cell.disk != last_disk else "", end="")
            last_disk = cell.disk
            continue
        if cell.disk != last_disk:
            print(f"\n{DISKS[cell.disk]}\n{'':<24}{'requests':>12}{'probe, 99th':>16}{'CPU a request':>17}")
        last_disk = cell.disk
        record = measurement.run(cell, place)
        records.append(dict(record, cell=cell.as_json()))
        print(f"{cell.server:<24} {row_of(cell, record)}")
    return records


def draw(records):
    observations = Observations(flatten(records))
    places = observations.places()
    if not places:
        return
    servers = sorted({name for place in places for name in observations.servers(place)})
    path = BUILD / "demo.svg"
    try:
        path.write_text(figures.bars(observations, places, ("requests_per_s", "probe_p99_ms"), servers),
                        encoding="utf-8")
    except failure.Unavailable as reason:
        print(f"\nno picture: {reason}")
        return
    print(f"\nthe picture: {path}")


def show_headline(is_quick):
    heading("Who waits for the disk" + ("" if is_quick else ", about a minute and a half"))
    print(f"load: {CLIENTS} clients ask for files as Berkeley's visitors did, from an empty cache, with memory for a "
          "third of them\nprobe: 100 requests a second beside it, for files that are in memory: how long do they wait?")
    folder = BUILD / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        place = measurement.Place(folder, machine.describe(folder), cgroup.why_not())
        limits(place)
        draw(measure(place, is_quick))
    except failure.Failure as reason:
        raise Failure(str(reason)) from None
