"""Relations of rows, parts of a table for several workers, and files for other engines."""

import datetime
import os
import pickle
import uuid
from pathlib import Path

import pyarrow.parquet
import pytest
from prices import DAY1, make_prices

import tstable

TWO_ENTITIES = """
    SELECT TIMESTAMP '2024-06-01' + INTERVAL 1 HOUR * h AS ts, symbol, venue::INTEGER AS venue, day
    FROM range(24) t(h), (VALUES ('A', 1, DATE '2024-01-01'), ('A', 2, DATE '2024-01-02'), ('B', 1, DATE '2024-01-02'), ('It''s', 3, DATE '2024-01-03')) s(symbol, venue, day)
"""


def count(relation):
    return relation.aggregate("count(*)").fetchall()[0][0]


def test_a_scan_is_a_relation_of_the_range_the_entity_and_the_version(prices):
    assert count(tstable.scan(prices, "prices")) == 91
    assert count(tstable.scan(prices, Path("prices"), start="2024-06-02")) == 43
    assert count(tstable.scan(prices, "prices", until=datetime.datetime(2024, 6, 2), entity="AMD")) == 24
    assert count(tstable.scan(prices, "prices", start=datetime.date(2024, 6, 2), entity=["AMD", "NVDA"])) == 43
    assert count(tstable.scan(prices, "prices", entity={"symbol": "NVDA"}).filter("close < 110")) == 20
    tstable.append(prices, "prices", prices.sql(DAY1.replace("2024-06-01", "2024-06-03")))
    assert [count(tstable.scan(prices, "prices", version=version)) for version in (2, 3)] == [91, 139]
    assert tstable.scan(prices, "prices", end_of_nothing=None).df().shape == (139, 3)


def test_a_scan_reads_several_tables_and_takes_the_other_arguments_of_sql(con):
    make_prices(con, "store/a")
    make_prices(con, "store/it's")
    assert count(tstable.scan(con, ["store/a", Path("store/it's")])) == 182
    assert count(tstable.scan(con, "store/*", root_column="item").filter("item LIKE '%''s'")) == 91
    with pytest.raises(tstable.NotFoundError) as caught:
        tstable.scan(con, "store/a", start="2024-06-01", until="2024-06-03", require=1.0)
    assert (caught.value.entity, caught.value.buckets) == ({"symbol": "AMD"}, 5)


def test_what_a_scan_refuses_is_refused_at_once(prices):
    with pytest.raises(tstable.NotFoundError) as caught:
        tstable.scan(prices, "nowhere")
    assert caught.value.root == "nowhere"
    with pytest.raises(tstable.InvalidArgumentError):
        tstable.scan(prices, "prices", start="2024-06-02", until="2024-06-01")
    with pytest.raises(tstable.InvalidArgumentError, match="has no spelling in SQL"):
        tstable.scan(prices, "prices", entity=object())
    with pytest.raises(tstable.InvalidArgumentError, match="'a b' is no name of an argument"):
        tstable.scan(prices, "prices", **{"a b": 1})


def test_new_rows_are_those_that_came_since_a_version(prices):
    assert count(tstable.new_rows(prices, "prices", 0)) == 91
    tstable.append(prices, "prices", prices.sql(DAY1.replace("2024-06-01", "2024-06-03")))
    assert count(tstable.new_rows(prices, "prices", 2)) == 48
    assert count(tstable.new_rows(prices, "prices", 0, version=2)) == 91
    assert count(tstable.new_rows(prices, "prices", 2, start="2024-06-03 12:00")) == 24
    assert count(tstable.new_rows(prices, "prices", 3)) == 0


@pytest.mark.parametrize("by", ["time", "entity"])
def test_the_parts_of_a_table_have_every_row_once_wherever_they_are_read(prices, by):
    parts = tstable.shares(prices, "prices", 2, by=by)
    assert [part.share for part in parts] == [1, 2]
    tstable.append(prices, "prices", prices.sql(DAY1.replace("2024-06-01", "2024-06-03")))
    os.chdir("/")
    sent = pickle.loads(pickle.dumps(parts))
    assert sent == parts
    with tstable.connect() as worker:
        assert sum(count(part.scan(worker)) for part in sent) == sum(part.rows for part in parts) == 91
        rows = [row for part in sent for row in part.scan(worker).fetchall()]
    assert len(set(rows)) == 91


def test_parts_by_several_entity_columns_have_every_row_once(con):
    tstable.append(con, "t", con.sql(TWO_ENTITIES), time_column="ts", bucket="1h", entity_columns=["symbol", "venue", "day"])
    parts = tstable.shares(con, "t", 3, by="entity", start="2024-06-01 06:00")
    assert 1 < len(parts) <= 3 and all(isinstance(part.entities[0], dict) for part in parts)
    rows = [row for part in parts for row in part.scan(con).fetchall()]
    assert len(rows) == len(set(rows)) == 4 * 18


def test_entities_that_only_some_types_of_python_have_are_found(con):
    known = uuid.UUID("12345678-1234-5678-1234-567812345678")
    rows = con.sql(f"SELECT TIMESTAMP '2024-06-01' + INTERVAL 1 HOUR * h AS ts, '{known}'::UUID AS device FROM range(3) t(h)")
    tstable.append(con, "t", rows, time_column="ts", bucket="1h", entity_columns=["device"])
    [part] = tstable.shares(con, "t", 2, by="entity")
    assert part.entities == [known]
    assert count(part.scan(con)) == count(tstable.scan(con, "t", entity=known)) == 3


def test_numbers_of_numpy_are_numbers(con):
    numpy = pytest.importorskip("numpy")
    tstable.append(con, "t", con.sql("SELECT i AS n FROM range(100) t(i)"), time_column="n", bucket="10")
    assert count(tstable.scan(con, "t", start=numpy.int64(10), until=numpy.uint8(30))) == 20


def test_segments_are_absolute_files_in_index_order_that_hold_the_rows_of_the_range(prices):
    everything = tstable.segments(prices, "prices")
    assert len(everything) == 2 and all(os.path.isabs(file) for file in everything)
    assert sum(len(pyarrow.parquet.read_table(file)) for file in everything) == 91
    assert tstable.segments(prices, Path("prices"), start="2024-06-02") == everything[1:]
    assert tstable.segments(prices, "prices", until="2024-06-02") == everything[:1]
    assert tstable.segments(prices, "prices", start="2025-01-01") == []


def test_segments_of_an_entity_and_of_a_version(prices):
    tstable.append(prices, "prices", prices.sql("SELECT TIMESTAMP '2024-06-05' AS ts, 'IBM' AS symbol, 1.0::DOUBLE AS close"))
    assert len(tstable.segments(prices, "prices")) == 3
    assert len(tstable.segments(prices, "prices", version=2)) == 2
    assert len(tstable.segments(prices, "prices", entity="IBM")) == 1
    assert len(tstable.segments(prices, "prices", entity={"SYMBOL": "AMD"})) == 2
    assert len(tstable.segments(prices, "prices", entity=["AMD", {"symbol": "IBM"}], start="2024-06-02")) == 2
    assert tstable.segments(prices, "prices", entity="none") == []


@pytest.mark.parametrize("entity", [[], {"venue": 1}, [{"venue": 1}]])
def test_an_entity_that_does_not_fit_is_refused(prices, entity):
    with pytest.raises(tstable.InvalidArgumentError, match="entity"):
        tstable.segments(prices, "prices", entity=entity)
