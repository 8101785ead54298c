-- Gaps as rows: join the dense grid of buckets with the data, and carry the last value into what is missing.

COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 1 HOUR * h AS ts, 'north' AS station, 10 + h AS level
      FROM range(12) t(h) WHERE h NOT IN (4, 5, 9)) TO 'levels.parquet';
CALL tstable_create('levels', time_column := 'ts', bucket := '1h', entity_columns := ['station']);
CALL tstable_append('levels', 'levels.parquet');

CREATE TEMP TABLE filled AS
SELECT g.station, g.bucket_start, g.covered,
       last_value(t.level IGNORE NULLS) OVER (PARTITION BY g.station ORDER BY g.bucket_start) AS level
FROM tstable_buckets('levels') g
LEFT JOIN tstable_scan('levels') t ON t.station = g.station AND t.ts >= g.bucket_start AND t.ts < g.bucket_end;

SELECT CASE WHEN list(level ORDER BY bucket_start) <> [10, 11, 12, 13, 13, 13, 16, 17, 18, 18, 20, 21]
            THEN error('unexpected: ' || list(level ORDER BY bucket_start)::VARCHAR) END
FROM filled;

-- What to ask the source for again.
SELECT station, gap_start AS "from", gap_end AS "to", duration FROM tstable_gaps('levels', min_buckets := 2);
