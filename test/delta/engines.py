"""The exported Delta log through every engine that PyPI has: Daft, ClickHouse (chdb), DuckDB's own delta extension and Spark SQL (Sail).
Each version's rows must be those that tstable sees, and so must a range of time and the rows of one entity. Which engine goes by which of the
log's statistics is its own affair; those named in SKIPPING must answer without the files that are ruled out, which are taken away first.

    python test/delta/engines.py NAME=PYTHON ...     with DuckDB, deltalake, polars and pyarrow installed; PYTHON has the engine
"""

import datetime
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import deltalake
import polars
import pyarrow.dataset

import delta

READER = Path(__file__).with_name("reader.py").resolve()
# Daft 0.7 and chdb 26 look at every file's footer; DuckDB's extension 1.5.5 skips by text, not by timestamps without a zone.
SKIPPING = {"entity": ("duckdb", "sail"), "since": ("sail",)}
SINCE = "2024-01-04 00:00:00"
# Timestamps as text, since engines disagree about zones in Arrow, not about instants.
CANONICAL = """SELECT strftime(ts::TIMESTAMP, '%Y-%m-%d %H:%M:%S.%f') AS ts, symbol::VARCHAR AS symbol, close::DOUBLE AS close,
    volume::BIGINT AS volume, tiny::BIGINT AS tiny, price::DECIMAL(12, 3) AS price, day::DATE AS day,
    epoch_us(seen) AS seen, flag::BOOLEAN AS flag FROM {}"""


def read(python, name, *arguments):
    done = subprocess.run([python, READER, name, *arguments], capture_output=True, text=True, timeout=600)
    delta.check(done.returncode == 0, f"{name} cannot read the table: {done.stderr[-2000:]}")


def differing(con, ours, file):
    ours, theirs = CANONICAL.format(ours), CANONICAL.format(f"read_parquet('{file}')")
    return con.execute(f"SELECT count(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))").fetchone()[0]


def main():
    engines = dict(argument.split("=", 1) for argument in sys.argv[1:])
    engines = {name: os.path.abspath(python) for name, python in engines.items()}
    os.chdir(tempfile.mkdtemp(prefix="tstable-engines-"))
    con = delta.connect()
    delta.make(con)
    con.execute("CALL tstable_export_delta('t')")
    newest = con.execute("SELECT version FROM tstable_info('t')").fetchone()[0]
    for name, python in engines.items():
        Path(name).mkdir()
        read(python, name, "t", "1", str(newest - 1), name)
        for version in range(2, newest + 1):
            count = differing(con, f"tstable_scan('t', version := {version})", f"{name}/{version - 1}.parquet")
            delta.check(count == 0, f"{name} sees {count} rows of version {version} otherwise")
    delta.bars(con, "late.parquet", 200, 24, symbols=("C",))
    con.execute("CALL tstable_append('t', 'late.parquet')")
    con.execute("CALL tstable_export_delta('t')")
    con.execute(f"CREATE TABLE since AS SELECT * FROM tstable_scan('t') WHERE ts >= '{SINCE}'")
    con.execute("CREATE TABLE entity AS SELECT * FROM tstable_scan('t') WHERE symbol = 'C'")

    def ask(question, value, engines):
        for name, python in engines.items():
            read(python, name, "t", f"--{question}", value, name)
            delta.check(differing(con, question, f"{name}/{question}.parquet") == 0, f"{name} answers --{question} otherwise")

    ask("since", SINCE, engines)
    ask("entity", "C", engines)
    # The files whose rows are all before the range go, and then all but that of the entity; whoever opens them fails.
    skipping = lambda question: {name: python for name, python in engines.items() if name in SKIPPING[question]}
    paths = con.execute(f"SELECT path, index_max < TIMESTAMP '{SINCE}', index_max > TIMESTAMP '2024-01-08' FROM tstable_segments('t')").fetchall()
    remove = lambda gone: [Path("t", path).unlink(missing_ok=True) for path in gone]
    remove(path for path, before, _ in paths if before)
    ask("since", SINCE, skipping("since"))
    rows = con.execute("SELECT count(*) FROM since").fetchone()[0]
    since = datetime.datetime.fromisoformat(SINCE)
    frame = polars.scan_delta("t").filter(polars.col("ts") >= since).select(polars.len()).collect()
    delta.check(frame.item() == rows, "Polars answers the range otherwise")
    table = deltalake.DeltaTable("t").to_pyarrow_dataset().to_table(filter=pyarrow.dataset.field("ts") >= since)
    delta.check(table.num_rows == rows, "deltalake answers the range otherwise")
    remove(path for path, _, late in paths if not late)
    ask("entity", "C", skipping("entity"))
    print(f"Delta through {', '.join(engines)}: {delta.CHECKS} checks passed")


if __name__ == "__main__":
    main()
