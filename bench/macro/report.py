"""The report of all records of a commit: build/paper/report.html, one file that holds all it shows, and on demand
docs/evaluation.md with its pictures. Both are the same parts. What is void is listed with its reason, what was not
measured is said."""


from . import claims, figures, goals, peers
from .document import Heading, Items, Paragraph, Picture, Table, as_html, as_markdown
from .failure import Unavailable
from .observations import Observations, flatten
from .programs import ROOT
from .statistics import AGAIN_TOLERANCE, agrees_with_itself

TITLE = "The evaluation: the paper's figures on one machine of today"
DOCS = ROOT / "docs"
CELLS_SHOWN_MAX = 2000


def write(records, folder, is_for_docs=False):
    """Returns the files that were written."""
    observations = Observations(flatten(records))
    parts = [*beginning(records), *again_part(observations), *goals_part(observations),
             *claims_part(observations), *figures_part(observations), *meetings_part(observations),
             *in_memory_part(observations), *sensitivity_part(observations), *limits_part(observations),
             *void_part(records, observations), *all_part(observations)]
    written = [folder / "report.html"]
    written[0].write_text(as_html(TITLE, parts), encoding="utf-8")
    if is_for_docs:
        written += write_docs(parts)
    return written


def write_docs(parts):
    pictures = DOCS / "evaluation"
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.svg"):
        old.unlink()
    for part in parts:
        if isinstance(part, Picture):
            (pictures / f"{part.name}.svg").write_text(part.svg, encoding="utf-8")
    page = DOCS / "evaluation.md"
    page.write_text(as_markdown(TITLE, parts, pictures.name), encoding="utf-8")
    return [page]


def beginning(records):
    latest = max(records, key=lambda record: record["started"])
    machine, commit = latest["machine"], latest["commit"]
    passes = sum(len(record["passes"]) for record in records)
    minutes = sum(record["took_s"] for record in records) / 60
    placed = (f"server on CPU {machine['server_cpu']}, client and disks of software on CPU {machine['client_cpu']}"
              if machine["server_cpu"] != machine["client_cpu"] else "server and client share one CPU")
    parts = [
        Paragraph(f"{len(records)} cells, {passes} passes over a trace, {minutes:,.0f} minutes, commit {commit}, "
                  f"{machine['date']}. Each cell is one server process, from empty caches; the cold pass plays "
                  "the trace for the first time, the warm one for the second. Where there were several rounds, numbers "
                  "are medians."),
        Table(("the machine", ""), (
            ("processor", f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['hypervisor']}"),
            ("memory", machine["memory"]), ("kernel", machine["kernel"]),
            ("disk", f"{machine['files']}, read-ahead {machine['read_ahead_kb']} KB, scheduler {machine['scheduler']}"),
            ("placed", placed), ("load before", machine["load_before"]),
            *((kind, version) for kind, version in machine["peers"].items())), numbers_from=9)]
    if not machine["is_root"]:
        parts.append(Paragraph("Not run as root: memory was not limited, and names stayed known between cells."))
    return parts


def again_part(observations):
    ratio = observations.again()
    if not ratio:
        return [Heading("Does a server agree with itself?"), Paragraph("Not asked in this plan.")]
    verdict = ("so smaller differences than that mean nothing, and larger ones may"
               if agrees_with_itself(ratio["ratio"]) else
               f"which is more than {AGAIN_TOLERANCE:.2f} away from 1: no difference of this run is to be believed")
    bounds = f" (95 %: {ratio['lower']:.3f} to {ratio['upper']:.3f})" if ratio["lower"] else ""
    return [Heading("Does a server agree with itself?"),
            Paragraph(f"The same server measured twice in {ratio['n']} pairs: {ratio['ratio']:.3f}{bounds}, "
                      f"{verdict}.")]


def goals_part(observations):
    return [Heading("The goals"),
            Table(("goal", "outcome", "measured"),
                  tuple((one.text, one.verdict, one.here) for one in goals.outcomes(observations)), numbers_from=9)]


def claims_part(observations):
    return [Heading("The paper's claims"),
            Paragraph("Measured with both caches where the paper speaks of both; in brackets by number of clients."),
            Table(("where", "who", "workload", "what", "paper", "here"), tuple(claims.rows(observations)),
                  numbers_from=9)]


