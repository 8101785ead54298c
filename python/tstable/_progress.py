"""A line on the terminal while a statement runs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ._duckdb import duckdb

FIRST_AFTER_S = 1.0
EVERY_S = 0.2
BAR = 30


@contextmanager
def progress(con: duckdb.DuckDBPyConnection, what: str) -> Iterator[None]:
    """Shows on the terminal that errors go to, if that is one, how far the statement in the block is, or for how long it has been
    running where DuckDB cannot tell. What takes less than a second shows nothing."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    shower = threading.Thread(target=_show, args=(con, what, done), daemon=True)
    shower.start()
    try:
        yield
    finally:
        done.set()
        shower.join()


def _show(con: duckdb.DuckDBPyConnection, what: str, done: threading.Event) -> None:
    began = time.monotonic()
    if done.wait(FIRST_AFTER_S):
        return
    while True:
        line = _line(what, _percent(con), time.monotonic() - began)
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()
        if done.wait(EVERY_S):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            return


def _percent(con: duckdb.DuckDBPyConnection) -> float:
    """How far the statement is, 0 to 100; -1 where DuckDB does not know."""
    try:
        return float(con.query_progress())
    except (AttributeError, duckdb.Error):
        return -1.0


def _line(what: str, percent: float, elapsed_s: float) -> str:
    if percent < 0:
        return f"{what}  {elapsed_s:.0f} s"
    full = round(BAR * min(percent, 100.0) / 100)
    return f"{what}  {'█' * full}{'·' * (BAR - full)} {percent:3.0f} %  {elapsed_s:.0f} s"
