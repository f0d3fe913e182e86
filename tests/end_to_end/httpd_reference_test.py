#!/usr/bin/env python3
"""laio-httpd beside programs that others wrote: every version gives the answers that nginx gives to the same bytes on the same
tree, but for the differences in the table below, which is held from both sides; curl gets what it asks for; a mixed load by
wrk meets no error."""

import dataclasses
import fnmatch
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import typing
import unittest

import httpd_process
from httpd_process import LARGE, SIZES, Client, Server, make_tree, request, target_of
from programs import ANTI_HANG_S

MODIFIED_S = 784111777  # of every file: Sun, 06 Nov 1994 08:49:37 GMT
MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
LENGTH = 65537
FILE = f"/size/{LENGTH}.bin"
KEEP = "Connection: keep-alive\r\n"


# ---- What is asked --------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Ask:
    """One request. In `fields`, {tag} stands for the entity tag that the server itself gives the file."""

    target: str
    method: str = "GET"
    fields: str = ""
    version: str = "1.1"

    def bytes_for(self, server):
        fields = self.fields.replace("{tag}", server.tag_of(self.target)) if "{tag}" in self.fields else self.fields
        return request(self.target, self.method, fields, self.version)


@dataclasses.dataclass
class Raw:
    """Bytes in place of a request."""

    data: bytes
    target: str = "/"
    method: str = "GET"

    def bytes_for(self, _):
        return self.data


def files(content):
    for name in content:
        yield f"file {name}", [Ask(target_of(name))]
        yield f"HEAD {name}", [Ask(target_of(name), "HEAD")]


def ranges():
    for field in ("0-0", "1-1", "0-", f"0-{LENGTH - 1}", f"0-{LENGTH}", "100-199", "100-", f"{LENGTH - 1}-", "-1", "-100",
                  f"-{LENGTH}", f"-{LENGTH + 1}", f"{LENGTH}-", f"{LENGTH + 1}-{LENGTH + 2}", "-0", "65535-65536",
                  # What a server may answer as it likes:
                  "0-1,4-5", "0-0,-1", "0-1,", ",0-1", "5-2", "x", "-", "1", "--1", "1-x", "", f"{10 ** 30}-",
                  f"5-{10 ** 30}", f"-{10 ** 30}"):
        yield f"range {field}", [Ask(FILE, fields=f"Range: bytes={field}\r\n")]
    for field in ("Bytes=0-1", "lines=0-1", "bytes 0-1", "bytes=0 - 1", "bytes= 0-1 "):
        yield f"range field {field}", [Ask(FILE, fields=f"Range: {field}\r\n")]
    yield "range of HEAD", [Ask(FILE, "HEAD", "Range: bytes=0-9\r\n")]
    yield "range beyond the end of HEAD", [Ask(FILE, "HEAD", f"Range: bytes={LENGTH}-\r\n")]
    yield "range in HTTP/1.0", [Ask(FILE, fields="Range: bytes=0-9\r\n", version="1.0")]
    for field in ("0-", "0-0", "-1"):
        yield f"range of nothing {field}", [Ask("/size/0.bin", fields=f"Range: bytes={field}\r\n")]
    yield "range of much", [Ask("/large.bin", fields=f"Range: bytes=12345-{LARGE - 54321}\r\n")]
    yield "range of what is missing", [Ask("/missing", fields="Range: bytes=0-1\r\n")]
    for value in ("{tag}", '"x"', "W/{tag}", MODIFIED, EARLIER, LATER, "never", "*"):
        yield f"range if {value}", [Ask(FILE, fields=f"Range: bytes=5-9\r\nIf-Range: {value}\r\n")]
        yield f"range beyond the end if {value}", [Ask(FILE, fields=f"Range: bytes={LENGTH}-\r\nIf-Range: {value}\r\n")]


