-- Appending to an item, and correcting it: late rows, doubled rows, wrong rows, a day too many, a new column.

COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 100.0 + d AS close FROM range(10) t(d)) TO 'january.parquet';
CALL tstable_create('AAPL', time_column := 'ts', bucket := '1d');
CALL tstable_append('AAPL', 'january.parquet', message := 'first load');

-- PyStore's append drops what it has already: skip_rows takes the days that are new and leaves the others out.
COPY (SELECT TIMESTAMP '2024-01-08' + INTERVAL 1 DAY * d AS ts, 200.0 + d AS close FROM range(5) t(d)) TO 'late.parquet';
CREATE TEMP TABLE late AS FROM tstable_append('AAPL', 'late.parquet', on_overlap := 'skip_rows');
SELECT CASE WHEN rows <> 2 OR rows_skipped <> 3 THEN error('unexpected: ' || rows || ', ' || rows_skipped) END FROM late;

-- A corrected delivery: its days replace the old ones, and the old version is still there.
CREATE TEMP TABLE corrected AS FROM tstable_append('AAPL', 'late.parquet', on_overlap := 'replace', message := 'prices corrected');
SELECT CASE WHEN status <> 'replaced' THEN error('unexpected: ' || status) END FROM corrected;
SELECT CASE WHEN max(close) <> 204 OR count(*) <> 12 THEN error('unexpected: ' || count(*)) END FROM 'AAPL';
SELECT CASE WHEN count(*) <> 3 THEN error('unexpected: ' || count(*)) END
FROM (FROM tstable_scan('AAPL', version := 3) EXCEPT FROM 'AAPL');

-- A day that should not be there.
CALL tstable_delete('AAPL', DATE '2024-01-06', DATE '2024-01-07');
SELECT CASE WHEN list(gap_start) <> [TIMESTAMP '2024-01-06'] THEN error('unexpected gaps') END FROM tstable_gaps('AAPL');

-- A column that comes later: old rows have NULL in it.
CALL tstable_add_columns('AAPL', {'volume': 'BIGINT'});
COPY (SELECT TIMESTAMP '2024-01-13' AS ts, 205.0 AS close, 1000 AS volume) TO 'more.parquet';
CALL tstable_append('AAPL', 'more.parquet');
SELECT CASE WHEN count(volume) <> 1 OR count(*) <> 12 THEN error('unexpected: ' || count(volume)) END FROM 'AAPL';

-- Many small loads make many small segments; gathering them changes no row.
CALL tstable_compact('AAPL');
SELECT CASE WHEN segments <> 1 OR rows <> 12 THEN error('unexpected: ' || segments) END FROM tstable_info('AAPL');
