"""The table that all engines are asked about, the five questions in SQL, and DuckDB's own answers."""

import datetime
import os
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
EXTENSION = REPOSITORY / "build" / os.environ.get("PROFILE", "release") / "v2.0.0" / "tstable.duckdb_extension"

SYMBOLS = 100
FIRST_DAY = datetime.datetime(2024, 1, 1)
WEEK = (datetime.datetime(2024, 1, 8), datetime.datetime(2024, 1, 15))
IN_WEEK = f"ts >= TIMESTAMP '{WEEK[0]}' AND ts < TIMESTAMP '{WEEK[1]}'"

# In words that DuckDB and Spark share. Prices are whole cents, so that no sum depends on its order.
QUESTIONS = {
    "week": f"SELECT count(*) AS n, sum(size) AS size, min(price) AS low, max(price) AS high FROM prices WHERE {IN_WEEK}",
    "by entity": "SELECT symbol, count(*) AS n, sum(size) AS size, max(price) AS high FROM prices GROUP BY symbol",
    "hourly bars": "SELECT symbol, date_trunc('hour', ts) AS hour, min(price) AS low, max(price) AS high, sum(size) AS size "
    f"FROM prices WHERE {IN_WEEK} GROUP BY symbol, date_trunc('hour', ts)",
    "latest": "SELECT symbol, max(ts) AS ts, max_by(price, ts) AS price FROM prices GROUP BY symbol",
    "coverage": "SELECT symbol, CAST(ts AS DATE) AS day, count(DISTINCT date_trunc('hour', ts)) AS hours "
    "FROM prices GROUP BY symbol, CAST(ts AS DATE)",
}
# Which of them are about the week alone.
OF_THE_WEEK = {"week", "hourly bars"}


def connect():
    con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1})
    con.execute(f"LOAD '{EXTENSION}'")
    return con


def make(directory, segments, rows):
    """A table of a segment a day, with a gap in it, exported as Delta; its root."""
    con, root = connect(), f"{directory}/prices"
    con.execute("CALL tstable_create(?, time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])", [root])
    con.execute("CALL tstable_set(?, 'tstable.delta', 'true')", [root])
    day_rows = rows // segments
    for day in range(segments):
        file = f"{directory}/day-{day:04}.parquet"
        con.execute(
            f"""COPY (SELECT TIMESTAMP '{FIRST_DAY}' + INTERVAL ({day}) DAY + to_microseconds(i * (86400000000 // {day_rows})) AS ts,
                     'S' || lpad((hash(i + {day}) % {SYMBOLS})::VARCHAR, 3, '0') AS symbol,
                     (10000 + (i * 7919 + {day}) % 5000)::BIGINT AS price, (1 + i % 900)::BIGINT AS size
              FROM range({day_rows}) t(i) WHERE NOT ({day} % 7 = 3 AND i BETWEEN {day_rows} // 3 AND {day_rows} // 2)
              ORDER BY symbol, ts) TO '{file}'"""
        )
        con.execute("CALL tstable_append(?, ?, mode := 'move')", [root, file])
    return root


def normal(rows):
    """Rows of any engine as sorted tuples of plain Python values, times without zone."""

    def plain(value):
        if hasattr(value, "to_pydatetime"):
            value = value.to_pydatetime()
        if hasattr(value, "item"):
            value = value.item()
        if isinstance(value, datetime.datetime):
            return value.replace(tzinfo=None).isoformat()
        return value.isoformat() if isinstance(value, datetime.date) else value

    return sorted(tuple(plain(value) for value in row) for row in rows)


def own_answers(root):
    """DuckDB's answers over the segments' files by read_parquet, which tstable has no part in."""
    con = connect()
    files = [f"{root}/{path}" for (path,) in con.execute("SELECT path FROM tstable_segments(?)", [root]).fetchall()]
    con.execute(f"CREATE VIEW prices AS FROM read_parquet({files})")
    return {name: normal(con.execute(sql).fetchall()) for name, sql in QUESTIONS.items()}


def kept_files(root, question):
    """The files that the question needs, as any engine that reads Parquet takes them: what `tstable.segments` of the Python package gives."""
    start, until = WEEK if question in OF_THE_WEEK else (None, None)
    found = connect().execute(
        "SELECT path FROM tstable_plan($root, start := $start, until := $until) JOIN tstable_segments($root) USING (segment) WHERE kept",
        {"root": root, "start": start, "until": until},
    )
    return [f"{root}/{path}" for (path,) in found.fetchall()]


# How the questions are answered by DuckDB in every worker: by what the table is shared out, and how the parts' rows are merged. Buckets and
# entities are never cut, so most need no merging.
SHARED_BY = {"week": "time", "by entity": "entity", "hourly bars": "time", "latest": "entity", "coverage": "time"}


def merged(question, parts):
    rows = [row for part in parts for row in part]
    if question == "week":
        counts, sizes, lows, highs = zip(*rows, strict=True)
        return [(sum(counts), sum(sizes), min(lows), max(highs))]
    if question == "coverage":
        hours = {}
        for symbol, day, number in rows:
            hours[symbol, day] = hours.get((symbol, day), 0) + number
        return [(*key, number) for key, number in hours.items()]
    return rows


def shares(root, question, workers):
    """Equal parts of what the question is about, all of one version: what each worker is sent."""
    start, until = WEEK if question in OF_THE_WEEK else (None, None)
    con = connect()
    return con.execute(
        "SELECT start, until, entities, version FROM tstable_shares(?, ?, by := ?, start := ?, until := ?)",
        [root, workers, SHARED_BY[question], start, until],
    ).fetchall()


def answer_share(root, question, share):
    """What a worker does: its part of the table is a view, the question is the same."""
    con = connect()
    start, until, entities, version = share
    literal = lambda value: "NULL" if value is None else f"TIMESTAMP '{value}'"  # noqa: E731
    con.execute(
        f"CREATE VIEW prices AS FROM tstable_scan('{root}', start := {literal(start)}, until := {literal(until)}, "
        f"entity := {entities if entities else 'NULL'}, version := {version})"
    )
    return con.execute(QUESTIONS[question]).fetchall()
