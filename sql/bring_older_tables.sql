-- Tables of timeseries-table-format are read where they are, and brought along when you want to write to them. So that the recipe runs
-- anywhere, such a table is written out by hand first: a day's file, and the two commits that its library would write.

COPY (SELECT 'a directory for the table' AS note) TO 'older' (FORMAT csv, PER_THREAD_OUTPUT);
COPY (SELECT 'a directory for its log' AS note) TO 'older/_timeseries_log' (FORMAT csv, PER_THREAD_OUTPUT);
COPY (SELECT TIMESTAMP '2024-06-01' + INTERVAL (h) HOUR AS ts, 'NVDA' AS symbol, 100.0::DOUBLE + h AS close FROM range(24) t(h) WHERE h <> 9)
TO 'older/day.parquet';
SET VARIABLE meta = '"kind":{"TimeSeries":{"column":"ts","entity_columns":["symbol"],"kind":{"type":"timestamp","bucket":{"Hours":1}}}},
    "created_at":"2024-06-02T00:00:00Z","format_version":6';
COPY (SELECT '{"version":1,"base_version":0,"timestamp":"2024-06-02T00:00:00Z","actions":[{"UpdateTableMeta":{"logical_schema":null,'
    || replace(getvariable('meta'), chr(10), '') || '}}]}')
TO 'older/_timeseries_log/0000000001.json' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '|');
COPY (SELECT '{"version":2,"base_version":1,"timestamp":"2024-06-02T00:00:01Z","actions":[{"UpdateTableMeta":{"logical_schema":{"columns":'
    || '[{"name":"ts","data_type":{"Timestamp":{"unit":"Micros","timezone":null}}},{"name":"symbol","data_type":"Utf8"},'
    || '{"name":"close","data_type":"Float64"}]},' || replace(getvariable('meta'), chr(10), '')
    || '}},{"AddSegment":{"path":"day.parquet","format":"parquet","row_count":23}}]}')
TO 'older/_timeseries_log/0000000002.json' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '|');

-- In place: rows, gaps and versions, without a copy and without a byte changed.
SELECT CASE WHEN count(*) <> 23 THEN error('unexpected: ' || count(*) || ' rows') END FROM tstable_scan('older');
SELECT CASE WHEN list(gap_start) <> [TIMESTAMP '2024-06-01 09:00'] THEN error('unexpected gaps') END FROM tstable_gaps('older');

-- To go on writing, make a table of tstable of it: hard links share the bytes.
CALL tstable_import('older', 'prices');
SELECT CASE WHEN count(*) <> 0 THEN error(count(*) || ' rows differ') END
FROM (FROM tstable_scan('older') EXCEPT ALL FROM tstable_scan('prices'));
CALL tstable_set('prices', 'source', 'the older table');
