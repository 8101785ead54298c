-- Take only stretches without holes: the latest complete day of each device, and its rows.

COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 1 HOUR * h AS ts, device, h * 10 + device AS reading
      FROM range(72) t(h), range(1, 4) d(device)
      -- Device 2 lost an hour on the last day, device 3 an hour on each.
      WHERE NOT (device = 2 AND h = 60) AND NOT (device = 3 AND h % 24 = 12)) TO 'readings.parquet';
CALL tstable_create('readings', time_column := 'ts', bucket := '1h', entity_columns := ['device']);
CALL tstable_append('readings', 'readings.parquet');

-- At least 24 hours on end; a device without such a run is not in the result.
CREATE TEMP TABLE usable AS
SELECT device, window_end - INTERVAL 24 HOUR AS since, window_end AS until FROM tstable_last_window('readings', 24);

SELECT CASE WHEN list(device ORDER BY device) <> [1, 2] THEN error('unexpected: ' || list(device)::VARCHAR) END FROM usable;

CREATE TEMP TABLE training AS
SELECT r.* FROM tstable_scan('readings') r JOIN usable u ON r.device = u.device AND r.ts >= u.since AND r.ts < u.until;

SELECT CASE WHEN count(*) <> 48 THEN error('unexpected: ' || count(*)) END FROM training;
