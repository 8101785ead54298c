"""Views kept in a database file: the extension has to be loaded each time the file is opened."""

import duckdb
import pytest

import tstable


def test_a_saved_view_works_once_the_extension_is_loaded(con):
    with tstable.connect("market.db") as saved:
        tstable.attach(saved, "store", schema="main")
        saved.execute("CREATE VIEW june AS FROM prices WHERE ts < '2024-07-01'")
    with duckdb.connect("market.db", config={"allow_unsigned_extensions": "true"}) as plain:
        assert [name for (name,) in plain.execute("SHOW TABLES").fetchall()] == ["june", "prices"]
        with pytest.raises(duckdb.CatalogException, match="Table with name .*store/prices does not exist"):
            plain.execute("FROM june")
        assert tstable.load(plain).execute("SELECT count(*) FROM june").fetchone() == (91,)
    with tstable.connect("market.db", read_only=True) as again:
        assert again.execute("SELECT count(*) FROM june").fetchone() == (91,)
