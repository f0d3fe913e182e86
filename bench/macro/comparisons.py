"""The report's comparisons beside the paper's figures: how long those wait who do not wait for the disk, in memory in
pairs, what a number of helpers changes, and what the workload's open parameters change."""

import collections

from . import architecture, disks, figures, goals, peers, validity
from .document import Heading, Paragraph, Picture, Table
from .failure import Unavailable
from .plan import BLOCKING, LAIO


def picture(name, caption, draw):
    """A picture, or why there is none."""
    try:
        svg = draw()
    except Unavailable as reason:
        return [Paragraph(f"{caption}: {reason}.")]
    return [Picture(name, caption, svg)] if svg else []


def cell_text(value, form):
    return "" if value is None else format(value, form)


def disk_text(disk):
    """What a disk of software was told, where its times are not those of the disk that it models."""
    words = disks.OPTIONS.get(disk, ())
    speed = words[words.index("--speed") + 1] if "--speed" in words else "1"
    return "" if speed == "1" else (
        f"{disk} is {speed} times as fast as the disk it models: --speed divides each seek, rotation and transfer by "
        f"{speed}. Rates are {speed} times as high and waiting as much shorter; only ratios say something about such "
        "a disk.")


def has_probe(observations, place):
    return any(observations.value(place, server, "probe_p99_ms") for server in observations.servers(place))


def inversion_part(observations):
    """Each slow disk at one number of clients: the one where most servers met."""
    chosen = {}
    for place in observations.places(experiment="slow", kind="cold"):
        best = chosen.get(place.disk)
        if has_probe(observations, place) and (
                best is None or len(observations.servers(place)) > len(observations.servers(best))):
            chosen[place.disk] = place
    if not chosen:
        return []
    places = list(chosen.values())
    percent = f"{100 * validity.PROBE_CPU_MAX:.0f} %"
    rows = [(place.disk, name, cell_text(observations.value(place, name, "probe_p50_ms"), ",.2f"),
             f"{observations.value(place, name, 'probe_p99_ms'):,.2f}",
             f"{observations.value(place, name, 'cpu_percent'):.0f}",
             "yes" if observations.shows_inversion(place, name) else f"no: {percent} or more")
            for place in places for name in by(observations, place, "probe_p99_ms")
            if observations.value(place, name, "probe_p99_ms")]
    notes = [text for place in places if (text := disk_text(place.disk))]
    return [Heading("Service inversion: who waits for a disk that he did not ask"),
            Paragraph("A probe asks for a few files that are in memory, 100 times a second, beside a load that waits "
                      f"for the disk. It counts where that load takes less than {percent} of the server's CPU: above, "
                      "it waits for the CPU as anyone would. One that was never answered waited as long as it was "
                      "asked. " + " ".join(dict.fromkeys(notes))),
            *picture("service-inversion", "The probe's median and 99th percentile, logarithmic",
                     lambda: figures.inversion(observations, places)),
            Table(("disk", "server", "probe's median, ms", "p99, ms", "CPU %", "counts"), tuple(rows), numbers_from=2)]


def by(observations, place, metric, is_greatest_first=False):
    names = [name for name in observations.servers(place) if not name.endswith(" again")]
    return sorted(names, key=lambda name: observations.value(place, name, metric) or 0, reverse=is_greatest_first)


def in_memory_part(observations):
    places = observations.expected_places(experiment="in memory", kind="warm")
    if not places:
        return []
    rivals = sorted({name for place in places for name in observations.expected[place]
                     if name != LAIO and not name.endswith(" again")})
    rows = []
    for place in places:
        for rival in (name for name in rivals if name in observations.expected[place]):
            ratio = observations.ratio(place, LAIO, rival)
            whys = [why for name in (LAIO, rival) if (why := observations.why_not(place, name))]
            bound = ratio and ratio["lower"]
            verdict = ("; ".join(whys) if not ratio else goals.NO_BOUND if bound is None
                       else goals.MET if bound >= goals.LOWER_BOUND_MIN else goals.NOT_MET)
            rows.append((place.workload.name, place.clients, rival, cell_text(ratio and ratio["ratio"], ".3f"),
                         cell_text(bound, ".3f"), ratio["n"] if ratio else 0, verdict))
    return [Heading("In memory, in pairs"),
            Paragraph("Ratios of requests/s, round by round. The lower bound is one-sided: the median is above it with "
                      "95 % (sign test). Pairs in which the client was the limit do not count."),
            *picture("in-memory", "In memory: ratios and their bounds",
                     lambda: figures.ratio_bars(observations, [place for place in places
                                                               if place in observations.by_place], LAIO, rivals)),
            Table(("files", "clients", "against", "ratio", "lower bound", "pairs", "at least 0.97"),
                  tuple(rows), numbers_from=3)]


