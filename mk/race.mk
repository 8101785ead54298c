# Writers of different DuckDB versions at one table.

.PHONY: test-race
test-race: release venvs ## processes of different DuckDB versions append to one table
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m race
