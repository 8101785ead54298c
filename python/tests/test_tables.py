"""Views of a store, files for other engines, and loading of frames."""

import os
import warnings
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from prices import DAY1, make_prices

import tstable

NEXT_DAY = DAY1.replace("2024-06-01", "2024-06-03")


def names(con, schema):
    return [name for (name,) in con.execute(f'SHOW TABLES FROM "{schema}"').fetchall()]


def test_attach_makes_a_view_for_each_table_of_a_store(con):
    for root in ("store/prices", "store/eu/prices", "store/eu/Stock's \"best\"", "elsewhere/prices"):
        make_prices(con, root)
    made = tstable.attach(con, "store")
    assert sorted(made) == ["eu_Stock's \"best\"", "eu_prices", "prices"]
    assert sorted(names(con, "tstable")) == sorted(made)
    assert con.execute('SELECT count(*) FROM tstable."eu_Stock\'s ""best"""').fetchone() == (91,)
    os.chdir("/")
    assert con.execute("SELECT count(*) FROM tstable.prices WHERE symbol = 'AMD'").fetchone() == (43,)


def test_views_in_the_main_schema_are_what_show_tables_lists(prices):
    assert tstable.attach(prices, ".", schema="main") == ["prices"]
    assert prices.execute("SHOW TABLES").fetchall() == [("prices",)]


def test_attach_again_sees_what_came_and_went(con):
    make_prices(con, "store/a")
    make_prices(con, "store/b")
    assert tstable.attach(con, "store") == ["a", "b"]
    make_prices(con, "store/c")
    os.rename("store/a", "gone")
    assert tstable.attach(con, "store") == ["b", "c"]
    assert names(con, "tstable") == ["b", "c"]


def test_a_store_that_is_a_table_is_one_view(prices):
    assert tstable.attach(prices, "prices") == ["prices"]


def test_names_that_would_clash_are_refused_before_anything_is_made(con):
    make_prices(con, "store/a_b")
    make_prices(con, "store/A/b")
    with pytest.raises(tstable.InvalidArgumentError, match="would both be the view .*attach their directories one by one"):
        tstable.attach(con, "store")
    assert names(con, "main") == []
    assert con.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'tstable'").fetchone() == (0,)


def test_views_and_tables_of_others_are_never_replaced(prices):
    prices.execute("CREATE SCHEMA market; CREATE VIEW market.PRICES AS SELECT 1 AS mine")
    with pytest.raises(tstable.InvalidArgumentError, match='"PRICES" that attach did not make; give another schema'):
        tstable.attach(prices, ".", schema="market")
    assert prices.execute("FROM market.prices").fetchall() == [(1,)]


def test_tables_with_nothing_to_see_are_left_out_with_a_warning(con):
    make_prices(con, "store/prices")
    con.execute("CALL tstable_create('store/empty', time_column := 'ts', bucket := '1h')")
    with pytest.warns(UserWarning, match="store/empty' is not attached: tstable invalid argument"):
        assert tstable.attach(con, "store") == ["prices"]


def test_a_store_that_is_not_there_is_refused(con):
    with pytest.raises(tstable.NotFoundError):
        tstable.attach(con, "nowhere")


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


def test_a_saved_database_with_views_needs_the_extension_loaded_again(prices):
    with tstable.connect("saved.db") as con:
        tstable.attach(con, ".", schema="main")
    with duckdb.connect("saved.db", config={"allow_unsigned_extensions": "true"}) as con:
        with pytest.raises(duckdb.CatalogException, match="prices does not exist"):
            con.execute("FROM prices")
        assert tstable.load(con).execute("SELECT count(*) FROM prices").fetchone() == (91,)


def test_the_package_warns_of_nothing(prices):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tstable.append(prices, "prices", prices.sql(NEXT_DAY).df())
        tstable.attach(prices, ".")
