"""The DuckDB that is under test, in a process of its own: takes lists of statements as lines of JSON and answers with the
rows of each, as DuckDB writes them, or with its error. Run by the Python of the host, so it needs nothing but duckdb."""

import json
import sys

import duckdb


def main() -> None:
    extension, threads = sys.argv[1], int(sys.argv[2])
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": threads})
    connection.execute(f"LOAD '{extension}'")
    for line in sys.stdin:
        print(json.dumps([answer(connection, sql) for sql in json.loads(line)]), flush=True)


def answer(connection, sql: str) -> dict:
    try:
        cursor = connection.execute(sql)
        return {"rows": cursor.fetchall() if cursor.description else []}
    except duckdb.Error as error:
        return {"error": str(error)}


main()
