"""A web server that misbehaves as the path says: what laio-replay is judged by. A thread for each connection; it keeps what
was asked over which connection, and how many asked at once. `/gen/N/...` are N bytes as generated files have them.
"""

import collections
import socket
import struct
import threading
import urllib.parse

from programs import ANTI_HANG_S

WORD = (1 << 64) - 1


def content_of(path, size):
    """The bytes of a generated file, written down a second time."""
    seed = 0xcbf29ce484222325
    for byte in path.encode():
        seed = (seed ^ byte) * 0x100000001b3 & WORD
    made = bytearray()
    for i in range((size + 7) // 8):
        z = seed + i * 0x9e3779b97f4a7c15 & WORD
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & WORD
        z = (z ^ z >> 27) * 0x94d049bb133111eb & WORD
        made += struct.pack("<Q", z ^ z >> 31)
    return bytes(made[:size])


def head(length=None, status="200 OK", fields=""):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 {status}\r\n{size}{fields}\r\n".encode()


class Ended(Exception):
    """The connection is over."""


class Connection:
    def __init__(self, server, peer):
        self.server, self.peer = server, peer
        self.requests = []

    def send(self, data):
        self.peer.sendall(data)

    def whole(self, body, **how):
        self.send(head(len(body), **how) + body)

    def close(self):
        """In order: the client sees an end, not a reset, whatever it sends meanwhile."""
        self.peer.shutdown(socket.SHUT_WR)
        while self.peer.recv(65536):
            pass
        raise Ended

    def reset(self):
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended

    # ---- What a path does: /NAME or /NAME/N...

    def do_gen(self, path):
        file = urllib.parse.unquote(urllib.parse.urlsplit(path).path)
        self.whole(content_of(file, int(path.split("/")[2])))

    def do_wrong(self, path):
        size = int(path.split("/")[2])
        right = bytearray(content_of(path, size))
        right[-1] ^= 1
        self.whole(bytes(right))

    def do_status(self, path):
        self.whole(b"oops", status=path.split("/")[2] + " Some reason")

    def do_empty(self, _):
        self.send(head(status="204 No Content"))

    def do_chunked(self, _):
        self.send(head(fields="Transfer-Encoding: chunked\r\n") + b"5\r\nhel")
        self.send(b"lo\r\n")
        self.send(b"1;x=y\r\n!\r\n0\r\n\r")
        self.send(b"\n")

    def do_chunks_cut(self, _):
        self.send(head(fields="Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\n")
        self.close()

    def do_to_close(self, _):
        self.send(head() + b"until the end")
        self.close()

    def do_last(self, _):
        self.whole(b"bye", fields="Connection: close\r\n")
        self.close()

    def do_http10(self, _):
        self.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
        self.close()

    def do_silent_close(self, _):
        self.whole(b"fine, but")
        self.close()

    def do_no_answer(self, _):
        self.close()

    def do_bytewise(self, _):
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head(3, fields="X: y\r\n") + b"abc":
            self.send(bytes([byte]))

    def do_hints(self, _):
        self.send(head(status="103 Early Hints", fields="Link: </x>\r\n"))
        self.send(head(status="100 Continue"))
        self.whole(b"at last")

    def do_hints_only(self, _):
        self.send(head(status="100 Continue") * 100)
        self.close()

    def do_garbage(self, _):
        self.send(b"220 mail.example ESMTP\r\n\r\n")
        self.close()

    def do_endless_head(self, _):
        self.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000)
        self.close()

    def do_short(self, _):
        self.send(head(100000) + b"x" * 50000)
        self.close()

    def do_long(self, _):
        self.send(head(10) + b"x" * 11)
        self.close()

    def do_reset(self, _):
        self.reset()

    def do_reset_amid(self, _):
        self.send(head(100000) + b"x" * 50000)
        self.reset()

    def do_never(self, _):
        self.peer.recv(1)  # until the client gives up
        raise Ended

    def do_stops(self, _):
        self.send(head(100000) + b"x" * 50000)
        self.peer.recv(1)
        raise Ended

    def do_stalls(self, path):
        """N are answered, and then nobody any more."""
        if self.server.asked[path] > int(path.split("/")[2]):
            self.do_never(path)
        self.whole(b"as yet")

    def do_crowd(self, path):
        """Answers when N ask at once."""
        n = int(path.split("/")[2])
        with self.server.changed:
            if not self.server.changed.wait_for(lambda: self.server.most_at_once >= n, ANTI_HANG_S):
                raise Ended
        self.whole(b"all here")

    def do_delay(self, path):
        """The first one is late."""
        if self.server.asked[path] == 1:
            threading.Event().wait(float(path.split("/")[2]))
        self.whole(content_of(path, 4))

    def serve(self):
        stream = self.peer.makefile("rb")
        while (line := stream.readline()) not in (b"", b"\r\n"):
            method, path, version = line.decode("latin-1").split()
            assert method == "GET" and version == "HTTP/1.1", line
            fields = {}
            while (line := stream.readline().decode("latin-1").rstrip("\r\n")):
                name, value = line.split(":", 1)
                fields[name.lower()] = value.strip()
            assert fields["host"] == f"127.0.0.1:{self.server.port}", fields
            self.requests.append(path)
            closes = fields.get("connection") == "close"
            with self.server.changed:
                self.server.asked[path] += 1
                self.server.asked_to_close += closes
                self.server.at_once += 1
                self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
                self.server.changed.notify_all()
            try:
                getattr(self, "do_" + urllib.parse.urlsplit(path).path.split("/")[1])(path)
            finally:
                with self.server.changed:
                    self.server.at_once -= 1
            if closes:
                self.close()


class ScriptedServer:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.connections = []
        self.changed = threading.Condition()
        self.asked = collections.Counter()
        self.at_once = self.most_at_once = self.asked_to_close = 0
        self.troubles = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            one = Connection(self, peer)
            self.connections.append(one)
            threading.Thread(target=self.run, args=(one,), daemon=True).start()

    def run(self, one):
        try:
            with one.peer:
                one.serve()
        except (Ended, OSError):  # the client has left
            pass
        except Exception as trouble:  # pylint: disable=broad-except
            self.troubles.append(repr(trouble))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        assert not self.troubles, self.troubles
