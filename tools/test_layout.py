"""Tests of the comparison of two versions of DuckDB's table of functions."""

import unittest

import layout
import packages

TYPES = """
typedef enum DUCKDB_V2_KIND { DUCKDB_V2_KIND_NONE = 0, DUCKDB_V2_KIND_ONE, DUCKDB_V2_KIND_MANY = 0x10 } DUCKDB_V2_KIND;
typedef struct _duckdb_v2_thing {
	void *internal_ptr; // opaque
} * duckdb_v2_thing_handle;
typedef struct duckdb_v2_str { const char *ptr; uint64_t len; } duckdb_v2_str;
/* Called for
   each one. */
typedef void (*duckdb_v2_each_fn)(duckdb_v2_thing_handle thing, const duckdb_v2_str *name);
"""
FUNCTIONS = {
    "duckdb_v2_first": "(duckdb_v2_thing_handle thing, DUCKDB_V2_KIND *out)",
    "duckdb_v2_second": "(duckdb_v2_thing_handle thing,\n\t duckdb_v2_each_fn each)",
    "duckdb_v2_third": "(bool value)",
    "duckdb_v2_fourth": "(void)",
}


def header(functions: dict, types: str = TYPES) -> layout.Header:
    body = "".join(f"\tDUCKDB_V2_ERROR (*{name})\n\t{parameters};\n" for name, parameters in functions.items())
    read = layout.Header()
    read._add("#define DUCKDB_V2_LONG \\\n\tsomething_else\n" + types + "typedef struct {\n// v2.0.0\n" + body + "} duckdb_ext_api_v2;\n")
    return read


class Positions(unittest.TestCase):
    def positions(self, *names: str) -> str:
        return layout.layout(header(FUNCTIONS), header({name: "(void)" for name in names}))

    def test_functions_are_found_wherever_new_ones_stand(self):
        first, second, third, fourth = FUNCTIONS
        self.assertEqual(self.positions(first, second, third, fourth), "0*4")
        self.assertEqual(self.positions("x", "y", first, second, third, fourth), "2*4")
        self.assertEqual(self.positions("x", first, second, "y", third, fourth, "z"), "1*2 4*2")
        self.assertEqual(self.positions(first, fourth), "0*1 -*2 1*1")
        self.assertEqual(self.positions(third, fourth, first, second), "2*2 0*2")


class Changes(unittest.TestCase):
    def changes(self, functions: dict = FUNCTIONS, types: str = TYPES, called: tuple = ("duckdb_v2_first", "duckdb_v2_second")) -> str:
        return "; ".join(layout.differences(header(FUNCTIONS), header(functions, types), list(called)))

    def test_the_same_functions_differ_in_nothing(self):
        self.assertEqual(self.changes(), "")
        self.assertEqual(self.changes(types=TYPES.replace("\n   each one", "").replace("{ const", "{\n\tconst")), "")

    def test_a_changed_prototype_is_named_where_it_is_called(self):
        changed = {**FUNCTIONS, "duckdb_v2_third": "(bool value, bool more)"}
        self.assertEqual(self.changes(changed), "")
        self.assertIn("duckdb_v2_third: was DUCKDB_V2_ERROR(*duckdb_v2_third)(bool value), is", self.changes(changed, called=("duckdb_v2_third",)))

    def test_a_function_that_is_gone_or_was_never_there_is_named(self):
        fewer = {name: parameters for name, parameters in FUNCTIONS.items() if name != "duckdb_v2_second"}
        self.assertEqual(self.changes(fewer), "duckdb_v2_second: gone")
        self.assertIn("duckdb_v2_fifth: not a function", self.changes(called=("duckdb_v2_fifth",)))

    def test_a_changed_type_is_named_however_it_is_reached(self):
        self.assertIn("duckdb_v2_str: was", self.changes(types=TYPES.replace("uint64_t len", "uint32_t len")))
        self.assertIn("duckdb_v2_each_fn: was", self.changes(types=TYPES.replace("*name);", "*name, int index);")))
        self.assertEqual(self.changes(types=TYPES.replace("uint64_t len", "uint32_t len"), called=("duckdb_v2_first",)), "")

    def test_an_enumeration_may_grow_but_not_change(self):
        grown = TYPES.replace("_MANY = 0x10", "_MANY = 16, DUCKDB_V2_KIND_NEW")
        self.assertEqual(self.changes(types=grown), "")
        self.assertIn("DUCKDB_V2_KIND: was", self.changes(types=TYPES.replace("_ONE,", "_NEW, DUCKDB_V2_KIND_ONE,")))


class Written(unittest.TestCase):
    def test_the_table_is_written_as_it_stands(self):
        self.assertEqual(layout.written(packages.table()), packages.FILE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
