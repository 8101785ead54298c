"""The DuckDB of the sweep, in a process of its own: makes the tables, asks, and prints one line of JSON."""

import json
import random
import sys
from collections import Counter

import duckdb
from values import COLUMNS, INDEXES, TARGETS, TIMES, of_two, texts

OPERATORS = ["=", ">=", "<", "<=", ">", "IS NOT DISTINCT FROM", "IS DISTINCT FROM", "<>"]
# Sessions in which zoned times are cast and taken apart otherwise. Under some further calendars DuckDB itself fails for good.
SESSIONS = [("gregorian", "UTC"), ("gregorian", "America/New_York"), ("buddhist", "Asia/Tokyo")]
# A function of another name, or of other arguments, than one of DuckDB's own, is a user's.
OWN = ["like(v::VARCHAR, '2%')", "date(v)", "year(v::VARCHAR)"]
COMPARED = ("DECIMAL", "TIMESTAMP", "TIME", "DATE", "VARCHAR", "BOOLEAN", "FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT", "INTERVAL", *COLUMNS)


class Sweep:
    def __init__(self, plan: dict):
        self.plan, self.totals, self.failures = plan, Counter(), []
        self.connect()

    def connect(self) -> None:
        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1, "memory_limit": "1GB"})
        self.connection.execute(f"LOAD '{self.plan['extension']}'")
        self.connection.create_function("like", lambda text, pattern: True, ["VARCHAR", "VARCHAR"], "BOOLEAN")
        self.connection.create_function("year", lambda text: 7, ["VARCHAR"], "BIGINT")
        self.connection.create_function("date", lambda at: None, ["TIMESTAMP"], "DATE", null_handling="special")
        self.connection.execute("CALL enable_logging()")

    def rows(self, sql: str) -> list:
        return self.connection.execute(sql).fetchall()

    def run(self) -> None:
        for number, type in enumerate(COLUMNS):
            if self.plan["type"] == type or (self.plan["type"] is None and number % self.plan["parts"] == self.plan["part"]):
                self.of_type(f"t{number}", type)

    def of_type(self, name: str, type: str) -> None:
        """The column beside an integer index, and as the index itself."""
        self.random = random.Random(f"{self.plan['seed']} {type}")
        self.session(*SESSIONS[0])
        values = self.make(name, type)
        scans = [(f"{name}_beside", self.load(name, "n", values))]
        if type in INDEXES:
            scans.append((f"{name}_index", self.load(name, "v", values)))
        for session in SESSIONS if type in TIMES else SESSIONS[:1]:
            self.session(*session)
            for table, scan in scans:
                fill = f"CREATE OR REPLACE TABLE {table} AS FROM {scan}"
                self.connection.execute(fill)
                for expression in self.expressions(type, session):
                    if self.random.random() >= self.plan["share"] or len(self.failures) >= self.plan["failures"]:
                        continue
                    try:
                        self.expression(table, scan, expression)
                    except duckdb.FatalException:
                        # Some casts of far times under other calendars cost the database, without any help of ours.
                        self.connect()
                        self.session(*session)
                        self.connection.execute(fill)
                self.count_skipped()

    def session(self, calendar: str, zone: str) -> None:
        self.connection.execute(f"SET Calendar = '{calendar}'")
        self.connection.execute(f"SET TimeZone = '{zone}'")

    def make(self, name: str, type: str) -> list[str]:
        """The values of a type as SQL, each once, and NULL."""
        found = {}
        # Neither Parquet nor DuckDB's reader knows an infinity of milliseconds.
        for text in texts(type) if type not in ("TIMESTAMP_S", "TIMESTAMP_MS") else texts(type)[2:]:
            literal = f"CAST('{text}' AS {type})"
            if type in TIMES and "." in text:
                # Beyond microseconds only where the type has them.
                literal = f"CAST(TIMESTAMP_NS '{text}' AS {type})" if type == "TIMESTAMP_NS" else literal
            try:
                found.setdefault(self.rows(f"SELECT {literal}::VARCHAR")[0][0], literal)
            except duckdb.Error:
                pass
        return [*found.values(), f"NULL::{type}"]

    def load(self, name: str, index: str, values: list[str]) -> str:
        """A table of one segment to a value, as a part of a FROM clause. What cannot be an index is left out."""
        root = f"{self.plan['work']}/{name}_{index}"
        type = self.rows(f"SELECT typeof({values[0]})")[0][0]
        bucket = "'1'" if index == "n" or "INT" in type else "'1 day'" if type == "DATE" else "'1 second'"
        created = False
        for n, value in enumerate(values):
            file = f"{root}_{n}.parquet"
            self.connection.execute(f"COPY (SELECT {n}::BIGINT AS n, {value} AS v) TO '{file}'")
            if not created:
                self.connection.execute(f"CALL tstable_create('{root}', time_column := '{index}', bucket := {bucket}, uniqueness := 'none')")
                created = True
            try:
                self.connection.execute(f"CALL tstable_append('{root}', '{file}', on_overlap := 'allow')")
            except duckdb.Error:
                if index == "n":
                    raise
        return f"tstable_scan('{root}')"

    def expressions(self, type: str, session: tuple[str, str]) -> list[str]:
        casts = [f"{cast}(v AS {target})" for target in TARGETS for cast in ("CAST", "TRY_CAST")]
        found = ["v", *casts, *of_two(type), *OWN, *(f"CAST(CAST(v AS {t}) AS DATE)" for t in TIMES)]
        return found + [f'"{name}"(v)' for (name,) in self.rows(FUNCTIONS)]

    def expression(self, table: str, scan: str, expression: str) -> None:
        try:
            self.connection.execute(f"SELECT {expression} FROM {table} LIMIT 0")
            found = self.rows(f"SELECT DISTINCT r::VARCHAR, typeof(r) FROM (SELECT TRY({expression}) AS r FROM {table}) WHERE r IS NOT NULL ORDER BY ALL")
        except duckdb.FatalException:
            raise
        except duckdb.Error:
            return
        self.totals["expressions"] += 1
        self.predicate(table, scan, f"{expression} IS NULL")
        self.predicate(table, scan, f"{expression} IS NOT NULL")
        type = found[0][1] if found else "VARCHAR"
        if not type.startswith(COMPARED) or type.endswith("]"):
            return
        chosen = self.random.sample(found, min(len(found), self.plan["values"]))
        for text, _ in chosen:
            literal = "CAST('" + text.replace("'", "''") + f"' AS {type})"
            self.predicate(table, scan, f"{expression} = {literal}")
            self.predicate(table, scan, f"{expression} {self.random.choice(OPERATORS)} {literal}")
        if type in TIMES:
            # The other types of time beside it, which the binder casts to one of the two.
            literal = f"CAST('{self.random.choice(texts(type))}' AS {self.random.choice(TIMES)})"
            self.predicate(table, scan, f"{expression} {self.random.choice(OPERATORS)} {literal}")

    def predicate(self, table: str, scan: str, predicate: str) -> None:
        try:
            # As a column, not as a filter: DuckDB prunes its own tables too, and under other calendars wrongly.
            expected = [(n,) for n, holds in self.rows(f"SELECT n, {predicate} FROM {table} ORDER BY n") if holds]
        except duckdb.FatalException:
            raise
        except duckdb.Error:
            self.totals["raised"] += 1
            return
        self.totals["predicates"] += 1
        try:
            found = self.rows(f"SELECT n FROM {scan} WHERE {predicate} ORDER BY n")
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            # Which rows an expression is evaluated for, and so whether it raises, is up to the plan.
            self.totals["raised by the scan alone"] += 1
            return
        except duckdb.FatalException:
            raise
        except duckdb.Error as error:
            found = str(error)
        if found != expected:
            calendar = self.rows("SELECT current_setting('Calendar'), current_setting('TimeZone')")[0]
            self.failures.append(f"{calendar} {scan} WHERE {predicate}\n  found {found}\n  expected {expected}")

    def count_skipped(self) -> None:
        messages = self.rows("SELECT message FROM duckdb_logs WHERE type = 'tstable' AND message LIKE '{%'")
        for record in (json.loads(message) for (message,) in messages):
            if record["event"] != "scan":
                continue
            self.totals.update({"segments": record["segments"], "segments kept": record["segments_kept"]})
        self.connection.execute("CALL truncate_duckdb_logs()")


FUNCTIONS = """
    SELECT DISTINCT function_name FROM duckdb_functions()
    WHERE function_type = 'scalar' AND NOT has_side_effects AND len(parameters) = 1 AND schema_name = 'main' AND function_name SIMILAR TO '[a-z_0-9]+'
      AND function_name NOT LIKE 'tstable%' AND function_name NOT IN ('error', 'sleep_ms', 'range', 'generate_series', 'write_log', 'getvariable', 'nextval', 'currval')
    ORDER BY ALL"""


def main() -> None:
    sweep = Sweep(json.loads(sys.argv[1]))
    sweep.run()
    print(json.dumps({"totals": sweep.totals, "failures": sweep.failures}))


main()
