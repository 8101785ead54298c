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


def live_files(table, version=None):
    """The files of a version, the newest when none is given, by the log."""
    live = []
    for commit in sorted(glob.glob(f"{table}/_timeseries_log/0*.json"))[:version]:
        for action in json.loads(Path(commit).read_text())["actions"]:
            if "AddSegment" in action:
                live.append(action["AddSegment"]["path"])
            if "RemoveSegment" in action:
                live.remove(action["RemoveSegment"]["path"])
    return [f"{table}/{path}" for path in live]


def differing_rows(con, root, files, at=""):
    source = f"read_parquet({files}, union_by_name = true)"
    names = ", ".join(f'"{name}"' for name, *_ in con.execute(f"DESCRIBE FROM {source}").fetchall())
    ours, theirs = f"SELECT {names} FROM tstable_scan('{root}'{at})", f"SELECT {names} FROM {source}"
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


def tables():
    return sorted(str(path.parent) for path in Path("ancestor").glob("*/*/_timeseries_log"))


def contents(directory):
    """Every file below a directory and what is in it, and every directory."""
    return {str(path): path.read_bytes() if path.is_file() else "directory" for path in Path(directory).rglob("*")}


def tables_answer_where_they_are(con):
    before = contents("ancestor")
    for table in tables():
        newest = int(Path(table, "_timeseries_log/CURRENT").read_text())
        for version in range(1, newest + 1):
            files = live_files(table, version)
            if files:
                differing = differing_rows(con, table, files, f", version := {version}")
                check(differing == 0, f"version {version} of {table} differs in {differing} rows")
        of = lambda sql: con.execute(f"FROM {sql}").fetchall()
        check(one(con, f"SELECT version FROM tstable_info('{table}')") == newest, table)
        check([row[0] for row in of(f"tstable_history('{table}')")] == list(range(newest, 0, -1)), table)
        check(of(f"tstable_verify('{table}', deep := true) WHERE NOT ok") == [], table)
        if not live_files(table):
            continue
        check(len(of(f"tstable_segments('{table}')")) == len(live_files(table)), table)
        # The rows decide what is covered, as they do in a table of ours that they are brought into.
        con.execute(f"CALL tstable_import('{table}', 'covered/{table}')")
        for question in ("coverage", "gaps", "windows", "entities"):
            here, there = of(f"tstable_{question}('{table}')"), of(f"tstable_{question}('covered/{table}')")
            check(here == there, f"tstable_{question} of {table}: {here} and {there}")
        check(one(con, f"SELECT count(*) FROM '{table}'") == one(con, f"SELECT count(*) FROM '{'covered/' + table}'"), table)
    check(contents("ancestor") == before, "reading a table in place changed it")


def tables_in_place_are_never_written_to(con):
    con.execute("CREATE TABLE day AS SELECT TIMESTAMP '2030-01-01' AS ts, 'X' AS symbol, 1.0::DOUBLE AS close, 1::BIGINT AS volume")
    con.execute("COPY day TO 'day.parquet'")
    Path("windows.parquet").write_bytes(Path("day.parquet").read_bytes())
    before = contents("ancestor")
    for table in ("ancestor/0.1.4/single_nvda", "ancestor/0.4.0/prices", "ancestor/0.9.0/prices"):
        calls = [
            f"CALL tstable_append('{table}', 'day.parquet')",
            f"CALL tstable_append('{table}', 'day.parquet', mode := 'move')",
            f"CALL tstable_create('{table}', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'], if_not_exists := true)",
            f"CALL tstable_delete('{table}', NULL, NULL)",
            f"CALL tstable_compact('{table}')",
            f"CALL tstable_add_columns('{table}', {{'extra': 'DOUBLE'}})",
            f"CALL tstable_set('{table}', 'owner', 'me')",
            f"CALL tstable_tag('{table}', 'now')",
            f"CALL tstable_checkpoint('{table}')",
            f"CALL tstable_restore('{table}', 2)",
            f"CALL tstable_vacuum('{table}', dry_run := false)",
            f"CALL tstable_repair('{table}', dry_run := false)",
            f"CALL tstable_mark_empty('{table}', '2024-06-02 09:00', '2024-06-02 10:00')",
            f"CALL tstable_export_delta('{table}')",
        ]
        if duckdb.__version__ == "2.0.0":
            calls.append(f"COPY day TO '{table}' (FORMAT tstable)")
        for call in calls:
            refused(con, call, "unsupported format", "timeseries-table-format", f"CALL tstable_import('{table}', ")
    check(contents("ancestor") == before and Path("day.parquet").exists(), "a refused write changed something")


