"""Random tables: a recipe made of a random generator, the Parquet files of it, and the statements that load them. The values are
few and lie at edges, so that predicates over them hit."""

import datetime
import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime.datetime(1970, 1, 1)
DAY_NS = 86_400_000_000_000
# Nanoseconds of a unit of each type of time.
UNITS = {"DATE": DAY_NS, "TIMESTAMP_S": 10**9, "TIMESTAMP_MS": 10**6, "TIMESTAMP": 10**3, "TIMESTAMPTZ": 10**3, "TIMESTAMP_NS": 1}
INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1),
    "USMALLINT": (0, 2**16 - 1),
    "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1),
}
ARROW = {
    "DATE": pa.date32(),
    "TIMESTAMP_S": pa.timestamp("s"),
    "TIMESTAMP_MS": pa.timestamp("ms"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "TIMESTAMP_NS": pa.timestamp("ns"),
    "TIME": pa.time64("us"),
    "BOOLEAN": pa.bool_(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    **{name: getattr(pa, f"{'u' if name[0] == 'U' else ''}int{bits}")() for name, bits in zip(INTEGERS, (8, 16, 32, 64) * 2, strict=True)},
}
INDEX_TYPES = ["TIMESTAMP", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ", "TIMESTAMPTZ", "DATE", "BIGINT", "UBIGINT"]
OTHER_TYPES = [*INTEGERS, *UNITS, "TIME", "BOOLEAN", "FLOAT", "DOUBLE", "DOUBLE", "DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,5)", "VARCHAR", "VARCHAR", "BLOB"]
# Clocks that change in the spring in which most tables lie, by an hour or otherwise, at midnight, and that do not.
ZONES = ["UTC", "UTC", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "Asia/Kolkata", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca"]
WORDS = ["", "a", "A", "Z", "b", "ab", "abc", "é", "e\u0301", "ß", "日本", "日本語", "🙂", "\uffff", "O'Neil", "%", "_", "x_y", "null", " ", "a\0b"]
PREFIX = "a long common beginning that statistics cut short, well beyond sixty-four bytes of it: "
FLOATS = [0.0, -0.0, 1.0, -1.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, 0.1]


@dataclass
class Column:
    name: str
    type: str
    # The values that occur, of Python's types; times as numbers of units.
    pool: list = field(default_factory=list)
    nulls: float = 0.0

    @property
    def sql(self) -> str:
        return f'"{self.name}"' if self.name in ("at", "The Time", "Key 3") else self.name

    @property
    def arrow(self) -> pa.DataType:
        if self.type.startswith("DECIMAL"):
            return pa.decimal128(*map(int, self.type[8:-1].split(",")))
        return ARROW[self.type]


@dataclass
class Table:
    directory: Path
    root: Path
    index: Column
    entities: list[Column]
    others: list[Column]
    zone: str
    threads: int
    recipe: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[Column]:
        return [self.index, *self.entities, *self.others]


def literal(type: str, value) -> str:
    """A value as SQL, of exactly the type."""
    if value is None:
        return f"NULL::{type}"
    if type in UNITS:
        return f"{'TIMESTAMP WITH TIME ZONE' if type == 'TIMESTAMPTZ' else type} '{moment(type, value)}'"
    if type == "TIME":
        return f"TIME '{moment('TIMESTAMP', value)[11:]}'"
    if type in ("FLOAT", "DOUBLE"):
        return f"'{value!r}'::{type}"
    if type == "VARCHAR":
        return " || chr(0) || ".join("'" + part.replace("'", "''") + "'" for part in value.split("\0"))
    if type == "BLOB":
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
    if type == "BOOLEAN":
        return str(value).lower()
    return f"({value})::{type}"


def moment(type: str, value: int) -> str:
    """A number of units as date and time."""
    nanos = value * UNITS[type]
    at = EPOCH + datetime.timedelta(microseconds=nanos // 1000)
    if type == "DATE":
        return at.date().isoformat()
    text = at.isoformat(" ", "microseconds")
    if type == "TIMESTAMP_NS":
        text += f"{nanos % 1000:03}"
    return text + ("+00" if type == "TIMESTAMPTZ" else "")


def make(rng: random.Random, directory: Path) -> Table:
    """A table and the files that its statements load."""
    index = Column(rng.choice(["ts", "ts", "at", "The Time"]), rng.choice(INDEX_TYPES))
    kinds = ["VARCHAR", "VARCHAR", *INTEGERS]
    entities = [Column(name, rng.choice(kinds)) for name in ["sym", "venue", "Key 3"][: rng.choice([0, 1, 1, 1, 2, 3])]]
    others = [Column("n", "BIGINT")] + [Column(f"c{i}", rng.choice(OTHER_TYPES), nulls=rng.choice([0, 0, 0.1, 0.9])) for i in range(rng.randint(2, 8))]
    zone = rng.choice(ZONES)
    table = Table(directory, directory / "t", index, entities, others, zone, rng.choice([1, 2, 4, 8]))
    for column in [*entities, *others[1:]]:
        column.pool = _pool(rng, column.type, rng.choice([1, 3, 8, 30, 300]), column in entities)
    _create(rng, table)
    _fill(rng, table)
    return table


def _pool(rng: random.Random, type: str, size: int, identifies: bool) -> list:
    if type == "BOOLEAN":
        return [True, False] if size > 1 else [rng.random() < 0.5]
    if type in INTEGERS:
        least, greatest = INTEGERS[type]
        wild = rng.random() < 0.3
        return [rng.choice([least, greatest, 0, rng.randint(least, greatest)]) if wild else max(least, rng.randint(-20, 100)) for _ in range(size)]
    if type in ("FLOAT", "DOUBLE"):
        special = [value for value in FLOATS if type == "DOUBLE" or abs(value) not in (1e308, 5e-324)]
        return [rng.choice(special) if rng.random() < 0.3 else rng.randint(-400, 400) / 8 for _ in range(size)]
    if type.startswith("DECIMAL"):
        width, scale = map(int, type[8:-1].split(","))
        most = 10 ** rng.choice([2, width, width]) - 1
        return [Decimal(rng.randint(-most, most)).scaleb(-scale) for _ in range(size)]
    if type == "BLOB":
        return [rng.randbytes(rng.choice([0, 1, 2, 40])) for _ in range(size)]
    if type == "TIME":
        return [rng.choice([0, 86_399_999_999, rng.randrange(86_400) * 10**6]) for _ in range(size)]
    if type in UNITS:
        day = DAY_NS // UNITS[type]
        middle = rng.choice([0, 19_800, 19_800, -10_000])
        return [(middle + rng.randint(-40, 40)) * day + rng.choice([0, 0, -1, 1, rng.randrange(day)]) for _ in range(size)]
    words = [rng.choice(WORDS) + rng.choice(["", "", str(rng.randrange(50))]) for _ in range(size)]
    # The host's own Parquet writer and reader take text with a NUL byte, but no entity has one.
    words = [word.replace("\0", "") for word in words] if identifies else words
    return [PREFIX + word for word in words] if rng.random() < 0.2 else words


def _create(rng: random.Random, table: Table) -> None:
    kind = table.index.type
    if kind == "DATE":
        bucket = rng.choice(["1d", "1d", "1w", "1mo", "1q"])
    elif kind in INTEGERS:
        bucket = rng.choice(["1", "10", "1000"])
    else:
        bucket = rng.choice(["1m", "15m", "1h", "1h", "1d", "1w", "1mo"])
    arguments = f", entity_columns := [{', '.join(repr(column.name) for column in table.entities)}]" if table.entities else ""
    if kind not in INTEGERS and rng.random() < 0.2:
        arguments += ", timezone := 'Europe/Berlin'"
    table.statements.append(f"SET TimeZone = '{table.zone}'")
    table.statements.append(f"CALL tstable_create('{table.root}', time_column := '{table.index.name}', bucket := '{bucket}'{arguments})")


def _windows(rng: random.Random, kind: str) -> list[list[tuple[int, int]]]:
    """For each file the stretches that its index values lie in: one after the other, overlapping, far away, with a hole."""
    unit = 1 if kind in INTEGERS else DAY_NS // UNITS[kind]
    middle = rng.choice([10_000, 10_000, 2**40]) if kind in INTEGERS else rng.choice([19_800, 19_800, 0, -100_000, 500_000 if kind != "TIMESTAMP_NS" else 60_000]) * unit
    if kind == "TIMESTAMP_NS":
        middle = max(middle, -60_000 * unit)
    length = unit * (rng.choice([40, 400]) if kind in ("DATE", *INTEGERS) else rng.choice([1, 1, 7]))
    files = []
    for number in range(rng.randint(1, 7)):
        low = middle + length * number
        shape = rng.random()
        if shape < 0.2:
            low = middle + rng.randrange(length * 3)
        if shape > 0.9:
            low = middle + length * rng.randint(30, 50)
        if rng.random() < 0.2:
            files.append([(low, low + length // 4), (low + length * 3 // 4, low + length)])
        else:
            files.append([(low, low + length)])
    return files


def _fill(rng: random.Random, table: Table) -> None:
    windows = _windows(rng, table.index.type)
    rng.shuffle(windows)
    late = table.others[-1] if len(windows) > 1 and len(table.others) > 2 and rng.random() < 0.25 else None
    first = 0
    for number, stretches in enumerate(windows):
        if late and number == len(windows) // 2 and number > 0:
            type = "TIMESTAMP" if late.type in ("TIMESTAMP_S", "TIMESTAMP_MS") else late.type
            table.statements.append(f"CALL tstable_add_columns('{table.root}', {{'{late.name}': '{type}'}})")
            late = None
        columns = [column for column in table.columns if column is not late]
        rows = rng.choice([1, 30, 150, 400, 900])
        path = table.directory / f"f{number}.parquet"
        data = _rows(rng, table, columns, stretches, rows, first)
        first += rows
        how = _write(rng, data, path)
        mode = rng.choice(["copy", "copy", "copy", "rewrite"])
        table.recipe.append(f"file {number}: {rows} rows, {stretches}, {how}")
        table.statements.append(f"CALL tstable_append('{table.root}', '{path}', on_overlap := 'allow', mode := '{mode}')")
    if rng.random() < 0.15:
        table.statements.append(f"CALL tstable_compact('{table.root}')")


def _rows(rng: random.Random, table: Table, columns: list[Column], stretches, rows: int, first: int) -> pa.Table:
    grain = rng.choice([1, 1, max(1, (stretches[0][1] - stretches[0][0]) // 24)])
    at = []
    for _ in range(rows):
        low, high = rng.choice(stretches)
        at.append(low + rng.randrange(max(1, high - low)) // grain * grain)
    some = [rng.sample(column.pool, min(len(column.pool), rng.choice([1, 3, 1000]))) for column in table.entities]
    keys = [tuple(rng.choice(pool) for pool in some) for _ in range(rows)]
    order = rng.choice(["none", "time", "time", "entity"])
    lines = list(zip(at, keys, strict=True))
    if order == "time":
        lines.sort(key=lambda line: line[0])
    if order == "entity":
        lines.sort(key=lambda line: (line[1], line[0]))
    table.index.pool = (table.index.pool + [value for value, _ in rng.sample(lines, min(20, rows))] + [min(at), max(at)])[-400:]
    table.others[0].pool = [0, first, first + rows - 1, *range(0, first + rows, 37)]
    arrays = []
    for column in columns:
        if column is table.index:
            values = [value for value, _ in lines]
        elif column in table.entities:
            place = table.entities.index(column)
            values = [key[place] for _, key in lines]
        elif column is table.others[0]:
            values = list(range(first, first + rows))
        else:
            values = _other(rng, column, rows)
        arrays.append(_array(column, values))
    return pa.table(arrays, names=[column.name for column in columns])


def _other(rng: random.Random, column: Column, rows: int) -> list:
    shape = rng.random()
    if shape < 0.05:
        return [None] * rows
    values = [rng.choice(column.pool) for _ in range(rows)]
    if shape < 0.4:
        # In order, so that row groups and pages have bounds that tell something.
        values.sort(key=lambda value: (value != value, value))
    if rng.random() < 0.3:
        return values
    return [None if rng.random() < column.nulls else value for value in values]


def _array(column: Column, values: list) -> pa.Array:
    if column.type in UNITS or column.type == "TIME":
        width = pa.int32() if column.type == "DATE" else pa.int64()
        return pa.array(values, width).cast(column.arrow)
    return pa.array(values, column.arrow)


def _write(rng: random.Random, data: pa.Table, path: Path) -> str:
    options = {
        "row_group_size": rng.choice([100, 100, 100, 1000]),
        "write_page_index": rng.random() < 0.6,
        "write_statistics": rng.random() < 0.9,
        "use_dictionary": rng.random() < 0.6,
        "data_page_size": rng.choice([64, 256, 2**20]),
        "write_batch_size": rng.choice([16, 1024]),
        "data_page_version": rng.choice(["1.0", "2.0"]),
        "compression": rng.choice(["snappy", "zstd", "none"]),
        "version": "2.6",
    }
    pq.write_table(data, path, **options)
    return str(options)
