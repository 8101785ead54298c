"""Interrupts, from another thread, of calls that change a table and of answers that are long. On DuckDB 2.x a call hears it and changes
nothing; where the version is there all the same, the call has said that it is done, or DuckDB raised its own interrupt after that. Whatever
the answer, calling again as the documents say loads every row once. DuckDB 1.x cannot tell a function: there only the last holds."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from slt.hosts import find

HOSTS = [find("duckdb-2.0.0"), find("duckdb-1.5.6")]
FILES, ROWS = 4, 150_000
# From the interrupt to the error, in seconds of the clock: generous, since a busy machine sleeps too.
MOST_S = 2.0

PROGRAM = """
import json, sys, threading, time
import duckdb
extension, directory, files, rows = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1})
connection.execute(f"LOAD '{extension}'")
for number in range(int(files)):
    connection.execute(f\"\"\"COPY (SELECT TIMESTAMP '2024-01-01' + to_seconds({number} * {rows} + i) AS ts, i AS x, 'text ' || i AS words
        FROM range({rows}) t(i)) TO '{directory}/{number}.parquet'\"\"\")
root = directory + "/t"
connection.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1h', uniqueness := 'none')", [root])
def one(sql):
    return connection.execute(sql, [root]).fetchone()[0]
def version():
    return one("SELECT max(version) FROM tstable_history(?)")
def attempt(name, sql, after):
    before, done, at = version(), threading.Event(), []
    def interrupt():
        # Only while the call runs: an interrupt that comes later is for the next one.
        if not done.wait(after):
            at.append(time.monotonic())
            connection.interrupt()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        connection.execute(sql).fetchall()
        error = None
    except duckdb.InterruptException as raised:
        error = str(raised)
    over = time.monotonic()
    done.set()
    thread.join()
    print(json.dumps([name, after, error, round(over - at[0], 3) if at else None, version() - before]), flush=True)
source = f"'{directory}/*.parquet'"
for after in (0.02, 0.1, 0.3, 0.6, 1.0):
    attempt("append", f"CALL tstable_append('{root}', {source}, mode := 'rewrite', on_overlap := 'skip_file')", after)
    attempt("one file", f"CALL tstable_append('{root}', '{directory}/0.parquet', mode := 'rewrite', on_overlap := 'allow')", after / 4)
connection.execute(f"CALL tstable_append('{root}', {source}, on_overlap := 'skip_file')")
print(json.dumps(["rows", one("SELECT count(DISTINCT (ts, x)) FROM tstable_scan(?)"), one("SELECT count(*) FROM tstable_scan(?) WHERE ts >= TIMESTAMP '2024-01-01' + to_seconds(" + rows + ")")]), flush=True)
for after in (0.05, 0.3):
    attempt("compact", f"CALL tstable_compact('{root}', target_rows := 100000000)", after)
    attempt("delete", f"CALL tstable_delete('{root}', '2024-01-01 01:00', '2024-01-01 02:00')", after / 3)
    attempt("verify", f"FROM tstable_verify('{root}', deep := true)", after)
for name, sql in {
    "periods": "SELECT count(*) FROM tstable_coverage('{root}', start := TIMESTAMP '1990-01-01', until := TIMESTAMP '2020-01-01', by := '1h')",
    "buckets": "SELECT count(*) FROM tstable_buckets('{root}', start := TIMESTAMP '0001-01-01', until := TIMESTAMP '9999-01-01')",
}.items():
    attempt(name, sql.format(root=root), 0.2)
"""


def main() -> int:
    failures = []
    for host in HOSTS:
        with tempfile.TemporaryDirectory() as directory:
            command = [host.bin / "python", "-c", PROGRAM, host.extension, directory, str(FILES), str(ROWS)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600)
        if done.returncode != 0:
            sys.exit(f"{host.name}: the process ended with {done.returncode}\n{done.stdout}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        failures += [f"{host.name}: {failure}" for failure in judge(host, lines)]
        heard = sum(1 for line in lines if line[0] != "rows" and line[2])
        print(f"{host.name}: {heard} of {len(lines) - 1} calls were interrupted, the longest went on for {longest(lines)} s")
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


def longest(lines: list) -> float:
    return max((line[3] for line in lines if line[0] != "rows" and line[2] and line[3]), default=0)


def judge(host, lines: list):
    """What is wrong with the answers."""
    for name, *answer in lines:
        if name == "rows":
            # Every row of every file, and those of the later files once: the first was loaded over and over on purpose.
            if answer != [FILES * ROWS, (FILES - 1) * ROWS]:
                yield f"the table has {answer} rows after all calls were made again, of {FILES * ROWS}"
            continue
        after, error, seconds, versions = answer
        if error is None or host.api == "1":
            continue
        if "nothing was changed" in error and versions:
            yield f"{name} after {after} s made {versions} versions and says {error}"
        if seconds is None or seconds > MOST_S:
            yield f"{name} after {after} s went on for {seconds} s"
    if host.api == "2" and not any(name != "rows" and answer[1] and not answer[3] for name, *answer in lines):
        yield "no interrupt was heard before a commit"


if __name__ == "__main__":
    sys.exit(main())
