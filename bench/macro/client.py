"""laio-replay, on the client's CPU: plays a trace and says what came back. This file alone knows its options and the
names in its report."""

import dataclasses
import json
import subprocess

from . import cpus
from .failure import CellFailure
from .programs import ours

HANG_S = 600  # a cell that takes longer is ended
PROBE_RATE = 100


@dataclasses.dataclass
class Load:
    """What the client saw in one pass."""
    requests: int                 # that were answered; of the load, as the bytes
    body_bytes: int
    seconds: float
    requests_per_s: float
    megabits_per_s: float
    middle_requests_per_s: float  # of the middle 80 % of the time
    unfinished: int               # under way at the end
    censored: int                 # of these, in the times with how long they had waited
    latency_ms: dict              # mean, p50, p90, p99, p99_9, max; None each when nothing was answered
    first_byte_ms: float | None
    errors: dict                  # by kind, those that did not occur left out
    probe_requests: int           # answered; the server worked for them as well
    probe_ms: dict | None
    has_probe_starved: bool       # not one of its requests was answered
    probe_errors: dict
    is_client_bound: bool


# It goes to its CPU itself: between fork and exec we can do nothing safely, with a thread that follows the memory.
def command_of(url, trace, clients, is_persistent, probe_paths, seconds):
    command = [ours("laio-replay"), "play", "--json", "--generated", "--clients", str(clients),
               "--cpu", str(cpus.chosen()[1])]
    if not is_persistent:
        command.append("--connection-per-request")
    if seconds:
        command += ["--duration", str(seconds)]
    if probe_paths:
        command += ["--probe", ",".join(probe_paths), "--probe-rate", str(PROBE_RATE)]
    return [*command, url, str(trace)]


def milliseconds(microseconds):
    """A time that nothing was measured for is null."""
    return None if microseconds is None else microseconds / 1000


def latencies_ms(part):
    """Of a part of the report, which is in microseconds."""
    times = part["response_us"]
    return {name.replace(".", "_"): milliseconds(times[name]) for name in ("mean", "p50", "p90", "p99", "p99.9", "max")}


def errors_of(part):
    """By kind; answers other than 2xx with their status."""
    errors = {kind: count for kind, count in part["errors"].items() if count}
    errors.update({f"with status {status}": count for status, count in part["statuses"].items()
                   if not status.startswith("2")})
    return errors


def parse(text):
    """The report of `laio-replay play --json`."""
    try:
        report = json.loads(text)
        load, probe = report["load"], report["probe"]
        if report["interrupted"]:
            raise CellFailure("laio-replay was interrupted")
        return Load(
            requests=load["requests"], body_bytes=load["body_bytes"], seconds=report["seconds"],
            requests_per_s=load["throughput"]["requests_per_s"] or 0,
            megabits_per_s=load["throughput"]["megabits_per_s"] or 0,
            middle_requests_per_s=load["throughput_middle"]["requests_per_s"] or 0, unfinished=load["unfinished"],
            censored=load.get("censored", 0),
            latency_ms=latencies_ms(load), first_byte_ms=milliseconds(load["first_byte_us"]["mean"]),
            errors=errors_of(load), probe_requests=probe["requests"] if probe else 0,
            probe_ms=latencies_ms(probe) if probe and probe["requests"] else None,
            has_probe_starved=bool(probe) and not probe["requests"], probe_errors=errors_of(probe) if probe else {},
            is_client_bound=report["client_bound"])
    except (ValueError, KeyError, TypeError) as error:
        raise CellFailure(f"what laio-replay reports is not understood: {error!r}") from None


def run(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_S,
                              check=False)
    except subprocess.TimeoutExpired:
        raise CellFailure(f"the trace was not over after {HANG_S} s") from None
    if not done.stdout.strip():
        raise CellFailure(f"laio-replay ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    return done.stdout


def play(url, trace, clients, is_persistent, probe_paths=(), seconds=None):
    """One pass over the trace."""
    return parse(run(command_of(url, trace, clients, is_persistent, probe_paths, seconds)))


def bring_in(url, probe_paths):
    """The probe asks for what is in memory: so it is brought there first."""
    run([ours("laio-replay"), "probe", "--json", "--duration", "1", "--rate", str(PROBE_RATE), url, *probe_paths])
