"""Views of a store."""

import os

import duckdb
import pytest
from prices import make_prices

import tstable


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


def test_a_saved_database_with_views_needs_the_extension_loaded_again(prices):
    with tstable.connect("saved.db") as con:
        tstable.attach(con, ".", schema="main")
    with duckdb.connect("saved.db", config={"allow_unsigned_extensions": "true"}) as con:
        with pytest.raises(duckdb.CatalogException, match="prices does not exist"):
            con.execute("FROM prices")
        assert tstable.load(con).execute("SELECT count(*) FROM prices").fetchone() == (91,)
