-- A fleet of devices that send only when something changes: a silent device holds its value for a while, and is dead after that.

-- d1 sends every hour; d2 at 0 and 9; d3 at 0 only; d4 is installed and never sent.
COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 1 HOUR * h AS ts, device, (10 * h)::DOUBLE AS temperature
      FROM range(24) t(h), (VALUES ('d1'), ('d2'), ('d3')) s(device)
      WHERE device = 'd1' OR (device = 'd2' AND h IN (0, 9)) OR (device = 'd3' AND h = 0)) TO 'fleet.parquet';
CALL tstable_create('fleet', time_column := 'ts', bucket := '1h', entity_columns := ['device']);
CALL tstable_append('fleet', 'fleet.parquet');
CALL tstable_expect('fleet', ['d1', 'd2', 'd3', 'd4']);

-- A device may be silent for twelve hours. d2 is up to 21 o'clock, d3 up to noon, d4 never was.
CREATE TEMP TABLE dead AS
SELECT device, gap_start, buckets FROM tstable_gaps('fleet', start := '2024-03-01', until := '2024-03-02', hold := INTERVAL 12 HOUR);
SELECT CASE WHEN list((device, hour(gap_start), buckets) ORDER BY device)::VARCHAR <> '[(d2, 22, 2), (d3, 13, 11), (d4, 0, 24)]'
            THEN error('unexpected: ' || list(dead)::VARCHAR) END
FROM dead;

-- The values of every hour: carried while they hold, missing afterwards.
CREATE TEMP TABLE hourly AS
FROM tstable_fill('fleet', '1h', '2024-03-01', '2024-03-02', columns := {'temperature': 'locf'}, hold := INTERVAL 12 HOUR);
SELECT CASE WHEN list((device, filled, missing) ORDER BY device)::VARCHAR <> '[(d1, 24, 0), (d2, 22, 2), (d3, 13, 11), (d4, 0, 24)]'
            THEN error('unexpected: ' || list((device, filled, missing))::VARCHAR) END
FROM (SELECT device, count(temperature) AS filled, count(*) FILTER (temperature_source = 'missing') AS missing FROM hourly GROUP BY device);

-- A dashboard asks for two devices in the morning, and is told when that would not be whole.
SELECT CASE WHEN count(*) <> 14 THEN error('unexpected: ' || count(*)) END
FROM tstable_scan('fleet', start := '2024-03-01', until := '2024-03-01 12:00', entity := ['d1', 'd2'], require := 'full', hold := INTERVAL 12 HOUR);
-- error: in 1 of 1 entities, first device='d4'
FROM tstable_scan('fleet', start := '2024-03-01', until := '2024-03-01 12:00', entity := 'd4', require := 'full', hold := INTERVAL 12 HOUR);
