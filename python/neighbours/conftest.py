"""A store with one table of two days of hourly prices, AMD with a hole, in an empty directory of its own."""

import os

import pytest

import tstable

PRICES = """
    SELECT TIMESTAMP '2024-06-01' + INTERVAL 1 HOUR * h AS ts, symbol, 100.0::DOUBLE + h AS close
    FROM range(48) t(h), (VALUES ('NVDA'), ('AMD')) s(symbol)
    WHERE symbol = 'NVDA' OR h NOT BETWEEN 33 AND 37
"""


@pytest.fixture
def con(tmp_path):
    old = os.getcwd()
    os.chdir(tmp_path)
    with tstable.connect() as con:
        tstable.append(con, "store/prices", con.sql(PRICES), time_column="ts", bucket="1h", entity_columns=["symbol"])
        yield con
    os.chdir(old)
