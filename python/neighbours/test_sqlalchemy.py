"""SQLAlchemy with duckdb-engine: each connection loads the extension and sees the tables of a store as views."""

import duckdb
import pytest

import tstable

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("duckdb_engine")


def make_engine(store):
    engine = sqlalchemy.create_engine("duckdb:///:memory:", connect_args={"config": {"allow_unsigned_extensions": "true"}})

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection, record):
        tstable.load(connection)
        tstable.attach(connection, store, schema="market")

    return engine


def test_views_are_listed_and_queried(con):
    with make_engine("store").connect() as connection:
        assert sqlalchemy.inspect(connection).get_view_names(schema="market") == ["prices"]
        query = sqlalchemy.text("SELECT symbol, count(*) FROM market.prices GROUP BY symbol ORDER BY symbol")
        assert connection.execute(query).all() == [("AMD", 43), ("NVDA", 48)]


def test_columns_of_views_are_reflected(con):
    if duckdb.__version__.startswith("1.4"):
        pytest.skip("duckdb-engine 0.17 asks for pg_catalog.pg_collation, which DuckDB 1.4 lacks")
    with make_engine("store").connect() as connection:
        columns = sqlalchemy.inspect(connection).get_columns("prices", schema="market")
        prices = sqlalchemy.table("prices", *(sqlalchemy.column(column["name"], column["type"]) for column in columns), schema="market")
        latest = sqlalchemy.select(sqlalchemy.func.max(prices.c.close)).where(prices.c.symbol == "AMD")
        assert connection.execute(latest).scalar() == 147.0


def test_errors_are_translated(con):
    with make_engine("store").connect() as connection:
        with pytest.raises(tstable.NotFoundError) as caught, tstable.errors():
            connection.execute(sqlalchemy.text("FROM tstable_scan('nowhere')"))
        assert caught.value.root == "nowhere"
