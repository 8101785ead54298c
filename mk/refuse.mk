# Systems that refuse what DuckDB asks of them.

.PHONY: test-refuse
test-refuse: release venvs ## full and read-only disks, missing permission and file handles, met by DuckDB
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m refuse

.PHONY: test-handles
test: test-handles
test-handles: release venvs ## thousands of segments and parts of the SQL suite with 64 file handles
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m handles

# The short form, with 1,000 files, is part of test-handles.
.PHONY: test-adopt
test-adopt: release venvs ## 10,000 files in folders become a table in one commit, with 256 file handles
	ADOPTED=10000 PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m handles
