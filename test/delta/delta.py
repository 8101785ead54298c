"""The exported Delta log, read by strangers: delta-rs (deltalake) and Polars must see the rows of every version that tstable sees.

    python test/delta/delta.py     with DuckDB, deltalake, polars and pyarrow installed
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import deltalake
import duckdb
import polars
from deltalake.exceptions import DeltaError

PACKAGE = Path(__file__).resolve().parents[2] / "build" / os.environ.get("PROFILE", "release")
EXTENSION = PACKAGE / "v2.0.0" / "tstable.duckdb_extension"
CHECKS = 0


def check(holds, message):
    global CHECKS
    CHECKS += 1
    if not holds:
        sys.exit(f"FAILED: {message}")


def refused(action, *words):
    try:
        action()
    except duckdb.Error as error:
        check(all(word in str(error) for word in words), f"the message {error} lacks one of {words}")
        return
    sys.exit(f"FAILED: nothing was refused where {words} was expected")


def connect():
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute(f"LOAD '{EXTENSION}'")
    con.execute("SET TimeZone = 'UTC'")
    return con


def bars(con, name, first_hour, hours, symbols=("A", "B"), extra=""):
    """A Parquet file of hourly bars whose columns have every type that both sides know."""
    con.execute(f"""
        COPY (
            SELECT TIMESTAMP '2024-01-01' + INTERVAL (h) HOUR + INTERVAL 123456 MICROSECOND AS ts, symbol,
                h::DOUBLE AS close, h::UINTEGER AS volume, (h % 250)::UTINYINT AS tiny, (h / 7)::DECIMAL(12, 3) AS price,
                [h, NULL] AS depth, {{'a': h, 'b': 'x' || h}} AS quote, DATE '2024-01-01' + h::INTEGER AS day,
                TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (h) MINUTE AS seen, h % 2 = 0 AS flag, 'b'::BLOB AS raw{extra}
            FROM range({first_hour}, {first_hour + hours}) t(h), (SELECT unnest({list(symbols)}) AS symbol)
        ) TO '{name}'""")


def make(con):
    """A table whose history has an operation of each kind."""
    con.execute("CALL tstable_create('t', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])")
    for day in range(4):
        bars(con, f"day{day}.parquet", day * 24, 24)
        con.execute(f"CALL tstable_append('t', 'day{day}.parquet', message := 'day {day}')")
    con.execute("CALL tstable_add_columns('t', {'note': 'VARCHAR'})")
    bars(con, "noted.parquet", 96, 24, extra=", 'n' || h AS note")
    con.execute("CALL tstable_append('t', 'noted.parquet')")
    con.execute("CALL tstable_delete('t', TIMESTAMP '2024-01-01 06:00:00', TIMESTAMP '2024-01-01 12:00:00')")
    con.execute("CALL tstable_compact('t')")
    con.execute("CALL tstable_tag('t', 'compacted')")
    con.execute("CALL tstable_restore('t', 5)")


def ours(con, version):
    return con.execute(f"SELECT COLUMNS(*) FROM tstable_scan('t', version := {version}) ORDER BY ts, symbol").fetchall()


def delta_rows(con, version):
    table = deltalake.DeltaTable("t", version=version).to_pyarrow_table()
    con.register("delta", table)
    return con.execute("SELECT COLUMNS(*) FROM delta ORDER BY ts, symbol").fetchall()


def every_version_is_equal(con):
    newest = con.execute("SELECT version FROM tstable_info('t')").fetchone()[0]
    check(deltalake.DeltaTable("t").version() == newest - 1, "the newest version is not the newest there")
    for version in range(2, newest + 1):
        check(ours(con, version) == delta_rows(con, version - 1), f"version {version} differs")
    frame = polars.scan_delta("t").select(polars.len(), polars.col("close").sum()).collect().row(0)
    check(frame == con.execute("SELECT count(*), sum(close) FROM tstable_scan('t')").fetchone(), "Polars differs")


def times_are_commit_times(con):
    for version, at in con.execute("SELECT version, committed_at FROM tstable_history('t')").fetchall():
        modified = os.stat(f"t/_delta_log/{version - 1:020}.json").st_mtime_ns // 1000
        check(modified == int(at.timestamp() * 1_000_000), f"the file of version {version} has another time than its commit")


def statistics_let_files_be_skipped():
    actions = deltalake.DeltaTable("t").get_add_actions(flatten=True)
    columns = {name: actions.column(name).to_pylist() for name in ("num_records", "min.ts", "max.ts", "min.symbol", "null_count.symbol")}
    check(sum(columns["num_records"]) > 0 and None not in columns["min.ts"] and None not in columns["max.ts"], "the index has no bounds")
    check(set(columns["min.symbol"]) == {"A"} and set(columns["null_count.symbol"]) == {0}, "the entities have no bounds")


def strangers_cannot_write():
    import pyarrow

    before = sorted(str(path) for path in Path("t").rglob("*") if path.is_file())
    table = deltalake.DeltaTable("t")
    rows = pyarrow.table({"ts": [1]})
    for action in (lambda: deltalake.write_deltalake("t", rows, mode="append"), lambda: table.vacuum(0, dry_run=False, enforce_retention_duration=False), lambda: table.delete()):
        try:
            action()
        except (DeltaError, Exception) as error:
            check("tstable-readOnly" in str(error) or "not supported" in str(error).lower(), f"refused for another reason: {error}")
        else:
            sys.exit("FAILED: a stranger wrote")
    after = sorted(str(path) for path in Path("t").rglob("*") if path.is_file())
    check(set(before) <= set(after), "a stranger removed files")


def exports_go_on_where_they_ended(con):
    check(con.execute("CALL tstable_export_delta('t')").fetchall() == [], "there was nothing more to export")
    bars(con, "later.parquet", 200, 24)
    con.execute("CALL tstable_append('t', 'later.parquet')")
    rows = con.execute("FROM tstable_export_delta('t')").fetchall()
    check([row[2:] for row in rows] == [("append", 1, 0)], f"one version with one file, not {rows}")
    every_version_is_equal(con)


def checkpoints_are_read(con):
    """Version 100 gets a checkpoint; without the commits before it the newest version can be read."""
    while (version := con.execute("SELECT version FROM tstable_info('t')").fetchone()[0]) < 103:
        con.execute(f"CALL tstable_set('t', 'note', '{version}')")
    con.execute("CALL tstable_export_delta('t')")
    check(json.loads(Path("t/_delta_log/_last_checkpoint").read_text())["version"] == 100, "no checkpoint at 100")
    for version in range(100):
        Path(f"t/_delta_log/{version:020}.json").rename(f"kept-{version}.json")
    newest = ours(con, 103)
    check(delta_rows(con, 102) == newest, "the checkpoint gives other rows")
    check(polars.read_delta("t").height == len(newest), "Polars reads the checkpoint otherwise")


def a_log_may_begin_late(con):
    for path in Path("t/_delta_log").iterdir():
        path.unlink()
    rows = con.execute("FROM tstable_export_delta('t', from_version := 101)").fetchall()
    check([row[0] for row in rows] == [100, 101, 102], f"begins with version 101, not {rows}")
    check(delta_rows(con, 102) == ours(con, 103), "the late log gives other rows")


def a_table_keeps_its_delta_log_by_itself(con):
    con.execute("CALL tstable_create('live', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])")
    con.execute("CALL tstable_append('live', 'day0.parquet')")
    con.execute("CALL tstable_set('live', 'tstable.delta', 'true')")
    check(deltalake.DeltaTable("live").version() == 2, "setting the property did not catch up")
    con.execute("CALL tstable_append('live', 'day1.parquet')")
    con.execute("COPY (SELECT * REPLACE (ts + INTERVAL 30 DAY AS ts) FROM 'day2.parquet') TO 'live' (FORMAT tstable)")
    con.execute("CALL tstable_compact('live')")
    check(deltalake.DeltaTable("live").version() == 5, "a commit did not write its Delta commit")
    count = con.execute("SELECT count(*) FROM tstable_scan('live')").fetchone()[0]
    check(polars.read_delta("live").height == count, "the Delta log has other rows")
    Path("live/_delta_log/00000000000000000005.json").unlink()
    con.execute("CALL tstable_append('live', 'day3.parquet')")
    check(deltalake.DeltaTable("live").version() == 6, "a missing Delta commit was not caught up")
    refused(lambda: con.execute("CALL tstable_set('live', 'tstable.delta', 'maybe')"), "invalid argument", "tstable.delta")
    con.execute("CALL tstable_set('live', 'tstable.delta', NULL)")
    check(deltalake.DeltaTable("live").version() == 6, "it went on after it was turned off")


def going_back_takes_the_delta_log_along(con):
    con.execute("CALL tstable_create('back', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])")
    con.execute("CALL tstable_set('back', 'tstable.delta', 'true')")
    for day in range(4):
        con.execute(f"CALL tstable_append('back', 'day{day}.parquet')")
    Path("back/_timeseries_log/0000000004.json").unlink()
    con.execute("CALL tstable_repair('back', back_to := 3, dry_run := false)")
    for day in (3, 2):
        con.execute(f"CALL tstable_append('back', 'day{day}.parquet')")
    version = con.execute("SELECT version FROM tstable_info('back')").fetchone()[0]
    check(deltalake.DeltaTable("back").version() == version - 1, "the Delta log is of another history")
    days = con.execute("SELECT list(DISTINCT day(ts) ORDER BY day(ts)) FROM tstable_scan('back')").fetchone()[0]
    seen = sorted(set(polars.read_delta("back")["ts"].dt.day().to_list()))
    check(seen == days == [1, 3, 4], f"the Delta log has the days {seen}, the table {days}")


def deltas(con, root):
    """What tstable_verify says of the Delta log: the name of each file that is not well, and why."""
    found = con.execute(f"SELECT path, problem FROM tstable_verify('{root}') WHERE what = 'delta' AND NOT ok ORDER BY path").fetchall()
    return [(Path(path).name, problem) for path, problem in found]


def damage_is_found(con):
    con.execute("CALL tstable_create('v', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])")
    con.execute("CALL tstable_append('v', 'day0.parquet')")
    check(con.execute("SELECT count(*) FROM tstable_verify('v') WHERE what = 'delta'").fetchone() == (0,), "a table without a Delta log")
    con.execute("CALL tstable_set('v', 'tstable.delta', 'true')")
    for day in (1, 2):
        con.execute(f"CALL tstable_append('v', 'day{day}.parquet')")
    con.execute("CALL tstable_compact('v')")
    check(deltas(con, "v") == [], f"a whole Delta log: {deltas(con, 'v')}")
    log = Path("v/_delta_log")
    whole = {path.name: path.read_bytes() for path in log.iterdir()}
    commit = lambda version: f"{version:020}.json"

    def expect(name, words):
        found = deltas(con, "v")
        check(any(path == name and words in problem for path, problem in found), f"{name}, {words!r}: {found}")
        for path in log.iterdir():
            path.unlink()
        for path, contents in whole.items():
            (log / path).write_bytes(contents)

    (log / commit(2)).unlink()
    expect(commit(2), "missing")
    (log / commit(3)).write_bytes(whole[commit(3)][:-20])
    expect(commit(3), "is not JSON")
    (log / commit(1)).write_bytes(whole[commit(1)].replace(b'"path":"data/', b'"path":"data/0'))
    expect(commit(1), "other files than version 2")
    (log / commit(4)).write_bytes(whole[commit(4)].replace(b'"size":', b'"size":1'))
    expect(commit(4), "other files than version 5")
    (log / commit(1)).write_bytes(whole[commit(3)])
    expect(commit(1), "of version 4")
    (log / commit(5)).unlink()
    expect("_delta_log", "ends with version 5 of 6: tstable_export_delta")
    for path in log.iterdir():
        path.unlink()
    expect("_delta_log", "missing: tstable_export_delta")
    (log / commit(0)).unlink()
    expect(commit(1), "no checkpoint to begin with")
    (log / "_last_checkpoint").write_text('{"version": 4, "size": 3}')
    expect("_last_checkpoint", "not there")
    check(deltas(con, "v") == [], "it is whole again")


def vacuum_takes_old_versions_out(con):
    """What vacuum ends is no longer offered there, and what is offered can be read."""
    before = len(list(Path("v/_delta_log").iterdir()))
    gone = con.execute("SELECT path FROM tstable_vacuum('v', keep := INTERVAL 0 SECOND, dry_run := true)").fetchall()
    check(len(list(Path("v/_delta_log").iterdir())) == before, "a dry run changed the Delta log")
    done = con.execute("SELECT path, deleted FROM tstable_vacuum('v', keep := INTERVAL 0 SECOND, dry_run := false)").fetchall()
    check(sorted(path for path, _ in done) == sorted(path for path, in gone) and all(deleted for _, deleted in done), f"{done}")
    oldest, newest = con.execute("SELECT min(version), max(version) FROM tstable_history('v') WHERE version >= 6").fetchone()
    offered = sorted(int(path.name[:20]) + 1 for path in Path("v/_delta_log").glob("*.json"))
    check(offered == list(range(oldest, newest + 1)), f"the Delta log offers {offered}")
    for version in offered:
        rows = deltalake.DeltaTable("v", version=version - 1).to_pyarrow_table().num_rows
        check(rows == con.execute(f"SELECT count(*) FROM tstable_scan('v', version := {version})").fetchone()[0], f"version {version}")
    try:
        deltalake.DeltaTable("v", version=2).to_pyarrow_table()
    except Exception:
        check(True, "")
    else:
        sys.exit("FAILED: a version that vacuum has ended can be read through the Delta log")
    check(deltas(con, "v") == [], f"after a vacuum: {deltas(con, 'v')}")
    con.execute("CALL tstable_append('v', 'day3.parquet')")
    count = polars.scan_delta("v").select(polars.len()).collect().item()
    check(count == con.execute("SELECT count(*) FROM tstable_scan('v')").fetchone()[0], "the next version after a vacuum")


def columns_of_folders_are_partition_columns(con):
    con.execute("""
        COPY (SELECT ts, h::DOUBLE AS v, s AS symbol, ts::DATE AS date
              FROM (SELECT TIMESTAMP '2024-01-02' + INTERVAL 1 HOUR * h AS ts, h FROM range(48) t(h)), (VALUES ('BTC/USD'), ('a b=c%')) e(s))
        TO 'folders' (FORMAT parquet, PARTITION_BY (symbol, date))""")
    con.execute("CALL tstable_create('folders', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])")
    for symbol in ("BTC*", "a*"):
        files = f"folders/symbol={symbol}/*/*.parquet"
        con.execute(f"CALL tstable_append('folders', '{files}', mode := 'adopt', hive := true)")
    # A file that has the column itself, with one value, and lacks the other.
    con.execute("COPY (SELECT TIMESTAMP '2024-02-01' AS ts, 1.0::DOUBLE AS v, 'Z' AS symbol) TO 'plain.parquet'")
    con.execute("CALL tstable_append('folders', 'plain.parquet')")
    con.execute("CALL tstable_compact('folders')")
    con.execute("CALL tstable_export_delta('folders')")
    order = "SELECT ts, v, symbol, date FROM"
    for version in range(2, 6):
        own = con.execute(f"{order} tstable_scan('folders', version := {version}) ORDER BY ALL").fetchall()
        table = deltalake.DeltaTable("folders", version=version - 1)
        partitioned = ["symbol", "date"] if version < 5 else []
        check(table.metadata().partition_columns == partitioned, f"version {version} has other partition columns")
        rows = table.to_pyarrow_table()
        check(duckdb.sql(f"{order} rows ORDER BY ALL").fetchall() == own, f"delta-rs sees other rows of version {version}")
        # Polars does not read versions in which one file has a partition column and another does not.
        if version != 4:
            frame = polars.scan_delta("folders", version=version - 1).select("ts", "v", "symbol", "date").collect().to_arrow()
            check(duckdb.sql(f"{order} frame ORDER BY ALL").fetchall() == own, f"Polars sees other rows of version {version}")
    check(deltas(con, "folders") == [], f"a Delta log with partition columns: {deltas(con, 'folders')}")
    con.execute("COPY (SELECT TIMESTAMP '2024-03-01' AS ts, 2.0::DOUBLE AS v) TO 'q.parquet'")
    con.execute("CALL tstable_append('folders', 'q.parquet', pattern := '{symbol}.parquet')")
    refused(lambda: con.execute("CALL tstable_export_delta('folders')"), "schema mismatch", "'symbol'", "several values")


def what_does_not_fit_is_refused(con):
    con.execute("COPY (SELECT TIMESTAMP '2024-01-01' AS ts, uuid() AS id, TIME '01:02:03' AS clock) TO 'odd.parquet'")
    con.execute("CALL tstable_create('odd', time_column := 'ts', bucket := '1h')")
    con.execute("CALL tstable_append('odd', 'odd.parquet')")
    refused(lambda: con.execute("CALL tstable_export_delta('odd')"), "schema mismatch", '"id" UUID', '"clock" TIME')
    check(not Path("odd/_delta_log").exists(), "a refused export left a directory")
    refused(lambda: con.execute("CALL tstable_export_delta('t', from_version := 0)"), "from_version")
    con.execute("CALL tstable_create('kept', time_column := 'ts', bucket := '1h')")
    con.execute("CALL tstable_set('kept', 'tstable.delta', 'true')")
    con.execute("COPY (SELECT TIMESTAMP '2024-01-01' AS ts, 1.5 AS w) TO 'kept.parquet'")
    con.execute("CALL tstable_append('kept', 'kept.parquet')")
    con.execute("CALL tstable_alter('kept', drop := ['w'])")
    refused(lambda: con.execute("CALL tstable_add_columns('kept', {'clock': 'TIME'})"), "schema mismatch", '"clock" TIME', "nothing was changed")
    refused(lambda: con.execute("CALL tstable_add_columns('kept', {'w': 'VARCHAR'})"), "schema mismatch", "column 'w'", "another meaning")
    check(deltalake.DeltaTable("kept").version() == con.execute("SELECT version FROM tstable_info('kept')").fetchone()[0] - 1, "the Delta log is as new as the table")
    con.execute("CALL tstable_create('mixed', time_column := 'ts', bucket := '1h')")
    deltalake.write_deltalake("mixed", polars.DataFrame({"a": [1]}).to_arrow())
    refused(lambda: con.execute("CALL tstable_export_delta('mixed')"), "already exists", "did not write")


def main():
    os.chdir(tempfile.mkdtemp(prefix="tstable-delta-"))
    con = connect()
    make(con)
    con.execute("CALL tstable_export_delta('t')")
    every_version_is_equal(con)
    times_are_commit_times(con)
    statistics_let_files_be_skipped()
    strangers_cannot_write()
    exports_go_on_where_they_ended(con)
    checkpoints_are_read(con)
    a_log_may_begin_late(con)
    a_table_keeps_its_delta_log_by_itself(con)
    going_back_takes_the_delta_log_along(con)
    damage_is_found(con)
    vacuum_takes_old_versions_out(con)
    columns_of_folders_are_partition_columns(con)
    what_does_not_fit_is_refused(con)
    print(f"Delta: {CHECKS} checks passed")


if __name__ == "__main__":
    main()
