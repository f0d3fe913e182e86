"""What the server counted: which way its system calls went."""

from common import Failure, heading

ROUTES = {
    "direct": "cannot block: the call, in place",
    "attempt": "in a form that does not block; what would block waits in the background",
    "activation": "the call, in place, on a thread that another one replaces if it blocks",
    "home": "belongs to the thread that began the loop",
    "queued": "has no such form: given to a carrier, a thread of the library",
}


def show_costs(routes):
    print(f"{'route':<12}{'calls':>12}{'blocked':>12}{'median cost':>18}  what such a call is")
    for route, meaning in ROUTES.items():
        counts = routes[route]
        cost = f"about {counts['median_ns']:,.0f} ns" if counts["sampled"] else "-"
        print(f"{route:<12}{counts['calls']:>12,}{counts['blocked']:>12,}{cost:>18}  {meaning}")
    calls, blocked = (sum(counts[key] for counts in routes.values()) for key in ("calls", "blocked"))
    print(f"{'all':<12}{calls:>12,}{blocked:>12,}{'':18}  "
          "blocked: went on in the background, the server did something else\n"
          "cost: time inside laio_syscall(), the system call itself with it where that was made there. One call in 64 is\n"
          "timed and counted in one of four steps to each doubling; the median is by proportion within its step.")


def show_routes(report, answered):
    httpd, laio = report["httpd"], report["laio"]
    heading("Which way the server's system calls went, from its start to its end")
    calls = sum(counts["calls"] for counts in laio["routes"].values())
    rows = [
        (httpd["requests"], f"requests in all, {calls / max(httpd['requests'], 1):.1f} system calls each"),
        (httpd["connections_peak"], "connections open at once, at most"),
        (laio["outstanding_peak"], "calls in the background at once, at most"),
        (laio["carriers_peak"], "carriers at once, at most"),
        (laio["ring_submitted"], "requests submitted to io_uring"),
        (laio["readiness_waits"], "waits for readiness (epoll)"),
        (laio["claims"], "calls left behind in place, because they blocked there"),
        (laio["trips_home"], "times the server came back to its own thread, which it leaves for such calls and for io_uring"),
        (laio["polls"], "turns of the loop"),
    ]
    for number, meaning in rows:
        print(f"{number:>24,}  {meaning}")
    print(f"{'engines':>24}  {laio['engines']}\n")
    show_costs(laio["routes"])

    responses = httpd["responses"]
    if responses["2xx"] < answered or responses["4xx"] or responses["5xx"]:
        raise Failure(f"curl and wrk had {answered} good answers; the server counted {responses}")
