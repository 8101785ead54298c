"""Tests of the footer against the layout by which DuckDB reads it: cd tools && python3 -m unittest."""

import unittest

import package
import packages

FOOTER_BYTES = 512


def parse(data):
    """The fields as DuckDB's loader sees them: the last 512 bytes, fields first, read from the last to the first."""
    fields = data[-FOOTER_BYTES:-package.SIGNATURE_BYTES]
    size = package.FIELD_BYTES
    return [fields[at : at + size].rstrip(b"\0").decode() for at in range(len(fields) - size, -1, -size)]


class Footer(unittest.TestCase):
    def test_fields_stand_where_duckdb_looks_for_them(self):
        data = b"library" + package.footer("C_STRUCT", "v1.2.0", "v0.1.0", "linux_amd64")
        self.assertEqual(parse(data), ["4", "linux_amd64", "v1.2.0", "v0.1.0", "C_STRUCT", "", "", ""])

    def test_the_section_ends_with_the_file(self):
        # The custom section: a zero, its size as LEB128, then name, size of the content and content.
        data = package.footer("C_STRUCT_UNSTABLE", "v2.0.0", "v0.1.0", "osx_arm64")
        self.assertEqual(data[0], 0)
        size = data[1] & 0x7F | data[2] << 7
        self.assertEqual(len(data), 3 + size)
        self.assertEqual(data[3 : 4 + len(package.SECTION_NAME)], b"\x10" + package.SECTION_NAME)

    def test_a_field_that_does_not_fit_is_refused(self):
        with self.assertRaises(SystemExit):
            package.footer("C_STRUCT", "v1.2.0", "v" + "1" * package.FIELD_BYTES, "linux_amd64")

    def test_leb128_counts_seven_bits_a_byte(self):
        self.assertEqual(package.leb128(0x7F), b"\x7f")
        self.assertEqual(package.leb128(512), b"\x80\x04")


class Marker(unittest.TestCase):
    LIBRARY = b"before" + b"tstable-package:unset".ljust(package.MARKER_BYTES, b"\0") + b"behind"

    def test_the_marker_is_replaced_in_its_place(self):
        marked = package.marked(self.LIBRARY, "v2.0.1 21*620")
        self.assertEqual(marked, self.LIBRARY.replace(b"unset" + bytes(8), b"v2.0.1 21*620"))

    def test_a_library_without_a_single_marker_and_a_text_that_does_not_fit_are_refused(self):
        for library, text in ((b"none", "v1.2.0"), (self.LIBRARY * 2, "v1.2.0"), (self.LIBRARY, "v" + "1" * package.MARKER_BYTES)):
            self.assertRaises(SystemExit, package.marked, library, text)


class Choice(unittest.TestCase):
    def test_each_version_gets_the_package_with_most_in_it(self):
        for version, name in (
            ("1.4.0", "v1"), ("v1.4.5", "v1"), ("1.5.5", "v1"), ("1.5.6", "v1.5.6"), ("1.5.6-r.1", "v1.5.6"), ("1.10.0", "v1.5.6"),
            ("2.0.0", "v2.0.0"), ("v2.0.1", "v2.0.1"), ("2.0.99", "v1.5.6"), ("2.1.0-dev12", "v1.5.6"), ("3.0.0", "v1.5.6"),
        ):  # fmt: skip
            self.assertEqual(packages.choose(version).name, name, version)

    def test_a_duckdb_from_before_the_first_package_gets_none(self):
        self.assertIsNone(packages.choose("1.3.2"))

    def test_every_known_version_and_host_is_served(self):
        for version in packages.table()["versions"]:
            self.assertTrue(packages.choose(version), version)
        for host in packages.table()["hosts"]:
            self.assertIn(host["version"], packages.table()["versions"])
            self.assertTrue(packages.named(host.get("package", "v1")))

    def test_a_package_of_an_api_that_moves_says_where_its_functions_are(self):
        for made in packages.packages():
            self.assertEqual(bool(made.layout), made.abi == "C_STRUCT_UNSTABLE", made.name)
            self.assertEqual(made.only, made.abi == "C_STRUCT_UNSTABLE", made.name)


if __name__ == "__main__":
    unittest.main()
