#!/usr/bin/env python3
"""The report of the evaluation: one page that needs nothing else, the same in Markdown with its pictures beside it;
what the records say is in it, and what is void is said to be."""

import html.parser
import importlib.util
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

from macro_records import RICE, cell, record

from macro import document, figures, plan, report
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
        observations = Observations(flatten(all_servers()))
        for number, (servers, _) in figures.FIGURES.items():
            svg = figures.lines(observations, number)
            xml.etree.ElementTree.fromstring(svg)
            for text in (*(f"{server}, {kind}" for server in servers for kind in ("cold", "warm")), "clients", "(Mb/s)",
                         "256"):
                self.assertIn(text, svg)

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
