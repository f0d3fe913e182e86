#!/usr/bin/env python3
"""The plans of the evaluation: their sizes, their order, and that a run goes on where it was."""

import json
import pathlib
import tempfile
import unittest

from macro_records import BERKELEY, cell, record

from macro import disks, peers, plan, servers
from macro.cell import Cell
from macro.results import Results


class Plans(unittest.TestCase):
    def test_sizes_are_as_they_are_announced(self):
        self.assertEqual(len(plan.quick()), 5)
        self.assertLessEqual(plan.estimate_s(plan.quick()), 180)
        self.assertTrue(95 <= len(plan.standard()) <= 110, len(plan.standard()))
        self.assertLessEqual(plan.estimate_s(plan.standard()), 50 * 60)

    def test_every_cell_is_its_own(self):
        for name, make in plan.PLANS.items():
            cells = plan.of(name)
            self.assertEqual([one.plan for one in cells], [name] * len(make()))
            self.assertEqual(len({one.key() for one in cells}), len(cells), name)
            for one in cells:
                self.assertTrue(servers.is_ours(one.server) or peers.is_known(one.server), one.server)
                self.assertIn(one.disk, disks.NAMES)

    def test_what_memory_there_is(self):
        self.assertTrue(all(one.memory == 2 / 6.4 for one in plan.standard() if one.workload.kind == "berkeley"))
        self.assertTrue(all(one.memory == 2 / 1.1 for one in plan.standard() if one.workload.kind == "rice"))
        self.assertTrue(all(one.memory == 0.25 and one.disk_bound for one in plan.standard()
                            if one.experiment == "large"))
        self.assertTrue(all(one.is_in_memory for one in plan.warm()))
        self.assertTrue(all(one.memory == 0.25 for one in plan.cold()))

    def test_the_figures_are_in_the_standard_plan(self):
        cells = plan.standard()
        for server in plan.PAPER:
            for kind in ("berkeley", "rice"):
                found = {one.clients for one in cells
                         if (one.server, one.workload.kind, one.disk) == (server, kind, "ext4")}
                self.assertGreaterEqual(len(found), 3, (server, kind))


    def test_rivals_have_their_best_settings(self):
        cells = [one for one in plan.standard() if one.clients == 64]
        for kind, disk, names in (("berkeley", "ext4", plan.PEERS), ("metadata", "lookups", plan.OTHERS)):
            self.assertLessEqual(set(names), {one.server for one in cells
                                              if (one.workload.kind, one.disk) == (kind, disk)})
        helpers = {one.disk_concurrency for one in cells if one.server == "Flash-NB-AMPED" and one.disk == "ext4"}
        self.assertEqual(helpers, {4, 16, 64})

    def test_no_report_shows_two_plans_that_measure_the_same(self):
        def experiments(name):
            return {one.experiment for one in plan.of(name)}
        for name in plan.PLANS:
            others = plan.reported_with(name) - {name}
            self.assertFalse(experiments(name) & set().union(*map(experiments, others)), name)
        keys = [one.key() for name in plan.PLANS for one in plan.of(name)]
        self.assertEqual(len(set(keys)), len(keys))

    def test_there_are_more_sequences_than_clients(self):
        for name in plan.PLANS:
            for one in plan.of(name):
                values = dict(option.split("=") for option in one.workload.options)
                if one.workload.kind == "flat":
                    sequences = int(values["requests"]) / int(values["sequence_mean_requests"])
                    self.assertGreaterEqual(sequences, 3 * one.clients, one.label)


class Order(unittest.TestCase):
    def test_the_seed_decides(self):
        cells = plan.standard()
        self.assertEqual(plan.ordered(cells, 1), plan.ordered(cells, 1))
        self.assertNotEqual(plan.ordered(cells, 1), plan.ordered(cells, 2))
        self.assertEqual(sorted(map(str, plan.ordered(cells, 1))), sorted(map(str, cells)))

    def test_who_is_compared_comes_one_after_another(self):
        blocks = [plan.block_of(one) for one in plan.ordered(plan.warm(), 1)]
        changes = sum(left != right for left, right in zip(blocks, blocks[1:]))
        self.assertEqual(changes, len(set(blocks)) - 1)

    def test_nobody_always_comes_first(self):
        firsts, last = set(), None
        for one in plan.ordered(plan.warm(), 1):
            if plan.block_of(one) != last:
                firsts.add(one.server)
            last = plan.block_of(one)
        self.assertGreater(len(firsts), 1)


    def test_a_block_is_measured_as_a_whole(self):
        cells = plan.ordered(plan.of("cold"), 1)
        self.assertEqual(plan.to_measure(cells, lambda one: True), [])
        void = cells[3]
        again = plan.to_measure(cells, lambda one: one != void)
        self.assertIn(void, again)
        self.assertEqual({plan.block_of(one) for one in again}, {plan.block_of(void)})
        self.assertEqual(len(again), sum(plan.block_of(one) == plan.block_of(void) for one in cells))


class Kept(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="laio-plan-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.results = Results(self.folder, "abc")

    def test_a_cell_comes_back_as_it_was(self):
        for one in plan.standard() + plan.warm():
            self.assertEqual(Cell.from_json(json.loads(json.dumps(one.as_json()))), one)

    def test_what_is_finished(self):
        self.assertFalse(self.results.is_finished(cell()))
        self.results.keep(cell(), record(cell(), 100))
        self.assertTrue(self.results.is_finished(cell()))
        self.assertFalse(self.results.is_finished(cell(clients=65)))
        self.assertFalse(Results(self.folder, "def").is_finished(cell()), "another commit is another program")

    def test_sources_that_are_not_as_committed_are_measured_again(self):
        for commit in ("abc-dirty", "unknown"):
            now = Results(self.folder, commit)
            now.keep(cell(), record(cell(), 100))
            self.assertTrue(now.is_finished(cell()))
            later = Results(self.folder, commit)
            self.assertFalse(later.is_finished(cell()), commit)
            self.assertEqual(later.all(), [])
            self.assertEqual(len(Results(self.folder, commit, is_asked_for=True).all()), 1)

    def test_what_is_measured_again_is_forgotten_first(self):
        self.results.keep(cell(), record(cell(), 100))
        self.results.forget([cell(), cell(clients=65)])
        self.assertEqual(self.results.all(), [])

    def test_of_these_plans_only(self):
        for name in ("quick", "standard", "warm"):
            self.results.keep(cell(plan=name), record(cell(plan=name), 100))
        self.assertEqual(len(self.results.all()), 3)
        found = [one["cell"]["plan"] for one in self.results.all(plan.reported_with("standard"))]
        self.assertEqual(sorted(found), ["standard", "warm"])

    def test_what_failed_or_is_void_is_tried_again(self):
        self.results.keep(cell(), {"passes": [], "failure": "it did not start"})
        self.assertFalse(self.results.is_finished(cell()))
        self.results.keep(cell(), record(cell(), 100, load={"errors": {"reset": 1}}))
        self.assertFalse(self.results.is_finished(cell()))

    def test_a_broken_file_is_none(self):
        self.results.keep(cell(), record(cell(), 100))
        self.results.path(cell()).write_text('{"commit": "abc", "pass')
        self.assertIsNone(self.results.find(cell()))
        self.assertEqual(self.results.all(), [])

    def test_names_of_files_say_what_is_in_them(self):
        key = cell("nginx-threads-64", BERKELEY, clients=256).key()
        self.assertTrue(key.startswith("berkeley-nginx-threads-64-256-"), key)


if __name__ == "__main__":
    unittest.main()