def a_table_in_place_is_damaged(con):
    source = "ancestor/0.9.0/prices"
    for name, damage, sql, words in (
        ("hole", lambda d: next(d.glob("_timeseries_log/*2.json")).unlink(), "FROM '{}'", ("corrupt", "0000000002.json")),
        ("end", lambda d: next(d.glob("_timeseries_log/*4.json")).unlink(), "FROM '{}'", ("corrupt", "CURRENT", "0000000004.json")),
        ("cut", lambda d: (d / "_timeseries_log/0000000003.json").write_text('{"version":3'), "FROM '{}'", ("corrupt", "cut off", "0000000003.json")),
        ("words", odd_action, "FROM '{}'", ("corrupt", "DropSegment", "0000000003.json")),
        ("format", later_format, "FROM '{}'", ("unsupported format", "format 9")),
        ("outside", outside, "FROM '{}'", ("corrupt", "../")),
        ("short", lambda d: cut(next(d.rglob("*.parquet"))), "FROM '{}'", ("corrupt", "bytes; the log says", ".parquet")),
        ("lost", lambda d: next(d.rglob("*.parquet")).unlink(), "FROM '{}'", ("a segment", "missing", ".parquet")),
        ("uncovered", lambda d: next(d.rglob("*.parquet")).unlink(), "FROM tstable_coverage('{}')", ("a segment is missing", ".parquet")),
    ):
        shutil.copytree(source, f"hurt/{name}")
        damage(Path(f"hurt/{name}"))
        refused(con, sql.format(f"hurt/{name}"), *words)
    found = con.execute("SELECT what, problem FROM tstable_verify('hurt/lost') WHERE NOT ok AND what = 'segment'").fetchall()
    check(len(found) == 1 and "missing" in found[0][1], f"verify finds {found}")
    [lost] = [path for path in live_files("hurt/lost") if not Path(path).exists()]
    shutil.copy(lost.replace("hurt/lost", source), lost)
    check(differing_rows(con, "hurt/lost", live_files("hurt/lost")) == 0, "a file that came back is read")
    refused(con, "FROM 'ancestor/0.9.0/empty'", "timeseries-table-format (format 7)", "nothing was appended")
    # A commit beyond CURRENT was never finished: the program that wrote it does not see it either.
    shutil.copytree(source, "unfinished")
    Path("unfinished/_timeseries_log/0000000005.json").write_text('{"version":5,"base')
    check(one(con, "SELECT version FROM tstable_info('unfinished')") == 4, "a commit beyond CURRENT counts")
    check(one(con, "SELECT count(*) FROM 'unfinished'") == one(con, f"SELECT count(*) FROM '{source}'"), "rows beyond CURRENT")
    Path("unfinished/_timeseries_log/CURRENT").unlink()
    refused(con, "FROM 'unfinished'", "corrupt", "0000000005.json")
    # What a vacuum took is missed by those who ask for it, and by nobody else.
    shutil.copytree("ancestor/0.9.0/optimized", "cleaned")
    live = {Path(path).name for path in live_files("cleaned")}
    for path in Path("cleaned/data").rglob("*.parquet"):
        if path.name not in live:
            path.unlink()
    check(differing_rows(con, "cleaned", live_files("cleaned")) == 0, "the newest version of a table that was cleaned up")
    check(con.execute("FROM tstable_verify('cleaned') WHERE NOT ok").fetchall() == [], "a cleaned-up table is not damaged")
    refused(con, "FROM tstable_scan('cleaned', version := 2)", "a segment", "missing")


