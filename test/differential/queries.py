"""Random queries around predicates, each written twice: over the scan and over `read_parquet` of the same segments."""

import random
from dataclasses import dataclass

from .predicates import Predicates
from .tables import INTEGERS, Table, literal


@dataclass
class Case:
    # What is in doubt, for people.
    predicates: list[str]
    # The same statements over the scan and over the files; the last one has the rows.
    scan: list[str]
    files: list[str]
    # Whether rows must come in the same order. Joins have none in DuckDB, and a longer IN list becomes one.
    ordered: bool = True
    # The scan itself, as a part of a FROM clause.
    source: str = ""


@dataclass
class Sources:
    """How a table is read: `scan` and `files` as parts of a FROM clause."""

    scan: str
    files: str


def read(paths: list[str]) -> str:
    """The files as statements name them."""
    return f"read_parquet([{', '.join(repr(path) for path in paths)}], union_by_name = true)"


def sources(rng: random.Random, table: Table, paths: list[str], ranges: float) -> Sources:
    """The whole table, or, as often as `ranges` says, a range of it."""
    files = read(paths)
    if rng.random() >= ranges:
        return Sources(f"tstable_scan('{table.root}')", files)
    index, maker = table.index, Predicates(rng, table)
    ends = sorted({maker.value(index) for _ in range(2)})
    given, kept = [], []
    if len(ends) < 2 or rng.random() < 0.7:
        given.append(f"start := {_end(rng, index.type, ends[0])}")
        kept.append(f"{index.sql} >= {literal(index.type, ends[0])}")
    if len(ends) == 2 and (not given or rng.random() < 0.8):
        given.append(f"until := {_end(rng, index.type, ends[1])}")
        kept.append(f"{index.sql} < {literal(index.type, ends[1])}")
    return Sources(f"tstable_scan('{table.root}', {', '.join(given)})", f"(FROM {files} WHERE {' AND '.join(kept)})")


def _end(rng: random.Random, type: str, value: int) -> str:
    text = literal(type, value)
    if type in INTEGERS:
        return text
    return rng.choice([text, text[text.index("'") :]])


def case(rng: random.Random, table: Table, paths: list[str], ranges: float) -> Case:
    """A random query."""
    source = sources(rng, table, paths, ranges)
    shape = rng.random()
    if shape < 0.12:
        return _prepared(rng, table, source)
    if shape < 0.3:
        return _together(rng, table, source)
    predicate = Predicates(rng, table).any()
    select, end, ordered = _plain(rng, table, _joins(predicate))
    write = lambda of: [_text(f"{select} FROM {of} WHERE {predicate}{end}")]
    return Case([predicate], write(source.scan), write(source.files), ordered, source.scan)


def _text(query: str) -> str:
    # Everything as text: not a number is not equal to itself, and Python knows neither nanoseconds nor far years.
    return f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({query})"


def _joins(predicate: str) -> bool:
    """Whether DuckDB may make a join of a part of it."""
    return " IN (" in predicate or "(SELECT" in predicate


def _columns(rng: random.Random, table: Table) -> str:
    columns = [column.sql for column in table.columns]
    return ", ".join(rng.sample(columns, rng.randint(1, len(columns)))) if rng.random() < 0.7 else "*"


def _plain(rng: random.Random, table: Table, joins: bool) -> tuple[str, str, bool]:
    """The beginning and the end of a query over one predicate, which may become a join, and whether its rows have an order."""
    index = table.index.sql
    shape = rng.random()
    if shape < 0.6:
        return f"SELECT {_columns(rng, table)}", "", not joins
    if shape < 0.68 and not joins:
        return "SELECT n", f" LIMIT {rng.choice([1, 5, 100])} OFFSET {rng.choice([0, 0, 3, 200])}", True
    if shape < 0.76:
        return f"SELECT {index}, n", f" ORDER BY {index} {rng.choice(['', 'DESC'])}, n LIMIT {rng.choice([1, 10, 300])}", True
    if shape < 0.82:
        return "SELECT 7", "", True
    if shape < 0.9:
        return f"SELECT count(*), min({index}), max({index}), sum(n), count({rng.choice(table.columns).sql})", "", True
    by = rng.choice(table.columns).sql
    return f"SELECT {by} AS k, count(*), min(n), max({index})", " GROUP BY k", False


