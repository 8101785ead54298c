# The Delta log, read by engines that nobody here wrote.

.PHONY: test-delta
test-delta: release build/venv/.venv-delta/.installed ## every version through delta-rs and Polars
	PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-delta/bin/python test/delta/delta.py