def odd_action(table):
    path = table / "_timeseries_log/0000000003.json"
    path.write_text(path.read_text().replace('"AddSegment"', '"DropSegment"'))


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


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


def kinds_of_items_are_what_pystore_shows(con):
    """Expected values are those that make_pystore.py writes."""
    rows = con.execute("SELECT root, kind, rows FROM tstable_import('pystore/kinds', 'kinds', bucket := '1h')").fetchall()
    items = {"other/BRK/B": 4, "other/levels": 6, "trades/A": 4, "trades/B": 3}
    check(rows == [(f"kinds/kinds/{name}", "PyStore item", count) for name, count in items.items()], f"all stores below a path: {rows}")
    sides = lambda root, more="": one(con, f"SELECT list(side ORDER BY \"when\") FROM tstable_scan('{root}'{more})")
    check(sides("kinds/kinds/trades/A") == ["ask", "bid", "ask", "bid"], "words of categories")
    check(sides("kinds/kinds/trades/A", ", tag := 'before'") == ["buy", "sell", "buy"], "words of a snapshot are its own")
    check(sides("kinds/kinds/trades/B") == ["sell", "short", None], "what has no category is NULL")
    info = con.execute("SELECT index_column, entity_columns FROM tstable_info('kinds/kinds/other/levels')").fetchall()
    check(info == [("when", ["symbol"])], f"levels of an index: {info}")
    levels = [column[0] for column in con.execute("FROM 'kinds/kinds/other/levels'").description]
    check(sorted(levels) == ["price", "symbol", "when"], f"columns {levels}")
    check(one(con, "SELECT list(price ORDER BY symbol, \"when\") FROM 'kinds/kinds/other/levels'") == list(range(6)), "rows of levels")
    con.execute("CALL tstable_import('pystore/kinds/kinds/trades', 'both', entity_column := 'symbol', bucket := '1h')")
    both = "SELECT list(side ORDER BY symbol, \"when\") FROM tstable_scan('both'{})"
    check(one(con, both.format("")) == ["ask", "bid", "ask", "bid", "sell", "short", None], "each item has numbers of its own")
    check(one(con, both.format(", tag := 'before'")) == ["buy", "sell", "buy", "sell", "short", None], "as has each snapshot")
    for root in ("kinds/kinds/trades/A", "kinds/kinds/other/levels", "both"):
        check(con.execute(f"FROM tstable_verify('{root}', deep := true) WHERE NOT ok").fetchall() == [], root)
    item = "pystore/kinds/kinds/trades/A"
    refused(con, f"CALL tstable_import('{item}', '{item}', mode := 'adopt')", "invalid argument", "categories", "adopt")
    shutil.copytree(item, "numbers/A")
    told = Path("numbers/A/pystore_metadata.json")
    told.write_text(told.read_text().replace('["ask", "bid"]', '["ask"]'))
    refused(con, "CALL tstable_import('numbers/A', 'x', bucket := '1h')", "corrupt", "numbers/A/part.0.parquet", '"side"', "code 1")


PANDAS = """KV_METADATA {pandas: '{"index_columns": ["Date"]}'}"""


def item(con, directory, *parts, metadata="{}"):
    """An item of PyStore whose parts are the rows of these queries."""
    Path(directory).mkdir(parents=True)
    Path(directory, "pystore_metadata.json").write_text(metadata)
    for number, part in enumerate(parts):
        con.execute(f"COPY ({part}) TO '{directory}/part.{number}.parquet' (FORMAT parquet, {PANDAS})")


DAYS = "SELECT {} AS price, TIMESTAMP '2024-01-0{}' AS \"Date\""


