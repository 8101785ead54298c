"""Views of the tables of a store, for programs that look for tables in a schema."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

from . import _sql
from ._duckdb import duckdb
from ._errors import InvalidArgumentError, errors
from ._options import Root
from ._reading import absolute

_MARK = "tstable: "


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
