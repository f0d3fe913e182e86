"""The report of all records of a commit: build/paper/report.html, one file that holds all it shows, and on demand
docs/evaluation.md with its pictures, which is shorter: what was run, the goals, the figures, the losses. What does not
count is listed with its reason, what was not measured is said."""

from . import claims, figures, paper_tables, plan
from .comparisons import (best_text, cell_text, disk_text, has_probe, in_memory_part, inversion_part, picture,
                          sensitivity_part, sweep_part)
from .document import Heading, Items, Paragraph, Picture, Table, as_html, as_markdown
from .goals import counted
from .judgements import again_part, goals_part, losses_part
from .observations import Observations, flatten
from .programs import ROOT

TITLE = "The evaluation: the paper's figures on one machine of today"
DOCS = ROOT / "docs"
CELLS_SHOWN_MAX = 2000


def planned_cells(records):
    """All cells of the plans that the records belong to: what is not there of them is missing."""
    names = {record["cell"].get("plan") for record in records}
    return [cell for name in sorted(filter(None, names)) if name in plan.PLANS for cell in plan.PLANS[name]()]


def write(records, folder, is_for_docs=False):
    """Returns the files that were written."""
    observations = Observations(flatten(records), planned_cells(records))
    judged = [*beginning(records, observations), *again_part(observations), *goals_part(observations)]
    shown = [*figures_part(observations), *inversion_part(observations)]
    beside = [*in_memory_part(observations), *sweep_part(observations), *sensitivity_part(observations),
              *paper_tables.parts(folder, latest(records)["machine"])]
    losses = losses_part(observations)
    parts = [*judged, *losses, *shown, *beside, *meetings_part(observations), *limits_part(observations),
             *void_part(observations), *all_part(observations)]
    written = [folder / "report.html"]
    written[0].write_text(as_html(TITLE, parts), encoding="utf-8")
    if is_for_docs:
        written += write_docs([*judged, *shown, *losses, *beside, *void_part(observations, 12)])
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


def latest(records):
    return max(records, key=lambda record: record["started"])


def beginning(records, observations):
    machine, commit = latest(records)["machine"], latest(records)["commit"]
    passes = sum(len(record["passes"]) for record in records)
    failed = sum("failure" in record for record in records)
    void = sum(bool(one["void"]) for record in records for one in record["passes"])
    held_up = sum(not one["void"] and "client" in one["saturated"] for record in records for one in record["passes"])
    minutes = sum(record["took_s"] for record in records) / 60
    rounds = sorted({len(observations.rounds(place, name)) for place in observations.places()
                     for name in observations.servers(place)})
    span = "no" if not rounds else str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
    plans = sorted({record["cell"].get("plan") or "" for record in records} - {""})
    placed = (f"server on CPU {machine['server_cpu']}, client and disks of software on CPU {machine['client_cpu']}"
              if machine["server_cpu"] != machine["client_cpu"] else "server and client share one CPU")
    parts = [
        Paragraph(f"{counted(len(records), 'cell')}{' of the plan ' + ', '.join(plans) if plans else ''}, "
                  f"{passes} passes over a trace, {minutes:,.0f} minutes, commit "
                  f"{commit}, {machine['date']}. "
                  f"Of these passes {void} are void and in {held_up} more the client was the limit: neither is in a "
                  f"comparison; {counted(failed, 'cell')} failed. "
                  "Each cell is one server process, from empty caches; the cold pass plays the trace for the first "
                  f"time, the warm one for the second. {span.capitalize()} round{'' if span == '1' else 's'} of each: "
                  "where there are several, numbers are medians, and the range from the least to the greatest is "
                  "beside them."),
        Table(("the machine", ""), (
            ("processor", f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['hypervisor']}"),
            ("memory", machine["memory"]), ("kernel", machine["kernel"]),
            ("disk", f"{machine['files']}, read-ahead {machine['read_ahead_kb']} KB, scheduler {machine['scheduler']}"),
            ("placed", placed), ("load before", machine["load_before"]),
            *((kind, version) for kind, version in machine["peers"].items())), numbers_from=9)]
    if not machine["is_root"]:
        parts.append(Paragraph("Not run as root: memory was not limited, and names stayed known between cells."))
    return parts


