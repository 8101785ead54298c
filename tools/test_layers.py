"""The order of layers in ARCHITECTURE.md is the order of imports in core/src."""

import re
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CORE = REPOSITORY / "core" / "src"


def stated_order(text):
    """Layers from the lowest to the highest, each a set of modules that do not know each other."""
    [line] = [line for line in text.splitlines() if line.startswith("    error -> ")]
    layers = [re.sub(r"\(.*?\)", "", layer) for layer in line.split("->")]
    return [{name.strip() for name in layer.split(",")} for layer in layers if layer.strip() != "extension"]


def top_names(body):
    """The first part of each path in the braces of a `use crate::{...}`."""
    names, depth, part = [], 0, ""
    for char in body + ",":
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            names.append(part.strip().split("::")[0].strip())
            part = ""
        else:
            part += char
    return [name for name in names if name]


def imports(text):
    """The modules of the crate that a file names, its tests left out."""
    code = text.split("#[cfg(test)]")[0]
    names = set(re.findall(r"\bcrate::(\w+)", code))
    for body in re.findall(r"use crate::\{(.*?)\};", code, re.DOTALL):
        names.update(top_names(body))
    return names


def is_test(path):
    return path.stem.endswith("tests") or "tests" in path.relative_to(CORE).parts


class Layers(unittest.TestCase):
    def setUp(self):
        self.order = stated_order((REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8"))
        self.floor = {module: floor for floor, modules in enumerate(self.order) for module in modules}

    def test_every_module_has_its_place(self):
        there = {path.stem for path in CORE.iterdir() if path.name != "lib.rs"}
        self.assertEqual(there, set(self.floor), "modules of core/src and of the line in ARCHITECTURE.md")

    def test_no_module_imports_an_equal_or_a_higher_one(self):
        wrong = []
        for path in sorted(CORE.rglob("*.rs")):
            own = path.relative_to(CORE).parts[0].removesuffix(".rs")
            if own == "lib" or is_test(path):
                continue
            for name in sorted(imports(path.read_text(encoding="utf-8")) & set(self.floor) - {own}):
                if self.floor[name] >= self.floor[own]:
                    wrong.append(f"{path.relative_to(REPOSITORY)} imports {name}")
        self.assertEqual(wrong, [])

    def test_the_test_sees_an_import_that_is_not_allowed(self):
        self.assertEqual(imports("use crate::{\n    error::{Error, Result},\n    table::Table,\n};"), {"error", "table"})
        self.assertEqual(imports("crate::log::Version\n#[cfg(test)]\nuse crate::table::Table;"), {"log"})


if __name__ == "__main__":
    unittest.main()
