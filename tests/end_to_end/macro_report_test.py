#!/usr/bin/env python3
"""The report of the evaluation: one page that needs nothing else, the same in Markdown with its pictures beside it;
what the records say is in it, and what is void is said to be."""

import html.parser
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

from macro_records import BERKELEY, RICE, cell, record

from macro import comparisons, document, figures, plan, report
from macro.cell import Workload
from macro.failure import Unavailable
from macro.observations import Observations, flatten

VOID_ELEMENTS = {"meta", "br", "img", "path", "use", "rect", "line"}


class Reader(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects what they refer to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.problems = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.note(attrs)
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(attrs)

    def note(self, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "href", "xlink:href"):
                self.references.append(value)

    def handle_endtag(self, tag):
        if tag not in VOID_ELEMENTS and (not self.open or self.open.pop() != tag):
            self.problems.append(tag)


def all_servers():
    """Both workloads, three numbers of clients, and a disk of software with a probe."""
    records = []
    for number, server in enumerate(plan.PAPER):
        for clients in (16, 64, 256):
            records += [record(cell(server, clients=clients), 100 + 10 * number),
                        record(cell(server, workload=RICE, clients=clients), 500 + 10 * number)]
        records.append(record(cell(server, disk="hdd", experiment="slow", passes=("cold",)), 50,
                              probe_p99_ms=0.5 * 3 ** number))
    return records


def peers():
    return [record(cell(name, clients=clients), value) for clients in (16, 64, 256)
            for name, value in (("nginx", 90), ("nginx-threads-64", 120), ("nginx-workers-8", 130), ("caddy", 60))]


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="laio-report-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def page(self, records):
        return report.write(records, self.folder)[0].read_text(encoding="utf-8")

    def test_a_page_that_needs_nothing_else(self):
        page = self.page(all_servers())
        reader = Reader(page)
        self.assertEqual((reader.open, reader.problems), ([], []))
        self.assertEqual(len(reader.ids), len(set(reader.ids)), "names are there twice")
        for reference in reader.references:
            self.assertTrue(reference.startswith("#"), reference)
            self.assertIn(reference[1:], reader.ids)

    def test_what_is_in_it(self):
        page = self.page(all_servers())
        for text in ("The goals", "Figure 7(a)", "+5 % to +108 %", "a processor", "Nothing: no pass is void",
                     "best of ours"):
            self.assertIn(text, page)

    def test_void_passes_and_failures_are_listed(self):
        failed = dict(record(cell("nginx"), 100), passes=[], failure="CellFailure: it did not start")
        void = record(cell("Flash-NB-B"), 100, load={"errors": {"reset": 7}})
        page = self.page([failed, void, record(cell(), 100)])
        self.assertIn("it did not start", page)
        self.assertIn("errors in responses: 7 reset", page)

    def test_what_was_planned_and_is_missing(self):
        records = [record(cell("Flash-LAIO-LAIO"), 300), record(cell("Flash-NB-B"), 100)]
        self.assertEqual(report.planned_cells(records), [])
        of_a_plan = [dict(one, cell=dict(one["cell"], plan="standard")) for one in records]
        self.assertTrue(any(of.server == "nginx" for of in report.planned_cells(of_a_plan)))
        with unittest.mock.patch.object(report, "planned_cells", return_value=[cell("nginx")]):
            self.assertIn("nginx, berkeley, berkeley x 0.02, ext4, 64 clients", self.page(records))

    def test_losses_with_the_numbers_of_both(self):
        records = [record(cell("Flash-LAIO-LAIO"), 90, cpu_us=300, measured={"server_cpu_share": 0.99}),
                   record(cell("Flash-NB-AMPED"), 100, cpu_us=100)]
        page = self.page(records)
        for text in ("0.90 x (one pair)", "90 / 100", "300 / 100", "99 / 50"):
            self.assertIn(f">{text}<", page)
        self.assertIn("ours has no CPU left, and takes 3.00 x theirs for a request", page)

    def test_counts_of_what_does_not_count(self):
        records = [record(cell(), 100), record(cell("nginx"), 100, load={"errors": {"reset": 7}}),
                   record(cell("Flash-NB-B"), 100, load={"is_client_bound": True}),
                   dict(record(cell("h2o"), 100), passes=[], failure="CellFailure: it did not start")]
        self.assertIn("Of these passes 2 are void and in 2 more the client was the limit: neither is in a "
                      "comparison; 1 cell failed.", self.page(records))

    def test_a_server_that_does_not_agree_with_itself(self):
        records = [record(cell(round=number, is_again=is_again), value if is_again else 100)
                   for number, value in enumerate((70, 100, 130)) for is_again in (False, True)]
        page = self.page(records)
        self.assertIn("from 0.700 to 1.300, median 1.000", page)
        self.assertIn("may be off by 30 %", page)

    def test_the_papers_tables(self):
        described = {"requests": 1000, "files": 10, "footprint_bytes": 5_000_000, "small_share": 0.082,
                     "medium_share": 0.332, "large_share": 0.586}
        paper = {"requests": 3184540, "small": 8.2, "medium": 33.2, "large": 58.6, "footprint": "6.4 GB"}
        lines = {name: {"lines": {"file read": number, "both of these": 3}, "total": 10 * number, "files": {}}
                 for name, number in (("Flash-NB-AMPED", 100), ("Flash-LAIO-LAIO", 90))}
        (self.folder / "tables.json").write_text(json.dumps({
            "versions": {"missing": "no laio-httpd"},
            "workloads": {"rows": [{"name": "berkeley x 0.02", "kind": "berkeley", "described": described,
                                    "paper": paper}]},
            "lines_of_code": {"rows": lines}}), encoding="utf-8")
        page = self.page([record(cell(), 100)])
        for text in ("no laio-httpd", "3,184,540", "58.6 %", "8,860", "here it has 10.0 % less"):
            self.assertIn(text, page)

    def test_helpers_side_by_side(self):
        records = [record(cell("Flash-NB-AMPED", disk_concurrency=helpers), 1000 * helpers) for helpers in (4, 16, 64)]
        self.assertIn("<td class=number>4,000</td><td class=number>16,000</td><td class=number>64,000</td>",
                      self.page(records))

    def test_a_disk_that_is_faster_than_its_model_is_said_to_be(self):
        self.assertIn("--speed divides", comparisons.disk_text("hdd"))
        self.assertEqual(comparisons.disk_text("ext4"), "")

    def test_latencies_may_be_unknown(self):
        nothing = record(cell(), 100)
        for one in nothing["passes"]:
            one["derived"].update(response_ms=None, response_p99_ms=None)
        self.page([nothing, record(cell("Flash-NB-B"), 100)])

    def test_open_parameters_of_the_workload(self):
        changed = Workload("berkeley", 0.02, options=("zipf_exponent=0.7",))
        records = [record(cell(server, workload=changed, experiment="sensitivity", memory=0.3), requests_per_s)
                   for server, requests_per_s in (("Flash-LAIO-LAIO", 250), ("Flash-NB-B", 100))]
        page = self.page(records)
        self.assertIn("zipf_exponent=0.7", page)
        self.assertIn(">2.50<", page)

    def test_a_single_cell(self):
        self.assertIn("not measured", self.page([record(cell(), 100)]))

    def test_without_matplotlib_the_rest_is_there(self):
        missing = unittest.mock.patch.object(figures, "plotting", side_effect=Unavailable("no matplotlib"))
        with missing:
            page = self.page(all_servers())
        self.assertIn("no matplotlib", page)
        self.assertNotIn("<svg", page)

    def test_markdown_with_its_pictures(self):
        with unittest.mock.patch.object(report, "DOCS", self.folder):
            report.write(all_servers(), self.folder, is_for_docs=True)
        text = (self.folder / "evaluation.md").read_text(encoding="utf-8")
        pictures = sorted(path.name for path in (self.folder / "evaluation").iterdir())
        for name in pictures:
            self.assertIn(f"(evaluation/{name})", text)
        self.assertEqual(text.count("!["), len(pictures))


class Document(unittest.TestCase):
    def test_what_is_plain_text_stays_plain_text(self):
        parts = [document.Paragraph("a < b & c"), document.Table(("<head>", "x"), (("a|b", 1),)),
                 document.Items(("<i>",))]
        page = document.as_html("<title>", parts)
        self.assertNotIn("<head>x", page)
        for text in ("a &lt; b &amp; c", "&lt;head&gt;", "&lt;i&gt;", "&lt;title&gt;"):
            self.assertIn(text, page)
        self.assertIn("a\\|b", document.as_markdown("t", parts, "f"))

    def test_names_within_a_picture_are_its_own(self):
        svg = '<?xml version="1.0"?>\n<svg xmlns="x"><path id="m" clip-path="url(#c)"/><use xlink:href="#m"/></svg>'
        text = document.inline(document.Picture("one", "a caption", svg))
        self.assertTrue(text.startswith("<svg "))
        for piece in ('id="one-m"', "url(#one-c)", 'xlink:href="#one-m"'):
            self.assertIn(piece, text)

    def test_long_lines_are_wrapped(self):
        self.assertTrue(all(len(line) <= 118 for line in document.wrapped("word " * 200).splitlines()))


class Pictures(unittest.TestCase):
    def setUp(self):
        try:
            figures.plotting()
        except Unavailable as reason:
            print(f"SKIPPED: {reason}")
            self.skipTest(str(reason))

    def test_each_figure_of_the_paper(self):
        others = [record(cell(name, clients=clients, workload=workload), 50 + 7 * number + clients)
                  for number, name in enumerate((*plan.PAPER, *plan.PEERS)) for workload in (BERKELEY, RICE)
                  for clients in ((1, 4, 16, 64, 256, 1024) if name in plan.PAPER else (16, 64, 256))]
        observations = Observations(flatten(others + peers()))
        for number, (servers, workloads) in figures.FIGURES.items():
            svg = figures.lines(observations, number)
            xml.etree.ElementTree.fromstring(svg)
            titles = [f"{workload.capitalize()}, {kind}" for workload in workloads for kind in ("cold", "warm")]
            for text in (*servers, *titles, "clients", "throughput (Mb/s)", "mean response time (ms)", "256"):
                self.assertTrue(f">{text}<" in svg, f"{text} is not in figure {number}")
            self.assertTrue(">caddy<" in svg, "the peers' lines")
            self.assertLess(len(svg), 100_000, f"figure {number}")

    def test_no_more_lines_than_can_be_told_apart(self):
        records = [record(cell(name, clients=clients), 100 + number)
                   for number, name in enumerate((*plan.PEERS, "Flash-NB-B", "Flash-LAIO-LAIO"))
                   for clients in (16, 64)]
        observations = Observations(flatten(records))
        drawn = unittest.mock.Mock(side_effect=figures.draw_line)
        with unittest.mock.patch.object(figures, "draw_line", drawn):
            figures.lines(observations, 7)
        names = {call.args[2] for call in drawn.call_args_list}
        self.assertLessEqual(len(names), figures.LINES_MAX)
        self.assertEqual(len({figures.look_of(name, sorted(names))[:3] for name in names}), len(names), "look alike")

    def test_another_scale_is_not_in_the_same_line(self):
        records = [record(cell(clients=clients), 100) for clients in (16, 64, 256)]
        records += [record(cell(workload=Workload("berkeley", 0.5), memory=0.3, clients=64), 900)]
        points = figures.curve(Observations(flatten(records)), "berkeley", "Flash-LAIO-LAIO", "cold", "requests_per_s")
        self.assertEqual([(clients, point["n"], point["median"]) for clients, point in points],
                         [(16, 1, 100), (64, 1, 100), (256, 1, 100)])

    def test_service_inversion(self):
        observations = Observations(flatten(all_servers()))
        svg = figures.inversion(observations, observations.places(disk="hdd"))
        xml.etree.ElementTree.fromstring(svg)
        for text in (*plan.PAPER, "hdd, 64 clients", "the probe's response time (ms)", "99th percentile"):
            self.assertTrue(f">{text}<" in svg, text)

    def test_one_number_of_clients_is_no_line(self):
        observations = Observations(flatten([record(cell(), 100), record(cell("Flash-NB-B"), 100)]))
        self.assertIsNone(figures.lines(observations, 7))

    def test_the_same_numbers_are_the_same_picture(self):
        observations = Observations(flatten(all_servers()))
        self.assertEqual(figures.lines(observations, 11), figures.lines(observations, 11))


def runs_where_matplotlib_is():
    """Debian's is installed for the system's own Python, which need not be the first one in PATH."""
    systems = "/usr/bin/python3"
    if not importlib.util.find_spec("matplotlib") and os.access(systems, os.X_OK) and sys.executable != systems:
        os.execv(systems, [systems, "-B", *sys.argv])


if __name__ == "__main__":
    runs_where_matplotlib_is()
    unittest.main()
