"""What Python needs beside SQL: views of a store, files for other engines, and loading of frames."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import _sql
from ._duckdb import duckdb
from ._errors import InvalidArgumentError, errors

Root = str | os.PathLike[str]
_MARK = "tstable: "
# Options that make the table; they are arguments of tstable_create where there is no COPY.
_DEFINING = ("time_column", "bucket", "entity_columns")


def segments(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    start: Any = None,
    until: Any = None,
    entity: Any = None,
    version: int | None = None,
) -> list[str]:
    """Absolute paths of the Parquet files that a scan of the range would open, in index order, for engines that read files. The
    files at the ends of a range hold rows outside of it, so filter what you read. An entity is a value, or a dict where there are
    several entity columns, or a list of either; only files with rows of one of them in the range are left, which takes a look
    into the entity columns of the others. Columns that only the names of folders said when the files were appended are not in the
    files: tstable_segments has their values, as JSON in the column ``constants``.

    >>> files = tstable.segments(con, "prices", start="2024-06-01", until="2024-06-02")
    >>> [os.path.isabs(file) for file in files]
    [True]
    """
    target = _sql.path(root)
    asked = {"start": start, "until": until, "version": version}
    with errors(target):
        if entity is None:
            kept, parameters = _sql.invocation("tstable_plan", [target], asked)
            kept = f"SELECT segment FROM {kept} WHERE kept"
        else:
            condition, values = _condition(con, target, entity)
            scan, parameters = _sql.invocation("tstable_scan", [target], {**asked, "provenance": True})
            kept = f"SELECT _segment FROM {scan} WHERE {condition}"
            parameters.update(values)
        listed, _ = _sql.invocation("tstable_segments", [target], {"version": version})
        query = f"SELECT path FROM {listed} WHERE segment IN ({kept}) ORDER BY index_min, index_max, path"
        found = con.execute(query, parameters).fetchall()
    return [absolute(os.path.join(target, path)) for (path,) in found]


def _condition(con: duckdb.DuckDBPyConnection, root: str, entity: Any) -> tuple[str, dict[str, Any]]:
    """The entities as a condition, and its parameters."""
    columns = con.execute("SELECT entity_columns FROM tstable_info($root)", {"root": root}).fetchall()[0][0]
    entities = list(entity) if isinstance(entity, (list, tuple)) else [entity]
    if not entities:
        raise InvalidArgumentError("entity is an empty list; name an entity, or leave it out for all", root=root)
    parameters: dict[str, Any] = {}
    conditions = []
    for one in entities:
        named = one if isinstance(one, Mapping) else {columns[0]: one} if len(columns) == 1 else None
        if not named or not {name.casefold() for name in named} <= {column.casefold() for column in columns}:
            shape = "{" + ", ".join(f"{column!r}: ..." for column in columns) + "}"
            wanted = f"give {shape}" if columns else "leave it out: the table has no entity columns"
            raise InvalidArgumentError(f"entity {one!r} does not fit the table; {wanted}", root=root)
        equal = []
        for column, value in named.items():
            equal.append(f"{_sql.identifier(column)} = $e{len(parameters)}")
            parameters[f"e{len(parameters)}"] = value
        conditions.append("(" + " AND ".join(equal) + ")")
    return " OR ".join(conditions), parameters


def absolute(name: Root) -> str:
    """The absolute path of a local file or directory; an address with a scheme as it is."""
    text = os.fspath(name)
    return text if "://" in text else os.path.abspath(os.path.expanduser(text))


def attach(con: duckdb.DuckDBPyConnection, store: Root, schema: str = "tstable") -> list[str]:
    """Makes a view for each table below the directory ``store``, so that SHOW TABLES, SQLAlchemy and BI tools see them, and returns
    the names of the views. A table in a directory of the store has the names joined: ``eu/prices`` becomes ``eu_prices``.

    Attach again to see what came and went. Tables that hold no rows yet or cannot be opened are left out with a warning. Other
    views and tables of the schema are never replaced.

    >>> tstable.attach(con, ".", schema="market")
    ['prices']
    >>> con.execute("SELECT count(*) FROM market.prices WHERE ts >= '2024-06-01'").fetchone()
    (91,)
    """
    base = absolute(store)
    with errors(base):
        listed = _sql.call(con, "tstable_list", [base], {})
        names = _names(base, [row["root"] for row in listed])
        _refuse_foreign(con, schema, list(names))
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {_sql.identifier(schema)}")
        for stale in _attached(con, schema):
            con.execute(f"DROP VIEW {_sql.identifier(schema)}.{_sql.identifier(stale)}")
        return [name for name, root in names.items() if _view(con, schema, name, root)]


def _names(base: str, roots: Sequence[str]) -> dict[str, str]:
    """Roots by the names of their views. DuckDB ignores the case of names."""
    names: dict[str, str] = {}
    seen: dict[str, str] = {}
    for root in sorted(roots):
        relative = os.path.relpath(root, base)
        name = os.path.basename(base) if relative == "." else relative.replace(os.sep, "_")
        other = seen.setdefault(name.casefold(), root)
        if other != root:
            raise InvalidArgumentError(
                f"'{other}' and '{root}' would both be the view \"{name}\"; attach their directories one by one, "
                f"as in tstable.attach(con, '{os.path.dirname(root)}', schema='other')"
            )
        names[name] = root
    return names


def _refuse_foreign(con: duckdb.DuckDBPyConnection, schema: str, names: Sequence[str]) -> None:
    query = """
        SELECT table_name FROM information_schema.tables
        WHERE table_catalog = current_database() AND lower(table_schema) = lower($schema) AND lower(table_name) IN
            (SELECT lower(unnest($names::VARCHAR[])))
    """
    ours = {name.casefold() for name in _attached(con, schema)}
    there = con.execute(query, {"schema": schema, "names": list(names)}).fetchall()
    for (name,) in there:
        if name.casefold() not in ours:
            raise InvalidArgumentError(
                f'the schema "{schema}" has a view or table "{name}" that attach did not make; '
                "give another schema, as in schema='market'"
            )


def _attached(con: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """Views of the schema that attach made."""
    query = """
        SELECT view_name FROM duckdb_views()
        WHERE database_name = current_database() AND lower(schema_name) = lower($schema) AND starts_with(comment, $mark)
    """
    return [name for (name,) in con.execute(query, {"schema": schema, "mark": _MARK}).fetchall()]


def _view(con: duckdb.DuckDBPyConnection, schema: str, name: str, root: str) -> bool:
    """Makes one view; whether the table has something to see."""
    qualified = f"{_sql.identifier(schema)}.{_sql.identifier(name)}"
    try:
        with errors(root):
            con.execute(f"CREATE VIEW {qualified} AS FROM {_sql.source(root)}")
    except duckdb.Error as error:
        warnings.warn(f"'{root}' is not attached: {error}", stacklevel=3)
        return False
    con.execute(f"COMMENT ON VIEW {qualified} IS {_sql.literal(_MARK + root)}")
    return True


def append(con: duckdb.DuckDBPyConnection, root: Root, data: Any, **options: Any) -> list[dict[str, Any]]:
    """Appends files or rows, all or nothing, and returns what was done.

    ``data`` is the name of a Parquet file, a glob or a list of them, or anything with rows that DuckDB reads: a pandas or polars
    frame, an Arrow table, batch or reader, a relation. A named index of a pandas frame becomes columns. ``options`` are the
    arguments of ``tstable_append`` for files and the options of ``COPY ... (FORMAT tstable)`` for rows, in lower case; ``time_column``,
    ``bucket`` and ``entity_columns`` make the table when it is not there.

    Files give the rows of ``tstable_append``. Rows give one: ``status``, ``version`` (the newest right afterwards) and ``rows``. A DuckDB
    without that COPY takes rows through a temporary Parquet file; a table that was made for them stays there when they are refused.

    >>> tstable.append(con, "prices", "day1.parquet", on_overlap="skip_file")[0]["status"]
    'already_loaded'
    >>> frame = con.sql("SELECT TIMESTAMP '2024-06-03' AS ts, 'AMD' AS symbol, 1.5::DOUBLE AS close")
    >>> tstable.append(con, "prices", frame, message="by hand")
    [{'status': 'appended', 'version': 3, 'rows': 1}]
    """
    target = _sql.path(root)
    with errors(target):
        if _are_paths(data):
            _create(con, target, options)
            return _append_files(con, target, data, options)
        with _registered(con, data) as name:
            rows = _append_rows(con, target, name, options)
        version = con.execute("SELECT version FROM tstable_info($root)", {"root": target}).fetchall()[0][0]
    return [{"status": "appended", "version": version, "rows": rows}]


def _are_paths(data: Any) -> bool:
    if isinstance(data, (str, os.PathLike)):
        return True
    return isinstance(data, (list, tuple)) and all(isinstance(item, (str, os.PathLike)) for item in data)


def _create(con: duckdb.DuckDBPyConnection, root: str, options: dict[str, Any]) -> None:
    """Takes the defining options out and makes the table when they are given."""
    defining = {name: options.pop(name) for name in _DEFINING if name in options}
    if defining:
        _sql.call(con, "tstable_create", [root], {**defining, "if_not_exists": True})


def _append_files(con: duckdb.DuckDBPyConnection, root: str, files: Any, options: dict[str, Any]) -> list[dict[str, Any]]:
    names = [files] if isinstance(files, (str, os.PathLike)) else files
    return _sql.call(con, "tstable_append", [root, [os.fspath(name) for name in names]], options)


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, data: Any) -> Iterator[str]:
    """A name by which SQL reads the rows, for as long as the block runs."""
    name = f"tstable_append_{uuid.uuid4().hex}"
    try:
        con.register(name, _with_index(data))
    except duckdb.Error as error:
        raise InvalidArgumentError(
            f"DuckDB cannot read rows of a {type(data).__name__}; give paths, a pandas or polars frame, or Arrow data ({error})"
        ) from error
    try:
        yield name
    finally:
        con.unregister(name)


def _with_index(data: Any) -> Any:
    """A pandas frame with its named index as columns: DuckDB does not see an index."""
    names = getattr(getattr(data, "index", None), "names", None)
    if names is None or not hasattr(data, "reset_index") or not hasattr(data, "columns"):
        return data
    if any(name is None or name in data.columns for name in names):
        return data
    return data.reset_index()


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
    with tempfile.TemporaryDirectory(prefix="tstable-") as directory:
        file = Path(directory) / "rows.parquet"
        copied = _count(con.execute(f"COPY (FROM {name}) TO {_sql.literal(file)} (FORMAT parquet)"))
        _create(con, root, options)
        if copied:
            return sum(int(row["rows"]) for row in _append_files(con, root, file, options))
    _sql.call(con, "tstable_info", [root], {})
    return 0
