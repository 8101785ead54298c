"""The command line: each command is one statement of SQL, whose rows are written."""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, TypeAlias, cast

from . import _sql
from ._duckdb import duckdb
from ._errors import errors
from ._loading import connect
from ._output import FORMATS, File, write
from ._packages import VERSION
from ._progress import progress

DONE, FAILED, DAMAGED, INTERRUPTED = 0, 1, 3, 130
# How long a Ctrl-C may wait to be heard.
LOOK_EVERY_S = 0.1
EXITS = f"""\
exit codes:
  {DONE}    done
  {FAILED}    refused or failed: one message on standard error says why, and nothing was changed
  2    the command line is not understood
  {DAMAGED}    verify found damage
  {INTERRUPTED}  interrupted"""

# The functions of SQL that are commands here, by the rest of their names.
COMMANDS = ("create", "append", "import", "coverage", "gaps", "verify", "report")

Command = Callable[[duckdb.DuckDBPyConnection, argparse.Namespace, IO[str]], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        with errors(options.table), connect() as con:
            code = _interruptible(con, lambda: _run(con, options))
    except BrokenPipeError:
        # Whoever read has seen enough; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print("tstable: interrupted", file=sys.stderr)
        return INTERRUPTED
    except duckdb.Error as error:
        print(_spoken(str(error), options), file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"tstable io: cannot write '{options.output or 'standard output'}': {error.strerror or error}", file=sys.stderr)
        return FAILED
    if options.timing:
        print(f"elapsed: {(time.monotonic() - started) * 1000:.0f} ms", file=sys.stderr)
    return code


def _spoken(message: str, options: argparse.Namespace) -> str:
    """A message, which speaks of SQL, in the words of the command line, as far as it has such words."""

    def option(found: re.Match[str]) -> str:
        known = found[1] in vars(options)
        value = "" if found[2] == "true" else f" {found[2] or found[3]}"
        return f"--{found[1].replace('_', '-')}{value}" if known else found[0]

    message = re.sub(r"\b(\w+) := (?:(true)\b|'([^']*)')", option, message)
    return re.sub(rf"\btstable_({'|'.join(COMMANDS)})\b", rf"'{_program()} \1'", message)


def _program() -> str:
    """What was typed to get here."""
    called = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    return "tstable" if called == "tstable" else "python -m tstable"


def _interruptible(con: duckdb.DuckDBPyConnection, work: Callable[[], int]) -> int:
    """Runs ``work`` beside the main thread, which alone hears Ctrl-C: DuckDB's client looks for it between its tasks only. The statement
    is told to end, and what it says then is waited for, since a commit may have been made already; a second Ctrl-C does not wait."""
    outcome: list[int | BaseException] = []
    # Not Thread.join: a Ctrl-C in it makes older Pythons believe that the thread has ended.
    done = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # handed to the main thread
            outcome.append(error)
        done.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        while not done.wait(LOOK_EVERY_S):
            pass
    except KeyboardInterrupt:
        con.interrupt()
        while not done.wait(LOOK_EVERY_S):
            pass
        raise
    [result] = outcome
    if isinstance(result, BaseException):
        raise result
    return result


def _run(con: duckdb.DuckDBPyConnection, options: argparse.Namespace) -> int:
    command: Command = options.command
    if options.output is None:
        code = command(con, options, sys.stdout)
        sys.stdout.flush()
        return code
    # What is refused leaves a file of that name as it is.
    with File(options.output) as out:
        return command(con, options, cast("IO[str]", out))


def _call(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str], what: str, function: str,
          positional: Sequence[object], **named: object) -> None:  # fmt: skip
    text, parameters = _sql.invocation(function, positional, named)
    _write(con, options, out, what, f"FROM {text}", parameters)


def _write(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str], what: str, query: str,
           parameters: dict[str, object] | None = None) -> None:  # fmt: skip
    with progress(con, what):
        write(con, query, parameters or {}, options.format, out)


