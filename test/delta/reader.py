"""Reads versions of a Delta table with one engine and writes their rows as Parquet: what the test of engines runs in each one's own
environment.

    python reader.py ENGINE TABLE FIRST LAST OUT     writes OUT/<version>.parquet for each version
    python reader.py ENGINE TABLE --since TS OUT     writes OUT/since.parquet, the rows of the newest version from TS on
    python reader.py ENGINE TABLE --entity S OUT       writes OUT/entity.parquet, its rows of the symbol S
"""

import glob
import os
import sys

import pyarrow
import pyarrow.parquet as pq

COLUMNS = ["ts", "symbol", "close", "volume", "tiny", "price", "day", "seen", "flag"]


def daft(table):
    import daft

    def read(version, since=None, entity=None):
        frame = daft.read_deltalake(table, version=version)
        if since:
            import datetime

            frame = frame.where(daft.col("ts") >= daft.lit(datetime.datetime.fromisoformat(since)))
        if entity:
            frame = frame.where(daft.col("symbol") == entity)
        return frame.select(*COLUMNS).to_arrow()

    return read


def chdb(table):
    from chdb import session

    here = session.Session()

    def read(version, since=None, entity=None):
        settings = "" if version is None else f"SETTINGS delta_lake_snapshot_version = {version}"
        where = f"WHERE ts >= toDateTime64('{since}', 6, 'UTC')" if since else f"WHERE symbol = '{entity}'" if entity else ""
        query = f"SELECT {', '.join(COLUMNS)} FROM deltaLakeLocal('{table}') {where} {settings}"
        return pyarrow.ipc.open_file(here.query(query, "Arrow").bytes()).read_all()

    return read


def duckdb(table):
    import duckdb

    con = duckdb.connect()
    [extension] = glob.glob(f"{sys.prefix}/lib/python*/site-packages/duckdb_extension_delta/**/delta.duckdb_extension", recursive=True)
    con.execute(f"LOAD '{extension}'")

    def read(version, since=None, entity=None):
        at = "" if version is None else f", version := {version}"
        where = f"WHERE ts >= TIMESTAMP '{since}'" if since else f"WHERE symbol = '{entity}'" if entity else ""
        return con.execute(f"SELECT {', '.join(COLUMNS)} FROM delta_scan('{table}'{at}) {where}").to_arrow_table()

    return read


def sail(table):
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")

    def read(version, since=None, entity=None):
        reader = spark.read.format("delta")
        frame = (reader if version is None else reader.option("versionAsOf", version)).load(table)
        if since:
            frame = frame.where(f"ts >= TIMESTAMP_NTZ '{since}'")
        if entity:
            frame = frame.where(f"symbol = '{entity}'")
        return frame.select(*COLUMNS).toArrow()

    read.server = server
    return read


def main():
    engine, table, first, last, out = sys.argv[1:]
    read = {"daft": daft, "chdb": chdb, "duckdb": duckdb, "sail": sail}[engine](os.path.abspath(table))
    if first == "--since":
        pq.write_table(read(None, since=last), f"{out}/since.parquet")
    elif first == "--entity":
        pq.write_table(read(None, entity=last), f"{out}/entity.parquet")
    else:
        for version in range(int(first), int(last) + 1):
            pq.write_table(read(version), f"{out}/{version}.parquet")
    sys.stdout.flush()
    os._exit(0)  # some engines' threads outlive their work


if __name__ == "__main__":
    main()
