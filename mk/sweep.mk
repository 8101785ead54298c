# Every cast and function of one column, as DuckDB 2.x computes them, against what the scan skips. A seed makes the same run again:
# make test-sweep SEED=5. One of each so many expressions is enough for every day; the soak takes all.

SWEEP = PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-truth/bin/python -m sweep

.PHONY: test-sweep
test-sweep: release venvs build/venv/.venv-truth/.installed ## compare what casts and functions skip with what DuckDB computes (SEED=n)
	$(SWEEP) --seed $(SEED) --share 0.08

.PHONY: soak-sweep
soak-sweep: release venvs build/venv/.venv-truth/.installed
	$(SWEEP)
