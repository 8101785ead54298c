"""The programs that the extension is loaded into: DuckDB in Python and the DuckDB command line. Each takes SQL and gives
rows of text, as DuckDB casts them to VARCHAR, or the text of the error."""

import csv
import io
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

# Which build is tested; `debug` is quicker to make while working on the code.
PROFILE = os.environ.get("PROFILE", "release")


@dataclass(frozen=True)
class HostSpec:
    name: str
    kind: str  # python or cli
    version: str
    package: packages.Package
    suite: str  # which SQL tests `make test` runs in it: whole, part, or those that are asked for

    @property
    def api(self) -> str:
        """The C API that the package uses."""
        return "2" if self.package.abi == "C_STRUCT_UNSTABLE" else "1"

    @property
    def extension(self) -> Path:
        return extension(self.package.name)

    @property
    def bin(self) -> Path:
        root = Path(os.environ.get("TSTABLE_VENVS", REPOSITORY / "build" / "venv"))
        return root / f".venv-duckdb-{'cli-' if self.kind == 'cli' else ''}{self.version}" / "bin"

    @staticmethod
    def of(entry: dict) -> "HostSpec":
        """A host as `packages.json` describes it; the package is DuckDB's own choice where none is named."""
        name, version = entry.get("package"), entry["version"]
        package = packages.named(name) if name else packages.choose(version)
        return HostSpec(entry["name"], entry["kind"], version, package, entry["suite"])


def extension(package: str) -> Path:
    """The file of a package."""
    return REPOSITORY / "build" / PROFILE / package / "tstable.duckdb_extension"


ABILITIES = frozenset().union(*(package.can for package in packages.packages()))
HOSTS = [HostSpec.of(entry) for entry in packages.table()["hosts"]]
NEWEST = max((host for host in HOSTS if host.package.only), key=lambda host: packages.numbers(host.version))


def find(name: str) -> HostSpec:
    """The host of a name; `newest` at its beginning stands for the newest DuckDB: `newest`, `newest-v1.5.6`."""
    name = NEWEST.name + name.removeprefix("newest") if name.startswith("newest") else name
    for host in HOSTS:
        if host.name == name:
            return host
    raise SystemExit(f"there is no host {name}; there are {', '.join(host.name for host in HOSTS)}")


class SqlError(Exception):
    """DuckDB refused a statement; the message is its own."""


class HostDied(Exception):
    """The host process ended in the middle of a statement."""


class Unsupported(Exception):
    """This host cannot do what the test asks for."""


def holds(condition: str, spec: HostSpec) -> bool:
    """Whether a condition like `cli`, `python`, `duckdb>=1.5`, `api<2` or `has copy` is true of a host. What a package may
    have stands in `packages.json`."""
    if condition in ("cli", "python"):
        return spec.kind == condition
    if (found := re.fullmatch(r"has (\w+)", condition)) and found[1] in ABILITIES:
        return found[1] in spec.package.can
    found = re.fullmatch(r"(duckdb|api)\s*(<=|>=|<|>|=)\s*([\d.]+)", condition)
    if not found:
        raise ValueError(f"not a condition: {condition}")
    actual = _numbers(spec.version if found[1] == "duckdb" else spec.api)
    wanted = _numbers(found[3])
    return {"<": actual < wanted, "<=": actual <= wanted, ">": actual > wanted, ">=": actual >= wanted, "=": actual == wanted}[
        found[2]
    ]


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def named_rows(sql: str) -> str:
    """A COPY to a table with its rows as one struct: `COPY (SELECT r FROM (<query>) r) TO ...`; other statements as they are."""
    return re.sub(
        r"(?is)^(\s*(?:PREPARE\s+\w+\s+AS\s+|EXPLAIN\s+)?COPY\s+)((?!\(SELECT r FROM)\(.*\)|\w+)(\s+TO\s+'[^']*'\s*\(\s*FORMAT\s+tstable\b)",
        r"\1(SELECT r FROM \2 r)\3",
        sql,
    )


def open_host(spec: HostSpec):
    return PythonHost(spec) if spec.kind == "python" else CliHost(spec)


