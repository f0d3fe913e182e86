"""A server under test, from its start to its end: pinned to its CPU, in its control group where there is one.
laio-httpd says its URL and, at SIGUSR1, what it counted; peers (peers.py) listen where they are told to, and say
nothing."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

from . import cpus, peers
from .failure import CellFailure
from .programs import ANTI_HANG_S, end_with_us, ours, output_of

FILES_OPEN = 65536
CACHE_FILES = 8192


def versions():
    return output_of([ours("laio-httpd"), "--list-versions"]).split()


def is_ours(name):
    return name.startswith(("Flash-", "thttpd-"))


def is_persistent(name):
    """thttpd serves one request a connection, as the paper's did."""
    return not name.startswith("thttpd-")


def documents(text):
    """The JSON documents that follow one another in a text, without one that is not complete yet."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while (at := text.find("{", at)) != -1:
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        found.append(document)
    return found


def command_of(cell, tree, scratch, port):
    """The command line and what is added to the environment."""
    if is_ours(cell.server):
        return [ours("laio-httpd"), "--version-name", cell.server, "--port", "0", "--stats", "--json",
                "--disk-concurrency", str(cell.disk_concurrency), "--cache-files", str(CACHE_FILES), str(tree)], {}
    return peers.command_of(cell.server, tree, scratch, port)


class Server:
    """`with Server(...) as server`: serves at server.url until the end of the block."""

    def __init__(self, cell, tree, group, scratch):
        self.cell, self.tree, self.group = cell, tree, group
        self.out, self.err = scratch / "server.out", scratch / "server.err"
        self.scratch = scratch
        self.process = None

    def become(self):
        """In the child, before the program begins."""
        end_with_us()
        if self.group:
            self.group.enter()
        os.sched_setaffinity(0, {cpus.chosen()[0]})
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES_OPEN, hard), hard))

    def __enter__(self):
        port = free_port()
        command, environment = command_of(self.cell, self.tree, self.scratch, port)
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=dict(os.environ, **environment), preexec_fn=self.become)
        try:
            self.url = self.said_url() if is_ours(self.cell.server) else self.answers_at(port)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def wait_for(self, what, look):
        deadline = time.monotonic() + ANTI_HANG_S
        while time.monotonic() < deadline:
            if found := look():
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        said = self.err.read_text(errors="replace").strip()[-1000:]
        raise CellFailure(f"{self.cell.server} {what}; it ended with {self.process.poll()} and said: {said}")

    def said_url(self):
        def look():
            line, end, _ = self.out.read_text(errors="replace").partition("\n")
            return line.strip().rstrip("/") if end else None
        return self.wait_for("did not say where it listens", look)

    def answers_at(self, port):
        def look():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return f"http://127.0.0.1:{port}"
        return self.wait_for(f"does not listen on port {port}", look)

    def statistics(self):
        """What laio-httpd has counted so far; None of a peer."""
        if not is_ours(self.cell.server):
            return None
        count = len(documents(self.out.read_text(errors="replace")))
        self.process.send_signal(signal.SIGUSR1)

        def look():
            return documents(self.out.read_text(errors="replace"))[count:]
        return self.wait_for("does not say its statistics", look)[0]

    def complaints(self):
        return self.err.read_text(errors="replace").strip()[-500:]

    def processes(self):
        if self.group:
            return self.group.processes()
        return descendants(self.process.pid, parents())

    def end(self):
        """Asked first, as an administrator would; what is left in the group is ended with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                for pid in self.processes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self.process.wait(ANTI_HANG_S)


def free_port():
    """For those who cannot choose one themselves. Another program may take it before they do: then the cell fails."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def parents():
    """pid -> parent's pid, of all processes."""
    result = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                result[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return result


def descendants(pid, parent_of):
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parent_of.items() if parent == ancestor]
    return found