def sweep_part(observations):
    """Helpers, threads, workers: a row for each server that was measured with several numbers of them."""
    rows = []
    for place in observations.places(experiment="berkeley"):
        groups = {}
        for name in by(observations, place, "requests_per_s"):
            server, number = architecture.helpers_of(name)
            groups.setdefault(server, {})[number] = observations.value(place, name, "requests_per_s")
        rows += [(place, server, found) for server, found in groups.items() if len(found) > 1]
    if not rows:
        return []
    counts = collections.Counter(place.clients for place, _, _ in rows)
    clients = max(counts, key=counts.get)  # where most were measured: the others say the same at greater length
    rows = [row for row in rows if row[0].clients == clients]
    columns = sorted({number for _, _, found in rows for number in found})
    return [Heading("How many helpers"),
            Paragraph("Requests/s with so many helpers, threads or workers."),
            Table(("server", "where", *(str(number) for number in columns)),
                  tuple((server, f"{place.disk}, {place.clients} clients, {place.kind}",
                         *(cell_text(found.get(number), ",.0f") for number in columns))
                        for place, server, found in rows), numbers_from=2)]


def sensitivity_part(observations):
    """Each parameter that the paper's Table 2 leaves open, changed alone: does the conclusion move?"""
    places = observations.places(experiment="sensitivity", kind="cold")
    if not places:
        return []
    rivals = (BLOCKING, "Flash-NB-AMPED")
    rows, least, most = [], {}, {}
    for place in sorted(places, key=lambda place: place.workload.options):
        ratios = [observations.ratio(place, LAIO, rival, counting_clients_limit=True) for rival in rivals]
        for rival, ratio in zip(rivals, ratios):
            if ratio:
                least[rival] = min(least.get(rival, ratio["ratio"]), ratio["ratio"])
                most[rival] = max(most.get(rival, ratio["ratio"]), ratio["ratio"])
        rows.append((", ".join(place.workload.options) or "as it is",
                     cell_text(observations.value(place, LAIO, "requests_per_s"), ",.0f"),
                     *(f"{ratio['ratio']:.2f}" if ratio else "" for ratio in ratios)))
    place = places[0]
    span = "; ".join(f"against {rival} {least[rival]:.2f} to {most[rival]:.2f} x" for rival in rivals if rival in least)
    return [Heading("What the workload's open parameters change"),
            Paragraph(f"{place.workload.kind} x {place.workload.scale:g}, {place.disk}, {place.clients} clients, cold; "
                      f"each parameter alone. {span}."),
            Table(("parameter", f"{LAIO}, requests/s", *(f"against {rival}" for rival in rivals)), tuple(rows))]


def best_text(observations, place):
    """Best single loop and best of all, told apart."""
    names = [name for name in observations.servers(place) if not name.endswith(" again")]
    others = [name for name in names if peers.is_known(name)]
    found = (("best of ours", [name for name in names if name not in others]),
             ("best single loop of the others", [name for name in others if architecture.is_single_loop(name)]),
             ("best of all others", others))
    parts = [f"{what}: {best}, {observations.value(place, best, 'requests_per_s'):,.0f} requests/s"
             for what, group in found if (best := observations.best(place, group))]
    left_out = [f"{name} ({why})" for name in sorted(observations.expected[place])
                if not name.endswith(" again") and (why := observations.why_not(place, name))]
    return f"{place.kind.capitalize()} cache. {'; '.join(parts)}." + (
        f" Not among them: {some_of(left_out)}." if left_out else "")


def some_of(texts, most=6):
    return "; ".join(texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most} more"])
