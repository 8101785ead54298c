"""Distributed engines over one table, each with two workers: every answer must be DuckDB's own.

    PYTHONPATH=test python -m scale [--segments N] [--rows N] [--commits N] [dask] [ray] [sail] [writers]

Prints seconds by engine, way and question: whole answers, from the call to the rows in Python, the second time that they are asked.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time

from . import table

ENGINES = ("dask", "ray", "sail")


def ask_engine(name, root, wanted):
    engine = importlib.import_module(f"scale.with_{name}")
    running = engine.start()
    wrong = []
    try:
        for way in engine.WAYS:
            for question, rows in wanted.items():
                for _ in range(2):
                    began = time.perf_counter()
                    found = table.normal(engine.answer(running, way, root, question))
                    seconds = time.perf_counter() - began
                if found != rows:
                    wrong.append(f"{name}, {way}, {question}: {len(found)} rows, not {len(rows)}; {found[:2]}, not {rows[:2]}")
                print(f"{name:6} {way:12} {question:12} {len(found):7} rows {seconds:8.3f} s", flush=True)
    finally:
        engine.stop(running)
    if wrong:
        sys.exit("\n".join(["answers that are not DuckDB's:", *wrong]))


def duckdb_alone(root, wanted):
    """The table's own way on one machine, and coverage from the log alone, for comparison."""
    con = table.connect()
    con.execute(f"CREATE VIEW prices AS FROM tstable_scan('{root}')")
    for question, sql in table.QUESTIONS.items():
        began = time.perf_counter()
        found = table.normal(con.execute(sql).fetchall())
        print(f"duckdb {'one thread':12} {question:12} {len(found):7} rows {time.perf_counter() - began:8.3f} s")
        if found != wanted[question]:
            sys.exit(f"tstable_scan in DuckDB differs from read_parquet in '{question}'")
    began = time.perf_counter()
    covered = con.execute(
        "SELECT symbol, start::DATE, covered_buckets FROM tstable_coverage(?, by := '1 day') WHERE covered_buckets > 0", [root]
    ).fetchall()
    print(f"duckdb {'from the log':12} {'coverage':12} {len(covered):7} rows {time.perf_counter() - began:8.3f} s")
    if table.normal(covered) != wanted["coverage"]:
        sys.exit("tstable_coverage differs from counting hours")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=[*ENGINES, "writers"])
    parser.add_argument("--segments", type=int, default=60)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--commits", type=int, default=40)
    parser.add_argument("--root", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.root:
        return ask_engine(arguments.what[0], arguments.root, table.own_answers(arguments.root))
    with tempfile.TemporaryDirectory() as directory:
        engines = [name for name in arguments.what if name in ENGINES]
        if engines:
            root = table.make(directory, arguments.segments, arguments.rows)
            duckdb_alone(root, table.own_answers(root))
        for name in engines:
            # Each engine has a process of its own, which takes all of its processes with it.
            command = [sys.executable, "-m", "scale", name, "--root", root]
            if subprocess.run(command, env=os.environ, timeout=1800, check=False).returncode != 0:
                sys.exit(f"{name} failed")
        if "writers" in arguments.what:
            from . import writers

            writers.run(directory, arguments.commits)
    return None


if __name__ == "__main__":
    main()
