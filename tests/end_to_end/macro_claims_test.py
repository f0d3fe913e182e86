#!/usr/bin/env python3
"""The paper's claims and our goals, answered from records that are made up: what is compared with what, and what is
said when it was not measured."""

import unittest

from macro_records import BERKELEY, RICE, cell, record

from macro import architecture, claims, goals
from macro.cell import Workload
from macro.observations import Observations, flatten


def observed(*records):
    return Observations(flatten(records))


def row(observations, where, who, workload="berkeley, warm"):
    return next(one for one in claims.rows(observations) if one[0] == where and one[1] == who and one[2] == workload)


def goal(observations, beginning):
    return next(one for one in goals.outcomes(observations) if one.text.startswith(beginning))


LAIO, BLOCKING, AIO = "Flash-LAIO-LAIO", "Flash-NB-B", "Flash-NB-AIO"
TWICE_ON_EXT4 = "Larger than memory, small and medium files, ext4"
FLAT = Workload("flat", options=("mean_file_bytes=1024",))


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
        self.assertEqual(observations.ratio(place, LAIO, BLOCKING), {"ratio": 2, "lower": 2, "upper": 2,
                                                                       "min": 2, "max": 2, "n": 5})

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

    def test_the_same_server_twice_says_nothing_when_the_client_was_the_limit(self):
        observations = observed(record(cell(LAIO), 300), record(cell(LAIO, is_again=True), 300,
                                                                load={"is_client_bound": True}))
        self.assertIsNone(observations.again())

    def test_the_best_is_not_one_that_the_client_held_up_or_that_is_void(self):
        observations = observed(record(cell("nginx"), 100),
                                record(cell("nginx-workers-8"), 300, load={"is_client_bound": True}),
                                record(cell("nginx-workers-16"), 400, load={"errors": {"reset": 1}}))
        place = observations.places(kind="cold")[0]
        names = ["nginx", "nginx-workers-8", "nginx-workers-16"]
        self.assertEqual(observations.best(place, names), "nginx")
        self.assertEqual([observations.why_not(place, name) for name in names],
                         [None, "the client was the limit", "errors in responses: 1 reset"])

    def test_a_failed_cell_does_not_count_for_its_reason(self):
        failed = dict(record(cell("nginx"), 100), passes=[], failure="CellFailure: it did not start")
        observations = observed(failed, record(cell(LAIO), 100))
        place = observations.places(kind="warm")[0]
        self.assertEqual(observations.why_not(place, "nginx"), "CellFailure: it did not start")

    def test_another_scale_or_memory_is_another_place(self):
        larger = Workload("berkeley", 0.1)
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING, workload=larger, memory=0.3), 100),
                                record(cell(BLOCKING, memory=0.5), 100))
        self.assertEqual(len(observations.places(kind="cold")), 3)
        for place in observations.places():
            self.assertIsNone(observations.ratio(place, LAIO, BLOCKING))

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


def in_pairs(ours, theirs, rounds=9, server=BLOCKING, **fields):
    """In memory; values are those of the warm pass."""
    fields = {"workload": FLAT, "experiment": "in memory", "memory": None, **fields}
    return [record(cell(name, round=number, **fields), value / 2)
            for number in range(rounds) for name, value in ((LAIO, ours), (server, theirs))]


