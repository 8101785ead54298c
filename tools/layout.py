#!/usr/bin/env python3
"""Adds a version of DuckDB to `packages.json`: where its table of functions has those that the library was compiled against.

    python3 tools/layout.py 2.0.1                      headers from PyPI's source packages (nothing is built)
    python3 tools/layout.py 2.0.1 --headers OLD NEW    headers from two directories

DuckDB's second C API is a table of functions that moves from version to version. This compares the names of two versions in
order, and the prototypes of all functions that the library calls, with every type in them; what it calls is read from the
debug library, which must have been built. A function that is gone or whose prototype has changed is named, and nothing is
written: then the code must learn of it first (docs/decisions/0005-packages.md)."""

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import packages
from package import library_file

# The version whose bindings the library is compiled with (libduckdb-sys in Cargo.toml).
COMPILED_AGAINST = "2.0.0"
HEADERS = ("duckdb_v2.h", "duckdb_extension_v2.h")
TABLE = "duckdb_ext_api_v2"


@dataclass
class Header:
    """The functions of the table in order, with their prototypes, and every other definition, by name."""

    functions: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(directory: Path) -> "Header":
        header = Header()
        for name in HEADERS:
            header._add((directory / name).read_text(encoding="utf-8"))
        if not header.functions:
            sys.exit(f"{directory}: there is no {TABLE} in {HEADERS[1]}")
        return header

    def _add(self, text: str) -> None:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", " ", text, flags=re.M)
        if found := re.search(r"typedef struct \{([^{}]*)\}\s*" + TABLE + ";", text):
            for declaration in found[1].split(";"):
                if pointer := re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration):
                    self.functions[pointer[1]] = _plain(declaration)
            text = text.replace(found[0], "")
        for declaration in re.findall(r"(?:typedef\s+)?(?:struct|enum)\s+\w*\s*\{[^{}]*\}[^;]*;|typedef[^;{}]*;", text):
            for name in _defined(declaration):
                self.types[name] = _plain(declaration)


def _plain(declaration: str) -> str:
    """Without space that is of no account."""
    return re.sub(r"\s*([(){},;*=])\s*", r"\1", " ".join(declaration.split()))


def _defined(declaration: str) -> set[str]:
    """The names that a declaration gives a meaning."""
    names = set(re.findall(r"(?:struct|enum)\s+(\w+)\s*\{", declaration))
    if not names and "{" not in declaration and (pointer := re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)):
        return {pointer[1]}
    return names | set(re.findall(r"(\w+)\s*;$", declaration))


def layout(old: Header, new: Header) -> str:
    """Where `new` has the functions of `old`, as the marker says it: `21*300 -*2 330*318`."""
    places = {name: place for place, name in enumerate(new.functions)}
    blocks: list[list] = []
    for name in old.functions:
        place = places.get(name)
        if blocks and (place is None) == (blocks[-1][0] is None) and (place is None or place == sum(blocks[-1])):
            blocks[-1][1] += 1
        else:
            blocks.append([place, 1])
    return " ".join(f"{'-' if place is None else place}*{count}" for place, count in blocks)


def differences(old: Header, new: Header, called: list[str]) -> list[str]:
    """What has changed of the functions in `called` and of the types that they reach."""
    found = []
    for name in called:
        if name not in old.functions:
            found.append(f"{name}: not a function of DuckDB {COMPILED_AGAINST}'s table")
        elif name not in new.functions:
            found.append(f"{name}: gone")
        elif old.functions[name] != new.functions[name]:
            found.append(f"{name}: was {old.functions[name]}, is {new.functions[name]}")
    for name in sorted(_reached(old, [old.functions[name] for name in called if name in old.functions])):
        if not _compatible(old.types[name], new.types.get(name, "")):
            found.append(f"{name}: was {old.types[name]}, is {new.types.get(name, 'gone')}")
    return found


def _reached(header: Header, declarations: list[str]) -> set[str]:
    """The types in some declarations, those in their definitions, and so on."""
    reached, open_ones = set(), list(declarations)
    while open_ones:
        for name in set(re.findall(r"\w+", open_ones.pop())) - reached:
            if name in header.types:
                reached.add(name)
                open_ones.append(header.types[name])
    return reached


