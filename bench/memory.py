"""How much memory a process needs at most for a scan of all columns, beyond what DuckDB needs for the same files. Each side runs in a
process of its own, because a process's peak never falls."""

import subprocess
import sys

PROGRAM = """
import sys, duckdb
con = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": int(sys.argv[3])})
con.execute(f"LOAD '{sys.argv[1]}'")
con.execute(f"SELECT max(COLUMNS(*)) FROM {sys.argv[2]}").fetchall()
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024)
"""
MORE_MB = 300


def scan_memory(extension: str, ours: str, theirs: str, threads: int) -> str:
    """A line with the peaks of both sources, and the verdict."""
    peaks = []
    for source in (ours, theirs):
        command = [sys.executable, "-c", PROGRAM, extension, source, str(threads)]
        peaks.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]))
    more = peaks[0] - peaks[1]
    verdict = "met" if more <= MORE_MB else "MISSED"
    return f"memory of a full scan of all columns: {peaks[0]:.0f} MB, read_parquet {peaks[1]:.0f} MB, {more:+.0f} MB (at most +{MORE_MB}: {verdict})"
