"""Tests of what DuckDB's build of community extensions calls and looks at."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import community
import package
import packages

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (
    "set_duckdb_repository set_duckdb_version set_duckdb_tag configure configure_ci debug release test_debug test_release "
    "output_distribution_matrix clean clean_all"
).split()


class Community(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory.name)
        for entry in packages.packages():
            Path("build/release", entry.name).mkdir(parents=True)
            Path("build/release", entry.name, "tstable.duckdb_extension").write_text(entry.name)

    def placed(self, version):
        with mock.patch.dict(os.environ, {"DUCKDB_GIT_VERSION": version}):
            return community.place("release").read_text()

    def test_the_package_of_each_version_lies_where_it_is_looked_for(self):
        for version in packages.table()["versions"]:
            self.assertEqual(self.placed(f"v{version}"), packages.choose(version).name)
        self.assertTrue(Path("build/release/extension/tstable/tstable.duckdb_extension").is_file())

    def test_a_branch_or_commit_gets_the_newest_stable_package(self):
        for version in ("main", "v1.5-variegata", "0123abcd", "v2.9.0"):
            self.assertEqual(self.placed(version), "v1.5.6")

    def test_a_duckdb_from_before_the_first_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "no package serves DuckDB v1.3.2"):
            self.placed("v1.3.2")

    def test_a_version_is_remembered_for_the_steps_that_are_not_told(self):
        with mock.patch.dict(os.environ, {"DUCKDB_GIT_VERSION": "v1.4.5"}):
            community.record()
        with mock.patch.dict(os.environ):
            os.environ.pop("DUCKDB_GIT_VERSION", None)
            self.assertEqual(community.version(), "v1.4.5")
            self.assertEqual(community.host()["version"], "1.4.5")
            community.RECORD.unlink()
            self.assertEqual(community.version(), packages.table()["versions"][-1])

    def test_a_version_without_a_host_is_tested_in_one_that_takes_the_same_package(self):
        with mock.patch.dict(os.environ, {"DUCKDB_GIT_VERSION": "v1.5.2"}):
            self.assertEqual(packages.choose("1.5.2"), packages.choose(community.host()["version"]))

    def test_every_target_that_is_called_is_there(self):
        for target in TARGETS:
            done = subprocess.run(["make", "-C", ROOT, "-n", target], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{target}: {done.stderr}")

    def test_tests_are_skipped_where_they_cannot_run(self):
        done = subprocess.run(["make", "-C", ROOT, "-n", "test_release", "LINUX_CI_IN_DOCKER=1"], capture_output=True, text=True, check=True)
        self.assertNotIn("slt", done.stdout)

    def test_the_description_fits_the_package(self):
        text = (ROOT / "description.yml").read_text(encoding="utf-8")
        fields = dict(re.findall(r"^  (\w+): (.+)$", text, re.MULTILINE))
        os.chdir(ROOT)
        self.assertEqual((fields["name"], fields["build"], fields["language"]), ("tstable", "cargo", "Rust"))
        self.assertEqual("v" + fields["version"], package.extension_version())
        excluded = fields["excluded_platforms"].strip('"').split(";")
        for platform in excluded:
            self.assertRegex(text, rf"(?m)^# .*\b{platform}\b.*", "every excluded platform has its reason")
        self.assertNotIn("linux_amd64", excluded)


if __name__ == "__main__":
    unittest.main()
