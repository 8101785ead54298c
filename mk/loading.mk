# Every package in every DuckDB.

.PHONY: test-loading
test-loading: release venvs ## every package in every DuckDB works or is refused with a sentence
	PYTHONPATH=test:tools PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m loading
