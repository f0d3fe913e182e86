"""How a server is built, as far as comparisons ask for it. A single loop is one thread that waits for all connections;
helpers for the disk may be beside it, so that nginx with a pool of threads is compared as what it is: the best that a
single loop does there. The word is taken widely, which makes "best single loop" harder to beat.

    nginx, with or without `aio threads`    one worker process: a single loop
    nginx-workers-N                         N loops, of which each may wait for the disk alone: several
    lighttpd, h2o                           one loop, which waits for the disk itself: a single loop
    apache                                  the event MPM: a thread for each request under way: several
    caddy                                   a goroutine for each connection, one of them running at a time with
                                            GOMAXPROCS=1; one that waits for the disk keeps a thread of its own, and
                                            the runtime starts another: several
"""

import re

from . import peers

LOOPS = ("nginx", "lighttpd", "h2o")
NUMBERED = re.compile(r"-(?:workers|threads)-(\d+)")
HELPED = re.compile(r" \((\d+) helpers\)")


def is_single_loop(name):
    if is_with_workers(name):
        return False
    return peers.family(name) in LOOPS


def is_with_workers(name):
    return "-workers-" in name and "-workers-1-" not in f"{name}-"


def helpers_of(name, default=64):
    """(the server without it, how many helpers, threads or workers): for tables that sweep over them."""
    for pattern in (NUMBERED, HELPED):
        if match := pattern.search(name):
            left = name[:match.start()] + name[match.end():]
            return left + (f", {match[0].split('-')[1]}" if pattern is NUMBERED else ""), int(match[1])
    return name, default
