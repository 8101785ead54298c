"""CONTRIBUTING.md names every target of `make test`, in its order, and every host."""

import re
import unittest

import packages

REPOSITORY = packages.FILE.parents[1]


class Contributing(unittest.TestCase):
    PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")

    def test_the_targets_stand_in_the_order_in_which_they_run(self):
        rule = re.search(r"^test: ([^#\n]*)", (REPOSITORY / "mk" / "test.mk").read_text(encoding="utf-8"), re.M)
        told = re.findall(r"^make ([a-z-]+) +#", self.PAGE, re.M)
        self.assertEqual(told, ["release", "test", *rule[1].split()])

    def test_every_host_is_named(self):
        for host in packages.table()["hosts"]:
            self.assertIn(f"`{host['name']}`", self.PAGE)


if __name__ == "__main__":
    unittest.main()