def picture(name, caption, draw):
    """A picture, or why there is none."""
    try:
        svg = draw()
    except Unavailable as reason:
        return [Paragraph(f"{caption}: {reason}.")]
    return [Picture(name, caption, svg)] if svg else []


CAPTIONS = {7: "Figure 7: single-threaded servers, Berkeley (larger than memory)",
            8: "Figure 8: single-threaded servers, Rice (fits in memory)",
            9: "Figure 9: LAIO for the network as well, or for the disk alone",
            10: "Figure 10: LAIO and POSIX AIO", 11: "Figure 11: LAIO and helpers, processes or threads"}


def figures_part(observations):
    parts = []
    for number, caption in CAPTIONS.items():
        parts += picture(f"figure-{number}", caption, lambda number=number: figures.lines(observations, number))
    return [Heading("The paper's figures"), *parts] if parts else []


def meeting_places(observations):
    """Groups of places that make one picture: each experiment where three servers or more met at one number of
    clients, cold and warm side by side; the disks of software, one picture each."""
    groups = {}
    for place in observations.places():
        experiment, workload, disk, clients, memory, _ = place
        if len(observations.servers(place)) >= 3 and experiment not in ("smallest", "in memory", "sensitivity"):
            groups.setdefault((experiment, workload, disk, clients, memory), []).append(place)
    return groups


def has_probe(observations, place):
    return any(observations.value(place, server, "probe_p99_ms") for server in observations.servers(place))


def meetings_part(observations):
    parts = []
    for (experiment, workload, disk, clients, _), places in meeting_places(observations).items():
        servers = observations.servers(places[0])
        caption = f"{experiment.capitalize()}: {workload.name} on {disk}, {clients} clients"
        metrics = ("requests_per_s", "probe_p99_ms" if has_probe(observations, places[0]) else "cpu_us_per_request")
        name = "".join(c if c.isalnum() else "-" for c in f"{experiment}-{disk}-{clients}").lower()
        parts += [Heading(caption, 3),
                  *picture(name, caption, lambda a=places, b=metrics, c=servers: figures.bars(observations, a, b, c)),
                  *(part for place in places for part in meeting_table(observations, place))]
    return [Heading("All servers beside one another"), *parts] if parts else []


def best_text(observations, place):
    """Best single loop and best of all, told apart."""
    servers = [name for name in observations.servers(place) if not name.endswith(" again")]
    ours = [name for name in servers if not peers.is_known(name)]
    single = observations.best(place, [name for name in servers if peers.is_known(name) and peers.is_single_loop(name)])
    every = observations.best(place, [name for name in servers if peers.is_known(name)])
    parts = [f"{what}: {name}, {observations.value(place, name, 'requests_per_s'):,.0f} requests/s" for what, name in (
        ("best of ours", observations.best(place, ours)), ("best single loop of the others", single),
        ("best of all others", every)) if name]
    return f"{place[5].capitalize()} cache. " + "; ".join(parts) + "."


def cell_text(value, form):
    return "" if value is None else format(value, form)


COLUMNS = (("requests/s", "requests_per_s", ",.0f"), ("its bound", "bound_requests_per_s", ",.0f"),
           ("Mb/s", "megabits_per_s", ",.0f"), ("mean ms", "response_ms", ",.1f"),
           ("p99 ms", "response_p99_ms", ",.1f"),
           ("probe p99 ms", "probe_p99_ms", ",.1f"), ("CPU us a request", "cpu_us_per_request", ",.0f"),
           ("CPU %", "cpu_percent", ".0f"), ("read by served", "read_per_served", ".2f"),
           ("queue depth", "queue_depth", ".1f"),
           ("rate x latency", "rate_x_latency", ".1f"), ("switches a request", "switches_per_request", ".2f"),
           ("blocked calls", "blocked_calls", ",.0f"))


def spread_text(summary, form):
    """The median, and where there are rounds the range."""
    if summary is None:
        return ""
    text = format(summary["median"], form)
    return text if summary["n"] == 1 else f"{text} ({format(summary['min'], form)} to {format(summary['max'], form)})"


