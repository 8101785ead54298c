"""Eight processes append to one table at once, a commit a file: all rows are there once."""

import subprocess
import sys
import time

from .table import REPOSITORY, connect

WRITERS = 8

WRITE = """
import sys
from scale.table import connect
root, *files = sys.argv[1:]
con = connect()
print("ready", flush=True)
sys.stdin.readline()
for file in files:
    con.execute("CALL tstable_append(?, ?)", [root, file])
"""


def files(con, directory, writer, count):
    made = []
    for number in range(count):
        file = f"{directory}/writer-{writer}-{number}.parquet"
        con.execute(
            f"COPY (SELECT TIMESTAMP '2024-01-01' + to_hours({number} * 24 + h) AS ts, 'W{writer}' AS symbol, h AS v "
            f"FROM range(24) t(h)) TO '{file}'"
        )
        made.append(file)
    return made


def run(directory, count):
    con, root = connect(), f"{directory}/written"
    con.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])", [root])
    children = []
    for writer in range(WRITERS):
        command = [sys.executable, "-c", WRITE, root, *files(con, directory, writer, count)]
        environment = {"PYTHONPATH": str(REPOSITORY / "test"), **environment_of_tests()}
        children.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        )
    for child in children:
        child.stdout.readline()
    began = time.perf_counter()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=600)
        if child.returncode != 0:
            sys.exit(f"a writer ended with {child.returncode}")
    seconds = time.perf_counter() - began
    commits = WRITERS * count
    found = con.execute(
        "SELECT count(*), count(DISTINCT (symbol, ts)), (SELECT max(version) - 1 FROM tstable_history(?)) FROM tstable_scan(?)",
        [root, root],
    ).fetchone()
    wanted = (commits * 24, commits * 24, commits)
    if found != wanted:
        sys.exit(f"rows, distinct rows and commits are {found}, expected {wanted}")
    print(f"{WRITERS} writers at once: {commits} commits, each row once, {commits / seconds:.0f} commits a second")


def environment_of_tests():
    import os

    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
