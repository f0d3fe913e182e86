#!/usr/bin/env python3
"""The runner of the evaluation reads what the kernel, the servers and the client write: each format from a piece of
it."""

import json
import pathlib
import sys
import unittest

from programs import SOURCE

sys.path.insert(0, str(SOURCE / "bench"))
from macro import cgroup, client, cpus, disks, meters, page_cache, peers, servers, workload
from macro.failure import CellFailure

MOUNTS_1 = """\
25 20 0:23 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
26 25 0:24 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory
27 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct
28 25 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
29 20 254:0 / / rw,relatime - ext4 /dev/vda rw
"""
PROCESS_STAT = "77 (a (strange) name) S 1 77 77 0 -1 4194560 1 2 3 4 500 250 20 10 20 0 3 0 123 456 78 0 0"
DISKSTATS = """\
   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 100 5 4096 250 10 1 80 7 2 120 300 0 0 0 0 1 2
"""


def replay_report(**changes):
    times = {"count": 10, "mean": 1500.0, "min": 10, "p50": 1000, "p90": 2000, "p99": 5000, "p99.9": 6000, "max": 7000}
    rates = {"megabits_per_s": 80.0, "requests_per_s": 100.0}
    part = {"requests": 1000, "body_bytes": 10_000_000, "throughput": rates, "throughput_middle": rates,
            "unfinished": 0, "response_us": times, "first_byte_us": times, "errors": {"reset": 0, "short body": 2},
            "statuses": {"200": 998, "404": 3}}
    return dict({"seconds": 10.0, "load": part, "probe": None, "client_bound": False, "interrupted": False},
                **changes)


