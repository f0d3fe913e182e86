"""The records: a file of JSON for each finished cell, in build/paper/cells/. A rerun of a plan at the same commit finds
what is finished; a record of another commit is measured again, and so is what was measured of sources that were not
as committed: nobody knows whether they are still the same. A file is written whole or not at all."""

import contextlib
import json
import os
import time


def is_known(commit):
    return commit != "unknown" and not commit.endswith("-dirty")


class Results:
    """`is_asked_for`: this commit's, whether it is known or not; else, of one that is not, what was measured by this
    run alone."""

    def __init__(self, folder, commit, is_asked_for=False):
        self.folder, self.commit = folder, commit
        self.any_run = is_asked_for or is_known(commit)
        self.run = f"{time.time_ns()}-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, cell):
        return self.folder / f"{cell.key()}.json"

    def is_ours(self, record):
        return record.get("commit") == self.commit and (self.any_run or record.get("run") == self.run)

    def read(self, path):
        """None if it is not there, broken or not ours."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if self.is_ours(record) else None

    def find(self, cell):
        """What is known of this cell, or None."""
        return self.read(self.path(cell))

    def is_finished(self, cell):
        """A void pass or a failure is worth another try."""
        record = self.find(cell)
        return bool(record) and "failure" not in record and not any(one["void"] for one in record["passes"])

    def forget(self, cells):
        for cell in cells:
            with contextlib.suppress(FileNotFoundError):
                self.path(cell).unlink()

    def keep(self, cell, record):
        path = self.path(cell)
        making = path.with_suffix(".making")
        kept = dict(record, cell=cell.as_json(), commit=self.commit, run=self.run)
        making.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        os.replace(making, path)

    def all(self, plans=None):
        """What there is of this commit, of these plans (None: of all), in the order of the files' names."""
        records = (self.read(path) for path in sorted(self.folder.glob("*.json")))
        return [record for record in records
                if record and (plans is None or record["cell"].get("plan", "") in plans)]
