"""The rooms of a folder of Rust modules, and which looks into which: each file, and each folder taken as one, is a room.

    python3 tools/rooms.py core/src/table core/src/table/write

prints the floors: a room stands one floor above the highest room that it imports. An import is a path in the code that leads to
another module of the crate, tests left out. What a mod.rs passes on with `pub use` counts as a look at where it is defined.
"""

import re
import sys
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CORE = REPOSITORY / "core" / "src"

USE = re.compile(r"^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.MULTILINE)
PATH = re.compile(r"(?<![\w:$])\w+(?:::\w+)+")


def split_outside_braces(body):
    """The parts between the commas that are in no braces."""
    parts, depth, part = [], 0, ""
    for char in body + ",":
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    return [part for part in parts if part]


def flatten(tree):
    """Each (path, name it is known by) of the tree of a `use`."""
    tree = " ".join(tree.split())
    head, brace, rest = tree.partition("{")
    if brace:
        return [(head + path, name) for part in split_outside_braces(rest.rpartition("}")[0]) for path, name in flatten(part)]
    path, _, name = tree.partition(" as ")
    path = path.removesuffix("::self")
    return [(path, name or path.rpartition("::")[2])]


def without_tests_and_comments(text):
    text = re.sub(r"//[^\n]*", "", text)
    # Who may see a thing is not what it looks at.
    text = re.sub(r"\bpub\(in [^)]*\)", "pub", text)
    return re.sub(r"#\[cfg\(test\)\]\s*(#\[[^\]]*\]\s*)*(pub(\([^)]*\))?\s+)?mod\s+\w+\s*(;|\{.*)", "", text, flags=re.DOTALL)


class Crate:
    """The modules below one `lib.rs`."""

    def __init__(self, root=CORE):
        self.root = root
        files = [path for path in sorted(root.rglob("*.rs")) if not self.is_test(path)]
        self.texts = {path: without_tests_and_comments(path.read_text(encoding="utf-8")) for path in files}
        self.modules = {self.module_of(path): path for path in files}

    def is_test(self, path):
        return path.stem.endswith("tests") or "tests" in path.relative_to(self.root).parts

    def module_of(self, path):
        parts = path.relative_to(self.root).with_suffix("").parts
        return parts[:-1] if parts[-1] in ("mod", "lib") else parts

    @cached_property
    def passed_on(self):
        """Where what a module passes on with `pub use` is defined."""
        found = {}
        for module, path in self.modules.items():
            for public, tree in USE.findall(self.texts[path]):
                for target, name in flatten(tree) if public else []:
                    if (absolute := self.absolute(module, target)) is not None:
                        found[(*module, name)] = absolute
        return found

    def absolute(self, module, path):
        """The parts of a path of this crate as seen from `module`; none when it leads to another crate."""
        first, *rest = [part.strip() for part in path.split("::")]
        if first == "crate":
            return tuple(rest)
        if first not in ("self", "super"):
            return (*module, first, *rest) if (*module, first) in self.modules else None
        base, parts = list(module), [first, *rest]
        while parts and parts[0] in ("self", "super"):
            if parts.pop(0) == "super" and base:
                base.pop()
        return (*base, *parts)

    def defined_in(self, parts):
        """The file that defines what an absolute path leads to."""
        for _ in range(8):
            known = next((parts[:n] for n in range(len(parts), 0, -1) if parts[:n] in self.passed_on), None)
            if known is None or any(parts[:n] in self.modules for n in range(len(parts), len(known) - 1, -1)):
                break
            parts = (*self.passed_on[known], *parts[len(known):])
        return next((self.modules[parts[:n]] for n in range(len(parts), -1, -1) if parts[:n] in self.modules), None)

    def imports(self, path):
        """The other files of the crate that a file names. Passing a name on is not an import: it is an entrance."""
        module, text = self.module_of(path), self.texts[path]
        is_entrance = path.stem in ("mod", "lib")
        paths = [p for public, tree in USE.findall(text) if not (public and is_entrance) for p, _ in flatten(tree)]
        paths += PATH.findall(USE.sub("", text))
        absolutes = [self.absolute(module, p) for p in paths]
        found = {self.defined_in(parts) for parts in absolutes if parts is not None}
        return found - {path, None}

    def rooms(self, folder):
        """For each room of a folder, the names of the other rooms there that it imports, and through which files."""
        def room(path):
            return path.relative_to(folder).parts[0].removesuffix(".rs")

        inside = [path for path in self.texts if path.is_relative_to(folder)]
        found = {room(path): {} for path in inside}
        for path in inside:
            for other in self.imports(path):
                if other.is_relative_to(folder) and room(other) != room(path):
                    found[room(path)].setdefault(room(other), set()).add((path, other))
        return found


def circles(rooms):
    """Sets of rooms each of which reaches all others of its set."""
    def reached(start):
        seen, ahead = set(), [start]
        while ahead:
            for room in rooms[ahead.pop()]:
                if room not in seen:
                    seen.add(room)
                    ahead.append(room)
        return seen

    reach = {room: reached(room) for room in rooms}
    return {frozenset(other for other in reach[room] if room in reach[other]) for room in rooms if room in reach[room]}


def floors(rooms):
    """The floor of each room, the lowest being 1; rooms of a circle must have been ruled out."""
    floor = {}

    def of(room):
        if room not in floor:
            floor[room] = 1 + max(map(of, rooms[room]), default=0)
        return floor[room]

    return {room: of(room) for room in rooms}


def sheet(crate, folder):
    rooms = crate.rooms(folder)
    found = circles(rooms)
    yield f"{folder.relative_to(REPOSITORY)}: {len(rooms)} rooms"
    for circle in found:
        yield f"  a circle: {', '.join(sorted(circle))}"
        for room in sorted(circle):
            for other in sorted(circle & rooms[room].keys()):
                for path, target in sorted(rooms[room][other]):
                    yield f"    {path.relative_to(folder)} imports {target.relative_to(folder)}"
    if not found:
        by_floor = floors(rooms)
        for floor in range(max(by_floor.values(), default=0), 0, -1):
            yield f"  floor {floor}: {', '.join(sorted(room for room in rooms if by_floor[room] == floor))}"


if __name__ == "__main__":
    the_crate = Crate()
    for argument in sys.argv[1:] or ["core/src/table"]:
        print("\n".join(sheet(the_crate, (REPOSITORY / argument).resolve())))
