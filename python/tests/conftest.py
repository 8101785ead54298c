"""A table of two days in an empty directory of its own, for each test."""

import os

import duckdb
import pytest
from prices import make_prices

import tstable

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
