"""What this project wants to reach, and whether it did. Each goal names its places and, in each, whom it is compared
with; every place on its own has to reach it. A place where one of the two was not measured, or did not count, is said:
a goal is met only where no place is missing. There is no tolerance: the one goal that allows for the noise of measuring
says so itself (in memory, by the lower bound of pairs). What `make test` measures is judged by nobody."""

import dataclasses

from . import architecture, peers, statistics, validity
from .plan import BLOCKING, LAIO, SLOW_DISKS

AIO = "Flash-NB-AIO"
HELPED = ("Flash-NB-AMPED", "Flash-NB-AMTED")
MANY_CLIENTS = 64
LARGE_FILE_BYTES = 256 << 10
LOWER_BOUND_MIN = 0.97
BOUND_EXCEEDED = 1.05
MET, NOT_MET, IN_PART, NOT_MEASURED = "met", "not met", "not measured in full", "not measured"
NO_BOUND = "no bound with fewer than five pairs"


@dataclasses.dataclass(frozen=True)
class Found:
    """What one place says to a goal."""
    place: tuple
    theirs: str
    value: float
    text: str = ""      # beside the value

    @property
    def label(self):
        return f"{self.value:.2f} x {self.theirs}: {self.place.short}{self.text}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    text: str            # of the goal
    verdict: str
    here: str            # the range that was measured
    lost: tuple = ()     # Found, the worst first
    missing: tuple = ()  # places that were not measured or do not count, with the reason


def judged(text, least, asked):
    """`asked`: of each place, a Found or the text why there is none."""
    found = sorted((one for one in asked if isinstance(one, Found)), key=lambda one: one.value)
    missing = tuple(one for one in asked if not isinstance(one, Found))
    if not found:
        return Outcome(text, NOT_MEASURED, "", (), missing)
    lost = tuple(one for one in found if one.value < least)
    verdict = NOT_MET if lost else IN_PART if missing else MET
    low, high = found[0].value, found[-1].value
    spread = f"{low:.2f} x" if len(found) == 1 else f"{low:.2f} to {high:.2f} x"
    return Outcome(text, verdict, f"{spread} in {counted(len(found), 'place')}", lost, missing)


def counted(number, what):
    return f"{number} {what}" + ("" if number == 1 else "s")


class Judge:
    """Asks the observations, place by place."""

    def __init__(self, observations):
        self.observations = observations

    def places(self, is_wanted, **fields):
        return [place for place in self.observations.expected_places(**fields)
                if place.experiment not in ("smallest", "sensitivity") and is_wanted(place)
                and LAIO in self.observations.expected[place]]

    def out_of_memory(self, disk, is_large=False):
        """Where the tree is larger than memory, with many clients."""
        return self.places(lambda place: not place.is_in_memory and place.clients >= MANY_CLIENTS
                           and has_large_files(place) == is_large, disk=disk)

    def against(self, places, *names, metric="requests_per_s", is_inverse=False, condition=None, value_of=None):
        """Ours against the fastest of these, at each place where one of them was to be measured; a name may be a
        test of names."""
        return [answer for place in places if (rivals := self.rivals(place, names))
                for answer in self.at(place, rivals, metric, is_inverse, condition, value_of)]

    def rivals(self, place, names):
        expected = self.observations.expected[place]
        return sorted(name for name in expected if not name.endswith(" again")
                      and any(one(name) if callable(one) else one == name for one in names))

    def at(self, place, rivals, metric, is_inverse, condition, value_of):
        """What did not count, and the best of what did: faster ones may be among those that did not."""
        def missing(name, why):
            return f"{name}, {place.text}: {why}"
        answers = [missing(name, why) for name in [LAIO, *rivals] if (why := self.observations.why_not(place, name))]
        best = self.observations.best(place, rivals)
        if best is None or self.observations.why_not(place, LAIO):
            return answers
        if condition and (why := condition(place, best)):
            return [*answers, missing(best, why)]
        if metric == "requests_per_s" and place.experiment == "large":
            metric = "megabits_per_s"  # a request of 8 MB that is under way at the end would not count
        ratio = self.observations.ratio(place, LAIO, best, metric)
        if not ratio:
            return [*answers, missing(best, "nothing to compare in the same round")]
        if value_of:
            value, text = value_of(ratio)
            if value is None:
                return [*answers, missing(best, text)]
            return [*answers, Found(place, best, value, text)]
        value = 1 / ratio["ratio"] if is_inverse else ratio["ratio"]
        return [*answers, Found(place, best, value, range_text(ratio, is_inverse))]

    def against_disk(self, places):
        """What was read a second by what the disk could deliver at most, measured just before."""
        answers = []
        for place in places:
            why = self.observations.why_not(place, LAIO)
            passes = self.observations.comparable(place, LAIO).values()
            read, delivered = (statistics.summary([one[metric] for one in passes if one[metric]])
                               for metric in ("read_by_disk_bound", "served_by_disk_bound"))
            if not read:
                answers.append(f"{LAIO}, {place.text}: {why or 'the bound of the disk is not known'}")
            elif read["median"] > BOUND_EXCEEDED:
                answers.append(f"{LAIO}, {place.text}: it read {read['median']:.2f} x what the disk was measured to "
                               "give, so that was no bound")
            else:  # what was read twice does not count twice
                answers.append(Found(place, "the disk's bound", min(read["median"], (delivered or read)["median"])))
        return answers

    def is_waiting_for_disk(self, place, theirs):
        """The probe's condition; None if both loads leave the CPU free enough."""
        for name in (LAIO, theirs):
            percents = [one["cpu_percent"] for one in self.observations.comparable(place, name).values()
                        if not validity.shows_inversion(one.record)]
            if percents:
                return (f"the load took {max(percents):.0f} % of the CPU with {name}, and the probe counts below "
                        f"{100 * validity.PROBE_CPU_MAX:.0f} %")
        return None


