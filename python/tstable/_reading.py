"""Rows as relations of DuckDB, parts of a table for several workers, and files for other engines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import _sql
from ._duckdb import duckdb
from ._entities import columns_of, fields_of, unfit
from ._errors import InvalidArgumentError, errors
from ._options import Entity, Instant, Root


def scan(
    con: duckdb.DuckDBPyConnection,
    root: Root | Sequence[Root],
    start: Instant | None = None,
    until: Instant | None = None,
    entity: Entity = None,
    version: int | None = None,
    **arguments: Any,
) -> duckdb.DuckDBPyRelation:
    """The rows of a table as a relation of DuckDB, which reads when it is asked for rows: ``.df()``, ``.pl()``, ``.to_arrow_table()``,
    ``.filter(...)``, ``.aggregate(...)``. The range is [start, until). An entity is a value, or a dict where there are several entity
    columns, or a list of either. More arguments are those of ``tstable_scan``, such as ``tag``, ``as_of`` and ``require``.

    >>> tstable.scan(con, "prices", start="2024-06-02", entity="AMD").aggregate("count(*) AS hours").fetchall()
    [(19,)]
    """
    target = [_sql.path(one) for one in root] if isinstance(root, (list, tuple)) else _sql.path(root)  # type: ignore[arg-type]
    named = {"start": start, "until": until, "entity": entity, "version": version, **arguments}
    with errors(target if isinstance(target, str) else None):
        return con.sql(f"FROM {_sql.written('tstable_scan', [target], named)}")


def new_rows(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    since_version: int,
    start: Instant | None = None,
    until: Instant | None = None,
    version: int | None = None,
) -> duckdb.DuckDBPyRelation:
    """The rows that live now, or did at ``version``, and did not at ``since_version``, as a relation: what a job that runs again and
    again has yet to see. Version 0 is that before there was anything. A job that must not miss a row asks for the newest version first,
    takes what is new up to it, and keeps that version for next time.

    >>> [(newest,)] = con.execute("SELECT version FROM tstable_info('prices')").fetchall()
    >>> tstable.new_rows(con, "prices", 0, version=newest).aggregate("count(*) AS rows").fetchall()
    [(91,)]
    >>> tstable.new_rows(con, "prices", newest).fetchall()
    []
    """
    named = {"start": start, "until": until, "version": version}
    with errors(_sql.path(root)):
        return con.sql(f"FROM {_sql.written('tstable_new_rows', [_sql.path(root), since_version], named)}")


@dataclass(frozen=True)
class Share:
    """One part of a table, for one of several workers: plain values, which any library sends to another process. The parts of one
    call hold every row of the range once."""

    #: The table, by its absolute path or its address.
    root: str
    #: From 1.
    share: int
    #: The range [start, until) of the index; None where an end is open.
    start: Any
    until: Any
    #: The entities, as values or as dicts where there are several entity columns; None for all.
    entities: list[Any] | None
    #: The version that all parts are of.
    version: int
    #: About how many rows and bytes there are to read.
    rows: int
    bytes: int

    def scan(self, con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """The rows of this part, in the connection of the worker."""
        if not self.entities or not isinstance(self.entities[0], Mapping):
            return scan(con, self.root, self.start, self.until, self.entities, self.version)
        # An argument takes only all combinations of some values of each column.
        columns = list(self.entities[0])
        found = scan(con, self.root, self.start, self.until, None, self.version)
        for column in columns:
            found = found.filter(_one_of(_sql.identifier(column), {_sql.literal(entity[column]) for entity in self.entities}))
        tuples = {f"({', '.join(_sql.literal(entity[column]) for column in columns)})" for entity in self.entities}
        return found.filter(_one_of(f"({', '.join(map(_sql.identifier, columns))})", tuples))


def _one_of(what: str, spelled: set[str]) -> str:
    return f"{what} IN ({', '.join(sorted(spelled))})"


def shares(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    n: int,
    by: Literal["time", "entity"] = "time",
    start: Instant | None = None,
    until: Instant | None = None,
    version: int | None = None,
) -> list[Share]:
    """Cuts a table into at most ``n`` parts of about equal size, one for each of ``n`` workers: by time for sums, counts and what is kept
    by bucket; by entity for what looks back or across, such as windows and medians. All parts are of one version.

    >>> parts = tstable.shares(con, "prices", 2, by="entity")
    >>> [(part.entities, part.scan(con).aggregate("count(*)").fetchall()) for part in parts]
    [(['AMD'], [(43,)]), (['NVDA'], [(48,)])]
    """
    named = {"by": by, "start": start, "until": until, "version": version}
    with errors(_sql.path(root)):
        return [Share(root=absolute(root), **row) for row in _sql.call(con, "tstable_shares", [_sql.path(root), n], named)]


def segments(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    start: Instant | None = None,
    until: Instant | None = None,
    entity: Entity = None,
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
    columns = columns_of(con, root)
    entities = list(entity) if isinstance(entity, (list, tuple)) else [entity]
    if not entities:
        raise InvalidArgumentError("entity is an empty list; name an entity, or leave it out for all", root=root)
    parameters: dict[str, Any] = {}
    conditions = []
    for one in entities:
        named = fields_of(one, columns, root)
        if not named or not {name.casefold() for name in named} <= {column.casefold() for column in columns}:
            raise unfit(one, columns, root)
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
