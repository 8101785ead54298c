// Loads the packaged extension in Node and walks once through create, append, scan, coverage and an error.
// Anything finer is tested by the SQL tests.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const require = createRequire(resolve(process.env.NODE_DIR ?? "build/node", "package.json"));
const { DuckDBInstance } = require("@duckdb/node-api");

// The package that serves this DuckDB, as tools/packages.py chooses it.
const extension = resolve(process.env.EXTENSION);
const directory = mkdtempSync(join(tmpdir(), "tstable-node-"));
const root = join(directory, "prices");
const file = join(directory, "day.parquet");

try {
  const instance = await DuckDBInstance.create(":memory:", { allow_unsigned_extensions: "true" });
  const connection = await instance.connect();
  const rows = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();

  await connection.run(`LOAD '${extension}'`);
  await connection.run(`COPY (
      SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, 'A' AS symbol, h::DOUBLE AS price
      FROM range(24) t(h) WHERE h NOT IN (5, 6)) TO '${file}'`);

  await connection.run(`CALL tstable_create('${root}', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])`);
  assert.deepEqual(await rows(`SELECT status, rows FROM tstable_append('${root}', '${file}')`), [["appended", "22"]]);
  assert.deepEqual(await rows(`SELECT count(*), sum(price) FROM tstable_scan('${root}')`), [["22", 265]]);
  assert.deepEqual(
    await rows(`SELECT symbol, missing_buckets, gaps FROM tstable_coverage('${root}')`),
    [["A", "2", "1"]],
  );
  await assert.rejects(() => connection.run(`CALL tstable_append('${root}', '${file}')`), /tstable overlap:/);
  await connection.run(`COPY (SELECT r FROM (SELECT TIMESTAMP '2024-02-01' AS ts, 'A' AS symbol, 1.5::DOUBLE AS price) r) TO '${root}' (FORMAT tstable)`);
  assert.deepEqual(await rows(`SELECT count(*), sum(price) FROM tstable_scan('${root}')`), [["23", 266.5]]);
  console.log("Node smoke test passed");
} finally {
  rmSync(directory, { recursive: true, force: true });
}
