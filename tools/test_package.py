"""Tests of the footer against the layout by which DuckDB reads it: cd tools && python3 -m unittest."""

import unittest

import package

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


if __name__ == "__main__":
    unittest.main()
