"""JupySQL: a connection with the extension in a notebook's cells."""

import pytest

pytest.importorskip("sql.magic", reason="JupySQL is not installed here; make test-neighbours has it")


def test_cells_query_tables(con):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "sql")
    shell.run_line_magic("config", "SqlMagic.feedback = 0")
    shell.user_ns["con"] = con
    shell.run_line_magic("sql", "con")
    result = shell.run_cell_magic("sql", "", "SELECT symbol, count(*) AS hours FROM tstable_scan('store/prices') GROUP BY symbol ORDER BY symbol")
    assert result.dict() == {"symbol": ("AMD", "NVDA"), "hours": (43, 48)}
