"""Tables and stores that other programs wrote, imported: the rows must be those of the source, both ways.

The fixtures are what five releases of timeseries-table-format and three of pystore (all from PyPI) wrote. Which files of
a table are live is worked out here once more, from its log alone.

    python test/import/history.py     with DuckDB and pytz installed
"""

import glob
import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = REPOSITORY / "build" / os.environ.get("PROFILE", "release")
FIXTURES = Path(__file__).parent / "fixtures"
CHECKS = 0


def check(holds, message):
    global CHECKS
    CHECKS += 1
    if not holds:
        sys.exit(f"FAILED: {message}")


def refused(con, sql, *words):
    try:
        con.execute(sql)
    except duckdb.Error as error:
        check(all(word in str(error) for word in words), f"the message {error} lacks one of {words}")
        return
    sys.exit(f"FAILED: {sql} was not refused")


def connect():
    package = "v2.0.0" if duckdb.__version__ == "2.0.0" else "v1"
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute(f"LOAD '{PACKAGES / package / 'tstable.duckdb_extension'}'")
    con.execute("SET TimeZone = 'UTC'")
    return con


def one(con, sql):
    return con.execute(sql).fetchall()[0][0]


def live_files(table):
    """The files of the newest version, by the log."""
    live = []
    for commit in sorted(glob.glob(f"{table}/_timeseries_log/0*.json")):
        for action in json.loads(Path(commit).read_text())["actions"]:
            if "AddSegment" in action:
                live.append(action["AddSegment"]["path"])
            if "RemoveSegment" in action:
                live.remove(action["RemoveSegment"]["path"])
    return [f"{table}/{path}" for path in live]


def differing_rows(con, root, files):
    source = f"read_parquet({files}, union_by_name = true)"
    names = ", ".join(f'"{name}"' for name, *_ in con.execute(f"DESCRIBE FROM {source}").fetchall())
    ours, theirs = f"SELECT {names} FROM tstable_scan('{root}')", f"SELECT {names} FROM {source}"
    return one(con, f"SELECT count(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))")


def tables_of_every_release(con):
    for table in sorted(Path("ancestor").glob("*/*")):
        if not (table / "_timeseries_log").is_dir():
            continue
        root, files = f"ours/{table}", live_files(table)
        [(_, _, kind, _, rows, count, _)] = con.execute(f"FROM tstable_import('{table}', '{root}')").fetchall()
        check(kind.startswith("timeseries-table-format, format "), f"{table} is called {kind}")
        check(count == len(files), f"{table} has {len(files)} files, {count} were imported")
        if files:
            check(differing_rows(con, root, files) == 0, f"the rows of {table} differ")
            check(rows == one(con, f"SELECT count(*) FROM read_parquet({files}, union_by_name = true)"), f"{table}: {rows}")
        wrong = con.execute(f"FROM tstable_verify('{root}', deep := true) WHERE NOT ok").fetchall()
        check(wrong == [], f"{table}: {wrong}")


def what_a_table_was_is_kept(con):
    info = "SELECT index_column, bucket, entity_columns FROM tstable_info"
    of = lambda name: con.execute(f"{info}('ours/ancestor/{name}')").fetchall()[0]
    check(of("0.1.4/incoming") == ("ts", "15m", ["symbol"]), of("0.1.4/incoming"))
    check(of("0.4.0/composite") == ("ts", "1h", ["exchange", "symbol"]), of("0.4.0/composite"))
    check(of("0.9.0/counter") == ("counter", "100", []), of("0.9.0/counter"))
    zone = one(con, "SELECT properties['timezone'] FROM tstable_list('ours/ancestor/0.9.0') WHERE root LIKE '%zone'")
    check(zone == "America/New_York", f"the zone is {zone}")
    columns = [name for name, *_ in con.execute("DESCRIBE FROM tstable_scan('ours/ancestor/0.9.0/columns_added')").fetchall()]
    check(columns == ["ts", "symbol", "close", "volume", "currency", "fee"], f"columns {columns}")
    gap = con.execute("SELECT symbol, buckets FROM tstable_gaps('ours/ancestor/0.9.0/prices')").fetchall()
    check(gap == [("AMD", 5)], f"the gap of five hours is {gap}")


