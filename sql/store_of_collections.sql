-- A store of collections of items, as PyStore has them: the store is a directory, a collection a directory in it, an item a table. What
-- PyStore keeps as metadata are properties.

COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 100 + d AS open, 101 + d AS close, 1000 * d AS volume FROM range(60) t(d)) TO 'aapl.parquet';
COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 50 + d AS open, 51 + d AS close, 2000 * d AS volume FROM range(60) t(d)) TO 'msft.parquet';
COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 4 + d / 100 AS open, 4 + d / 100 AS close, 0 AS volume FROM range(60) t(d)) TO 'us10y.parquet';

-- collection.write(item, data, metadata): a table, its rows, its properties.
CALL tstable_create('mystore/nasdaq/AAPL', time_column := 'ts', bucket := '1d');
CALL tstable_append('mystore/nasdaq/AAPL', 'aapl.parquet');
CALL tstable_set('mystore/nasdaq/AAPL', 'source', 'quandl');
CALL tstable_set('mystore/nasdaq/AAPL', 'currency', 'USD');

CALL tstable_create('mystore/nasdaq/MSFT', time_column := 'ts', bucket := '1d');
CALL tstable_append('mystore/nasdaq/MSFT', 'msft.parquet');
CALL tstable_set('mystore/nasdaq/MSFT', 'source', 'yahoo');

CALL tstable_create('mystore/rates/US10Y', time_column := 'ts', bucket := '1d');
CALL tstable_append('mystore/rates/US10Y', 'us10y.parquet');
CALL tstable_set('mystore/rates/US10Y', 'source', 'quandl');

-- store.list_collections(): the directories above the items.
CREATE TEMP TABLE collections AS
SELECT DISTINCT string_split(root, '/')[2] AS collection FROM tstable_list('mystore');
SELECT CASE WHEN list(collection ORDER BY collection) <> ['nasdaq', 'rates'] THEN error('unexpected: ' || list(collection)::VARCHAR) END
FROM collections;

-- collection.list_items(): and with a query on metadata, collection.list_items(source='quandl'), over one collection or the whole store.
CREATE TEMP TABLE items AS
SELECT parse_filename(root) AS item, rows, index_max, properties FROM tstable_list('mystore/nasdaq');
SELECT CASE WHEN list(item ORDER BY item) <> ['AAPL', 'MSFT'] THEN error('unexpected: ' || list(item)::VARCHAR) END FROM items;

CREATE TEMP TABLE from_quandl AS
SELECT parse_filename(root) AS item FROM tstable_list('mystore') WHERE properties['source'] = 'quandl';
SELECT CASE WHEN list(item ORDER BY item) <> ['AAPL', 'US10Y'] THEN error('unexpected: ' || list(item)::VARCHAR) END FROM from_quandl;

-- item.metadata
SELECT CASE WHEN properties['currency'] <> 'USD' THEN error('unexpected: ' || properties::VARCHAR) END
FROM tstable_list('mystore/nasdaq/AAPL');

-- A whole collection in one statement, as a frame of all of its items; and the store under one name, to come back to.
SELECT CASE WHEN list(item || ' ' || n ORDER BY item) <> ['AAPL 60', 'MSFT 60'] THEN error('unexpected: ' || list(item || ' ' || n)::VARCHAR) END
FROM (SELECT parse_filename(root) AS item, count(*) AS n
      FROM tstable_scan('mystore/nasdaq/*', root_column := 'root') GROUP BY root);
CALL tstable_tag('mystore/**', 'before cleaning');
CALL tstable_delete('mystore/nasdaq/MSFT', TIMESTAMP '2024-01-01', TIMESTAMP '2024-02-01');
SELECT CASE WHEN count(*) <> 180 THEN error('unexpected: ' || count(*)::VARCHAR) END
FROM tstable_scan('mystore/**', tag := 'before cleaning');