def meeting_table(observations, place):
    servers = sorted(observations.servers(place), reverse=True,
                     key=lambda name: observations.value(place, name, "requests_per_s"))
    columns = [column for column in COLUMNS
               if any(observations.value(place, name, column[1]) is not None for name in servers)]

    def text(name, metric, form):
        found = observations.summary(place, name, metric)
        return spread_text(found, form) if metric == "requests_per_s" else cell_text(found and found["median"], form)
    rows = tuple((name, *(text(name, metric, form) for _, metric, form in columns),
                  ", ".join(observations.saturated(place, name))) for name in servers)
    return [Paragraph(best_text(observations, place)),
            Table(("server", *(head for head, _, _ in columns), "saturated"), rows)]


def in_memory_part(observations):
    places = observations.places(experiment="in memory", kind="warm")
    if not places:
        return []
    rivals = [goals.BLOCKING, "nginx-cache"]
    rows = []
    for place in places:
        for rival in rivals:
            ratio = observations.ratio(place, goals.LAIO, rival)
            bound = observations.ratio(place, goals.LAIO, rival, counting_clients_limit=True)
            text = "" if ratio else "the client was the limit" if bound else "not measured"
            rows.append((goals.place_text(place), rival, f"{ratio['ratio']:.3f}" if ratio else text,
                         cell_text(ratio and ratio["lower"], ".3f"), ratio["n"] if ratio else 0))
    return [Heading("In memory, in pairs"),
            Paragraph("Ratios of requests/s, round by round; the lower bound holds with 95 % (sign test). Pairs in "
                      "which the client was the limit do not count."),
            *picture("in-memory", "In memory: ratios and their bounds",
                     lambda: figures.ratio_bars(observations, places, goals.LAIO, rivals)),
            Table(("where", "against", "ratio", "lower bound", "pairs"), tuple(rows), numbers_from=2)]


def sensitivity_part(observations):
    """Each parameter that the paper's Table 2 leaves open, changed alone: does the conclusion move?"""
    places = observations.places(experiment="sensitivity", kind="cold")
    if not places:
        return []
    rivals = (goals.BLOCKING, "Flash-NB-AMPED")
    rows = []
    for place in places:
        ratios = [observations.ratio(place, goals.LAIO, rival, counting_clients_limit=True) for rival in rivals]
        rows.append((", ".join(place[1].options) or "as it is",
                     cell_text(observations.value(place, goals.LAIO, "requests_per_s"), ",.0f"),
                     *(f"{ratio['ratio']:.2f}" if ratio else "" for ratio in ratios)))
    return [Heading("What the workload's open parameters change"),
            Paragraph(f"{places[0][1].kind} x {places[0][1].scale:g}, {places[0][2]}, {places[0][3]} clients, cold."),
            Table(("parameter", f"{goals.LAIO}, requests/s", *(f"against {rival}" for rival in rivals)), tuple(rows))]


def limits_part(observations):
    """What bounded the passes."""
    counts = {}
    for one in observations.all:
        for what in one.record["saturated"] or ["nothing"]:
            counts[what] = counts.get(what, 0) + 1
    return [Heading("What was saturated"),
            Table(("what", "passes"), tuple(sorted(counts.items(), key=lambda pair: -pair[1])))]


def void_part(records, observations):
    texts = [f"{one.cell.label}, {one.kind}: {'; '.join(one.record['void'])}" for one in observations.void]
    texts += [f"{record['cell']['server']}, {record['cell']['disk']}: {record['failure']}" for record in records
              if "failure" in record]
    return [Heading("What does not count"), Items(tuple(texts)) if texts else Paragraph("Nothing: no pass is void.")]


def all_part(observations):
    rows = tuple((one.cell.label, one.kind, *(cell_text(one[metric], form) for _, metric, form in COLUMNS),
                  ", ".join(one.record["saturated"]), "void" if one.is_void else "")
                 for one in sorted(observations.all, key=lambda one: (one.place[0], one.cell.label))[:CELLS_SHOWN_MAX])
    return [Heading("All passes"), Table(("cell", "pass", *(head for head, _, _ in COLUMNS), "saturated", ""), rows,
                                         numbers_from=2)]
