-- A collection of PyStore becomes tables, or one table with the items as entities. So that the recipe runs anywhere, two items are written
-- out by hand first, as PyStore would leave them: parts beside a file of metadata.

COPY (SELECT 'a directory for the store' AS note) TO 'store' (FORMAT csv, PER_THREAD_OUTPUT);
COPY (SELECT 'a directory for the collection' AS note) TO 'store/EOD' (FORMAT csv, PER_THREAD_OUTPUT);
COPY (SELECT 180.0::DOUBLE + d AS Close, TIMESTAMP '2024-01-01' + INTERVAL (d) DAY AS "Date" FROM range(31) t(d))
TO 'store/EOD/AAPL' (FORMAT parquet, PER_THREAD_OUTPUT, FILENAME_PATTERN 'part.{i}', KV_METADATA {pandas: '{"index_columns": ["Date"]}'});
COPY (SELECT 370.0::DOUBLE + d AS Close, TIMESTAMP '2024-01-01' + INTERVAL (d) DAY AS "Date" FROM range(31) t(d))
TO 'store/EOD/MSFT' (FORMAT parquet, PER_THREAD_OUTPUT, FILENAME_PATTERN 'part.{i}', KV_METADATA {pandas: '{"index_columns": ["Date"]}'});
COPY (SELECT '{"source": "yfinance", "_updated": "2024-02-01"}')
TO 'store/EOD/AAPL/pystore_metadata.json' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '|');
COPY (SELECT '{"source": "yfinance", "_updated": "2024-02-01"}')
TO 'store/EOD/MSFT/pystore_metadata.json' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '|');

-- One table for each item; the bucket is proposed from the rows, and the user's metadata are properties.
CALL tstable_import('store', 'tables');
SELECT CASE WHEN count(*) <> 2 THEN error('unexpected: ' || count(*) || ' tables') END
FROM tstable_list('tables') WHERE properties['source'] = 'yfinance' AND rows = 31;

-- Or one table of the collection, in which one question is asked of all items.
CALL tstable_import('store/EOD', 'eod', entity_column := 'symbol');
SELECT CASE WHEN list(symbol ORDER BY symbol) <> ['AAPL', 'MSFT'] THEN error('unexpected entities') END
FROM tstable_coverage('eod') WHERE covered_buckets = 31;
