"""The pruned scan against `read_parquet` of the same segments, over random tables and predicates.

    python3 -m differential [--host NAME] [--predicates N] [--ranges SHARE] [--seed S] [--table T [--case K]]

Ends with an error when a query gives other rows, and when nothing was skipped, so that the test cannot pass by never pruning. A
failure prints what is needed to see it again."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from slt.hosts import REPOSITORY, HostSpec, find

from .queries import Case, case, growing, read
from .tables import Table, make

CASES_PER_TABLE = 50
# What expressions over values raise in DuckDB itself.
HOST_ERRORS = ("Conversion Error: ", "Out of Range Error: ")
WORK = REPOSITORY / "build" / "differential"
# At most these shares of all segments and row groups may be read, or pruning has regressed, and so many results may be errors.
MOST_SEGMENTS, MOST_ROW_GROUPS, MOST_RAISED = 0.85, 0.75, 0.03
# So many filters at least are accepted by each scan on average.
LEAST_ACCEPTED = 0.1


class Child:
    """A host in a process of its own."""

    def __init__(self, spec: HostSpec, threads: int, checked: bool):
        # Every row is then held against the filters that were accepted, which no plan shows any more.
        environment = os.environ | ({"TSTABLE_CHECK_ROWS": "1"} if checked else {})
        command = [spec.bin / "python", Path(__file__).with_name("child.py"), spec.extension, str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, *statements: str) -> list[dict]:
        """What each statement answers; an error for all of them when the host dies."""
        try:
            self._process.stdin.write(json.dumps(statements) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else [{"error": f"the host ended with status {self._process.wait()}", "died": True}] * len(statements)

    def rows(self, sql: str) -> list:
        answer = self.run(sql)[0]
        if "error" in answer:
            raise Failure(f"{sql}\n  {answer['error']}")
        return answer["rows"]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


class Failure(Exception):
    """A query gave other rows than it should, or none at all."""


def main() -> int:
    options = _options()
    spec = find(options.host)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"{spec.name}: seed {seed}", flush=True)
    began, totals, failures = time.monotonic(), Counter(), 0
    numbers = [options.table] if options.table is not None else range(10**6)
    for number in numbers:
        only = range(CASES_PER_TABLE) if options.case is None else [options.case]
        failures += _table(spec, seed, number, only, options, totals)
        if totals["compared"] >= options.predicates or failures >= options.failures:
            break
    print(_summary(totals, time.monotonic() - began))
    if failures:
        print(f"FAILED: {failures} differ")
        return 1
    return 0 if options.table is not None else _pruned_enough(totals, spec)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="differential", description="Compares the scan with read_parquet.")
    parser.add_argument("--host", default="newest", help="a Python host of the SQL tests, or newest")
    parser.add_argument("--predicates", type=int, default=3000)
    parser.add_argument("--ranges", type=float, default=0.15, help="share of queries with start and until")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--table", type=int)
    parser.add_argument("--case", type=int)
    parser.add_argument("--failures", type=int, default=1, help="stop after so many")
    return parser.parse_args()


def _table(spec: HostSpec, seed: int, number: int, cases, options: argparse.Namespace, totals: Counter) -> int:
    """Makes a table and compares; the number of failures."""
    directory = WORK / f"{spec.name}-{seed}-{number}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    table = make(random.Random(f"{seed} {number}"), directory)
    child, failures = Child(spec, table.threads, number % 2 == 0), 0
    try:
        paths = _load(child, table, spec)
        totals["tables"] += 1
        optimizers = sorted(name for (name,) in child.rows("FROM duckdb_optimizers()"))
        for chosen in cases:
            query = case(random.Random(f"{seed} {number} {chosen}"), table, paths, options.ranges, optimizers)
            try:
                _compare(child, query, paths, totals)
                if "filters" not in spec.package.can:
                    _count_plan(child, query, totals)
            except Failure as failure:
                failures += 1
                _report(spec, seed, number, chosen, table, query, failure)
                if failures >= options.failures:
                    break
        if options.case is None and not failures:
            _grow(child, table, f"{seed} {number} grown", paths, totals)
        _count_pruning(child, spec, totals)
    except Failure as failure:
        failures += 1
        _report(spec, seed, number, None, table, None, failure)
    finally:
        child.close()
    if not failures:
        shutil.rmtree(directory)
    return failures


def _grow(child: Child, table: Table, seed: str, paths: list[str], totals: Counter) -> None:
    """Queries that are prepared once and executed before and after the table has grown."""
    prepare, before = growing(random.Random(seed), table, paths)
    # What DuckDB does not bind, it binds over files neither.
    bound = ["error" not in answer for answer in child.run(*prepare)]
    grown = table.directory / "grown.parquet"
    child.rows(f"COPY (SELECT * REPLACE (n + 1000000 AS n) FROM read_parquet('{table.directory / 'f0.parquet'}')) TO '{grown}'")
    for query, is_bound in zip(before, bound, strict=True):
        if is_bound:
            _compare(child, query, paths, totals)
    child.rows(f"CALL tstable_append('{table.root}', '{grown}', on_overlap := 'allow')")
    paths = [str(table.root / path) for (path,) in child.rows(f"SELECT path FROM tstable_segments('{table.root}')")]
    child.run("DROP TABLE IF EXISTS files")
    for query, is_bound in zip(growing(random.Random(seed), table, paths)[1], bound, strict=True):
        if is_bound:
            _compare(child, query, paths, totals)
    totals["grown"] += 1


def _load(child: Child, table: Table, spec: HostSpec) -> list[str]:
    """Loads the table and gives the segments' files in the order that a scan reads them in, having compared all rows."""
    for statement in table.statements:
        child.rows(statement)
    if "filters" in spec.package.can:
        child.rows("CALL enable_logging()")
    order = child.rows(f"SELECT _segment, n FROM tstable_scan('{table.root}', provenance := true)")
    path_of = dict(child.rows(f"SELECT segment, path FROM tstable_segments('{table.root}')"))
    paths = [str(table.root / path_of[segment]) for segment in dict.fromkeys(segment for segment, _ in order)]
    read = child.rows(f"SELECT n FROM read_parquet({paths}, union_by_name = true)")
    if [n for _, n in order] != [n for (n,) in read]:
        raise Failure("the whole table comes in another order, or with other rows, than its files")
    return paths


