"""Entities as Python names them: a plain value where there is one entity column, a dict of the columns where there are several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._duckdb import duckdb
from ._errors import InvalidArgumentError
from ._options import Entity


def columns_of(con: duckdb.DuckDBPyConnection, root: str) -> list[str]:
    """The names of the table's entity columns."""
    columns: list[str] = con.execute("SELECT entity_columns FROM tstable_info($root)", {"root": root}).fetchall()[0][0]
    return columns


def fields_of(entity: Entity, columns: Sequence[str], root: str) -> Mapping[str, Any]:
    """The entity by its columns; InvalidArgumentError for a plain value where it takes several to name one."""
    if isinstance(entity, Mapping):
        return entity
    if len(columns) != 1:
        raise unfit(entity, columns, root)
    return {columns[0]: entity}


def unfit(entity: Entity, columns: Sequence[str], root: str) -> InvalidArgumentError:
    """What to say of an entity that the table's columns do not name."""
    shape = "{" + ", ".join(f"{column!r}: ..." for column in columns) + "}"
    wanted = f"give {shape}" if columns else "leave it out: the table has no entity columns"
    return InvalidArgumentError(f"entity {entity!r} does not fit the table; {wanted}", root=root)
