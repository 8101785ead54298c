#!/usr/bin/env python3
"""What DuckDB's build of community extensions asks of a repository beside the packages: the one package for the DuckDB that it
builds for, where it looks for it, and the host to test that in. Needs the standard library of Python 3 only.

The DuckDB is DUCKDB_GIT_VERSION; as that is not set in every step of that build, `record` keeps it for the later ones.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

import packages

NAME = "tstable"
RECORD = Path("configure/duckdb_version.txt")


def version():
    """The DuckDB that is built for: as a version, a branch or a commit; the newest known one where nothing is said."""
    if said := os.environ.get("DUCKDB_GIT_VERSION"):
        return said
    return RECORD.read_text(encoding="utf-8").strip() if RECORD.is_file() else packages.table()["versions"][-1]


def chosen(duckdb):
    """The package for a DuckDB. A branch or commit is newer than every release, so the newest stable package is for it."""
    if not re.match(r"v?\d+\.\d+\.\d+(-|$)", duckdb):
        stable = (package for package in packages.packages() if not package.only)
        return max(stable, key=lambda package: package.first)
    package = packages.choose(duckdb)
    if package is None:
        sys.exit(f"no package serves DuckDB {duckdb}; the first that is served is {packages.table()['versions'][0]}")
    return package


def record():
    """Keeps the version for the steps that are not told."""
    if os.environ.get("DUCKDB_GIT_VERSION"):
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(version() + "\n", encoding="utf-8")


def place(profile, out=Path("build")):
    """Copies the package to where it is looked for and gives its path."""
    file = f"{NAME}.duckdb_extension"
    path = out / profile / "extension" / NAME / file
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(out / profile / chosen(version()).name / file, path)
    return path


def host():
    """The Python host to test in: the DuckDB itself, or the newest one that takes the same package."""
    package, known = chosen(version()), [entry for entry in packages.table()["hosts"] if entry["kind"] == "python"]
    serving = [entry for entry in known if entry.get("package", packages.choose(entry["version"]).name) == package.name]
    if not serving:
        sys.exit(f"no host in {packages.FILE.name} takes the package {package.name}")
    wanted = version().removeprefix("v")
    return max(serving, key=lambda entry: (entry["version"] == wanted, "package" not in entry, packages.numbers(entry["version"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=["record", "place", "host", "host-version"])
    parser.add_argument("profile", nargs="?", choices=["debug", "release"], default="release")
    arguments = parser.parse_args()
    if arguments.do == "record":
        record()
    elif arguments.do == "place":
        print(f"{place(arguments.profile)}  for DuckDB {version()}")
    else:
        print(host()["name" if arguments.do == "host" else "version"])


if __name__ == "__main__":
    main()