class PythonHost:
    """DuckDB in this very process."""

    def __init__(self, spec: HostSpec):
        import duckdb

        if duckdb.__version__ != spec.version:
            raise RuntimeError(f"{spec.name} runs DuckDB {duckdb.__version__}")
        self._duckdb, self._connections = duckdb, {}

    def open(self, path: str) -> None:
        self.close()
        self._connections = {"": self._duckdb.connect(path, config={"allow_unsigned_extensions": "true"})}
        self.execute("SET TimeZone = 'UTC'")

    def reconnect(self) -> None:
        self._connections[""] = self._connections[""].cursor()

    def execute(self, sql: str, connection: str = "") -> None:
        self._run(lambda con: con.execute(sql).fetchall(), connection)

    def query(self, sql: str, connection: str = "") -> tuple[int, list[list[str]]]:
        return self._run(lambda con: self._rows(con, sql), connection)

    def display(self, sql: str) -> str:
        """What a person sees in a terminal of 100 columns."""

        def show(con):
            relation = con.sql(sql)
            return "" if relation is None else _captured(lambda: relation.show(max_width=100, max_rows=40))

        return self._run(show, "")

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def _run(self, action, name: str):
        if name not in self._connections:
            self._connections[name] = self._connections[""].cursor()
        try:
            return action(self._connections[name])
        except self._duckdb.Error as error:
            raise SqlError(str(error)) from None

    def _rows(self, con, sql: str) -> tuple[int, list[list[str]]]:
        body = sql.strip().rstrip(";")
        if re.match(r"(?i)(select|from|with|values|table|describe|summarize|show|pivot|unpivot|\()\b|\(", body):
            cursor = con.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({body}\n)")
            rows = cursor.fetchall()
        else:
            cursor = con.execute(body)
            rows = [[self._text(con, value) for value in row] for row in cursor.fetchall()]
            return len(rows[0]) if rows else len(cursor.description or []), rows
        return len(cursor.description), [["NULL" if v is None else v for v in row] for row in rows]

    def _text(self, con, value) -> str:
        if value is None or isinstance(value, str):
            return "NULL" if value is None else value
        return con.cursor().execute("SELECT CAST(? AS VARCHAR)", [value]).fetchone()[0]


def _captured(action) -> str:
    """What `action` writes to standard output, C code included."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            action()
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read().decode()


class CliHost:
    """The DuckDB command line, fed through its standard input; one process per open database."""

    END = "--end of statement--"

    def __init__(self, spec: HostSpec):
        self._program, self._process, self._path = spec.bin / "duckdb", None, ""

    def open(self, path: str) -> None:
        self.close()
        self._path, self._errors = path, tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [self._program, "-unsigned", "-batch", "-init", os.devnull, path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, encoding="utf-8",
        )  # fmt: skip
        self._lines: queue.Queue = queue.Queue()
        threading.Thread(target=_pump, args=(self._process.stdout, self._lines), daemon=True).start()
        self._process.stdin.write(".mode csv\n.headers on\n.nullvalue NULL\n.bail off\n")
        self.execute("SET TimeZone = 'UTC'")

    def reconnect(self) -> None:
        if self._path == ":memory:":
            raise Unsupported("the command line has one connection to a database in memory")
        self.open(self._path)

    def execute(self, sql: str, connection: str = "") -> None:
        self._send(sql, connection)

    def query(self, sql: str, connection: str = "") -> tuple[int, list[list[str]]]:
        if re.match(r"(?i)\s*explain\b", sql):
            raise Unsupported("the command line draws plans instead of giving rows")
        rows = list(csv.reader(io.StringIO(self._send(sql, connection))))
        return (len(rows[0]), rows[1:]) if rows else (0, [])

    def close(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._errors.close()
            self._process = None

    def _send(self, sql: str, connection: str) -> str:
        if connection:
            raise Unsupported("the command line has a single connection")
        try:
            self._process.stdin.write(f"{sql.strip().rstrip(';')}\n;\n.print '{self.END}'\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        output = []
        while (line := self._lines.get()) is not None:
            if line.rstrip("\n") == self.END:
                break
            output.append(line)
        else:
            raise self._death()
        error = self._read_errors()
        if error:
            raise SqlError(error)
        return "".join(output)

    def _read_errors(self) -> str:
        # The offset is shared with the child, which appends: read by position and cut back to nothing.
        size = os.fstat(self._errors.fileno()).st_size
        text = os.pread(self._errors.fileno(), size, 0).decode(errors="replace")
        os.ftruncate(self._errors.fileno(), 0)
        os.lseek(self._errors.fileno(), 0, os.SEEK_SET)
        return text.strip()

    def _death(self) -> HostDied:
        return HostDied(f"duckdb ended with status {self._process.wait()}: {self._read_errors()}")


def _pump(stream, lines: queue.Queue) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
