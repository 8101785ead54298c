"""tstable_fill against pandas: resample().last() for what is observed, merge_asof for what is carried, interpolate for lines. Each
case is one entity and column of one call, all of its cells compared: values and where they came from."""

import random

import pandas as pd
import pyarrow as pa

from harness import Comparison, Tables

TABLES, CALLS = 60, 10
EVERY = ["7m", "15m", "1h", "6h", "1d"]
FREQUENCY = {"7m": "7min", "15m": "15min", "1h": "1h", "6h": "6h", "1d": "1D"}
# Where DuckDB's and the extension's grids are aligned.
ORIGIN = pd.Timestamp("2000-01-03")
FIRST = pd.Timestamp("2024-03-01")


def drawn_rows(random_: random.Random) -> pd.DataFrame:
    """Rows of some entities in ten days, with NULLs in runs, in order of time."""
    frames = []
    for entity in random_.sample(["A", "B", "C", "D"], random_.randrange(1, 4)):
        seconds = sorted(random_.sample(range(10 * 86_400), random_.choice([1, 5, 60, 400])))
        present = random_.random()
        value = [random_.randrange(-1_000, 1_000) / 8 if random_.random() < present else None for _ in seconds]
        count = [random_.randrange(1_000) if random_.random() < 0.7 else None for _ in seconds]
        times = [FIRST + pd.Timedelta(seconds=second) for second in seconds]
        frames.append(pd.DataFrame({"ts": times, "entity": entity, "value": value, "count": pd.array(count, "Int64")}))
    return pd.concat(frames).sort_values(["ts", "entity"], kind="stable")


def parts(rows: pd.DataFrame, random_: random.Random) -> list[pa.Table]:
    """The rows cut at full hours."""
    cuts = sorted(FIRST + pd.Timedelta(hours=random_.randrange(240)) for _ in range(random_.randrange(3)))
    bounds = [FIRST, *cuts, FIRST + pd.Timedelta(days=11)]
    cut = [rows[(rows.ts >= a) & (rows.ts < b)] for a, b in zip(bounds, bounds[1:])]
    schema = pa.schema([("ts", pa.timestamp("us")), ("entity", pa.string()), ("value", pa.float64()), ("count", pa.int64())])
    return [pa.Table.from_pandas(part, schema=schema, preserve_index=False) for part in cut if len(part)]


def floor(time: pd.Timestamp, every: pd.Timedelta) -> pd.Timestamp:
    return ORIGIN + (time - ORIGIN) // every * every


def expected(rows: pd.DataFrame, column: str, method: str, every: pd.Timedelta, cells: pd.DatetimeIndex, max_age) -> list[tuple]:
    """Value and source of each cell."""
    observations = rows[rows[column].notna()][["ts", column]].astype({column: "float64"})
    observed = observations.groupby(observations.ts.map(lambda time: floor(time, every)))[column].last()
    own = observed.reindex(cells)
    if method == "locf":
        left = pd.DataFrame({"cell": cells}).astype({"cell": "datetime64[us]"})
        right = observations.astype({"ts": "datetime64[us]"})
        filled = pd.merge_asof(left, right, left_on="cell", right_on="ts", tolerance=max_age)[column]
        word = "carried"
    elif method == "linear":
        grid = observed.reindex(observed.index.union(cells))
        lines = grid.interpolate(method="time", limit_area="inside") if observed.size else grid
        at = pd.Series(grid.index, index=grid.index).where(grid.notna())
        if max_age is not None:
            lines = lines.where((at.bfill() - at.ffill()) <= max_age)
        filled, word = lines.reindex(cells), "interpolated"
    else:
        filled, word = pd.Series([0.0 if method == "zero" else None] * len(cells), dtype="float64"), "missing"
    result = []
    for mine, other in zip(own.to_list(), filled.to_list()):
        if pd.notna(mine):
            result.append((round(mine, 9), "observed"))
        elif pd.notna(other):
            result.append((round(other, 9), word))
        else:
            result.append((None, "missing"))
    return result


def compare_call(tables: Tables, comparison: Comparison, root, rows: pd.DataFrame, random_: random.Random) -> None:
    name = random_.choice(EVERY)
    every = pd.Timedelta(FREQUENCY[name])
    start = FIRST + pd.Timedelta(minutes=random_.randrange(-2 * 1440, 11 * 1440))
    until = start + pd.Timedelta(minutes=random_.randrange(1, 3 * 1440))
    max_age = random_.choice([None, None, pd.Timedelta(hours=random_.randrange(1, 100))])
    methods = {"value": random_.choice(["locf", "linear", "null", "zero"]), "count": random_.choice(["locf", "linear", "zero"])}
    age = "" if max_age is None else f", max_age := INTERVAL {int(max_age.total_seconds())} SECOND"
    call = f"tstable_fill('{root}', '{name}', TIMESTAMP '{start}', TIMESTAMP '{until}', columns := {methods}{age})"
    found = tables.con.execute(f'SELECT entity, bucket_start, value, value_source, "count"::DOUBLE AS count, count_source FROM {call}').fetch_df()
    cells = pd.date_range(floor(start, every), floor(until - pd.Timedelta(microseconds=1), every), freq=every)
    for entity, own in rows.groupby("entity"):
        mine = found[found.entity == entity]
        assert list(mine.bucket_start) == list(cells), f"the cells of {call} differ"
        for column, method in methods.items():
            values = [None if pd.isna(value) else round(value, 9) for value in mine[column]]
            shown = list(zip(values, mine[f"{column}_source"]))
            comparison.case(f"{column} of {entity} in {call}", shown, expected(own, column, method, every, cells, max_age))


def main() -> None:
    random_ = random.Random(7)
    comparison = Comparison("filled grids and pandas", 1_000)
    with Tables() as tables:
        for _ in range(TABLES):
            rows = drawn_rows(random_)
            root = tables.make(*parts(rows, random_), time_column="'ts'", bucket="'1h'", entity_columns="['entity']")
            for _ in range(CALLS):
                compare_call(tables, comparison, root, rows, random_)
        comparison.finish()


if __name__ == "__main__":
    main()
