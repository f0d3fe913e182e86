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


NUMBERS = (("requests/s", "requests_per_s", ",.0f"), ("CPU us a request", "cpu_us_per_request", ",.0f"),
           ("CPU %", "cpu_percent", ".0f"), ("reads queued", "queue_depth", ".1f"),
           ("bytes read for each served", "read_per_served", ".2f"), ("probe p99 ms", "probe_p99_ms", ",.1f"))


def numbers_of(observations, place, theirs):
    """Ours / theirs."""
    texts = []
    for _, metric, form in NUMBERS:
        values = [observations.value(place, name, metric) for name in (LAIO, theirs)]
        texts.append(both_text(values, form))
    shares = [resident_share(observations, place, name) for name in (LAIO, theirs)]
    texts.append(both_text([share if share is None else 100 * share for share in shares], ".0f"))
    texts.append(" / ".join(", ".join(observations.saturated(place, name)) or "nothing" for name in (LAIO, theirs)))
    return texts


def both_text(values, form):
    return "" if values == [None, None] else " / ".join("-" if one is None else format(one, form) for one in values)


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
    rows = []
    for (place, theirs), _ in found[:LOSSES_SHOWN_MAX]:
        ratio = observations.ratio(place, LAIO, theirs)
        rows.append((place.short, theirs, f"{ratio['ratio']:.2f} x{goals.range_text(ratio, False)}",
                     *numbers_of(observations, place, theirs), reading(observations, place, theirs)))
    left_out = len(found) - len(rows)
    return [Heading("Losses"),
            Paragraph("The places that keep a goal from being met, the lowest ratio first, with the numbers of both "
                      f"servers there: {LAIO} / the other. Resident is what of the tree was in memory after the last "
                      "pass; before each server it was nothing, which is looked at. The last column says what the "
                      "numbers tell; the reason itself is a profile's to tell."
                      + (f" {left_out} more are not shown." if left_out else "")),
            Table(("where", "against", "ratio", *(head for head, _, _ in NUMBERS), "resident %", "saturated",
                   "what these numbers tell"), tuple(rows), numbers_from=99)]