def items_become_entities_of_one_table(con):
    for version in ("0.1.0", "0.1.24", "1.0.1"):
        collection, root = f"pystore/{version}/mydatastore/EOD", f"combined/{version}"
        made = con.execute(f"SELECT root, kind, rows FROM tstable_import('{collection}', '{root}', entity_column := 'symbol')").fetchall()
        both = [f"SELECT *, '{name}' AS symbol FROM read_parquet('{collection}/{name}/part.*.parquet')" for name in ("AAPL", "MSFT")]
        theirs = " UNION ALL BY NAME ".join(both)
        names = ", ".join(f'"{name}"' for name, *_ in con.execute(f"DESCRIBE {theirs}").fetchall())
        ours, theirs = f"SELECT {names} FROM '{root}'", f"SELECT {names} FROM ({theirs})"
        differing = one(con, f"SELECT count(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))")
        check(differing == 0 and made == [(root, "PyStore collection", one(con, f"SELECT count(*) FROM ({theirs})"))], f"{made}")
        info = con.execute(f"SELECT index_column, bucket, entity_columns FROM tstable_info('{root}')").fetchall()
        check(info == [("Date", "1d", ["symbol"])], f"{info}")
        properties = one(con, f"SELECT properties FROM tstable_list('{root}')")
        check(properties["AAPL.source"] == "yfinance" and properties["AAPL.currency"] == "USD", f"{properties}")
        copies = [f"{collection}/_snapshots/beforeappend/{name}/part.*.parquet" for name in ("AAPL", "MSFT")]
        before = one(con, f"SELECT count(*) FROM tstable_scan('{root}', tag := 'beforeappend')")
        check(before == one(con, f"SELECT count(*) FROM read_parquet({copies})"), f"the snapshot of {version} has {before} rows")
        operations = con.execute(f"SELECT operation FROM tstable_history('{root}')").fetchall()
        versions = 1 if version == "0.1.0" else 2  # in the first store nothing came after the snapshot
        check(operations == [("import",)] * versions, f"{operations}")
        check(con.execute(f"FROM tstable_verify('{root}', deep := true) WHERE NOT ok").fetchall() == [], root)
        store = f"pystore/{version}/mydatastore"
        roots = con.execute(f"SELECT root FROM tstable_import('{store}', 'whole/{version}', entity_column := 'symbol')").fetchall()
        check(roots == [(f"whole/{version}/EOD",), (f"whole/{version}/ONEMINUTE",)], f"each collection is a table: {roots}")
    con.execute("CALL tstable_import('pystore/1.0.1/mydatastore/EOD/AAPL', 'alone', entity_column := 'symbol')")
    check(con.execute("SELECT DISTINCT symbol FROM alone").fetchall() == [("AAPL",)], "an item is one entity")


def items_that_disagree_are_named(con):
    item(con, "odd/prices/A", DAYS.format("1.5", 1), DAYS.format("2.5", 2))
    item(con, "odd/prices/B", DAYS.format("1.5", 1), DAYS.format("'dear'", 2))
    item(con, "odd/prices/C", DAYS.format("1::INTEGER", 1))
    item(con, "odd/prices/D", "SELECT 1.5 AS price, TIMESTAMP '2024-01-01' AS day")
    item(con, "odd/prices/E", DAYS.format("1.5", 1))
    Path("odd/prices/E/part.0.parquet").write_bytes(b"PAR1 and no more")
    item(con, "odd/prices/F", DAYS.format("1.5", 1), metadata="not JSON")
    shutil.copytree("odd/prices/A", "torn/prices/A")
    shutil.copytree("odd/prices/B", "torn/prices/B")
    refused(con, "CALL tstable_import('torn', 'x', bucket := '1d')", "schema mismatch", "torn/prices/B", "price")
    refused(con, "CALL tstable_import('odd', 'x', bucket := '1d')", "odd/prices/")
    refused(con, "CALL tstable_import('odd', 'x', bucket := '1d', entity_column := 'symbol')", "odd/prices/", "part.")
    refused(con, "CALL tstable_import('odd/prices/A', 'x', entity_column := 'price')", "invalid argument", "entity_column := 'price'")
    refused(con, "CALL tstable_import('ancestor/0.9.0', 'x', entity_column := 'symbol')", "not found", "no PyStore item")
    check(not Path("x").exists() and not list(Path(".").glob(".*importing*")), "a refused import left something behind")
    rows = con.execute("SELECT source, kind, message FROM tstable_import('odd', 'sorted', bucket := '1d', on_error := 'skip_file')").fetchall()
    kinds = {Path(source).name: kind for source, kind, _ in rows}
    check(kinds == dict(A="PyStore item", B="refused", C="PyStore item", D="refused", E="refused", F="refused"), f"{rows}")
    check(any("part.1.parquet" in message for source, _, message in rows if source.endswith("B")), f"{rows}")
    rows = con.execute("""SELECT source, kind, message FROM tstable_import('odd', 'y', bucket := '1d', entity_column := 'symbol',
        on_error := 'skip_file')""").fetchall()
    check([row[1] for row in rows] == ["PyStore collection"] + ["refused"] * 4, f"{rows}")
    check({Path(row[0]).name for row in rows[1:]} == {"B", "D", "E", "F"}, f"{rows}")
    left = con.execute("SELECT symbol, price::DOUBLE FROM 'y/prices' ORDER BY symbol, \"Date\"").fetchall()
    check(left == [("A", 1.5), ("A", 2.5), ("C", 1.0)], f"{left}")