class Kernel(unittest.TestCase):
    def test_control_groups_of_both_versions(self):
        found = cgroup.mounted(MOUNTS_1)
        self.assertEqual(found["memory"], ("/sys/fs/cgroup/memory", 1))
        self.assertEqual(found["cpuacct"], ("/sys/fs/cgroup/cpu,cpuacct", 1))
        self.assertEqual(found[None], ("/sys/fs/cgroup/unified", 2))
        self.assertNotIn("vda", str(found))

    def test_no_control_groups(self):
        self.assertEqual(cgroup.mounted("29 20 254:0 / / rw - ext4 /dev/vda rw\nnonsense\n"), {})

    def test_idle_time(self):
        before = cpus.parse_idle("cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 10 0 10 70 10 0 0 0 0 0\nintr 5\n")
        after = cpus.parse_idle("cpu0 10 0 60 110 20 0 0 0 0 0\n")
        self.assertEqual(before, {0: (80, 100)})
        self.assertAlmostEqual(cpus.idle_share(before, after, 0), 0.5)
        self.assertIsNone(cpus.idle_share(before, before, 0))

    def test_a_process(self):
        self.assertEqual(meters.cpu_us_of_stat(PROCESS_STAT), 780 * 1_000_000 // meters.TICKS)
        self.assertEqual(meters.fields("rchar: 5\nread_bytes: 4096\nName:\tx\nVmRSS:\t  12 kB\n"),
                         {"rchar": 5, "read_bytes": 4096, "VmRSS": 12})

    def test_a_disk(self):
        self.assertEqual(meters.parse_diskstats(DISKSTATS, "vda"),
                         {"reads": 100, "read_bytes": 4096 * 512, "reads_ms": 250, "busy_ms": 120, "weighted_ms": 300})
        self.assertIsNone(meters.parse_diskstats(DISKSTATS, "vda1"))

    def test_a_difference(self):
        before = {"a": 1, "in": {"b": 10}, "text": "old"}
        after = {"a": 5, "in": {"b": 12, "new": 3}, "text": "new", "flag": True}
        self.assertEqual(meters.difference(before, after),
                         {"a": 4, "in": {"b": 2, "new": 3}, "text": "new", "flag": True})
        self.assertIsNone(meters.difference(None, after))

    def test_loop_devices_of_ours(self):
        listed = "/dev/loop0 /a/paper/workloads/x y/ext4.img\n/dev/loop1 /a/paper-2/ext4.img\n/dev/loop2 \n"
        self.assertEqual(disks.abandoned_loops(listed, pathlib.Path("/a/paper")), ["/dev/loop0"])
        self.assertEqual(disks.abandoned_loops("", pathlib.Path("/a/paper")), [])

    def test_residency(self):
        self.assertEqual(page_cache.parse_fincore("  4096\n0\n 8192\n"), 12288)
        self.assertEqual(page_cache.parse_fincore(""), 0)


class Servers(unittest.TestCase):
    def test_documents_that_follow_one_another(self):
        text = 'http://127.0.0.1:1/\n{"a": {"b": 1}}\n{\n "a": 2\n}\n{"half":'
        self.assertEqual(servers.documents(text), [{"a": {"b": 1}}, {"a": 2}])

    def test_descendants(self):
        self.assertEqual(sorted(servers.descendants(5, {5: 1, 6: 5, 7: 6, 8: 1, 9: 5})), [5, 6, 7, 9])

    def test_names_of_peers(self):
        for name in ("nginx", "nginx-cache", "nginx-threads-64-cache", "nginx-workers-8", "lighttpd", "caddy"):
            self.assertTrue(peers.is_known(name), name)
        for name in ("nginx-", "nginx-threads", "nginx-threads-0", "nginx-cache-threads-4", "iis", "Flash-NB-B"):
            self.assertFalse(peers.is_known(name), name)

    def test_settings_of_nginx(self):
        threads = peers.settings_of_nginx("nginx-threads-16")
        self.assertIn("threads=16 ", threads["THREAD_POOL"])
        self.assertEqual((threads["WORKERS"], threads["AIO"], threads["OPEN_FILE_CACHE"]), ("1", "aio threads;", "off"))
        workers = peers.settings_of_nginx("nginx-workers-8-cache")
        self.assertEqual((workers["WORKERS"], workers["AIO"], workers["THREAD_POOL"]), ("8", "aio off;", ""))
        self.assertNotEqual(workers["OPEN_FILE_CACHE"], "off")

    def test_every_configuration_can_be_filled_in(self):
        values = dict.fromkeys(("PORT", "ROOT", "SCRATCH", "USER", "USER_NOT_ROOT", "WORKERS", "THREAD_POOL", "AIO",
                                "OPEN_FILE_CACHE"), "x")
        for kind in peers.PROGRAMS:
            template = next((SOURCE / "bench" / "peers").glob(f"{kind}.*"))
            self.assertNotIn("@", peers.fill_in(template.read_text(encoding="utf-8"), values), kind)
        with self.assertRaises(KeyError):
            peers.fill_in("@NOBODY_KNOWS@", values)


class Client(unittest.TestCase):
    def test_a_report(self):
        load = client.parse(json.dumps(replay_report()))
        self.assertEqual((load.requests, load.requests_per_s, load.seconds), (1000, 100.0, 10.0))
        self.assertEqual(load.latency_ms["mean"], 1.5)
        self.assertEqual(load.latency_ms["p99_9"], 6.0)
        self.assertEqual(load.errors, {"short body": 2, "with status 404": 3})
        self.assertIsNone(load.probe_ms)

    def test_a_probe(self):
        report = replay_report()
        load = client.parse(json.dumps(dict(report, probe=report["load"])))
        self.assertEqual((load.probe_ms["p99"], load.probe_requests), (5.0, 1000))
        self.assertEqual(sum(load.probe_errors.values()), 5)

    def test_nothing_was_answered(self):
        nothing = dict.fromkeys(replay_report()["load"]["response_us"])
        load = dict(replay_report()["load"], requests=0, body_bytes=0, response_us=nothing, first_byte_us=nothing)
        found = client.parse(json.dumps(replay_report(load=load, probe=load)))
        self.assertEqual((found.requests, found.first_byte_ms, set(found.latency_ms.values())), (0, None, {None}))
        self.assertEqual((found.probe_ms, found.has_probe_starved), (None, True))

    def test_what_is_no_report(self):
        for text in ("", "{}", '{"load": 1}', "[1, 2]", json.dumps(replay_report(load=None)),
                     json.dumps(replay_report(interrupted=True))):
            with self.assertRaises(CellFailure, msg=text):
                client.parse(text)

    def test_thttpd_is_played_with_a_connection_for_each_request(self):
        self.assertFalse(servers.is_persistent("thttpd-NB-B"))
        self.assertTrue(servers.is_persistent("Flash-NB-B"))
        self.assertTrue(servers.is_persistent("nginx"))

    def test_a_list_of_files(self):
        self.assertEqual(list(workload.parse_files("0 /empty\n12 /a/b\n")), [("/empty", 0), ("/a/b", 12)])


if __name__ == "__main__":
    unittest.main()
