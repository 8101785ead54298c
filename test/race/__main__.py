"""Processes of different DuckDB versions append to one table at once: every file lands exactly once, whoever brings it."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from slt.hosts import find

WRITERS = [find("newest"), find("duckdb-1.5.6")]
PROCESSES_PER_VERSION = 2
FILES = 15
ROWS_PER_FILE = 24

WRITE = """
import json, sys
import duckdb
extension, root, policy, *files = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
said = []
for file in files:
    try:
        said.append(connection.execute("CALL tstable_append(?, ?, on_overlap := ?)", [root, file, policy]).fetchall()[0][1])
    except duckdb.Error as error:
        said.append("overlap" if "tstable overlap" in str(error) else str(error))
print(json.dumps(said))
"""

READ = """
import json, sys
import duckdb
extension, root = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
connection.execute("SET TimeZone = 'UTC'")
print(json.dumps(connection.execute(
    "SELECT count(*), count(DISTINCT (symbol, ts)), (SELECT count(*) - 1 FROM tstable_history(?)) FROM tstable_scan(?)",
    [root, root]).fetchall()[0]))
"""

CREATE = """
import sys
import duckdb
extension, root, directory, files, rows = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
connection.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])", [root])
for symbol in ["SAME", "W0", "W1", "W2", "W3"]:
    for i in range(int(files)):
        connection.execute(f\"\"\"COPY (
            SELECT TIMESTAMP '2024-01-01' + to_hours({i * int(rows)} + h) AS ts, '{symbol}' AS symbol, h / 7 AS price
            FROM range({rows}) AS r(h)) TO '{directory}/{symbol}-{i}.parquet'\"\"\")
"""


def start(host, program, *arguments):
    command = [str(host.bin / "python"), "-c", program, str(host.extension), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process):
    output, _ = process.communicate(timeout=300)
    if process.returncode != 0:
        sys.exit(f"a process ended with {process.returncode}")
    return json.loads(output) if output else None


def race(root, policy, lists):
    hosts = WRITERS * PROCESSES_PER_VERSION
    processes = [start(host, WRITE, root, policy, *files) for host, files in zip(hosts, lists, strict=True)]
    return [word for process in processes for word in finish(process)]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, expected {wanted}")
    print(f"{what}: {found}")


def main():
    with tempfile.TemporaryDirectory() as directory:
        writers = len(WRITERS) * PROCESSES_PER_VERSION
        for number, policy in enumerate(["error", "skip_file"]):
            root = Path(directory) / f"table {policy}"
            data = Path(directory) / str(number)
            data.mkdir()
            finish(start(WRITERS[number], CREATE, root, data, FILES, ROWS_PER_FILE))
            own = [[data / f"W{w}-{i}.parquet" for i in range(FILES)] for w in range(writers)]
            said = race(root, policy, own)
            expect(f"{policy}, each its own files", sorted(set(said)), ["appended"])
            said = race(root, policy, [[data / f"SAME-{i}.parquet" for i in range(FILES)]] * writers)
            expect(f"{policy}, all the same files: appended", said.count("appended"), FILES)
            loser = "overlap" if policy == "error" else "already_loaded"
            expect(f"{policy}, all the same files: {loser}", said.count(loser), FILES * (writers - 1))
            rows = FILES * (writers + 1) * ROWS_PER_FILE
            for host in WRITERS:
                expect(f"rows, distinct rows and appends in {host.name}", finish(start(host, READ, root)), [rows, rows, FILES * (writers + 1)])


if __name__ == "__main__":
    main()
