"""What was measured, pass by pass, and how passes are compared: only with those of the same experiment, workload,
disk, number of clients, share of memory, round and kind, and only if neither is void or the client was its limit. Who
was to be measured somewhere and does not count there is known with the reason."""

import collections
import dataclasses
import typing

from . import statistics, validity
from .cell import Cell, Workload


class Place(typing.NamedTuple):
    """What may be compared with one another has the same."""
    experiment: str
    workload: Workload
    disk: str
    clients: int
    memory: float | None   # of the footprint
    kind: str              # cold or warm

    @property
    def is_in_memory(self):
        return self.memory is None or self.memory >= 1

    @property
    def short(self):
        return f"{self.workload.name}, {self.disk}, {self.clients} clients, {self.kind}"

    @property
    def text(self):
        memory = "" if self.memory is None else f", memory {self.memory:.2f} of the footprint"
        return f"{self.experiment}, {self.workload.name}, {self.disk}, {self.clients} clients{memory}, {self.kind}"


@dataclasses.dataclass(frozen=True)
class Observation:
    cell: Cell
    kind: str      # cold or warm
    record: dict   # of the pass

    def __getitem__(self, metric):
        found = self.record["derived"].get(metric)
        if found is None and metric == "probe_p50_ms" and "load" in self.record:
            return (self.record["load"].get("probe_ms") or {}).get("p50")
        return found

    @property
    def is_void(self):
        return bool(self.record["void"])

    @property
    def name(self):
        return name_of(self.cell)

    @property
    def place(self):
        return place_of(self.cell, self.kind)


def name_of(cell):
    """The server with what distinguishes it from others of its name."""
    helpers = "" if cell.disk_concurrency == 64 else f" ({cell.disk_concurrency} helpers)"
    return cell.server + helpers + (" again" if cell.is_again else "")


def place_of(cell, kind):
    return Place(cell.experiment, cell.workload, cell.disk, cell.clients, cell.memory, kind)


def flatten(records):
    """Each pass; those that a failed cell did not come to are void, for its reason."""
    found = []
    for record in records:
        cell = Cell.from_json(record["cell"])
        found += [Observation(cell, one["kind"], one) for one in record["passes"]]
        if "failure" in record:
            missing = {"derived": {}, "saturated": [], "void": [record["failure"]]}
            found += [Observation(cell, kind, missing) for kind in cell.passes
                      if kind not in {one["kind"] for one in record["passes"]}]
    return found


class Observations:
    """All that counts, by where it was measured and by whom. `planned` are cells that should have been measured."""

    def __init__(self, flat, planned=()):
        self.all = flat
        self.void = [one for one in flat if one.is_void]
        self.by_place = collections.defaultdict(lambda: collections.defaultdict(dict))
        self.expected = collections.defaultdict(set)
        self.reasons = collections.defaultdict(set)
        for cell in planned:
            for kind in cell.passes:
                self.expected[place_of(cell, kind)].add(name_of(cell))
        for one in flat:
            self.expected[one.place].add(one.name)
            if one.is_void:
                self.reasons[one.place, one.name].update(one.record["void"])
            else:
                self.by_place[one.place][one.name][one.cell.round] = one
                if not validity.counts_in_comparison(one.record):
                    self.reasons[one.place, one.name].add("the client was the limit")

    def places(self, **wanted):
        """Places where something counts, in the order of clients; `wanted` names fields of a place."""
        return in_order([place for place in self.by_place if fits(place, wanted)])

    def expected_places(self, **wanted):
        """The same, with those where something should have been measured or does not count."""
        return in_order([place for place in self.expected if fits(place, wanted)])

    def figure_places(self, workload, kind):
        """Of one of the paper's workloads on ext4, where it was measured with the most numbers of clients, at its
        largest: what was measured at another scale or with other memory is no part of that picture."""
        groups = collections.defaultdict(list)
        for place in self.places(experiment=workload, workload=workload, disk="ext4"):
            groups[place.workload, place.memory].append(place)
        if not groups:
            return []
        chosen = max(groups, key=lambda key: (len({place.clients for place in groups[key]}), key[0].scale))
        return [place for place in groups[chosen] if place.kind == kind]

    def servers(self, place):
        return sorted(self.by_place[place]) if place in self.by_place else []

    def rounds(self, place, server):
        """Round -> observation, of what is not void."""
        return self.by_place[place].get(server, {}) if place in self.by_place else {}

    def comparable(self, place, server):
        """Of these, what says something about the server."""
        return {number: one for number, one in self.rounds(place, server).items()
                if validity.counts_in_comparison(one.record)}

    def why_not(self, place, server):
        """Why it does not count there, or None if it does."""
        if self.comparable(place, server):
            return None
        return "; ".join(sorted(self.reasons.get((place, server), ()))) or "not measured"

    def summary(self, place, server, metric):
        """The median over rounds with its spread, or None."""
        rounds = self.rounds(place, server).values()
        return statistics.summary([one[metric] for one in rounds if one[metric] is not None])

    def value(self, place, server, metric):
        found = self.summary(place, server, metric)
        return found["median"] if found else None

    def ratio(self, place, ours, theirs, metric="requests_per_s", counting_clients_limit=False):
        """Ours by theirs, round by round. Passes whose client was the limit do not count, unless asked for."""
        def values(server):
            found = (self.rounds if counting_clients_limit else self.comparable)(place, server)
            return {number: one[metric] for number, one in found.items() if one[metric]}
        left, right = values(ours), values(theirs)
        return statistics.ratio_of_pairs([(left[number], right[number]) for number in sorted(left) if number in right])

    def best(self, place, servers, metric="requests_per_s"):
        """Which of these is the fastest there, or None. Of one that was held up by the client it is not known how
        fast it is: it is left out, and `why_not` says so."""
        known = {}
        for server in servers:
            values = [one[metric] for one in self.comparable(place, server).values() if one[metric] is not None]
            if values:
                known[server] = statistics.summary(values)["median"]
        return max(known, key=known.get) if known else None

    def saturated(self, place, server):
        """What was the limit in any round."""
        found = set()
        for one in self.rounds(place, server).values():
            found.update(one.record["saturated"])
        return sorted(found)

    def shows_inversion(self, place, server):
        """Whether the load left the CPU free enough in each round, so that the probe waited for no other reason."""
        return all(validity.shows_inversion(one.record) for one in self.rounds(place, server).values())

    def again(self, places=None):
        """The A/A test: ratios of the same server measured twice, over all places or these."""
        pairs = []
        for place in self.places() if places is None else places:
            for server in self.servers(place):
                if server.endswith(" again"):
                    first, second = (self.comparable(place, name) for name in (server.removesuffix(" again"), server))
                    pairs += [(second[number]["requests_per_s"], first[number]["requests_per_s"])
                              for number in second if number in first]
        return statistics.ratio_of_pairs(pairs)


def fits(place, wanted):
    fields = dict(place._asdict(), workload=place.workload.kind)
    return all(fields[name] == value for name, value in wanted.items())


def in_order(places):
    return sorted(places, key=lambda place: (place.experiment, place.workload.name, place.disk, place.memory or 0,
                                             place.kind, place.clients))
