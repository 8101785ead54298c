"""Tests of the runner itself: that it notices what differs. They need DuckDB but not the extension."""

import contextlib
import io
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from . import __main__ as command
from .files import FileError, Files
from .hosts import HOSTS, CliHost, HostSpec, PythonHost, holds, named_rows, packages
from .records import FormatError, read
from .runner import FileRun, Outcome


def python_spec() -> HostSpec:
    import duckdb

    found = [spec for spec in HOSTS if spec.version == duckdb.__version__]
    return found[0] if found else replace(HOSTS[0], version=duckdb.__version__)


CLI = next(spec for spec in HOSTS if spec.kind == "cli")


class RunnerTest(unittest.TestCase):
    def setUp(self):
        self._kept = tempfile.TemporaryDirectory()
        self.addCleanup(self._kept.cleanup)
        self.directory = Path(self._kept.name)

    def run_text(self, text: str, cli: bool = False, suffix: str = ".test") -> Outcome:
        path = self.directory / f"case{suffix}"
        path.write_text(text)
        work = self.directory / "work"
        work.mkdir(exist_ok=True)
        spec = CLI if cli else python_spec()
        return FileRun(path, spec, CliHost(spec) if cli else PythonHost(spec), work).run()

    def check(self, text: str, *fragments: str, records: int | None = None) -> None:
        """Runs a file in Python and on the command line; with fragments, one failure holding each of them is expected."""
        for cli in (False, True):
            with self.subTest(cli=cli):
                outcome = self.run_text(text, cli)
                self.assertEqual(len(outcome.failures), 1 if fragments else 0, outcome.failures)
                for fragment in fragments:
                    self.assertIn(fragment, outcome.failures[0])
                if records is not None:
                    self.assertEqual(outcome.records, records)

    def test_equal_rows_pass(self):
        self.check("query TIR\nSELECT 'a', 1, 0.5::DOUBLE\n----\na\t1\t0.5\n", records=1)

    def test_values_one_a_line_pass(self):
        self.check("query TI\nVALUES ('a', 1), ('b', 2)\n----\na\n1\nb\n2\n")

    def test_different_value_names_line_expected_and_found(self):
        self.check("\nquery I\nSELECT 41\n----\n42\n", "case.test:2", "42", "41")

    def test_missing_and_additional_rows_fail(self):
        self.check("query I\nSELECT 1\n----\n1\n2\n", "2 rows", "1 rows")
        self.check("query I\nVALUES (1), (2)\n----\n1\n", "1 rows", "2 rows")

    def test_rows_where_none_are_expected_fail(self):
        self.check("query I\nSELECT 1\n----\n", "0 rows", "1 rows")

    def test_wrong_number_of_columns_fails(self):
        self.check("query II\nSELECT 1\n----\n1\n", "2 columns")

    def test_null_empty_and_lines_in_values(self):
        self.check("query TTT\nSELECT NULL, '', 'a' || chr(10) || 'b'\n----\nNULL\t(empty)\ta\\nb\n")

    def test_intervals_and_zoned_times_look_the_same_on_both_kinds_of_host(self):
        self.check(
            "query TT\nSELECT INTERVAL '1 month 2 days', TIMESTAMPTZ '2024-01-01 00:00:00+02'\n----\n"
            "1 month 2 days\t2023-12-31 22:00:00+00\n"
        )

    def test_call_gives_rows(self):
        self.check("statement ok\nCREATE TABLE t(a INT)\n\nquery IT\nSELECT cid, name FROM pragma_table_info('t')\n----\n0\ta\n")
        self.check("query I\nCALL range(3)\n----\n0\n1\n2\n")

    def test_sorting_makes_order_irrelevant(self):
        self.check("query I rowsort\nVALUES (2), (1)\n----\n1\n2\n")
        self.check("query II valuesort\nVALUES (4, 1), (3, 2)\n----\n2\t1\n3\t4\n")
        self.check("query I\nVALUES (2), (1)\n----\n1\n2\n", "found")

    def test_real_columns_compare_nearly(self):
        self.check("query R\nSELECT 0.1::DOUBLE + 0.2::DOUBLE\n----\n0.3\n")
        self.check("query R\nSELECT 0.31::DOUBLE\n----\n0.3\n", "0.31")
        self.check("query I\nSELECT 0.1::DOUBLE + 0.2::DOUBLE\n----\n0.3\n", "0.3")

    def test_labels_must_agree(self):
        self.check("query I nosort x\nSELECT 1\n----\n1\n\nquery I nosort x\nSELECT 2\n----\n2\n", "labelled x")

    def test_failing_statement_fails(self):
        self.check("statement ok\nSELECT nothing\n", "Binder Error")

    def test_failing_query_fails(self):
        self.check("query I\nSELECT nothing\n----\n1\n", "Binder Error")

    def test_expected_error_passes_and_success_fails(self):
        self.check("statement error\nSELECT error('boom')\n----\nboom\n")
        self.check("statement error\nSELECT 1\n----\nboom\n", "boom", "success")

    def test_another_error_fails(self):
        self.check("statement error\nSELECT error('bang')\n----\nboom\n", "boom", "bang")
        self.check("statement error\nSELECT error('bang')\n----\n<REGEX>:b.o+m\n", "b.o+m", "bang")
        self.check("statement error\nSELECT error('boom')\n----\n<REGEX>:b.o+m\n")

    def test_an_error_ends_neither_file_nor_host(self):
        self.check("statement error\nSELECT error('boom')\n----\nboom\n\nquery I\nSELECT 7\n----\n7\n", records=2)

    def test_patterns_match_whole_results(self):
        self.check("query I\nSELECT 'abc'\n----\n<REGEX>:a.c\n")
        self.check("query I\nSELECT 'abc'\n----\n<!REGEX>:a.c\n", "no match")

    def test_loops_replace_their_variable(self):
        self.check("loop i 1 3\n\nforeach j a b\n\nquery T\nSELECT '${i}${j}'\n----\n${i}${j}\n\nendloop\n\nendloop\n", records=4)

    def test_a_failing_pass_of_a_loop_fails(self):
        self.check("foreach j 1 '1 + 1'\n\nquery I\nSELECT ${j}\n----\n1\n\nendloop\n", "SELECT 1 + 1")

    def test_conditions_choose_the_host(self):
        text = "skipif cli\nquery I\nSELECT 1\n----\n1\n\nonlyif cli\nquery I\nSELECT 2\n----\n2\n"
        self.check(text, records=1)
        self.check("onlyif duckdb<1\nstatement ok\nSELECT nothing\n\nquery I\nSELECT 1\n----\n1\n", records=1)

    def test_require_ends_the_file_on_other_hosts(self):
        outcome = self.run_text("require duckdb<1\n\nstatement ok\nSELECT nothing\n")
        self.assertEqual((outcome.failures, outcome.records, outcome.skip_reason), ([], 0, "needs duckdb<1"))

    def test_missing_extension_fails(self):
        outcome = self.run_text("require no_such_extension\n\nquery I\nSELECT 1\n----\n1\n")
        self.assertIn("cannot load no_such_extension", outcome.failures[0])

    def test_restart_forgets_memory_and_keeps_a_file(self):
        self.check("statement ok\nCREATE TABLE t(a INT)\n\nrestart\n\nstatement error\nFROM t\n----\ndoes not exist\n")
        for cli in (False, True):
            text = f"load __TEST_DIR__/{cli}.db\n\nstatement ok\nCREATE TABLE t(a INT)\n\nrestart\n\nstatement ok\nFROM t\n"
            self.assertEqual(self.run_text(text, cli).failures, [])

    def test_test_directory_is_there_and_named(self):
        self.check("statement ok\nCOPY (SELECT 1 AS a) TO '__TEST_DIR__/x.parquet'\n\nquery I\nFROM '${TMP}/x.parquet'\n----\n1\n")

    def test_connections_are_apart(self):
        text = "statement ok con1\nBEGIN\n\nstatement ok con1\nCREATE TABLE t(a INT)\n\nstatement error con2\nFROM t\n----\nexist\n"
        self.assertEqual(self.run_text(text).failures, [])
        self.assertEqual(self.run_text(text, cli=True).skipped, 3)

    def test_recipes_check_each_statement(self):
        spec = python_spec()
        path = self.directory / "case.sql"
        path.write_text("-- A comment.\nSELECT 1;\n-- error: boom\nSELECT\n  error('boom');\nSELECT 2;\n")
        kinds = [(record.kind, record.line) for record in read(path)]
        self.assertEqual(kinds, [("ok", 2), ("error", 4), ("ok", 6)], spec)

    def test_markdown_fences_are_tests(self):
        path = self.directory / "page.md"
        path.write_text("Hi\n\n```sql\nSELECT 1;\n```\n\n```text\nbox\n```\n\n```sql api>=2\nSELECT 2;\n```\n\n```sh\nls\n```\n")
        first, second = read(path)
        self.assertEqual((first.kind, first.line, first.expected, first.span), ("box", 4, ["box"], (7, 8)))
        self.assertEqual((second.kind, second.conditions), ("ok", [(True, "api>=2")]))

    def test_malformed_files_are_refused(self):
        for text in (
            "statement error\nSELECT 1\n",
            "query I\nSELECT 1\n",
            "query X\nSELECT 1\n----\n1\n",
            "foreach i 1\n\nstatement ok\nSELECT 1\n",
            "endloop\n",
            "stament ok\nSELECT 1\n",
            "# only a comment\n",
            "statement ok\nSELECT 1\n----\n1\n",
        ):
            with self.subTest(text=text):
                path = self.directory / "bad.test"
                path.write_text(text)
                self.assertRaises(FormatError, read, path)

    def test_a_crash_of_the_host_is_a_failure_with_its_line(self):
        verdict = command._verdict(Path("x.test"), HOSTS[0], "at 3\nat 17\nSegmentation fault", -11)
        self.assertIn("x.test:17", verdict.failures[0])
        self.assertIn("-11", verdict.failures[0])

    def test_nothing_run_and_nothing_selected_are_failures(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(command._sum_up([], HOSTS), 1)
        self.assertEqual(command._select(["no such test"]), [])


class ConditionTest(unittest.TestCase):
    def test_versions_compare_by_number(self):
        spec = HostSpec("x", "python", "1.10.0", packages.named("v1"), "whole")
        for condition, expected in (
            ("duckdb>=1.9", True), ("duckdb<2", True), ("duckdb=1.10", True), ("duckdb>1.10.0", False),
            ("api<2", True), ("api>=2", False), ("python", True), ("cli", False), ("has copy", False),
        ):  # fmt: skip
            self.assertEqual(holds(condition, spec), expected, condition)
        self.assertTrue(holds("has filters", next(host for host in HOSTS if host.name == "duckdb-2.0.1")))
        for condition in ("postgres", "has everything"):
            self.assertRaises(ValueError, holds, condition, spec)


class NamedRowsTest(unittest.TestCase):
    def test_only_a_copy_to_a_table_is_written_anew(self):
        for sql, expected in (
            ("COPY (SELECT 1 AS a, (2) AS b)\nTO 't' (FORMAT tstable)", "COPY (SELECT r FROM (SELECT 1 AS a, (2) AS b) r)\nTO 't' (FORMAT tstable)"),
            ("copy rows to 't' ( format tstable, MESSAGE 'x')", "copy (SELECT r FROM rows r) to 't' ( format tstable, MESSAGE 'x')"),
            ("EXPLAIN COPY rows TO 't' (FORMAT tstable)", "EXPLAIN COPY (SELECT r FROM rows r) TO 't' (FORMAT tstable)"),
        ):  # fmt: skip
            self.assertEqual(named_rows(sql), expected)
        for sql in ("COPY (SELECT 1) TO 't.parquet'", "COPY rows TO 't' (FORMAT parquet)", "SELECT 'COPY'", "COPY (SELECT r FROM (SELECT 1 AS a) r) TO 't' (FORMAT tstable)"):
            self.assertEqual(named_rows(sql), sql)


class FilesTest(unittest.TestCase):
    def setUp(self):
        self._kept = tempfile.TemporaryDirectory()
        self.addCleanup(self._kept.cleanup)
        self.root = Path(self._kept.name)
        self.files = Files(self.root)
        self.files.run("mkdir", ["d"])
        self.files.run("write", ["d/a.txt", "hello"])

    def test_every_kind_of_change_is_noticed(self):
        for operation, arguments in (
            ("write", ["d/b.txt", "x"]), ("write", ["d/a.txt", "bye"]), ("remove", ["d/a.txt"]), ("truncate", ["d/a.txt", "2"]),
            ("mkdir", ["d/e"]),
        ):  # fmt: skip
            self.setUp()
            self.files.run("remember", ["d"])
            self.files.run("same", ["d"])
            self.files.run(operation, arguments)
            self.assertRaises(FileError, self.files.run, "same", ["d"])

    def test_replace_needs_the_text_and_one_file(self):
        self.files.run("replace", ["d/*.txt", "hell", "jell"])
        self.assertEqual((self.root / "d/a.txt").read_text(), "jello")
        self.assertRaises(FileError, self.files.run, "replace", ["d/a.txt", "hell", "x"])
        self.assertRaises(FileError, self.files.run, "replace", ["d/*.none", "hell", "x"])

    def test_nothing_outside_the_directory_is_touched(self):
        self.assertRaises(FileError, self.files.run, "write", ["../x", "x"])
        self.assertRaises(FileError, self.files.run, "remove", ["d/none*"])

    def test_count_and_copy(self):
        self.files.run("copy", ["d", "e"])
        self.files.run("count", ["*/a.txt", "2"])
        self.assertRaises(FileError, self.files.run, "count", ["*/a.txt", "1"])


if __name__ == "__main__":
    unittest.main()
