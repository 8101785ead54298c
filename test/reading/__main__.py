"""Long scans beside others: a reader keeps its version while a process of another DuckDB version appends, compacts and vacuums,
all that one statement reads of a table is of one version, and a scan that is cancelled returns at once, whatever it is doing."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from slt.hosts import find

READERS = [find("newest"), find("duckdb-1.5.6")]
SEGMENTS, ROWS_PER_SEGMENT = 12, 60_000
# Of processor time, which other programs do not take away; the aim is 0.1 s on a machine of its own.
MOST_CANCEL_S = 1.0

BEGIN = """
import json, os, sys, threading, time
import duckdb
extension, *arguments = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
connection.execute("SET enable_progress_bar = false")
def say(*what):
    print(json.dumps(what), flush=True)
"""

MAKE = """
directory, root, segments, rows = arguments
connection.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1s')", [root])
for number in range(int(segments)):
    file = f"{directory}/{number:03}.parquet"
    connection.execute(f\"\"\"COPY (SELECT TIMESTAMP '2024-01-01' + to_seconds(i) AS ts, i AS x, 'a text for every row, ' || i AS words
        FROM range({number} * {rows}, ({number} + 1) * {rows}) t(i)) TO '{file}' (ROW_GROUP_SIZE 20000)\"\"\")
    connection.execute("CALL tstable_append(?, ?)", [root, file])
"""

# Reads a little, waits for a line, reads on, and asks anew.
READ = """
root, = arguments
connection.execute("SET threads = 2")
result = connection.execute("FROM tstable_scan(?)", [root])
rows, last = 0, None
def take(count):
    global rows, last
    found = result.fetchmany(count)
    for _, x, _ in found:
        if last is not None and x != last + 1:
            raise SystemExit(f"row {x} follows row {last}")
        last = x
    rows += len(found)
    return len(found)
take(1000)
say("began", rows)
sys.stdin.readline()
while take(10_000):
    pass
say("ended", rows, last)
say("anew", *connection.execute("SELECT count(*), max(x) FROM tstable_scan(?)", [root]).fetchone())
"""

WRITE = """
directory, root, first = arguments
file = f"{directory}/more.parquet"
connection.execute(f\"\"\"COPY (SELECT TIMESTAMP '2024-01-01' + to_seconds(i) AS ts, i AS x, 'more' AS words
    FROM range({first}, {first} + 5) t(i)) TO '{file}'\"\"\")
