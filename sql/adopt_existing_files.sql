-- Make a table of Parquet files that are there already, without copying them: hard links share the bytes.

COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 MINUTE * m AS ts, m % 7 AS channel, random() AS value
      FROM range(10000) t(m)) TO 'archive-2024-01.parquet';
COPY (SELECT TIMESTAMP '2024-02-01' + INTERVAL 1 MINUTE * m AS ts, m % 7 AS channel, random() AS value
      FROM range(10000) t(m)) TO 'archive-2024-02.parquet';

CALL tstable_create('archive', time_column := 'ts', bucket := '1h', schema_from := 'archive-2024-01.parquet');

-- Look first: nothing is changed by this.
SELECT CASE WHEN sum(rows) <> 20000 OR sum(covered_buckets) <> 0 THEN error('unexpected preview') END
FROM tstable_preview('archive', 'archive-*.parquet');

CALL tstable_append('archive', 'archive-*.parquet', mode := 'link');

SELECT CASE WHEN rows <> 20000 OR segments <> 2 THEN error('unexpected: ' || rows || ' rows') END FROM tstable_info('archive');

-- The files are as they were, and the rows are the same in either place.
SELECT CASE WHEN count(*) <> 0 THEN error(count(*) || ' rows differ') END
FROM (FROM read_parquet('archive-*.parquet') EXCEPT ALL FROM tstable_scan('archive'));
