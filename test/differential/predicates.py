"""Random predicates over the columns of a table, in every form that users write: comparisons in either order, ranges, lists,
NULLs, casts, functions of time, text and numbers, and any nesting of these. Their constants lie at and next to values that occur."""

import datetime
import random
import re
from decimal import Decimal

from .tables import DAY_NS, INTEGERS, UNITS, Column, Table, literal, moment

COMPARISONS = ["=", "<>", "<", "<=", ">", ">=", "=", "<", ">="]
DISTINCT = ["IS DISTINCT FROM", "IS NOT DISTINCT FROM"]
PARTS = ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"]
FIELDS = ["year", "month", "day", "hour", "minute", "second", "quarter", "week", "dayofweek", "isodow", "dayofyear", "isoyear", "yearweek", "decade", "millisecond"]
WIDTHS = ["1 HOUR", "7 MINUTE", "1 DAY", "6 HOUR", "1 WEEK", "1 MONTH", "3 MONTH", "1 YEAR", "90 SECOND"]
SHIFTS = ["1 DAY", "36 HOUR", "1 MONTH", "-1 MONTH", "1 YEAR", "90 MINUTE", "1 MICROSECOND", "-3 DAY", "13 MONTH"]
FORMATS = ["%Y-%m-%d", "%Y-%m", "%Y", "%H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%a", "%Y%m%d"]


