"""What the wheel costs in a DuckDB: time of `import tstable` beside `import duckdb`, of the first load in a process (best of
some processes), and of the load into a second database of the same process."""

import json
import subprocess
import sys

PROCESSES = 5
PROGRAM = """
import time, json
start = time.perf_counter()
import duckdb
imported = time.perf_counter()
import tstable
ready = time.perf_counter()
times = {"import": ready - imported}
for name in ("first load", "second load"):
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute("SELECT 1").fetchall()
    before = time.perf_counter()
    tstable.load(con)
    times[name] = time.perf_counter() - before
print(json.dumps({"version": duckdb.__version__, "times": times}))
"""


def main():
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM], text=True)) for _ in range(PROCESSES)]
    shown = "  ".join(f"{name} {min(run['times'][name] for run in runs) * 1000:6.1f} ms" for name in runs[0]["times"])
    print(f"DuckDB {runs[0]['version']}  {shown}")


if __name__ == "__main__":
    main()
