"""What was measured, pass by pass, and how passes are compared: only with those of the same experiment, workload,
disk, number of clients, round and kind, and only if neither is void."""

import collections
import dataclasses

from . import statistics, validity
from .cell import Cell

METRICS = ("requests_per_s", "megabits_per_s", "response_ms", "cpu_us_per_request", "probe_p99_ms")


@dataclasses.dataclass(frozen=True)
class Observation:
    cell: Cell
    kind: str      # cold or warm
    record: dict   # of the pass

    def __getitem__(self, metric):
        return self.record["derived"].get(metric)

    @property
    def is_void(self):
        return bool(self.record["void"])

    @property
    def name(self):
        """The server with what distinguishes it from others of its name."""
        helpers = "" if self.cell.disk_concurrency == 64 else f" ({self.cell.disk_concurrency} helpers)"
        return self.cell.server + helpers + (" again" if self.cell.is_again else "")

    @property
    def place(self):
        """What it may be compared with has the same."""
        cell = self.cell
        return (cell.experiment, cell.workload, cell.disk, cell.clients, cell.memory, self.kind)


def flatten(records):
    return [Observation(Cell.from_json(record["cell"]), one["kind"], one)
            for record in records for one in record["passes"]]


class Observations:
    """All that counts, by where it was measured and by whom."""

    def __init__(self, flat):
        self.all = flat
        self.void = [one for one in flat if one.is_void]
        self.by_place = collections.defaultdict(lambda: collections.defaultdict(dict))
        for one in flat:
            if not one.is_void:
                self.by_place[one.place][one.name][one.cell.round] = one

    def places(self, **wanted):
        """Places in the order of clients; `wanted` names fields of a cell, or kind."""
        def fits(place):
            experiment, workload, disk, clients, memory, kind = place
            fields = {"experiment": experiment, "workload": workload.kind, "disk": disk, "clients": clients,
                      "memory": memory, "kind": kind}
            return all(fields[name] == value for name, value in wanted.items())
        found = [place for place in self.by_place if fits(place)]
        return sorted(found, key=lambda place: (place[0], place[1].name, place[2], place[5], place[3]))

    def servers(self, place):
        return sorted(self.by_place[place])

    def summary(self, place, server, metric):
        """The median over rounds with its spread, or None."""
        rounds = self.by_place[place].get(server, {}).values()
        return statistics.summary([one[metric] for one in rounds if one[metric] is not None])

    def value(self, place, server, metric):
        found = self.summary(place, server, metric)
        return found["median"] if found else None

    def ratio(self, place, ours, theirs, metric="requests_per_s", counting_clients_limit=False):
        """Ours by theirs, round by round. Passes whose client was the limit do not count, unless asked for."""
        def values(server):
            return {number: one[metric] for number, one in self.by_place[place].get(server, {}).items()
                    if one[metric] and (counting_clients_limit or validity.counts_in_comparison(one.record))}
        left, right = values(ours), values(theirs)
        return statistics.ratio_of_pairs([(left[number], right[number]) for number in sorted(left) if number in right])

    def best(self, place, servers, metric="requests_per_s"):
        """Which of these is the fastest there, or None."""
        known = {server: self.value(place, server, metric) for server in servers}
        known = {server: value for server, value in known.items() if value is not None}
        return max(known, key=known.get) if known else None

    def saturated(self, place, server):
        """What was the limit in any round."""
        found = set()
        for one in self.by_place[place].get(server, {}).values():
            found.update(one.record["saturated"])
        return sorted(found)

    def again(self):
        """The A/A test: ratios of the same server measured twice, over all places."""
        pairs = []
        for rounds in self.by_place.values():
            for server in list(rounds):
                if server.endswith(" again") and (first := server.removesuffix(" again")) in rounds:
                    pairs += [(second["requests_per_s"], rounds[first][number]["requests_per_s"])
                              for number, second in rounds[server].items() if number in rounds[first]]
        return statistics.ratio_of_pairs(pairs)
