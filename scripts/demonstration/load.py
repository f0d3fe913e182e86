"""Load by wrk."""

import subprocess

from common import ANTI_HANG_S, Failure, heading, size_text
from pages import evenly

LOADED_FILES = 1000
LOADED_FILE_BYTES_MAX = 64 << 10
LOAD_CONNECTIONS = 64

# Several paths are asked for one after the other. At the end come the totals, for a program to read.
LOAD_SCRIPT = """
local paths = {%s}
local requests = {}
local last = 0
if #paths > 1 then
    init = function()
        for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
    end
    request = function()
        last = last %% #requests + 1
        return requests[last]
    end
else
    wrk.path = paths[1]
end
done = function(summary, latency)
    local e = summary.errors
    io.write(string.format("totals %%d %%d %%d %%d %%d %%d %%d %%d\\n",
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
        e.status, e.connect + e.read + e.write, e.timeout))
end
"""


def wrk(server, script, seconds):
    """The totals of a run, in the order of LOAD_SCRIPT."""
    done = subprocess.run(["wrk", "--threads", "1", "--connections", str(LOAD_CONNECTIONS), "--duration", f"{seconds}s",
                           "--timeout", "30s", "--script", script, server.url + "/"], capture_output=True, text=True,
                          timeout=seconds + ANTI_HANG_S, check=False)
    totals = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("totals ")]
    if done.returncode != 0 or not totals:
        raise Failure(f"wrk ended with {done.returncode}: {done.stdout}{done.stderr}")
    return [int(number) for number in totals[0]]


def load(server, pages, what, scratch, warm_up_s, seconds):
    """Asks for the pages for a while. Returns how many requests were answered, the warm-up's included."""
    script = scratch / "load.lua"
    script.write_text(LOAD_SCRIPT % ", ".join(f'"{page.target}"' for page in pages), encoding="ascii")
    warm_up = wrk(server, script, warm_up_s)
    measured = wrk(server, script, seconds)
    requests, duration_us, received, median_us, late_us = measured[:5]
    print(f"{what:<14} {requests * 1e6 / duration_us:,.0f} requests/s, {received / duration_us:,.1f} million bytes/s; "
          f"answered within {median_us / 1e3:.2f} ms (median), {late_us / 1e3:.2f} ms (99 of 100)")
    for bad, broken, late in (warm_up[5:], measured[5:]):
        if bad or broken or late:
            raise Failure(f"under load: {bad} answers were no success, {broken} socket errors, {late} timeouts")
    return warm_up[0] + requests


def put_load(server, pages, scratch, warm_up_s, seconds):
    heading(f"Load by wrk: {LOAD_CONNECTIONS} connections, {seconds} s each after {warm_up_s} s to warm up")
    hot = min(pages, key=lambda page: abs(page.size - 4096))
    many = evenly([page for page in pages if page.size <= LOADED_FILE_BYTES_MAX] or [hot], LOADED_FILES)
    print(f"one file is    {hot.name}, {size_text(hot.size)}")
    print(f"many files are {len(many)} of at most {size_text(LOADED_FILE_BYTES_MAX)}, "
          f"{size_text(sum(page.size for page in many) // len(many))} on average, one after the other")
    return (load(server, [hot], "one file", scratch, warm_up_s, seconds) +
            load(server, many, "many files", scratch, warm_up_s, seconds))
