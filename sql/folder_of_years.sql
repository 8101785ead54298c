-- Take in a folder of years without copying it: the table is made in the directory that holds the files, and they stay where they are.

-- What somebody wrote long ago: one folder a symbol, one a day, and neither column in the files.
COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, s AS symbol, 100 + h % 7 AS price,
             (TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h)::DATE AS date
      FROM range(72) t(h), (VALUES ('AAPL'), ('BTC/USD')) u(s))
TO 'history' (FORMAT parquet, PARTITION_BY (symbol, date));

-- A directory of nothing but Parquet files may become their table.
CALL tstable_create('history', time_column := 'ts', bucket := '1h', entity_columns := ['symbol']);

-- Look at the whole tree first: files, rows, what overlaps and what does not fit. Nothing is changed by this.
SELECT CASE WHEN count(*) <> 6 OR sum(rows) <> 144 OR count(*) FILTER (status = 'refused') <> 0 THEN error('unexpected preview') END
FROM tstable_preview('history', 'history/symbol=*/**/*.parquet', mode := 'adopt', hive := true, on_error := 'skip_file');

CALL tstable_append('history', 'history/symbol=*/**/*.parquet', mode := 'adopt', hive := true);

-- The symbol is in no file, and a condition on it opens only its own.
SELECT CASE WHEN count(*) <> 72 THEN error('unexpected: ' || count(*) || ' rows') END
FROM tstable_scan('history') WHERE symbol = 'BTC/USD';

SELECT CASE WHEN count(*) <> 0 THEN error(count(*) || ' rows differ') END
FROM (SELECT ts, price, symbol, date FROM read_parquet('history/symbol=*/**/*.parquet', hive_partitioning := true)
      EXCEPT ALL SELECT ts, price, symbol, date FROM tstable_scan('history'));

-- The gaps of years are told at once.
SELECT CASE WHEN count(*) <> 0 THEN error(count(*) || ' gaps') END FROM tstable_gaps('history');

-- Tomorrow's folder comes the same way; what is loaded already is passed over.
COPY (SELECT TIMESTAMP '2024-01-04' + INTERVAL 1 HOUR * h AS ts, 'AAPL' AS symbol, 100 AS price, DATE '2024-01-04' AS date FROM range(24) t(h))
TO 'history/new' (FORMAT parquet, PARTITION_BY (symbol, date));

SELECT CASE WHEN list(DISTINCT status ORDER BY status) <> ['already_loaded', 'appended'] THEN error('unexpected status') END
FROM tstable_append('history', ['history/symbol=*/**/*.parquet', 'history/new/**/*.parquet'], mode := 'adopt', hive := true,
                    on_overlap := 'skip_file');
