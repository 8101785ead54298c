# Long scans beside others.

.PHONY: test-reading
test-reading: release venvs ## a reader keeps its version; a cancelled scan returns at once
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m reading
