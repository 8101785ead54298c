"""The order of layers in ARCHITECTURE.md is the order of imports in core/src."""

import re
import tempfile
import unittest
from pathlib import Path

from rooms import CORE, REPOSITORY, Crate



def stated_order(text):
    """Layers from the lowest to the highest, each a set of modules that do not know each other."""
    [line] = [line for line in text.splitlines() if line.startswith("    error -> ")]
    layers = [re.sub(r"\(.*?\)", "", layer) for layer in line.split("->")]
    return [{name.strip() for name in layer.split(",")} for layer in layers if layer.strip() != "extension"]


class Layers(unittest.TestCase):
    def setUp(self):
        self.order = stated_order((REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8"))
        self.floor = {module: floor for floor, modules in enumerate(self.order) for module in modules}

    def test_every_module_has_its_place(self):
        there = {path.stem for path in CORE.iterdir() if path.name != "lib.rs"}
        self.assertEqual(there, set(self.floor), "modules of core/src and of the line in ARCHITECTURE.md")

    def test_no_module_imports_an_equal_or_a_higher_one(self):
        self.assertEqual(list(self.wrong(Crate())), [])

    def wrong(self, crate):
        for module, others in crate.rooms(crate.root).items():
            for other in sorted(others.keys() - {"lib"} if module != "lib" else ()):
                if self.floor[other] >= self.floor[module]:
                    yield from (f"{path.relative_to(crate.root)} imports {other}" for path, _ in sorted(others[other]))

    def test_the_test_sees_an_import_that_is_not_allowed(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name).resolve()
            (root / "lib.rs").write_text("pub mod log;\npub mod table;", encoding="utf-8")
            (root / "log.rs").write_text("use crate::{\n    table::{self, Table},\n};", encoding="utf-8")
            (root / "table.rs").write_text("use crate::log::Version;", encoding="utf-8")
            self.assertEqual(list(self.wrong(Crate(root))), ["log.rs imports table"])


if __name__ == "__main__":
    unittest.main()