connection.execute("CALL tstable_append(?, ?)", [root, file])
compacted = connection.execute("SELECT count(*) FROM tstable_compact(?)", [root]).fetchone()[0]
vacuumed = connection.execute("SELECT count(*) FROM tstable_vacuum(?, dry_run := false)", [root]).fetchone()[0]
say(compacted, vacuumed, *connection.execute("SELECT count(*) FROM tstable_segments(?)", [root]).fetchone())
"""

# Cancels at twelve moments of each query's processor time, and says the longest that it went on for.
CANCEL = """
directory, root, rows = arguments
connection.execute("SET threads = 1")
file = f"{directory}/one.parquet"
connection.execute(f\"\"\"COPY (SELECT TIMESTAMP '2024-01-01' + to_seconds(i) AS ts, i AS x, 'text ' || i AS words FROM range({rows}) t(i))
    TO '{file}' (ROW_GROUP_SIZE {rows})\"\"\")
connection.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1s')", [root])
connection.execute("CALL tstable_append(?, ?)", [root, file])
queries = {
    "all rows": f"SELECT sum(x), max(words) FROM tstable_scan('{root}')",
    "no row": f"SELECT * FROM tstable_scan('{root}') WHERE x::VARCHAR = 'none'",
    "the last rows of a row group": f"SELECT max(words) FROM tstable_scan('{root}', start := TIMESTAMP '2024-01-01' + to_seconds({rows} - 9))",
}
for name, query in queries.items():
    began = time.process_time()
    connection.execute(query).fetchall()
    whole, longest, wall, stopped = time.process_time() - began, 0, 0, 0
    for moment in range(12):
        began, cancelled, done = time.process_time(), [], threading.Event()
        def cancel():
            while time.process_time() - began < whole * moment / 12 and not done.is_set():
                time.sleep(0.0005)
            cancelled[:] = time.process_time(), time.monotonic()
            connection.interrupt()
        thread = threading.Thread(target=cancel)
        thread.start()
        try:
            connection.execute(query).fetchall()
        except duckdb.InterruptException:
            stopped, longest = stopped + 1, max(longest, time.process_time() - cancelled[0])
            wall = max(wall, time.monotonic() - cancelled[1])
        done.set()
        thread.join()
    say(name, stopped, round(whole, 3), round(longest, 3), round(wall, 3))
"""


# Statements that name a table twice, while another connection commits over and over. Each must be consistent in itself, and each see what
# came before it: those that were prepared, and its own connection's writes within a transaction, too.
TOGETHER = """
directory, root, commits = arguments
connection.execute(f"COPY (SELECT TIMESTAMP '2024-01-01' + to_seconds(i) AS ts, i AS x FROM range(200000) t(i)) TO '{directory}/base.parquet'")
for number in range(int(commits) + 1):
    connection.execute(f\"\"\"COPY (SELECT TIMESTAMP '2025-01-01' + to_hours({number}) + to_seconds(i) AS ts, 1000000 + {number} * 10 + i AS x
        FROM range(10) t(i)) TO '{directory}/more{number:03}.parquet'\"\"\")
connection.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1h')", [root])
connection.execute("CALL tstable_append(?, ?)", [root, f"{directory}/base.parquet"])
os.symlink(root, f"{directory}/link")
spellings = [root, f"{directory}/./s", f"{directory}/s/", f"file:{root}", f"{directory}/link", os.path.relpath(root)]
def write(other):
    for number in range(int(commits)):
        other.execute("CALL tstable_append(?, ?)", [root, f"{directory}/more{number:03}.parquet"])
writer = threading.Thread(target=write, args=[connection.cursor()])
connection.execute(f"PREPARE counted AS SELECT count(*) FROM tstable_scan('{root}')")
alone = different = stale = statements = 0
counts = set()
writer.start()
while writer.is_alive():
    statements += 1
    scan = f"tstable_scan('{root}')"
    again = f"tstable_scan('{spellings[statements % len(spellings)]}')"
    alone += connection.execute(f"SELECT count(*) FROM {scan} a WHERE NOT EXISTS (SELECT 1 FROM {again} b WHERE b.x = a.x)").fetchone()[0] > 0
    alone += connection.execute(f"SELECT count(*) FROM {again} a WHERE NOT EXISTS (SELECT 1 FROM {scan} b WHERE b.x = a.x)").fetchone()[0] > 0
    known, counted = connection.execute(f"SELECT (SELECT rows FROM tstable_info('{root}')), (SELECT sum(x - x + 1) FROM {scan})").fetchone()
    different += known != counted
    stale += connection.execute("EXECUTE counted").fetchone()[0] < counted
    counts.add(counted)
writer.join()
before = connection.execute("EXECUTE counted").fetchone()[0]
connection.execute("BEGIN")
connection.execute("CALL tstable_append(?, ?)", [root, f"{directory}/more{int(commits):03}.parquet"])
own = [connection.execute(query).fetchone()[0] - before for query in ("EXECUTE counted", f"SELECT count(*) FROM tstable_scan('{root}')")]
connection.execute("COMMIT")
say(statements, len(counts), alone, different, stale, own)
"""


def start(host, program, *arguments):
    command = [str(host.bin / "python"), "-c", BEGIN + program, str(host.extension), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run(host, program, *arguments) -> list:
    process = start(host, program, *arguments)
    output, _ = process.communicate(timeout=900)
    if process.returncode != 0:
        sys.exit(f"a process of {host.name} ended with {process.returncode}")
    return [json.loads(line) for line in output.splitlines()]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, expected {wanted}")
    print(f"{what}: {found}", flush=True)


def keep_version(reader, writer, directory: Path) -> None:
    root, rows = directory / "t", SEGMENTS * ROWS_PER_SEGMENT
    run(writer, MAKE, directory, root, SEGMENTS, ROWS_PER_SEGMENT)
    reading = start(reader, READ, root)
    expect(f"{reader.name} reads", json.loads(reading.stdout.readline()), ["began", 1000])
    compacted, vacuumed, segments = run(writer, WRITE, directory, root, rows)[0]
    if compacted == 0 or segments >= SEGMENTS:
        sys.exit(f"nothing was compacted: {segments} segments are left")
    output, _ = reading.communicate("\n", timeout=600)
    found = [json.loads(line) for line in output.splitlines()]
    wanted = [["ended", rows, rows - 1], ["anew", rows + 5, rows + 4]]
    expect(f"... while {writer.name} appends, compacts to {segments} segments and vacuums {vacuumed} files", found, wanted)


def together(host, directory: Path) -> None:
    statements, versions, *wrong, own = run(host, TOGETHER, directory, directory / "s", 120)[0]
    print(f"{host.name}: {statements} statements saw {versions} versions while they were made", flush=True)
    expect("... rows without themselves, other counts, prepared statements that lag", wrong, [0, 0, 0])
    expect("... a transaction's own rows", own, [10, 10])


def cancel(host, directory: Path, rows: int) -> None:
    for name, stopped, whole, longest, wall in run(host, CANCEL, directory, directory / "c", rows):
        print(f"{host.name}, {name}: {whole} s whole; cancelled {stopped} times, went on for at most {longest} s of processor time, {wall} s", flush=True)
        if stopped == 0 or longest > MOST_CANCEL_S:
            sys.exit(f"a cancelled scan must return within {MOST_CANCEL_S} s")


def main() -> None:
    for reader, writer in (READERS, READERS[::-1]):
        with tempfile.TemporaryDirectory(prefix="tstable-reading-") as directory:
            keep_version(reader, writer, Path(directory))
            together(reader, Path(directory))
            cancel(reader, Path(directory), 1_000_000)


if __name__ == "__main__":
    main()
