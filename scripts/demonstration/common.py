"""What the parts of the demo share: where things are, how they fail, and the server."""

import json
import os
import pathlib
import select
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / os.environ.get("LAIO_BUILD_DIR", "build")).resolve()
ANTI_HANG_S = 120  # ends what hangs; measures nothing


class Failure(Exception):
    """Something that the demo is there to show did not hold, or it cannot run here."""


def heading(text):
    print(f"\n== {text}")


def size_text(size):
    for limit, unit in ((1 << 20, "MB"), (1 << 10, "KB")):
        if size >= limit:
            return f"{size / limit:.1f} {unit}"
    return f"{size} bytes"


def output_of(*command):
    """What a command prints, or nothing if it cannot."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


class Server:
    """laio-httpd on a port that the kernel chose; ended with the block, whatever happens in it."""

    def __init__(self, directory, *options):
        command = [BUILD / "bin" / "laio-httpd", "--port", "0", "--stats", "--json", *options, directory]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            ready, _, _ = select.select([self.process.stdout], [], [], ANTI_HANG_S)
            self.url = self.process.stdout.readline().strip().rstrip("/") if ready else ""
            if not self.url:
                raise Failure("laio-httpd did not start")
        except BaseException:
            self.end()
            raise

    def stop(self):
        """Asks it to end, as an administrator would; its statistics."""
        if self.process.poll() is not None:
            raise Failure(f"laio-httpd ended by itself, with {self.process.returncode}")
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=ANTI_HANG_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"laio-httpd did not end within {ANTI_HANG_S} s of SIGTERM") from None
        if self.process.returncode != 0:
            raise Failure(f"laio-httpd ended with {self.process.returncode} after SIGTERM")
        return json.loads(out)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