CAPTIONS = {7: "Figure 7: single-threaded servers, Berkeley (larger than memory)",
            8: "Figure 8: single-threaded servers, Rice (fits in memory)",
            9: "Figure 9: LAIO for the network as well, or for the disk alone",
            10: "Figure 10: LAIO and POSIX AIO", 11: "Figure 11: LAIO and helpers, processes or threads"}


def figures_part(observations):
    """Each figure with what the paper says about it beside what was measured, wins and losses alike."""
    parts = [Heading("The paper's figures"),
             Paragraph("Ours as the paper has them; the servers of others in grey. Below each figure the paper's words "
                       "beside the ratios measured here, in brackets by number of clients; * where the client was the "
                       "limit of one of the two. Absolute numbers are another machine's.")]
    for number, caption in CAPTIONS.items():
        parts += [Heading(caption, 3),
                  *picture(f"figure-{number}", caption, lambda number=number: figures.lines(observations, number)),
                  Table(claims.HEAD, tuple(claims.of_figure(observations, number)), numbers_from=9)]
    return [*parts, Heading("What the paper says besides", 3),
            Table(claims.HEAD, tuple(claims.of_figure(observations, None)), numbers_from=9)]


def meeting_places(observations):
    """Groups of places that make one picture: each experiment where three servers or more met at one number of
    clients, cold and warm side by side; the disks of software, one picture each."""
    groups = {}
    for place in observations.places():
        if len(observations.servers(place)) >= 3 and place.experiment not in ("smallest", "in memory", "sensitivity"):
            groups.setdefault(place[:5], []).append(place)
    return groups


def meetings_part(observations):
    parts = []
    for places in meeting_places(observations).values():
        place = places[0]
        servers = observations.servers(place)
        caption = f"{place.experiment.capitalize()}: {place.workload.name} on {place.disk}, {place.clients} clients"
        metrics = ("requests_per_s", "probe_p99_ms" if has_probe(observations, place) else "cpu_us_per_request")
        words = f"{place.experiment}-{place.workload.name}-{place.disk}-{place.clients}-{place.memory}"
        name = "".join(c if c.isalnum() else "-" for c in words).lower()
        parts += [Heading(caption, 3), *([Paragraph(text)] if (text := disk_text(place.disk)) else []),
                  *picture(name, caption, lambda a=places, b=metrics, c=servers: figures.bars(observations, a, b, c)),
                  *(part for place in places for part in meeting_table(observations, place))]
    return [Heading("All servers beside one another"), *parts] if parts else []


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


def limits_part(observations):
    """What bounded the passes that are not void."""
    counts = {}
    for one in observations.all:
        if not one.is_void:
            for what in one.record["saturated"] or ["nothing"]:
                counts[what] = counts.get(what, 0) + 1
    return [Heading("What was saturated"),
            Paragraph("A real disk is called saturated when it was never idle, which for one that serves several accesses "
                      "at once is less than full."),
            Table(("what", "passes that are not void"),
                  tuple(sorted(counts.items(), key=lambda pair: -pair[1])))]


def void_part(observations, most=CELLS_SHOWN_MAX):
    texts = [f"{one.cell.label}, {one.kind}: {'; '.join(one.record['void'])}" for one in observations.void]
    shown = texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most} more"]
    return [Heading("What does not count"), Items(tuple(shown)) if texts else Paragraph("Nothing: no pass is void.")]


def all_part(observations):
    rows = tuple((one.cell.label, one.kind, *(cell_text(one[metric], form) for _, metric, form in COLUMNS),
                  ", ".join(one.record["saturated"]), "void" if one.is_void else "")
                 for one in sorted(observations.all, key=lambda one: (one.place[0], one.cell.label))[:CELLS_SHOWN_MAX])
    return [Heading("All passes"), Table(("cell", "pass", *(head for head, _, _ in COLUMNS), "saturated", ""), rows,
                                         numbers_from=2)]