def imports_are_one_commit(con):
    made = con.execute("SELECT version, operation, segments_added, len(sources) FROM tstable_history('ours/ancestor/0.9.0/columns_added')")
    check(made.fetchall() == [(1, "import", 4, 4)], "an import of a table is one commit, whose sources are known")
    made = con.execute("SELECT version, operation FROM tstable_history('ours/ancestor/0.9.0/empty')").fetchall()
    check(made == [(1, "import")], f"an empty table: {made}")
    again = con.execute(f"FROM tstable_append('ours/ancestor/0.9.0/prices', '{live_files('ancestor/0.9.0/prices')[0]}', on_overlap := 'skip_file')")
    check(again.fetchall()[0][1] == "already_loaded", "the sources of an import are remembered")


def arguments_decide(con):
    con.execute("CALL tstable_import('pystore/1.0.1/mydatastore/EOD/AAPL', 'one', bucket := '1 week', mode := 'copy')")
    check(one(con, "SELECT bucket FROM tstable_info('one')") == "1w", "the bucket that was given")
    check(one(con, "SELECT count(*) FROM tstable_scan('one')") == 150, "the rows of the one item")


def what_is_wrong_leaves_nothing(con):
    source = "ancestor/0.9.0/prices"
    refused(con, "CALL tstable_import('ancestor/0.1.4/nothing', 'x')", "not found")
    Path("empty").mkdir()
    refused(con, "CALL tstable_import('empty', 'x')", "not found", "neither a table", "nor a PyStore item", "nor a Parquet file")
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


def lake(con, directory):
    """Three days of three symbols in folders, with a hole."""
    con.execute(f"""COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, h + length(symbol) + 0.5 AS close, symbol,
        (TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h)::DATE AS date FROM range(72) t(h), (VALUES ('NVDA'), ('AMD'), ('BRK/B')) s(symbol)
        WHERE symbol <> 'AMD' OR h NOT BETWEEN 30 AND 34) TO '{directory}' (FORMAT parquet, PARTITION_BY (symbol, date))""")


