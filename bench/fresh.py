"""What a question costs in a process that has just started: with nothing of the files in memory (`cold`), and with all of it (`first`).
Every measurement has a process of its own; loading is timed apart.

    build/venv/.venv-bench/bin/python bench/fresh.py [--rounds N] [--days N]

Needs the data of generate.py. Dropping pages needs no rights (posix_fadvise), but is only as good as the file system's word."""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from generate import DATA, daily_files
from measure import same, table

REPOSITORY = Path(__file__).resolve().parent.parent
PROGRAM = """
import json, sys, time
import duckdb
extension, query, warm_ups = sys.argv[1], sys.argv[2], int(sys.argv[3])
con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
con.execute("SET enable_progress_bar = false")
started = time.perf_counter()
if extension:
    con.execute(f"LOAD '{extension}'")
loaded = time.perf_counter()
for _ in range(warm_ups):
    con.execute(query).fetchall()
began = time.perf_counter()
rows = con.execute(query).fetchall()
print(json.dumps([(loaded - started) * 1000, (time.perf_counter() - began) * 1000, rows], default=str))
"""
WEEK = "pickup_datetime >= TIMESTAMP '{0}' AND pickup_datetime < TIMESTAMP '{1}'"
LOAD_MS = 20


def drop(paths: list[Path]) -> None:
    """Gives up the pages of files, which must be on disk for that."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.fdatasync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def run(extension: str, query: str, warm_ups: int = 0) -> tuple[float, float, list]:
    """Milliseconds of loading and of the query, and its answer."""
    command = [sys.executable, "-c", PROGRAM, extension, query, str(warm_ups)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def make(extension: str, root: Path, days: list[str]) -> None:
    if not root.exists():
        steps = [f"CALL tstable_create('{root}', time_column := 'pickup_datetime', bucket := '1h')", f"CALL tstable_append('{root}', {days}, mode := 'link')"]
        for step in steps:
            run(extension, step)


def questions(root: Path, days: list[str], first: int) -> dict[str, tuple[str, str, float]]:
    """For each question our text, that over the files that matter, and the largest ratio. `first` is the number of the week's first day."""
    start, end, noon, after = (str(day)[:19] for day in moments(first))
    aggregate = "SELECT count(*), sum(trip_miles) FROM {0} WHERE {1}"
    week, five = f"read_parquet({days[first : first + 7]})", f"read_parquet({[days[first + 2]]})"
    by_where = aggregate.format("{0}", WEEK.format(start, end))
    minutes = aggregate.format("{0}", WEEK.format(noon, after))
    arguments = aggregate.format(f"tstable_scan('{root}', start := '{start}', until := '{end}')", "true")
    return {
        "week, WHERE": (by_where.format(f"tstable_scan('{root}')"), by_where.format(week), 1.1),
        "week, start and until": (arguments, by_where.format(week), 0.6),
        "5 minutes": (minutes.format(f"tstable_scan('{root}')"), minutes.format(five), 0.5),
    }


def moments(first: int) -> list:
    day = datetime.datetime(2024, 1, 1) + datetime.timedelta(days=first)
    noon = day + datetime.timedelta(days=2, hours=12)
    return [day, day + datetime.timedelta(days=7), noon, noon + datetime.timedelta(minutes=5)]


def compare(name: str, ours: list, theirs: list, target: float) -> list[str]:
    if not all(same(a[2], b[2]) for a, b in zip(ours, theirs)):
        return [name, "", "", "", "", f"answers differ: {ours[0][2]} and {theirs[0][2]}"]
    left, right = (statistics.median(times[1] for times in side) for side in (ours, theirs))
    return [name, f"{left:.1f}", f"{right:.1f}", f"{left / right:.2f}", f"{target:g}", "met" if left / right <= target else "MISSED"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Times questions in processes that have just started.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--days", type=int, default=len(daily_files()), help="use so many daily files")
    parser.add_argument("--extension", help="a package; default: the one built for this DuckDB")
    options = parser.parse_args()
    extension = options.extension or built(os.environ.get("PROFILE", "release"))
    days = [str(path) for path in daily_files()[: options.days]]
    root = DATA / "tables" / f"fresh-{options.days}"
    make(extension, root, days)
    pages = [path for path in root.rglob("*") if path.is_file()] + [Path(day) for day in days]
    rows, loads = [], []
    for name, (ours, theirs, target) in questions(root, days, min(42, options.days - 7)).items():
        cold: list[list] = [[], []]
        for number in range(options.rounds):
            for side, arguments in sorted(enumerate(((extension, ours), ("", theirs))), reverse=bool(number % 2)):
                drop(pages)
                cold[side].append(run(*arguments))
        rows.append(compare(f"cold: {name}", *cold, target))
        first = [run(extension, ours) for _ in range(options.rounds)]
        warm = [run("", theirs, warm_ups=2) for _ in range(options.rounds)]
        rows.append(compare(f"first in a process: {name}, theirs warm", first, warm, 1.2))
        loads += [time[0] for time in first]
    print(table(rows, ["question", "tstable ms", "read_parquet ms", "ratio", "at most", "target"], (0,)))
    load = statistics.median(loads)
    print(f"\nLOAD: {load:.1f} ms (at most {LOAD_MS}: {'met' if load <= LOAD_MS else 'MISSED'})")
    return 1 if any("differ" in row[-1] for row in rows) else 0


def built(profile: str) -> str:
    import duckdb

    sys.path.insert(0, str(REPOSITORY / "tools"))
    import packages

    return str(packages.built(duckdb.__version__, profile))


if __name__ == "__main__":
    sys.exit(main())
