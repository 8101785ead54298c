-- Hourly bars that follow their ticks: after the first night only the hours are made anew in which ticks came late, were
-- corrected or were taken back.

-- Two days of ticks, one every ten minutes.
COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 10 MINUTE * i AS ts, symbol, 100 + (i * 7) % 13 + 0.5 AS price
      FROM range(288) t(i), (VALUES ('AMD'), ('NVDA')) s(symbol)) TO 'ticks-1.parquet';
CALL tstable_create('ticks', time_column := 'ts', bucket := '1h', entity_columns := ['symbol']);
CALL tstable_append('ticks', 'ticks-1.parquet');
CALL tstable_create('bars', time_column := 'ts', bucket := '1h', entity_columns := ['symbol']);

-- What every night runs: which hours are stale, their bars from one version of the ticks, and a record of that version.
CREATE TEMP TABLE stale AS FROM tstable_stale('bars', 'ticks');
SET VARIABLE v = (SELECT max(source_version) FROM stale);
COPY (SELECT s.bucket_start AS ts, s.symbol, first(price ORDER BY t.ts) AS open, max(price) AS high, min(price) AS low,
             last(price ORDER BY t.ts) AS close, count(*) AS ticks
      FROM stale s JOIN tstable_scan('ticks', version := getvariable('v')) t
        ON t.symbol = s.symbol AND t.ts >= s.bucket_start AND t.ts < s.bucket_end
      GROUP BY ALL) TO 'bars-1.parquet';
CALL tstable_append('bars', 'bars-1.parquet', on_overlap := 'replace',
                    derived_from := {'root': 'ticks', 'version': getvariable('v')});

SELECT CASE WHEN count(*) > 0 THEN error('bars are stale right after they were made') END
FROM tstable_stale('bars', 'ticks');

-- The next day brings a late tick, a new hour, and an hour of which nothing was true.
COPY (SELECT TIMESTAMP '2024-03-01 09:05' AS ts, 'AMD' AS symbol, 250.0 AS price
      UNION ALL SELECT TIMESTAMP '2024-03-03 00:00', 'NVDA', 101.0) TO 'ticks-2.parquet';
CALL tstable_append('ticks', 'ticks-2.parquet', on_overlap := 'allow');
CALL tstable_delete('ticks', TIMESTAMP '2024-03-02 12:00', TIMESTAMP '2024-03-02 13:00', entity := {'symbol': 'AMD'});
CALL tstable_compact('ticks');

-- The same night's work again. Hours that have no ticks any more lose their bar first: there is nothing to replace it with.
CREATE OR REPLACE TEMP TABLE stale AS FROM tstable_stale('bars', 'ticks');
SET VARIABLE v = (SELECT max(source_version) FROM stale);

SELECT CASE WHEN list(symbol || strftime(bucket_start, ' %d %H') ORDER BY ALL) <> ['AMD 01 09', 'AMD 02 12', 'NVDA 03 00']
            THEN error('unexpected: ' || list(symbol || strftime(bucket_start, ' %d %H'))::VARCHAR) END
FROM stale;

CREATE TEMP TABLE gone AS
SELECT s.symbol, s.bucket_start, s.bucket_end
FROM stale s ANTI JOIN tstable_scan('ticks', version := getvariable('v')) t
  ON t.symbol = s.symbol AND t.ts >= s.bucket_start AND t.ts < s.bucket_end;
SET VARIABLE gone = (SELECT g FROM gone g);
CALL tstable_delete('bars', getvariable('gone').bucket_start, getvariable('gone').bucket_end,
                    entity := {'symbol': getvariable('gone').symbol});

COPY (SELECT s.bucket_start AS ts, s.symbol, first(price ORDER BY t.ts) AS open, max(price) AS high, min(price) AS low,
             last(price ORDER BY t.ts) AS close, count(*) AS ticks
      FROM stale s JOIN tstable_scan('ticks', version := getvariable('v')) t
        ON t.symbol = s.symbol AND t.ts >= s.bucket_start AND t.ts < s.bucket_end
      GROUP BY ALL) TO 'bars-2.parquet';
CALL tstable_append('bars', 'bars-2.parquet', on_overlap := 'replace',
                    derived_from := {'root': 'ticks', 'version': getvariable('v')});

-- The bars are those that all ticks give.
SELECT CASE WHEN count(*) > 0 THEN error('bars differ from their ticks') END
FROM (
    (FROM tstable_scan('bars') EXCEPT
     SELECT time_bucket(INTERVAL 1 HOUR, ts), symbol, first(price ORDER BY ts), max(price), min(price), last(price ORDER BY ts), count(*)
     FROM tstable_scan('ticks') GROUP BY ALL)
    UNION ALL
    (SELECT time_bucket(INTERVAL 1 HOUR, ts), symbol, first(price ORDER BY ts), max(price), min(price), last(price ORDER BY ts), count(*)
     FROM tstable_scan('ticks') GROUP BY ALL EXCEPT FROM tstable_scan('bars'))
);
SELECT CASE WHEN count(*) > 0 THEN error('bars are stale right after they were made') END
FROM tstable_stale('bars', 'ticks');
