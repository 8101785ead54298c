"""Columns that change, and entities that are expected."""

import datetime

import pytest

import tstable


def columns(con):
    return [(name, kind) for name, kind, *_ in con.execute("DESCRIBE FROM tstable_scan('prices')").fetchall()]


def test_columns_are_dropped_renamed_and_widened_in_one_commit(prices):
    prices.execute("CALL tstable_add_columns('prices', {'fee': 'FLOAT', 'note': 'VARCHAR'})").fetchall()
    done = tstable.alter(prices, "prices", drop="note", rename={"close": "last"}, type={"fee": "DOUBLE"})
    assert [(row["column"], row["version"]) for row in done] == [("note", 4), ("close", 4), ("fee", 4)]
    assert columns(prices) == [("ts", "TIMESTAMP"), ("symbol", "VARCHAR"), ("last", "DOUBLE"), ("fee", "DOUBLE")]
    assert tstable.alter(prices, "prices", drop=["fee"], expected_version=4)[0]["version"] == 5


def test_what_cannot_be_altered_is_refused(prices):
    with pytest.raises(tstable.Error, match="ts"):
        tstable.alter(prices, "prices", drop=["ts"])
    with pytest.raises(tstable.ConflictError):
        tstable.alter(prices, "prices", rename={"close": "last"}, expected_version=1)
    with pytest.raises(tstable.InvalidArgumentError):
        tstable.alter(prices, "prices")
    assert columns(prices)[2] == ("close", "DOUBLE")


def missing(con):
    return dict(con.execute("SELECT symbol, missing_buckets FROM tstable_coverage('prices')").fetchall())


def test_expected_entities_are_missed_within_their_ranges(prices):
    listed = [
        "NVDA",
        {"symbol": "AMD", "until": datetime.datetime(2024, 6, 2, 12)},
        {"symbol": "LATE", "start": "2024-06-02 20:00"},
        {"SYMBOL": "IBM", "start": None},
    ]
    [told] = tstable.expect(prices, "prices", listed)
    assert (told["root"], told["version"], told["entities"]) == ("prices", 3, 4)
    assert missing(prices) == {"NVDA": 0, "AMD": 3, "LATE": 4, "IBM": 48}
    assert tstable.expect(prices, "prices", None)[0]["entities"] == 0
    assert missing(prices) == {"NVDA": 0, "AMD": 5}


def test_expected_entities_of_several_columns_are_dicts(con):
    rows = con.sql("SELECT TIMESTAMP '2024-06-01' AS ts, 'A' AS symbol, 1::INTEGER AS venue")
    tstable.append(con, "t", rows, time_column="ts", bucket="1h", entity_columns=["symbol", "venue"])
    assert tstable.expect(con, "t", [{"symbol": "A", "venue": 1}, {"symbol": "B", "venue": 1, "until": "2024-06-02"}])[0]["entities"] == 2
    with pytest.raises(tstable.InvalidArgumentError, match=r"give \{'symbol': ..., 'venue': ...\}"):
        tstable.expect(con, "t", [{"symbol": "A", "venue": 1}, "B"])


@pytest.mark.parametrize("entities", ["NVDA", {"symbol": "NVDA"}, [], [{"venue": 1}], [{"symbol": "A", "start": "2024-02-01", "until": "2024-01-01"}]])
def test_what_is_no_list_of_entities_is_refused(prices, entities):
    with pytest.raises(tstable.InvalidArgumentError) as caught:
        tstable.expect(prices, "prices", entities)
    assert caught.value.root in ("prices", None)
    assert prices.execute("SELECT version FROM tstable_info('prices')").fetchall() == [(2,)]
