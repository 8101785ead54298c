"""The `file` directive: what a test does to files other than by SQL, always within the test's own directory.

    file mkdir PATH                  makes a directory
    file write PATH TEXT             writes a text file
    file copy PATH PATH              copies a file or a directory
    file link TARGET PATH            makes a symbolic link at PATH
    file remove GLOB                 removes files or directories; some must match
    file truncate GLOB BYTES         cuts the one file that matches
    file replace GLOB OLD NEW        replaces text in the one file that matches; OLD must occur
    file remember PATH               keeps every name and content below PATH in mind
    file same PATH                   fails unless all is as it was remembered
    file count GLOB N                fails unless N files match
"""

import hashlib
import shutil
from pathlib import Path


class FileError(Exception):
    """An operation failed, or a check did not hold."""


class Files:
    def __init__(self, root: Path):
        self._root = root.resolve()
        self._remembered: dict[Path, dict[str, str]] = {}

    def run(self, operation: str, arguments: list[str]) -> None:
        action = getattr(self, f"_do_{operation}", None)
        if action is None:
            raise FileError(f"there is no file operation {operation}")
        try:
            action(*arguments)
        except OSError as error:
            raise FileError(f"file {operation}: {error}") from None

    def _do_mkdir(self, path: str) -> None:
        self._inside(path).mkdir(parents=True)

    def _do_write(self, path: str, text: str) -> None:
        self._inside(path).write_text(text, encoding="utf-8")

    def _do_copy(self, source: str, target: str) -> None:
        origin, goal = self._inside(source), self._inside(target)
        shutil.copytree(origin, goal) if origin.is_dir() else shutil.copy2(origin, goal)

    def _do_link(self, target: str, path: str) -> None:
        self._inside(path).symlink_to(self._inside(target))

    def _do_remove(self, pattern: str) -> None:
        found = self._matches(pattern)
        if not found:
            raise FileError(f"no file matches {pattern}")
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _do_truncate(self, pattern: str, length: str) -> None:
        with self._one(pattern).open("r+b") as file:
            file.truncate(int(length))

    def _do_replace(self, pattern: str, old: str, new: str) -> None:
        path = self._one(pattern)
        content = path.read_bytes()
        if old.encode() not in content:
            raise FileError(f"{path} does not contain {old}; it is {content[:400]!r}")
        path.write_bytes(content.replace(old.encode(), new.encode()))

    def _do_remember(self, path: str) -> None:
        self._remembered[self._inside(path)] = self._contents(path)

    def _do_same(self, path: str) -> None:
        before, after = self._remembered[self._inside(path)], self._contents(path)
        changes = [f"{name} is new" for name in after.keys() - before.keys()]
        changes += [f"{name} is gone" for name in before.keys() - after.keys()]
        changes += [f"{name} has changed" for name in before.keys() & after.keys() if before[name] != after[name]]
        if changes:
            raise FileError("files are not as they were: " + ", ".join(sorted(changes)))

    def _do_count(self, pattern: str, number: str) -> None:
        found = self._matches(pattern)
        if len(found) != int(number):
            raise FileError(f"{number} files expected, {len(found)} found: {[str(path) for path in found]}")

    def _contents(self, path: str) -> dict[str, str]:
        root = self._inside(path)
        return {
            str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "directory"
            for file in root.rglob("*")
        }

    def _matches(self, pattern: str) -> list[Path]:
        relative = str(Path(pattern).relative_to(self._root)) if Path(pattern).is_absolute() else pattern
        return sorted(self._inside(path) for path in self._root.glob(relative))

    def _one(self, pattern: str) -> Path:
        found = self._matches(pattern)
        if len(found) != 1:
            raise FileError(f"{pattern} must match one file, not {[str(path) for path in found]}")
        return found[0]

    def _inside(self, path: str | Path) -> Path:
        resolved = (self._root / path).resolve()
        if resolved != self._root and self._root not in resolved.parents:
            raise FileError(f"{path} is outside the test's directory")
        return resolved