def _compare(child: Child, query: Case, paths: list[str], totals: Counter) -> None:
    scan, files = child.run(*query.scan), child.run(*query.files)
    try:
        counted = _judge(scan, files, query)
    except Failure:
        # The reader of Parquet prunes too, and is wrong at times: what the same rows say in a table of DuckDB's own decides. There
        # statistics must not be asked either: from those of a TIMESTAMP_NS in 2134 DuckDB concludes that no year is 2134.
        child.run(f"CREATE TEMP TABLE IF NOT EXISTS files AS FROM {read(paths)}")
        # The same where a filter stands at the table's own scan, whose statistics it asks, and where the query switches off another optimizer.
        unasked = "statistics_propagation,filter_pushdown"
        child.run(f"SET disabled_optimizers = '{unasked}'")
        others = "SET disabled_optimizers = '"
        decided = child.run(*(sql.replace(read(paths), "files").replace(others, f"{others}{unasked},") for sql in query.files))
        child.run("RESET disabled_optimizers")
        counted = _judge(scan, decided, query)
        totals["read_parquet was wrong"] += 1
    totals.update(counted)


def _judge(scan: list[dict], files: list[dict], query: Case) -> Counter:
    """Counts the statements that agree; fails at the first that does not."""
    counted = Counter()
    for found, expected, sql in zip(scan, files, query.scan, strict=True):
        if found.get("died"):
            raise Failure(f"{sql}\n  {found['error']}")
        if "error" in expected and "Parser Error" in expected["error"]:
            raise Failure(f"the test makes no SQL: {expected['error']}")
        if "error" in expected:
            counted["raised" if "error" in found else "spared"] += 1
        elif "error" in found and found["error"].startswith(HOST_ERRORS):
            # Which rows an expression is evaluated for, and so whether it raises, is up to the plan.
            counted["raised by the scan alone"] += 1
        elif "error" in found:
            raise Failure(f"{sql}\n  {found['error']}")
        elif not sql.startswith(("DEALLOCATE", "PREPARE", "SET", "RESET", "CREATE", "DROP")):
            _same(found["rows"], expected["rows"], query.ordered, sql)
            counted.update({"compared": 1, "rows": len(expected["rows"])})
    return counted


