"""Who runs on which CPU: the server on one, the client and a disk made of software on another. With a single CPU all
share it, and the report says so. The runner is on the client's: whatever it does meanwhile is not the server's."""

import functools
import os
import pathlib


@functools.cache
def available():
    """What we may use; asked once, before we go to one of them."""
    return tuple(sorted(os.sched_getaffinity(0)))


def chosen():
    """(the server's CPU, the client's), the same twice if there is but one. The server's is the last: the first one
    has most of the interrupts."""
    return available()[-1], available()[0]


def go_to_the_clients():
    """We ourselves, and all that we start and that does not go elsewhere."""
    os.sched_setaffinity(0, {chosen()[1]})


def are_apart():
    server, client = chosen()
    return server != client


def parse_idle(proc_stat):
    """CPU number -> (ticks idle, waiting for I/O included; all ticks), from the text of /proc/stat."""
    result = {}
    for line in proc_stat.splitlines():
        words = line.split()
        if words and words[0].startswith("cpu") and words[0] != "cpu":
            ticks = [int(word) for word in words[1:9]]  # guests' time is in user's already
            result[int(words[0][3:])] = (ticks[3] + ticks[4], sum(ticks))
    return result


def idle():
    return parse_idle(pathlib.Path("/proc/stat").read_text(encoding="ascii"))


def idle_share(before, after, cpu):
    ticks = after[cpu][1] - before[cpu][1]
    return (after[cpu][0] - before[cpu][0]) / ticks if ticks > 0 else None