def folders_become_one_table(con):
    lake(con, "lake")
    theirs = "SELECT ts, close, symbol, date FROM read_parquet('lake/**/*.parquet', hive_partitioning = true)"

    def same(root):
        ours = f"SELECT ts, close, symbol, date FROM tstable_scan('{root}')"
        return one(con, f"SELECT count(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))") == 0

    said = "time column ts, bucket 1h, entity columns symbol"
    for source, options in (("lake", ""), ("lake/**/*.parquet", ", mode := 'copy'"), ("lake", ", hive := true, mode := 'rewrite'"),
            ("lake", ", pattern := 'symbol={symbol}/date={date}/*'")):
        root = f"lakes/{CHECKS}"
        [row] = con.execute(f"FROM tstable_import('{source}', '{root}'{options})").fetchall()
        kind = "Parquet files" if "pattern" in options else "Hive folder"
        check(row == (source, root, kind, 1, 211, 9, said), f"{options}: {row}")
        check(same(root), f"the rows of {root}")
        gaps = con.execute(f"SELECT symbol, gap_start::VARCHAR, buckets FROM tstable_gaps('{root}')").fetchall()
        check(gaps == [("AMD", "2024-01-02 06:00:00", 5)], f"{gaps}")
        check(con.execute(f"FROM tstable_verify('{root}', deep := true) WHERE NOT ok").fetchall() == [], root)
    refused(con, "CALL tstable_import('ancestor/0.9.0/prices', 'x', hive := true)", "invalid argument", "ancestor/0.9.0/prices")
    before = contents("lake")
    [row] = con.execute("FROM tstable_import('lake', 'lake', mode := 'adopt')").fetchall()
    check(row[3:6] == (1, 211, 9) and same("lake"), f"files that are adopted where they lie: {row}")
    check(before.items() <= contents("lake").items(), "adopting changed a file")
    refused(con, "CALL tstable_import('lake', 'lake', mode := 'adopt')", "table of tstable already")


def folders_that_contradict_are_named(con):
    hours = "COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, 'A' AS name FROM range({}, {}) t(h)) TO '{}'"

    def write(path, start=0, until=5):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        con.execute(hours.format(start, until, path))

    write("wrong/twice/name=A/NAME=B/1.parquet")
    write("wrong/own/name=B/1.parquet")
    write("wrong/other/symbol=A/1.parquet"), write("wrong/other/symbol=B/1.parquet"), write("wrong/other/date=2024-01-01/1.parquet")
    write("wrong/over/name=A/1.parquet"), write("wrong/over/name=A/2.parquet", 4, 9)
    write("wrong/cut/1.parquet"), write("wrong/cut/2.parquet")
    cut(Path("wrong/cut/2.parquet"))
    for table in ("wrong/delta/_delta_log", "wrong/half/_coverage", "wrong/iceberg/metadata"):
        write(f"{table}/../data/1.parquet")
        Path(table).mkdir(exist_ok=True)
    Path("wrong/iceberg/metadata/v1.metadata.json").write_text("{}")
    con.execute("COPY (SELECT now()::TIMESTAMP AS a, now()::TIMESTAMP AS b) TO 'wrong/two.parquet'")
    con.execute("COPY (SELECT 1 AS a) TO 'wrong/none.parquet'")
    Path("wrong/text").mkdir(), Path("wrong/text/notes.txt").write_text("notes")
    before = contents("wrong")
    for source, *words in (
        ("twice", "wrong/twice/name=A/NAME=B/1.parquet", "'A' and as 'B'"),
        ("own", "wrong/own/name=B/1.parquet", "has 'A'", "the value 'B'"),
        ("other", "wrong/other/date=2024-01-01/1.parquet", "column 'symbol'"),
        ("over", "overlap", "name='A'", "wrong/over/name=A/1.parquet", "wrong/over/name=A/2.parquet", "2024-01-01 04:00"),
        ("cut", "wrong/cut/2.parquet"),
        ("delta", "unsupported format", "wrong/delta", "Delta"),
        ("half", "unsupported format", "wrong/half", "_timeseries_log"),
        ("iceberg", "unsupported format", "wrong/iceberg", "Iceberg"),
        ("two.parquet", "'a', 'b'", "time_column := 'a'"),
        ("none.parquet", "time_column"),
        ("text", "not found", "wrong/text", "Parquet file"),
        ("*.nothing", "not found", "wrong/*.nothing"),
    ):
        refused(con, f"CALL tstable_import('wrong/{source}', 'x')", *words)
        refused(con, f"CALL tstable_import('wrong/{source}', 'wrong/{source}', mode := 'adopt')", "tstable ")
        check(not Path("x").exists() and not list(Path(".").glob(".*importing*")), f"{source} left something behind")
        check(contents("wrong") == before, f"{source} was changed")
    adopted = "FROM tstable_import('wrong/own', 'wrong/own', mode := 'adopt', on_error := 'skip_file')"
    [row] = con.execute(adopted).fetchall()
    check(row[2] == "refused" and contents("wrong") == before, f"none of the files can be adopted: {row}")
    for source, rows, files in (("other", 10, ["wrong/other/date=2024-01-01/1.parquet"]), ("over", 5, ["wrong/over/name=A/2.parquet"]),
            ("cut", 5, ["wrong/cut/2.parquet"])):
        made, *left_out = con.execute(f"FROM tstable_import('wrong/{source}', 'left/{source}', on_error := 'skip_file')").fetchall()
        check(made[4] == rows and one(con, f"SELECT count(*) FROM 'left/{source}'") == rows, f"{source}: {made}")
        check([(row[0], row[2]) for row in left_out] == [(file, "refused") for file in files], f"{source}: {left_out}")
    [row] = con.execute("FROM tstable_import('wrong/own', 'x', on_error := 'skip_file')").fetchall()
    check(row[2] == "refused" and "none of the 1 files" in row[6] and "has 'A'" in row[6] and not Path("x").exists(), f"{row}")
    con.execute("CALL tstable_import('wrong/over', 'all', on_overlap := 'allow')")
    check(one(con, "SELECT count(*) FROM 'all'") == 10, "overlapping files that are allowed")


