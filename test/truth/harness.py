"""What the tests against outside truth share: a connection with the extension, and tables made of rows."""

import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

EXTENSION = packages.built(duckdb.__version__)


class Tables:
    """A connection in a directory that is removed in the end."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="tstable-truth-")
        self.path = Path(self._directory.name)
        self.con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        self.con.execute(f"LOAD '{EXTENSION}'")
        # An unusual zone of the session: nothing may depend on it.
        self.con.execute("SET TimeZone = 'Pacific/Chatham'")
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.con.close()
        self._directory.cleanup()

    def make(self, *parts: pa.Table, **arguments: str) -> Path:
        """A table of these rows, each part a segment; arguments of tstable_create as SQL."""
        self._count += 1
        root = self.path / f"t{self._count}"
        given = "".join(f", {name} := {value}" for name, value in arguments.items())
        self.con.execute(f"CALL tstable_create('{root}'{given})")
        for number, rows in enumerate(parts):
            file = self.path / f"t{self._count}-{number}.parquet"
            pq.write_table(rows, file)
            self.con.execute(f"CALL tstable_append('{root}', '{file}', mode := 'move')")
        return root

    def rows(self, query: str) -> list[tuple]:
        return self.con.execute(query).fetchall()


class Comparison:
    """Counts compared cases and keeps the first that differ."""

    def __init__(self, name: str, least: int):
        self.name, self.least, self.cases, self.different = name, least, 0, []

    def case(self, shown: str, found, expected) -> None:
        self.cases += 1
        if found != expected and len(self.different) < 5:
            self.different.append(f"  {shown}\n    expected {expected}\n    found    {found}")

    def finish(self) -> None:
        """Ends the process with an error when a case differed, or there were fewer than there should be."""
        if self.cases < self.least:
            sys.exit(f"{self.name}: {self.cases} cases, expected at least {self.least}")
        if self.different:
            sys.exit(f"{self.name}: cases differ\n" + "\n".join(self.different))
        print(f"{self.name}: {self.cases} cases agree")