def _prepared(rng: random.Random, table: Table, source: Sources) -> Case:
    """A statement that is executed several times, with other parameters each."""
    maker = Predicates(rng, table, [])
    predicate, first = maker.numbered(maker.any())
    rows = f"SELECT {_columns(rng, table)}"
    later = [rng.sample(first, len(first)) if rng.random() < 0.3 else first for _ in range(2)]

    def write(of: str) -> list[str]:
        calls = [f"EXECUTE p({', '.join(values)})" if values else "EXECUTE p" for values in [first, *later, first]]
        return ["DEALLOCATE p", f"PREPARE p AS {_text(f'{rows} FROM {of} WHERE {predicate}')}", *calls]

    return Case([f"{predicate}  with {first}, then {later}"], write(source.scan), write(source.files), not _joins(predicate), source.scan)


def _together(rng: random.Random, table: Table, source: Sources) -> Case:
    """Several scans of one table in one query, under different predicates."""
    maker = Predicates(rng, table)
    p, q = maker.any(), maker.any()
    index = table.index.sql
    by = table.entities[0].sql if table.entities else "n % 5"
    shapes = [
        f"SELECT (SELECT count(*) FROM § WHERE {p}), (SELECT sum(n) FROM § WHERE {q}), (SELECT max(n) FROM §)",
        f"SELECT (SELECT sum(n) FROM § WHERE {p}), (SELECT sum(n) FROM § WHERE {q})",
        f"SELECT n, {index}, 1 AS k FROM § WHERE {p} UNION ALL SELECT n, {index}, 2 FROM § WHERE {q}",
        f"SELECT a.n, a.{index} FROM (FROM § WHERE {p}) a JOIN (FROM § WHERE {q}) b USING (n)",
        f"SELECT k, a.s, b.s FROM (SELECT {by} AS k, sum(n) AS s FROM § WHERE {p} GROUP BY k) a JOIN (SELECT {by} AS k, sum(n) AS s FROM § WHERE {q} GROUP BY k) b USING (k)",
        f"WITH c AS {rng.choice(['', 'NOT '])}MATERIALIZED (FROM §) SELECT (SELECT count(*) FROM c WHERE {p}), (SELECT sum(n) FROM c WHERE {q})",
        f"SELECT n FROM § WHERE ({p}) AND n IN (SELECT n FROM § WHERE {q})",
        f"SELECT n FROM § WHERE ({p}) AND n NOT IN (SELECT n FROM § WHERE {q})",
        f"SELECT a.n, b.n FROM (FROM § WHERE {p}) a LEFT JOIN (FROM § WHERE {q}) b ON a.n = b.n + 1",
        f"SELECT n FROM § WHERE {p} EXCEPT SELECT n FROM § WHERE {q}",
        f"SELECT count(*) FILTER ({p}), sum(n) FILTER ({q}) FROM §",
        f"SELECT n FROM (SELECT *, row_number() OVER (ORDER BY {index}, n) AS r FROM § WHERE {p}) WHERE {q}",
        f"SELECT n FROM (SELECT * FROM § WHERE {p}) WHERE {q}",
        f"SELECT a.n FROM (FROM § WHERE {p}) a WHERE EXISTS (SELECT 1 FROM § b WHERE b.n = a.n AND b.{index} >= a.{index} AND (SELECT count(*) > 0 FROM § WHERE {q}))",
    ]
    shape = rng.choice(shapes)
    write = lambda of: [_text(shape.replace("§", of))]
    return Case([p, q], write(source.scan), write(source.files), False, source.scan)
