"""Loads files into DuckDB, each in a process of its own, and tells how that ended: child.py <<< '[[path, settings], ...]'.

One line of JSON for each: `{"answer": rows}` when the extension loaded and worked, `{"error": text, "alive": ...}` when DuckDB
refused it, where `alive` says whether the database still answers, and `{"died": status}` when the process ended."""

import json
import os
import sys
import tempfile

import duckdb


def main() -> None:
    for path, settings in json.load(sys.stdin):
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            os.write(writing, json.dumps(attempt(path, settings)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        status = os.waitpid(child, 0)[1]
        print(told if told and status == 0 else json.dumps({"died": status}), flush=True)


def attempt(path: str, settings: dict) -> dict:
    con = duckdb.connect(config=settings)
    try:
        con.execute(f"LOAD '{path}'")
    except duckdb.Error as error:
        return {"error": str(error), "alive": con.execute("SELECT 42").fetchall() == [(42,)]}
    try:
        return {"answer": use(con)}
    except duckdb.Error as error:
        return {"error": f"loaded, but: {error}", "alive": False}


def use(con: duckdb.DuckDBPyConnection) -> list:
    """A table made, filled and asked."""
    with tempfile.TemporaryDirectory(prefix="tstable-loading-") as directory:
        con.execute(f"COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * i AS ts, i AS v FROM range(48) t(i)) TO '{directory}/f.parquet'")
        con.execute(f"CALL tstable_create('{directory}/t', time_column := 'ts', bucket := '1h')")
        con.execute(f"CALL tstable_append('{directory}/t', '{directory}/f.parquet')")
        return con.execute(f"SELECT count(*), sum(v)::BIGINT FROM tstable_scan('{directory}/t') WHERE ts >= '2024-01-02'").fetchone()


if __name__ == "__main__":
    main()
