"""Loads a query that is larger than memory with COPY TO, DuckDB held to 200 MB, and prints how much memory the process took at most.

    build/venv/.venv-duckdb-2.0.0/bin/python bench/copy_memory.py [MILLION_ROWS]

The rows come in no order of time, so that all of them must be sorted: five columns, 40 bytes a row in memory, 10 million rows by
default. Prints the peak of the process before and after, and the segments that were made. Needs DuckDB 2.0 and a built extension."""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

EXTENSION = packages.built(duckdb.__version__)
MEMORY_LIMIT = "200MB"


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    rows = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as directory:
        connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        connection.execute(f"LOAD '{EXTENSION}'")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{directory}/spill'")
        before = peak_mb()
        start = time.perf_counter()
        connection.execute(f"""
            COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * ((i * 7919) % {rows}) AS ts, i % 50 AS sensor,
                         random() AS a, random() AS b, i AS seq
                  FROM range({rows}) t(i))
            TO '{directory}/t' (FORMAT tstable, TIME_COLUMN 'ts', BUCKET '1h', ENTITY_COLUMNS ['sensor'], UNIQUENESS 'none')""")
        seconds = time.perf_counter() - start
        peak = peak_mb()
        found = connection.execute(f"SELECT count(*), sum(rows), max(rows) FROM tstable_segments('{directory}/t')").fetchone()
        assert found[1] == rows, found
        print(f"{rows * 40 / 1e6:.0f} MB of rows, memory_limit {MEMORY_LIMIT}: {seconds:.1f} s, peak {peak:.0f} MB ({before:.0f} before), "
              f"{found[0]} segments of at most {found[2]} rows")


if __name__ == "__main__":
    main()
