"""The paper's Tables 1 to 3, its numbers beside ours: which versions there are, what the workloads are, and how many
lines each version takes. The runner leaves what they are made of in tables.json, with the reason where something could
not be had."""

import json

from . import architecture
from .document import Heading, Paragraph, Table

NO_FILE = {"missing": "tables.json is not there"}
PAPERS_LINES = (("file read", 550, 15), ("name conversion", 610, 375), ("partial-write state", 70, 0),
                ("total", 8860, 8020))
PAPERS_TWO = ("Flash-NB-AMPED", "Flash-LAIO-LAIO")


def read(folder):
    try:
        return json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def part_of(tables, name, make):
    found = tables.get(name, NO_FILE)
    return make(found["rows"]) if "rows" in found else [Paragraph(f"Not to be had: {found.get('missing')}.")]


def parts(folder, machine):
    tables = read(folder)
    return [Heading("The paper's tables"),
            Heading("Table 1: the versions, and the servers of others", 3),
            *part_of(tables, "versions", versions), peers_table(machine),
            Heading("Table 2: the workloads", 3), *part_of(tables, "workloads", workloads),
            Heading("Table 3: lines of code", 3), *part_of(tables, "lines_of_code", lines_of_code)]


def versions(rows):
    return [Table(("version", "way of serving", "network", "disk", "connections"),
                  tuple((row["name"], row.get("way", ""), row.get("network", ""), row.get("disk", ""),
                         "persistent" if row.get("is_persistent") else "one for each request") for row in rows),
                  numbers_from=9)]


def peers_table(machine):
    def built(kind):
        if kind == "nginx":
            return "one loop, with or without a pool of threads; with workers-N several"
        return "one loop" if architecture.is_single_loop(kind) else "several threads"
    return Table(("server of others", "version", "how it is built"),
                 tuple((kind, version, built(kind)) for kind, version in machine["peers"].items()), numbers_from=9)


def share_text(value):
    """The paper's shares may be fractions or percents; ours are fractions."""
    return "" if value is None else f"{100 * value if value <= 1 else value:.1f} %"


def workloads(rows):
    lines = []
    for row in rows:
        described, paper = row["described"], row.get("paper")
        if paper:
            footprint = paper.get("footprint", "")
            lines.append((f"{row['kind']} in the paper", f"{paper['requests']:,}", share_text(paper["small"]),
                          share_text(paper["medium"]), share_text(paper["large"]),
                          size_text(footprint) if isinstance(footprint, (int, float)) else footprint, "", ""))
        lines.append((row["name"], f"{described['requests']:,}", share_text(described["small_share"]),
                      share_text(described["medium_share"]), share_text(described["large_share"]),
                      size_text(described["footprint_bytes"]), f"{described['files']:,}",
                      f"{described.get('sequence_mean_requests', 0):.1f}"))
    return [Paragraph("Shares of the bytes that are sent, by the size of their file. Requests and footprint are scaled "
                      "alike, and memory with them; the shares are not. The paper's traces are not public: these are "
                      "made."),
            Table(("workload", "requests", "up to 8 KB", "8 to 256 KB", "above", "footprint", "files",
                   "requests a sequence"), tuple(dict.fromkeys(lines)))]


def size_text(size):
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def lines_of_code(rows):
    """All versions; then the paper's two, its numbers beside ours."""
    names = list(rows)
    components = list(dict.fromkeys(name for one in rows.values() for name in one["lines"]))
    every = tuple((component, *(f"{rows[name]['lines'].get(component, 0):,}" for name in names))
                  for component in components)
    total = ("total", *(f"{rows[name]['total']:,}" for name in names))
    parts = [Table(("lines without comments and blanks", *names), (*every, total))]
    if all(name in rows for name in PAPERS_TWO):
        helped, lazy = (dict(rows[name]["lines"], total=rows[name]["total"]) for name in PAPERS_TWO)
        theirs = [(component, f"{there:,}", f"{helped.get(component, 0):,}", f"{here:,}", f"{lazy.get(component, 0):,}")
                  for component, there, here in PAPERS_LINES]
        both = "both of these"  # what reading and names share here; the paper's Flash has a helper for each
        if both in helped:
            theirs.insert(2, (f"({both})", "", f"{helped[both]:,}", "", f"{lazy.get(both, 0):,}"))
        parts.append(Table(("as in the paper", *(f"{name}, {whose}" for name in PAPERS_TWO
                                                 for whose in ("paper", "here"))), tuple(theirs)))
        parts.append(Paragraph(f"In all the paper's {PAPERS_TWO[1]} has 9.5 % less lines than its {PAPERS_TWO[0]}; "
                               f"here it has {100 * (1 - lazy['total'] / helped['total']):.1f} % less."))
    return parts