class Goals(unittest.TestCase):
    def test_each_place_decides(self):
        observations = observed(record(cell(LAIO), 300), record(cell(BLOCKING), 100),
                                record(cell(LAIO, clients=256), 150), record(cell(BLOCKING, clients=256), 100))
        found = goal(observations, TWICE_ON_EXT4)
        self.assertEqual(found.verdict, goals.NOT_MET)
        self.assertEqual(found.here, "1.50 to 3.00 x in 4 places")
        self.assertEqual({one.place.clients for one in found.lost}, {256})
        self.assertEqual(len(found.lost), 2)

    def test_no_tolerance(self):
        for ours, verdict in ((200, goals.MET), (199.9, goals.NOT_MET)):
            self.assertEqual(goal(observed(record(cell(LAIO), ours), record(cell(BLOCKING), 100)),
                                  TWICE_ON_EXT4).verdict, verdict)

    def test_few_clients_do_not_decide_about_many(self):
        observations = observed(record(cell(LAIO, clients=16), 100), record(cell(BLOCKING, clients=16), 100))
        self.assertEqual(goal(observations, TWICE_ON_EXT4).verdict, goals.NOT_MEASURED)

    def test_not_met_while_a_place_does_not_count(self):
        records = [record(cell(name, clients=clients), value) for clients in (64, 256)
                   for name, value in ((LAIO, 300), (BLOCKING, 100))]
        self.assertEqual(goal(observed(*records), TWICE_ON_EXT4).verdict, goals.MET)
        for spoilt in ({"load": {"errors": {"reset": 1}}}, {"load": {"is_client_bound": True}}):
            records[3] = record(cell(BLOCKING, clients=256), 100, **spoilt)
            found = goal(observed(*records), TWICE_ON_EXT4)
            self.assertEqual(found.verdict, goals.IN_PART)
            self.assertEqual(len(found.missing), 2)
            self.assertIn("256 clients", found.missing[0])

    def test_not_met_while_a_planned_place_is_missing(self):
        planned = [cell(name, clients=clients) for clients in (64, 256) for name in (LAIO, BLOCKING)]
        observations = Observations(flatten([record(of, 300 if of.server == LAIO else 100) for of in planned[:2]]),
                                    planned)
        found = goal(observations, TWICE_ON_EXT4)
        self.assertEqual(found.verdict, goals.IN_PART)
        self.assertTrue(all("256 clients" in one and "not measured" in one for one in found.missing), found.missing)

    def test_the_smallest_experiment_is_not_judged(self):
        records = [record(cell(name, experiment="smallest"), 100)
                   for name in (LAIO, BLOCKING, AIO, "Flash-NB-AMPED", "nginx")]
        self.assertEqual({one.verdict for one in goals.outcomes(observed(*records))}, {goals.NOT_MEASURED})

    def test_nginx_at_its_best(self):
        records = [record(cell(LAIO), 200, cpu_us=50), record(cell("nginx"), 100, cpu_us=40),
                   record(cell("nginx-threads-64"), 170, cpu_us=60), record(cell("nginx-workers-16"), 210, cpu_us=60)]
        observations = observed(*records)
        single = goal(observations, "ext4, larger than memory: at least 1.25")
        self.assertEqual(single.verdict, goals.NOT_MET)
        self.assertEqual({one.theirs for one in single.lost}, {"nginx-threads-64"})
        self.assertEqual({one.theirs for one in goal(observations, "ext4, larger than memory: at least 1.0").lost}, {"nginx-workers-16"})
        self.assertEqual(goal(observations, "ext4, larger than memory: less CPU a request than nginx's best of all").verdict, goals.MET)

    def test_nginx_at_its_best_is_not_known_while_a_setting_does_not_count(self):
        records = [record(cell(LAIO), 200), record(cell("nginx"), 100),
                   record(cell("nginx-threads-64"), 500, load={"is_client_bound": True})]
        found = goal(observed(*records), "ext4, larger than memory: at least 1.25")
        self.assertEqual(found.verdict, goals.IN_PART)
        self.assertIn("nginx-threads-64", found.missing[0])

    def test_helpers_at_their_best(self):
        records = [record(cell(name, disk="lookups", disk_concurrency=helpers, passes=("cold",)), value)
                   for name, helpers, value in ((LAIO, 64, 200), ("Flash-NB-AMPED", 64, 100),
                                                ("Flash-NB-AMTED", 16, 180))]
        found = goal(observed(*records), "Where metadata misses: at least 1.25")
        self.assertEqual([one.theirs for one in found.lost], ["Flash-NB-AMTED (16 helpers)"])
        # At equal concurrency it is another one.
        self.assertEqual(goal(observed(*records), "Everywhere, at equal concurrency: at least 1.0 x Flash-NB-AMTED")
                         .verdict, goals.NOT_MEASURED)

    def test_large_files_have_the_disks_bound(self):
        records = [record(cell(name, experiment="large", memory=0.25, passes=("cold",)), 100)
                   for name in (LAIO, BLOCKING)]
        self.assertEqual(goal(observed(*records), TWICE_ON_EXT4).verdict, goals.NOT_MEASURED)
        large = "Larger than memory, large files"
        self.assertEqual(goal(observed(*records), large).verdict, goals.NOT_MEASURED)
        for share, verdict in ((0.96, goals.MET), (0.94, goals.NOT_MET)):
            records[0]["passes"][0]["derived"]["read_by_disk_bound"] = share
            self.assertEqual(goal(observed(*records), large).verdict, verdict)
        records[0]["passes"][0]["derived"].update(read_by_disk_bound=1.04, served_by_disk_bound=0.5)
        self.assertEqual(goal(observed(*records), large).verdict, goals.NOT_MET, "what is read twice does not count")
        records[0]["passes"][0]["derived"]["read_by_disk_bound"] = 1.06
        found = goal(observed(*records), large)
        self.assertEqual(found.verdict, goals.NOT_MEASURED)
        self.assertIn("that was no bound", found.missing[0])

    def test_in_memory_the_lower_bound_decides_without_a_further_tolerance(self):
        beginning = f"In memory, in pairs: at least 1.0 x {BLOCKING}"
        for ours, verdict in ((97, goals.MET), (96.9, goals.NOT_MET)):
            self.assertEqual(goal(observed(*in_pairs(ours, 100)), beginning).verdict, verdict, ours)

    def test_in_memory_each_place_and_each_rival_on_its_own(self):
        observations = observed(*in_pairs(200, 100), *in_pairs(90, 100, clients=16),
                                *in_pairs(200, 100, server="nginx-cache"))
        found = goal(observations, f"In memory, in pairs: at least 1.0 x {BLOCKING}")
        self.assertEqual((found.verdict, [one.place.clients for one in found.lost]), (goals.NOT_MET, [16]))
        self.assertEqual(goal(observations, "In memory, in pairs: at least 1.0 x nginx-cache").verdict, goals.MET)

    def test_in_memory_fewer_than_five_pairs_have_no_bound(self):
        found = goal(observed(*in_pairs(200, 100, rounds=4)), "In memory, in pairs")
        self.assertEqual(found.verdict, goals.NOT_MEASURED)
        self.assertIn(goals.NO_BOUND, found.missing[0])

    def test_the_probe(self):
        records = [record(cell(LAIO, disk="hdd"), 100, probe_p99_ms=2.0),
                   record(cell(BLOCKING, disk="hdd"), 50, probe_p99_ms=40.0)]
        found = goal(observed(*records), "Slow disks: the probe")
        self.assertEqual(found.verdict, goals.MET)
        self.assertIn("20.00", found.here)

    def test_the_probe_does_not_count_beside_a_load_that_takes_the_cpu(self):
        records = [record(cell(LAIO, disk="hdd"), 100, probe_p99_ms=2.0, measured={"server_cpu_share": 0.7}),
                   record(cell(BLOCKING, disk="hdd"), 50, probe_p99_ms=40.0)]
        found = goal(observed(*records), "Slow disks: the probe")
        self.assertEqual(found.verdict, goals.NOT_MEASURED)
        self.assertIn("70 % of the CPU", found.missing[0])

    def test_nothing_was_measured(self):
        self.assertEqual({one.verdict for one in goals.outcomes(observed())}, {goals.NOT_MEASURED})


class Architecture(unittest.TestCase):
    def test_single_loops(self):
        for name in ("nginx", "nginx-cache", "nginx-threads-64-cache", "nginx-workers-1", "lighttpd", "h2o"):
            self.assertTrue(architecture.is_single_loop(name), name)
        for name in ("nginx-workers-8", "nginx-workers-16-cache", "apache", "caddy"):
            self.assertFalse(architecture.is_single_loop(name), name)

    def test_helpers(self):
        self.assertEqual([architecture.helpers_of(name) for name in ("Flash-NB-AMPED", "Flash-NB-AMTED (4 helpers)",
                                                                     "nginx-threads-16-cache")],
                         [("Flash-NB-AMPED", 64), ("Flash-NB-AMTED", 4), ("nginx-cache, threads", 16)])


if __name__ == "__main__":
    unittest.main()
