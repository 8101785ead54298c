"""Time-series tables over Parquet files, in DuckDB.

>>> con = tstable.connect()
>>> con.execute("SELECT symbol, gap_start, buckets FROM tstable_gaps('prices')").fetchall()
[('AMD', datetime.datetime(2024, 6, 2, 9, 0), 5)]

Everything that a table can do is SQL; this package loads the extension, whatever DuckDB is installed, and adds what
Python needs beside it. ``python -m tstable --help`` shows the command line.
"""

from ._errors import (
    AlreadyExistsError,
    CancelledError,
    CommitUnknownError,
    ConflictError,
    CorruptError,
    Error,
    InternalError,
    InvalidArgumentError,
    IoError,
    LimitExceededError,
    LoadError,
    NotFoundError,
    OverlapError,
    SchemaMismatchError,
    UnsupportedFormatError,
    errors,
    translate,
)
from ._loading import connect, extension_path, load
from ._packages import VERSION as __version__
from ._tables import append, attach, segments

__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "CommitUnknownError",
    "ConflictError",
    "CorruptError",
    "Error",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "LimitExceededError",
    "LoadError",
    "NotFoundError",
    "OverlapError",
    "SchemaMismatchError",
    "UnsupportedFormatError",
    "append",
    "attach",
    "connect",
    "errors",
    "extension_path",
    "load",
    "segments",
    "translate",
]
