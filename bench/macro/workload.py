"""The trees and traces: made once by laio-replay, kept in build/paper/workloads/, the same for the same parameters. A
tree that was not finished is made again. What is written is brought to the disk before anything is measured."""

import hashlib
import json
import os
import pathlib
import shutil
import tempfile

from .programs import ours, output_of

MEMORY_SHARES = {"berkeley": 2 / 6.4, "rice": 2 / 1.1}  # the paper's memory to footprint
MAKING_S = 3600


class Prepared:
    """A workload on disk: its folder has trace, files, parameters.json, and tree/ if it was asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.trace, self.files, self.tree = folder / "trace", folder / "files", folder / "tree"
        self.description = json.loads((folder / "description.json").read_text(encoding="utf-8"))

    @property
    def footprint_bytes(self):
        return self.description["footprint_bytes"]

    @property
    def requests(self):
        return self.description["requests"]

    def hot_files(self, count=8, largest_bytes=65536):
        """For the probe: what the trace asks for most often among its smaller files."""
        sizes = dict(parse_files(self.files.read_text(encoding="utf-8")))
        counts = {}
        with open(self.trace, encoding="utf-8") as trace:
            for path in (word for line in trace if not line.startswith("#") for word in line.split()):
                if not path.startswith("@") and sizes.get(path, largest_bytes + 1) <= largest_bytes:
                    counts[path] = counts.get(path, 0) + 1
        return sorted(counts, key=counts.get, reverse=True)[:count]


def parse_files(text):
    """(path, size) of each line "SIZE PATH"."""
    for line in text.splitlines():
        size, _, path = line.partition(" ")
        yield path, int(size)


def folder_name(workload):
    digest = hashlib.sha256(repr(workload).encode()).hexdigest()[:10]
    return f"{pathlib.Path(workload.kind).stem}-{workload.scale:g}-{digest}"


def described(folder):
    """`laio-replay describe` of what was made: the numbers of the paper's Table 2."""
    command = [ours("laio-replay"), "describe", folder / "trace", "--files", folder / "files", "--json"]
    return json.loads(output_of(command, MAKING_S))


def place_of(workload, top, with_tree):
    return top / (folder_name(workload) + ("" if with_tree else "-listed"))


def find(workload, top):
    """With its tree or without, or None if it has not been made."""
    folders = (place_of(workload, top, with_tree) for with_tree in (True, False))
    return next((Prepared(folder) for folder in folders if (folder / "description.json").exists()), None)


def prepare(workload, top, with_tree=True):
    """Makes it below `top` if it is not there yet."""
    folder = place_of(workload, top, with_tree)
    if (folder / "description.json").exists():
        return Prepared(folder)
    top.mkdir(parents=True, exist_ok=True)
    making = pathlib.Path(tempfile.mkdtemp(prefix="making-", dir=top))
    try:
        making.chmod(0o755)  # some servers become another user
        output_of([ours("laio-replay"), "generate", workload.kind, "--scale", f"{workload.scale:g}", "--seed",
                   workload.seed, "--out", making, *(f"--set={option}" for option in workload.options),
                   *([] if with_tree else ["--no-tree"])], MAKING_S)
        (making / "description.json").write_text(json.dumps(described(making), indent=2), encoding="utf-8")
        output_of(["sync", "-f", making], MAKING_S)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return Prepared(folder)
