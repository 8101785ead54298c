-- A universe with listings, delistings and a rename: what should be there is asked for, and nothing else is missed.

-- OLD was renamed to NEW on the 15th; GONE was delisted on the 10th; NEVER should have come and did not; B lacks a day.
COPY (SELECT DATE '2024-01-01' + d::INTEGER AS day, symbol, d::DOUBLE AS close
      FROM range(31) t(d), (VALUES ('B'), ('OLD'), ('NEW'), ('GONE')) s(symbol)
      WHERE (symbol = 'B' AND d <> 3) OR (symbol = 'OLD' AND d < 14) OR (symbol = 'NEW' AND d >= 14) OR (symbol = 'GONE' AND d < 9)) TO 'eod.parquet';
CALL tstable_create('eod', time_column := 'day', bucket := '1d', entity_columns := ['symbol']);
CALL tstable_append('eod', 'eod.parquet');

-- The universe, with the range of each symbol; NULL where there is no end to say.
CALL tstable_expect('eod', [
    {'symbol': 'B', 'start': NULL, 'until': NULL},
    {'symbol': 'OLD', 'start': NULL, 'until': DATE '2024-01-15'},
    {'symbol': 'NEW', 'start': DATE '2024-01-15', 'until': NULL},
    {'symbol': 'GONE', 'start': NULL, 'until': DATE '2024-01-10'},
    {'symbol': 'NEVER', 'start': DATE '2024-01-20', 'until': NULL}]);

-- Two symbols lack something: B a day, NEVER all that it should have.
CREATE TEMP TABLE lacking AS
SELECT symbol, missing_buckets FROM tstable_coverage('eod', start := '2024-01-01', until := '2024-02-01') WHERE missing_buckets > 0;
SELECT CASE WHEN list((symbol, missing_buckets) ORDER BY symbol)::VARCHAR <> '[(B, 1), (NEVER, 12)]'
            THEN error('unexpected: ' || list(lacking)::VARCHAR) END
FROM lacking;

-- What to ask the vendor for.
SELECT CASE WHEN sum(missing_buckets) <> 13 THEN error('unexpected: ' || sum(missing_buckets)) END
FROM tstable_backfill('eod', '2024-01-01', '2024-02-01', max_window := INTERVAL 10 DAY);

-- The history of the company under its name of today: a table of names, joined by the day on which each held.
CREATE TABLE names AS FROM (VALUES ('NEW', 'OLD', DATE '1900-01-01', DATE '2024-01-15'), ('NEW', 'NEW', DATE '2024-01-15', DATE '9999-12-31'))
    t(today, symbol, since, until);
CREATE VIEW company AS
SELECT names.today, rows.day, rows.close FROM 'eod' AS rows JOIN names USING (symbol) WHERE rows.day >= names.since AND rows.day < names.until;
SELECT CASE WHEN count(*) <> 31 OR count(DISTINCT day) <> 31 THEN error('unexpected: ' || count(*)) END FROM company WHERE today = 'NEW';

-- A backtest refuses to run on less than the whole universe.
-- error: in 2 of 5 entities, first symbol='B'
FROM tstable_scan('eod', start := '2024-01-01', until := '2024-02-01', require := 'full');
SELECT CASE WHEN count(*) <> 35 THEN error('unexpected: ' || count(*)) END
FROM tstable_scan('eod', start := '2024-01-05', until := '2024-01-20', require := 'full')
WHERE symbol <> 'GONE' OR day < DATE '2024-01-10';
