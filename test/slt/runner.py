"""Runs the records of one file on one host and says what differs. Failures do not stop the file: each is reported with
its line, the SQL, what was expected and what was found."""

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from .files import FileError, Files
from .hosts import HostDied, HostSpec, SqlError, Unsupported, holds, named_rows
from .records import FormatError, Record, read

MAX_FAILURES = 10


@dataclass
class Outcome:
    records: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    skip_reason: str = ""
    boxes: list[tuple[tuple[int, int], str]] = field(default_factory=list)  # what Markdown should show


class _Stop(Exception):
    """Nothing further of this file is run."""


class FileRun:
    """One file on one host, with `directory` empty at the start."""

    def __init__(self, path: Path, spec: HostSpec, host, directory: Path, at: Callable[[int], None] = lambda _: None):
        self._path, self._spec, self._host, self._directory, self._at = path, spec, host, directory, at
        self._files = Files(directory)
        self._variables = {"__TEST_DIR__": str(directory), "${TMP}": str(directory)}
        self._labels: dict[str, list] = {}
        self._database, self._extensions = ":memory:", []
        self.outcome = Outcome()

    def run(self) -> Outcome:
        try:
            records = read(self._path)
            self._host.open(self._database)
            if self._path.suffix != ".test":
                # Documents and recipes name files relatively and load nothing themselves.
                os.chdir(self._directory)
                self._host.close()
                self._host.open(self._database)
                self._load("tstable")
            self._block(records)
        except _Stop:
            pass
        except FormatError as error:
            self.outcome.failures.append(f"{self._path}:{error}")
        finally:
            self._host.close()
        return self.outcome

    def _block(self, records: list[Record]) -> None:
        for record in records:
            if not all(holds(condition, self._spec) == wanted for wanted, condition in record.conditions):
                self.outcome.skipped += 1
            elif record.kind == "loop":
                for value in record.values:
                    self._variables["${" + record.label + "}"] = self._filled(value)
                    self._block(record.body)
            else:
                self._one(record)

    def _one(self, record: Record) -> None:
        self._at(record.line)
        try:
            problem = getattr(self, f"_do_{record.kind}")(record)
        except Unsupported as why:
            self.outcome.skipped += 1
            self.outcome.skip_reason = str(why)
            return
        except (FileError, HostDied) as error:
            problem = str(error)
        self.outcome.records += record.kind in ("ok", "error", "query", "box", "file")
        if problem:
            self._fail(record, problem)

    def _fail(self, record: Record, problem: str) -> None:
        sql = "".join(f"\n    {line}" for line in self._filled(record.sql).split("\n") if line)
        self.outcome.failures.append(f"{self._path}:{record.line}: [{self._spec.name}]{sql}\n  {problem}")
        if len(self.outcome.failures) >= MAX_FAILURES or "ended with status" in problem:
            raise _Stop

    def _filled(self, text: str) -> str:
        for name, value in self._variables.items():
            text = text.replace(name, value)
        return text

    def _statement(self, record: Record) -> str:
        """The SQL to run: a COPY as the documents say to write it where DuckDB tells a format no names of columns."""
        sql = self._filled(record.sql)
        return sql if "names" in self._spec.package.can else named_rows(sql)

    def _do_ok(self, record: Record) -> str | None:
        try:
            self._host.execute(self._statement(record), record.connection)
        except SqlError as error:
            return f"expected: success\n  found:    {error}"
        return None

    def _do_error(self, record: Record) -> str | None:
        expected = self._filled("\n".join(record.expected))
        try:
            self._host.execute(self._statement(record), record.connection)
        except SqlError as error:
            text = str(error)
            if expected.startswith("<REGEX>:"):
                matches = re.search(expected.removeprefix("<REGEX>:"), text, re.DOTALL) is not None
            else:
                matches = expected in text
            return None if matches else f"expected error: {expected}\n  found error:    {text}"
        return f"expected error: {expected}\n  found:          success"

    def _do_query(self, record: Record) -> str | None:
        try:
            width, rows = self._host.query(self._filled(record.sql), record.connection)
        except SqlError as error:
            return f"expected: rows\n  found:    {error}"
        if rows and width != len(record.types):
            return f"expected: {len(record.types)} columns\n  found:    {width}"
        if len(record.expected) == 1 and "REGEX>:" in record.expected[0][:9]:
            return _match_pattern(self._filled(record.expected[0]), rows)
        found = [[_shown(value) for value in row] for row in rows]
        expected = _expected_rows([self._filled(line) for line in record.expected], len(record.types))
        found, expected = _sorted(found, record.sort), _sorted(expected, record.sort)
        if record.label:
            kept = self._labels.setdefault(record.label, found)
            if kept != found:
                return _difference(kept, found, f"expected (as the first query labelled {record.label})")
        return None if _equal(expected, found, record.types) else _difference(expected, found)

    def _do_box(self, record: Record) -> str | None:
        if self._spec.name != "duckdb-2.0.0":
            return self._do_ok(record)
        try:
            shown = self._host.display(self._filled(record.sql))
        except SqlError as error:
            return f"expected: a result\n  found:    {error}"
        found = [line.rstrip() for line in shown.strip("\n").split("\n")]
        self.outcome.boxes.append((record.span, "\n".join(found)))
        if [line.rstrip() for line in record.expected] == found:
            return None
        return "expected:\n" + "\n".join(record.expected) + "\n  found:\n" + "\n".join(found)

    def _do_require(self, record: Record) -> str | None:
        condition = " ".join(record.words)
        if not re.search(r"[<>=]|^has ", condition) and condition not in ("cli", "python"):
            return self._load(condition)
        if not holds(condition, self._spec):
            self.outcome.skip_reason = f"needs {condition}"
            raise _Stop
        return None

    def _load(self, extension: str) -> str | None:
        target = f"'{self._spec.extension}'" if extension == "tstable" else extension
        try:
            self._host.execute(f"LOAD {target}")
        except SqlError as error:
            self.outcome.failures.append(f"{self._path}: [{self._spec.name}] cannot load {extension}: {error}")
            raise _Stop from None
        if extension not in self._extensions:
            self._extensions.append(extension)
        return None

    def _do_load(self, record: Record) -> None:
        self._database = self._filled(record.words[0]) if record.words else ":memory:"
        self._reopen()

    def _do_restart(self, _: Record) -> None:
        self._reopen()

    def _reopen(self) -> None:
        self._host.open(self._database)
        for extension in self._extensions:
            self._load(extension)

    def _do_reconnect(self, _: Record) -> None:
        self._host.reconnect()

    def _do_file(self, record: Record) -> None:
        self._files.run(record.words[0], [self._filled(word) for word in record.words[1:]])

    def _do_halt(self, _: Record) -> None:
        raise _Stop


