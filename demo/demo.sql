-- # A table over hourly weather
-- Twelve monthly Parquet files lie in incoming/. A table is a directory; it has one row per airport and hour.
CALL tstable_create('weather', time_column := 'time_hour', bucket := '1h', entity_columns := ['origin']);

-- # Append the twelve files
-- All of them in one commit, or none.
SELECT parse_filename(file) AS file, status, version, rows, buckets_added, entities
FROM tstable_append('weather', 'incoming/*.parquet');

-- # Append them again
-- Loading twice by mistake is refused, before anything is written ...
-- expect: tstable overlap:
CALL tstable_append('weather', 'incoming/*.parquet');

-- ... and a nightly job that just offers everything it has can say so.
SELECT status, count(*) AS files
FROM tstable_append('weather', 'incoming/*.parquet', on_overlap := 'skip_file')
GROUP BY status;

-- # Query it with plain SQL
SELECT monthname(time_hour) AS month,
       round(avg(temp) FILTER (origin = 'JFK'), 1) AS "JFK °F",
       round(avg(temp) FILTER (origin = 'LGA'), 1) AS "LGA °F",
       round(avg(temp) FILTER (origin = 'EWR'), 1) AS "EWR °F",
       round(sum(precip) / 3, 1) AS "rain, inches"
FROM tstable_scan('weather')
GROUP BY month(time_hour), month
ORDER BY month(time_hour);

-- # Do I have the data?
-- Answered from the log alone: no Parquet file is opened. Each character of the timeline is about six days.
SELECT origin, expected_buckets AS hours, missing_buckets AS missing, gaps, timeline
FROM tstable_coverage('weather', start := '2013-01-01', until := '2014-01-01')
ORDER BY origin;

-- # Where are the gaps?
SELECT origin, gap_start, gap_end, buckets AS hours, position
FROM tstable_gaps('weather', start := '2013-01-01', until := '2014-01-01')
ORDER BY buckets DESC, gap_start, origin
LIMIT 10;

-- # What does a query read?
-- A week of July lies in one of the twelve files; the others are not opened.
SELECT parse_filename(s.source) AS file, s.rows, p.kept, p.reason
FROM tstable_plan('weather', start := '2013-07-01', until := '2013-07-08') p
JOIN tstable_segments('weather') s USING (segment)
ORDER BY s.index_min;

SELECT origin, count(*) AS hours, min(temp) AS coldest, max(temp) AS warmest
FROM tstable_scan('weather')
WHERE time_hour >= '2013-07-01' AND time_hour < '2013-07-08'
GROUP BY origin
ORDER BY origin;

-- The same as DuckDB plans it: the scan is offered the comparison and reads July only; DuckDB checks the rows of it.
EXPLAIN
SELECT origin, max(temp)
FROM tstable_scan('weather')
WHERE time_hour >= '2013-07-01' AND time_hour < '2013-07-08'
GROUP BY origin;
