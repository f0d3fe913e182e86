"""The records: a file of JSON for each finished cell, in build/paper/cells/. A rerun at the same commit finds what is
finished, also as part of another plan; a record of another commit is measured again. A file is written whole or not at
all."""

import contextlib
import json
import os


class Results:
    def __init__(self, folder, commit):
        self.folder, self.commit = folder, commit
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, cell):
        return self.folder / f"{cell.key()}.json"

    def find(self, cell):
        """What is known of this cell, or None."""
        try:
            record = json.loads(self.path(cell).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if record.get("commit") == self.commit else None

    def is_finished(self, cell):
        """A void pass or a failure is worth another try."""
        record = self.find(cell)
        return bool(record) and "failure" not in record and not any(one["void"] for one in record["passes"])

    def keep(self, cell, record):
        path = self.path(cell)
        making = path.with_suffix(".making")
        making.write_text(json.dumps(dict(record, cell=cell.as_json(), commit=self.commit), indent=1), encoding="utf-8")
        os.replace(making, path)

    def all(self):
        """What there is of this commit, the cells of all plans, in the order of their names."""
        records = []
        for path in sorted(self.folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                record = json.loads(path.read_text(encoding="utf-8"))
                if record.get("commit") == self.commit:
                    records.append(record)
        return records
