# The pruned scan against read_parquet of the same segments, over random tables and predicates. A seed makes the same run again:
# make test-differential SEED=5. In DuckDB 1.x the scan has no filters, so there every query has a range.

DIFFERENTIAL = PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-truth/bin/python -m differential
SEED ?= 1

.PHONY: test-differential
test-differential: release venvs build/venv/.venv-truth/.installed ## compare random queries with read_parquet (SEED=n)
	$(DIFFERENTIAL) --seed $(SEED) --predicates 3000
	$(DIFFERENTIAL) --seed $(SEED) --predicates 500 --host duckdb-1.5.6 --ranges 1
	$(DIFFERENTIAL) --seed $(SEED) --predicates 200 --host duckdb-1.4.5 --ranges 1
	$(DIFFERENTIAL) --seed $(SEED) --predicates 200 --host newest-v1.5.6 --ranges 1

.PHONY: soak-differential
soak-differential: release venvs build/venv/.venv-truth/.installed
	$(DIFFERENTIAL) --predicates 100000
	$(DIFFERENTIAL) --predicates 20000 --host duckdb-1.5.6 --ranges 1
