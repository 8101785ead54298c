"""The table "What a change touches" in CONTRIBUTING.md is true: its files are there, and nothing else knows what it says they know."""

import re
import unittest

from rooms import REPOSITORY, without_tests_and_comments


def stories():
    """For each change of the table, the paths in its row."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## What a change touches")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| a ")]
    return {change.strip(): re.findall(r"`([^`]+/[^`]+|[A-Z]+\.md)`", files) for change, files in rows}


def rust(*folders):
    """The text of each file of Rust that is no test, by its path."""
    files = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.rs"))]
    files = [path for path in files if "tests" not in path.stem and "tests" not in path.parts]
    return {path.relative_to(REPOSITORY).as_posix(): without_tests_and_comments(path.read_text(encoding="utf-8")) for path in files}


class Stories(unittest.TestCase):
    def test_there_are_three_and_their_files_exist(self):
        self.assertEqual(len(stories()), 3)
        for change, paths in stories().items():
            self.assertTrue(paths, change)
            for path in paths:
                with self.subTest(change=change, path=path):
                    self.assertTrue("<" in path or (REPOSITORY / path).exists())

    def test_units_of_buckets_are_named_where_times_are_told_only(self):
        naming = {path for path, text in rust("core/src", "src").items() if re.search(r"\bWidthUnit::(?!Integer\b)[A-Z]", text)}
        self.assertIn("core/src/time/units.rs", naming)
        self.assertEqual({path for path in naming if not path.startswith("core/src/time/")}, set())

    def test_kinds_of_storage_are_known_to_storage_only(self):
        # Reading another program's directory is not opening a table; the crate's front page passes names on.
        known = {"core/src/import/metadata.rs", "core/src/lib.rs"}
        kinds = {
            name
            for path, text in rust("core/src").items()
            for name in re.findall(r"impl Storage for (\w+)", text)
        }
        self.assertGreaterEqual(len(kinds), 4)
        named = re.compile(r"\b(" + "|".join(kinds) + r")\b")
        naming = {path for path, text in rust("core/src", "src").items() if named.search(text)}
        self.assertEqual({path for path in naming - known if not path.startswith("core/src/storage/")}, set())

    def test_a_function_is_known_to_its_file_and_the_list_of_functions_only(self):
        files = rust("src")
        registered = re.findall(r"Arc::new\((\w+::\w+)[(),]", files["src/functions/mod.rs"])
        self.assertGreater(len(registered), 40)
        for name in registered:
            with self.subTest(function=name):
                own = "src/functions/" + name.partition("::")[0]
                naming = {path for path, text in files.items() if re.search(rf"\b{name}\b", text)}
                self.assertEqual({path for path in naming if not path.startswith(own)}, {"src/functions/mod.rs"})


if __name__ == "__main__":
    unittest.main()
