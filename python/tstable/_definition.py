"""What is known and expected of a table: changes of these touch no row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import _sql
from ._duckdb import duckdb
from ._entities import columns_of, fields_of
from ._errors import InvalidArgumentError, errors
from ._options import Entity, Root, Row


def alter(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    *,
    drop: str | Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    type: Mapping[str, str] | None = None,
    expected_version: int | None = None,
) -> list[Row]:
    """Drops columns, renames others and widens types, in one commit and without touching a row; one row for each change. Types are
    named as DuckDB names them. All columns are named as they are called before. Old versions keep their columns.

    >>> tstable.alter(con, "prices", rename={"close": "last"})
    [{'column': 'close', 'change': 'renamed to last', 'version': 3}]
    """
    target = _sql.path(root)
    named = {"drop": drop, "rename": rename, "type": type, "expected_version": expected_version}
    with errors(target):
        return _sql.call(con, "tstable_alter", [target], named)


def expect(
    con: duckdb.DuckDBPyConnection, root: Root, entities: Sequence[Entity] | None, *, expected_version: int | None = None
) -> list[Row]:
    """Says which entities should deliver, so that one that never did shows as a gap, and what is delisted is not missed. What is said
    takes the place of what was said before; None forgets it. An entity is a value or a dict of the entity columns, in which ``start``
    and ``until`` may say when it should deliver.

    >>> tstable.expect(con, "prices", ["NVDA", "IBM", {"symbol": "AMD", "until": "2024-06-02"}])
    [{'root': 'prices', 'version': 3, 'entities': 3}]
    >>> con.execute("SELECT symbol, missing_buckets FROM tstable_coverage('prices') ORDER BY symbol").fetchall()
    [('AMD', 0), ('IBM', 48), ('NVDA', 0)]
    """
    target = _sql.path(root)
    with errors(target):
        listed = None if entities is None else _alike(con, target, entities)
        return _sql.call(con, "tstable_expect", [target, listed], {"expected_version": expected_version})


def _alike(con: duckdb.DuckDBPyConnection, root: str, entities: Sequence[Entity]) -> list[Entity]:
    """The entities as SQL has them in a list: all plain, or all with the same fields."""
    if isinstance(entities, (str, Mapping)):
        raise InvalidArgumentError(f"entities is the single {entities!r}; give a list, as in [{entities!r}]", root=root)
    if not any(isinstance(entity, Mapping) for entity in entities):
        return list(entities)
    columns = columns_of(con, root)
    named = [fields_of(entity, columns, root) for entity in entities]
    # DuckDB ignores the case of names, and so do we.
    spelled = {field.casefold(): field for entity in named for field in entity}
    found = [{field.casefold(): value for field, value in entity.items()} for entity in named]
    return [{spelled[field]: entity.get(field) for field in spelled} for entity in found]
