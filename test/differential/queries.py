"""Random queries around predicates, each written twice: over the scan and over `read_parquet` of the same segments. Half of them
name the table by its path: there filters are accepted and leave the plan, so every shape counts in which DuckDB copies, merges or
re-binds a plan."""

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


# Without it DuckDB 2.0 fails internally over a semi join above any scan that takes no filters of DuckDB's own kind.
NEEDED = {"column_lifetime"}


@dataclass
class Sources:
    """How a table is read: `scan` and `files` as parts of a FROM clause."""

    scan: str
    files: str
    # The scan as a call, whatever `scan` is.
    call: str = ""


def read(paths: list[str]) -> str:
    """The files as statements name them."""
    return f"read_parquet([{', '.join(repr(path) for path in paths)}], union_by_name = true)"


def sources(rng: random.Random, table: Table, paths: list[str], ranges: float) -> Sources:
    """The whole table, or, as often as `ranges` says, a range of it."""
    files = read(paths)
    if rng.random() >= ranges:
        call = f"tstable_scan('{table.root}')"
        return Sources(f"'{table.root}'" if rng.random() < 0.6 else call, files, call)
    index, maker = table.index, Predicates(rng, table)
    ends = sorted({maker.value(index) for _ in range(2)})
    given, kept = [], []
    if len(ends) < 2 or rng.random() < 0.7:
        given.append(f"start := {_end(rng, index.type, ends[0])}")
        kept.append(f"{index.sql} >= {literal(index.type, ends[0])}")
    if len(ends) == 2 and (not given or rng.random() < 0.8):
        given.append(f"until := {_end(rng, index.type, ends[1])}")
        kept.append(f"{index.sql} < {literal(index.type, ends[1])}")
    call = f"tstable_scan('{table.root}', {', '.join(given)})"
    return Sources(call, f"(FROM {files} WHERE {' AND '.join(kept)})", call)


def _end(rng: random.Random, type: str, value: int) -> str:
    text = literal(type, value)
    if type in INTEGERS:
        return text
    return rng.choice([text, text[text.index("'") :]])


def case(rng: random.Random, table: Table, paths: list[str], ranges: float, optimizers: list[str]) -> Case:
    """A random query, often with one of the host's `optimizers` switched off: what comes of a plan must not depend on any of them."""
    made = _case(rng, table, paths, ranges)
    if rng.random() < 0.35:
        name = rng.choice([name for name in optimizers if name not in NEEDED])
        for statements in (made.scan, made.files):
            statements[:] = [f"SET disabled_optimizers = '{name}'", *statements, "RESET disabled_optimizers"]
    return made


def _case(rng: random.Random, table: Table, paths: list[str], ranges: float) -> Case:
    source = sources(rng, table, paths, ranges)
    shape = rng.random()
    if shape < 0.12:
        return _prepared(rng, table, source)
    if shape < 0.35:
        return _together(rng, table, source)
    if shape < 0.4:
        return _views(rng, table, source)
    predicate = Predicates(rng, table).filter()
    select, end, ordered = _plain(rng, table, _joins(predicate))
    write = lambda of: [_text(f"{select} FROM {of} WHERE {predicate}{end}")]
    return Case([predicate], write(source.scan), write(source.files), ordered, source.call)


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
    column = rng.choice(table.columns)
    # Which of the two zeros stands for the group of both is up to the threads.
    by = f"if({column.sql} = 0, 0, {column.sql})" if column.type in ("FLOAT", "DOUBLE") else column.sql
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

    return Case([f"{predicate}  with {first}, then {later}"], write(source.scan), write(source.files), not _joins(predicate), source.call)


def growing(rng: random.Random, table: Table, paths: list[str]) -> tuple[list[str], list[Case]]:
    """Statements that prepare queries, and those queries as they are executed when the table has these files."""
    statements, cases = [], []
    for number in range(4):
        maker = Predicates(rng, table)
        predicate, end = maker.filter(), f" WHERE ({maker.filter()})" if number % 2 else ""
        shape = f"SELECT n FROM (FROM § WHERE {predicate}){end}"
        source = f"'{table.root}'" if rng.random() < 0.6 else f"tstable_scan('{table.root}')"
        statements.append(f"PREPARE g{number} AS {_text(shape.replace('§', source))}")
        cases.append(Case([predicate + end], [f"EXECUTE g{number}"], [_text(shape.replace("§", read(paths)))], False, source))
    return statements, cases


