"""The folder to serve, its files, and how they are asked for."""

import contextlib
import itertools
import os
import pathlib
import random
import stat
import urllib.parse

from common import Failure

DEFAULT_DIRECTORY = "/usr/share/doc"
FILES_LISTED_MAX = 100_000


class Page:
    """A regular file, and how it is asked for."""

    def __init__(self, directory, path, size):
        self.path, self.size = path, size
        relative = os.path.relpath(path, directory)
        self.name = os.fsencode(relative).decode("utf-8", "backslashreplace")
        self.target = "/" + urllib.parse.quote(os.fsencode(relative))
        # What has control characters in its name is refused by the server, as is a request line beyond its limit.
        self.servable = len(self.target) < 4096 and all(c >= " " and c != "\x7f" for c in relative)


def pages_beneath(directory):
    """The files in `directory` that we may read, without following symbolic links, in the order of their names."""
    def walk():
        for folder, folders, names in os.walk(directory):
            folders.sort()
            for path in (os.path.join(folder, name) for name in sorted(names)):
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
                        yield Page(directory, path, status.st_size)

    pages = list(itertools.islice((page for page in walk() if page.servable), FILES_LISTED_MAX))
    if len(pages) == FILES_LISTED_MAX:
        print(f"only the first {FILES_LISTED_MAX:,} files of {directory} are considered")
    return pages


def make_tree(directory):
    """Files for a system that has none to show."""
    source = random.Random(1)
    for i, size in enumerate([0, 1, 4096, 65536, 8 << 20] + [source.randrange(1, 100_000) for _ in range(295)]):
        path = directory / f"{i % 10}" / f"page {i}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(size))


def choose_directory(given, scratch):
    """The folder to serve and its files."""
    directory = pathlib.Path(given or DEFAULT_DIRECTORY).resolve()
    if given and not directory.is_dir():
        raise Failure(f"{given} is not a folder")
    pages = pages_beneath(directory)
    if not pages and given:
        raise Failure(f"{given} has no files that may be read")
    if not pages:
        made = scratch / "tree"
        print(f"{directory} has no files here: a small tree in {made} takes its place")
        make_tree(made)
        directory, pages = made, pages_beneath(made)
    return directory, pages


def evenly(pages, count):
    return pages if len(pages) <= count else [pages[i * len(pages) // count] for i in range(count)]
