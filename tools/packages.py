"""Which package serves which DuckDB: the one place where that is decided. Packaging, the tests and whatever installs
packages read `packages.json` through this file, which needs the standard library only.

A package of the stable C API serves every DuckDB `from` a version on; one of the API of DuckDB 2 serves `only` the version
that it was made for. `abi` and `states` go into the footer, by which DuckDB refuses what it cannot load; `can` names what
the package does beyond the functions: `copy` (COPY ... TO), `filters` (WHERE reaches the scan), `settings` (those of the session, so its time zone and home),
`log` (records in DuckDB's log), `names` (a COPY learns the names of its columns, and the path when it is bound). `layout` says where DuckDB's table of functions has those that the library was compiled against (see `layout.py`).
"""

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("packages.json")


@dataclass(frozen=True)
class Package:
    name: str
    abi: str
    states: str
    can: frozenset
    first: tuple  # the first version served, as numbers
    only: bool  # whether no later version is served
    layout: str = ""

    @property
    def marker(self) -> str:
        """What the library is told of itself: the API that its footer states, and where that has its functions."""
        return f"{self.states} {self.layout}".strip()

    def serves(self, version: str) -> bool:
        return numbers(version) == self.first if self.only else numbers(version) >= self.first


def numbers(version: str) -> tuple:
    """`v2.0.1` or `2.0.1` as numbers; of `1.5.6-r.1` or `2.1.0-dev7` what stands before the dash."""
    return tuple(int(part) for part in version.removeprefix("v").split("-")[0].split("."))


@cache
def packages() -> tuple:
    """Every package."""
    return tuple(
        Package(
            name=entry["name"],
            abi=entry["abi"],
            states=entry["states"],
            can=frozenset(entry["can"]),
            first=numbers(entry.get("only") or entry["from"]),
            only="only" in entry,
            layout=entry.get("layout", ""),
        )
        for entry in table()["packages"]
    )


def named(name: str) -> Package:
    """The package of a name."""
    return next(package for package in packages() if package.name == name)


def choose(version: str) -> Package | None:
    """The package with most in it that this DuckDB loads: one made for it, else the newest stable one; none for a DuckDB
    before the first."""
    serving = [package for package in packages() if package.serves(version)]
    return max(serving, key=lambda package: (package.only, package.first), default=None)


def built(version: str, profile: str = "release") -> Path:
    """The file that was built here for a DuckDB."""
    return FILE.parents[1] / "build" / profile / choose(version).name / "tstable.duckdb_extension"


@cache
def table() -> dict:
    """The file as it is."""
    return json.loads(FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    # packages.py 1.5.6: where the package for it was built
    print(built(sys.argv[1]))
