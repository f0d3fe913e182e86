#!/usr/bin/env python3
"""Medians, spreads and bounds of the evaluation, against what can be counted by hand or drawn at random."""

import random
import sys
import unittest

from programs import SOURCE

sys.path.insert(0, str(SOURCE / "bench"))
from macro import statistics


class Statistics(unittest.TestCase):
    def test_a_summary(self):
        self.assertEqual(statistics.summary([5, 1, 3, 2, 4]),
                         {"median": 3, "low": 2, "high": 4, "min": 1, "max": 5, "n": 5})
        self.assertEqual(statistics.summary([7])["low"], 7)
        self.assertIsNone(statistics.summary([]))

    def test_quantiles_are_by_proportion(self):
        self.assertAlmostEqual(statistics.quantile([0, 10], 0.25), 2.5)
        self.assertEqual(statistics.quantile([0, 10, 20], 1), 20)

    def test_ranks_of_bounds(self):
        # One of 2^5 orders has all five ratios on one side of the median: 3.1 %. Four: 6.25 %, too many.
        self.assertEqual([statistics.bound_rank(n) for n in (0, 1, 4, 5, 7, 8, 9, 11)], [0, 0, 0, 1, 1, 2, 2, 3])

    def test_bounds_hold_as_often_as_they_say(self):
        source, held, tries = random.Random(1), 0, 4000
        for _ in range(tries):
            pairs = [(source.lognormvariate(0.1, 0.3), 1) for _ in range(9)]
            held += statistics.ratio_of_pairs(pairs)["lower"] <= 2.718281828459045 ** 0.1
        self.assertGreater(held / tries, 0.95)
        self.assertLess(held / tries, 0.999)

    def test_ratios_of_pairs(self):
        found = statistics.ratio_of_pairs([(2, 1), (30, 10), (8, 2), (5, 1), (6, 1)])
        self.assertEqual((found["ratio"], found["lower"], found["upper"], found["n"]), (4, 2, 6, 5))
        self.assertEqual((found["min"], found["max"]), (2, 6))
        self.assertIsNone(statistics.ratio_of_pairs([(2, 1), (3, 1)])["lower"])
        self.assertIsNone(statistics.ratio_of_pairs([(2, 0)]))

    def test_a_server_agrees_with_itself_in_each_pair(self):
        near = statistics.ratio_of_pairs([(102, 100), (98, 100), (100, 100)])
        self.assertTrue(statistics.agrees_with_itself(near))
        # Their median is 1, and yet what a single pair says is worth nothing.
        noisy = statistics.ratio_of_pairs([(60, 100), (100, 100), (140, 100)])
        self.assertEqual(noisy["ratio"], 1)
        self.assertFalse(statistics.agrees_with_itself(noisy))
        self.assertAlmostEqual(statistics.furthest_from_one(noisy), 0.4)


if __name__ == "__main__":
    unittest.main()