def what_fails_leaves_no_directory(con):
    """Neither that of a table, nor those above it that were made for it."""
    Path("own/data").mkdir(parents=True)
    for name in "12":
        con.execute(f"COPY (SELECT TIMESTAMP '2024-01-01' AS ts, 1 AS v) TO 'own/{name}.parquet'")
    Path("parted/a").mkdir(parents=True)
    shutil.copytree("ancestor/0.9.0/noent", "parted/a/sound"), shutil.copytree("bad/cut/t", "parted/b")
    con.execute("CALL tstable_create('kept', time_column := 'ts', bucket := '1h')")
    con.execute("COPY (SELECT TIMESTAMP '2024-01-01' AS ts, uuid() AS id) TO 'kept/1.parquet'")
    con.execute("CALL tstable_append('kept', 'kept/1.parquet', mode := 'adopt')")
    con.execute("CALL tstable_create('renamed', time_column := 'ts', bucket := '1h')")
    con.execute("CALL tstable_append('renamed', 'own/1.parquet')")
    before = contents(".")
    fails = [
        "CALL tstable_import('own', 'own', mode := 'adopt')",
        "CALL tstable_import('own', 'far/away/x')",
        "CALL tstable_import('parted', 'far/away/x')",
        "CALL tstable_create('far/away/x', time_column := 'ts', bucket := '1h', timezone := 'Mars')",
        "CALL tstable_append('kept', 'kept/1.parquet', mode := 'adopt', on_overlap := 'error')",
        "CALL tstable_export_delta('kept')",
        "CALL tstable_export_delta('renamed', from_version := 9)",
    ]
    if duckdb.__version__ == "2.0.0":
        broken = "SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, CASE WHEN h = 99999 THEN error('broken') END AS v FROM range(100000) t(h)"
        fails += [f"COPY ({broken}) TO '{root}' (FORMAT tstable, TIME_COLUMN 'ts', BUCKET '1h')" for root in ("far/away/x", "own")]
    for call in fails:
        refused(con, call)
        left = contents(".").keys() ^ before.keys()
        check(contents(".") == before, f"{call} left, or took away, {left}")
    con.execute("CALL tstable_alter('renamed', rename := MAP {'v': 'w'})")
    before = contents("renamed")
    refused(con, "CALL tstable_export_delta('renamed')", "schema mismatch", "column 'w'", "called 'v'")
    check(contents("renamed") == before, "half a Delta log would show an old version as the newest")
    # Copies of a table may leave out what is empty.
    for mode in ("copy", "link", "rewrite"):
        con.execute(f"CALL tstable_create('bare/{mode}', time_column := 'ts', bucket := '1h')")
        Path(f"bare/{mode}/data").rmdir(), Path(f"bare/{mode}/_coverage").rmdir()
        con.execute(f"CALL tstable_append('bare/{mode}', 'own/1.parquet', mode := '{mode}')")
        check(one(con, f"SELECT count(*) FROM 'bare/{mode}'") == 1, f"{mode} into a table without its empty directories")


