"""What this project wants to reach, and whether it did: met, within the noise of measuring (3 %), not met, or not
measured. Each goal looks at all places that it speaks of, and the worst of them decides."""

import dataclasses

from . import peers
from .plan import BLOCKING, LAIO, SLOW_DISKS
from .statistics import AGAIN_TOLERANCE

HELPED = ("Flash-NB-AMPED", "Flash-NB-AMTED", "Flash-NB-AIO")
MANY_CLIENTS = 64
LOWER_BOUND_MIN = 0.97
MET, NEARLY, NOT_MET, NOT_MEASURED = "met", "within the noise", "not met", "not measured"


@dataclasses.dataclass(frozen=True)
class Outcome:
    text: str        # of the goal
    verdict: str
    here: str        # what was measured


def verdict_of(value, least):
    if value >= least:
        return MET
    return NEARLY if value >= least * (1 - AGAIN_TOLERANCE) else NOT_MET


def place_text(place):
    experiment, workload, disk, clients, _, kind = place
    return f"{experiment}, {workload.name}, {disk}, {clients} clients, {kind}"


def judged(text, least, found, unit="x"):
    """`found`: (value, where) of each place."""
    if not found:
        return Outcome(text, NOT_MEASURED, "")
    value, where = min(found, key=lambda pair: pair[0])
    most, _ = max(found, key=lambda pair: pair[0])
    spread = f"{value:.2f} {unit}" if len(found) == 1 else f"{value:.2f} to {most:.2f} {unit}"
    return Outcome(text, verdict_of(value, least), f"{spread}; the least: {where}")


def ratios(observations, places, theirs, metric="requests_per_s", inverse=False, ours=LAIO):
    """(ratio, where) in each place that has both. `theirs` is a name or tells one for a place."""
    found = []
    for place in places:
        other = theirs(place) if callable(theirs) else theirs
        ratio = observations.ratio(place, ours, other, metric) if other else None
        if ratio:
            value = 1 / ratio["ratio"] if inverse else ratio["ratio"]
            found.append((value, f"{other}, {place_text(place)}"))
    return found


def best_of(observations, is_wanted):
    """For `ratios`: the fastest nginx of those that are wanted."""
    def choose(place):
        return observations.best(place, [name for name in observations.servers(place)
                                         if peers.family(name) == "nginx" and is_wanted(name)])
    return choose


def out_of_memory(observations, disk):
    """Where the tree is larger than memory, with many clients."""
    return [place for place in observations.places(disk=disk)
            if place[4] is not None and place[4] < 1 and place[3] >= MANY_CLIENTS]


def in_memory(observations):
    return [place for place in observations.places(kind="warm") if place[4] is None or place[4] >= 1]


def cheaper(observations, places):
    """CPU time a request of nginx's best, single loop and all, by ours."""
    single, every = best_of(observations, peers.is_single_loop), best_of(observations, lambda _: True)
    return [one for which in (single, every)
            for one in ratios(observations, places, which, "cpu_us_per_request", inverse=True)]


def bounded(observations):
    """Lower bounds of the ratios in memory."""
    found = []
    for place in in_memory(observations):
        for theirs in (BLOCKING, "nginx", "nginx-cache"):
            ratio = observations.ratio(place, LAIO, theirs)
            if ratio and ratio["lower"] is not None:
                found.append((ratio["lower"], f"{theirs}, {place_text(place)}"))
    return found


def outcomes(observations):
    ext4, flash, lookups = (out_of_memory(observations, disk) for disk in ("ext4", "flash", "lookups"))
    everywhere = [place for place in observations.places() if place[0] != "smallest"]
    slow = [place for disk in SLOW_DISKS for place in observations.places(disk=disk)]
    single, every = best_of(observations, peers.is_single_loop), best_of(observations, lambda _: True)

    def faster_helper(place):
        return observations.best(place, ("Flash-NB-AMPED", "Flash-NB-AMTED"))
    return [
        judged(f"Larger than memory, ext4: at least 2 x {BLOCKING}", 2, ratios(observations, ext4, BLOCKING)),
        judged(f"Larger than memory, flash: at least 2 x {BLOCKING}", 2, ratios(observations, flash, BLOCKING)),
        *(judged(f"Everywhere: at least 1.0 x {name}", 1, ratios(observations, everywhere, name)) for name in HELPED),
        judged("Where metadata misses: at least 2 x Flash-NB-AIO", 2, ratios(observations, lookups, "Flash-NB-AIO")),
        judged("Where metadata misses: at least 1.25 x the better of AMPED and AMTED", 1.25,
               ratios(observations, lookups, faster_helper)),
        judged("ext4: at least 1.25 x nginx's best single loop", 1.25, ratios(observations, ext4, single)),
        judged("ext4: at least 1.0 x nginx's best of all", 1, ratios(observations, ext4, every)),
        judged("ext4: less CPU a request than either", 1, cheaper(observations, ext4)),
        judged("Slow lookups: at least 5 x nginx's best single loop", 5, ratios(observations, lookups, single)),
        judged("Slow lookups: at least 1.0 x nginx with 64 workers", 1,
               ratios(observations, lookups, "nginx-workers-64")),
        judged(f"In memory: at least 1.0 x {BLOCKING}", 1, ratios(observations, in_memory(observations), BLOCKING)),
        judged("In memory: at least 1.0 x nginx's best", 1, ratios(observations, in_memory(observations), every)),
        judged("In memory: lower bounds of these at least 0.97", LOWER_BOUND_MIN, bounded(observations)),
        judged(f"Slow disks: the probe's p99 at least 10 x lower than with {BLOCKING}", 10,
               ratios(observations, slow, BLOCKING, "probe_p99_ms", inverse=True)),
    ]
