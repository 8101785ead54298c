-- A nightly load that one bad file does not stop: the sound files go in, in one version, and what was refused is put into a mail.

COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 1 HOUR * h AS ts, 'A' AS sensor, h::DOUBLE AS value FROM range(24) t(h)) TO 'night-1.parquet';
COPY (SELECT 'cut off on its way' AS line) TO 'night-2.parquet' (FORMAT csv, HEADER false);
COPY (SELECT TIMESTAMP '2024-03-01' + INTERVAL 1 HOUR * h AS ts, 'B' AS sensor, 'n/a' AS value FROM range(24) t(h)) TO 'night-3.parquet';
COPY (SELECT TIMESTAMP '2024-03-02' + INTERVAL 1 HOUR * h AS ts, 'A' AS sensor, h::DOUBLE AS value FROM range(0) t(h)) TO 'night-4.parquet';
COPY (SELECT TIMESTAMP '2024-03-02' + INTERVAL 1 HOUR * h AS ts, 'A' AS sensor, h::DOUBLE AS value FROM range(24) t(h)) TO 'night-5.parquet';

CALL tstable_create('sensors', time_column := 'ts', bucket := '1h', entity_columns := ['sensor']);

-- What was loaded before is passed over, so the job may run again.
CREATE TEMP TABLE night AS
FROM tstable_append('sensors', 'night-*.parquet', on_error := 'skip_file', on_overlap := 'skip_file', message := 'night of 2 March');

SELECT CASE WHEN list(status ORDER BY file) <> ['appended', 'refused', 'refused', 'empty', 'appended']
            THEN error('unexpected: ' || list(status ORDER BY file)::VARCHAR) END
FROM night;

-- The mail: a line for each file that somebody has to look at. Hand the file to sendmail, a chat or a ticket; no line, no mail.
COPY (SELECT parse_filename(file) || ' was not loaded: ' || replace(message, chr(10), '; ') AS line FROM night WHERE status = 'refused' ORDER BY file)
TO 'mail.txt' (FORMAT csv, HEADER false, QUOTE '');

SELECT CASE WHEN count(*) <> 2 THEN error('unexpected: ' || count(*)) END
FROM read_csv('mail.txt', header := false, delim := '\n', quote := '', columns := {'line': 'VARCHAR'})
WHERE line LIKE 'night-2.parquet was not loaded: tstable invalid argument%' OR line LIKE 'night-3.parquet was not loaded: tstable schema mismatch%';

-- The second run has the same two to tell of, and makes no version.
CREATE TEMP TABLE again AS
FROM tstable_append('sensors', 'night-*.parquet', on_error := 'skip_file', on_overlap := 'skip_file');
SELECT CASE WHEN list(DISTINCT version) <> [2] OR count(*) FILTER (status = 'already_loaded') <> 2
            THEN error('unexpected: ' || list(status ORDER BY file)::VARCHAR) END
FROM again;