def conditions():
    tags = ("{tag}", "W/{tag}", '"x"', '"x", {tag}', '{tag} , "x"', '"x","y"', "*")
    dates = (MODIFIED, EARLIER, LATER, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
    for method in ("GET", "HEAD"):
        for name in ("If-None-Match", "If-Match"):
            for value in (*tags, "x"):
                yield f"{method} {name}: {value}", [Ask("/page.html", method, f"{name}: {value}\r\n")]
        for name in ("If-Modified-Since", "If-Unmodified-Since"):
            for value in (*dates, "never", "0"):
                yield f"{method} {name}: {value}", [Ask("/page.html", method, f"{name}: {value}\r\n")]
    for first in ("{tag}", '"x"'):
        for date in (EARLIER, MODIFIED):
            for other, since in (("If-None-Match", "If-Modified-Since"), ("If-Match", "If-Unmodified-Since")):
                yield (f"{other}: {first} and {since}: {date}",
                       [Ask("/page.html", fields=f"{other}: {first}\r\n{since}: {date}\r\n")])
    for match, none in (("{tag}", '"x"'), ('"x"', '"x"'), ("{tag}", "{tag}"), ('"x"', "{tag}")):
        yield (f"If-Match: {match} and If-None-Match: {none}",
               [Ask("/page.html", fields=f"If-Match: {match}\r\nIf-None-Match: {none}\r\n")])
    yield "304 before 206", [Ask(FILE, fields="If-None-Match: {tag}\r\nRange: bytes=0-1\r\n")]
    yield "412 before 206", [Ask(FILE, fields='If-Match: "x"\r\nRange: bytes=0-1\r\n')]
    for field in ("If-Match: *", "If-None-Match: *", f"If-Modified-Since: {LATER}", f"If-Unmodified-Since: {EARLIER}"):
        yield f"missing, {field}", [Ask("/missing", fields=field + "\r\n")]


def names():
    for target in ("/", "/deep/er/and/deeper/", "/?query", "/page.html?a=b/c/../..", "/page.html?", "//page.html",
                   "/./page.html", "/deep/../page.html", "/deep/er/../../page.html", "/deep//er/../..//page.html",
                   "/%70age.html", "/%70%61%67%65%2e%68%74%6D%6c", "/deep/%2e%2e/page.html", "/page%2Ehtml",
                   "/deep/.", "/deep/er/and/deeper/.", "/deep/er/and/deeper/x/..", "/with+space.txt",
                   "http://test/page.html", "http://other:80/page.html?x", "HTTP://test/", "http://test"):
        yield f"name {target}", [Ask(target)]
    for target in ("/deep", "/deep/er/and/deeper", "//deep/./er", "/size", "/%64eep", "/sp ace".replace(" ", "%20"),
                   "http://test/deep"):
        yield f"directory {target}", [Ask(target)]
        yield f"directory by HEAD {target}", [Ask(target, "HEAD")]
    yield "directory with a query", [Ask("/deep?a=b")]
    for target in ("/deep/", "/empty/"):
        yield f"no index in {target}", [Ask(target)]
    for target in ("/missing", "/missing/", "/page.html/", "/page.html/x", "/page.html/../page.html/..x", "/" + "x" * 255,
                   "/" + "x" * 256, "/" + "x/" * 2500, "/PAGE.HTML", "/..\\page.html", "/page.html%20", "/%ff%fe",
                   "/...", "/.%2e.", "/%2570age.html", "/..;/page.html", "/~/", "/*"):
        yield f"missing {target}", [Ask(target)]
    for target in ("/%zz", "/%4", "/%", "/a%00b", "/page.html%00", "/..", "/../page.html", "/deep/../../page.html",
                   "/%2e%2e/page.html", "/deep/..%2f..%2f..%2fpage.html", "page.html", "*", "//../page.html"):
        yield f"bad {target}", [Ask(target)]
    for target in ("/deep%2fer%2fand%2fdeeper%2findex.html", "/a%0ab", "/a%0d%0ab", "/a%7fb", "/page.html#fragment"):
        yield f"doubtful {target}", [Ask(target)]
    yield "fifo", [Ask("/fifo")]
    yield "unreadable", [Ask("/unreadable")]
    yield "in an unreadable directory", [Ask("/closed/page.html")]
    yield "link to a file inside", [Ask("/link-inside")]
    yield "link that leads out", [Ask("/link-out")]
    yield "link to itself", [Ask("/link-loop")]
    yield "link to nothing", [Ask("/link-nowhere")]


def connections():
    page, none = "/page.html", "/missing"
    yield "HTTP/1.0", [Ask(page, version="1.0")]
    yield "HTTP/1.0 keep-alive", [Ask(page, fields=KEEP, version="1.0")]
    yield "HTTP/1.0 missing", [Ask(none, version="1.0")]
    yield "HTTP/1.0 missing keep-alive", [Ask(none, fields=KEEP, version="1.0")]
    yield "HTTP/1.0 HEAD keep-alive", [Ask(page, "HEAD", KEEP, "1.0")]
    yield "HTTP/1.0 without Host", [Raw(b"GET /page.html HTTP/1.0\r\n\r\n", page)]
    yield "HTTP/1.1 close", [Ask(page, fields="Connection: close\r\n")]
    yield "HTTP/1.1 Close", [Ask(page, fields="connection: Close\r\n")]
    yield "HTTP/1.1 keep-alive", [Ask(page, fields=KEEP)]
    yield "HTTP/1.1 without Host", [Raw(b"GET /page.html HTTP/1.1\r\n\r\n", page)]
    yield "HTTP/1.1 two Hosts", [Ask(page, fields="Host: other\r\n")]
    yield "HTTP/1.2", [Ask(page, version="1.2")]
    yield "HTTP/2.0", [Ask(page, version="2.0")]
    yield "HTTP/x", [Ask(page, version="x")]
    yield "pipeline of all sizes", [Ask(f"/size/{size}.bin") for size in SIZES]
    yield "pipeline of many", [Ask(page)] * 100
    yield "pipeline in HTTP/1.0", [Ask(page, fields=KEEP, version="1.0")] * 3 + [Ask(page, version="1.0")]
    yield "pipeline that ends in the middle", [Ask(page), Ask(page, fields="Connection: close\r\n"), Ask(page)]
    yield ("pipeline of everything",
           [Ask(page), Ask(page, "HEAD"), Ask(none), Ask("/deep"), Ask(FILE, fields="Range: bytes=7-9\r\n"),
            Ask(page, fields="If-None-Match: {tag}\r\n"), Ask(FILE, fields=f"Range: bytes={LENGTH}-\r\n"),
            Ask("/large.bin"), Ask(none, "HEAD"), Ask(page)])
    yield "an empty line first", [Raw(b"\r\n" + request(page), page)]
    yield "field without blank", [Ask(page, fields="Range:bytes=0-0\r\n")]
    yield "field with blanks", [Ask(page, fields="Range: \t bytes=0-0 \t \r\n")]
    yield "field name in capitals", [Ask(page, fields="RANGE: bytes=0-0\r\n")]
    yield "a body", [Raw(request(page, fields="Content-Length: 5\r\n") + b"hello", page)]


def methods():
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"):
        yield f"method {method}", [Ask("/page.html", method)]
    for method in ("BREW", "CONNECT", "get", "G", "GET/", "G@T"):
        yield f"odd method {method}", [Ask("/page.html", method)]
    for length in (8000, 9000, 40000):
        yield f"target of {length}", [Ask("/" + "x" * length)]
        yield f"query of {length}", [Ask("/page.html?" + "x" * length)]
    yield "field of 40000", [Ask("/page.html", fields=f"A: {'x' * 40000}\r\n")]


def everything(content):
    """{name of the case: requests}"""
    cases = {}
    for group in (files(content), ranges(), conditions(), names(), connections(), methods()):
        for name, asks in group:
            assert name not in cases, name
            cases[name] = asks
    return cases


# ---- What is different, and means to be -----------------------------------------------------------------------------


class Difference(typing.NamedTuple):
    """In these cases (a pattern), with this status of ours or of nginx (None: any). An answer whose status differs is not
    compared further, but for what becomes of the connection."""

    cases: str
    status: int | None
    what: str
    nginx: object
    ours: object
    why: str


DIFFERENCES = [Difference(*row) for row in (
    # -- fields of an answer
    ("*", 206, "accept-ranges", None, "bytes", "nginx leaves it out of a part"),
    ("*", 304, "last-modified", MODIFIED, None, "a 304 of ours carries the entity tag, with which the time says nothing more"),
    ("*", 405, "allow", None, "GET, HEAD", "RFC 9110 section 15.5.6 demands it"),
    ("directory with a query", 301, "location", "/deep/?a=b", "/deep/", "a query means nothing to files"),
    # -- ranges
    ("range 0-1,4-5", None, "status", 206, 200, "of several ranges the whole file is the answer"),
    ("range 0-0,-1", None, "status", 206, 200, "of several ranges the whole file is the answer"),
    ("range 0-1,", None, "status", 416, 206, "empty elements of a list do not count"),
    ("range ,0-1", None, "status", 416, 206, "empty elements of a list do not count"),
    *((f"range {field}", None, "status", 416, 200, "what is malformed is ignored")
      for field in ("5-2", "x", "-", "1", "--1", "1-x")),
    (f"range *{10 ** 30}", 206, "status", 416, 206, "a last byte beyond the end is the end, however far beyond"),
    ("range field bytes=0 - 1", None, "status", 206, 200, "blanks inside make it malformed"),
    ("range of HEAD", None, "status", 206, 200, "a range is of GET alone: RFC 9110 section 14.2"),
    ("range beyond the end of HEAD", None, "status", 416, 200, "a range is of GET alone: RFC 9110 section 14.2"),
    ("range of nothing 0-*", None, "status", 200, 416, "an empty file has no first byte; nginx looks at no range of it"),
    ("field with blanks", None, "status", 200, 206, "a tab is a blank as well: RFC 9110 section 5.6.3"),
    # -- conditions
    ("* If-Unmodified-Since: never", None, "status", 412, 200, "what is no date is ignored"),
    ("* If-Unmodified-Since: 0", None, "status", 412, 200, "what is no date is ignored"),
    (f"If-None-Match: {{tag}} and If-Modified-Since: {EARLIER}", None, "status", 200, 304,
     "with the tag the time is not asked: RFC 9110 section 13.2.2"),
    (f"If-Match: {{tag}} and If-Unmodified-Since: {EARLIER}", None, "status", 412, 200,
     "with the tag the time is not asked: RFC 9110 section 13.2.2"),
    ("*", 412, "goes on", False, True, "nginx closes the connection, without saying so"),
    # -- names
    ("name /deep/.", None, "status", 403, 404, "no index.html: there is no file of this name"),
    ("no index in *", None, "status", 403, 404, "no index.html: there is no file of this name"),
    ("* /deep*%2f*", None, "status", 400, 404, "an encoded slash is part of a name, and no file has one"),
    ("* /deep*%2f*", None, "status", 200, 404, "an encoded slash is part of a name, and no file has one"),
    ("doubtful /a%*", None, "status", 404, 400, "control characters in names are refused"),
    ("doubtful *#fragment", None, "status", 200, 400, "a fragment is not sent: RFC 9112 section 3.2"),
    ("bad *", None, "close", True, False, "it is certain where the next request begins"),
    ("bad *", None, "goes on", False, True, "it is certain where the next request begins"),
    ("fifo", None, "status", 404, 403, "it is there, and is no file to be sent"),
    ("link that leads out", None, "status", 200, 403, "nothing outside the root is served"),
    ("link to itself", None, "status", 403, 404, "it leads to nothing"),
    # -- versions of HTTP, methods, limits
    ("HTTP/1.2", None, "status", 200, 505, "there is no such version"),
    ("HTTP/1.2", None, "close", False, True, "what is not understood may be framed in another way"),
    ("HTTP/1.2", None, "goes on", True, False, "what is not understood may be framed in another way"),
    ("odd method [!g]*", None, "status", 405, 501, "a method that nobody knows"),
    ("odd method get", None, "status", 400, 501, "a method that nobody knows"),
    *((f"{method}", None, what, nginx, not nginx, "it is certain where the next request begins")
      for method in ("method TRACE", "odd method CONNECT", "odd method get")
      for what, nginx in (("close", True), ("goes on", False))),
    ("field of 40000", None, "status", 400, 431, "RFC 6585"),
)]


# ---- Who is asked ---------------------------------------------------------------------------------------------------


class Nginx:
    """Debian's nginx as this user's own program. It listens on a socket that it is handed as if by an nginx before it, so that
    the kernel can choose the port and nobody waits for it to start."""

    CONFIGURATION = """
        daemon off; {user} pid {folder}/pid; error_log {folder}/errors;
        events {{ worker_connections 256; }}
        http {{
            access_log off; server_tokens off; absolute_redirect off; sendfile on;
            if_modified_since before;  # RFC 9110; "exact", the default, is for clients that send what is no date of theirs
            types {{ text/html html; text/css css; text/plain txt; }}
            default_type application/octet-stream;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{ listen 127.0.0.1:{port}; root {root}; }}
        }}"""

    def __init__(self, program, root, folder):
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.port = listener.getsockname()[1]
            configuration = folder / "nginx.conf"
            configuration.write_text(self.CONFIGURATION.format(
                folder=folder, port=self.port, root=root, user="user root;" if os.geteuid() == 0 else ""))
            environment = dict(os.environ, NGINX=f"{listener.fileno()};")
            self.errors = folder / "errors"
            self.process = subprocess.Popen([program, "-p", folder, "-e", self.errors, "-c", configuration],
                                            env=environment, pass_fds=[listener.fileno()])

    def stop(self):
        self.process.terminate()
        return self.process.wait(ANTI_HANG_S)


class Asked:
    """A server, and the entity tags that it gave."""

    def __init__(self, server):
        self.port = server.port
        self.tags = {}

    def tag_of(self, target):
        if target not in self.tags:
            with Client(self) as client:
                self.tags[target] = client.get(target, "HEAD", "Connection: close\r\n").fields.get("etag")
        return self.tags[target]

    def answers(self, asks):
        """What it says to these bytes, sent at once on a connection of their own: a dict for each answer, and whether the
        connection goes on after them."""
        with Client(self) as client:
            client.send(b"".join(ask.bytes_for(self) for ask in asks))
            found = []
            for ask in asks:
                got = client.read_response(ask.method == "HEAD")
                if got is None:
                    break
                found.append(self.meaning(ask, got))
            try:
                client.send(request("/page.html"))
                goes_on = client.read_head() is not None
            except (BrokenPipeError, ConnectionResetError):
                goes_on = False
        return found, goes_on

    def meaning(self, ask, got):
        fields = got.fields
        said = {name: fields.get(name) for name in ("location", "allow", "content-range", "last-modified", "accept-ranges")}
        said["status"] = got.status
        said["etag"] = "etag" in fields and (fields["etag"] == self.tag_of(ask.target) or fields["etag"])
        said["close"] = fields.get("connection") == "close"
        said["date"] = "date" in fields
        if got.status in (200, 206):  # the text of an error is everyone's own
            said |= {"body": got.body, "content-length": fields["content-length"], "content-type": fields["content-type"]}
        elif ask.method != "HEAD" and got.status != 304:
            assert len(got.body) == int(fields["content-length"])
        return said


def differences(nginx, ours):
    """Between two results of Asked.answers(): (status of ours and of nginx, what, nginx's, ours)."""
    found = []
    if len(nginx[0]) != len(ours[0]):
        found.append(((), "answers", len(nginx[0]), len(ours[0])))
    for theirs, mine in zip(nginx[0], ours[0]):
        both = (theirs["status"], mine["status"])
        what = ("status", "close", "date") if both[0] != both[1] else sorted(theirs.keys() | mine.keys())
        found += [(both, key, theirs.get(key), mine.get(key)) for key in what if theirs.get(key) != mine.get(key)]
    last = tuple(said[-1]["status"] for said in (nginx[0], ours[0]) if said)
    if nginx[1] != ours[1]:
        found.append((last, "goes on", nginx[1], ours[1]))
    return found


def short(value):
    text = repr(value)
    return text if len(text) < 80 else f"{text[:60]}... ({len(value)} long)"


# ---- The tests ------------------------------------------------------------------------------------------------------


class Reference(unittest.TestCase):
    """Of one version; the tree, and what nginx said, are the same for all."""

    version = None
    nginx_answers = None

    @classmethod
    def serve(cls):
        return Server(tree.root, "--version-name", cls.version)

    @property
    def closes(self):
        """One request a connection."""
        return self.version.startswith("thttpd-")

    def test_same_answers_as_nginx(self):
        if tree.nginx_program is None:
            self.skipTest("no nginx here")
        cases = everything(tree.content)
        expected = tree.answers_of_nginx(cases)
        unused = set(DIFFERENCES)
        with self.serve() as server:
            asked = Asked(server)
            for name, asks in cases.items():
                with self.subTest(name[:100]):
                    nginx, ours = expected[name], asked.answers(asks)
                    if self.closes:
                        nginx = [{**nginx[0][0], "close": True}], False
                    self.check(name, nginx, ours, unused)
        if not self.closes:
            self.assertEqual(unused, set(), "differences that are none")

    def check(self, name, nginx, ours, unused):
        for statuses, what, theirs, mine in differences(nginx, ours):
            known = [row for row in DIFFERENCES if fnmatch.fnmatchcase(name, row.cases) and row.what == what and
                     row.status in (None, *statuses) and (row.nginx, row.ours) == (theirs, mine)]
            unused.difference_update(known)
            self.assertTrue(known, f"{name[:100]}: {what} is {short(theirs)} with nginx, {short(mine)} with {self.version} "
                                   f"(status {statuses})")

    def test_requests_on_a_connection(self):
        expected = ([True], False) if self.closes else ([False] * 3, True)
        with self.serve() as server:
            for ask in (Ask("/page.html"), Ask("/missing"), Ask("/page.html", fields=KEEP, version="1.0")):
                answers, goes_on = Asked(server).answers([ask] * 3)
                self.assertEqual(([said["close"] for said in answers], goes_on), expected)

    # ---- curl

    def curl(self, server, *options, name="page.html"):
        """(status, fields, body)"""
        with tempfile.TemporaryDirectory() as folder:
            body, head = pathlib.Path(folder) / "body", pathlib.Path(folder) / "head"
            done = subprocess.run(["curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--dump-header", head,
                                   "--output", body, "--write-out", "%{http_code}", *options, server.url + name],
                                  capture_output=True, text=True, check=True, timeout=ANTI_HANG_S)
            lines = head.read_text().split("\n")[1:]
            fields = dict(line.strip().lower().split(": ", 1) for line in lines if ": " in line)
            return int(done.stdout), fields, body.read_bytes() if body.exists() else b""

    def test_curl(self):
        if shutil.which("curl") is None:
            self.skipTest("no curl here")
        name = FILE[1:]
        data = tree.content[name]
        page = tree.content["page.html"]
        with self.serve() as server:
            for given, begin, end in (("0-0", 0, 1), ("100-199", 100, 200), ("65000-", 65000, LENGTH),
                                      ("-7", LENGTH - 7, LENGTH)):
                status, fields, body = self.curl(server, "--range", given, name=name)
                self.assertEqual((status, body), (206, data[begin:end]))
                self.assertEqual(fields["content-range"], f"bytes {begin}-{end - 1}/{LENGTH}")
            self.assertEqual(self.curl(server, "--range", f"{LENGTH}-", name=name)[0], 416)
            for date, status in ((MODIFIED, 304), (LATER, 304), (EARLIER, 200)):
                self.assertEqual(self.curl(server, "--time-cond", date)[0], status)
            self.assertEqual(self.curl(server, "--time-cond", "-" + EARLIER)[0], 412)
            status, fields, _ = self.curl(server, "--head")
            self.assertEqual((status, fields["content-length"]), (200, str(len(page))))
            status, fields, body = self.curl(server, "--http1.0")
            self.assertEqual((status, fields["connection"], body), (200, "close", page))
            self.assertEqual(self.curl(server, "--header", f"If-None-Match: {fields['etag']}")[0], 304)
            self.assertEqual(self.curl(server, name="missing")[0], 404)
            self.assertEqual(self.curl(server, "--location", name="deep/er/and/deeper")[2],
                             tree.content["deep/er/and/deeper/index.html"])

    # ---- wrk

    LOAD = """
        local asked = {}
        local last = 0
        init = function()
            for _, path in ipairs({"/page.html", "/size/0.bin", "/size/1.bin", "/size/65537.bin", "/size/1048576.bin"}) do
                table.insert(asked, wrk.format("GET", path))
            end
            table.insert(asked, wrk.format("GET", "/size/65537.bin", {Range = "bytes=100-65000"}))
            table.insert(asked, wrk.format("GET", "/page.html", {["If-None-Match"] = "*"}))
        end
        request = function()
            last = last % #asked + 1
            return asked[last]
        end
        done = function(summary)
            local e = summary.errors
            io.write(string.format("totals %d %d %d\\n", summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
        end"""

    def test_wrk_meets_no_error(self):
        if shutil.which("wrk") is None:
            self.skipTest("no wrk here")
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script, self.serve() as server:
            script.write(self.LOAD)
            script.flush()
            done = subprocess.run(["wrk", "-t1", "-c24", "-d1s", "--timeout", "100s", "-s", script.name, server.url],
                                  check=True, capture_output=True, text=True, timeout=ANTI_HANG_S)
            totals = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("totals ")]
            requests, refused, broken = map(int, totals[0])
            self.assertEqual((refused, broken), (0, 0), done.stdout)
            server.stop()
            self.assertGreater(requests, 0)
            self.assertGreaterEqual(server.report["httpd"]["requests"], requests)


