"""Tests of the wheel: what it holds, and what its name promises."""

import base64
import hashlib
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import package
import packages
import wheel


class Wheel(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.out = Path(directory.name)
        for entry in packages.packages():
            file = self.out / "release" / entry.name / wheel.LIBRARY
            file.parent.mkdir(parents=True)
            file.write_bytes(entry.name.encode() + b"\0GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_2.30\0")
        patched = mock.patch.object(package, "extension_version", lambda: "v1.2.3")
        patched.start()
        self.addCleanup(patched.stop)

    def test_it_holds_every_package_and_the_table(self):
        with zipfile.ZipFile(wheel.write("release", self.out, self.out / "dist")) as archive:
            names = set(archive.namelist())
            for entry in packages.packages():
                self.assertEqual(archive.read(f"tstable/_packages/{entry.name}/{wheel.LIBRARY}")[: len(entry.name)], entry.name.encode())
            self.assertEqual(archive.read("tstable/_packages/packages.json"), packages.FILE.read_bytes())
            metadata = archive.read("tstable-1.2.3.dist-info/METADATA").decode()
            self.assertIn("tstable = tstable._command:main", archive.read("tstable-1.2.3.dist-info/entry_points.txt").decode())
        self.assertLessEqual({"tstable/__init__.py", "tstable/__main__.py", "tstable/py.typed"}, names)
        self.assertEqual([line for line in metadata.splitlines() if line.startswith("Requires-Dist")], ["Requires-Dist: duckdb>=1.4"])

    def test_the_record_names_every_file_with_its_checksum(self):
        with zipfile.ZipFile(wheel.write("release", self.out, self.out / "dist")) as archive:
            lines = archive.read("tstable-1.2.3.dist-info/RECORD").decode().splitlines()
            recorded = {line.split(",")[0]: line.split(",")[1] for line in lines}
            self.assertEqual(set(recorded), set(archive.namelist()))
            for name, checksum in recorded.items():
                digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b"=").decode()
                self.assertIn(checksum, ("" if name.endswith("RECORD") else f"sha256={digest}",))

    def test_equal_files_make_equal_wheels_and_the_old_one_goes(self):
        first = wheel.write("release", self.out, self.out / "dist").read_bytes()
        (self.out / "dist" / "tstable-0.0.1-py3-none-any.whl").touch()
        second = wheel.write("release", self.out, self.out / "dist")
        self.assertEqual(second.read_bytes(), first)
        self.assertEqual(list((self.out / "dist").iterdir()), [second])

    def test_a_missing_package_is_named_with_what_to_type(self):
        missing = packages.packages()[-1].name
        (self.out / "release" / missing / wheel.LIBRARY).unlink()
        with self.assertRaisesRegex(SystemExit, f"{missing}.* is not there: run make release first"):
            wheel.write("release", self.out, self.out / "dist")

    def test_a_library_that_needs_a_newer_glibc_than_asked_for_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "needs glibc 2.30, and was to load on 2.28"):
            wheel.write("release", self.out, self.out / "dist", "2.28")
        self.assertFalse((self.out / "dist").exists())
        self.assertTrue(wheel.write("release", self.out, self.out / "dist", "2.30").is_file())

    def test_the_tag_is_the_newest_glibc_that_a_library_asks_for(self):
        libraries = [b"\0GLIBC_2.2.5\0GLIBC_2.28\0", b"\0GLIBC_2.9\0", b"\0GLIBC_2.34\0 GLIBC_2.99 in prose"]
        with mock.patch.object(package, "platform_name", lambda: "linux_amd64"):
            self.assertEqual(wheel.tag(libraries), "py3-none-manylinux_2_34_x86_64")
            self.assertEqual(wheel.tag(libraries[1:2]), "py3-none-manylinux_2_17_x86_64")
        for name, tag in [("linux_arm64_musl", "musllinux_1_2_aarch64"), ("osx_arm64", "macosx_11_0_arm64"), ("windows_amd64", "win_amd64")]:
            with mock.patch.object(package, "platform_name", lambda name=name: name):
                self.assertEqual(wheel.tag(libraries), f"py3-none-{tag}")


if __name__ == "__main__":
    unittest.main()
