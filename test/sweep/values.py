"""What the columns of the sweep hold: values at the edges of what casts and functions do."""

# Halves of every unit on both sides of 1970, ends of periods and of types, shifts of summer time.
MOMENTS = [
    "-infinity", "infinity", "0044-03-15 (BC)", "0001-01-01", "1582-10-04 23:59:59.5", "1899-12-31 23:59:59.9999995", "1969-12-31 12:00",
    "1969-12-31 23:59:59.4995", "1969-12-31 23:59:59.5", "1969-12-31 23:59:59.999", "1969-12-31 23:59:59.9995", "1969-12-31 23:59:59.999999",
    "1970-01-01", "1970-01-01 00:00:00.0000005", "1970-01-01 00:00:00.000001", "1970-01-01 00:00:00.000499", "1970-01-01 00:00:00.0005",
    "1970-01-01 00:00:00.0004995", "1970-01-01 00:00:00.5", "2000-02-29 12:34:56.123736", "2023-12-31 23:59:59.999999", "2024-01-01",
    "2024-02-29 23:59:59.9999995", "2024-03-10 07:30", "2024-03-31 01:30", "2024-11-03 05:30:00.1235", "2024-12-30 00:00:29.5",
    "2261-12-31 23:59:59.9", "2262-04-11 23:47:16.854775", "3881-01-01", "9999-12-31 23:59:59.999999", "10208-07-29", "290000-01-01",
]  # fmt: skip
NUMBERS = [
    "0", "1", "-1", "2", "7", "9.949", "9.95", "10", "0.5", "-0.5", "1.5", "2.5", "0.05", "0.049999", "99.5", "100", "127", "128", "-128", "255", "256",
    "1969", "2024", "32767", "32768", "16777217", "2147483647", "2147483648", "9007199254740993", "253402300799", "9223372036854775807",
    "-9223372036854775808", "18446744073709551615", "170141183460469231731687303715884105727", "1e300", "nan", "inf", "-inf", "-0.0", "1e-9",
]  # fmt: skip
TEXTS = ["", "a", "ab", "abc", "a%", "a_c", "A", "é", "2024-01-01", "1", "1.5", "true", "NULL", "2024-01-01 00:00:00", "10:00:00", "\U0001f642"]

TIMES = ["DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ"]
INTEGERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UINTEGER", "UBIGINT"]
OTHERS = ["FLOAT", "DOUBLE", "DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,5)", "VARCHAR", "BOOLEAN", "TIME", "BLOB"]
COLUMNS = [*TIMES, *INTEGERS, *OTHERS]
TARGETS = [*COLUMNS, "TIMESTAMPTZ_NS", "TIME_NS", "UHUGEINT", "INTERVAL", "UUID", "DECIMAL(9,0)", "DECIMAL(38,10)"]
INDEXES = [*TIMES, "BIGINT"]

PARTS = [
    "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "isoyear", "yearweek", "decade", "century",
    "millennium", "dow", "isodow", "doy", "epoch", "julian", "era", "timezone",
]  # fmt: skip
WIDTHS = ["1 MICROSECOND", "90 SECOND", "7 HOUR", "1 DAY", "1 WEEK", "1 MONTH", "5 MONTH", "1 YEAR", "36 HOUR"]
STEPS = ["1 MICROSECOND", "-1 MILLISECOND", "1 DAY", "-1 MONTH", "1 MONTH", "1 YEAR", "-13 MONTH", "100 YEAR", "36 HOUR"]
FORMATS = ["%Y", "%Y-%m-%d", "%Y%m%d %H:%M:%S.%f", "%H:%M", "%d.%m.%Y", "%g", "%Y-%m-%d %H:%M:%S.%n"]


def texts(type: str) -> list[str]:
    if type in TIMES:
        return MOMENTS
    if type == "TIME":
        return ["00:00:00", "00:00:00.000001", "12:34:56.4999995", "12:34:56.5", "23:59:59.999999"]
    return TEXTS if type in ("VARCHAR", "BLOB") else ["true", "false"] if type == "BOOLEAN" else NUMBERS


def of_two(type: str) -> list[str]:
    """Expressions over the column `v` and a constant."""
    if type in TIMES:
        return [
            *(f"date_trunc('{part}', v)" for part in PARTS),
            *(f"date_part('{part}', v)" for part in PARTS),
            *(f"time_bucket(INTERVAL '{width}', v)" for width in WIDTHS),
            *(f"time_bucket(INTERVAL '{width}', v, INTERVAL '3 HOUR')" for width in WIDTHS),
            *(f"v + INTERVAL '{step}'" for step in STEPS),
            *(f"v - INTERVAL '{step}'" for step in STEPS),
            *(f"strftime(v, '{format}')" for format in FORMATS),
            "v + 1", "v - 1", "40000 + v", "v - DATE '2024-01-01'", "timezone('America/New_York', v)", "timezone('UTC', v)",
            "time_bucket(INTERVAL '1 DAY', v, 'Asia/Tokyo')", "time_bucket(INTERVAL '7 DAY', v, TIMESTAMP '2024-01-02 03:04:05')",
        ]  # fmt: skip
    if type in ("VARCHAR", "BLOB"):
        return ["starts_with(v, 'a')", "prefix(v, 'ab')", "v LIKE 'a%'", "v LIKE 'a_c'", "v LIKE 'abc'", "v LIKE 'a!%' ESCAPE '!'", "v ^@ 'a'", "v[1:1]", "v || 'x'"]
    return ["v + 1", "v - 1", "1 - v", "v + 100", "v * 2", "v % 3", "v / 2", "v // 2", "v + 0.5", "make_timestamp(v)", "to_timestamp(v)", "epoch_ms(v)"]
