"""Makes the benchmark's data: daily files shaped like New York's ride-hail trips, and many small files of quotes.

Every value is a function of the row's number, so that the files are the same wherever they are made. Files that are there
already are kept; each is written under another name and renamed, so an interrupted run can be repeated."""

import argparse
import os
import time
from pathlib import Path

import duckdb

DATA = Path(__file__).resolve().parent.parent / "build" / "bench"
DAYS, ROWS_PER_DAY = 91, 250_000
SMALL_FILES, ROWS_PER_SMALL_FILE = 10_000, 2_000
FIRST_DAY = "2024-01-01"

# Pickups follow the day's rhythm, in order but for two minutes' jitter, as records reach an archive. `u` is a number from
# 0 to 1 for each row and purpose.
TRIPS = """
WITH numbered AS (
    SELECT i, hash(i) AS h, hash(i + 1000000007) AS g, (i - {first}) / {rows} AS part
    FROM range({first}, {first} + {rows}) t(i)
), timed AS (
    SELECT *, DATE '{first_day}' + {day} AS day,
           greatest(0, least(86399, (86400 * (part + 0.08 * sin(2 * pi() * part)))::INTEGER + (h % 241)::INTEGER - 120)) AS second,
           60 + (g % 1200)::INTEGER + (g // 4096 % 1200)::INTEGER AS trip_time,
           ((h // 65536) % 10000) / 10000 AS u, ((g // 65536) % 10000) / 10000 AS v
    FROM numbered
), priced AS (
    SELECT *, day + INTERVAL 1 SECOND * second AS pickup, round(trip_time / 3600 * (8 + 18 * u), 2) AS trip_miles,
           round(3 + trip_time / 60 * 0.55 + trip_time / 3600 * 25 * u, 2) AS fare
    FROM timed
)
SELECT CASE WHEN u < 0.72 THEN 'HV0003' WHEN u < 0.99 THEN 'HV0005' ELSE 'HV0004' END AS hvfhs_license_num,
       'B' || lpad((h % 1009 * (g % 7 + 1) % 800 + 2000)::VARCHAR, 5, '0') AS dispatching_base_num,
       CASE WHEN u < 0.72 THEN 'B' || lpad((g % 800 + 2000)::VARCHAR, 5, '0') END AS originating_base_num,
       pickup - INTERVAL 1 SECOND * (120 + h % 600)::INTEGER AS request_datetime,
       CASE WHEN u < 0.72 THEN pickup - INTERVAL 1 SECOND * (h % 120)::INTEGER END AS on_scene_datetime,
       pickup AS pickup_datetime,
       pickup + INTERVAL 1 SECOND * trip_time AS dropoff_datetime,
       (1 + h % 263)::INTEGER AS "PULocationID",
       (1 + g % 263)::INTEGER AS "DOLocationID",
       trip_miles, trip_time::BIGINT AS trip_time, fare AS base_passenger_fare,
       CASE WHEN v < 0.06 THEN 6.94 ELSE 0.0 END::DOUBLE AS tolls,
       round(fare * 0.0275, 2) AS bcf, round(fare * 0.08875, 2) AS sales_tax,
       CASE WHEN v < 0.4 THEN 2.75 ELSE 0.0 END::DOUBLE AS congestion_surcharge,
       CASE WHEN v > 0.93 THEN 2.5 ELSE 0.0 END::DOUBLE AS airport_fee,
       CASE WHEN v < 0.18 THEN round(fare * 0.2, 2) ELSE 0 END::DOUBLE AS tips,
       round(fare * (0.7 + 0.1 * v), 2) AS driver_pay,
       CASE WHEN g % 50 = 0 THEN 'Y' ELSE 'N' END AS shared_request_flag,
       CASE WHEN g % 150 = 0 THEN 'Y' ELSE 'N' END AS shared_match_flag,
       CASE WHEN u < 0.72 THEN ' ' ELSE 'N' END AS access_a_ride_flag,
       CASE WHEN h % 700 = 0 THEN 'Y' ELSE 'N' END AS wav_request_flag,
       CASE WHEN h % 12 = 0 THEN 'Y' ELSE 'N' END AS wav_match_flag
FROM priced ORDER BY i
"""

# A quarter of an hour each, one after the other.
QUOTES = """
SELECT TIMESTAMP '{first_day}' + INTERVAL 450 MILLISECOND * i AS ts, 'S' || hash(i) % 20 AS symbol,
       100 + (hash(i) % 1000) / 100 AS price, (hash(i + 7) % 500)::INTEGER AS size
FROM range({first}, {first} + {rows}) t(i)
"""


def trips(day: int) -> str:
    return TRIPS.format(first=day * ROWS_PER_DAY, rows=ROWS_PER_DAY, day=day, first_day=FIRST_DAY)


def quotes(number: int) -> str:
    return QUOTES.format(first=number * ROWS_PER_SMALL_FILE, rows=ROWS_PER_SMALL_FILE, first_day=FIRST_DAY)


def daily_files() -> list[Path]:
    return [DATA / "daily" / f"trips-{day:03}.parquet" for day in range(DAYS)]


def small_files() -> list[Path]:
    return [DATA / "small" / f"{number // 1000:02}" / f"quotes-{number:05}.parquet" for number in range(SMALL_FILES)]


def write(con: duckdb.DuckDBPyConnection, path: Path, query: str) -> bool:
    """Writes one file unless it is there; whether it was written."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    con.execute(f"COPY ({query}) TO '{unfinished}' (FORMAT parquet, COMPRESSION zstd)")
    unfinished.rename(path)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the benchmark's data.")
    parser.add_argument("--days", type=int, default=DAYS, help="stop after so many daily files")
    parser.add_argument("--small", type=int, default=SMALL_FILES, help="stop after so many small files")
    options = parser.parse_args()
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    started = time.perf_counter()
    daily = sum(write(con, path, trips(day)) for day, path in enumerate(daily_files()[: options.days]))
    small = sum(write(con, path, quotes(number)) for number, path in enumerate(small_files()[: options.small]))
    print(f"{daily} daily and {small} small files written to {DATA} in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