def has_large_files(place):
    values = dict(option.split("=", 1) for option in place.workload.options)
    return place.experiment == "large" or (place.workload.kind == "flat"
                                           and float(values.get("mean_file_bytes", 0)) > LARGE_FILE_BYTES)


def range_text(ratio, is_inverse):
    if ratio["n"] == 1:
        return " (one pair)"
    low, high = (1 / ratio["max"], 1 / ratio["min"]) if is_inverse else (ratio["min"], ratio["max"])
    return f" ({ratio['n']} pairs: {low:.2f} to {high:.2f})"


def lower_bound(ratio):
    if ratio["lower"] is None:
        return None, f"{NO_BOUND}: {ratio['ratio']:.3f} in {counted(ratio['n'], 'pair')}"
    return ratio["lower"], f" (median {ratio['ratio']:.3f} of {ratio['n']} pairs)"


def is_nginx(name):
    return peers.family(name) == "nginx"


def is_single_nginx(name):
    return is_nginx(name) and architecture.is_single_loop(name)


def is_helped(name):
    """At any number of helpers."""
    return architecture.helpers_of(name)[0] in HELPED


def is_with_workers(name):
    """Whichever number was measured: 64, or fewer where that is faster."""
    return is_nginx(name) and architecture.is_with_workers(name)


def outcomes(observations):
    judge = Judge(observations)
    ext4, flash, lookups = (judge.out_of_memory(disk) for disk in ("ext4", "flash", "lookups"))
    large = judge.out_of_memory("ext4", is_large=True)
    everywhere = judge.places(lambda _: True)
    slow = [place for disk in SLOW_DISKS for place in judge.places(lambda _: True, disk=disk)]
    pairs = judge.places(lambda place: place.kind == "warm" and place.is_in_memory, experiment="in memory")
    rice = judge.places(lambda place: place.kind == "warm" and place.is_in_memory, experiment="rice")
    in_memory = sorted({name for place in pairs for name in judge.rivals(place, (lambda name: name != LAIO,))})
    cpu = {"metric": "cpu_us_per_request", "is_inverse": True}
    probe = {"metric": "probe_p99_ms", "is_inverse": True, "condition": judge.is_waiting_for_disk}
    return [
        judged(f"Larger than memory, small and medium files, ext4: at least 2 x {BLOCKING}", 2,
               judge.against(ext4, BLOCKING)),
        judged(f"Larger than memory, small and medium files, flash: at least 2 x {BLOCKING}", 2,
               judge.against(flash, BLOCKING)),
        judged("Larger than memory, large files, ext4: at least 0.95 x the disk's bound", 0.95,
               judge.against_disk(large)),
        *(judged(f"Everywhere, at equal concurrency: at least 1.0 x {name}", 1, judge.against(everywhere, name))
          for name in (*HELPED, AIO)),
        judged(f"Where metadata misses: at least 2 x {AIO}", 2, judge.against(lookups, AIO)),
        judged("Where metadata misses: at least 1.25 x the best of AMPED and AMTED", 1.25,
               judge.against(lookups, is_helped)),
        judged("ext4, larger than memory: at least 1.25 x nginx's best single loop", 1.25,
               judge.against(ext4, is_single_nginx)),
        judged("ext4, larger than memory: at least 1.0 x nginx's best of all", 1, judge.against(ext4, is_nginx)),
        judged("ext4, larger than memory: less CPU a request than nginx's best single loop (its time by ours: above 1 is "
               "less)", 1, judge.against(ext4, is_single_nginx, **cpu)),
        judged("ext4, larger than memory: less CPU a request than nginx's best of all (its time by ours: above 1 is less)",
               1, judge.against(ext4, is_nginx, **cpu)),
        judged("Slow lookups: at least 5 x nginx's best single loop", 5, judge.against(lookups, is_single_nginx)),
        judged("Slow lookups: at least 1.0 x nginx with up to 64 workers", 1, judge.against(lookups, is_with_workers)),
        *(judged(f"In memory, in pairs: at least 1.0 x {name}, which is a lower bound of {LOWER_BOUND_MIN} or more",
                 LOWER_BOUND_MIN, judge.against(pairs, name, value_of=lower_bound))
          for name in in_memory or [BLOCKING]),
        judged(f"In memory, Rice warm: at least 1.0 x {BLOCKING}", 1, judge.against(rice, BLOCKING)),
        judged(f"Slow disks: the probe's p99 at least 10 x lower than with {BLOCKING}", 10,
               judge.against(slow, BLOCKING, **probe)),
    ]
