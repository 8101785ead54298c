"""Checks against DuckDB: random predicates over random rows violate in the table just where DuckDB's own expression is false.

CASES=n for more, SEED=n for others."""

import os
import random

import pyarrow as pa
import pyarrow.parquet as pq

from harness import Comparison, Tables

CASES = int(os.environ.get("CASES", "150"))
SEED = int(os.environ.get("SEED", "14"))
ROWS = 60
TEXTS = ["", "a", "ab", "Ab", "a-1", "é", "日本", "x\ny", "٣", "a_b", "[&~]", "-", " a ", "K", "12.5"]
PATTERNS = [r"^a", r"b$", r"\d", r"^\w+$", r"\s", "(?i)k", "a.b", "^.$", "[^a]", "[[:upper:]]", r"\bb", "x.y", "(?s)x.y", "a|é", "^[&~[]", "{", r"\W", "^$", "(a)(b)?", r"[\d.]+"]
NUMBERS = {
    "small": (pa.int32(), [0, 1, -1, 2, 7, 2147483647, -2147483648]),
    "big": (pa.int64(), [0, 1, -3, 10, 9223372036854775807, -9223372036854775808]),
    "unsigned": (pa.uint64(), [0, 1, 5, 18446744073709551615]),
    "money": (pa.decimal128(12, 2), ["0.00", "1.10", "-2.55", "100.00", "9999999999.99"]),
    "single": (pa.float32(), [0.0, -0.0, 1.5, -2.25, 3.4e38, float("nan"), float("inf")]),
    "double": (pa.float64(), [0.0, -0.0, 0.1, -7.5, 1e308, float("nan"), float("-inf")]),
}
LITERALS = ["0", "1", "-2", "2.5", "10", "0.1"]


def column(pick, ty, values):
    from decimal import Decimal

    make = Decimal if pa.types.is_decimal(ty) else (lambda value: value)
    return pa.array([None if pick.random() < 0.15 else make(pick.choice(values)) for _ in range(ROWS)], ty)


def number(pick, depth):
    roll = pick.random()
    if depth == 0 or roll < 0.35:
        return pick.choice(list(NUMBERS))
    if roll < 0.45:
        return f"({number(pick, depth - 1)} + {pick.choice(LITERALS)})"
    if roll < 0.70:
        sign = pick.choice("+-*/")
        # Which zero greatest and least give is not promised, and a division by it shows that.
        right = number(pick, depth - 1 if sign != "/" else 0)
        return f"({number(pick, depth - 1)} {sign} {right})"
    if roll < 0.80:
        return f"abs({number(pick, depth - 1)})"
    if roll < 0.86:
        return "length(text)"
    parts = ", ".join(number(pick, depth - 1) for _ in range(pick.randint(2, 3)))
    return f"{pick.choice(['greatest', 'least'])}({parts})"


def predicate(pick, depth):
    roll = pick.random()
    if depth > 0 and roll < 0.35:
        return f"({predicate(pick, depth - 1)} {pick.choice(['AND', 'OR'])} {predicate(pick, depth - 1)})"
    if depth > 0 and roll < 0.42:
        return f"NOT ({predicate(pick, depth - 1)})"
    if roll < 0.57:
        return f"regexp_matches(text, '{pick.choice(PATTERNS)}')"
    if roll < 0.64:
        return f"text {pick.choice(['=', '<>', '<', '>='])} {pick.choice(['other', repr(pick.choice(['a', 'é', ''])) ])}"
    if roll < 0.71:
        return f"{number(pick, 1)} IS {pick.choice(['', 'NOT '])}NULL"
    if roll < 0.79:
        return f"{number(pick, 1)} {pick.choice(['', 'NOT '])}BETWEEN {number(pick, 1)} AND {number(pick, 1)}"
    return f"{number(pick, 2)} {pick.choice(['=', '<>', '<', '<=', '>', '>='])} {number(pick, 2)}"


def table(pick):
    columns = {"n": pa.array(range(ROWS), pa.int64())}
    columns.update({name: column(pick, *kind) for name, kind in NUMBERS.items()})
    for name in ("text", "other"):
        columns[name] = column(pick, pa.string(), TEXTS)
    return pa.table(columns)


def expected(tables, file, text):
    """The rows that DuckDB keeps, and those in which it cannot compute: overflow is its error, and here a value of 128 bits."""
    kept, unknown = [], []
    for n in range(ROWS):
        try:
            (result,) = tables.con.execute(f"SELECT {text} FROM '{file}' WHERE n = {n}").fetchone()
        except Exception as error:  # every kind of overflow, each with a class of its own
            if not any(word in str(error) for word in ("Overflow", "overflow", "out of range", "Out of Range", "Cannot take absolute", "not in range", "Could not cast")):
                raise
            unknown.append(n)
            continue
        if result is not False:
            kept.append(n)
    return kept, unknown


def main() -> None:
    pick = random.Random(SEED)
    with Tables() as tables:
        comparison = Comparison(f"checks and DuckDB's expressions (seed {SEED})", CASES // 2)
        for number_ in range(CASES):
            rows, text = table(pick), predicate(pick, 2)
            file, root = tables.path / f"c{number_}.parquet", tables.path / f"c{number_}"
            pq.write_table(rows, file)
            tables.con.execute(f"CALL tstable_create('{root}', time_column := 'n', bucket := '10', schema_from := '{file}')")
            quoted = text.replace("'", "''")
            try:
                tables.con.execute(f"FROM tstable_check('{root}', 'c', '{quoted}')")
            except Exception as error:  # what is refused at definition compares nothing
                if "the predicate" not in str(error):
                    raise
                continue
            kept, unknown = expected(tables, file, text)
            tables.con.execute(f"CALL tstable_append('{root}', '{file}', on_violation := 'skip_rows')")
            found = [n for (n,) in tables.rows(f"SELECT n FROM tstable_scan('{root}') ORDER BY n") if n not in unknown]
            comparison.case(text, found, kept)
        comparison.finish()


if __name__ == "__main__":
    main()
