"""Names and values as SQL spells them, and calls of tstable's functions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from ._duckdb import duckdb
from ._errors import InvalidArgumentError


def identifier(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value as a constant, for the statements that take no parameters."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(str(key))}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, timedelta):
        return f"to_microseconds({value // timedelta(microseconds=1)})"
    if isinstance(value, (str, os.PathLike, date, datetime, time, UUID)):
        return "'" + str(value).replace("'", "''") + "'"
    # numpy's scalars know the value of Python's that they are.
    if callable(getattr(value, "item", None)) and not isinstance(plain := value.item(), type(value)):
        return literal(plain)
    raise InvalidArgumentError(f"{value!r} has no spelling in SQL; give text, a number, a time, a list or a dict")


def source(root: str) -> str:
    """A table in FROM by its full path: the path alone, so that filters leave the plan on DuckDB 2, unless DuckDB takes it for
    something else, by its ending or its stars."""
    plain = os.path.isabs(root) and not os.path.splitext(root)[1] and not any(letter in root for letter in "*?[")
    return literal(root) if plain else f"tstable_scan({literal(root)})"


def path(value: str | os.PathLike[str]) -> str:
    """A root or file as text."""
    return os.fspath(value)


def call(
    con: duckdb.DuckDBPyConnection, function: str, positional: Sequence[Any], named: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rows of a table function. Arguments that are None are left out."""
    text, parameters = invocation(function, positional, named)
    return rows(con.execute(f"FROM {text}", parameters))


def invocation(function: str, positional: Sequence[Any], named: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """`f($p1, $p2, name := $name)` and its parameters."""
    parameters = {f"p{at}": value for at, value in enumerate(positional, 1)}
    arguments = [f"${name}" for name in parameters]
    for name, value in named.items():
        if value is not None:
            if not name.isidentifier():
                raise InvalidArgumentError(f"'{name}' is no name of an argument")
            parameters[name] = value
            arguments.append(f"{name} := ${name}")
    return f"{function}({', '.join(arguments)})", parameters


def written(function: str, positional: Sequence[Any], named: Mapping[str, Any]) -> str:
    """`f('a', name := 'b')`, for relations, which keep no parameters."""
    text, parameters = invocation(function, positional, named)
    spelled = {name: literal(value) for name, value in parameters.items()}
    return re.sub(r"\$(\w+)", lambda found: spelled[found[1]], text)


def rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of the last statement, by column."""
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, row)) for row in con.fetchall()]
