# Systems that refuse what DuckDB asks of them.

.PHONY: test-refuse
test-refuse: release venvs ## full and read-only disks, missing permission and file handles, met by DuckDB
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m refuse

.PHONY: test-handles
test: test-handles
test-handles: release venvs ## thousands of segments and parts of the SQL suite with 64 file handles
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m handles
