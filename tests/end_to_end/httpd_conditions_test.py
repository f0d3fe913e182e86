#!/usr/bin/env python3
"""laio-httpd from outside: conditional requests and ranges. Which condition comes before which is tested at the unit; here,
that every version answers them, with the right bytes, on a connection that goes on."""

import os
import unittest

import httpd_process
from httpd_process import LARGE, Client, request, target_of

LENGTH = 65537
NAME = f"size/{LENGTH}.bin"


class Conditions:
    def test_what_the_client_has_is_not_sent_again(self):
        with self.serve() as server, Client(server) as client:
            first = client.get("/page.html").fields
            tag, modified = first["etag"], first["last-modified"]
            for fields in (f"If-None-Match: {tag}", f'If-None-Match: "x", W/{tag}', "If-None-Match: *",
                           f"If-Modified-Since: {modified}", f'If-Match: {tag}\r\nIf-None-Match: {tag}'):
                got = client.get("/page.html", fields=fields + "\r\n")
                self.assertEqual(got.status, 304, fields)
                self.assertEqual(got.fields["etag"], tag)
                self.assertNotIn("content-length", got.fields)
            for fields in ('If-None-Match: "x"', f'If-None-Match: "x"\r\nIf-Modified-Since: {modified}',
                           "If-Modified-Since: never", f"If-Match: {tag}"):
                got = client.get("/page.html", fields=fields + "\r\n")
                self.assertEqual((got.status, got.body), (200, self.content["page.html"]), fields)

    def test_a_file_that_is_replaced_has_another_tag(self):
        path = self.root / "replaced.txt"
        other = self.root / "other.txt"
        for which in (path, other):
            which.write_bytes(b"abc")
            os.utime(which, (784111777, 784111777))
        with self.serve("--cache-files", "0") as server, Client(server) as client:
            tag = client.get("/replaced.txt").fields["etag"]
            other.rename(path)  # of the same length, with the same time
            got = client.get("/replaced.txt", fields=f"If-None-Match: {tag}\r\n")
            self.assertEqual(got.status, 200)
            self.assertNotEqual(got.fields["etag"], tag)
        path.unlink()

    def test_what_is_not_as_the_client_thinks_is_refused(self):
        with self.serve() as server, Client(server) as client:
            for fields in ('If-Match: "x"', "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"):
                for method in ("GET", "HEAD"):
                    got = client.get("/page.html", method, fields + "\r\n")
                    self.assertEqual(got.status, 412, fields)
            self.assertEqual(client.get("/none", fields='If-Match: "x"\r\n').status, 404)

    def test_every_kind_of_range(self):
        data = self.content[NAME]
        cases = [("0-0", 0, 1), ("1-2", 1, 3), (f"{LENGTH - 1}-", LENGTH - 1, LENGTH), ("100-", 100, LENGTH),
                 ("-1", LENGTH - 1, LENGTH), (f"-{LENGTH + 5}", 0, LENGTH), (f"5-{10 ** 30}", 5, LENGTH)]
        with self.serve() as server, Client(server) as client:
            for field, begin, end in cases:
                got = client.get(target_of(NAME), fields=f"Range: bytes={field}\r\n")
                self.assertEqual((got.status, got.body), (206, data[begin:end]), field)
                self.assertEqual(got.fields["content-range"], f"bytes {begin}-{end - 1}/{LENGTH}")
            for field in (f"{LENGTH}-", f"{10 ** 30}-", "-0"):
                got = client.get(target_of(NAME), fields=f"Range: bytes={field}\r\n")
                self.assertEqual(got.status, 416, field)
                self.assertEqual(got.fields["content-range"], f"bytes */{LENGTH}")
            for field in ("bytes=0-1,4-5", "bytes=5-2", "bytes=x", "lines=0-1"):
                got = client.get(target_of(NAME), fields=f"Range: {field}\r\n")
                self.assertEqual((got.status, got.body), (200, data), field)

    def test_a_large_part_in_the_middle(self):
        with self.serve() as server, Client(server) as client:
            begin, end = 12345, LARGE - 54321
            got = client.get("/large.bin", fields=f"Range: bytes={begin}-{end - 1}\r\n")
            self.assertEqual(got.status, 206)
            self.assertTrue(got.body == self.content["large.bin"][begin:end], "the wrong bytes")

    def test_ranges_only_of_the_file_that_was_meant_and_only_for_get(self):
        with self.serve() as server, Client(server) as client:
            whole = client.get("/page.html")
            for value in (whole.fields["etag"], whole.fields["last-modified"]):
                self.assertEqual(client.get("/page.html", fields=f"Range: bytes=0-1\r\nIf-Range: {value}\r\n").status, 206)
            got = client.get("/page.html", fields='Range: bytes=0-1\r\nIf-Range: "x"\r\n')
            self.assertEqual((got.status, got.body), (200, whole.body))
            got = client.get("/page.html", "HEAD", "Range: bytes=0-1\r\n")
            self.assertEqual((got.status, got.fields["content-length"]), (200, str(len(whole.body))))

    def test_in_a_pipeline(self):
        self.needs_persistence()
        with self.serve() as server, Client(server) as client:
            client.send(request("/page.html", fields="If-None-Match: *\r\n") +
                        request(target_of(NAME), fields="Range: bytes=7-9\r\n") +
                        request(target_of(NAME), fields="Range: bytes=999999-\r\n") + request("/page.html"))
            self.assertEqual([client.read_response().status for _ in range(4)], [304, 206, 416, 200])


globals().update(httpd_process.with_each_engine_set(Conditions))

if __name__ == "__main__":
    unittest.main(verbosity=2)
