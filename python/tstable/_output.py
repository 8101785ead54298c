"""Writing a query's rows as a table for people, as CSV and as JSON. DuckDB spells every value."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import IO, Any

from ._duckdb import duckdb
from ._errors import InvalidArgumentError

FORMATS = ("table", "csv", "json", "jsonl")
BATCH_ROWS = 10_000
# A name that no query has a column of.
_ROW = '"row of tstable"'
_WRAPPED = {
    "text": "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({query}\n)",
    "json": f"SELECT CAST(to_json({_ROW}) AS VARCHAR) FROM ({{query}}\n) {_ROW}",
}
Row = tuple[Any, ...]


class File:
    """A file of text that is made, or emptied, when the first of it is written, or at the end of a block that went well."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._out: IO[str] | None = None

    def write(self, text: str) -> int:
        """Writes it and gives its length."""
        if self._out is None:
            self._out = open(self._path, "w", encoding="utf-8", newline="")
        return self._out.write(text)

    def __enter__(self) -> File:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.write("")
        if self._out is not None:
            self._out.close()


def write(con: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any], form: str, out: IO[str]) -> int:
    """Runs the query once, writes its rows and gives their number."""
    as_json = form in ("json", "jsonl")
    names, rows = _run(con, query, parameters, as_json)
    if as_json:
        return _write_json(rows, form == "json", out)
    if form == "csv":
        return _write_csv(names, rows, out)
    return _write_table(names, list(rows), out)


def _run(con: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any], as_json: bool) -> tuple[list[str], Iterator[Row]]:
    """Names of the columns, and rows of text; for JSON one text a row."""
    statements = con.extract_statements(query)
    if not statements:
        raise InvalidArgumentError("the query is empty; give a statement, as in --sql 'SELECT count(*) FROM prices'")
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return _run_as_it_is(con, query, as_json)
    wrapped = _WRAPPED["json" if as_json else "text"].format(query=query.strip().rstrip(";"))
    try:
        con.execute(wrapped, parameters or None)
    except duckdb.Error:
        if not parameters:
            # DuckDB points into the text that it was given: let it point into the user's.
            con.sql(query)
        raise
    return [column[0] for column in con.description or ()], _fetched(con)


def _run_as_it_is(con: duckdb.DuckDBPyConnection, query: str, as_json: bool) -> tuple[list[str], Iterator[Row]]:
    con.execute(query)
    names = [column[0] for column in con.description or ()]
    if as_json:
        return names, ((json.dumps(dict(zip(names, row)), default=str),) for row in _fetched(con))
    return names, (tuple(None if value is None else str(value) for value in row) for row in _fetched(con))


def _fetched(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while batch := con.fetchmany(BATCH_ROWS):
        yield from batch


def _write_csv(names: list[str], rows: Iterator[Row], out: IO[str]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for count, row in enumerate(rows, 1):
        writer.writerow("" if value is None else value for value in row)
    return count


def _write_json(rows: Iterator[Row], as_list: bool, out: IO[str]) -> int:
    count = 0
    for count, (row,) in enumerate(rows, 1):
        if as_list:
            out.write("[" if count == 1 else ",\n ")
        out.write(row if as_list else f"{row}\n")
    if as_list:
        out.write("]\n" if count else "[]\n")
    return count


def _write_table(names: list[str], rows: list[Row], out: IO[str]) -> int:
    lines = [line for row in (names, *rows) for line in _lines(row)]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(names))]
    lines.insert(len(_lines(names)), tuple("-" * width for width in widths))
    for line in lines:
        padded = (value + " " * (width - _width(value)) for value, width in zip(line, widths))
        out.write("  ".join(padded).rstrip() + "\n")
    return len(rows)


def _lines(row: Sequence[str | None]) -> list[Row]:
    """A row as lines of cells: a text may have several."""
    cells = [["NULL"] if value is None else [_printable(line) for line in value.splitlines() or [""]] for value in row]
    return list(zip_longest(*cells, fillvalue=""))


def _printable(text: str) -> str:
    """Without what would move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