class ReferenceTree:
    """What every version serves, and what nginx said of it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="laio-httpd-")
        top = pathlib.Path(self.folder.name)
        self.top, self.root = top, top / "root"
        self.root.mkdir()
        self.content = make_tree(self.root)
        for path in self.root.rglob("*"):
            if path.is_file():
                os.utime(path, (MODIFIED_S, MODIFIED_S))
        (top / "secret").write_bytes(b"secret")
        for name, to in (("inside", "page.html"), ("out", "../secret"), ("loop", "link-loop"), ("nowhere", "nowhere")):
            (self.root / f"link-{name}").symlink_to(to)
        os.mkfifo(self.root / "fifo")
        (self.root / "unreadable").write_bytes(b"unreadable")
        (self.root / "closed").mkdir()
        (self.root / "closed" / "page.html").write_bytes(b"unreadable")
        for path in (self.root / "unreadable", self.root / "closed" / "page.html"):
            os.utime(path, (MODIFIED_S, MODIFIED_S))
        for name in ("unreadable", "closed"):
            (self.root / name).chmod(0)
        self.nginx_program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        self.nginx_said = None

    def answers_of_nginx(self, cases):
        if self.nginx_said is None:
            folder = self.top / "nginx"
            folder.mkdir()
            nginx = Nginx(self.nginx_program, self.root, folder)
            try:
                asked = Asked(nginx)
                self.nginx_said = {name: asked.answers(asks) for name, asks in cases.items()}
            except OSError as failure:
                raise AssertionError(f"nginx: {nginx.errors.read_bytes()[-1000:]}") from failure
            finally:
                nginx.stop()
        return self.nginx_said

    def remove(self):
        (self.root / "closed").chmod(0o700)
        self.folder.cleanup()


def setUpModule():
    global tree
    tree = ReferenceTree()
    unittest.addModuleCleanup(tree.remove)


for version in httpd_process.runnable_versions():
    name = "Reference" + version.replace("-", "")
    globals()[name] = type(name, (Reference,), {"version": version})
del Reference

if __name__ == "__main__":
    unittest.main(verbosity=2)
