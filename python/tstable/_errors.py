"""What tstable refuses, as exceptions with fields. The text is SQL's; nothing here decides what an error is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from ._duckdb import duckdb

# What the extension puts in parentheses behind a message, as `key value` pairs.
_KEYS = "check|checkpoint|column|file|path|problem|root|row group|source|version"
_PAIRS = re.compile(rf", (?=(?:{_KEYS}) )")
_OPENING = re.compile(rf" \((?=(?:{_KEYS}) )")
_CLOSING = re.compile(r"\)(?=$|: |\n)")
# One entity, as `symbol='A', venue=2`.
_PART = r"[^\s=,'\[(][^=,'\[(]*=(?:'(?:[^']|'')*'|-?\d+)"
_ENTITY = re.compile(rf"\b(?:of|first) ({_PART}(?:, {_PART})*)")
_BUCKETS = re.compile(r"^(\d+) buckets?\b(?:(?! already ).)*? and (\d+) of \d+ other|^(\d+) buckets?\b|: (\d+) buckets? (?:is|are) missing")
_VERSION = re.compile(r"\(version (\d+)\)|\bversion (\d+)\b")
_ROOT = re.compile(r"\btable at '((?:[^'])*)'")
_FILE = re.compile(r"^(?:cannot (?:open|read) )?'([^']+)'(?: is | has |:)")


class Error(duckdb.Error):
    """Something that tstable refused: a ``duckdb.Error`` that a program can ask what is wrong. Each kind has a subclass.

    >>> try:
    ...     tstable.segments(con, "nowhere")
    ... except tstable.NotFoundError as error:
    ...     (error.kind, error.root)
    ('not found', 'nowhere')
    """

    #: What sort of failure it is: the words behind ``tstable`` in the message.
    kind: ClassVar[str] = ""
    #: The message without its kind.
    message: str
    #: The table's directory, where it is known.
    root: str | None
    #: The file that was to be loaded, or that is damaged.
    file: str | None
    #: The first entity that it is about, by column.
    entity: dict[str, str | int] | None
    #: How many buckets overlap or are missing, over all entities.
    buckets: int | None
    #: The version that the message names: of an overlap, the one that loaded the buckets.
    version: int | None

    def __init__(self, message: str, *, root: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        context = _context(message)
        said = _first(_ROOT, message)
        self.root = context.get("root") or said or root
        self.file = context.get("file") or _first(_FILE, message) or context.get("path")
        self.entity = _entity(message)
        self.buckets = _buckets(message)
        version = context.get("version") or _first(_VERSION, message)
        self.version = int(version) if version else None

    def __str__(self) -> str:
        return f"tstable {self.kind}: {self.message}"


class NotFoundError(Error):
    """A table, file or version is not there."""

    kind = "not found"


class AlreadyExistsError(Error):
    """Something is there and differs from what was asked for."""

    kind = "already exists"


class InvalidArgumentError(Error):
    """An argument is outside what the call accepts."""

    kind = "invalid argument"


class SchemaMismatchError(Error):
    """Columns or types differ from the table's."""

    kind = "schema mismatch"


class OverlapError(Error):
    """Buckets to be appended are covered already."""

    kind = "overlap"


class ConflictError(Error):
    """Another writer changed the table in a way that this change cannot follow."""

    kind = "conflict"


class CommitUnknownError(Error):
    """The commit may or may not be durable; read the table again to find out."""

    kind = "commit unknown"


class CorruptError(Error):
    """A file of the table is damaged or contradicts another."""

    kind = "corrupt"


class UnsupportedFormatError(Error):
    """The table or a file uses something that this version does not know."""

    kind = "unsupported format"


class IoError(Error):
    """The operating system refused."""

    kind = "io"


class LimitExceededError(Error):
    """A size, count or value is too large."""

    kind = "limit exceeded"


class CancelledError(Error):
    """The query was interrupted."""

    kind = "cancelled"


