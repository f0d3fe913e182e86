"""What the disk itself can give: as many readers at once as a server may have, each reading whole files from beginning
to end past the page cache. No server that reads these files from this disk is faster; how near one comes is said
beside it. A disk that is shared with others is not the same at all times: it is measured before a cell and after it,
and the better counts. The readers are threads here, on the client's CPU: reads of a megabyte cost it little."""

import concurrent.futures
import itertools
import mmap
import os
import time

CHUNK_BYTES = 1 << 20
SECONDS = 3


def files_of(tree):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(tree) for name in names)


def read_files(paths, deadline):
    """Takes path after path until time is over. Returns the bytes it has read."""
    total = 0
    with mmap.mmap(-1, CHUNK_BYTES) as buffer:  # O_DIRECT wants memory at a page's beginning
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
            try:
                offset = 0
                while time.monotonic() < deadline and (count := os.preadv(descriptor, [buffer], offset)):
                    offset += count
            finally:
                os.close(descriptor)
            total += offset
            if time.monotonic() >= deadline:
                break
    return total


def better(before, after):
    """Of two measurements; None if there are none."""
    known = [one["bytes_per_s"] for one in (before, after) if one]
    return {"bytes_per_s": max(known), "measured": known, "readers": before["readers"]} if known else None


def measure(tree, readers, seconds=SECONDS):
    """In bytes a second; None where files cannot be read past the page cache."""
    paths = files_of(tree)
    if not paths:
        return None
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(readers) as pool:
        shares = [pool.submit(read_files, itertools.cycle(paths[start:] + paths[:start]), began + seconds)
                  for start in (len(paths) * number // readers for number in range(readers))]
    try:
        read_bytes = sum(share.result() for share in shares)
    except OSError:
        return None
    took_s = time.monotonic() - began
    return {"bytes_per_s": read_bytes / took_s, "readers": readers, "seconds": took_s}
