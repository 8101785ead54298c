"""Rows and files come in, and are told of beforehand."""

import os
import warnings
from datetime import datetime
from pathlib import Path

import pandas
import polars
import pytest
from prices import DAY1

import tstable

NEXT_DAY = DAY1.replace("2024-06-01", "2024-06-03")


KINDS = {
    "pandas": lambda con: con.sql(NEXT_DAY).df(),
    "pandas with an index": lambda con: con.sql(NEXT_DAY).df().set_index(["ts", "symbol"]),
    "polars": lambda con: polars.from_arrow(con.sql(NEXT_DAY).to_arrow_table()),
    "polars, lazy": lambda con: polars.from_arrow(con.sql(NEXT_DAY).to_arrow_table()).lazy(),
    "Arrow table": lambda con: con.sql(NEXT_DAY).to_arrow_table(),
    "Arrow batch": lambda con: con.sql(NEXT_DAY).to_arrow_table().combine_chunks().to_batches()[0],
    "Arrow reader": lambda con: con.sql(NEXT_DAY).to_arrow_table().to_reader(max_chunksize=7),
    "relation": lambda con: con.sql(NEXT_DAY),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_kind_are_appended(prices, kind):
    report = tstable.append(prices, "prices", KINDS[kind](prices), message="it's new")
    assert report == [{"status": "appended", "version": 3, "rows": 48}]
    assert prices.execute("SELECT count(*) FROM tstable_scan('prices', start := '2024-06-03')").fetchone() == (48,)
    assert prices.execute("SELECT message FROM tstable_history('prices')").fetchall()[0] == ("it's new",)


def test_rows_that_overlap_are_refused_and_what_was_there_stays(prices):
    with pytest.raises(tstable.OverlapError) as caught:
        tstable.append(prices, "prices", prices.sql(DAY1).df())
    assert (caught.value.root, caught.value.buckets) == ("prices", 48)
    assert prices.execute("SELECT count(*), max(version) FROM tstable_scan('prices'), tstable_info('prices')").fetchone() == (91, 2)


def test_an_overlap_can_be_skipped_by_row(prices):
    frame = prices.sql(f"{DAY1} UNION ALL {NEXT_DAY}").df()
    tstable.append(prices, "prices", frame, on_overlap="skip_rows")
    assert prices.execute("SELECT count(*) FROM tstable_scan('prices')").fetchone() == (139,)


def test_rows_that_were_skipped_are_not_counted(prices):
    frame = prices.sql(DAY1).df()
    assert tstable.append(prices, "prices", frame, on_overlap="skip_rows") == [{"status": "already_covered", "version": 2, "rows": 0}]
    more = prices.sql(f"{DAY1} UNION ALL {NEXT_DAY}").df()
    assert tstable.append(prices, "prices", more, on_overlap="skip_rows") == [{"status": "appended", "version": 3, "rows": 48}]


def hours(con):
    """A pandas series of a price by the hour, whose index has no name."""
    frame = con.sql("SELECT TIMESTAMP '2024-07-01' + INTERVAL 1 HOUR * h AS ts, h / 2 AS price FROM range(3) t(h)").df()
    return frame.set_index("ts")["price"].rename_axis(None)


def test_an_index_of_times_without_a_name_is_the_index_column(con):
    made = {"time_column": "ts", "bucket": "1h"}
    [told] = tstable.append(con, "t", hours(con), **made)
    assert (told["status"], told["rows"]) == ("appended", 3)
    later = hours(con).to_frame().shift(24, freq="h")
    assert tstable.append(con, "t", later)[0]["rows"] == 3
    assert con.execute("SELECT count(*), max(ts)::VARCHAR, max(price) FROM tstable_scan('t')").fetchall() == [(6, "2024-07-02 02:00:00", 1.0)]
    # A column of the name goes before.
    assert tstable.append(con, "u", hours(con).rename_axis("ts").reset_index(), **made)[0]["rows"] == 3


def test_one_level_without_a_name_is_the_index_column(con):
    frame = hours(con).to_frame().assign(symbol="A").set_index("symbol", append=True)
    tstable.append(con, "t", frame, time_column="ts", bucket="1h", entity_columns=["symbol"])
    assert con.execute("SELECT column_name FROM (DESCRIBE FROM tstable_scan('t'))").fetchall() == [("ts",), ("symbol",), ("price",)]


@pytest.mark.parametrize("names", [["ts", "v", "v"], ["ts", "v", "V"]])
def test_two_columns_of_one_name_are_refused(con, names):
    frame = con.sql("SELECT TIMESTAMP '2024-07-01' AS ts, 1 AS v, 2 AS w").df()
    frame.columns = names
    with pytest.raises(tstable.InvalidArgumentError, match=f"two columns are called '{names[2]}'"):
        tstable.append(con, "t", frame, time_column="ts", bucket="1h")


def test_what_duckdb_cannot_read_is_refused_in_words(con):
    made = {"time_column": "ts", "bucket": "1h"}
    objects = polars.DataFrame({"ts": [datetime(2024, 7, 1)], "o": [object()]})
    periods = hours(con).to_frame().assign(period=hours(con).index.to_period("D"))
    for data, words in [(None, "NoneType"), (objects, "'o' holds Python objects"), (objects.lazy(), "'o' holds Python objects"), (periods, r"period\[D\]")]:
        with pytest.raises(tstable.InvalidArgumentError, match=words):
            tstable.append(con, "t", data, **made)
    assert not os.path.exists("t") or not os.path.exists("t/_timeseries_log/CURRENT")


def test_a_table_is_made_for_rows_and_for_files(prices):
    made = {"time_column": "ts", "bucket": "1h", "entity_columns": ["symbol"]}
    assert tstable.append(prices, "new 'rows'", prices.sql(DAY1).df(), **made)[0]["rows"] == 48
    assert tstable.append(prices, "new_files", ["day1.parquet", Path("day2.parquet")], **made)[1]["rows"] == 43
    for root in ("new 'rows'", "new_files"):
        assert prices.execute("SELECT bucket, entity_columns FROM tstable_info($root)", {"root": root}).fetchone() == ("1h", ["symbol"])


def test_files_are_reported_one_by_one(prices):
    report = tstable.append(prices, "prices", "day*.parquet", on_overlap="skip_file")
    assert [(Path(row["file"]).name, row["status"]) for row in report] == [("day1.parquet", "already_loaded"), ("day2.parquet", "already_loaded")]


def test_no_rows_change_nothing(prices):
    assert tstable.append(prices, "prices", prices.sql(NEXT_DAY).df().head(0)) == [{"status": "appended", "version": 2, "rows": 0}]
    with pytest.raises(tstable.NotFoundError):
        tstable.append(prices, "nowhere", prices.sql(NEXT_DAY).df().head(0))


def test_nothing_of_an_append_stays_in_the_connection_or_on_disk(prices, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = set(os.listdir())
    with pytest.raises(tstable.SchemaMismatchError):
        tstable.append(prices, "prices", pandas.DataFrame({"other": [1]}))
    assert prices.execute("SHOW ALL TABLES").fetchall() == []
    assert set(os.listdir()) == before


def test_what_holds_no_rows_is_refused_by_its_type(prices):
    with pytest.raises(tstable.InvalidArgumentError, match="DuckDB cannot read rows of a int; give paths"):
        tstable.append(prices, "prices", 7)


def test_what_makes_a_table_makes_it_for_rows_and_files_in_every_duckdb(prices):
    made = {"time_column": "ts", "bucket": "1d", "entity_columns": ["symbol"], "timezone": "America/New_York", "uniqueness": "none", "counts": True}
    tstable.append(prices, "rows", prices.sql(DAY1).df(), **made)
    tstable.append(prices, "files", "day1.parquet", **made)
    query = "SELECT bucket, timezone, uniqueness, rows FROM tstable_info($root)"
    assert prices.execute(query, {"root": "rows"}).fetchall() == prices.execute(query, {"root": "files"}).fetchall() == [("1d", "America/New_York", "none", 48)]


def test_rows_take_the_place_of_others_when_they_are_merged(prices):
    frame = prices.sql(f"SELECT ts, symbol, close + 1 AS close FROM ({DAY1}) WHERE symbol = 'AMD'").df()
    tstable.append(prices, "prices", frame, on_overlap="merge")
    assert prices.execute("SELECT count(*), sum(close) FROM tstable_scan('prices', until := '2024-06-02')").fetchall() == [(48, 2 * (2400 + 276) + 24)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_tells_of_rows_and_of_files_the_same_and_changes_nothing(prices, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    os.mkdir(tmp_path / "scratch")
    prices.execute(f"COPY ({NEXT_DAY}) TO 'next.parquet'")
    of_files = tstable.preview(prices, "prices", Path("next.parquet"), on_overlap="error")
    of_rows = tstable.preview(prices, "prices", KINDS[kind](prices), on_overlap="error")
    assert {row["file"] for row in of_files} == {"next.parquet"} and {row.pop("file") for row in of_rows} == {None}
    assert [(row["symbol"], row["rows"], row["new_buckets"], row["status"]) for row in of_rows] == [("AMD", 24, 24, "appended"), ("NVDA", 24, 24, "appended")]
    assert of_rows == [{name: value for name, value in row.items() if name != "file"} for row in of_files]
    assert prices.execute("SELECT version FROM tstable_info('prices')").fetchall() == [(2,)]
    assert os.listdir(tmp_path / "scratch") == []
    assert prices.execute("SHOW ALL TABLES").fetchall() == []


def test_a_preview_compares_rows_and_tells_the_gaps_that_would_be_left(prices):
    frame = prices.sql("SELECT TIMESTAMP '2024-06-02 11:00' AS ts, 'AMD' AS symbol, 1.0::DOUBLE AS close UNION ALL SELECT TIMESTAMP '2024-06-01', 'AMD', 7").df()
    [told] = tstable.preview(prices, "prices", frame, compare=True)
    assert (told["rows_new"], told["rows_same"], told["rows_changed"]) == (1, 0, 1)
    [told] = tstable.preview(prices, "prices", frame, on_overlap="merge", gaps=True)
    assert (told["status"], [gap["buckets"] for gap in told["gaps"]]) == ("merged", [2, 2])
    with pytest.raises(tstable.NotFoundError) as caught:
        tstable.preview(prices, "nowhere", frame)
    assert caught.value.root == "nowhere"


def test_what_is_refused_of_rows_names_no_file(prices):
    frame = prices.sql("SELECT 'soon' AS ts, 'AMD' AS symbol, 1.0::DOUBLE AS close").df()
    for call in (tstable.append, tstable.preview, tstable.restated):
        with pytest.raises(tstable.SchemaMismatchError, match="'ts'") as caught:
            call(prices, "prices", frame)
        assert (caught.value.file, caught.value.root) == (None, "prices")
        assert "rows.parquet" not in str(caught.value)
    with pytest.raises(tstable.OverlapError) as caught:
        tstable.append(prices, "prices", prices.sql(DAY1).df())
    assert caught.value.file is None and "rows.parquet" not in str(caught.value)


def test_what_is_restated_is_told_of_files_and_rows_and_against_older_versions(prices):
    frame = prices.sql(f"SELECT ts, symbol, CASE WHEN hour(ts) = 3 THEN 0 ELSE close END AS close FROM ({DAY1})").df()
    assert [(row["symbol"], row["column"], row["old_value"], row["new_value"]) for row in tstable.restated(prices, "prices", frame)] == [
        ("AMD", "close", "103.0", "0.0"),
        ("NVDA", "close", "103.0", "0.0"),
    ]
    assert tstable.restated(prices, "prices", "day*.parquet") == []
    tstable.append(prices, "prices", frame, on_overlap="merge")
    assert tstable.restated(prices, "prices", frame) == []
    assert len(tstable.restated(prices, "prices", frame, version=2)) == 2


def test_what_other_programs_left_becomes_tables(prices):
    prices.execute(f"COPY ({DAY1}) TO 'lake' (FORMAT parquet, PARTITION_BY (symbol))")
    [made] = tstable.import_tables(prices, Path("lake"), Path("imported"), bucket="1h")
    assert (made["kind"], made["rows"], made["files"]) == ("Hive folder", 48, 2)
    assert prices.execute("SELECT entity_columns FROM tstable_info('imported')").fetchall() == [(["symbol"],)]
    with pytest.raises(tstable.AlreadyExistsError):
        tstable.import_tables(prices, "lake", "imported")
    with pytest.raises(tstable.NotFoundError):
        tstable.import_tables(prices, "nothing", "other")


def test_an_option_that_nothing_knows_is_refused_by_its_name(prices):
    for call in (tstable.append, tstable.preview, tstable.import_tables):
        with pytest.raises(Exception, match="on_overlapp"):
            call(prices, "prices", "day1.parquet", on_overlapp="merge")


def test_the_package_warns_of_nothing(prices):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tstable.append(prices, "prices", prices.sql(NEXT_DAY).df())
        tstable.attach(prices, ".")
        tstable.scan(prices, "prices").fetchall()
        tstable.preview(prices, "prices", prices.sql(NEXT_DAY).df())
