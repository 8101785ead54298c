# Signed repositories.

.PHONY: test-repository
test-repository: release venvs ## install from a signed repository in DuckDB 2, without an unsigned flag
	PYTHONPATH=test:tools PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m repository
