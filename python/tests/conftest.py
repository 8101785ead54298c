"""A table of two days in an empty directory of its own, for each test."""

import os

import duckdb
import pytest

import tstable

DAY1 = """
    SELECT TIMESTAMP '2024-06-01' + INTERVAL 1 HOUR * h AS ts, symbol, 100.0::DOUBLE + h AS close
    FROM range(24) t(h), (VALUES ('NVDA'), ('AMD')) s(symbol)
"""
DAY2 = """
    SELECT TIMESTAMP '2024-06-02' + INTERVAL 1 HOUR * h AS ts, symbol, 100.0::DOUBLE + h AS close
    FROM range(24) t(h), (VALUES ('NVDA'), ('AMD')) s(symbol)
    WHERE symbol = 'NVDA' OR h NOT BETWEEN 9 AND 13
"""


def make_prices(con, root="prices"):
    con.execute(f"COPY ({DAY1}) TO 'day1.parquet'")
    con.execute(f"COPY ({DAY2}) TO 'day2.parquet'")
    con.execute("FROM tstable_create($root, time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])", {"root": root})
    con.execute("CALL tstable_append($root, ['day1.parquet', 'day2.parquet'])", {"root": root})


@pytest.fixture
def here(tmp_path):
    old = os.getcwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(old)


@pytest.fixture
def con(here):
    with tstable.connect() as con:
        yield con


@pytest.fixture
def prices(con):
    make_prices(con)
    return con


def pytest_report_header():
    return f"DuckDB {duckdb.__version__}, tstable {tstable.__version__} in {os.path.dirname(tstable.__file__)}"
