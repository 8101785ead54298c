"""The command: picks files and hosts, runs each pair in a process of its own, several at a time, and sums up.

    python3 -m slt [--host NAME]... [--jobs N] [--update] [FILE or part of a name]...

Without names a host runs as much of the suite as `packages.json` says. Ends with the line `N passed, N failed`, counting one for
each file on each host; nothing selected is a failure too."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from .hosts import HOSTS, REPOSITORY, HostSpec, find, open_host
from .runner import FileRun

TIMEOUT_S = 300
WORK = REPOSITORY / "build" / "test"
# What runs in hosts of which only a part of the suite is asked: where a fallback package in a new DuckDB could differ from
# the same package in its own (types and values that cross the C API, errors, COPY, plans of scans, the documents).
PART = ("/append/basic", "/append/copy", "/coverage/gaps", "/errors/", "/info/", "/replacement/", "/scan/", "/types/", "README.md", "SQL.md")


@dataclass
class Verdict:
    path: Path
    spec: HostSpec
    failures: list[str]
    records: int = 0
    skip_reason: str = ""
    boxes: list = field(default_factory=list)


def main() -> int:
    options = _options()
    if options.worker:
        return _work(Path(options.names[0]), find(options.host[0]), Path(options.worker))
    specs = [find(name) for name in options.host] or [spec for spec in HOSTS if spec.suite != "asked"]
    files = _select(options.names)
    if not files:
        print(f"no test matches {' '.join(options.names) or 'anything'}")
        return 1
    missing = [f"{spec.name}: {spec.bin} (make venvs)" for spec in specs if not spec.bin.exists()]
    if missing:
        print("hosts are not installed:\n  " + "\n  ".join(missing))
        return 1
    pairs = [(path, spec) for path in files for spec in specs if options.host or options.names or _in_suite(path, spec)]
    verdicts = _run_all(pairs, options.jobs)
    if options.update:
        _rewrite(verdicts)
    return _sum_up(verdicts, specs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slt", description="Runs the SQL tests in every DuckDB host.")
    parser.add_argument("names", nargs="*", help="files, or parts of their names; default: all")
    parser.add_argument("--host", action="append", default=[], help="one of " + ", ".join(spec.name for spec in HOSTS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--update", action="store_true", help="write what is displayed into the Markdown pages")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def _select(names: list[str]) -> list[Path]:
    every = sorted((REPOSITORY / "test" / "sql").rglob("*.test"))
    every += sorted((REPOSITORY / "sql").rglob("*.sql"))
    every += [page for page in (REPOSITORY / "README.md", REPOSITORY / "docs" / "SQL.md", REPOSITORY / "docs" / "SCALE.md") if page.exists()]
    given = [Path(name).resolve() for name in names if Path(name).is_file()]
    parts = [name for name in names if not Path(name).is_file()]
    matching = [path for path in every if any(part in str(path.relative_to(REPOSITORY)) for part in parts)]
    return given + matching if names else every


def _in_suite(path: Path, spec: HostSpec) -> bool:
    return spec.suite == "whole" or any(part in str(path) for part in PART)


def _run_all(pairs: list[tuple[Path, HostSpec]], jobs: int) -> list[Verdict]:
    verdicts = []
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(_spawn, path, spec) for path, spec in pairs]
        for done in as_completed(running):
            verdicts.append(done.result())
            for failure in verdicts[-1].failures:
                print(failure, "\n", flush=True)
    return verdicts


def _spawn(path: Path, spec: HostSpec) -> Verdict:
    """Runs a file on a host in a new process, so that a crash is one failed test."""
    directory = WORK / spec.name / "-".join(path.relative_to(REPOSITORY).parts if path.is_relative_to(REPOSITORY) else [path.name])
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    python = spec.bin / "python" if spec.kind == "python" else Path(sys.executable)
    command = [python, "-m", "slt", "--worker", str(directory), "--host", spec.name, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        try:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            output += f"\nstopped after {TIMEOUT_S} s"
    verdict = _verdict(path, spec, output, process.returncode)
    if not verdict.failures:
        shutil.rmtree(directory)
    return verdict


def _verdict(path: Path, spec: HostSpec, output: str, status: int) -> Verdict:
    lines = output.splitlines()
    if status == 0 and lines and lines[-1].startswith("{"):
        return Verdict(path, spec, **json.loads(lines[-1]))
    at = next((line[3:] for line in reversed(lines) if line.startswith("at ")), "0")
    rest = "\n".join(line for line in lines if not line.startswith("at "))
    return Verdict(path, spec, [f"{path}:{at}: [{spec.name}] the host process ended with status {status}\n{rest}"])


def _work(path: Path, spec: HostSpec, directory: Path) -> int:
    outcome = FileRun(path, spec, open_host(spec), directory, at=lambda line: print("at", line, flush=True)).run()
    if not outcome.records and not outcome.failures and not outcome.skip_reason:
        outcome.failures.append(f"{path}: [{spec.name}] no record was run")
    print(json.dumps({name: getattr(outcome, name) for name in ("failures", "records", "skip_reason", "boxes")}))
    return 0


def _rewrite(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if not verdict.boxes:
            continue
        lines = verdict.path.read_text(encoding="utf-8").split("\n")
        for (start, end), text in sorted(verdict.boxes, reverse=True):
            lines[start:end] = text.split("\n")
        verdict.path.write_text("\n".join(lines), encoding="utf-8")


def _sum_up(verdicts: list[Verdict], specs: list[HostSpec]) -> int:
    for spec in specs:
        own = [verdict for verdict in verdicts if verdict.spec == spec]
        failed = sum(bool(verdict.failures) for verdict in own)
        skipped = [verdict for verdict in own if not verdict.failures and not verdict.records]
        records = sum(verdict.records for verdict in own)
        print(f"{spec.name}: {len(own)} files, {records} records, {failed} files failed, {len(skipped)} skipped whole")
        for verdict in skipped:
            print(f"  skipped {verdict.path.relative_to(REPOSITORY)}: {verdict.skip_reason}")
    failed = [verdict for verdict in verdicts if verdict.failures]
    passed = [verdict for verdict in verdicts if not verdict.failures and verdict.records]
    for verdict in sorted(failed, key=lambda verdict: (str(verdict.path), verdict.spec.name)):
        print(f"FAILED {verdict.path.name} on {verdict.spec.name}")
    print(f"{len(passed)} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
