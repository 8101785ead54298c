"""Few handles and many segments: parts of the SQL suite run with 64 handles, and a table of 3,000 segments is read, asked, compacted, verified
and vacuumed with 64. Handles are counted between the statements: none may be left on a segment."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from slt.hosts import HOSTS

TESTED = [host for host in HOSTS if host.kind == "python" and host.name in ("duckdb-1.5.6", "duckdb-2.0.0")]
HANDLES = 64
SEGMENTS = 3_000
ADOPTED = 1_000
# What opens most: scans, appends that rewrite, compaction and fills.
TOPICS = ["scan", "compact", "fill", "latest"]

PROGRAM = """
import json, os, resource, sys
import duckdb
extension = sys.argv[1]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 4})
connection.execute(f"LOAD '{extension}'")
connection.execute("SET enable_progress_bar = false")
def open_segments():
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum(".parquet" in os.readlink(link) for link in links if os.path.islink(link))
answers = []
for what, *parameters in json.load(sys.stdin):
    if what == "limit":
        resource.setrlimit(resource.RLIMIT_NOFILE, (parameters[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        continue
    try:
        answers.append([str(value) for value in (connection.execute(what, parameters).fetchall() or [[]])[0]])
    except Exception as error:
        answers.append(str(error))
    if sys.platform == "linux" and open_segments():
        answers.append(f"{open_segments()} segments are open after {what}")
print(json.dumps(answers))
"""


def in_duckdb(host, plan):
    command = [str(host.bin / "python"), "-c", PROGRAM, str(host.extension)]
    done = subprocess.run(command, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, timeout=900)
    if done.returncode != 0:
        sys.exit(f"{host.name}: the process ended with {done.returncode}")
    return json.loads(done.stdout)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, expected {wanted}")


def many_files(host, directory):
    """Parquet files of one row each, an hour apart."""
    row = "SELECT TIMESTAMP '2024-01-01' + to_hours({0}) AS ts, 'e' || {0} % 3 AS e, {0} AS x"
    in_duckdb(host, [[f"COPY ({row.format(i)}) TO '{directory}/{i:05}.parquet'"] for i in range(SEGMENTS)])


def test_many_segments(host, files):
    sum_of_all = SEGMENTS * (SEGMENTS - 1) // 2
    with tempfile.TemporaryDirectory() as directory:
        root = f"{directory}/table"
        create = "CALL tstable_create(?, time_column := 'ts', bucket := '1h', entity_columns := ['e'])"
        plan = [[create, root], ["SELECT count(*) FROM tstable_append(?, ?)", root, f"{files}/*.parquet"], ["limit", HANDLES]]
        count = ["SELECT count(*), sum(x) FROM tstable_scan(?)", root]
        plan += [["SELECT count(*) FROM tstable_scan(?)", root], count, ["SELECT count(*) FROM tstable_latest(?, n := 700)", root]]
        plan += [["SELECT count(*) FROM tstable_fill(?, '1h', '2024-01-01', '2024-05-05', columns := MAP {'x': 'locf'})", root]]
        plan += [["SELECT count(*) FROM tstable_verify(?, deep := true) WHERE NOT ok", root]]
        plan += [["SELECT count(*) FROM tstable_compact(?)", root], count]
        plan += [["SELECT count(*) > 0 FROM tstable_vacuum(?, keep := INTERVAL 0 DAYS, dry_run := false) WHERE deleted", root], count]
        answers = in_duckdb(host, plan)[2:]
        totals = [str(SEGMENTS), str(sum_of_all)]
        expect("counting", answers[0], [str(SEGMENTS)])
        expect("scanning", answers[1], totals)
        expect("the newest rows", answers[2], ["2100"])
        expect("filling", answers[3], [str(3 * SEGMENTS)])
        expect("verifying", answers[4], ["0"])
        if not answers[5][0].isdigit():
            sys.exit(f"compacting: {answers[5]}")
        expect("scanning what was compacted", answers[6], totals)
        expect("vacuuming", answers[7], ["true"] if answers[7] != ["True"] else ["True"])
        expect("scanning after the vacuum", answers[8], totals)
    return f"{SEGMENTS} segments with {HANDLES} handles"


def test_adopting(host):
    """A tree of folders becomes a table in one commit, with the handles of a default shell."""
    files = int(os.environ.get("ADOPTED", ADOPTED))
    with tempfile.TemporaryDirectory() as directory:
        hour = "COPY (SELECT TIMESTAMP '2024-01-01' + to_hours({0}) AS ts, {0} AS x) TO '{1}/{0}.parquet'"
        in_duckdb(host, [[hour.format(i, directory)] for i in range(10)])
        root = Path(directory, "table")
        for i in range(files):
            place = root / f"symbol=S{i // 10:04}"
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(f"{directory}/{i % 10}.parquet", place / f"{i % 10}.parquet")
        create = "CALL tstable_create(?, time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])"
        arguments = f"('{root}', '{root}/*/*.parquet', mode := 'adopt', hive := true)"
        count = "SELECT count(*), count(DISTINCT symbol), sum(x) FROM tstable_scan(?)"
        plan = [["limit", 256], [create, str(root)], [f"SELECT count(*), sum(new_buckets) FROM tstable_preview{arguments}"]]
        plan += [[f"SELECT count(*), sum(rows) FROM tstable_append{arguments}"], [count, str(root)]]
        plan += [["SELECT version, segments FROM tstable_info(?)", str(root)]]
        _, preview, append, scan, info = in_duckdb(host, plan)
        expect("previewing a tree", preview, [str(files)] * 2)
        expect("adopting a tree", append, [str(files)] * 2)
        expect("scanning what was adopted", scan, [str(files), str(files // 10), str(files // 10 * 45)])
        expect("one commit", info, ["2", str(files)])
    return f"{files} files adopted with 256 handles"


def test_suite(host):
    for topic in TOPICS:
        command = [sys.executable, "-m", "slt", "--host", host.name, topic]
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (HANDLES, HANDLES))  # noqa: E731
        if subprocess.run(command, preexec_fn=limit, timeout=900).returncode != 0:
            sys.exit(f"{host.name}: {topic} with {HANDLES} handles")
    return f"the suite of {', '.join(TOPICS)} with {HANDLES} handles"


def main():
    with tempfile.TemporaryDirectory() as directory:
        if "ADOPTED" not in os.environ:
            many_files(TESTED[0], Path(directory))
            for host in TESTED:
                print(f"{host.name}: {test_many_segments(host, directory)}")
    for host in TESTED:
        print(f"{host.name}: {test_adopting(host)}")
        if "ADOPTED" not in os.environ:
            print(f"{host.name}: {test_suite(host)}")


if __name__ == "__main__":
    main()
