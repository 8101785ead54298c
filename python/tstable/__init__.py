"""Time-series tables over Parquet files, in DuckDB.

>>> con = tstable.connect()
>>> con.execute("SELECT symbol, gap_start, buckets FROM tstable_gaps('prices')").fetchall()
[('AMD', datetime.datetime(2024, 6, 2, 9, 0), 5)]

Everything that a table can do is SQL; this package loads the extension, whatever DuckDB is installed, and adds what
Python needs beside it. ``python -m tstable --help`` shows the command line.
"""

from ._definition import alter, expect
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
from ._incoming import append, import_tables, preview, restated
from ._loading import connect, extension_path, load
from ._packages import VERSION as __version__
from ._reading import Share, new_rows, scan, segments, shares
from ._views import attach

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
    "Share",
    "UnsupportedFormatError",
    "alter",
    "append",
    "attach",
    "connect",
    "errors",
    "expect",
    "extension_path",
    "import_tables",
    "load",
    "new_rows",
    "preview",
    "restated",
    "scan",
    "segments",
    "shares",
    "translate",
]
