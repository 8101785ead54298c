"""Serves one other program to the benchmark of peers: `python peer.py NAME`, in an environment of that program's own. A JSON request
a line, a JSON reply a line, timed in here. Each peer holds the rows as its own documents advise, and keeps what it opened."""

import importlib.metadata
import json
import shutil
import sys
import time
from pathlib import Path

WEEK = ("2024-02-12 00:00:00", "2024-02-19 00:00:00")
FIVE = ("2024-02-14 12:00:00", "2024-02-14 12:05:00")
BETWEEN = "pickup_datetime >= TIMESTAMP '{0}' AND pickup_datetime < TIMESTAMP '{1}'"
IN_WEEK, IN_FIVE = BETWEEN.format(*WEEK), BETWEEN.format(*FIVE)
# In the SQL that all of them understand; `{t}` is the table.
QUESTIONS = {
    "week: count and sum": f"SELECT count(*), sum(trip_miles) FROM {{t}} WHERE {IN_WEEK}",
    "week: filtered": f"SELECT count(*), avg(tips) FROM {{t}} WHERE {IN_WEEK} AND trip_miles > 5",
    "week: group by integer": f'SELECT "PULocationID", count(*), sum(driver_pay) FROM {{t}} WHERE {IN_WEEK} GROUP BY "PULocationID"',
    "5 minutes": f"SELECT count(*), sum(trip_miles) FROM {{t}} WHERE {IN_FIVE}",
    "all: count and sum": "SELECT count(*), sum(trip_miles) FROM {t}",
    "all: group by text": "SELECT dispatching_base_num, count(*), sum(trip_miles) FROM {t} GROUP BY dispatching_base_num",
    "newest 10": "SELECT pickup_datetime FROM {t} ORDER BY pickup_datetime DESC LIMIT 10",
}


class Native:
    """A table of DuckDB's own, or one in DuckLake."""

    def load(self, root: Path, files: list[str], name: str) -> None:
        import duckdb

        self.con = duckdb.connect(str(root / "native.db") if name == "native" else ":memory:", config={"threads": 2})
        if name == "ducklake":
            self.con.execute("INSTALL ducklake; LOAD ducklake")
            self.con.execute(f"ATTACH 'ducklake:{root}/lake.db' AS lake (DATA_PATH '{root}/lake')")
            self.con.execute("USE lake")
        self.con.execute(f"CREATE TABLE trips AS FROM read_parquet({files})")

    def ask(self, question: str) -> list:
        return self.con.execute(QUESTIONS[question].format(t="trips")).fetchall()


class Delta:
    """delta-rs, with the query engine that it carries; the files are adopted as they are."""

    def load(self, root: Path, files: list[str], name: str) -> None:
        import deltalake

        for file in files:
            (root / Path(file).name).hardlink_to(file)
        deltalake.convert_to_deltalake(str(root))
        self.builder = deltalake.QueryBuilder().register("trips", deltalake.DeltaTable(str(root)))

    def ask(self, question: str) -> list:
        rows = self.builder.execute(QUESTIONS[question].format(t="trips")).read_all()
        return [[column[at].as_py() for column in rows.columns] for at in range(rows.num_rows)]


class ClickHouse:
    """chdb, over the files."""

    def load(self, root: Path, files: list[str], name: str) -> None:
        from chdb import session

        for file in files:
            (root / Path(file).name).hardlink_to(file)
        self.session = session.Session()
        self.table = f"file('{root}/*.parquet', Parquet)"
        self.session.query("SET max_threads = 2")

    def ask(self, question: str) -> list:
        sql = QUESTIONS[question].format(t=self.table).replace("TIMESTAMP '", "toDateTime64('").replace(":00'", ":00', 6, 'UTC')")
        return [json.loads(line) for line in str(self.session.query(sql, "JSONCompactEachRow")).splitlines()]


class Arctic:
    """ArcticDB on a local disk, a day a write; what it has no query for is computed with pandas from the columns that it reads."""

    def load(self, root: Path, files: list[str], name: str) -> None:
        import arcticdb
        import pandas

        self.library = arcticdb.Arctic(f"lmdb://{root}").get_library("trips", create_if_missing=True)
        for file in files:
            frame = pandas.read_parquet(file).sort_values("pickup_datetime").set_index("pickup_datetime")
            # Text with NULLs has no column there.
            self.library.append("trips", frame.drop(columns=["originating_base_num", "on_scene_datetime"]))

    def ask(self, question: str) -> list:
        import pandas

        week, five = (tuple(map(pandas.Timestamp, ends)) for ends in (WEEK, FIVE))

        def read(*columns: str, ends: tuple | None = None):
            return self.library.read("trips", columns=list(columns), date_range=ends and (ends[0], ends[1] - pandas.Timedelta(1, "us"))).data

        match question:
            case "week: count and sum" | "5 minutes" | "all: count and sum":
                frame = read("trip_miles", ends={"w": week, "5": five, "a": None}[question[0]])
                return [[len(frame), float(frame.trip_miles.sum())]]
            case "week: filtered":
                frame = read("tips", "trip_miles", ends=week)
                frame = frame[frame.trip_miles > 5]
                return [[len(frame), float(frame.tips.mean())]]
            case "week: group by integer":
                groups = read("PULocationID", "driver_pay", ends=week).groupby("PULocationID").driver_pay
                return [[int(key), int(count), float(total)] for key, count, total in groups.agg(["count", "sum"]).itertuples()]
            case "all: group by text":
                groups = read("dispatching_base_num", "trip_miles").groupby("dispatching_base_num").trip_miles
                return [[key, int(count), float(total)] for key, count, total in groups.agg(["count", "sum"]).itertuples()]
            case _:
                return [[str(at)] for at in self.library.tail("trips", 10, columns=["trip_miles"]).data.index]


class Ancestor:
    """timeseries-table-format, in its newest version, which takes one row a bucket."""

    def load(self, root: Path, files: list[str], name: str) -> None:
        import pyarrow.parquet
        import timeseries_table_format as ttf

        created = ttf.TimeSeriesTable.create(table_root=str(root / "t"), index_column="pickup_datetime", index_type="timestamp", index_granularity="1s")
        for file in files:
            created.append(pyarrow.parquet.read_table(file).sort_by("pickup_datetime"))
        self.session = ttf.Session()
        self.session.register_tstable("trips", str(root / "t"))

    def ask(self, question: str) -> list:
        return [list(row.values()) for row in self.session.sql(QUESTIONS[question].format(t="trips")).to_pylist()]


# The class of each peer, and the package whose version counts.
PEERS = {
    "native": (Native, "duckdb"),
    "ducklake": (Native, "duckdb"),
    "delta-rs": (Delta, "deltalake"),
    "chdb": (ClickHouse, "chdb"),
    "arcticdb": (Arctic, "arcticdb"),
    "ttf": (Ancestor, "timeseries-table-format"),
}


def main() -> None:
    name = sys.argv[1]
    peer, package = PEERS[name][0](), PEERS[name][1]
    for line in sys.stdin:
        request = json.loads(line)
        try:
            started = time.perf_counter()
            if request["do"] == "load":
                shutil.rmtree(request["root"], ignore_errors=True)
                Path(request["root"]).mkdir(parents=True)
                peer.load(Path(request["root"]), request["files"], name)
                answer = importlib.metadata.version(package)
            else:
                answer = peer.ask(request["question"])
            reply = {"answer": answer, "seconds": time.perf_counter() - started}
        except Exception as error:  # noqa: BLE001 - the benchmark reports it
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main()
