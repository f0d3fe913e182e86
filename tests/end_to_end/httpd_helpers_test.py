#!/usr/bin/env python3
"""laio-httpd with helper processes (Flash-NB-AMPED) from outside: what happens to them, and what they do not let happen."""

import os
import pathlib
import signal
import unittest

from httpd_process import Client, Server, Tree, request, target_of, until


def status_of(pid):
    """(state, parent) or (None, None)."""
    try:
        state, parent = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[:2]
        return state, int(parent)
    except OSError:
        return None, None


def helpers_of(pid):
    everyone = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [one for one in everyone if status_of(one)[1] == pid and status_of(one)[0] != "Z"]


class Helpers(Tree):
    def serve(self, *options, **rest):
        """Without a cache of open files: each request has a helper open one."""
        return Server(self.root, "--version-name", "Flash-NB-AMPED", "--cache-files", "0", *options, **rest)

    def test_are_started_as_they_are_needed(self):
        with self.serve("--disk-concurrency", "3") as server, Client(server) as client:
            self.assertEqual(helpers_of(server.process.pid), [])
            for _ in range(3):
                self.assertEqual(client.get("/page.html").status, 200)
            self.assertEqual(len(helpers_of(server.process.pid)), 1)
            many = [Client(server) for _ in range(50)]
            names = [name for name in self.content if name != "large.bin"]
            for i, one in enumerate(many):
                one.send(request(target_of(names[i % len(names)])))
            for i, one in enumerate(many):
                self.assertEqual(one.read_response().body, self.content[names[i % len(names)]])
                one.close()
            self.assertLessEqual(len(helpers_of(server.process.pid)), 3)

    def test_killed_in_the_middle_of_a_request(self):
        with self.serve("--disk-concurrency", "1") as server, Client(server) as client, Client(server) as other:
            for _ in range(5):
                self.assertEqual(client.get("/page.html").status, 200)
                helper, = helpers_of(server.process.pid)
                os.kill(helper, signal.SIGSTOP)
                client.send(request("/page.html"))
                other.send(request("/index.html"))
                os.kill(helper, signal.SIGKILL)
                self.assertEqual(client.read_response().body, self.content["page.html"])
                self.assertEqual(other.read_response().body, self.content["index.html"])

    def test_one_after_another_killed_under_load(self):
        names = [name for name in self.content if name != "large.bin"]
        with self.serve("--disk-concurrency", "8") as server:
            clients = [Client(server) for _ in range(20)]
            for round_ in range(30):
                for i, client in enumerate(clients):
                    client.send(request(target_of(names[(round_ + i) % len(names)])))
                helpers = helpers_of(server.process.pid)
                killed = helpers[round_ % len(helpers)] if helpers else None
                if killed:  # one: who loses two helpers is told so
                    os.kill(killed, signal.SIGKILL)
                for i, client in enumerate(clients):
                    name = names[(round_ + i) % len(names)]
                    got = client.read_response()
                    self.assertEqual((got.status, got.body), (200, self.content[name]), name)
                if killed:  # until then it may yet be given a request of the next round
                    until(lambda: status_of(killed)[0] in (None, "Z"), "it is gone")
            zombies = [one for one in os.listdir("/proc") if status_of(one) == ("Z", server.process.pid)]
            self.assertLessEqual(len(zombies), 1)  # the latest
            for client in clients:
                client.close()

    def test_do_not_outlive_the_server(self):
        with self.serve() as server, Client(server) as client:
            self.assertEqual(client.get("/page.html").status, 200)
            helpers = helpers_of(server.process.pid)
            self.assertNotEqual(helpers, [])
            server.stop()
            self.assertTrue(all(status_of(one)[0] in (None, "Z") for one in helpers))

    def test_do_not_outlive_a_server_that_is_killed(self):
        server = self.serve()
        with Client(server) as client:
            self.assertEqual(client.get("/page.html").status, 200)
            helpers = helpers_of(server.process.pid)
            self.assertNotEqual(helpers, [])
            server.process.kill()
            server.process.communicate()
            until(lambda: all(status_of(one)[0] in (None, "Z") for one in helpers), "its helpers end")

    def test_leave_signals_to_the_server(self):
        with self.serve("--drain-timeout-ms", "86400000", preexec=os.setsid) as server:
            with Client(server, receive_buffer=4096) as client:
                client.send(request("/large.bin") + request("/page.html"))
                self.assertEqual(client.read_head()[0], 200)
                helpers = helpers_of(server.process.pid)
                self.assertNotEqual(helpers, [])
                os.killpg(server.process.pid, signal.SIGINT)  # as the terminal does
                self.assertEqual(client.stream.read(len(self.content["large.bin"])), self.content["large.bin"])
                self.assertEqual(client.read_response().body, self.content["page.html"])
            self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