class Predicates:
    """Makes predicates. With `parameters`, some constants become marks that `numbered` makes `$1`, `$2` ... of."""

    def __init__(self, rng: random.Random, table: Table, parameters: list[str] | None = None):
        self.rng, self.table, self.parameters = rng, table, parameters

    def any(self, depth: int | None = None) -> str:
        depth = self.rng.choice([0, 0, 0, 1, 1, 1, 2, 3]) if depth is None else depth
        if depth == 0:
            return self.leaf()
        shape = self.rng.random()
        if shape < 0.5:
            return "(" + " AND ".join(self.any(depth - 1) for _ in range(self.rng.choice([2, 2, 2, 3]))) + ")"
        if shape < 0.74:
            return "(" + " OR ".join(self.any(depth - 1) for _ in range(self.rng.choice([2, 2, 3, 5]))) + ")"
        if shape < 0.88:
            return f"NOT ({self.any(depth - 1)})"
        a, b = self.any(depth - 1), self.any(depth - 1)
        return self.rng.choice(
            [
                f"({a}) IS TRUE", f"({a}) IS NOT TRUE", f"({a}) IS FALSE", f"({a}) IS NULL", f"({a}) = ({b})", f"({a}) IS DISTINCT FROM ({b})",
                f"CASE WHEN {a} THEN {b} ELSE {self.leaf()} END", f"coalesce({a}, {b})", f"({a}) AND random() >= 0", f"({a}) <> ({b})",
                f"({a}) OR hash(n) % 3 = 0", f"if({a}, {b}, false)",
            ]
        )  # fmt: skip

    def filter(self) -> str:
        """A predicate, often with, or of nothing but, what a scan can accept: the index beside one end, an entity among values."""
        if self.rng.random() < 0.4:
            return self.any()
        accepted = " AND ".join(self.exact() for _ in range(self.rng.choice([1, 1, 1, 2])))
        return accepted if self.rng.random() < 0.6 else f"{accepted} AND ({self.any()})"

    def exact(self) -> str:
        rng, table = self.rng, self.table
        column = rng.choice(table.entities) if table.entities and rng.random() < 0.4 else table.index
        value = lambda: literal(column.type, self.value(column))
        if column is table.index:
            return f"{column.sql} {rng.choice(['<', '<=', '>', '>=', '>=', '='])} {value()}"
        return rng.choice([f"{column.sql} = {value()}", f"{column.sql} IN ({value()}, {value()})", f"{value()} = {column.sql}"])

    def leaf(self) -> str:
        chance = self.rng.random()
        if chance < 0.02:
            return self.rng.choice(["true", "false", "NULL", "1 = 0", "NULL IS NULL", "random() >= 0"])
        if chance < 0.06:
            return self.columns_together()
        if chance < 0.45:
            return self.on(self.table.index)
        if chance < 0.62 and self.table.entities:
            return self.on(self.rng.choice(self.table.entities))
        return self.on(self.rng.choice(self.table.others))

    def on(self, column: Column) -> str:
        """A predicate on one column."""
        if self.rng.random() < 0.45:
            return self.plain(column)
        return self.special(column) or self.plain(column)

    def plain(self, column: Column) -> str:
        """What any type has."""
        rng, c = self.rng, column.sql
        shape = rng.random()
        if shape < 0.5:
            return self.compare(c, self.constant(column))
        if shape < 0.56:
            return f"{c} {rng.choice(DISTINCT)} {self.constant(column, null=0.2)}"
        if shape < 0.7:
            return f"{c} {rng.choice(['', '', 'NOT '])}BETWEEN {self.constant(column)} AND {self.constant(column)}"
        if shape < 0.78:
            low, high = rng.choice([(">", "<"), (">=", "<"), (">", "<="), (">=", "<=")])
            return f"{c} {low} {self.constant(column)} AND {c} {high} {self.constant(column)}"
        if shape < 0.9:
            count = rng.choice([1, 2, 3, 10, 60])
            items = ", ".join(self.constant(column, null=0.02) for _ in range(count))
            return f"{c} {rng.choice(['', '', 'NOT '])}IN ({items})"
        return rng.choice([f"{c} IS NULL", f"{c} IS NOT NULL", f"NOT ({c} IS NULL)", f"{c} = NULL", f"greatest({c}, {self.constant(column)}) = {c}", f"coalesce({c}, {self.constant(column)}) = {self.constant(column)}", f"nullif({c}, {self.constant(column)}) IS NULL"])

    def compare(self, a: str, b: str) -> str:
        a, b = (a, b) if self.rng.random() < 0.75 else (b, a)
        return f"{a} {self.rng.choice(COMPARISONS)} {b}"

    def columns_together(self) -> str:
        """Comparisons of columns with each other, and rows of them."""
        columns = self.table.columns
        a = self.rng.choice(columns)
        same = [b for b in columns if b.type == a.type or (a.type in UNITS and b.type in UNITS) or (a.type in INTEGERS and b.type in INTEGERS)]
        b = self.rng.choice(same)
        if self.rng.random() < 0.4:
            return self.compare(a.sql, b.sql)
        other = self.rng.choice(columns)
        row = f"({a.sql}, {other.sql})"
        pairs = [f"({self.constant(a)}, {self.constant(other)})" for _ in range(self.rng.choice([1, 2, 4]))]
        if self.rng.random() < 0.5:
            return f"{row} IN ({', '.join(pairs)})"
        return f"{row} {self.rng.choice(COMPARISONS)} {pairs[0]}"

    def constant(self, column: Column, null: float = 0.01) -> str:
        """A constant next to a column's values, in one of the ways to write it."""
        text = "NULL" if self.rng.random() < null else self.written(column)
        if self.parameters is None or self.rng.random() < 0.4 or "now()" in text:
            return text
        self.parameters.append(text)
        return f"${{{len(self.parameters) - 1}}}"

    def numbered(self, text: str) -> tuple[str, list[str]]:
        """The text with its parameters numbered from 1, and their values."""
        used: list[str] = []

        def number(found: re.Match) -> str:
            used.append(self.parameters[int(found[1])])
            return f"${len(used)}"

        return re.sub(r"\$\{(\d+)\}", number, text), used

    def value(self, column: Column):
        rng, pool = self.rng, column.pool or [0]
        value = rng.choice(pool)
        if column.type in UNITS:
            day = max(1, DAY_NS // UNITS[column.type])
            value += rng.choice([0, 0, 0, 1, -1, rng.randint(-day, day), rng.randint(-30, 30) * day])
            return max(-700_000 * day, min(2_900_000 * day, value)) if column.type != "TIMESTAMP_NS" else max(-90_000 * day, min(90_000 * day, value))
        if column.type in INTEGERS:
            least, greatest = INTEGERS[column.type]
            value += rng.choice([0, 0, 0, 1, -1, rng.randint(-50, 50)])
            return rng.choice([least, greatest]) if rng.random() < 0.05 else max(least, min(greatest, value))
        if column.type in ("FLOAT", "DOUBLE"):
            return rng.choice([value, value, value + 0.5, float("nan"), float("inf"), float("-inf"), 0.0, -0.0])
        if isinstance(value, Decimal):
            return value + rng.choice([0, 0, 0, Decimal(1).scaleb(value.as_tuple().exponent), Decimal(-1).scaleb(value.as_tuple().exponent)]) if abs(value) < 90 else value
        if isinstance(value, str):
            return rng.choice([value, value, value, value + "a", value[:-1], value[: len(value) // 2], value.upper(), "\u10fffd"])
        return value

    def written(self, column: Column) -> str:
        """One of the ways to write a constant that compares with the column."""
        rng, type, value = self.rng, column.type, self.value(column)
        if type in UNITS:
            return self.moment(type, value)
        if type in INTEGERS:
            least, greatest = INTEGERS[type]
            return rng.choice([str(value), str(value), f"({value})::{type}", f"{value}.0", f"{value}.5", f"'{value}'", f"{value}::HUGEINT", f"({value})::DOUBLE", f"{value} + 0"] + ([f"{2 * greatest}"] if rng.random() < 0.05 else []))
        if type.startswith("DECIMAL"):
            return rng.choice([str(value), f"{value}::{type}", f"{value}::DOUBLE", f"{int(value)}", f"{value}::DECIMAL(38,5)" if abs(value) < 10**30 else str(value), "'1e2'::DOUBLE"])
        if type in ("FLOAT", "DOUBLE"):
            return rng.choice([literal(type, value), literal("DOUBLE", value), literal("FLOAT", value), f"{int(value)}" if abs(value) < 1e9 else "0", "0.1", "1.5"])
        if type == "TIME":
            return rng.choice([literal(type, value), f"'{moment('TIMESTAMP', value)[11:]}'"])
        return literal(type, value)

    def moment(self, type: str, value: int) -> str:
        rng = self.rng
        text, day = moment(type, value), moment("DATE", value * UNITS[type] // DAY_NS)
        plain = text.removesuffix("+00")
        plain += " 00:00:00" if type == "DATE" else ""
        micros = value * UNITS[type] // 1000
        ways = [literal(type, value)] * 4 + [f"'{text}'"] * 2
        ways += [f"TIMESTAMP '{plain[:26]}'", f"TIMESTAMPTZ '{plain[:26]}+00'", f"DATE '{day}'", f"DATE '{day}' + {rng.randint(-2, 2)}"]
        ways += [f"make_timestamp({micros})", f"to_timestamp({micros / 1e6})", f"epoch_ms({micros // 1000})", f"CAST('{plain[:26]}' AS TIMESTAMP_S)"]
        ways += [f"TIMESTAMP '{plain[:26]}' {rng.choice('+-')} INTERVAL {rng.randint(1, 50)} HOUR", f"date_trunc('{rng.choice(PARTS)}', TIMESTAMP '{plain[:26]}')"]
        days = (datetime.datetime.now() - datetime.datetime(1970, 1, 1)).days - micros // 86_400_000_000
        ways += [f"now() - INTERVAL ({days}) DAY", f"today() - {days}", f"(now() - INTERVAL ({days}) DAY)::TIMESTAMP"] if abs(days) < 100_000 else []
        ways += ["'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMP", "'infinity'::DATE", "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"] if rng.random() < 0.2 else []
        if abs(micros) < 9 * 10**15:
            ways += [f"TIMESTAMP_NS '{plain[:26]}'", f"TIMESTAMP_MS '{plain[:23]}'"]
        return rng.choice(ways)

    def special(self, column: Column) -> str | None:
        """What the column's type has of its own."""
        type = column.type
        if type in UNITS:
            return self.of_time(column)
        if type in INTEGERS:
            return self.of_integer(column)
        if type == "VARCHAR":
            return self.of_text(column)
        if type == "BOOLEAN":
            c = column.sql
            return self.rng.choice([c, f"NOT {c}", f"{c} IS TRUE", f"{c} IS NOT TRUE", f"{c} IS FALSE", f"{c} = true", f"{c} <> false", f"{c}::INTEGER = 1", f"{c} > false"])
        if type in ("FLOAT", "DOUBLE"):
            c = column.sql
            return self.rng.choice([f"isnan({c})", f"isfinite({c})", f"isinf({c})", f"{c}::DECIMAL(10,2) > {self.rng.randint(-50, 50)}", self.compare(f"{c} + 1", self.constant(column)), self.compare(f"abs({c})", "2"), self.compare(f"{c}::DOUBLE", self.constant(column)), f"{c} > {self.constant(column)} OR isnan({c})", self.compare(f"-{c}", self.constant(column)), self.compare(f"TRY_CAST({c} AS INTEGER)", "3")])
        if type.startswith("DECIMAL"):
            c = column.sql
            return self.rng.choice([self.compare(f"{c}::DOUBLE", self.constant(column)), self.compare(f"{c}::INTEGER", "3"), self.compare(f"TRY_CAST({c} AS TINYINT)", "3"), self.compare(f"{c}::DECIMAL(38,1)", self.constant(column)), self.compare(f"{c} + 1", self.constant(column)), self.compare(f"abs({c})", "10"), f"{c}::VARCHAR LIKE '1%'", self.compare(f"round({c})", "5")])
        if type == "TIME":
            return self.rng.choice([self.compare(f"hour({column.sql})", "12"), f"{column.sql} + INTERVAL 1 HOUR < {self.constant(column)}"])
        return None

    def of_time(self, column: Column) -> str:
        rng, c = self.rng, column.sql
        date = f"DATE '{moment('DATE', self.value(column) * UNITS[column.type] // DAY_NS)}'"
        day = literal("DATE", self.value(column) * UNITS[column.type] // DAY_NS)
        stamp = self.constant(column)
        year = int(date[6:10])
        shape = rng.randrange(26)
        if shape > 23:
            width = rng.choice(["1d", "1w", "1mo", "1q", "1y"] + ([] if column.type == "DATE" else ["1h", "15m", "90s"]))
            zone = rng.choice(["", "", ", 'America/New_York'"]) if column.type in ("TIMESTAMPTZ",) else ""
            return self.compare(f"tstable_bucket({c}, '{width}'{zone})", rng.choice([stamp, day, f"tstable_bucket({date}, '1d')"]))
        if shape < 3:
            return f"{c}::DATE {rng.choice(COMPARISONS)} {date}"
        if shape < 6:
            part = rng.choice(PARTS)
            bound = rng.choice([stamp, day, f"date_trunc('{part}', {date})", f"date_trunc('{part}', {self.written(column)})"])
            return self.compare(f"date_trunc('{part}', {c})", bound)
        if shape < 9:
            width = f"INTERVAL {rng.choice(WIDTHS)}"
            origin = rng.choice(["", "", f", {date}::TIMESTAMP", ", INTERVAL 30 MINUTE"])
            bound = rng.choice([stamp, f"time_bucket({width}, {date}::TIMESTAMP{origin})"])
            return self.compare(f"time_bucket({width}, {c}{'' if column.type == 'TIMESTAMPTZ' or column.type == 'DATE' else origin})", bound)
        if shape < 11:
            return f"year({c}) {rng.choice(COMPARISONS)} {year + rng.choice([0, 0, 1, -1])} AND month({c}) {rng.choice(COMPARISONS)} {rng.randint(1, 12)}"
        if shape < 13:
            name = rng.choice(FIELDS)
            part = rng.choice([f"{name}({c})", f"date_part('{name}', {c})", f"extract({name} FROM {c})"])
            bound = rng.choice([f"{name}({date})", str(rng.randint(0, 60)), str(year)])
            return rng.choice([self.compare(part, bound), f"{part} IN ({bound}, {rng.randint(0, 30)})", f"{part} BETWEEN {rng.randint(0, 20)} AND {bound}"])
        if shape < 15:
            name = rng.choice(["epoch", "epoch", "epoch_ms", "epoch_us", "epoch_ns"])
            at = f"{name}({stamp if rng.random() < 0.5 and '$' not in stamp else day + '::TIMESTAMP'})"
            return self.compare(f"{name}({c})", at)
        if shape < 16:
            form = rng.choice(FORMATS)
            return self.compare(f"strftime({c}, '{form}')", f"strftime({date}, '{form}')")
        if shape < 19:
            return self.compare(f"{c} {rng.choice('+-')} INTERVAL '{rng.choice(SHIFTS)}'", rng.choice([stamp, day]))
        to = rng.choice(["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "TIMESTAMP_MS", "DATE", "TIMESTAMP_NS"])
        return rng.choice(
            [
                self.compare(f"{c}::{to}", stamp), self.compare(f"CAST({c} AS {to})", day), self.compare(f"TRY_CAST({c} AS {to})", stamp),
                f"{c}::VARCHAR LIKE '{year}%'", f"{c}::VARCHAR >= '{date[6:16]}'", self.compare(f"datediff('day', {day}, {c})", str(rng.randint(-3, 3))),
                f"dayname({c}) = 'Monday'", self.compare(f"last_day({c})", day), f"{c}::TIMESTAMP::TIME < TIME '12:00'",
                self.compare(f"({c} AT TIME ZONE 'America/New_York')", stamp), f"date_trunc('day', {c} + INTERVAL 1 DAY) = {day}",
                f"(date_trunc('month', {c}) - INTERVAL 1 DAY)::DATE < {date}", f"{c}::DATE IN ({date}, {day}, {day} + 1)",
                f"{c}::DATE BETWEEN {day} AND {day} + {rng.randint(0, 9)}", f"{c} - {day}::TIMESTAMP > INTERVAL 1 DAY" if column.type != "TIMESTAMPTZ" else f"{c} > {day}",
                f"make_date(year({c}), month({c}), 1) = date_trunc('month', {day})", f"{date} + 1 > {c}", f"monthname({c}) = monthname({date})",
            ]
        )  # fmt: skip

    def of_integer(self, column: Column) -> str:
        rng, c, k = self.rng, column.sql, self.rng.randint(-5, 100)
        to = rng.choice([*INTEGERS, "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL(38,2)", "DECIMAL(30,0)", "VARCHAR"])
        bound = self.constant(column) if to != "VARCHAR" else f"'{k}'"
        return rng.choice(
            [
                self.compare(f"{c} + {k}", self.constant(column)), self.compare(f"{c} - {k}", self.constant(column)), self.compare(f"{k} - {c}", str(k)),
                self.compare(f"{c} * 2", self.constant(column)), f"{c} % 3 = 1", self.compare(f"{c}::{to}", bound), self.compare(f"TRY_CAST({c} AS {to})", bound),
                self.compare(f"abs({c}::HUGEINT)", str(abs(k))), self.compare(f"{c} / 3", str(k)), self.compare(f"{c} // 3", str(k)), f"{c} & 3 = 1",
                self.compare(f"-({c}::HUGEINT)", str(k)), f"{c} IN (SELECT unnest([{k}, {self.value(column)}]))", f"{c} = (SELECT {self.value(column)})",
            ]
        )  # fmt: skip

    def of_text(self, column: Column) -> str:
        rng, c = self.rng, column.sql
        value = self.value(column)
        start = literal("VARCHAR", value[: rng.randint(0, len(value))])
        part = value[: rng.randint(0, len(value))].replace("\0", "")
        bare, end = part.replace("'", "''"), part[-2:].replace("'", "''")
        text = literal("VARCHAR", value)
        return rng.choice(
            [
                f"{c} LIKE '{bare}%'", f"{c} LIKE '{bare}'", f"{c} NOT LIKE '{bare}%'", f"{c} LIKE '{bare}_%'", f"{c} LIKE '%{end}'", f"{c} ILIKE '{bare}%'",
                f"starts_with({c}, {start})", f"prefix({c}, {start})", f"{c} ^@ {start}", f"NOT starts_with({c}, {start})", self.compare(f"upper({c})", f"upper({text})"),
                self.compare(f"length({c})", "2"), self.compare(f"{c} || 'x'", f"{text} || 'x'"), f"{c}[1:2] = ({text})[1:2]", f"contains({c}, {start})",
                f"regexp_matches({c}, '^[a-z]')", f"{c} GLOB '{bare.replace('[', '')}*'", f"{c} COLLATE NOCASE = {text}", f"TRY_CAST({c} AS INTEGER) > 3", f"{c} IN ({text}, {start})",
                f"{c} >= {start} AND {c} < {start} || chr(1114111)", f"suffix({c}, {start})", f"lower({c}) IN (lower({text}))",
            ]
        )  # fmt: skip
