"""The benchmark: every case is a comparison, measured side by side in this one run, with its target.

    build/venv/.venv-bench/bin/python bench/run.py [--rounds N] [part of a case's name]...

The data is made by generate.py. Tables are made anew below build/bench/tables unless --keep-tables is given. The results also
go to build/bench/results.json. A case whose answers differ or that fails makes the run fail; a missed target does not."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from generate import DATA, SMALL_FILES, daily_files, small_files
from memory import scan_memory
from measure import Case, Program, Result, Side, measure, table

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

EXTENSION = packages.built(duckdb.__version__, os.environ.get("PROFILE", "release"))
TABLES = DATA / "tables"
THREADS = 2

WEEK_START, WEEK_END = "2024-02-12", "2024-02-19"
WEEK_DAYS = range(42, 49)  # files of that week
FIVE_START, FIVE_END = "2024-02-14 12:00:00", "2024-02-14 12:05:00"
FIVE_DAY = 44
ENTITY = "B02042"


class Bench:
    """The connection, the tables and the two ways to name the same rows."""

    def __init__(self, keep_tables: bool):
        self.con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": THREADS})
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute(f"LOAD '{EXTENSION}'")
        self.functions = {name for (name,) in self.con.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()}
        venvs = Path(os.environ.get("TSTABLE_VENVS", REPOSITORY / "build" / "venv"))
        ancestor = [venvs / ".venv-ancestor" / "bin" / "python", Path(__file__).with_name("ancestor.py")]
        self.ancestor = Program("timeseries-table-format", ancestor)
        self.days = [str(path) for path in daily_files()]
        self.keep_tables = keep_tables
        if not keep_tables:
            shutil.rmtree(TABLES, ignore_errors=True)
        TABLES.mkdir(parents=True, exist_ok=True)

    def table(self, name: str, time_column: str, files: list[str], entity: str = "", mode: str = "link", bucket: str = "1h") -> str:
        """A table of `files`, made unless it is there."""
        root = TABLES / name
        if not root.exists():
            entities = f", entity_columns := ['{entity}']" if entity else ""
            self.con.execute(f"CALL tstable_create('{root}', time_column := '{time_column}', bucket := '{bucket}'{entities})")
            self.con.execute(f"CALL tstable_append('{root}', {files}, mode := '{mode}')")
        return str(root)

    def trips(self) -> str:
        return self.table("trips", "pickup_datetime", self.days, "hvfhs_license_num")

    def sorted_trips(self) -> str:
        return self.table("trips_by_base", "pickup_datetime", self.days, "dispatching_base_num", "rewrite")

    def ancestor_trips(self) -> None:
        """Registers the same files as table `trips` of the ancestor."""
        root = TABLES / "ancestor"
        if not root.exists():
            self.ancestor.call(do="create", root=str(root), time_column="pickup_datetime", bucket="1h")
            for file in self.days:
                self.ancestor.call(do="append", root=str(root), file=file)
        self.ancestor.call(do="register", name="trips", root=str(root))

    def sql(self, name: str, query: str) -> Side:
        return Side(name, lambda: (self.con.execute(query).fetchall(), None))

    def arrow(self, name: str, query: str) -> Side:
        return Side(name, lambda: (self.con.sql(query).to_arrow_table().num_rows, None))

    def theirs(self, query: str, count_only: bool = False) -> Side:
        return Side("ancestor", lambda: self.ancestor.call(do="sql", query=query, count_only=count_only))

    def both(self, name: str, target: float | None, query: str, ours: str, theirs: str, **more: str) -> Case:
        """The same query over two sources; `{where}` and the like in `query` are given as pairs in `more`."""
        left = {key: value[0] if isinstance(value, tuple) else value for key, value in more.items()}
        right = {key: value[1] if isinstance(value, tuple) else value for key, value in more.items()}
        return Case(
            name,
            self.sql("tstable", query.format(source=ours, **left)),
            self.sql("read_parquet", query.format(source=theirs, **right)),
            target,
        )


def parquet(files: list[str]) -> str:
    return f"read_parquet({files})"


def week(b: Bench) -> str:
    return parquet([b.days[day] for day in WEEK_DAYS])


def scan(root: str, arguments: str = "") -> str:
    return f"tstable_scan('{root}'{arguments})"


def between(start: str, end: str) -> str:
    return f"pickup_datetime >= TIMESTAMP '{start}' AND pickup_datetime < TIMESTAMP '{end}'"


IN_WEEK = between(WEEK_START, WEEK_END)

AGGREGATES = {
    "count and sum": "SELECT count(*), sum(trip_miles) FROM {source} WHERE {where}",
    "filtered": "SELECT count(*), avg(tips) FROM {source} WHERE {where} AND trip_miles > 5",
    "group by integer": 'SELECT "PULocationID", count(*), sum(driver_pay) FROM {source} WHERE {where} GROUP BY ALL',
    "hourly buckets": "SELECT time_bucket(INTERVAL 1 HOUR, pickup_datetime) AS h, count(*), avg(trip_time) FROM {source} WHERE {where} GROUP BY ALL",
}

BY_TEXT = "SELECT dispatching_base_num, count(*), sum(trip_miles), avg(tips) FROM {source} GROUP BY ALL"


def append_daily_files(b: Bench):
    """Each round appends the next day to a table of either kind; both copy the file. The ancestor does not wait for the disk: once it is
    left at that, once it is made to, and once both work where there is no disk to wait for."""
    yield append_to(b, "append a daily file", TABLES, sync=False)
    yield append_to(b, "append a daily file, both synced", TABLES, sync=True)
    memory = Path("/dev/shm")
    if memory.is_dir():
        with tempfile.TemporaryDirectory(dir=memory, prefix="tstable-bench-") as directory:
            yield append_to(b, "append a daily file, in memory", Path(directory), sync=False)


def append_to(b: Bench, name: str, directory: Path, sync: bool) -> Case:
    """Appends all days to a table of either kind below a directory."""
    ours, theirs = directory / "append", directory / "append_ancestor"
    for root in (ours, theirs):
        shutil.rmtree(root, ignore_errors=True)
    b.con.execute(f"CALL tstable_create('{ours}', time_column := 'pickup_datetime', bucket := '1h')")
    b.ancestor.call(do="create", root=str(theirs), time_column="pickup_datetime", bucket="1h")
    left, right = iter(b.days), iter(b.days)

    def append() -> tuple[None, None]:
        b.con.execute(f"CALL tstable_append('{ours}', '{next(left)}')").fetchall()
        return None, None

    def ancestor_append() -> tuple[None, float]:
        return None, b.ancestor.call(do="append", root=str(theirs), file=next(right), sync=sync)[1]

    def settle() -> None:
        # What one side left for the disk must not be paid for by the other.
        os.sync()

    return Case(name, Side("tstable", append), Side("ancestor", ancestor_append), 1.0, rounds=len(b.days) - 1, before=settle)


def coverage(b: Bench):
    """How many hours of the quarter each licence has and misses: from the log, and from the rows."""
    root, start, until = b.trips(), "2024-01-01", "2024-04-01"
    ours = f"""SELECT hvfhs_license_num, expected_buckets, covered_buckets, missing_buckets
               FROM tstable_coverage('{root}', start := '{start}', until := '{until}')"""
    anti_join = f"""
        WITH present AS MATERIALIZED (
            SELECT DISTINCT hvfhs_license_num, time_bucket(INTERVAL 1 HOUR, pickup_datetime) AS hour FROM {parquet(b.days)}
            WHERE {between(start, until)}
        ), grid AS (
            SELECT hvfhs_license_num, hour FROM (SELECT DISTINCT hvfhs_license_num FROM present),
                   unnest(generate_series(TIMESTAMP '{start}', TIMESTAMP '{until}' - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) t(hour)
        ), missing AS (
            SELECT hvfhs_license_num, count(*) AS missing FROM grid ANTI JOIN present USING (hvfhs_license_num, hour) GROUP BY ALL
        )
        SELECT hvfhs_license_num, count(*), count(*) - coalesce(any_value(missing), 0), coalesce(any_value(missing), 0)
        FROM grid LEFT JOIN missing USING (hvfhs_license_num) GROUP BY ALL"""
    yield Case("coverage of a quarter", b.sql("tstable", ours), b.sql("SQL anti-join", anti_join), 0.01)


MINUTES, MANY, FEW = 365 * 1_440, 5_000, 50


def minutes_of_many_entities(b: Bench):
    """Coverage and gaps of 5,000 entities with a year of 1-minute buckets and 0.1 % holes: 2.6 billion rows. SQL reads the
    rows of one in a hundred of them, and its time is taken a hundred times; its answer must be ours for those."""
    root, file = TABLES / "minutes", DATA / "minutes.parquet"
    if not root.exists():
        # With the whole workspace, so that the features of dependencies are those of the extension and nothing is built twice.
        subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--example", "coverage_table"], cwd=REPOSITORY, check=True)
        program = REPOSITORY / "target" / "release" / "examples" / "coverage_table"
        subprocess.run([program, str(root), str(MANY), str(MINUTES)], check=True)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(f"the bitmaps and log of {MANY} entities take {size / 1e6:.1f} MB (at most 40)")
    if not file.exists():
        b.con.execute(f"""
            COPY (SELECT e AS entity, TIMESTAMP '2024-01-01' + INTERVAL 1 MINUTE * m AS ts FROM range({FEW}) a(e), range({MINUTES}) b(m)
                  WHERE ((m * 48271 + e * 69621 + 12345) % 2147483647 * 16807 % 2147483647) % 1000 <> 0) TO '{file}'""")
    rows = f"SELECT DISTINCT entity, time_bucket(INTERVAL 1 MINUTE, ts) AS bucket FROM '{file}'"
    ours = f"""SELECT entity, expected_buckets, covered_buckets, gaps, max_gap_buckets FROM tstable_coverage('{root}')"""
    theirs = f"""
        WITH b AS ({rows}), g AS (
            SELECT entity, bucket, date_diff('minute', lag(bucket) OVER (PARTITION BY entity ORDER BY bucket), bucket) - 1 AS gap FROM b
        )
        SELECT entity, date_diff('minute', min(bucket), max(bucket)) + 1, count(*), count(*) FILTER (gap > 0), coalesce(max(gap), 0)
        FROM g GROUP BY ALL"""
    yield scaled(b, "coverage of 5,000 entities by the minute", ours, theirs)
    ours = f"SELECT entity, count(*), sum(buckets), min(gap_start), max(gap_end) FROM tstable_gaps('{root}') GROUP BY ALL"
    theirs = f"""
        WITH b AS ({rows}), g AS (
            SELECT entity, lag(bucket) OVER (PARTITION BY entity ORDER BY bucket) + INTERVAL 1 MINUTE AS gap_start, bucket AS gap_end FROM b
        )
        SELECT entity, count(*), sum(date_diff('minute', gap_start, gap_end)), min(gap_start), max(gap_end)
        FROM g WHERE gap_end > gap_start GROUP BY ALL"""
    yield scaled(b, "gaps of 5,000 entities by the minute", ours, theirs)


def scaled(b: Bench, name: str, ours: str, theirs: str) -> Case:
    """A comparison in which SQL works on one entity in a hundred."""

    def few(rows: list[tuple]) -> list[tuple]:
        return [row for row in rows if row[0] < FEW]

    def run_ours() -> tuple[list, float]:
        started = time.perf_counter()
        rows = b.con.execute(ours).fetchall()
        return few(rows), time.perf_counter() - started

    def run_theirs() -> tuple[list, float]:
        started = time.perf_counter()
        rows = b.con.execute(theirs).fetchall()
        return rows, (time.perf_counter() - started) * (MANY // FEW)

    return Case(name, Side("tstable", run_ours), Side("SQL over rows", run_theirs), 0.005, rounds=5)


def week_rows(b: Bench):
    query = "SELECT * FROM {} WHERE " + IN_WEEK
    ours = query.format(scan(b.trips()))
    yield Case("week SELECT * to Arrow", b.arrow("tstable", ours), b.arrow("read_parquet", query.format(week(b))), 1.15)


def week_aggregates(b: Bench):
    for name, query in AGGREGATES.items():
        yield b.both(f"week {name}, WHERE", 1.10, query, scan(b.trips()), week(b), where=IN_WEEK)


def week_aggregates_by_range(b: Bench):
    """The range given as arguments, or by single comparisons: no filter is left to check row by row."""
    arguments = f", start := '{WEEK_START}', until := '{WEEK_END}'"
    for name, query in AGGREGATES.items():
        target = 1.0 if name == "hourly buckets" else 0.5
        yield b.both(f"week {name}, start and until", target, query, scan(b.trips(), arguments), week(b), where=("true", IN_WEEK))
    since = f"pickup_datetime >= TIMESTAMP '{WEEK_START}'"
    rest = parquet(b.days[WEEK_DAYS.start :])
    for name, query in AGGREGATES.items():
        target = 1.0 if name == "hourly buckets" else 0.5
        yield b.both(f"since a day: {name}", target, query, scan(b.trips()), rest, where=since)
        yield b.both(f"since a day, by path: {name}", target, query, f"'{b.trips()}'", rest, where=since)
    for source in (scan(b.trips()), f"'{b.trips()}'"):
        form = "by path" if source.startswith("'") else "by call"
        yield b.both(f"count(*) since a day, {form}", 1.0, "SELECT count(*) FROM {source} WHERE {where}", source, rest, where=since)


def five_minutes(b: Bench):
    query = "SELECT count(*), sum(trip_miles) FROM {source} WHERE " + between(FIVE_START, FIVE_END)
    yield b.both("5 minutes", 1.0, query, scan(b.trips()), parquet([b.days[FIVE_DAY]]))


def full_scans(b: Bench):
    root, every = b.trips(), parquet(b.days)
    yield b.both("full count and sum", 1.10, "SELECT count(*), sum(trip_miles) FROM {source}", scan(root), every)
    yield b.both("full group by VARCHAR", 2.0, BY_TEXT, scan(root), every)
    yield b.both("full count(*)", 1.0, "SELECT count(*) FROM {source}", scan(root), every)
    first_and_last = "SELECT hvfhs_license_num, min(pickup_datetime), max(pickup_datetime) FROM {source} GROUP BY ALL"
    yield b.both("full min and max per entity", 1.1, first_and_last, scan(root), every)


def latest(b: Bench):
    query = "SELECT pickup_datetime, trip_miles FROM {source} ORDER BY pickup_datetime DESC LIMIT 10"
    # The ten newest times are unique in order only as times: compare those.
    times = "SELECT pickup_datetime FROM ({}) t".format(query)
    yield b.both("latest 10 rows", 1.0, times, scan(b.trips()), parquet(b.days))
    yield b.both("latest 10 rows, by path", 1.0, times, f"'{b.trips()}'", parquet(b.days))
    if "tstable_latest" in b.functions:
        newest = f"SELECT hvfhs_license_num, pickup_datetime FROM tstable_latest('{b.trips()}', n := 10)"
        by_rows = f"""SELECT hvfhs_license_num, pickup_datetime FROM {parquet(b.days)}
                      QUALIFY row_number() OVER (PARTITION BY hvfhs_license_num ORDER BY pickup_datetime DESC) <= 10"""
        yield Case("tstable_latest, 10 an entity", b.sql("tstable", newest), b.sql("read_parquet", by_rows), 0.1)


def sorted_segments(b: Bench):
    """Segments rewritten by entity; both sides read those files."""
    root = b.sorted_trips()
    every = f"read_parquet('{root}/data/**/*.parquet')"
    yield b.both("group by VARCHAR, sorted by it", 0.9, BY_TEXT, scan(root), every)
    one = "SELECT count(*), sum(trip_miles) FROM {source} WHERE dispatching_base_num = '" + ENTITY + "'"
    yield b.both("one entity of 800, sorted by it", 0.5, one, scan(root), every)
    some = one.replace(f"= '{ENTITY}'", f"IN ('{ENTITY}', 'B00013', 'B00256')")
    for name, query in (("one entity", one), ("three entities", some), ("count(*) of one entity", one.replace(", sum(trip_miles)", ""))):
        yield b.both(f"{name} of 800, sorted by it, by path", 0.5, query, f"'{root}'", every)
        yield b.both(f"{name} of 800, mixed, by path", 0.7, query, f"'{b.trips()}'", parquet(b.days))


def quotes(b: Bench, name: str, count: int) -> str:
    """A table of the first so many small files, each of which is one bucket of every symbol."""
    return b.table(name, "ts", [str(path) for path in small_files()[:count]], "symbol", bucket="15m")


def small_segments(b: Bench):
    """10,000 segments of 2,000 rows: five minutes out of 104 days."""
    root = quotes(b, "quotes", SMALL_FILES)
    query = "SELECT count(*), sum(price) FROM {source} WHERE ts >= TIMESTAMP '2024-02-14 12:00' AND ts < TIMESTAMP '2024-02-14 12:05'"
    yield b.both("5 minutes of 10,000 small segments", 0.05, query, scan(root), f"read_parquet('{DATA}/small/*/*.parquet')")


def compaction(b: Bench):
    """2,000 segments of 2,000 rows, and the same rows compacted: the ratio is what compacting leaves of each query's time."""
    before, after = quotes(b, "fragmented", 2_000), quotes(b, "compacted", 2_000)
    report = b.con.execute(f"FROM tstable_compact('{after}')").fetchone()
    print(f"compacting made {report[2]} segments of {report[1]}")
    two_days = "ts >= TIMESTAMP '2024-01-09 06:00' AND ts < TIMESTAMP '2024-01-11 06:00'"
    queries = {
        "two days": f"SELECT count(*), sum(price) FROM {{source}} WHERE {two_days}",
        "5 minutes": "SELECT count(*), sum(price) FROM {source} WHERE ts >= TIMESTAMP '2024-01-10 12:00' AND ts < TIMESTAMP '2024-01-10 12:05'",
        "all": "SELECT count(*), sum(price), sum(size) FROM {source}",
        "one symbol": "SELECT count(*), sum(price) FROM {source} WHERE symbol = 'S7'",
        "one symbol, two days": f"SELECT count(*), sum(price) FROM {{source}} WHERE symbol = 'S7' AND {two_days}",
        "group by symbol": "SELECT symbol, count(*), avg(price) FROM {source} GROUP BY ALL",
        "count(*)": "SELECT count(*) FROM {source}",
    }
    for name, query in queries.items():
        case = b.both(f"compacted: {name}", 1.0, query, scan(after), scan(before))
        case.ours.name, case.theirs.name = "compacted", "2,000 segments"
        yield case


def against_ancestor(b: Bench):
    """The same queries against the ancestor's own SQL engine."""
    b.ancestor_trips()
    root = b.trips()

    def case(name: str, query: str, theirs: str | None = None) -> Case:
        texts = [query.format(source=scan(root)), (theirs or query).format(source="trips")]
        return Case(f"{name}, ancestor", counted(b.con, texts[0]), b.theirs(texts[1], count_only=True), 1.0)

    yield Case(
        "week SELECT * to Arrow, ancestor",
        b.arrow("tstable", f"SELECT * FROM {scan(root)} WHERE {IN_WEEK}"),
        b.theirs(f"SELECT * FROM trips WHERE {IN_WEEK}", count_only=True),
        1.0,
    )
    for name, query in AGGREGATES.items():
        text = query.replace("{where}", IN_WEEK).replace("GROUP BY ALL", "GROUP BY 1")
        theirs = text.replace("time_bucket(INTERVAL 1 HOUR, pickup_datetime)", "date_trunc('hour', pickup_datetime)")
        yield case(f"week {name}", text, theirs)
    yield case("5 minutes", "SELECT count(*), sum(trip_miles) FROM {source} WHERE " + between(FIVE_START, FIVE_END))
    yield case("full count and sum", "SELECT count(*), sum(trip_miles) FROM {source}")
    yield case("full group by VARCHAR", BY_TEXT.replace("GROUP BY ALL", "GROUP BY 1"))
    yield case("latest 10 rows", "SELECT pickup_datetime, trip_miles FROM {source} ORDER BY pickup_datetime DESC LIMIT 10")


def counted(con: duckdb.DuckDBPyConnection, query: str) -> Side:
    return Side("tstable", lambda: (len(con.execute(query).fetchall()), None))


CASES = [
    append_daily_files, coverage, minutes_of_many_entities, week_rows, week_aggregates, week_aggregates_by_range, five_minutes, full_scans, latest,
    sorted_segments, small_segments, compaction, against_ancestor,
]  # fmt: skip


COLD_OPEN_MS = 100


def cold_open(root: str) -> str:
    """How long the first question to a table takes in a process that has just loaded the extension: one that opens it, and one that
    needs the coverage of all segments too."""
    program = f"""
import duckdb, sys, time
con = duckdb.connect(config={{"allow_unsigned_extensions": "true"}})
con.execute("LOAD '{EXTENSION}'")
started = time.perf_counter()
con.execute(sys.argv[1]).fetchall()
print((time.perf_counter() - started) * 1000, con.execute("SELECT segments FROM tstable_info('{root}')").fetchone()[0])
"""

    def median(query: str) -> float:
        command = [sys.executable, "-c", program, query]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-2:] for _ in range(5)]
        if int(runs[0][1]) != SMALL_FILES:
            raise RuntimeError(f"the table has {runs[0][1]} segments")
        return statistics.median(float(run[0]) for run in runs)

    opened = median(f"FROM tstable_scan('{root}') LIMIT 0")
    verdict = "met" if opened <= COLD_OPEN_MS else "MISSED"
    line = f"opening a table of {SMALL_FILES:,} segments cold: {opened:.0f} ms (at most {COLD_OPEN_MS}: {verdict})"
    informed = median(f"SELECT segments FROM tstable_info('{root}')")
    return f"{line}, with its coverage (tstable_info): {informed:.0f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the extension with what one would use instead.")
    parser.add_argument("names", nargs="*", help="parts of the names of the case functions; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep-tables", action="store_true")
    options = parser.parse_args()
    chosen = [cases for cases in CASES if not options.names or any(name in cases.__name__ for name in options.names)]
    if not chosen:
        print(f"no case matches; there are {', '.join(cases.__name__ for cases in CASES)}")
        return 1
    b = Bench(options.keep_tables)
    results: list[Result] = []
    for cases in chosen:
        results += measured(cases, b, options.rounds)
    b.ancestor.close()
    print(table([result.row() for result in results], ["case", "tstable ms", "against", "ms", "ratio", "at most", "target"], (0, 2)))
    if full_scans in chosen:
        print(f"\n{scan_memory(str(EXTENSION), scan(b.trips()), parquet(b.days), THREADS)}")
    if small_segments in chosen and (TABLES / "quotes").exists():
        print(f"\n{cold_open(str(TABLES / 'quotes'))}")
    save(results)
    return 1 if any(result.problem for result in results) else 0


def measured(cases, b: Bench, rounds: int) -> list[Result]:
    """The results of one function's cases; what fails in preparing them is a result too."""
    results = []
    try:
        for case in cases(b):
            print(f"  {case.name} ...", file=sys.stderr, flush=True)
            results.append(measure(case, rounds))
    except Exception as error:  # noqa: BLE001 - the other cases go on
        nothing = Side("", lambda: (None, None))
        problem = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        results.append(Result(Case(cases.__name__, nothing, nothing, None), problem=problem))
    return results


def save(results: list[Result]) -> None:
    rows = [
        {"case": r.case.name, "against": r.case.theirs.name, "target": r.case.target, "problem": r.problem, "ours_ms": r.ours_ms, "theirs_ms": r.theirs_ms}
        for r in results
    ]
    (DATA / "results.json").write_text(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%S"), "cases": rows}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
