"""In core/src/table nothing imports what stands above it: no circles, few floors, in the folder and in each of its wings. Folders of
the other layers that are without circles stay so."""

import re
import tempfile
import unittest
from pathlib import Path

from rooms import CORE, REPOSITORY, Crate, circles, floors

TABLE = CORE / "table"
MOST_FLOORS = 7
STRAIGHT = [CORE / name for name in ("import", "log", "prune", "storage")]


def folders():
    return [TABLE, *sorted(path for path in TABLE.rglob("*") if path.is_dir() and any(path.glob("*.rs")))]


class Rooms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.crate = Crate()

    def test_no_rooms_form_a_circle(self):
        for folder in [*folders(), *STRAIGHT]:
            with self.subTest(folder=folder.relative_to(CORE)):
                self.assertEqual(circles(self.crate.rooms(folder)), set())

    def test_there_are_few_floors(self):
        for folder in folders():
            rooms = self.crate.rooms(folder)
            with self.subTest(folder=folder.relative_to(CORE)):
                if not circles(rooms):
                    self.assertLessEqual(max(floors(rooms).values()), MOST_FLOORS)

    def test_the_drawing_in_the_document_shows_the_floors_that_there_are(self):
        text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
        drawing = " ".join(re.search(r"draws them\):\n\n(.*?)\n\n", text, re.DOTALL).group(1).split())
        drawn = [set(floor.strip().split(", ")) for floor in drawing.split("->")]
        floor_of = floors(self.crate.rooms(TABLE))
        floor_of.pop("mod", None)
        there = [{room for room, at in floor_of.items() if at == floor} for floor in range(1, max(floor_of.values()) + 1)]
        self.assertEqual(drawn, there)

    def test_every_path_in_the_document_is_there(self):
        text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
        paths = {path for path in re.findall(r"`((?:core|src|tools|docs)/[^`<]*)`", text)}
        self.assertGreater(len(paths), 30)
        self.assertEqual({path for path in paths if not (REPOSITORY / path).exists()}, set())

    def test_a_mod_of_a_wing_holds_no_code_that_others_import(self):
        wings = {path for path in TABLE.iterdir() if path.is_dir()}
        for wing in sorted(wings):
            with self.subTest(wing=wing.name):
                self.assertNotRegex(self.crate.texts[wing / "mod.rs"], r"\b(fn|struct|enum|trait|impl)\b")


class Planted(unittest.TestCase):
    """The tests above would see what they look for."""

    def rooms(self, **files):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name).resolve()
            for path, text in {"lib": "pub mod table;", **files}.items():
                file = root / (path.replace("__", "/") + ".rs")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return {room: set(others) for room, others in Crate(root).rooms(root / "table").items()}

    def test_an_import_is_seen_however_it_is_written(self):
        for text in (
            "use crate::table::b::B;",
            "use super::b;",
            "use crate::{\n    error::Error,\n    table::{\n        b::{self, B as Other},\n    },\n};",
            "fn f() { crate::table::b::g(); }",
            "fn f() { super::b::g(); }",
        ):
            with self.subTest(text=text):
                rooms = self.rooms(table__mod="pub mod a;\npub mod b;", table__a=text, table__b="pub struct B;")
                self.assertEqual(rooms["a"], {"b"})

    def test_a_name_that_is_passed_on_leads_to_where_it_is_defined(self):
        rooms = self.rooms(
            table__mod="pub mod a;\npub mod b;\npub use self::b::{B, c};",
            table__a="use super::{B, c::C};",
            table__b__mod="pub mod c;\npub struct B;",
            table__b__c="pub struct C;",
        )
        self.assertEqual(rooms, {"mod": set(), "a": {"b"}, "b": set()})

    def test_a_module_that_calls_a_child_without_an_import_is_seen(self):
        rooms = self.rooms(table__mod="mod a;\nfn f() { a::g(); }", table__a="use crate::table::f;")
        self.assertEqual(circles(rooms), {frozenset({"mod", "a"})})

    def test_who_may_see_a_thing_is_not_what_it_looks_at(self):
        rooms = self.rooms(table__mod="pub mod a;\npub mod b;", table__a="pub(in crate::table::b) fn f() {}", table__b="")
        self.assertEqual(rooms["a"], set())

    def test_tests_and_comments_import_nothing(self):
        rooms = self.rooms(
            table__mod="pub mod a;\npub mod b;",
            table__a="/// As [`crate::table::b::B`].\n#[cfg(test)]\nmod tests {\n    use crate::table::b::B;\n}",
            table__b="",
        )
        self.assertEqual(rooms["a"], set())

    def test_floors_are_counted_from_the_ground(self):
        self.assertEqual(floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}), {"a": 3, "b": 2, "c": 1})


if __name__ == "__main__":
    unittest.main()
