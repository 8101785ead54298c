#!/usr/bin/env python3
"""Makes DuckDB extensions of the compiled library, and a directory that INSTALL takes them from.

DuckDB reads what an extension was built for from the last 512 bytes of the file: 8 fields of 32 bytes in reverse order,
then 256 bytes of signature, inside a custom section of WebAssembly's kind. The library has both entry points, so the same
bytes become every package of `packages.json`: with another footer, and with a marker inside by which the library knows which
package it is in. Needs the standard library of Python 3 only.
"""

import argparse
import gzip
import os
import platform
import sys
from pathlib import Path

import packages
import sign

NAME = "tstable"
# What a package may have. What each part of the library costs is in docs/decisions/0008-size-of-the-library.md.
MAX_BYTES = 20_000_000
FIELD_BYTES = 32
SIGNATURE_BYTES = 256
SECTION_NAME = b"duckdb_signature"
# The library's marker; it ends with NUL bytes, and `unset` stands in it until a package is made (src/host/package.rs).
MARKER = b"tstable-package:"
MARKER_BYTES = 128


def platform_name():
    """DuckDB's name of this machine, or DUCKDB_PLATFORM where it is cross-compiled."""
    if name := os.environ.get("DUCKDB_PLATFORM"):
        return name
    systems = {"linux": "linux", "darwin": "osx", "win32": "windows", "cygwin": "windows", "freebsd": "freebsd"}
    machines = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    system = next((value for key, value in systems.items() if sys.platform.startswith(key)), None)
    machine = machines.get(platform.machine().lower())
    if system is None or machine is None:
        sys.exit(f"unknown platform {sys.platform} on {platform.machine()}: set DUCKDB_PLATFORM, for example to linux_amd64")
    if system == "linux" and is_musl():
        return f"{system}_{machine}_musl"
    return f"{system}_{machine}"


def is_musl():
    """Whether the machine's C library is musl, for which DuckDB has packages of its own."""
    return not platform.libc_ver()[0] and any(Path("/lib").glob("ld-musl-*"))


def library_file(profile):
    """The library that cargo built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    if triple := os.environ.get("CARGO_BUILD_TARGET"):
        target /= triple
    names = [f"lib{NAME}.so", f"lib{NAME}.dylib", f"{NAME}.dll"]
    found = [target / profile / name for name in names if (target / profile / name).is_file()]
    if not found:
        sys.exit(f"no library in {target / profile}: run cargo build{'' if profile == 'debug' else f' --profile {profile}'} first")
    return max(found, key=lambda path: path.stat().st_mtime)


def field(text):
    """One field of the footer."""
    data = text.encode()
    if len(data) > FIELD_BYTES:
        sys.exit(f"'{text}' is longer than the {FIELD_BYTES} bytes of a field of the footer")
    return data.ljust(FIELD_BYTES, b"\0")


def leb128(number):
    """A number as WebAssembly writes it."""
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def footer(kind, api_version, extension_version, name_of_platform):
    """The custom section at the end of the file; the signature stays empty (such packages load with
    allow_unsigned_extensions)."""
    fields = ["", "", "", kind, extension_version, api_version, name_of_platform, "4"]
    content = b"".join(field(text) for text in fields) + bytes(SIGNATURE_BYTES)
    content_size = 8 * FIELD_BYTES + SIGNATURE_BYTES
    assert len(content) == content_size
    name = leb128(len(SECTION_NAME)) + SECTION_NAME
    # DuckDB's own packages count the size of the content as a field too, so the section's size includes it.
    size = leb128(content_size)
    return b"\0" + leb128(len(name) + len(size) + content_size) + name + size + content


def marked(library, text):
    """The library with `text` in its marker."""
    if (found := library.count(MARKER)) != 1:
        sys.exit(f"the library has {found} markers of its package instead of one: it is of another version than this tool")
    content = MARKER + text.encode()
    if len(content) >= MARKER_BYTES:
        sys.exit(f"'{text}' is longer than the marker of the library")
    at = library.index(MARKER)
    return library[:at] + content.ljust(MARKER_BYTES, b"\0") + library[at + MARKER_BYTES :]


def extension_version():
    """EXTENSION_VERSION, or the version in Cargo.toml as `v1.2.3`."""
    if said := os.environ.get("EXTENSION_VERSION"):
        return said
    for line in Path("Cargo.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("version"):
            return "v" + line.split('"')[1]
    sys.exit("Cargo.toml names no version")


def package(profile, out):
    """Writes every package."""
    # The release profile has stripped it already.
    library = library_file(profile).read_bytes()
    for made in packages.packages():
        path = out / profile / made.name / f"{NAME}.duckdb_extension"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = marked(library, made.marker) + footer(made.abi, made.states, extension_version(), platform_name())
        if profile == "release" and len(content) > MAX_BYTES:
            sys.exit(f"{path} would have {len(content)} bytes, more than the {MAX_BYTES} allowed")
        replace(path, content)
        print(f"{path}  {len(content):,} bytes  {made.abi} {made.states} {platform_name()}")


def replace(path, content):
    """Puts a file in the place of one that a running DuckDB may have loaded: written over, it would end that process."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def repository(profile, out, versions):
    """Lays the packages out as INSTALL looks for them: <DuckDB version>/<platform>/<name>.duckdb_extension.gz. With the name of a file
    with a private key in TSTABLE_SIGNING_KEY they are signed, so that DuckDB 2 needs no flag."""
    key = os.environ.get("TSTABLE_SIGNING_KEY") or None
    for version in versions:
        chosen = packages.choose(version)
        if chosen is None:
            sys.exit(f"no package serves DuckDB {version}; the first that is served is {packages.table()['versions'][0]}")
        source = out / profile / chosen.name / f"{NAME}.duckdb_extension"
        path = out / "repository" / version / platform_name() / f"{NAME}.duckdb_extension.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        path.write_bytes(gzip.compress(sign.signed(content, key) if key else content, mtime=0))
        print(path)
    sign.describe(out / "repository", key)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=["debug", "quick", "release"])
    parser.add_argument("--out", type=Path, default=Path("build"), help="where to write (default: build)")
    parser.add_argument(
        "--repository", metavar="VERSION", nargs="*", help="lay out a repository for these DuckDB versions (default: all that are known)"
    )
    arguments = parser.parse_args()
    if arguments.repository is not None:
        versions = arguments.repository or ["v" + version for version in packages.table()["versions"]]
        repository(arguments.profile, arguments.out, versions)
    else:
        package(arguments.profile, arguments.out)


if __name__ == "__main__":
    main()
