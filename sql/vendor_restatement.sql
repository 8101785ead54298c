-- A vendor restates a month: see what would change, take it only if it is what was announced, and only over the version that was looked at.

COPY (SELECT DATE '2024-01-01' + d::INTEGER AS day, symbol, 100.0::DOUBLE + d AS close, 1000 + d AS volume
      FROM range(31) t(d), (VALUES ('A'), ('B')) s(symbol)) TO 'january.parquet';
CALL tstable_create('eod', time_column := 'day', bucket := '1d', entity_columns := ['symbol']);
CALL tstable_append('eod', 'january.parquet');

-- The corrected file: a split of B from the 20th on, one volume of A, and a day that had not been there.
COPY (SELECT day, symbol, CASE WHEN symbol = 'B' AND day >= DATE '2024-01-20' THEN close / 2 ELSE close END AS close,
             CASE WHEN symbol = 'A' AND day = DATE '2024-01-05' THEN 7 ELSE volume END AS volume FROM 'january.parquet'
      UNION ALL SELECT DATE '2024-02-01', 'A', 131.0, 1031) TO 'corrected.parquet';

-- How much: rows that are new, the same, restated, and gone.
CREATE TEMP TABLE announced AS
SELECT symbol, rows_new, rows_same, rows_changed, rows_missing FROM tstable_preview('eod', 'corrected.parquet', compare := true);
SELECT CASE WHEN list((symbol, rows_new, rows_same, rows_changed, rows_missing) ORDER BY symbol)::VARCHAR
                 <> '[(A, 1, 30, 1, 0), (B, 0, 19, 12, 0)]' THEN error('unexpected: ' || list(announced)::VARCHAR) END
FROM announced;

-- What: each value, old and new, to be read by somebody or compared with the vendor's notice.
CREATE TEMP TABLE restated AS FROM tstable_restated('eod', 'corrected.parquet');
SELECT CASE WHEN count(*) <> 13 OR count(*) FILTER ("column" = 'close' AND old_value::DOUBLE <> 2 * new_value::DOUBLE) <> 0
            THEN error('this is not the split that was announced') END
FROM restated;

-- Taking it row by row, on the version that was looked at: whoever came between makes it a conflict instead.
CREATE TEMP TABLE taken AS
FROM tstable_append('eod', 'corrected.parquet', on_overlap := 'merge', expected_version := 2, message := 'split of B');
SELECT CASE WHEN status <> 'merged' OR version <> 3 THEN error('unexpected: ' || status) END FROM taken;
-- error: tstable conflict:
CALL tstable_append('eod', 'january.parquet', on_overlap := 'merge', expected_version := 2);

-- What was known before can still be asked.
SELECT CASE WHEN count(*) <> 13 THEN error('unexpected: ' || count(*)) END
FROM (SELECT day, symbol, close, volume FROM tstable_scan('eod', version := 2) EXCEPT SELECT day, symbol, close, volume FROM 'eod');
