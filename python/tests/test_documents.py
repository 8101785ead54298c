"""Docstrings, the page about Python and the README's lines of Python run."""

import doctest
import importlib
import os
import re
from pathlib import Path

import duckdb
import pytest
from prices import make_prices

import tstable

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
EXAMPLES = {
    example.name: example
    for name in ("", "._definition", "._errors", "._incoming", "._loading", "._reading", "._views")
    for example in doctest.DocTestFinder().find(importlib.import_module("tstable" + name))
    if example.examples
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_docstrings_run(prices, name):
    example = EXAMPLES[name]
    example.globs.update({"tstable": tstable, "con": prices, "duckdb": duckdb, "os": os})
    assert doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example).failed == 0


def test_every_public_name_has_a_docstring_and_an_example_or_is_an_exception():
    for name in tstable.__all__:
        thing = getattr(tstable, name)
        assert thing.__doc__, name
        assert isinstance(thing, type) or ">>>" in thing.__doc__, name


def test_the_page_about_python_runs(here):
    with tstable.connect() as con:
        make_prices(con)
    result = doctest.testfile(str(REPOSITORY / "docs/PYTHON.md"), module_relative=False, optionflags=FLAGS, verbose=False)
    assert result.attempted > 10
    assert result.failed == 0


def test_the_readmes_lines_of_python_run(prices):
    fences = re.findall(r"^```python\n(.*?)^```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert fences
    known = {}
    for fence in fences:
        exec(fence, known)
    assert known["con"].execute("SELECT count(*) FROM tstable_scan('prices')").fetchone() == (91,)
