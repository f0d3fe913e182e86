"""Pages fetched with curl, and compared with the files."""

import concurrent.futures
import contextlib
import os
import subprocess

from common import ANTI_HANG_S, Failure, heading, size_text
from pages import evenly

FETCHED_FILE_BYTES_MAX = 256 << 20  # so that any folder can be shown without filling the disk with copies
FETCHED_BYTES_MAX = 512 << 20
FETCH_CONNECTIONS = 4


def choose_fetched(pages, count):
    """Evenly from all, with the largest; those that would be too much to copy left out."""
    small_enough = [page for page in pages if page.size <= FETCHED_FILE_BYTES_MAX]
    if len(small_enough) < len(pages):
        print(f"{len(pages) - len(small_enough)} files over {size_text(FETCHED_FILE_BYTES_MAX)} are not fetched")
    if not small_enough:
        raise Failure("no file is small enough to be fetched")
    largest = max(small_enough, key=lambda page: page.size)
    chosen, total = [largest], largest.size
    for page in evenly([page for page in small_enough if page is not largest], count - 1):
        if total + page.size <= FETCHED_BYTES_MAX:
            chosen.append(page)
            total += page.size
    return chosen


def forget(page):
    """Asks the kernel to drop the file from memory, so that the server has something to wait for."""
    with contextlib.suppress(OSError), open(page.path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def fetch(url, pages, folder):
    """Fetches pages with one curl, into files by their place in the list. Returns connections made, and complaints."""
    folder.mkdir()
    config = "".join(f'url = "{url}{page.target}"\noutput = "{i}"\n' for i, page in enumerate(pages))
    done = subprocess.run(["curl", "--disable", "--silent", "--show-error", "--globoff", "--path-as-is",
                           "--noproxy", "*", "--max-time", str(ANTI_HANG_S),
                           "--write-out", "%{http_code} %{num_connects}\n", "--config", "-"],
                          input=config, cwd=folder, capture_output=True, text=True, check=False)
    answers = [line.split() for line in done.stdout.splitlines()]
    if len(answers) != len(pages):
        return 0, [f"curl gave {len(answers)} answers for {len(pages)} pages: {done.stderr.strip()}"]
    complaints = [] if done.returncode == 0 else [f"curl ended with {done.returncode}: {done.stderr.strip()}"]
    for i, (page, answer) in enumerate(zip(pages, answers)):
        if answer[0] != "200":
            complaints.append(f"{page.name}: the answer is {answer[0]}, not 200")
        elif difference := first_difference(page.path, folder / str(i)):
            complaints.append(f"{page.name}: {difference}")
    return sum(int(connects) for _, connects in answers), complaints


def first_difference(path, copy):
    """What distinguishes the copy from the file, or None. An empty answer may have left no copy at all."""
    at = 0
    with open(path, "rb") as original, open(copy if copy.exists() else os.devnull, "rb") as fetched:
        while True:
            expected, got = original.read(1 << 20), fetched.read(1 << 20)
            if expected != got:
                same = next((i for i, pair in enumerate(zip(expected, got)) if pair[0] != pair[1]),
                            min(len(expected), len(got)))
                return f"differs from the file at byte {at + same}"
            if not expected:
                return None
            at += len(expected)


def fetch_and_compare(server, pages, scratch, count):
    heading("Pages fetched with curl and compared with the files")
    chosen = choose_fetched(pages, count)
    for page in chosen:
        forget(page)
    shares = [share for share in (chosen[i::FETCH_CONNECTIONS] for i in range(FETCH_CONNECTIONS)) if share]
    with concurrent.futures.ThreadPoolExecutor(len(shares)) as pool:
        results = list(pool.map(lambda i: fetch(server.url, shares[i], scratch / f"fetched-{i}"), range(len(shares))))
    complaints = [complaint for _, some in results for complaint in some]
    if complaints:
        for complaint in complaints[:20]:
            print(f"WRONG  {complaint}")
        raise Failure(f"what was fetched is not as it should be, in this many respects: {len(complaints)}" +
                      (", of which the first 20 are above" if len(complaints) > 20 else ""))
    print(f"fetched        {len(chosen)} of {len(pages):,} files, {size_text(sum(page.size for page in chosen))} "
          f"in all, over {sum(connects for connects, _ in results)} connections")
    print(f"the largest    {chosen[0].name}, {size_text(chosen[0].size)}")
    print("compared       every byte is as in the file (the kernel had been asked to drop the files from memory)")
    return len(chosen)
