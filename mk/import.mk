# What other programs wrote, imported.

.PHONY: test-import
test-import: release venvs build/venv/.venv-truth/.installed ## tables of timeseries-table-format and stores of PyStore
	PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-truth/bin/python test/import/history.py
	PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-duckdb-1.5.6/bin/python test/import/history.py
