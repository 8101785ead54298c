-- Snapshots, as PyStore has them: name the state of all items of a collection, read it later, go back to it, forget it.

COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * d AS ts, 100.0 + d AS close FROM range(10) t(d)) TO 'first.parquet';
COPY (SELECT TIMESTAMP '2024-01-11' + INTERVAL 1 DAY * d AS ts, 110.0 + d AS close FROM range(10) t(d)) TO 'second.parquet';
CALL tstable_create('nasdaq/AAPL', time_column := 'ts', bucket := '1d');
CALL tstable_append('nasdaq/AAPL', 'first.parquet');

-- collection.create_snapshot('before_february'): a tag on each item.
CALL tstable_tag('nasdaq/AAPL', 'before_february');

CALL tstable_append('nasdaq/AAPL', 'second.parquet');

-- collection.item('AAPL', snapshot='before_february')
SELECT CASE WHEN count(*) <> 10 THEN error('unexpected: ' || count(*)) END
FROM tstable_scan('nasdaq/AAPL', tag := 'before_february');
-- Coverage and gaps can be asked of a snapshot too.
SELECT CASE WHEN covered_buckets <> 10 THEN error('unexpected: ' || covered_buckets) END
FROM tstable_coverage('nasdaq/AAPL', tag := 'before_february');

-- What has happened since.
SELECT CASE WHEN sum(buckets_changed) <> 10 THEN error('unexpected: ' || sum(buckets_changed)) END
FROM tstable_changes('nasdaq/AAPL', 2, 4);

-- Back to it: a new version with the old rows. Nothing is lost, version 4 is still there.
CALL tstable_restore('nasdaq/AAPL', 2);
SELECT CASE WHEN count(*) <> 10 THEN error('unexpected: ' || count(*)) END FROM 'nasdaq/AAPL';
SELECT CASE WHEN count(*) <> 20 THEN error('unexpected: ' || count(*)) END FROM tstable_scan('nasdaq/AAPL', version := 4);

-- collection.delete_snapshot('before_february')
CALL tstable_untag('nasdaq/AAPL', 'before_february');
