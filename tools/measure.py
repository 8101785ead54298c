"""Numbers of the house, to compare two revisions by: lines, long files, floors and circles.

    python3 tools/measure.py            the tree as it is
    python3 tools/measure.py v0.1.0     the tree at a revision, measured by the same rules
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from rooms import REPOSITORY, Crate, circles, floors

LONG = 400
FOLDERS = ("core/src", "core/src/table", "core/src/segment", "core/src/prune", "core/src/log", "core/src/storage", "core/src/time")


def is_test(path, root):
    return path.stem.endswith("tests") or "tests" in path.relative_to(root).parts


def lines(root):
    """Lines of Rust that are shipped, lines of Rust that test, and how many of the shipped files are long."""
    shipped = tested = long = 0
    for path in [*root.glob("src/**/*.rs"), *root.glob("core/src/**/*.rs"), *root.glob("core/tests/**/*.rs")]:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if is_test(path, root):
            tested += count
        else:
            shipped += count
            long += count > LONG
    return shipped, tested, long


def shape(crate, folder):
    """How many rooms, floors (none where rooms form circles) and rooms that stand in circles."""
    rooms = crate.rooms(folder)
    found = circles(rooms)
    height = "-" if found else max(floors(rooms).values(), default=0)
    return len(rooms), height, sum(map(len, found))


def measured(root):
    shipped, tested, long = lines(root)
    yield f"{shipped} lines of Rust in src and core/src, {tested} lines of tests, {long} files above {LONG} lines"
    crate = Crate(root / "core" / "src")
    for folder in FOLDERS:
        rooms, height, circled = shape(crate, root / folder)
        yield f"{folder:18} {rooms:3} rooms  {height:>2} floors  {circled:2} rooms in circles"


def unpacked(revision, place):
    archive = subprocess.run(["git", "archive", revision], cwd=REPOSITORY, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        tree.extractall(place, filter="data")
    return Path(place).resolve()


if __name__ == "__main__":
    if sys.argv[1:]:
        with tempfile.TemporaryDirectory() as name:
            print("\n".join(measured(unpacked(sys.argv[1], name))))
    else:
        print("\n".join(measured(REPOSITORY)))
