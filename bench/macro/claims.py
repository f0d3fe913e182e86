"""What the paper says, each sentence beside what was measured here; wins and losses alike. A claim over a range of
clients is answered with the range measured here. Only ratios are compared: the paper's machine was another one."""

import dataclasses

from .plan import BLOCKING, LAIO


@dataclasses.dataclass(frozen=True)
class Claim:
    where: str
    paper: str
    workload: str
    kinds: tuple
    ours: str
    theirs: str
    metric: str = "requests_per_s"
    from_clients: int = 0


BOTH, COLD, WARM = ("cold", "warm"), ("cold",), ("warm",)
CLAIMS = (
    Claim("Figure 7(a)", "+12 % to +38 %", "berkeley", BOTH, "thttpd-LAIO-LAIO", "thttpd-NB-B"),
    Claim("Figure 7(a)", "+5 % to +108 %", "berkeley", BOTH, LAIO, BLOCKING),
    Claim("Figure 7(b)", "lower response times", "berkeley", BOTH, "thttpd-LAIO-LAIO", "thttpd-NB-B", "response_ms"),
    Claim("Figure 7(b)", "lower response times", "berkeley", BOTH, LAIO, BLOCKING, "response_ms"),
    Claim("Figure 8(a)", "+9 % to +36 %", "rice", COLD, "thttpd-LAIO-LAIO", "thttpd-NB-B"),
    Claim("Figure 8(a)", "+12 % to +38 %", "rice", COLD, LAIO, BLOCKING),
    Claim("Figure 8(a)", "no gain", "rice", WARM, "thttpd-LAIO-LAIO", "thttpd-NB-B"),
    Claim("Figure 8(a)", "no gain", "rice", WARM, LAIO, BLOCKING),
    Claim("Figure 8(b)", "lower response times", "rice", COLD, LAIO, BLOCKING, "response_ms"),
    Claim("Figure 9(a)", "very close", "berkeley", BOTH, LAIO, "Flash-NB-LAIO"),
    Claim("Figure 9(b)", "very close", "rice", BOTH, LAIO, "Flash-NB-LAIO"),
    Claim("Figure 10(a)", "above from 128 clients on, at most +34 %", "berkeley", BOTH, LAIO, "Flash-NB-AIO",
          from_clients=128),
    Claim("Figure 10(b)", "little difference", "rice", BOTH, LAIO, "Flash-NB-AIO"),
    Claim("Figure 11(a)", "+10 % to +40 %", "berkeley", BOTH, LAIO, "Flash-NB-AMPED"),
    Claim("Figure 11(a)", "+10 % to +40 %", "berkeley", BOTH, LAIO, "Flash-NB-AMTED"),
    Claim("Figure 11(a)", "no noticeable difference", "berkeley", BOTH, "Flash-NB-AMTED", "Flash-NB-AMPED"),
    Claim("Figure 11(b)", "almost the same", "rice", BOTH, LAIO, "Flash-NB-AMPED"),
    Claim("Figure 11(b)", "almost the same", "rice", BOTH, LAIO, "Flash-NB-AMTED"),
    Claim("Section 9.2.2", "15.7 % fewer bytes from disk", "berkeley", WARM, LAIO, "Flash-NB-AMPED", "read_per_served"),
    Claim("Section 9.2.2", "+5.8 % disk transfer rate", "berkeley", WARM, LAIO, "Flash-NB-AMPED", "read_mb_per_s"),
)
PEAKS = (("Section 11", "peak +25 %", "Flash-NB-AMPED"), ("Section 11", "peak +24 %", "Flash-NB-AIO"))


def percent(ratio):
    """1.24 is "+24 %"."""
    return f"{round(100 * (ratio - 1)) or 0:+d} %"  # and never "-0 %"


def range_text(found):
    """Of the ratios at each number of clients."""
    if not found:
        return "not measured"
    ratios = {clients: ratio for clients, (ratio, _) in found.items()}
    low, high = min(ratios.values()), max(ratios.values())
    text = percent(low) if percent(low) == percent(high) else f"{percent(low)} to {percent(high)}"
    each = ", ".join(f"{clients}: {percent(ratio)}{'*' if is_clients else ''}"
                     for clients, (ratio, is_clients) in sorted(found.items()))
    return f"{text} ({each})"


def measured(claim, kind, observations):
    """Clients -> (ratio, whether the client was the limit of either): it counts here, for that is what the paper's own
    figures may have shown, and is marked."""
    found = {}
    for place in observations.figure_places(claim.workload, kind):
        ratio = observations.ratio(place, claim.ours, claim.theirs, claim.metric, counting_clients_limit=True)
        if place.clients >= claim.from_clients and ratio:
            limits = {limit for name in (claim.ours, claim.theirs) for limit in observations.saturated(place, name)}
            found[place.clients] = (ratio["ratio"], "client" in limits)
    return found


NAMES_OF_METRICS = {"requests_per_s": "throughput", "response_ms": "mean response time",
                    "read_per_served": "bytes from disk by bytes served", "read_mb_per_s": "disk transfer rate"}


HEAD = ("where", "who", "workload", "what", "paper", "here")


def of_figure(observations, number):
    """The rows that are about one figure; of None those that are about no figure."""
    beginning = f"Figure {number}("
    return [row for row in rows(observations)
            if (row[0].startswith(beginning) if number else not row[0].startswith("Figure"))]


def rows(observations):
    """For a table: where, who, what, the paper's words, ours."""
    result = []
    for claim in CLAIMS:
        for kind in claim.kinds:
            here = range_text(measured(claim, kind, observations))
            result.append((claim.where, f"{claim.ours} against {claim.theirs}", f"{claim.workload}, {kind}",
                           NAMES_OF_METRICS[claim.metric], claim.paper, here))
    for where, paper, theirs in PEAKS:
        result.append((where, f"{LAIO} against {theirs}", "berkeley, peak over clients and caches", "throughput", paper,
                       peak_text(observations, theirs)))
    return result


def peak_text(observations, theirs):
    def peak(server):
        values = [observations.value(place, server, "requests_per_s")
                  for kind in BOTH for place in observations.figure_places("berkeley", kind)]
        return max((value for value in values if value is not None), default=None)
    ours, other = peak(LAIO), peak(theirs)
    return percent(ours / other) if ours and other else "not measured"
