"""What brings rows in, and what tells beforehand what they would bring."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import _sql
from ._duckdb import duckdb
from ._errors import InvalidArgumentError, NotFoundError, about_rows, errors
from ._frames import check_columns, with_index
from ._options import CreateAndAppendOptions, ImportOptions, PreviewOptions, Root, Row

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import Unpack
    else:
        from typing_extensions import Unpack

# Options that make the table; they are arguments of tstable_create where there is no COPY.
_DEFINING = ("time_column", "bucket", "entity_columns", "timezone", "uniqueness", "counts")


def append(con: duckdb.DuckDBPyConnection, root: Root, data: Any, **options: Unpack[CreateAndAppendOptions]) -> list[Row]:
    """Appends files or rows, all or nothing, and returns what was done.

    ``data`` is the name of a Parquet file, a glob or a list of them, or anything with rows that DuckDB reads: a pandas or polars
    frame, an Arrow table, batch or reader, a relation. A named index of a pandas frame or series becomes columns; one of dates or times
    without a name becomes the table's index column, where no other column is. ``options`` are the
    arguments of ``tstable_append`` for files and the options of ``COPY ... (FORMAT tstable)`` for rows, in lower case; ``time_column``,
    ``bucket`` and ``entity_columns`` (and ``timezone``, ``uniqueness``, ``counts``) make the table when it is not there. Rows that take the
    place of old ones come with ``on_overlap="merge"``, those that fill holes with ``on_overlap="skip_rows"``.

    Files give the rows of ``tstable_append``. Rows give one: ``status``, ``version`` (the newest right afterwards) and ``rows``, of which
    those that ``"skip_rows"`` left out are none (``already_covered`` when that is all). A DuckDB
    without that COPY takes rows through a temporary Parquet file; a table that was made for them stays there when they are refused.

    >>> tstable.append(con, "prices", "day1.parquet", on_overlap="skip_file")[0]["status"]
    'already_loaded'
    >>> frame = con.sql("SELECT TIMESTAMP '2024-06-03' AS ts, 'AMD' AS symbol, 1.5::DOUBLE AS close")
    >>> tstable.append(con, "prices", frame, message="by hand")
    [{'status': 'appended', 'version': 3, 'rows': 1}]
    """
    target = _sql.path(root)
    given: dict[str, Any] = {**options}
    with errors(target):
        if _are_paths(data):
            _create(con, target, given)
            return _append_files(con, target, data, given)
        skips = "skip_rows" in (given.get("on_overlap"), given.get("on_violation"))
        before = _version(con, target) if skips else 0
        with _registered(con, target, data, given.get("time_column")) as name:
            rows = _append_rows(con, target, name, given)
        version = con.execute("SELECT version FROM tstable_info($root)", {"root": target}).fetchall()[0][0]
        status = "appended"
        if skips:
            # COPY tells how many rows it was given, a load of a file how many it took.
            rows = _added(con, target, before, version) if rows else 0
            status = "appended" if rows else "already_covered"
    return [{"status": status, "version": version, "rows": rows}]


def preview(con: duckdb.DuckDBPyConnection, root: Root, data: Any, **options: Unpack[PreviewOptions]) -> list[Row]:
    """Tells what ``append`` with the same ``data`` and options would do, and changes nothing: one row for each file and entity. With
    ``compare=True`` every row is compared with the table's; with ``gaps=True`` the gaps are told that would be left. Rows come from
    no file, so that their ``file`` is None.

    >>> [told] = tstable.preview(con, "prices", con.sql("SELECT TIMESTAMP '2024-06-02 09:00' AS ts, 'AMD' AS symbol, 1.5::DOUBLE AS close"), gaps=True)
    >>> told["file"], told["symbol"], told["new_buckets"], [gap["buckets"] for gap in told["gaps"]]
    (None, 'AMD', 1, [4])
    """
    target = _sql.path(root)
    with errors(target), _files(con, target, data) as files:
        return _named(data, _sql.call(con, "tstable_preview", [target, files], options))


def restated(
    con: duckdb.DuckDBPyConnection, root: Root, data: Any, *, version: int | None = None, tag: str | None = None
) -> list[Row]:
    """Lists the values that files or rows restate: of rows that the table has, by entity and index, with other values. Changes nothing,
    so that a correction is read before it is taken with ``append(..., on_overlap="merge")``. ``version`` and ``tag`` compare with an older
    version.

    >>> tstable.restated(con, "prices", con.sql("SELECT TIMESTAMP '2024-06-01' AS ts, 'AMD' AS symbol, 99.5::DOUBLE AS close"))
    [{'symbol': 'AMD', 'index': datetime.datetime(2024, 6, 1, 0, 0), 'column': 'close', 'old_value': '100.0', 'new_value': '99.5'}]
    """
    target = _sql.path(root)
    with errors(target), _files(con, target, data) as files:
        return _sql.call(con, "tstable_restated", [target, files], {"version": version, "tag": tag})


def import_tables(con: duckdb.DuckDBPyConnection, source: Root, root: Root, **options: Unpack[ImportOptions]) -> list[Row]:
    """Makes tables of what other programs left: a table of timeseries-table-format, an item, a collection or a store of PyStore, or a
    folder of Parquet files. Files are linked unless ``mode`` says otherwise, and the source is never changed. One row for each table, with
    the index, the bucket and the entities that were taken.

    >>> [made] = tstable.import_tables(con, "day*.parquet", "imported", entity_columns=["symbol"])
    >>> made["rows"], made["message"]
    (91, 'time column ts, bucket 1h, entity columns symbol')
    """
    target = _sql.path(root)
    with errors(target):
        return _sql.call(con, "tstable_import", [_sql.path(source), target], options)


def _are_paths(data: Any) -> bool:
    if isinstance(data, (str, os.PathLike)):
        return True
    return isinstance(data, (list, tuple)) and all(isinstance(item, (str, os.PathLike)) for item in data)


def _create(con: duckdb.DuckDBPyConnection, root: str, options: dict[str, Any]) -> None:
    """Takes the defining options out and makes the table when they are given."""
    defining = {name: options.pop(name) for name in _DEFINING if name in options}
    if defining:
        _sql.call(con, "tstable_create", [root], {**defining, "if_not_exists": True})


def _append_files(con: duckdb.DuckDBPyConnection, root: str, files: Any, options: dict[str, Any]) -> list[Row]:
    return _sql.call(con, "tstable_append", [root, _paths(files)], options)


def _paths(files: Any) -> list[str]:
    names = [files] if isinstance(files, (str, os.PathLike)) else files
    return [os.fspath(name) for name in names]


@contextmanager
def _files(con: duckdb.DuckDBPyConnection, root: str, data: Any) -> Iterator[list[str]]:
    """The data as files, for as long as the block runs: rows are written to one."""
    if _are_paths(data):
        yield _paths(data)
        return
    with _registered(con, root, data) as name, _written(con, name) as (file, _):
        yield [file]


@contextmanager
def _written(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[tuple[str, int]]:
    """A Parquet file with the rows and their number. It is gone when an error about it is read, which names no file therefore."""
    with tempfile.TemporaryDirectory(prefix="tstable-") as directory:
        file = os.path.join(directory, "rows.parquet")
        copied = _count(con.execute(f"COPY (FROM {name}) TO {_sql.literal(file)} (FORMAT parquet)"))
        try:
            yield file, copied
        except duckdb.Error as error:
            raise about_rows(error, file) from error


def _named(data: Any, rows: list[Row]) -> list[Row]:
    """The rows of a report, in which what came from no file names none."""
    return rows if _are_paths(data) else [{**row, "file": None} for row in rows]


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, root: str, data: Any, index: str | None = None) -> Iterator[str]:
    """A name by which SQL reads the rows, for as long as the block runs. ``index`` is the index column of a table that is yet to be."""
    name = f"tstable_append_{uuid.uuid4().hex}"
    rows = with_index(data, lambda: index or _index_column(con, root))
    check_columns(rows)
    try:
        con.register(name, rows)
    # ValueError is what pyarrow's errors are, TypeError what DuckDB 2.0.1 gives for None.
    except (duckdb.Error, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"DuckDB cannot read rows of a {type(data).__name__}; give paths, a pandas or polars frame, or Arrow data, and cast a "
            f"column of a type that it does not know ({error})"
        ) from error
    try:
        yield name
    finally:
        con.unregister(name)


def _version(con: duckdb.DuckDBPyConnection, root: str) -> int:
    """The newest version of a table; 0 where there is none."""
    try:
        with errors(root):
            return int(con.execute("SELECT version FROM tstable_info($root)", {"root": root}).fetchall()[0][0])
    except NotFoundError:
        return 0


def _index_column(con: duckdb.DuckDBPyConnection, root: str) -> str | None:
    """The index column of a table, if there is one."""
    if _version(con, root) == 0:
        return None
    return str(con.execute("SELECT index_column FROM tstable_info($root)", {"root": root}).fetchall()[0][0])


def _added(con: duckdb.DuckDBPyConnection, root: str, before: int, version: int) -> int:
    """The rows that loads between two versions added."""
    query = """
        SELECT coalesce(sum(rows_added), 0)::BIGINT FROM tstable_history($root)
        WHERE version > $before AND version <= $version AND operation IN ('copy', 'append')
    """
    return int(con.execute(query, {"root": root, "before": before, "version": version}).fetchall()[0][0])


def _append_rows(con: duckdb.DuckDBPyConnection, root: str, name: str, options: dict[str, Any]) -> int:
    """By COPY in the form that this DuckDB has, otherwise through a file. What it refuses, it refuses when the statement is bound,
    before a row of a reader is taken."""
    words = "".join(f", {option} {_sql.literal(value)}" for option, value in options.items() if value is not None)
    target = f"TO {_sql.literal(root)} (FORMAT tstable{words})"
    try:
        return _count(con.execute(f"COPY (FROM {name}) {target}"))
    except duckdb.CatalogException as error:
        if "Copy Function with name tstable" not in str(error):
            raise
        return _append_through_a_file(con, root, name, dict(options))
    except duckdb.Error as error:
        # DuckDB 1.5 does not tell a format the names of columns.
        if "the rows have to come as one struct" not in str(error):
            raise
        return _count(con.execute(f"COPY (SELECT r FROM {name} AS r) {target}"))


def _count(copied: duckdb.DuckDBPyConnection) -> int:
    """How many rows COPY says it copied."""
    return int(copied.fetchall()[0][0])


def _append_through_a_file(con: duckdb.DuckDBPyConnection, root: str, name: str, options: dict[str, Any]) -> int:
    with _written(con, name) as (file, copied):
        _create(con, root, options)
        if copied:
            return sum(int(row["rows"]) for row in _append_files(con, root, file, options))
    _sql.call(con, "tstable_info", [root], {})
    return 0