def _create(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    named = {
        "time_column": options.time_column,
        "bucket": options.bucket,
        "entity_columns": options.entity_column or None,
        "timezone": options.timezone,
        "if_not_exists": options.if_not_exists or None,
    }
    _call(con, options, out, "creating", "tstable_create", [options.table], **named)
    return DONE


def _append(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    files = [name for group in options.parquet for name in group]
    named = {"on_overlap": options.on_overlap, "mode": options.mode, "message": options.message}
    what, function = ("looking", "tstable_preview") if options.dry_run else ("appending", "tstable_append")
    _call(con, options, out, what, function, [options.table, files], **named)
    return DONE


def _import(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    named = {
        "time_column": options.time_column,
        "bucket": options.bucket,
        "entity_columns": options.entity_column or None,
        "mode": options.mode,
        "on_error": options.on_error,
    }
    _call(con, options, out, "importing", "tstable_import", [options.source, options.table], **named)
    return DONE


def _query(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    name = os.path.basename(os.path.abspath(options.table))
    con.execute(f"CREATE TEMP VIEW {_sql.identifier(name)} AS FROM tstable_scan({_sql.literal(options.table)})")
    _write(con, options, out, "querying", f"EXPLAIN {options.sql}" if options.explain else options.sql)
    return DONE


def _coverage(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    named = {"start": options.start, "until": options.until, "by": options.by}
    _call(con, options, out, "counting", "tstable_coverage", [options.table], **named)
    return DONE


def _gaps(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    named = {"start": options.start, "until": options.until, "min_buckets": options.min_buckets}
    _call(con, options, out, "searching", "tstable_gaps", [options.table], **named)
    return DONE


def _verify(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    text, parameters = _sql.invocation("tstable_verify", [options.table], {"deep": options.deep or None})
    # Once: to write the rows and to count the damage must not look at the files twice.
    with progress(con, "verifying"):
        con.execute(f"CREATE TEMP TABLE verified AS FROM {text}", parameters)
    shown = "FROM verified" if options.all or options.format != "table" else "FROM verified WHERE NOT ok"
    damaged, looked_at = con.execute("SELECT count(*) FILTER (NOT ok), count(*) FROM verified").fetchall()[0]
    if damaged or shown == "FROM verified":
        _write(con, options, out, "verifying", shown)
    if options.format == "table":
        out.write(f"{looked_at} looked at, {damaged} damaged\n")
    return DAMAGED if damaged else DONE


def _report(con: duckdb.DuckDBPyConnection, options: argparse.Namespace, out: IO[str]) -> int:
    page = options.html or os.path.basename(os.path.abspath(options.table)) + ".html"
    _call(con, options, out, "reporting", "tstable_report", [options.table, page])
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_program(),
        description="Time-series tables over Parquet files: make, load, query and check them.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tstable {VERSION}, DuckDB {duckdb.__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    _describe_loading(commands)
    _describe_reading(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: Commands, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EXITS,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    command.set_defaults(command=run)
    command.add_argument("--table", required=True, metavar="T", help="the table's directory")
    command.add_argument("--format", choices=FORMATS, default="table", help="how rows are written (default: table)")
    command.add_argument("--output", metavar="FILE", help="write there instead of to standard output")
    command.add_argument("--timing", action="store_true", help="say how long it took, on standard error")
    return command


def _range(command: argparse.ArgumentParser) -> None:
    command.add_argument("--start", metavar="S", help="begin of the range, such as 2024-06-01")
    command.add_argument("--until", metavar="U", help="end of the range, which is not in it")


def _describe_loading(commands: Commands) -> None:
    create = _command(commands, "create", _create, "make an empty table")
    create.add_argument("--time-column", "--index-column", required=True, metavar="C", help="the column that orders the rows")
    create.add_argument("--bucket", "--bucket-width", required=True, metavar="B", help="width of a bucket, such as 1h or 1d; a number for an integer column")
    create.add_argument("--entity-column", "--entity", action="append", metavar="E", help="a column that says whose row it is; repeat it for more")
    create.add_argument("--timezone", metavar="Z", help="time zone of days and longer buckets, such as America/New_York")
    create.add_argument("--if-not-exists", action="store_true", help="accept an equal table that is there")
    append = _command(commands, "append", _append, "append Parquet files, all or none of them")
    append.add_argument("--parquet", required=True, nargs="+", action="append", metavar="F", help="files or quoted globs; repeat it for more")
    append.add_argument("--on-overlap", metavar="O", help="error (default), skip_file, skip_rows, merge, replace or allow")
    append.add_argument("--mode", metavar="M", help="copy (default), link, move or rewrite")
    append.add_argument("--message", metavar="TEXT", help="a note in the table's history")
    append.add_argument("--dry-run", action="store_true", help="tell what would become of the files, and change nothing")
    taken = _command(commands, "import", _import, "make tables of what other programs left, by hard links")
    taken.add_argument("--source", required=True, metavar="S", help="a table of timeseries-table-format, a store of PyStore, a folder of Parquet files")
    taken.add_argument("--time-column", "--index-column", metavar="C", help="the column that orders the rows of a folder's files")
    taken.add_argument("--bucket", "--bucket-width", metavar="B", help="width of a bucket; by default what the distance of the rows proposes")
    taken.add_argument("--entity-column", "--entity", action="append", metavar="E", help="a column that says whose row it is; repeat it for more")
    taken.add_argument("--mode", metavar="M", help="link (default), copy, rewrite or adopt")
    taken.add_argument("--on-error", metavar="O", help="fail (default) or skip_file, which imports what can be imported")


def _describe_reading(commands: Commands) -> None:
    query = _command(commands, "query", _query, "run SQL, in which the table has the name of its directory")
    query.add_argument("--sql", required=True, metavar="Q", help="the query, as in SELECT count(*) FROM prices")
    query.add_argument("--explain", action="store_true", help="show the plan instead of running it")
    coverage = _command(commands, "coverage", _coverage, "tell how much of a range is there, per entity")
    _range(coverage)
    coverage.add_argument("--by", metavar="P", help="one row for each period, such as '1 month'")
    gaps = _command(commands, "gaps", _gaps, "list what is missing")
    _range(gaps)
    gaps.add_argument("--min-buckets", type=int, metavar="N", help="leave shorter gaps out")
    verify = _command(commands, "verify", _verify, "look for damage and change nothing")
    verify.add_argument("--deep", action="store_true", help="read every row as well")
    verify.add_argument("--all", action="store_true", help="list what is sound too")
    report = _command(commands, "report", _report, "write a page about the table, in HTML")
    report.add_argument("--html", metavar="FILE", help="the page (default: the directory's name with .html)")
