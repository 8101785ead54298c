"""Types of what the functions take: their names are those of SQL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias, TypedDict

Root: TypeAlias = str | os.PathLike[str]
#: A point of the index: a time, or a number where the index is one.
Instant: TypeAlias = str | date | datetime | int
#: A value, or a dict where there are several entity columns.
Entity: TypeAlias = Any
Row: TypeAlias = dict[str, Any]
OnOverlap: TypeAlias = Literal["error", "skip_file", "skip_rows", "merge", "replace", "allow"]


class AppendOptions(TypedDict, total=False):
    """Arguments of `tstable_append <https://github.com/tstable/tstable/blob/main/docs/SQL.md#tstable_append>`_."""

    on_overlap: OnOverlap | None
    mode: Literal["copy", "link", "move", "rewrite", "adopt"] | None
    on_violation: Literal["error", "skip_rows"] | None
    new_columns: Literal["refuse", "add", "ignore"] | None
    hive: bool | None
    pattern: str | None
    verify: bool | None
    on_error: Literal["fail", "skip_file"] | None
    empty_is: Literal["ignore", "confirmed"] | None
    empty_range: str | None
    start: Instant | None
    until: Instant | None
    derived_from: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    expected_version: int | None
    message: str | None


class CreateAndAppendOptions(AppendOptions, total=False):
    """The same, and what makes the table when it is not there."""

    time_column: str | None
    bucket: str | int | timedelta | None
    entity_columns: Sequence[str] | None
    timezone: str | None
    uniqueness: Literal["bucket", "row", "none"] | None
    counts: bool | None


class PreviewOptions(AppendOptions, total=False):
    """The same as for an append, and what more to tell."""

    compare: bool | None
    gaps: bool | None


class ImportOptions(TypedDict, total=False):
    """Arguments of `tstable_import <https://github.com/tstable/tstable/blob/main/docs/SQL.md#tstable_import>`_."""

    bucket: str | int | timedelta | None
    entity_columns: Sequence[str] | None
    entity_column: str | None
    time_column: str | None
    hive: bool | None
    pattern: str | None
    on_overlap: OnOverlap | None
    mode: Literal["link", "copy", "rewrite", "adopt"] | None
    on_error: Literal["fail", "skip_file"] | None