class InternalError(Error):
    """A defect of tstable, which says nothing about the data."""

    kind = "internal"


class LoadError(Error):
    """The extension cannot be loaded into this DuckDB or connection. Comes from this package, never from SQL."""

    kind = "load"


for _public in (Error, *Error.__subclasses__()):
    _public.__module__ = "tstable"
_CLASSES: dict[str, type[Error]] = {
    cls.kind: cls for cls in Error.__subclasses__() if cls is not LoadError
}
# DuckDB puts the class of its error before a message, SQLAlchemy the class of DuckDB's before that; a position follows.
_OURS = re.compile(
    rf"\A(?:\([\w.]+\) )?(?:[A-Z][A-Za-z ]*: )*tstable ({'|'.join(_CLASSES)}): (.*?)"
    r"(?:\n\nLINE \d+:.*|\n\[SQL: .*)?\Z",
    re.DOTALL,
)


def translate(error: BaseException, root: str | None = None) -> BaseException:
    """The error as tstable's own exception when SQL of tstable raised it, whoever handed it on; otherwise the error as it is.
    ``root`` fills in ``.root`` where the message does not name the table.

    >>> try:
    ...     con.execute("FROM tstable_scan('nowhere')")
    ... except duckdb.Error as error:
    ...     type(tstable.translate(error)).__name__
    'NotFoundError'
    """
    if isinstance(error, Error):
        error.root = error.root or root
        return error
    found = _OURS.match(str(error))
    if found is None:
        return error
    return _CLASSES[found[1]](found[2], root=root)


@contextmanager
def errors(root: str | None = None) -> Iterator[None]:
    """Raises what SQL of tstable refuses inside the block as tstable's exceptions. A connection's own ``execute`` raises DuckDB's
    exceptions otherwise: DuckDB has no way for an extension to add one.

    >>> with tstable.errors():
    ...     con.execute("CALL tstable_append('prices', 'day1.parquet')")
    Traceback (most recent call last):
    ...
    tstable.OverlapError: tstable overlap: 24 buckets of symbol='AMD' and 24 of 1 other entity are already covered ...
    """
    try:
        yield
    except Exception as error:
        ours = translate(error, root)
        if ours is error:
            raise
        raise ours from error


def about_rows(error: BaseException, file: str) -> BaseException:
    """What was said of a file that the caller knows nothing of, as said of rows."""
    ours = translate(error)
    if not isinstance(ours, Error):
        return error
    known = rf"(?:file|path|source) {re.escape(file)}"
    message = re.sub(rf" \({known}\)|, {known}(?=[,)])|(?<=\(){known}, ", "", ours.message).replace(f"'{file}'", "the data")
    return type(ours)(message, root=ours.root)


def _first(pattern: re.Pattern[str], message: str) -> str | None:
    found = pattern.search(message)
    return next((group for group in found.groups() if group is not None), None) if found else None


def _context(message: str) -> dict[str, str]:
    """The last parentheses with `key value` pairs that end the message or stand before its cause."""
    for opening in reversed(list(_OPENING.finditer(message))):
        closing = _CLOSING.search(message, opening.end())
        if closing:
            pairs = _PAIRS.split(message[opening.end() : closing.start()])
            keys = (re.match(rf"({_KEYS}) (.*)", pair, re.DOTALL) for pair in pairs)
            return {key[1]: key[2] for key in keys if key}
    return {}


def _entity(message: str) -> dict[str, str | int] | None:
    found = _ENTITY.search(message)
    if not found:
        return None
    entity: dict[str, str | int] = {}
    for part in re.finditer(r"([^=]+)=(?:'((?:[^']|'')*)'|(-?\d+))(?:, |$)", found[1]):
        entity[part[1]] = part[2].replace("''", "'") if part[3] is None else int(part[3])
    return entity


def _buckets(message: str) -> int | None:
    found = _BUCKETS.search(message)
    return sum(int(group) for group in found.groups() if group) if found else None
