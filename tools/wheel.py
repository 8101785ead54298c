#!/usr/bin/env python3
"""Makes the wheel: the Python package in python/, the extension's packages, and the table by which one is chosen.

It serves every Python and every DuckDB of that table on one platform. Needs the standard library of Python 3 only.
"""

import argparse
import base64
import hashlib
import os
import re
import sys
import sysconfig
import zipfile
from pathlib import Path

import package as packaging
import packages

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = f"{packaging.NAME}.duckdb_extension"
METADATA = """\
Metadata-Version: 2.4
Name: tstable
Version: {version}
Summary: Time-series tables over Parquet files in DuckDB: coverage, gaps, overlap-safe appends
License-Expression: MIT
License-File: LICENSE
Keywords: duckdb,parquet,time-series
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Database
Requires-Python: >=3.10
Requires-Dist: duckdb>=1.4
Project-URL: Repository, https://github.com/tstable/tstable
Description-Content-Type: text/markdown

{description}"""
WHEEL = """\
Wheel-Version: 1.0
Generator: tstable
Root-Is-Purelib: false
Tag: {tag}
"""
# The command line by its name alone.
SCRIPTS = """\
[console_scripts]
tstable = tstable._command:main
"""
# A wheel is a zip file, and those know no time before 1980; one time for all makes equal wheels of equal files.
EPOCH = (1980, 1, 1, 0, 0, 0)


def glibc(library):
    """The newest glibc of which the library needs a symbol, such as (2, 34); nothing for other C libraries."""
    needed = {tuple(int(part) for part in name.split(b".")) for name in re.findall(rb"\0GLIBC_(\d+\.\d+)(?=[.\d]*\0)", library)}
    return max(needed, default=None)


def check_glibc(libraries, asked):
    """Refuses libraries that load on a newer glibc only than the one that was asked for, such as `2.28`."""
    most = tuple(int(part) for part in asked.split("."))
    needed = max(filter(None, map(glibc, libraries)), default=most)
    if needed > most:
        sys.exit(f"the library needs glibc {'.'.join(map(str, needed))}, and was to load on {asked}: was it linked by `make wheel-portable`?")


def tag(libraries):
    """The platform as wheels name it, which on Linux says how old the C library may be."""
    name = packaging.platform_name()
    system, machine = name.split("_")[:2]
    if system == "linux":
        arch = {"amd64": "x86_64", "arm64": "aarch64"}[machine]
        if name.endswith("_musl"):
            return f"py3-none-musllinux_1_2_{arch}"
        needed = max(filter(None, map(glibc, libraries)), default=(2, 17))
        return "py3-none-manylinux_{}_{}_{}".format(*max(needed, (2, 17)), arch)
    if system == "osx":
        return f"py3-none-macosx_11_0_{'arm64' if machine == 'arm64' else 'x86_64'}"
    if system == "windows":
        return f"py3-none-win_{machine}"
    return "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())


def contents(profile, out):
    """What the wheel holds, by name, and the libraries among it."""
    files = {f"tstable/{path.name}": path.read_bytes() for path in sorted((ROOT / "python/tstable").glob("*.py"))}
    files["tstable/py.typed"] = b""
    version, platform = packaging.extension_version().removeprefix("v"), packaging.platform_name()
    files["tstable/_packages/__init__.py"] = (
        '"""The extension\'s packages and the table by which one is chosen; written when the wheel was made."""\n\n'
        f'VERSION = "{version}"\nPLATFORM = "{platform}"\n'
    ).encode()
    files["tstable/_packages/packages.py"] = Path(packages.__file__).read_bytes()
    files["tstable/_packages/packages.json"] = packages.FILE.read_bytes()
    libraries = []
    for package in packages.packages():
        source = out / profile / package.name / LIBRARY
        if not source.is_file():
            sys.exit(f"{source} is not there: run make {'release' if profile == 'release' else 'build'} first")
        libraries.append(source.read_bytes())
        files[f"tstable/_packages/{package.name}/{LIBRARY}"] = libraries[-1]
    information = f"tstable-{version}.dist-info"
    description = (ROOT / "docs/PYTHON.md").read_text(encoding="utf-8")
    files[f"{information}/METADATA"] = METADATA.format(version=version, description=description).encode()
    files[f"{information}/WHEEL"] = WHEEL.format(tag=tag(libraries)).encode()
    files[f"{information}/entry_points.txt"] = SCRIPTS.encode()
    files[f"{information}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    return files, f"tstable-{version}-{tag(libraries)}.whl", f"{information}/RECORD"


def record(files, name):
    """The list of the wheel's files with their checksums; it has none of itself."""

    def line(file, data):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{file},sha256={digest},{len(data)}\n"

    return "".join(line(file, data) for file, data in files.items()) + f"{name},,\n"


def write(profile, out, directory, asked=None):
    """Writes the wheel and gives its path. Older wheels of the package in the directory go, so that a pattern finds one."""
    files, name, listing = contents(profile, out)
    if asked:
        check_glibc([data for file, data in files.items() if file.endswith(LIBRARY)], asked)
    files[listing] = record(files, listing).encode()
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("tstable-*.whl"):
        old.unlink()
    staged = directory / f".{name}"
    with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            info = zipfile.ZipInfo(file, EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    os.replace(staged, directory / name)
    return directory / name


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=["debug", "release"])
    parser.add_argument("--out", type=Path, default=Path("build"), help="where the packages are (default: build)")
    parser.add_argument("--dist", type=Path, default=Path("dist"), help="where to write (default: dist)")
    parser.add_argument("--glibc", metavar="VERSION", help="the oldest glibc that the libraries have to load on")
    arguments = parser.parse_args()
    path = write(arguments.profile, arguments.out, arguments.dist, arguments.glibc)
    print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
