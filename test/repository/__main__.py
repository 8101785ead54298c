"""A signed repository in every DuckDB 2 that the tests run in: one installs and loads from it without any unsigned flag, and
not what was changed after it was signed or signed by another. Makes its keys on the spot. Needs the built packages.

    python3 -m repository
"""

import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from slt.hosts import HOSTS, PROFILE, REPOSITORY

import package
import packages

# Repositories and what is installed from them are kept in the home directory, so programs get homes of their own.
CHILD = """
import duckdb, json, sys
settings, statements = json.load(sys.stdin)
con = duckdb.connect(config=settings)
try:
    for statement in statements:
        rows = con.execute(statement).fetchall()
    print(json.dumps({"answer": rows}))
except duckdb.Error as error:
    print(json.dumps({"error": str(error)}))
"""
VERSION = "SELECT tstable_version()"


class Repository:
    """A repository of a key of its own, in a directory of its own."""

    def __init__(self, directory: Path, version: str):
        self.directory, self.key, self.version = directory, directory / "key.pem", version
        directory.mkdir()
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        build = Path(directory, PROFILE)
        build.symlink_to(REPOSITORY / "build" / PROFILE)
        os.environ["TSTABLE_SIGNING_KEY"] = str(self.key)
        with contextlib.redirect_stdout(io.StringIO()):
            package.repository(PROFILE, directory, [version])

    @property
    def path(self) -> Path:
        return self.directory / "repository"

    @property
    def file(self) -> Path:
        return self.path / self.version / package.platform_name() / "tstable.duckdb_extension.gz"


def run(host, home: Path, settings: dict, *statements: str) -> dict:
    plan, surroundings = json.dumps([settings, statements]), {**os.environ, "HOME": str(home)}
    done = subprocess.run([host.bin / "python", "-c", CHILD], input=plan, env=surroundings, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": f"the process ended with {done.returncode}"}


def check(name: str, told: dict, wanted: str | None) -> bool:
    """Whether it ended as wanted: an answer, or an error with these words."""
    right = "answer" in told if wanted is None else wanted in told.get("error", "")
    if not right:
        print(f"{name}: expected {wanted or 'an answer'}, found {told}")
    return right


def try_in(host, directory: Path) -> list[bool]:
    version, allowed = f"v{host.version}", {"allow_extension_repositories": "allowed"}
    ours, other = Repository(directory / "ours", version), Repository(directory / "other", version)
    create = f"CREATE EXTENSION REPOSITORY tst WITH PREFIX '{ours.path}'"
    install = ("INSTALL tstable FROM tst", "LOAD tstable FROM tst", VERSION)
    home = directory / "home"
    ends = [
        check("install and load", run(host, home, allowed, create, *install), None),
        check("load in a later program, with no setting", run(host, home, {}, "LOAD tstable FROM tst", VERSION), None),
        check("no flag was needed", run(host, home, {}, "SELECT error('on') WHERE current_setting('allow_unsigned_extensions')"), None),
    ]
    right = ours.file.read_bytes()
    ours.file.write_bytes(other.file.read_bytes())
    ends.append(check("signed by another", run(host, directory / "home2", allowed, create, *install), "signature"))
    changed = bytearray(gzip.decompress(right))
    changed[len(changed) // 2] ^= 1
    ours.file.write_bytes(gzip.compress(bytes(changed)))
    ends.append(check("changed after it was signed", run(host, directory / "home3", allowed, create, *install), "signature"))
    return ends


def main() -> int:
    ends: list[bool] = []
    hosts = {host.version: host for host in HOSTS if host.kind == "python" and packages.numbers(host.version) >= (2,)}
    os.chdir(REPOSITORY)
    for version, host in hosts.items():
        with tempfile.TemporaryDirectory(prefix="tstable-repository-") as directory:
            ends += try_in(host, Path(directory))
            print(f"signed repository in DuckDB {version}: {'as it should be' if all(ends) else 'wrong'}")
    return 0 if ends and all(ends) else 1


if __name__ == "__main__":
    sys.exit(main())
