"""A folder on a file system whose every operation takes as long as told, and fails as told: slow_file_server of
tests/slow_files, mounted by FUSE, as root or as an ordinary user (by fusermount3).
"""

import ctypes
import mmap
import os
import pathlib
import re
import subprocess
import tempfile

from programs import ANTI_HANG_S, BIN, SOURCE

SERVER = BIN / "slow_file_server"
CONTROL = SOURCE / "tests" / "slow_files" / "control.hpp"


def operations():
    """The names of the operations, in the order of control.hpp."""
    body = re.search(r"enum class file_operation[^{]*\{(.*?)\}", CONTROL.read_text(encoding="utf-8"), re.DOTALL)[1]
    return [word.strip() for word in re.sub(r"//.*", "", body).split(",") if word.strip() != "count"]


OPERATIONS = operations()
WORDS = ctypes.c_uint32 * len(OPERATIONS)


class Control(ctypes.Structure):
    """struct control of control.hpp."""

    _fields_ = [("takes_ms", WORDS), ("calls", WORDS), ("is_frozen", ctypes.c_uint32), ("is_deaf", ctypes.c_uint32),
                ("waiting", ctypes.c_uint32), ("interrupted", ctypes.c_uint32), ("server", ctypes.c_int32),
                ("fails_with", WORDS), ("is_cached", ctypes.c_uint32)]


class NoFuse(Exception):
    """There is no FUSE file system to be had here; the text says why."""


class SlowFiles:
    """What is in the folder .below is seen below the path .top, slowly. With `cached`, the kernel keeps what it was told,
    as it does of a disk: names, statuses and pages are asked for once, and opening asks for nothing more. What is below
    must not change then. `life_s`: the file system ends then, whoever may hang in it."""

    def __init__(self, cached=False, directory=None, life_s=4 * ANTI_HANG_S):
        if not os.access(SERVER, os.X_OK):
            raise NoFuse(f"{SERVER} was not built (without libfuse3 it is not)")
        self.folder = tempfile.TemporaryDirectory(prefix="slow-files-", dir=directory)
        self.below, self.top = (pathlib.Path(self.folder.name) / name for name in ("below", "top"))
        self.below.mkdir()
        self.top.mkdir()
        block = os.memfd_create("slow_files")
        os.ftruncate(block, ctypes.sizeof(Control))
        self.control = Control.from_buffer(mmap.mmap(block, ctypes.sizeof(Control)))
        self.control.is_cached = cached
        ready, ready_writer = os.pipe()
        leash_reader, self.leash = os.pipe()
        inherited = (block, ready_writer, leash_reader)
        self.keeper = subprocess.Popen([SERVER, *map(str, inherited), str(life_s), self.top, self.below],
                                       pass_fds=inherited, stdin=subprocess.DEVNULL)
        for descriptor in inherited:
            os.close(descriptor)
        with open(ready, encoding="utf-8", errors="replace") as said:
            word = said.readline().strip()
        if word != "ready":
            self.close()
            raise NoFuse(word or "the server of slow files does not say why")

    def all_take(self, ms, operations=tuple(OPERATIONS)):
        """How long each of these operations takes from now on; the others take no time."""
        for i, name in enumerate(OPERATIONS):
            self.control.takes_ms[i] = ms if name in operations else 0

    def fail(self, operation, error):
        """What the operation fails with from now on; 0: it does not."""
        self.control.fails_with[OPERATIONS.index(operation)] = error

    def freeze(self, frozen=True):
        """No operation ends until the file system is told otherwise."""
        self.control.is_frozen = frozen

    def calls(self, operation):
        return self.control.calls[OPERATIONS.index(operation)]

    def close(self):
        self.all_take(0)
        self.freeze(False)
        os.close(self.leash)
        self.keeper.wait(ANTI_HANG_S)
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
