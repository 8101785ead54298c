// Loads a file into DuckDB in Node and tells how that ended, as child.py does: child.mjs FILE SETTINGS.

import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const require = createRequire(resolve(process.env.NODE_DIR, "package.json"));
const { DuckDBInstance } = require("@duckdb/node-api");
const [path, settings] = process.argv.slice(2);
const connection = await (await DuckDBInstance.create(":memory:", JSON.parse(settings))).connect();
const ask = async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();

async function use() {
  const directory = mkdtempSync(join(tmpdir(), "tstable-loading-"));
  try {
    await connection.run(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * i AS ts, i AS v FROM range(48) t(i)) TO '${directory}/f.parquet'`);
    await connection.run(`CALL tstable_create('${directory}/t', time_column := 'ts', bucket := '1h')`);
    await connection.run(`CALL tstable_append('${directory}/t', '${directory}/f.parquet')`);
    const [row] = await ask(`SELECT count(*)::INTEGER, sum(v)::INTEGER FROM tstable_scan('${directory}/t') WHERE ts >= '2024-01-02'`);
    return row;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

let told;
try {
  await connection.run(`LOAD '${path}'`);
  told = { answer: await use() };
} catch (error) {
  const [[alive]] = await ask("SELECT 42");
  told = { error: String(error.message), alive: alive === 42 };
}
console.log(JSON.stringify(told));