def _together(rng: random.Random, table: Table, source: Sources) -> Case:
    """Several scans of one table in one query, under different predicates."""
    maker = Predicates(rng, table)
    p, q = maker.filter(), maker.filter()
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
        f"SELECT n, count(*) OVER (PARTITION BY {by}) AS c, max(n) OVER (PARTITION BY {by}) AS m FROM § WHERE {p}",
        f"SELECT * FROM (SELECT n, {index}, sum(n) OVER (PARTITION BY {by}) AS s FROM § WHERE {p}) WHERE {index} IN (SELECT {index} FROM § WHERE {q})",
        f"WITH RECURSIVE r(i_, m_) AS (SELECT 0, n FROM § WHERE {p} UNION ALL SELECT i_ + 1, n FROM r JOIN § ON n = m_ + 1 WHERE i_ < 3 AND ({q})) SELECT i_, m_ FROM r",
        f"SELECT a.m_, b.c_ FROM (SELECT n AS m_ FROM § WHERE {p} ORDER BY n LIMIT 5) a, LATERAL (SELECT count(*) AS c_ FROM § WHERE n >= a.m_ AND ({q})) b",
        f"SELECT count(DISTINCT {by}), sum(DISTINCT n % 7), count(*), count(DISTINCT n) FROM § WHERE {p}",
        f"SELECT {by} AS k, n % 3 AS m, count(*) FROM § WHERE {p} GROUP BY GROUPING SETS ((k), (m), (k, m), ())",
        f"SELECT a.n, b.n FROM (FROM § WHERE {p}) a FULL JOIN (FROM § WHERE {q}) b ON a.n = b.n + 1",
        f"SELECT a.n FROM (FROM § WHERE {p}) a SEMI JOIN (FROM § WHERE {q}) b ON a.n = b.n",
        f"SELECT n FROM § WHERE {p} INTERSECT SELECT n FROM § WHERE {q}",
        f"WITH c AS {rng.choice(['', 'NOT '])}MATERIALIZED (FROM § WHERE {p}) SELECT (SELECT count(*) FROM c), (SELECT sum(n) FROM c WHERE {q}), (SELECT max(n) FROM c WHERE {p})",
        f"WITH c AS (FROM § WHERE {p}), d AS (FROM c WHERE {q}) SELECT c.n, d.n FROM c LEFT JOIN d USING (n)",
        f"SELECT (SELECT count(*) FROM § WHERE {p}), (SELECT count(*) FROM § WHERE {p}), (SELECT count(*) FROM § WHERE {q})",
        f"SELECT a.n FROM (FROM § WHERE {p}) a WHERE EXISTS (SELECT 1 FROM § b WHERE b.n = a.n AND b.{index} >= a.{index} AND (SELECT count(*) > 0 FROM § WHERE {q}))",
    ]
    shape = rng.choice(shapes)
    write = lambda of: [_text(shape.replace("§", of))]
    return Case([p, q], write(source.scan), write(source.files), False, source.call)


def _views(rng: random.Random, table: Table, source: Sources) -> Case:
    """A view over a view, read twice."""
    maker = Predicates(rng, table)
    p, q, r = maker.filter(), maker.filter(), maker.filter()
    queries = [
        f"SELECT n FROM outer_view WHERE {r}",
        f"SELECT (SELECT count(*) FROM outer_view WHERE {r}), (SELECT sum(n) FROM inner_view), (SELECT max(n) FROM inner_view WHERE {r})",
        f"SELECT a.n FROM outer_view a JOIN (FROM inner_view WHERE {r}) b USING (n)",
        "SELECT n FROM inner_view EXCEPT SELECT n FROM outer_view",
    ]
    query = rng.choice(queries)

    def write(of: str) -> list[str]:
        views = [f"CREATE OR REPLACE TEMP VIEW inner_view AS FROM {of} WHERE {p}", f"CREATE OR REPLACE TEMP VIEW outer_view AS FROM inner_view WHERE {q}"]
        return ["DROP VIEW IF EXISTS outer_view", *views, _text(query)]

    return Case([p, q, r], write(source.scan), write(source.files), False, source.call)
