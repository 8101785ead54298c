-- A nightly job: offer every file of the inbox, load what is new, and fail when yesterday is not complete.

-- What the inbox would hold: a file a day, three sensors.
COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 10 MINUTE * m AS ts, sensor, m::DOUBLE AS value
      FROM range(144) t(m), range(3) s(sensor)) TO 'inbox-1.parquet';
COPY (SELECT TIMESTAMP '2024-03-02' + INTERVAL 10 MINUTE * m AS ts, sensor, m::DOUBLE AS value
      FROM range(144) t(m), range(3) s(sensor)) TO 'inbox-2.parquet';

-- Creating is safe to repeat as long as the definition is the same.
CALL tstable_create('sensors', time_column := 'ts', bucket := '10m', entity_columns := ['sensor'], if_not_exists := true);
CALL tstable_create('sensors', time_column := 'ts', bucket := '10m', entity_columns := ['sensor'], if_not_exists := true);

-- First night, one file; second night, both are offered and one is new.
CALL tstable_append('sensors', 'inbox-1.parquet', on_overlap := 'skip_file', message := 'night 1');

CREATE TEMP TABLE loaded AS
FROM tstable_append('sensors', 'inbox-*.parquet', on_overlap := 'skip_file', message := 'night 2');

SELECT CASE WHEN list(status ORDER BY file) <> ['already_loaded', 'appended']
            THEN error('unexpected: ' || list(status ORDER BY file)::VARCHAR) END
FROM loaded;

-- The check that lets the next job start.
SELECT CASE WHEN min(ratio) < 1 THEN error('incomplete: ' || string_agg(sensor::VARCHAR, ', ')) END
FROM tstable_coverage('sensors', start := '2024-03-02', until := '2024-03-03');
