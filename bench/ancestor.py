"""Serves timeseries-table-format to the benchmark: a JSON request a line, a JSON reply a line, timed in here. Runs in an
environment of its own, so it imports nothing else of this directory."""

import json
import os
import sys
import time
from pathlib import Path

import timeseries_table_format as ttf


def main() -> None:
    tables, session = {}, ttf.Session()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = serve(tables, session, request)
        except Exception as error:  # noqa: BLE001 - the benchmark reports it
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply, default=str), flush=True)


def serve(tables: dict, session: ttf.Session, request: dict) -> dict:
    answer: object = None
    started = time.perf_counter()
    match request["do"]:
        case "create":
            tables[request["root"]] = ttf.TimeSeriesTable.create(
                table_root=request["root"], time_column=request["time_column"], bucket=request["bucket"]
            )
        case "append":
            before = files(request["root"]) if request.get("sync") else set()
            started = time.perf_counter()
            tables[request["root"]].append_parquet(request["file"])
            if request.get("sync"):
                sync(files(request["root"]) - before)
        case "register":
            session.register_tstable(request["name"], request["root"])
        case "sql":
            result = session.sql(request["query"])
            seconds = time.perf_counter() - started
            answer = result.num_rows if request.get("count_only") else [list(row.values()) for row in result.to_pylist()]
            return {"answer": answer, "seconds": seconds}
        case other:
            raise ValueError(f"no such request: {other}")
    return {"answer": answer, "seconds": time.perf_counter() - started}


def files(root: str) -> set[tuple[Path, int]]:
    """All files below a directory, and when each was written."""
    return {(path, path.stat().st_mtime_ns) for path in Path(root).rglob("*") if path.is_file()}


def sync(written: set[tuple[Path, int]]) -> None:
    """Waits for the disk as a table must that survives a power failure: every file that was written, then the directories that name it."""
    paths = [path for path, _ in written]
    for path in [*paths, *{path.parent for path in paths}]:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


if __name__ == "__main__":
    main()
