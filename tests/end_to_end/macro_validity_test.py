#!/usr/bin/env python3
"""Which passes of the evaluation are void, and what is said to have bounded the others."""

import unittest
import unittest.mock

from macro_records import RICE, cell, one_pass

from macro import meters, validity


class Void(unittest.TestCase):
    def reasons(self, of, kind="warm", **fields):
        return one_pass(of, kind, 1000, **fields)["void"]

    def test_nothing_wrong(self):
        self.assertEqual(self.reasons(cell()), [])
        self.assertEqual(self.reasons(cell(), "cold"), [])

    def test_an_in_memory_pass_that_read_from_disk(self):
        served = 1000 * 10_000
        half_a_percent = {"disk_read_bytes": served // 200}
        more = {"disk_read_bytes": served // 200 + 1}
        self.assertEqual(self.reasons(cell(workload=RICE), measured=half_a_percent), [])
        self.assertIn("was read from disk", self.reasons(cell(workload=RICE), measured=more)[0])
        self.assertIn("was read from disk", self.reasons(cell(memory=None), measured=more)[0])
        # Reading is what the others are there for.
        self.assertEqual(self.reasons(cell(), measured=more), [])
        self.assertEqual(self.reasons(cell(workload=RICE), "cold", measured=more), [])

    def test_a_software_disk_says_itself_what_was_read(self):
        measured = {"slowfs_cpu_share": 0.1,
                    "disk": {"read_bytes": 10_000_000, "busy_ms": 1, "weighted_ms": 1, "reads_ms": 1}}
        self.assertIn("was read from disk", self.reasons(cell(workload=RICE), measured=measured)[0])

    def test_errors(self):
        self.assertEqual(self.reasons(cell(), load={"errors": {"reset": 2, "timeout": 1}}),
                         ["errors in responses: 2 reset, 1 timeout"])
        said = "laio-httpd: answering 500: Stale file handle"
        self.assertIn(f"the server said: {said}",
                      self.reasons(cell(), load={"errors": {"with status 500": 1}}, server_said=said)[0])
        self.assertIn("probe", self.reasons(cell(), load={"probe_errors": {"reset": 2}})[0])

    def test_a_trace_that_was_not_played(self):
        self.assertEqual(self.reasons(cell(), load={"requests": 999}), ["999 requests of 1000 were played"])
        self.assertEqual(self.reasons(cell(), load={"requests": 0}), ["nothing was answered"])
        self.assertEqual(self.reasons(cell(), load={"body_bytes": 0}), ["nothing was served"])
        self.assertEqual(self.reasons(cell(seconds=10), load={"requests": 9}), [])

    def test_memory_that_was_not_limited(self):
        no_limit = {"limit_bytes": None}
        self.assertEqual(self.reasons(cell(), memory=no_limit), ["the server's memory was not limited"])
        self.assertEqual(self.reasons(cell(workload=RICE), memory=no_limit), [])

    def test_other_programs_on_the_servers_cpu(self):
        for idle, counts in ((0.35, True), (0.2, False), (None, True)):
            with unittest.mock.patch("macro.cpus.are_apart", return_value=True):
                reasons = self.reasons(cell(), measured={"server_cpu_share": 0.5, "server_idle_share": idle})
            self.assertEqual(reasons, [] if counts else ["other programs took 30 % of the server's CPU"])
        with unittest.mock.patch("macro.cpus.are_apart", return_value=False):  # the client is there, too
            self.assertEqual(self.reasons(cell(), measured={"server_cpu_share": 0.5, "server_idle_share": 0}), [])

    def test_processes_that_were_killed(self):
        self.assertIn("want of memory: 2", self.reasons(cell(), memory={"killed": 2})[0])


class Saturated(unittest.TestCase):
    def saturated(self, load=None, **measured):
        return one_pass(cell(), "warm", 1000, load=load, measured=measured)["saturated"]

    def test_each(self):
        self.assertEqual(self.saturated(), [])
        self.assertEqual(self.saturated(server_cpu_share=0.95), ["server"])
        self.assertEqual(self.saturated(client_idle_share=0.149), ["client"])
        self.assertEqual(self.saturated(load={"is_client_bound": True}), ["client"])
        self.assertEqual(self.saturated(disk={"busy_ms": 950, "weighted_ms": 5, "reads_ms": 5}), ["disk"])
        self.assertEqual(self.saturated(slowfs_cpu_share=0.9), ["slowfs"])

    def test_nothing_is_known_of_the_disk(self):
        self.assertEqual(self.saturated(disk=None), [])


class Inversion(unittest.TestCase):
    def test_the_probe_counts_while_the_load_leaves_the_cpu_free(self):
        for share, counts in ((0.69, True), (0.70, False), (1.0, False)):
            one = one_pass(cell(disk="hdd"), "cold", 1000, probe_p99_ms=1.0, measured={"server_cpu_share": share})
            self.assertEqual(validity.shows_inversion(one), counts, share)


class Derived(unittest.TestCase):
    def test_numbers(self):
        derived = one_pass(cell(), "cold", 1000, cpu_us=70, measured={"disk_read_bytes": 20_000_000})["derived"]
        self.assertEqual(derived["cpu_us_per_request"], 70)
        self.assertEqual(derived["read_per_served"], 2)
        self.assertEqual((derived["queue_depth"], derived["rate_x_latency"]), (0.5, 0.4))
        self.assertEqual(derived["disk_busy_share"], 0.2)
        self.assertIsNone(derived["probe_p99_ms"])

    def test_a_probe_that_nobody_answers(self):
        derived = one_pass(cell(), "cold", 1000, load={"has_probe_starved": True, "seconds": 10.0})["derived"]
        self.assertEqual(derived["probe_p99_ms"], 10_000)

    def test_bounds(self):
        self.assertEqual(one_pass(cell(), "cold", 1000)["derived"]["bound_requests_per_s"], 2000)
        slow = {"slowfs_cpu_share": 0.1, "disk": {"read_bytes": 0, "busy_ms": 800, "weighted_ms": 1, "reads_ms": 1}}
        self.assertEqual(one_pass(cell(), "cold", 1000, measured=slow)["derived"]["bound_requests_per_s"], 1250)

    def test_a_software_disk_in_our_time(self):
        operation = {"requests": 10, "bytes": 4096, "mean_ms": 40.0}
        said = {"speed": 20.0, "operations": {"read": operation, "lookup": dict(operation, bytes=0)},
                "disk": {"accesses": 12, "seeks": 3, "busy_s": [2.0, 4.0], "queue": {"integral_s": 6.0}}}
        self.assertEqual(meters.of_slowfs(said), {"reads": 10, "read_bytes": 4096, "reads_ms": 40.0, "busy_ms": 150.0,
                                                  "weighted_ms": 300.0, "lookups": 10, "accesses": 12, "seeks": 3})


if __name__ == "__main__":
    unittest.main()
