"""The report's judgements: whether a server agrees with itself, which goals are reached, and what the numbers say
about each place that was lost. The reason for a loss is found by a profile: what is said here is where to look."""

from . import goals, validity
from .document import Heading, Items, Paragraph, Table
from .plan import LAIO
from .statistics import AGAIN_TOLERANCE, agrees_with_itself, furthest_from_one

MISSING_SHOWN_MAX = 8
LOSSES_SHOWN_MAX = 16
CLEARLY = 1.15  # a number that differs by less explains nothing


def again_part(observations):
    head = Heading("Does a server agree with itself?")
    places = [place for place in observations.places() if observations.again([place])]
    if not places:
        return [head, Paragraph("Not asked, or the client was the limit: nothing is known of the noise of this run.")]
    ratio = observations.again()
    off = 100 * furthest_from_one(ratio)
    bounds = (f"; the median is above {ratio['lower']:.3f} and below {ratio['upper']:.3f}, each with 95 %, one-sided"
              if ratio["lower"] else "")
    if ratio["n"] == 1:
        verdict = "One pair shows no spread: how much smaller differences mean is not known."
    elif agrees_with_itself(ratio):
        verdict = f"That is 1.00 ± {AGAIN_TOLERANCE:.2f} in each pair: larger differences than that mean something."
    else:
        verdict = (f"That is not 1.00 ± {AGAIN_TOLERANCE:.2f}: a single pair of this run may be off by {off:.0f} % "
                   "although nothing differs. A smaller difference, of servers that were measured once, means nothing; "
                   "medians of several rounds are better than that, by as much as their bounds say.")
    rows = []
    for place in places:
        one = observations.again([place])
        rows.append((place.short, one["n"], f"{one['ratio']:.3f}", f"{one['min']:.3f}", f"{one['max']:.3f}"))
    return [head,
            Paragraph(f"The same server measured twice, in {goals.counted(ratio['n'], 'pair')}: from "
                      f"{ratio['min']:.3f} to {ratio['max']:.3f}, median {ratio['ratio']:.3f}{bounds}. It is judged by "
                      f"the furthest pair, not by the median, in which noise to either side cancels out. {verdict}"),
            Table(("place", "pairs", "median", "least", "greatest"), tuple(rows))]


def goals_part(observations):
    outcomes = goals.outcomes(observations)
    rows = tuple((one.text, one.verdict, one.here, first_texts([found.label for found in one.lost], 3),
                  str(len(one.missing)) if one.missing else "") for one in outcomes)
    missing = {}
    for one in outcomes:
        for text in one.missing:
            missing.setdefault(text, []).append(one.text)
    parts = [Heading("The goals"),
             Paragraph("Each place on its own has to reach a goal, and a goal is met only where all its places were "
                       "measured and count. There is no tolerance beside what a goal says itself."),
             Table(("goal", "outcome", "measured", "places lost, the worst first", "places that do not count"), rows,
                   numbers_from=9)]
    if missing:
        parts += [Paragraph("Places that are missing or do not count, and why:"),
                  Items(tuple(shortened(list(missing), MISSING_SHOWN_MAX)))]
    return parts


def shortened(texts, most):
    return texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most} more"]


def first_texts(texts, most):
    return "; ".join(shortened(texts, most))


def losses(observations):
    """(place, rival) that lost a goal by throughput, each once, the worst first."""
    found = {}
    for outcome in goals.outcomes(observations):
        for one in outcome.lost:
            if observations.ratio(one.place, LAIO, one.theirs):
                found.setdefault((one.place, one.theirs), []).append(outcome.text)
    return sorted(found.items(), key=lambda pair: observations.ratio(*pair[0][:1], LAIO, pair[0][1])["ratio"])


def numbers_of(observations, place, server):
    texts = []
    for metric, form, unit in (("requests_per_s", ",.0f", " requests/s"),
                               ("cpu_us_per_request", ",.0f", " us of CPU each"),
                               ("cpu_percent", ".0f", " % of the CPU"), ("queue_depth", ".1f", " reads queued"),
                               ("read_per_served", ".2f", " bytes read for each served"),
                               ("switches_per_request", ".1f", " switches each"),
                               ("probe_p99_ms", ",.1f", " ms probe's p99")):
        value = observations.value(place, server, metric)
        if value is not None:
            texts.append(f"{value:{form}}{unit}")
    resident = resident_share(observations, place, server)
    if resident is not None:
        texts.append(f"{100 * resident:.0f} % resident afterwards")
    limits = observations.saturated(place, server)
    return ", ".join(texts) + (f" [{', '.join(limits)} saturated]" if limits else "")


def resident_share(observations, place, server):
    """Of the tree, in memory after the last pass; None where it was not looked at."""
    shares = []
    for one in observations.rounds(place, server).values():
        resident = one.record.get("memory", {}).get("resident_after_bytes")
        if resident is not None and one.record["workload"]["footprint_bytes"]:
            shares.append(resident / one.record["workload"]["footprint_bytes"])
    return max(shares) if shares else None


def reading(observations, place, theirs):
    """In plain words, from the numbers alone: by what the two differ clearly, where it would make ours slower."""
    def by(metric):
        ours, others = (observations.value(place, name, metric) for name in (LAIO, theirs))
        return ours / others if ours and others else 1
    texts = []
    percent = observations.value(place, LAIO, "cpu_percent") or 0
    if percent >= 100 * validity.BUSY_MIN:
        texts.append(f"ours has no CPU left, and takes {by('cpu_us_per_request'):.2f} x theirs for a request")
    elif by("cpu_us_per_request") > CLEARLY:
        texts.append(f"ours takes {by('cpu_us_per_request'):.2f} x their CPU for a request, yet has CPU left")
    if by("read_per_served") > CLEARLY:
        texts.append(f"ours reads {by('read_per_served'):.2f} x as much from the disk")
    if by("queue_depth") < 1 / CLEARLY:
        texts.append(f"ours keeps {by('queue_depth'):.2f} x as many reads under way")
    if "disk" in observations.saturated(place, LAIO):
        texts.append("the disk was busy all the time with ours")
    return "; ".join(texts) or "none of these numbers tells them apart"


def losses_part(observations):
    found = losses(observations)
    if not found:
        return [Heading("Losses"), Paragraph("No place that was measured loses a goal by throughput.")]
    texts = []
    for (place, theirs), _ in found[:LOSSES_SHOWN_MAX]:
        ratio = observations.ratio(place, LAIO, theirs)
        texts.append(f"{place.text}: {ratio['ratio']:.2f} x {theirs}{goals.range_text(ratio, False)}. Ours: "
                     f"{numbers_of(observations, place, LAIO)}. Theirs: {numbers_of(observations, place, theirs)}. "
                     f"Reading: {reading(observations, place, theirs)}.")
    if len(found) > LOSSES_SHOWN_MAX:
        texts.append(f"and {len(found) - LOSSES_SHOWN_MAX} more, nearer to their goal")
    return [Heading("Losses"),
            Paragraph("Each place that keeps a goal from being met, with the numbers of both servers there. They tell "
                      "where to look for the reason; the reason itself is a profile's to tell."),
            Items(tuple(texts))]
