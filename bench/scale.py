"""100 entities with ten years of minutes: 525 million buckets on record in a segment a day, whose rows are never read. What the questions cost
that the log and coverage answer, each in a process of its own.

    build/venv/.venv-bench/bin/python bench/scale.py [--entities N] [--years N] [--rounds N]"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import duckdb

from generate import DATA
from measure import table

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

DAY = 1_440
PROGRAM = """
import json, sys, time
import duckdb
con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
con.execute(f"LOAD '{sys.argv[1]}'")
times = []
for _ in range(2):
    started = time.perf_counter()
    rows = con.execute(sys.argv[2]).fetchall()
    times.append((time.perf_counter() - started) * 1000)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
print(json.dumps([*times, peak, rows[0] if rows else None]))
"""


def example(profile: str) -> Path:
    """The program that makes the table, built if it is not there."""
    release = ["--release"] if profile == "release" else []
    features = ["--features", "remote"]
    subprocess.run(["cargo", "build", "--quiet", *release, "--workspace", *features, "--example", "coverage_table"], cwd=REPOSITORY, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / profile / "examples" / "coverage_table"


def main() -> int:
    parser = argparse.ArgumentParser(description="Times questions about a long record of many entities.")
    parser.add_argument("--entities", type=int, default=100)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    profile = os.environ.get("PROFILE", "release")
    days = int(options.years * 365.25)
    root = DATA / "tables" / f"scale-{options.entities}-{days}"
    if not root.exists():
        unfinished = root.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run([example(profile), unfinished, str(options.entities), str(days * DAY), str(DAY)], check=True)
        unfinished.rename(root)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(f"{options.entities} entities, {days} days of minutes: {options.entities * days * DAY:,} buckets on record in {size / 1e6:.1f} MB")
    extension = packages.built(duckdb.__version__, profile)
    questions = {
        "open": f"SELECT * FROM tstable_scan('{root}') LIMIT 0",
        "info": f"SELECT segments, rows FROM tstable_info('{root}')",
        "coverage of all": f"SELECT sum(covered_buckets), sum(gaps) FROM tstable_coverage('{root}')",
        "coverage by year": f"SELECT count(*), sum(covered_buckets) FROM tstable_coverage('{root}', by := '1y')",
        "gaps": f"SELECT count(*), sum(buckets) FROM tstable_gaps('{root}')",
        "plan of a week": f"SELECT count(*) FILTER (kept), count(*) FROM tstable_plan('{root}', start := '2024-03-04', until := '2024-03-11')",
        "entities": f"SELECT count(*), sum(buckets) FROM tstable_entities('{root}')",
    }
    rows = []
    for name, query in questions.items():
        command = [sys.executable, "-c", PROGRAM, str(extension), query]
        runs = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(options.rounds)]
        first, again, peak = (statistics.median(run[column] for run in runs) for column in range(3))
        rows.append([name, f"{first:.1f}", f"{again:.1f}", f"{peak:.0f}", str(runs[0][3])])
    print(table(rows, ["question", "first, ms", "again, ms", "peak, MB", "answer"], (0,)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