def a_part_of_a_table_is_no_folder_of_files(con):
    """Of the files of a table only its log says which rows are live."""
    con.execute("CALL tstable_create('parts/mine', time_column := 'ts', bucket := '1h')")
    for day in (1, 2):
        con.execute(f"COPY (SELECT TIMESTAMP '2024-01-0{day}' + INTERVAL 1 HOUR * h AS ts FROM range(24) t(h)) TO 'parts/in{day}.parquet'")
    con.execute("CALL tstable_append('parts/mine', 'parts/in*.parquet')")
    con.execute("CALL tstable_delete('parts/mine', '2024-01-01', '2024-01-02')")
    Path("parts/delta/_delta_log").mkdir(parents=True), Path("parts/delta/day=1").mkdir()
    shutil.copy("parts/in1.parquet", "parts/delta/day=1/1.parquet")
    Path("parts/link").symlink_to("delta/day=1")
    for source, word in (("mine/data", "parts/mine"), ("mine/data/*.parquet", "parts/mine"), ("delta/day=1", "Delta"), ("delta/*/*.parquet", "Delta"),
            ("delta/day=1/1.parquet", "Delta"), ("link", "Delta")):
        refused(con, f"CALL tstable_import('parts/{source}', 'x', on_overlap := 'allow')", "unsupported format", word)
    # One that holds a whole table is told what it holds.
    refused(con, "CALL tstable_import('parts', 'x')", "unsupported format", "parts/mine", "a table, whose log")
    # What lies beside the data of a table is nobody's.
    Path("parts/mine/incoming").mkdir(), shutil.copy("parts/in1.parquet", "parts/mine/incoming/1.parquet")
    check(con.execute("SELECT rows FROM tstable_import('parts/mine/incoming', 'parts/other')").fetchall() == [(24,)], "files beside a table's data")
    # An index that only folders name says nothing of how far apart rows lie.
    con.execute("COPY (SELECT DATE '2024-01-01' + h::INT AS day, h FROM range(3) t(h)) TO 'parts/days' (FORMAT parquet, PARTITION_BY (day))")
    refused(con, "CALL tstable_import('parts/days', 'x', time_column := 'day')", 'no column "day"', "bucket := '1d'")
    con.execute("CALL tstable_import('parts/days', 'parts/by_day', time_column := 'day', bucket := '1d')")
    check(one(con, "SELECT list((day, h) ORDER BY ALL)::VARCHAR FROM 'parts/by_day'") == "[(2024-01-01, 0), (2024-01-02, 1), (2024-01-03, 2)]", "days")


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
    tables_answer_where_they_are(con)
    tables_in_place_are_never_written_to(con)
    a_table_in_place_is_damaged(con)
    tables_of_every_release(con)
    imports_are_one_commit(con)
    what_a_table_was_is_kept(con)
    stores_of_every_release(con)
    items_become_entities_of_one_table(con)
    kinds_of_items_are_what_pystore_shows(con)
    items_that_disagree_are_named(con)
    arguments_decide(con)
    folders_become_one_table(con)
    folders_that_contradict_are_named(con)
    a_part_of_a_table_is_no_folder_of_files(con)
    what_is_wrong_leaves_nothing(con)
    what_fails_leaves_no_directory(con)
    print(f"import: {CHECKS} checks passed on DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main()
