"""Medians and spreads of a few repetitions, and ratios of pairs that were measured one after the other. The lower
bound of a ratio is that of the sign test, which assumes nothing about how the ratios are distributed: with confidence
95 % the median is above the k-th smallest. Below five pairs there is none. Each bound is one-sided: lower and upper
together hold with 90 %. Means and t lost: one disturbed round moves them."""

import math
import statistics

CONFIDENCE = 0.95
AGAIN_TOLERANCE = 0.03


def summary(values):
    """The median with the range that half of the values are in, and all of them are in."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {"median": statistics.median(ordered), "low": quantile(ordered, 0.25), "high": quantile(ordered, 0.75),
            "min": ordered[0], "max": ordered[-1], "n": len(ordered)}


def quantile(ordered, share):
    """By proportion between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def bound_rank(n, confidence=CONFIDENCE):
    """The largest k such that the median is above the k-th smallest of n with this confidence; 0 if there is none."""
    tail, rank = 0.0, 0
    while rank < n:
        tail += math.comb(n, rank) / 2 ** n
        if tail > 1 - confidence:
            break
        rank += 1
    return rank


def ratio_of_pairs(pairs):
    """(ours, theirs) of each round: the median of the ratios, its lower and upper bounds where there are enough."""
    ratios = sorted(ours / theirs for ours, theirs in pairs if theirs > 0)
    if not ratios:
        return None
    rank = bound_rank(len(ratios))
    return {"ratio": statistics.median(ratios), "lower": ratios[rank - 1] if rank else None,
            "upper": ratios[-rank] if rank else None, "min": ratios[0], "max": ratios[-1], "n": len(ratios)}


def furthest_from_one(ratio):
    """How far a single pair was off, to either side."""
    return max(abs(ratio["min"] - 1), abs(ratio["max"] - 1))


def agrees_with_itself(ratio):
    """The A/A test: the same server twice must give the same, in each pair. By their median there would be no noise
    however large it is: what is too much in one pair is too little in the next."""
    return furthest_from_one(ratio) <= AGAIN_TOLERANCE
