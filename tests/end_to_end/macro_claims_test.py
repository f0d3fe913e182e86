#!/usr/bin/env python3
"""The paper's claims and our goals, answered from records that are made up: what is compared with what, and what is
said when it was not measured."""

import unittest

from macro_records import BERKELEY, RICE, cell, record

from macro import claims, goals
from macro.observations import Observations, flatten


def observed(*records):
    return Observations(flatten(records))


def row(observations, where, who, workload="berkeley, warm"):
    return next(one for one in claims.rows(observations) if one[0] == where and one[1] == who and one[2] == workload)


def goal(observations, beginning):
    return next(one for one in goals.outcomes(observations) if one.text.startswith(beginning))


LAIO, BLOCKING, AIO = "Flash-LAIO-LAIO", "Flash-NB-B", "Flash-NB-AIO"


class Comparing(unittest.TestCase):
    def test_only_like_with_like(self):
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING, clients=16), 100),
                                record(cell(BLOCKING, disk="flash"), 100), record(cell(BLOCKING, round=1), 100),
                                record(cell(BLOCKING, workload=RICE), 100))
        for place in observations.places():
            self.assertIsNone(observations.ratio(place, LAIO, BLOCKING))

    def test_rounds_are_pairs(self):
        records = [record(cell(LAIO, round=number), 200 * (number + 1)) for number in range(5)]
        records += [record(cell(BLOCKING, round=number), 100 * (number + 1)) for number in range(5)]
        observations = observed(*records)
        place = observations.places(kind="cold")[0]
        self.assertEqual(observations.ratio(place, LAIO, BLOCKING), {"ratio": 2, "lower": 2, "upper": 2, "n": 5})

    def test_void_passes_are_not_there(self):
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING), 100, load={"errors": {"reset": 1}}))
        self.assertEqual(len(observations.void), 2)
        self.assertIsNone(observations.ratio(observations.places()[0], LAIO, BLOCKING))

    def test_a_saturated_client_counts_only_where_asked_for(self):
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING), 100, load={"is_client_bound": True}))
        place = observations.places()[0]
        self.assertIsNone(observations.ratio(place, LAIO, BLOCKING))
        self.assertEqual(observations.ratio(place, LAIO, BLOCKING, counting_clients_limit=True)["ratio"], 3)

    def test_the_same_server_twice(self):
        observations = observed(record(cell(LAIO), 300), record(cell(LAIO, is_again=True), 303))
        self.assertAlmostEqual(observations.again()["ratio"], 1.01)
        self.assertIsNone(observed(record(cell(LAIO), 300)).again())

    def test_fewer_helpers_are_another_server(self):
        observations = observed(record(cell("Flash-NB-AMPED"), 300),
                                record(cell("Flash-NB-AMPED", disk_concurrency=4), 9))
        place = observations.places(kind="cold")[0]
        self.assertEqual(observations.value(place, "Flash-NB-AMPED", "requests_per_s"), 300)
        self.assertEqual(observations.best(place, observations.servers(place)), "Flash-NB-AMPED")


class Claims(unittest.TestCase):
    def test_beside_the_paper(self):
        observations = observed(record(cell(LAIO, clients=16), 105), record(cell(BLOCKING, clients=16), 100),
                                record(cell(LAIO, clients=256), 230), record(cell(BLOCKING, clients=256), 100))
        found = row(observations, "Figure 7(a)", f"{LAIO} against {BLOCKING}")
        self.assertEqual(found[4:], ("+5 % to +108 %", "+5 % to +130 % (16: +5 %, 256: +130 %)"))

    def test_losses_too(self):
        observations = observed(record(cell(LAIO), 90), record(cell(BLOCKING), 100))
        self.assertIn("-10 %", row(observations, "Figure 7(a)", f"{LAIO} against {BLOCKING}")[5])

    def test_from_a_number_of_clients_on(self):
        records = [record(cell(server, clients=clients), 100) for server in (LAIO, AIO) for clients in (16, 256)]
        self.assertEqual(row(observed(*records), "Figure 10(a)", f"{LAIO} against {AIO}")[5], "+0 % (256: +0 %)")

    def test_what_was_not_measured(self):
        self.assertEqual({one[5] for one in claims.rows(observed())}, {"not measured"})

    def test_peaks_over_all(self):
        observations = observed(record(cell(LAIO, clients=16), 100), record(cell(AIO, clients=256), 160))
        self.assertEqual(claims.peak_text(observations, AIO), "-38 %")


class Goals(unittest.TestCase):
    def test_the_worst_place_decides(self):
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING), 100),
                                record(cell(LAIO, clients=256), 150), record(cell(BLOCKING, clients=256), 100))
        found = goal(observations, "Larger than memory, ext4")
        self.assertEqual(found.verdict, goals.NOT_MET)
        self.assertIn("1.50 to 3.00 x", found.here)
        self.assertIn("256 clients", found.here)

    def test_noise(self):
        self.assertEqual([goals.verdict_of(value, 2) for value in (2, 1.95, 1.93)],
                         [goals.MET, goals.NEARLY, goals.NOT_MET])

    def test_few_clients_do_not_decide_about_many(self):
        observations = observed(record(cell(LAIO, clients=16), 100), record(cell(BLOCKING, clients=16), 100))
        self.assertEqual(goal(observations, "Larger than memory, ext4").verdict, goals.NOT_MEASURED)

    def test_nginx_at_its_best(self):
        records = [record(cell(LAIO), 200, cpu_us=50), record(cell("nginx"), 100, cpu_us=40),
                   record(cell("nginx-threads-64"), 170, cpu_us=60), record(cell("nginx-workers-16"), 210, cpu_us=60)]
        observations = observed(*records)
        self.assertEqual(goal(observations, "ext4: at least 1.25").verdict, goals.NOT_MET)
        self.assertIn("nginx-threads-64", goal(observations, "ext4: at least 1.25").here)
        self.assertIn("nginx-workers-16", goal(observations, "ext4: at least 1.0").here)
        self.assertEqual(goal(observations, "ext4: less CPU").verdict, goals.MET)

    def test_in_memory_bounds(self):
        records = []
        for number in range(9):
            records += [record(cell(LAIO, workload=RICE, round=number), 99), record(cell(BLOCKING, workload=RICE,
                                                                                         round=number), 100)]
        observations = observed(*records)
        self.assertEqual(goal(observations, "In memory: at least 1.0 x Flash").verdict, goals.NEARLY)
        self.assertEqual(goal(observations, "In memory: lower bounds").verdict, goals.MET)

    def test_the_probe(self):
        records = [record(cell(LAIO, disk="hdd"), 100, probe_p99_ms=2.0),
                   record(cell(BLOCKING, disk="hdd"), 50, probe_p99_ms=40.0)]
        found = goal(observed(*records), "Slow disks: the probe")
        self.assertEqual(found.verdict, goals.MET)
        self.assertIn("20.00", found.here)

    def test_nothing_was_measured(self):
        self.assertEqual({one.verdict for one in goals.outcomes(observed())}, {goals.NOT_MEASURED})


if __name__ == "__main__":
    unittest.main()
