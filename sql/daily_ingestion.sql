-- Daily ingestion: open or create the table, append a day's file unless it is loaded, verify, and ask what is missing.

-- What a day's download would be: minute bars of one symbol, a file a day; the second day lacks ten minutes.
COPY (SELECT TIMESTAMP '2024-06-03 13:30' + INTERVAL 1 MINUTE * m AS ts, 'NVDA' AS symbol, 100.0 + m / 10 AS close FROM range(390) t(m)) TO 'nvda-2024-06-03.parquet';
COPY (SELECT TIMESTAMP '2024-06-04 13:30' + INTERVAL 1 MINUTE * m AS ts, 'NVDA' AS symbol, 120.0 + m / 10 AS close FROM range(390) t(m)
      WHERE m NOT BETWEEN 100 AND 109) TO 'nvda-2024-06-04.parquet';

-- Open or create: the same call every day.
CALL tstable_create('bars', time_column := 'ts', bucket := '1m', entity_columns := ['symbol'], if_not_exists := true);
CALL tstable_append('bars', 'nvda-2024-06-03.parquet', on_overlap := 'skip_file', message := 'load of June 3');

-- The job runs twice on the second day, as jobs do: the second run finds the file loaded.
CALL tstable_create('bars', time_column := 'ts', bucket := '1m', entity_columns := ['symbol'], if_not_exists := true);
CALL tstable_append('bars', 'nvda-2024-06-04.parquet', on_overlap := 'skip_file');
CREATE TEMP TABLE again AS FROM tstable_append('bars', 'nvda-2024-06-04.parquet', on_overlap := 'skip_file');
SELECT CASE WHEN status <> 'already_loaded' OR rows <> 0 THEN error('unexpected: ' || status) END FROM again;

-- Verify: as many rows as the files have, and what is missing within trading hours.
SELECT CASE WHEN rows <> 390 + 380 THEN error('unexpected: ' || rows || ' rows') END FROM tstable_info('bars');

CREATE TEMP TABLE missing AS
FROM tstable_gaps('bars', start := '2024-06-04 13:30', until := '2024-06-04 20:00');
SELECT CASE WHEN count(*) <> 1 OR sum(buckets) <> 10 THEN error('unexpected: ' || count(*) || ' gaps') END FROM missing;

-- The vendor delivers the missing minutes: they are not covered, so they are welcome whenever they come.
COPY (SELECT TIMESTAMP '2024-06-04 13:30' + INTERVAL 1 MINUTE * m AS ts, 'NVDA' AS symbol, 130::DOUBLE AS close FROM range(100, 110) t(m)) TO 'nvda-late.parquet';
CALL tstable_append('bars', 'nvda-late.parquet');
SELECT CASE WHEN ratio <> 1 THEN error('unexpected: ' || ratio) END
FROM tstable_coverage('bars', start := '2024-06-04 13:30', until := '2024-06-04 20:00');