def _same(found: list, expected: list, ordered: bool, sql: str) -> None:
    if not ordered:
        found, expected = sorted(found, key=repr), sorted(expected, key=repr)
    if found == expected:
        return
    missing = list((Counter(map(repr, expected)) - Counter(map(repr, found))).elements())
    surplus = list((Counter(map(repr, found)) - Counter(map(repr, expected))).elements())
    shown = [f"{len(found)} rows instead of {len(expected)}", *(f"missing {row}" for row in missing[:5]), *(f"surplus {row}" for row in surplus[:5])]
    raise Failure(f"{sql}\n  " + "\n  ".join(shown if missing or surplus else ["the same rows in another order"]))


def _count_plan(child: Child, query: Case, totals: Counter) -> None:
    """What the plan of the same range skips: DuckDB 1.x has no log for extensions."""
    plan = query.source.replace("tstable_scan(", "tstable_plan(")
    every, kept = child.rows(f"SELECT count(*), count(*) FILTER (kept) FROM {plan}")[0]
    totals.update({"scans": 1, "segments": every, "segments read": kept})


def _count_pruning(child: Child, spec: HostSpec, totals: Counter) -> None:
    """What the log says was skipped."""
    if "filters" not in spec.package.can:
        return
    for (message,) in child.rows("SELECT message FROM duckdb_logs WHERE type = 'tstable' AND message LIKE '{%'"):
        record = json.loads(message)
        if record["event"] == "scan":
            counted = {"segments": "segments", "segments read": "segments_kept", "row groups": "row_groups"}
            totals.update({name: record[key] for name, key in counted.items()})
            totals.update({"scans": 1, "used": len(record["used"]), "ignored": len(record["ignored"]), "accepted": len(record.get("accepted", []))})
        else:
            totals["row groups read"] += record["row_groups_read"]


def _report(spec: HostSpec, seed: int, number: int, chosen: int | None, table: Table, query: Case | None, failure: Failure) -> None:
    print(f"\nFAILED {spec.name} --seed {seed} --table {number}" + (f" --case {chosen}" if chosen is not None else ""))
    print(f"table: index {table.index.type}, columns {[(c.name, c.type) for c in table.columns]}, zone {table.zone}, {table.threads} threads")
    print("\n".join(f"  {line}" for line in [*table.recipe, *table.statements]))
    for predicate in query.predicates if query else []:
        print(f"predicate: {predicate}")
    print(failure, flush=True)


def _summary(totals: Counter, seconds: float) -> str:
    parts = [f"{totals['compared']} results of {totals['rows']} rows agree over {totals['tables']} tables in {seconds:.0f} s"]
    parts += [f"{totals['raised']} raised on both sides, {totals['spared']} on the unpruned side alone, {totals['raised by the scan alone']} on the scan's alone, read_parquet was wrong {totals['read_parquet was wrong']} times"]
    if totals["scans"]:
        parts.append(f"segments read {totals['segments read']} of {totals['segments']}, row groups read {totals['row groups read']} of {totals['row groups']}")
        parts.append(f"predicates used {totals['used']}, ignored {totals['ignored']}, accepted {totals['accepted']}")
    return "\n".join(parts)


def _pruned_enough(totals: Counter, spec: HostSpec) -> int:
    """Whether the run as a whole proves something."""
    if "filters" in spec.package.can and totals["accepted"] < LEAST_ACCEPTED * totals["scans"]:
        print(f"FAILED: only {totals['accepted']} filters were accepted by {totals['scans']} scans")
        return 1
    if totals["raised by the scan alone"] > MOST_RAISED * totals["compared"]:
        print(f"FAILED: {totals['raised by the scan alone']} queries raised an error over the scan alone")
        return 1
    for what, most in (("segments", MOST_SEGMENTS), ("row groups", MOST_ROW_GROUPS)):
        if totals[f"{what} read"] > most * totals[what]:
            print(f"FAILED: {totals[f'{what} read']} of {totals[what]} {what} were read, more than a share of {most}: pruning does too little")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