def _compatible(old: str, new: str) -> bool:
    """Whether a definition means what it did; an enumeration may have more values."""
    if old == new:
        return True
    before, after = _values(old), _values(new)
    return bool(before) and all(after.get(name) == value for name, value in before.items())


def _values(declaration: str) -> dict[str, int]:
    """The values of an enumeration."""
    found = re.search(r"enum\b[^{]*\{(.*)\}", declaration)
    values, next_value = {}, 0
    for entry in found[1].split(",") if found else []:
        name, _, value = entry.partition("=")
        if name:
            next_value = int(value, 0) if value else next_value
            values[name] = next_value
            next_value += 1
    return values


def called() -> list[str]:
    """The functions of the second C API that the debug library calls."""
    listing = subprocess.run(["nm", library_file("debug")], stdout=subprocess.PIPE, text=True, check=True).stdout
    # Rust's mangled name of the binding: its length, then the name.
    names = {name[: int(length)] for length, name in re.findall(r"bindings(\d\d)(duckdb_v2_\w+)", listing)}
    if len(names) < 100:
        sys.exit(f"only {len(names)} calls were found in {library_file('debug')}: run cargo build, or Rust names functions otherwise now")
    return sorted(names)


def headers_from_pypi(version: str, directory: Path) -> Path:
    """The directory with the headers of a version's source package."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "duckdb", f"duckdb=={version}", "--dest", directory]
    subprocess.run(command, check=True)
    with tarfile.open(directory / f"duckdb-{version}.tar.gz") as archive:
        for member in archive.getmembers():
            if member.name.endswith(tuple(f"/src/include/{name}" for name in HEADERS)):
                target = directory / version / Path(member.name).name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())
    return directory / version


def add(version: str, positions: str) -> None:
    """Writes the package, the version and the hosts of the tests, and the requirements that its environment is made of."""
    table = json.loads(packages.FILE.read_text(encoding="utf-8"))
    known = {package["name"]: package for package in table["packages"]}
    before = max((package for package in table["packages"] if "only" in package), key=lambda package: packages.numbers(package["only"]))
    known[f"v{version}"] = {**before, "name": f"v{version}", "only": version, "states": f"v{version}", "layout": positions}
    hosts = {host["name"]: host for host in table["hosts"]}
    hosts.setdefault(f"duckdb-{version}", {"name": f"duckdb-{version}", "kind": "python", "version": version, "suite": "whole"})
    table["packages"] = list(known.values())
    table["versions"] = sorted({*table["versions"], version}, key=packages.numbers)
    table["hosts"] = list(hosts.values())
    packages.FILE.write_text(written(table), encoding="utf-8")
    requirements = packages.FILE.parents[1] / "mk" / "requirements"
    text = (requirements / f"duckdb-{COMPILED_AGAINST}.txt").read_text(encoding="utf-8")
    (requirements / f"duckdb-{version}.txt").write_text(text.replace(COMPILED_AGAINST, version), encoding="utf-8")


def written(table: dict) -> str:
    """The table as it stands in the file: a line for each package and host."""
    lines = {key: [json.dumps(entry) for entry in table[key]] for key in ("packages", "hosts")}
    rows = {key: "[\n    " + ",\n    ".join(entries) + "\n  ]" for key, entries in lines.items()}
    return f'{{\n  "packages": {rows["packages"]},\n  "versions": {json.dumps(table["versions"])},\n  "hosts": {rows["hosts"]}\n}}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="the DuckDB to add, like 2.0.2")
    parser.add_argument("--headers", nargs=2, type=Path, metavar=("OLD", "NEW"), help=f"directories with the headers of {COMPILED_AGAINST} and of it")
    options = parser.parse_args()
    version = options.version.removeprefix("v")
    with tempfile.TemporaryDirectory(prefix="tstable-headers-") as directory:
        places = options.headers or [headers_from_pypi(one, Path(directory)) for one in (COMPILED_AGAINST, version)]
        old, new = map(Header.read, places)
    if found := differences(old, new, called()):
        sys.exit(f"DuckDB {version} has changed what the library calls; no package was added:\n  " + "\n  ".join(found))
    positions = layout(old, new)
    add(version, positions)
    print(f"DuckDB {version}: {len(old.functions)} functions, in its table of {len(new.functions)} at {positions}; run make test")


if __name__ == "__main__":
    main()
