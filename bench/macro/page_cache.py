"""What is in memory before a cell: nothing of its tree. Root drops everything, names and inodes included; anyone else
asks for the files' pages alone, and names stay known, which the report says. `fincore` then tells what is left. It
opens every file and so makes the names known again: root drops once more afterwards, which can only take away."""

import os
import pathlib
import socket
import subprocess
import time

from . import cpus
from .failure import CellFailure
from .programs import ANTI_HANG_S, output_of, system

DROP = pathlib.Path("/proc/sys/vm/drop_caches")
STUBBORN_S = 20  # what is in memory for longer stays there


def parse_fincore(text):
    """The sum of `fincore --bytes --noheadings --output RES`. An empty file has a line as well; 0 if there are
    none."""
    return sum(int(word) for word in text.split())


def resident_bytes(tree):
    """Of all files beneath a folder, what is in memory."""
    find = subprocess.Popen([system("find", "findutils"), str(tree), "-xdev", "-type", "f", "-size", "+0", "-print0"],
                            stdout=subprocess.PIPE)
    try:
        looked = subprocess.run([system("xargs", "findutils"), "-0", "-r", "-n", "1000",
                                 system("fincore", "util-linux"), "--bytes", "--noheadings", "--output", "RES"],
                                stdin=find.stdout,
                                capture_output=True, text=True, timeout=10 * ANTI_HANG_S, check=False)
    finally:
        find.stdout.close()
        find.wait(ANTI_HANG_S)
    if looked.returncode != 0 or find.returncode != 0:
        raise CellFailure(f"fincore of {tree}: {looked.stderr.strip()[-500:] or 'find failed'}")
    return parse_fincore(looked.stdout)


def forget(tree):
    """What an owner may do without root: asks the kernel to drop the pages of each file."""
    for folder, _, names in os.walk(tree):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def can_drop():
    """Root may; a container's root may not."""
    return os.access(DROP, os.W_OK)


def drop():
    DROP.write_text("3")


def let_go_of_what_was_sent():
    """Pages that sendfile(2) has sent stay in use after they were received on another CPU, until the sender's handles a
    packet again (Linux 5.19 and later), and cannot be dropped: each CPU gets one. Nothing else may come: our servers
    are gone."""
    before = os.sched_getaffinity(0)
    try:
        for cpu in cpus.available():
            os.sched_setaffinity(0, {cpu})
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_itself:
                to_itself.settimeout(ANTI_HANG_S)
                to_itself.bind(("127.0.0.1", 0))
                to_itself.sendto(b"x", to_itself.getsockname())
                to_itself.recv(1)
    finally:
        os.sched_setaffinity(0, before)


def clear(tree):
    let_go_of_what_was_sent()
    if can_drop():
        drop()
    else:
        forget(tree)


def make_cold(tree, is_ours_alone=False):
    """Nothing of the tree is in memory when this returns; otherwise the cell fails. What a disk of our own has just
    been mounted for (`is_ours_alone`) has been read by nobody: looking at it would make it warm."""
    if is_ours_alone:
        if can_drop():
            drop()
        return
    clear(tree)
    left, deadline = resident_bytes(tree), time.monotonic() + STUBBORN_S
    while left and time.monotonic() < deadline:  # pages that are not on the disk yet, or not out on the network
        output_of(["sync", "-f", tree])
        time.sleep(0.2)
        clear(tree)
        left = resident_bytes(tree)
    if left:
        raise CellFailure(f"{left} bytes of {tree} are still in memory although caches were dropped")
    if can_drop():
        drop()
