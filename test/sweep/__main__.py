"""Every cast and every function of one column, as DuckDB computes them, against what the scan skips for them.

    python3 -m sweep [--type NAME] [--share SHARE] [--values N] [--seed S] [--failures N]

A table has one row to a segment, so each value is judged alone; the constants are results that occur, with what lies next to them.
The same rows in a table of DuckDB's own say what is right. Ends with an error when a predicate gives other rows, and when nothing
was skipped. Filters reach the scan in DuckDB 2.x only, so it runs there, in a Python that has NumPy: functions of a user's own need it."""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from slt.hosts import HOSTS, REPOSITORY

HOST = next(spec for spec in HOSTS if spec.name == "duckdb-2.0.0")
WORK = REPOSITORY / "build" / "sweep"
LEAST_SKIPPED = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(prog="sweep", description="Compares casts and functions with what is skipped for them.")
    parser.add_argument("--type", help="only this type of column")
    parser.add_argument("--share", type=float, default=1, help="this share of all expressions")
    parser.add_argument("--values", type=int, default=4, help="results of each expression to compare with")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    options = parser.parse_args()
    print(f"{HOST.name}: seed {options.seed}", flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    began = time.monotonic()
    parts = 1 if options.type else 2
    children = [_start({"extension": str(HOST.extension), "work": str(WORK), "part": part, "parts": parts, **vars(options)}) for part in range(parts)]
    totals, failures = Counter(), []
    for child in children:
        output = child.communicate()[0]
        if child.returncode != 0:
            failures.append(f"{output}\nthe host ended with status {child.returncode}")
            continue
        answer = json.loads(output.splitlines()[-1])
        totals.update(answer["totals"])
        failures += answer["failures"]
    return _judge(totals, failures, time.monotonic() - began)


def _start(plan: dict) -> subprocess.Popen:
    command = [sys.executable, Path(__file__).with_name("child.py"), json.dumps(plan)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _judge(totals: Counter, failures: list[str], seconds: float) -> int:
    for failure in failures:
        print(f"\nFAILED {failure}")
    skipped = totals["segments"] - totals["segments kept"]
    print(
        f"{totals['predicates']} predicates over {totals['expressions']} expressions compared in {seconds:.0f} s, {totals['raised']} raised, "
        f"{totals['raised by the scan alone']} over the scan alone; {skipped} of {totals['segments']} segments were skipped"
    )
    if failures:
        return 1
    if skipped < LEAST_SKIPPED * totals["segments"]:
        print("FAILED: pruning does too little for this to prove anything")
        return 1
    shutil.rmtree(WORK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
