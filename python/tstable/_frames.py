"""What pandas, polars and Arrow mean by their rows where DuckDB reads something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ._errors import InvalidArgumentError


def with_index(data: Any, wanted: Callable[[], str | None]) -> Any:
    """A pandas frame or series with its index as columns, since DuckDB does not see an index: one of names, or of dates or times, which
    is then the table's index column."""
    if not hasattr(getattr(data, "index", None), "names") or not hasattr(data, "reset_index"):
        return data
    frame = data if hasattr(data, "columns") else data.to_frame()
    names = list(frame.index.names)
    unnamed = [at for at, name in enumerate(names) if name is None]
    if len(unnamed) == 1 and type(_level(frame.index, unnamed[0])).__name__ == "DatetimeIndex":
        names[unnamed[0]] = wanted()
    if any(name is None or name in frame.columns for name in names):
        return frame
    return frame.rename_axis(names if len(names) > 1 else names[0]).reset_index()


def _level(index: Any, at: int) -> Any:
    return index.levels[at] if hasattr(index, "levels") else index


def check_columns(data: Any) -> None:
    """Refuses columns that DuckDB reads as something else: two of one name, of which it makes up another, and Python objects in
    polars, of which DuckDB 1.5 gives addresses."""
    if type(data).__name__ == "LazyFrame":
        data = data.collect_schema().to_frame()
    names = getattr(data, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        names = getattr(getattr(data, "schema", None), "names", None)
    if not isinstance(names, Iterable):
        return
    seen: set[str] = set()
    for name in names:
        if str(name).casefold() in seen:
            raise InvalidArgumentError(f"two columns are called '{name}', but for case; rename one of them")
        seen.add(str(name).casefold())
    for name, kind in zip(names, getattr(data, "dtypes", ())):
        if type(data).__module__.startswith("polars") and str(kind) == "Object":
            raise InvalidArgumentError(f"the polars column '{name}' holds Python objects; cast it, or leave it out")