def stores_of_every_release(con):
    for version in ("0.1.0", "0.1.24", "1.0.1"):
        store = f"pystore/{version}/mydatastore"
        rows = con.execute(f"SELECT root, kind, rows FROM tstable_import('{store}', 'stores/{version}')").fetchall()
        items = [f"stores/{version}/{item}" for item in ("EOD/AAPL", "EOD/MSFT", "ONEMINUTE/AAPL")]
        check([(root, kind) for root, kind, _ in rows] == [(item, "PyStore item") for item in items], f"{version}: {rows}")
        for item in items:
            files = sorted(glob.glob(f"{store}/{item.split('/', 2)[2]}/part.*.parquet"))
            check(differing_rows(con, item, files) == 0, f"the rows of {item} differ")
        daily = f"stores/{version}/EOD/AAPL"
        check(con.execute(f"SELECT index_column, bucket FROM tstable_info('{daily}')").fetchall() == [("Date", "1d")], daily)
        check(one(con, f"SELECT bucket FROM tstable_info('stores/{version}/ONEMINUTE/AAPL')") == "1m", "minutes")
        properties = one(con, f"SELECT properties FROM tstable_list('{daily}')")
        check(properties == {"source": "yfinance", "currency": "USD"}, f"{properties}")
        before = one(con, f"SELECT count(*) FROM tstable_scan('{daily}', tag := 'beforeappend')")
        check(before == 100, f"the snapshot of {version} has {before} rows")


def arguments_decide(con):
    con.execute("CALL tstable_import('pystore/1.0.1/mydatastore/EOD/AAPL', 'one', bucket := '1 week', mode := 'copy')")
    check(one(con, "SELECT bucket FROM tstable_info('one')") == "1w", "the bucket that was given")
    check(one(con, "SELECT count(*) FROM tstable_scan('one')") == 150, "the rows of the one item")


def what_is_wrong_leaves_nothing(con):
    source = "ancestor/0.9.0/prices"
    refused(con, "CALL tstable_import('ancestor/0.1.4/nothing', 'x')", "not found")
    Path("empty").mkdir()
    refused(con, "CALL tstable_import('empty', 'x')", "not found", "neither a table", "nor a PyStore item")
    refused(con, "CALL tstable_import('one', 'x')", "invalid argument", "table of tstable already")
    refused(con, f"CALL tstable_import('{source}', 'one')", "already exists", "one")
    refused(con, f"CALL tstable_import('{source}', 'x', mode := 'move')", "invalid argument", "'move'")
    refused(con, f"CALL tstable_import('{source}', 'x', on_error := 'hope')", "on_error")
    for name, damage, words in (
        ("hole", lambda d: next(d.glob("_timeseries_log/*2.json")).unlink(), ("corrupt", "version 2 is missing")),
        ("cut", lambda d: (d / "_timeseries_log/0000000002.json").write_text('{"version":2'), ("corrupt", "0000000002.json")),
        ("lost", lambda d: next(d.rglob("*.parquet")).unlink(), ("not found", ".parquet")),
        ("later", later_format, ("unsupported format", "format 9")),
        ("outside", outside, ("corrupt", "../")),
    ):
        shutil.copytree(source, f"bad/{name}/t")
        damage(Path(f"bad/{name}/t"))
        refused(con, f"CALL tstable_import('bad/{name}', 'x')", *words)
        check(not Path("x").exists() and not list(Path(".").glob(".*importing*")), f"{name} left something behind")
    shutil.copytree("ancestor/0.9.0/noent", "bad/hole/sound")
    rows = con.execute("SELECT root, kind, message FROM tstable_import('bad/hole', 'x', on_error := 'skip_file')").fetchall()
    check([row[1] for row in rows] == ["timeseries-table-format, format 7", "refused"], f"{rows}")
    check("version 2 is missing" in rows[1][2] and one(con, "SELECT count(*) FROM tstable_scan('x/sound')") == 72, f"{rows}")


def later_format(table):
    for path in table.glob("_timeseries_log/0*.json"):
        path.write_text(path.read_text().replace('"protocol_version":7', '"protocol_version":9'))


def outside(table):
    path = table / "_timeseries_log/0000000002.json"
    path.write_text(path.read_text().replace('"path":"data/', '"path":"../data/'))


def main():
    os.chdir(tempfile.mkdtemp(prefix="tstable-import-"))
    for fixture in FIXTURES.glob("*.tar.gz"):
        with tarfile.open(fixture) as archive:
            archive.extractall("pystore" if fixture.name.startswith("pystore") else "ancestor", filter="data")
    con = connect()
    tables_of_every_release(con)
    what_a_table_was_is_kept(con)
    stores_of_every_release(con)
    arguments_decide(con)
    what_is_wrong_leaves_nothing(con)
    print(f"import: {CHECKS} checks passed on DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main()
