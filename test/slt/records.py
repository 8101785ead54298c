"""Reads test files into records. Nothing here talks to a database.

The format is DuckDB's sqllogictest, as far as the tests of this project need it:

    statement ok [conN]              the SQL must succeed
    statement error [conN]           it must fail with the text below `----` (`<REGEX>:` in front makes it a pattern)
    query <types> [sort] [conN] [label]   rows below `----`, columns apart by tabs, or one value a line
    skipif / onlyif <condition>      for the next record: `cli`, `python`, `duckdb>=2`, `has copy` ...
    require <extension|condition>    loads an extension; with a condition, skips the rest of the file where it fails
    foreach v a "b c" ... endloop    also `loop v 0 10`; `${v}` is replaced
    load [path], restart, reconnect  opens a database, opens the same one anew, a new connection to it
    file <operation> <arguments>     see `files.py`
    halt                             ends the file

`__TEST_DIR__` is a directory of the file's own, empty at the start. In an `sql` file every statement must succeed, or fail
with TEXT when the line above it is `-- error: TEXT`; `-- require: CONDITION` works as above. In Markdown the same holds
for fences that begin with ```` ```sql ````, optionally followed by a condition; a ```` ```text ```` fence right after one shows what
the last statement of it displays.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

SORTS = ("nosort", "rowsort", "valuesort")


class FormatError(Exception):
    """The test file itself is wrong; the message begins with the line."""


@dataclass
class Record:
    kind: str  # ok, error, query, box, require, loop, load, restart, reconnect, file, halt
    line: int
    sql: str = ""
    expected: list[str] = field(default_factory=list)
    types: str = ""
    sort: str = "nosort"
    label: str = ""
    connection: str = ""
    conditions: list[tuple[bool, str]] = field(default_factory=list)  # (must hold, condition)
    words: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    body: list["Record"] = field(default_factory=list)
    span: tuple[int, int] = (0, 0)  # lines of a box's text, for rewriting it


def read(path: Path) -> list[Record]:
    """The records of a test, recipe or Markdown file; an empty file is an error."""
    lines = path.read_text(encoding="utf-8").split("\n")
    parse = {".md": _markdown, ".sql": _script}.get(path.suffix, _sqllogictest)
    records = parse(lines)
    if not records:
        raise FormatError(f"{path}: there is no test in this file")
    return records


def _sqllogictest(lines: list[str]) -> list[Record]:
    records, rest = _block(_Cursor(lines), inside_loop=False)
    assert rest is None
    return records


class _Cursor:
    """Lines, one after the other, with the number of the current one."""

    def __init__(self, lines: list[str]):
        self.lines, self.number = lines, 0

    def next(self) -> str | None:
        if self.number >= len(self.lines):
            return None
        self.number += 1
        return self.lines[self.number - 1].rstrip("\r")

    def paragraph(self) -> list[str]:
        """The lines up to the next blank one."""
        found = []
        while (line := self.next()) is not None and line.strip():
            found.append(line)
        return found


def _block(cursor: _Cursor, inside_loop: bool) -> tuple[list[Record], Record | None]:
    records: list[Record] = []
    conditions: list[tuple[bool, str]] = []
    while (line := cursor.next()) is not None:
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        if words[0] in ("skipif", "onlyif"):
            conditions.append((words[0] == "onlyif", " ".join(words[1:])))
            continue
        if words[0] == "endloop":
            if not inside_loop:
                raise FormatError(f"{cursor.number}: endloop without a loop")
            return records, None
        record = _record(cursor, line, words)
        record.conditions, conditions = conditions, []
        records.append(record)
    if inside_loop:
        raise FormatError(f"{cursor.number}: a loop is not ended")
    return records, None


def _record(cursor: _Cursor, line: str, words: list[str]) -> Record:
    number = cursor.number
    match words:
        case ["statement", ("ok" | "error") as kind, *rest]:
            return _statement(cursor, number, kind, rest)
        case ["query", types, *rest]:
            return _query(cursor, number, types, rest)
        case ["foreach", name, _, *_]:
            values = shlex.split(line)[2:]
            return Record("loop", number, label=name, values=values, body=_block(cursor, True)[0])
        case ["loop", name, start, until]:
            values = [str(n) for n in range(int(start), int(until))]
            return Record("loop", number, label=name, values=values, body=_block(cursor, True)[0])
        case ["file", _, *_]:
            return Record("file", number, words=shlex.split(line)[1:])
        case [("require" | "load" | "restart" | "reconnect" | "halt") as kind, *rest]:
            return Record(kind, number, words=rest)
    raise FormatError(f"{number}: not understood: {line}")


def _statement(cursor: _Cursor, number: int, kind: str, rest: list[str]) -> Record:
    sql, expected = _split(cursor.paragraph())
    if not sql:
        raise FormatError(f"{number}: a statement without SQL")
    if kind == "error" and not expected:
        raise FormatError(f"{number}: `statement error` needs the expected text below ----")
    if kind == "ok" and expected is not None:
        raise FormatError(f"{number}: `statement ok` has no expected text; is it a query?")
    return Record(kind, number, sql=sql, expected=expected or [], connection=rest[0] if rest else "")


def _query(cursor: _Cursor, number: int, types: str, rest: list[str]) -> Record:
    sql, expected = _split(cursor.paragraph())
    if not sql or expected is None:
        raise FormatError(f"{number}: a query needs SQL, a line ---- and the expected rows")
    record = Record("query", number, sql=sql, expected=expected, types=types)
    for word in rest:
        if word in SORTS:
            record.sort = word
        elif re.fullmatch(r"con\d+", word):
            record.connection = word
        else:
            record.label = word
    if not re.fullmatch(r"[TIR]+", types):
        raise FormatError(f"{number}: column types are T, I or R, not {types}")
    return record


def _split(lines: list[str]) -> tuple[str, list[str] | None]:
    if "----" not in lines:
        return "\n".join(lines), None
    at = lines.index("----")
    return "\n".join(lines[:at]), lines[at + 1 :]


def _script(lines: list[str], offset: int = 0, condition: str = "") -> list[Record]:
    """SQL statements, each ended by a `;` at the end of a line."""
    records: list[Record] = []
    statement: list[str] = []
    expected, start = [], 0
    for number, line in enumerate(lines, offset + 1):
        text = line.strip()
        if text.startswith("-- require: "):
            records.append(Record("require", number, words=[text.removeprefix("-- require: ")]))
        elif text.startswith("-- error: "):
            expected = [text.removeprefix("-- error: ")]
        if not text or (text.startswith("--") and not statement):
            continue
        start = start or number
        statement.append(line)
        if re.search(r";\s*(--.*)?$", line):
            record = Record("error" if expected else "ok", start, sql="\n".join(statement), expected=expected)
            record.conditions = [(True, condition)] if condition else []
            records.append(record)
            statement, expected, start = [], [], 0
    if statement:
        raise FormatError(f"{start}: a statement does not end with ;")
    return records


def _markdown(lines: list[str]) -> list[Record]:
    records: list[Record] = []
    at = 0
    while at < len(lines):
        info = lines[at].split()
        if not info or info[0] not in ("```sql", "```text"):
            at += 1
            continue
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == "```"), None)
        if end is None:
            raise FormatError(f"{at + 1}: a fence is not ended")
        if info[0] == "```sql":
            records += _script(lines[at + 1 : end], at + 1, " ".join(info[1:]))
        elif records and records[-1].kind == "ok" and _adjacent(lines, at):
            last = records[-1]
            last.kind, last.expected, last.span = "box", lines[at + 1 : end], (at + 1, end)
        at = end + 1
    return records


def _adjacent(lines: list[str], at: int) -> bool:
    """Whether a fence ends right above, but for a blank line."""
    above = at - 1 if lines[at - 1].strip() else at - 2
    return above >= 0 and lines[above].strip() == "```"
