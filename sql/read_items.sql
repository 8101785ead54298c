-- Reading an item as PyStore does: all of it, some columns, rows of a range or condition, the first and the last rows.

COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 100 + d AS open, 101 + d AS close, 1000 * d AS volume FROM range(60) t(d)) TO 'aapl.parquet';
CALL tstable_create('nasdaq/AAPL', time_column := 'ts', bucket := '1d');
CALL tstable_append('nasdaq/AAPL', 'aapl.parquet');

-- collection.item('AAPL').data: a directory is read like a table.
SELECT CASE WHEN count(*) <> 60 THEN error('unexpected: ' || count(*)) END FROM 'nasdaq/AAPL';

-- item(columns=['open', 'close'], filters=[('close', '>', 120)]): only those columns are read.
CREATE TEMP TABLE part AS SELECT open, close FROM 'nasdaq/AAPL' WHERE close > 120 AND ts < '2024-02-01';
SELECT CASE WHEN count(*) <> 11 OR min(close) <> 121 THEN error('unexpected: ' || count(*)) END FROM part;

-- A range prunes on every version of DuckDB when it is an argument, on 2.0 in WHERE as well.
SELECT CASE WHEN count(*) <> 29 THEN error('unexpected: ' || count(*)) END
FROM tstable_scan('nasdaq/AAPL', start := '2024-02-01', until := '2024-03-01');

-- item.head(3) and item.tail(3); the latter opens the newest segment only.
SELECT CASE WHEN list(close ORDER BY ts) <> [101, 102, 103] THEN error('unexpected head') END
FROM (FROM 'nasdaq/AAPL' ORDER BY ts LIMIT 3);
SELECT CASE WHEN list(close ORDER BY ts) <> [158, 159, 160] THEN error('unexpected tail') END
FROM tstable_latest('nasdaq/AAPL', n := 3);

-- item.metadata and the index: counts and bounds come from the log, no Parquet file is opened.
SELECT CASE WHEN rows <> 60 OR index_max <> TIMESTAMP '2024-02-29' THEN error('unexpected bounds') END
FROM tstable_info('nasdaq/AAPL');
