"""The same rows in other programs, asked the same questions in one run: a table of DuckDB's own, DuckLake, delta-rs, chdb, ArcticDB and
the newest timeseries-table-format. Each is a process in an environment of its own (`build/venv/.venv-peer-<name>`); one that is not there,
or does not take the rows, is a line that says so.

    build/venv/.venv-bench/bin/python bench/peers.py [--days N] [--rounds N] [name]..."""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from generate import DATA, daily_files
from measure import Program, same, table
from peer import PEERS, QUESTIONS

REPOSITORY = Path(__file__).resolve().parent.parent
VENVS = Path(os.environ.get("TSTABLE_VENVS", REPOSITORY / "build" / "venv"))
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402


class Peer(Program):
    """One of them. The two that are DuckDB run in the environment of this program."""

    def __init__(self, name: str):
        python = sys.executable if PEERS[name][1] == "duckdb" else VENVS / f".venv-peer-{name}" / "bin" / "python"
        if not Path(python).exists():
            raise RuntimeError(f"not installed (make bench-peers installs it into {Path(python).parents[1].name})")
        command = [python, Path(__file__).with_name("peer.py"), name]
        super().__init__(name, command, stderr=subprocess.DEVNULL)


class Ours:
    """tstable in this process: the range by `start` and `until`, and the newest rows by `tstable_latest`, as its documents advise."""

    def __init__(self, files: list[str]):
        self.con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
        self.con.execute("SET enable_progress_bar = false")
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute(f"LOAD '{packages.built(duckdb.__version__, os.environ.get('PROFILE', 'release'))}'")
        self.root = DATA / "tables" / f"peers-{len(files)}"
        if not self.root.exists():
            self.con.execute(f"CALL tstable_create('{self.root}', time_column := 'pickup_datetime', bucket := '1h')")
            self.con.execute(f"CALL tstable_append('{self.root}', {files}, mode := 'link')")

    def ask(self, question: str) -> tuple[list, float]:
        sql = QUESTIONS[question].format(t=f"tstable_scan('{self.root}')")
        if question == "newest 10":
            sql = f"SELECT pickup_datetime FROM tstable_latest('{self.root}', n := 10)"
        if "WHERE pickup_datetime >= TIMESTAMP " in sql:
            ends = sql.split("TIMESTAMP ")[1:]
            start, until = (end.split("'")[1] for end in ends)
            condition = f"pickup_datetime >= TIMESTAMP '{start}' AND pickup_datetime < TIMESTAMP '{until}'"
            sql = sql.replace("')", f"', start := '{start}', until := '{until}')", 1).replace(condition, "true")
        started = time.perf_counter()
        rows = self.con.execute(sql).fetchall()
        return rows, time.perf_counter() - started


def plain(rows: object) -> list:
    """Rows as lists whose times and numbers read alike."""
    return [[float(value) if isinstance(value, (int, float)) else str(value)[:19].replace("T", " ") for value in row] for row in rows]


def asked(ours: Ours, peer: Peer, name: str, version: object, rounds: int) -> list[list[str]]:
    lines = []
    for question in QUESTIONS:
        try:
            times: tuple[list, list] = ([], [])
            for _ in range(rounds + 1):
                (mine, my_seconds), (theirs, seconds) = ours.ask(question), peer.call(do="ask", question=question)
                if not same(plain(mine), plain(theirs)):
                    raise RuntimeError(f"answers differ: {str(plain(mine))[:60]} and {str(plain(theirs))[:60]}")
                times[0].append(my_seconds * 1000)
                times[1].append(seconds * 1000)
            left, right = (statistics.median(side[1:]) for side in times)
            lines.append([f"{name} {version}", question, f"{left:.1f}", f"{right:.1f}", f"{left / right:.2f}"])
        except RuntimeError as problem:
            lines.append([f"{name} {version}", question, "", "", str(problem)])
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Asks other programs the same questions about the same rows.")
    parser.add_argument("names", nargs="*", default=list(PEERS), help=f"of {', '.join(PEERS)}; default: all")
    parser.add_argument("--days", type=int, default=len(daily_files()))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    files = [str(path) for path in daily_files()[: options.days]]
    ours, lines = Ours(files), []
    for name in options.names:
        print(f"  {name} ...", file=sys.stderr, flush=True)
        try:
            peer = Peer(name)
            version, seconds = peer.call(do="load", root=str(DATA / "peers" / name), files=files)
            lines.append([f"{name} {version}", f"takes {len(files)} days in", "", f"{seconds * 1000:.0f}", ""])
            lines += asked(ours, peer, name, version, options.rounds)
            peer.close()
        except RuntimeError as problem:
            lines.append([name, "", "", "", str(problem)])
    print(table(lines, ["peer", "question", "tstable ms", "peer ms", "ratio"], (0, 1)))
    return 1 if any("differ" in line[-1] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
