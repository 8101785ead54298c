# Systems that refuse what DuckDB asks of them.

.PHONY: test-refuse
test-refuse: release venvs ## full and read-only disks, missing permission and file handles, met by DuckDB
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m refuse
