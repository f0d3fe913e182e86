#!/usr/bin/env python3
"""laio-replay play and probe, against a server that is slow, resets, sends short, too long or wrong bodies: each is counted
as what it is, the requests after it are played, and nothing hangs.
"""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import unittest

from programs import ANTI_HANG_S, LAUNCHER, REPLAY
from scripted_server import ScriptedServer


class Replay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="laio-replay-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = self.enterContext(ScriptedServer())

    def trace(self, *sequences):
        path = self.folder / "trace"
        path.write_text("".join(line + "\n" for line in sequences))
        return path

    def run_replay(self, *arguments, **how):
        return subprocess.run([*LAUNCHER, REPLAY, *map(str, arguments)], capture_output=True, text=True, check=False,
                              timeout=ANTI_HANG_S, **how)

    def play(self, *options, sequences, code=0, url=None):
        """The report on playing them."""
        done = self.run_replay("play", url or self.server.url, self.trace(*sequences), "--json", *options)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return json.loads(done.stdout)

    def assert_errors(self, part, **expected):
        found = {kind: count for kind, count in part["errors"].items() if count}
        self.assertEqual(found, expected)
        self.assertEqual(part["errors_total"], sum(expected.values()))

    # ---- What goes right

    def test_sequences_are_played_whole_over_a_connection_each(self):
        sequences = [" ".join(f"/gen/{size}/{name}{i}" for i, size in enumerate((0, 1, 1000, 100000)))
                     for name in "abc"]
        load = self.play("--clients", 1, "--verify", 1, sequences=sequences)["load"]
        self.assert_errors(load)
        self.assertEqual((load["requests"], load["sequences"], load["connections"]), (12, 3, 3))
        self.assertEqual(load["body_bytes"], 3 * 101001)
        self.assertEqual(load["verified"], 12)
        self.assertEqual(load["statuses"], {"200": 12})
        self.assertEqual([" ".join(one.requests) for one in self.server.connections], sequences)
        self.assertEqual(self.server.asked_to_close, 0)

    def test_a_connection_for_each_request(self):
        load = self.play("--connection-per-request", sequences=["/gen/5/a /gen/5/b", "/to_close"])["load"]
        self.assert_errors(load)
        self.assertEqual((load["requests"], load["connections"]), (3, 3))
        self.assertEqual([len(one.requests) for one in self.server.connections], [1, 1, 1])
        self.assertEqual(self.server.asked_to_close, 3)

    def test_all_ways_to_frame_a_response(self):
        paths = ["/gen/9/a", "/chunked", "/empty", "/hints", "/bytewise", "/last", "/http10", "/to_close", "/gen/9/b"]
        load = self.play("--clients", 1, sequences=[" ".join(paths)])["load"]
        self.assert_errors(load)
        self.assertEqual(load["requests"], len(paths))
        self.assertEqual(load["body_bytes"], 9 + 6 + 0 + 7 + 3 + 3 + 3 + 13 + 9)
        # The server ended three of them, and had said so.
        self.assertEqual(load["connections"], 4)
        self.assertEqual(load["statuses"], {"200": 8, "204": 1})

    def test_large_bodies_are_dropped_or_compared(self):
        for verify in 0, 1:
            load = self.play("--verify", verify, sequences=["/gen/3000000/x"])["load"]
            self.assert_errors(load)
            self.assertEqual(load["body_bytes"], 3000000)
            self.assertEqual(load["verified"], verify)

    def test_bodies_are_those_of_files_however_their_paths_are_spelt(self):
        load = self.play("--verify", 1, sequences=["/gen/100/a%20b /gen/100/c?d=e /gen/100/%66"])["load"]
        self.assert_errors(load)
        self.assertEqual(load["verified"], 3)

    def test_all_clients_are_there_at_once(self):
        load = self.play("--clients", 50, sequences=["/crowd/50"] * 60)["load"]
        self.assert_errors(load)
        self.assertEqual(load["requests"], 60)
        self.assertEqual(self.server.most_at_once, 50)

    def test_repeats(self):
        load = self.play("--repeat", 3, "--clients", 1, sequences=["/gen/1/a", "/gen/2/b"])["load"]
        self.assertEqual((load["requests"], load["body_bytes"]), (6, 9))
        self.assertEqual([one.requests[0] for one in self.server.connections], ["/gen/1/a", "/gen/2/b"] * 3)

    def test_ends_after_its_time_with_requests_under_way(self):
        load = self.play("--duration", 0.3, "--clients", 7, sequences=["/never"], code=1)["load"]
        self.assert_errors(load)
        self.assertEqual((load["requests"], load["unfinished"]), (0, 7))

    def test_an_open_loop_measures_from_the_intended_start(self):
        """One connection, and its first response is late: those that were due meanwhile have waited."""
        for how in ["--rate", "1000", "--arrivals", "constant"], ["--rate", "1000"], ["--timed", "--speed", "10"]:
            with self.subTest(how):
                path = "/delay/0.6/" + how[-1]
                sequences = [f"@{i / 100} {path}" for i in range(10)]
                load = self.play("--clients", 1, *how, sequences=sequences)["load"]
                self.assert_errors(load)
                self.assertEqual(load["response_us"]["count"], 10)
                self.assertGreater(load["response_us"]["p50"], 300e3)
                self.assertEqual(load["lag_us"]["count"], 10)
                self.assertGreater(load["lag_us"]["max"], 300e3)

    def test_an_open_loop_has_no_more_connections_than_clients(self):
        load = self.play("--clients", 3, "--rate", 1e6, sequences=["/crowd/3"] * 30)["load"]
        self.assert_errors(load)
        self.assertEqual(load["requests"], 30)
        self.assertEqual(self.server.most_at_once, 3)

    def test_an_open_loop_keeps_its_rate(self):
        """No run ends before its last sequence is due."""
        report = self.play("--rate", 100, "--arrivals", "constant", sequences=["/gen/1/a"] * 51)
        self.assertGreater(report["seconds"], 0.5)
        self.assertLess(report["load"]["throughput"]["requests_per_s"], 103)

    def test_a_probe_beside_the_load(self):
        report = self.play("--probe", "/gen/7/p,/gen/8/q", "--probe-rate", 200, "--probe-connections", 2, "--verify", 1,
                           "--clients", 1, sequences=["/delay/0.5/x /gen/9/a"])
        load, probe = report["load"], report["probe"]
        self.assert_errors(load)
        self.assert_errors(probe)
        self.assertEqual(load["requests"], 2)
        self.assertGreater(probe["requests"], 10)
        self.assertEqual(probe["connections"], 2)
        self.assertEqual(probe["verified"], probe["requests"])
        asked = self.server.asked
        self.assertLessEqual(abs(asked["/gen/7/p"] - asked["/gen/8/q"]), 1)

    def test_a_probe_takes_one_word_wherever_it_stands(self):
        done = self.run_replay("play", "--probe", "/gen/7/p,/gen/8/q", self.server.url, self.trace("/delay/0.3/x"), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.server.asked["/gen/7/p"] and self.server.asked["/gen/8/q"])

    def test_a_probe_alone(self):
        done = self.run_replay("probe", self.server.url, "/gen/7/p", "/last", "--rate", 100, "--duration", 0.5, "--json")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIsNone(report["load"])
        self.assertGreater(report["probe"]["requests"], 2)
        self.assert_errors(report["probe"])

    def test_a_stall_that_outlasts_the_run_is_in_the_times(self):
        """Most that are due find no free connection: they have waited for about as long as the server was silent."""
        done = self.run_replay("probe", self.server.url, "/stalls/80", "--rate", 100, "--connections", 2,
                               "--duration", 1.6, "--json")
        report = json.loads(done.stdout)
        probe, times = report["probe"], report["probe"]["response_us"]
        self.assert_errors(probe)
        self.assertEqual((done.returncode, probe["requests"], probe["unfinished"]), (0, 80, 2))
        self.assertGreater(probe["censored"], 70)
        self.assertEqual(times["count"], probe["requests"] + probe["censored"])
        self.assertGreater(times["p99"], 500e3)
        self.assertLessEqual(times["max"], report["seconds"] * 1e6)

    # ---- What goes wrong, and what is played after it

    def fails_as(self, path, *options, after=1, **expected):
        """`path` fails so, and the next one on a new connection does not."""
        with self.subTest(path):
            load = self.play("--clients", 1, *options, sequences=[f"/gen/1/a {path} /gen/1/b"], code=1)["load"]
            self.assert_errors(load, **expected)
            self.assertEqual(load["requests"], 3 - sum(expected.values()))
            self.assertEqual(load["connections"], 1 + after)

    def test_failures_are_counted_by_kind(self):
        self.fails_as("/reset", reset=1)
        self.fails_as("/reset_amid", reset=1)
        self.fails_as("/never", "--timeout", 0.2, timeout=1)
        self.fails_as("/stops", "--timeout", 0.2, timeout=1)
        self.fails_as("/no_answer", closed=1)
        self.fails_as("/short", truncated=1)
        self.fails_as("/chunks_cut", truncated=1)
        self.fails_as("/long", too_long=1)
        self.fails_as("/garbage", malformed=1)
        self.fails_as("/endless_head", malformed=1)
        self.fails_as("/hints_only", malformed=1)
        self.fails_as("/status/404", after=0, bad_status=1)
        self.fails_as("/status/301", after=0, bad_status=1)
        self.fails_as("/wrong/100000", "--verify", 1, after=0, wrong_body=1)

    def test_a_connection_that_is_closed_without_a_word_fails_the_next_request(self):
        self.fails_as("/silent_close", after=0, closed=1)
        self.assertEqual(self.server.asked["/gen/1/b"], 0)

    def test_bodies_that_are_not_compared_may_be_anything(self):
        load = self.play(sequences=["/wrong/1000"])["load"]
        self.assert_errors(load)
        load = self.play("--generated", "--clients", 1, sequences=["/wrong/1000"] * 250, code=1)["load"]
        self.assert_errors(load, wrong_body=2)  # each 100th
        self.assertEqual(load["verified"], 2)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        load = self.play(sequences=["/gen/1/a /gen/1/b"] * 20, url=f"http://127.0.0.1:{port}/", code=1)["load"]
        self.assert_errors(load, refused=40)
        self.assertEqual((load["sequences"], load["connections"]), (20, 0))

    def test_without_an_answer_there_are_no_times(self):
        load = self.play(sequences=["/status/404"], code=1)["load"]
        for times in load["response_us"], load["first_byte_us"]:
            self.assertEqual(times.pop("count"), 0)
            self.assertEqual(set(times.values()), {None})
        text = self.run_replay("play", self.server.url, self.trace("/status/404")).stdout
        self.assertRegex(text, r"(?m)^response time +none$")

    def test_a_silent_server_is_no_success(self):
        done = self.run_replay("probe", self.server.url, "/never", "--duration", 0.2)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no request of the probe succeeded", done.stderr)
        done = self.run_replay("play", self.server.url, self.trace("/gen/1/a /delay/0.3/x"), "--probe", "/never")
        self.assertEqual(done.returncode, 1)
        self.assertIn("errors              none", done.stdout)

    def test_statuses_are_counted(self):
        load = self.play(sequences=["/status/404 /status/404 /status/503 /gen/1/a"], code=1)["load"]
        self.assertEqual(load["statuses"], {"404": 2, "503": 1, "200": 1})
        self.assertEqual(load["body_bytes"], 1)  # pages that tell of errors are no throughput

    def test_many_failures_at_once(self):
        kinds = ["/reset", "/short", "/garbage", "/status/500", "/no_answer", "/gen/1000/x"]
        load = self.play("--clients", 40, sequences=[" ".join(kinds)] * 50, code=1)["load"]
        self.assert_errors(load, reset=50, truncated=50, malformed=50, bad_status=50, closed=50)
        self.assertEqual((load["requests"], load["sequences"]), (50, 50))

    # ---- The report

    def test_a_histogram_holds_what_was_counted(self):
        file = self.folder / "histogram"
        load = self.play("--histogram", file, sequences=["/gen/1000/x /gen/5/y"] * 100)["load"]
        lines = [line.split("\t") for line in file.read_text().splitlines()[1:]]
        for which, times in ("response", "response_us"), ("first_byte", "first_byte_us"), ("connect", "connect_us"):
            rows = [row for row in lines if row[0] == which]
            self.assertEqual(sum(int(row[3]) for row in rows), load[times]["count"])
            self.assertEqual(float(rows[-1][4]), 1)
            self.assertLessEqual(float(rows[0][1]), load[times]["min"])
            self.assertGreaterEqual(float(rows[-1][2]), load[times]["max"])
        self.assertEqual(load["response_us"]["count"], 200)
        self.assertEqual(load["connect_us"]["count"], 100)
        self.assertLessEqual(load["first_byte_us"]["mean"], load["response_us"]["mean"])

    def test_a_report_has_the_settings_of_its_run(self):
        report = self.play("--rate", 500, "--arrivals", "constant", "--repeat", 2, "--clients", 3, "--timeout", 9,
                           "--probe", "/gen/1/p,/gen/2/q", "--probe-rate", 50, "--verify", 7,
                           sequences=["/gen/1/a /delay/0.2/x"])
        self.assertEqual(report["settings"], {
            "trace": str(self.folder / "trace"), "clients": 3, "connection_per_request": False, "mode": "constant",
            "rate": 500, "seed": None, "speed": None, "repeat": 2, "duration_s": None, "timeout_s": 9,
            "verify_every": 7, "cpu": None,
            "probe": {"paths": ["/gen/1/p", "/gen/2/q"], "rate": 50, "connections": 4}})
        self.assertEqual((report["url"], report["middle_percent"]), (self.server.url, 80))
        for mode, options in {"closed": [], "poisson": ["--rate", 500], "timed": ["--timed", "--duration", 60]}.items():
            settings = self.play(*options, sequences=["@0 /gen/1/a"])["settings"]
            self.assertEqual((settings["mode"], settings["repeat"], settings["probe"]), (mode, 1, None))

    def test_text_and_progress(self):
        done = self.run_replay("play", self.server.url, self.trace("/delay/1.5/x", "/status/404"), "--progress")
        self.assertEqual(done.returncode, 1)
        self.assertIn("throughput", done.stdout)
        self.assertIn("1 bad_status; 1 with status 404", done.stdout)
        self.assertRegex(done.stderr, r"1 s: \d+ sequences \(\d+ %\), .* 1 errors")
        self.assertEqual(self.run_replay("play", self.server.url, self.trace("/gen/1/a")).stderr, "")

    def test_a_signal_ends_the_run_with_a_report(self):
        process = subprocess.Popen([*LAUNCHER, REPLAY, "play", self.server.url, self.trace("/gen/1/a /never"), "--json"],
                                   stdout=subprocess.PIPE, text=True)
        with self.server.changed:
            self.assertTrue(self.server.changed.wait_for(lambda: self.server.asked["/never"], ANTI_HANG_S))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=ANTI_HANG_S)
        report = json.loads(out)
        self.assertEqual(process.returncode, 1)
        self.assertTrue(report["interrupted"])
        self.assertEqual((report["load"]["requests"], report["load"]["unfinished"]), (1, 1))

    def test_a_cpu_of_its_own(self):
        cpu = min(os.sched_getaffinity(0))
        report = self.play("--cpu", cpu, sequences=["/delay/0.3/x"])
        self.assertIsNotNone(report["client"]["cpu_idle"])
        self.assertLess(report["client"]["cpu_share"], 1.01)

    # ---- Wrong use

    def test_wrong_use_is_told(self):
        trace = self.trace("/gen/1/a")
        for code, text, arguments in [
                (2, "URL", ["play"]),
                (2, "TRACE", ["play", self.server.url]),
                (2, "no URL", ["play", "ftp://x/", trace]),
                (2, "paths come from the trace", ["play", self.server.url + "x", trace]),
                (2, "excludes", ["play", self.server.url, trace, "--rate", 5, "--timed"]),
                (2, "--timed needs a time", ["play", self.server.url, trace, "--timed"]),
                (2, "", ["play", self.server.url, trace, "--clients", 0]),
                (2, "must begin with '/'", ["play", self.server.url, trace, "--probe", "x"]),
                (2, "", ["play", self.server.url, trace, "--verify", "-1"]),
                (2, "--verify 0", ["play", self.server.url, trace, "--generated", "--verify", 0]),
                (2, "'' is no path", ["play", "--probe", "/a,,/b", self.server.url, trace]),
                (2, "", ["nothing"]),
                (2, "subcommand", []),
                (2, "must begin with '/'", ["probe", self.server.url, "x"]),
                (1, "no-such-trace", ["play", self.server.url, self.folder / "no-such-trace"]),
                (1, "no-such-folder", ["play", self.server.url, trace, "--histogram", "/no-such-folder/x"]),
                (1, "CPU 1023", ["play", self.server.url, trace, "--cpu", 1023]),
                (1, "invalid", ["play", "http://name.invalid/", trace])]:
            with self.subTest(arguments):
                done = self.run_replay(*arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(sum(self.server.asked.values()), 0)

    def test_help(self):
        for arguments in ["--help"], ["play", "--help"], ["probe", "--help"]:
            done = self.run_replay(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertIn("Exit status" if len(arguments) == 1 else "--timeout", done.stdout)

    def test_too_few_descriptors_are_told_before_anything_is_played(self):
        done = self.run_replay("play", self.server.url, self.trace("/gen/1/a"), "--clients", 1000,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("descriptors", done.stderr)
        self.assertEqual(sum(self.server.asked.values()), 0)

    def test_a_report_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([*LAUNCHER, REPLAY, "play", self.server.url, self.trace("/gen/1/a")], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False, timeout=ANTI_HANG_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)
        done = self.run_replay("play", self.server.url, self.trace("/gen/1/a"), "--histogram", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/dev/full", done.stderr)


if __name__ == "__main__":
    unittest.main()
