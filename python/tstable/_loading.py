"""Finding the package for a DuckDB among those of the wheel, and loading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._duckdb import duckdb
from ._errors import LoadError

try:
    from ._packages import PLATFORM
    from ._packages import packages as _table
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "this is tstable's source, which holds no extension; type: make wheel && pip install dist/tstable-*.whl",
        name="tstable._packages",
    ) from None

_UNSIGNED = "allow_unsigned_extensions"
_FILES = Path(__file__).parent / "_packages"


def extension_path(duckdb_version: str | None = None) -> Path:
    """The extension's file for a version of DuckDB, by default that of the module ``duckdb``. A DuckDB newer than this wheel gets
    the package of the stable API.

    >>> tstable.extension_path().name
    'tstable.duckdb_extension'
    >>> tstable.extension_path("1.3.2")
    Traceback (most recent call last):
    ...
    tstable.LoadError: tstable load: this wheel serves DuckDB 1.4.0 and later, not 1.3.2; type: pip install --upgrade duckdb
    """
    version = duckdb.__version__ if duckdb_version is None else duckdb_version
    try:
        package = _table.choose(version)
    except ValueError:
        message = f"'{version}' is not a version of DuckDB; give one as '{duckdb.__version__}'"
        raise LoadError(message) from None
    if package is None:
        first = ".".join(str(number) for number in min(package.first for package in _table.packages()))
        message = f"this wheel serves DuckDB {first} and later, not {version}; type: pip install --upgrade duckdb"
        raise LoadError(message)
    path = _FILES / package.name / "tstable.duckdb_extension"
    if not path.is_file():
        message = (
            f"this wheel lacks the package '{package.name}', which DuckDB {version} needs; "
            "type: pip install --force-reinstall tstable"
        )
        raise LoadError(message)
    return path


def load(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Loads the extension into the connection's database, once for all its connections, and returns the connection.

    >>> con = tstable.load(duckdb.connect(config={"allow_unsigned_extensions": "true"}))
    >>> tstable.load(duckdb.connect())
    Traceback (most recent call last):
    ...
    tstable.LoadError: tstable load: this connection refuses extensions without DuckDB's signature; open it with
    duckdb.connect(config={'allow_unsigned_extensions': 'true'}), or type: con = tstable.connect()
    """
    # All rows are fetched: in DuckDB 2 an open result holds up the next statement.
    version, platform, allowed = con.execute(
        f"SELECT library_version, platform, current_setting('{_UNSIGNED}') FROM pragma_version(), pragma_platform()"
    ).fetchall()[0]
    if not allowed:
        message = (
            "this connection refuses extensions without DuckDB's signature; open it with\n"
            f"duckdb.connect(config={{'{_UNSIGNED}': 'true'}}), or type: con = tstable.connect()"
        )
        raise LoadError(message)
    if platform != PLATFORM:
        message = (
            f"this wheel is for {PLATFORM} and this DuckDB for {platform}; type: make wheel && "
            f"pip install dist/tstable-*.whl, in a clone of tstable on a machine like this one"
        )
        raise LoadError(message)
    path = extension_path(version)
    try:
        con.load_extension(str(path))
    except duckdb.Error as error:
        message = f"DuckDB {version} does not take {path}: {error}"
        raise LoadError(message) from error
    return con


def connect(
    database: str | Path = ":memory:", config: Mapping[str, Any] | None = None, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """``duckdb.connect`` with the extension loaded. ``config`` is DuckDB's own.

    >>> tstable.connect(config={"threads": "1"}).execute("SELECT tstable_version()").fetchone()
    ('...',)
    """
    allowing = {_UNSIGNED: "true", **(config or {})}
    con = duckdb.connect(database, read_only=read_only, config=allowing)
    try:
        return load(con)
    except BaseException:
        con.close()
        raise