def _shown(value: str) -> str:
    return "(empty)" if value == "" else value.replace("\n", "\\n").replace("\t", "\\t")


def _expected_rows(lines: list[str], width: int) -> list[list[str]]:
    """Rows as lines with tabs, or, where no line has any, as one value a line."""
    if width > 1 and lines and all("\t" not in line for line in lines) and len(lines) % width == 0:
        return [lines[at : at + width] for at in range(0, len(lines), width)]
    return [line.split("\t") for line in lines]


def _sorted(rows: list[list[str]], sort: str) -> list[list[str]]:
    if sort == "rowsort":
        return sorted(rows)
    return [[value] for value in sorted(value for row in rows for value in row)] if sort == "valuesort" else rows


def _equal(expected: list[list[str]], found: list[list[str]], types: str) -> bool:
    if expected == found:
        return True
    if "R" not in types or [len(row) for row in expected] != [len(row) for row in found]:
        return False
    return all(_close(a, b) for left, right in zip(expected, found) for a, b in zip(left, right))


def _close(left: str, right: str) -> bool:
    """Whether two values are the same text or nearly the same number."""
    if left == right:
        return True
    try:
        return math.isclose(float(left), float(right), rel_tol=1e-9, abs_tol=1e-12)
    except ValueError:
        return False


def _match_pattern(pattern: str, rows: list[list[str]]) -> str | None:
    text = "\n".join("\t".join(row) for row in rows)
    wanted = not pattern.startswith("<!REGEX>:")
    if (re.search(pattern.split(":", 1)[1], text, re.DOTALL) is not None) == wanted:
        return None
    return f"expected: {'' if wanted else 'no '}match of {pattern.split(':', 1)[1]}\n  found:\n{text}"


def _difference(expected: list[list[str]], found: list[list[str]], title: str = "expected") -> str:
    def table(rows: list[list[str]]) -> str:
        lines = ["\t".join(row) for row in rows[:50]]
        return "\n".join(f"    {line}" for line in lines + ["..."] * (len(rows) > 50)) or "    (no rows)"

    return f"{title}, {len(expected)} rows:\n{table(expected)}\n  found, {len(found)} rows:\n{table(found)}"
