"""The table that the tests ask: two days of hourly prices, AMD with a hole."""

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
