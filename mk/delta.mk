# The Delta log, read by engines that nobody here wrote.

.PHONY: test-delta
test-delta: release build/venv/.venv-delta/.installed ## every version through delta-rs and Polars
	PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-delta/bin/python test/delta/delta.py

DELTA_ENGINES = daft chdb duckdb sail

.PHONY: test-delta-engines
test-delta-engines: release build/venv/.venv-delta/.installed $(DELTA_ENGINES:%=build/venv/.venv-delta-%/.installed) ## the same through Daft, ClickHouse, DuckDB's delta and Spark SQL; long
	PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-delta/bin/python test/delta/engines.py $(foreach engine,$(DELTA_ENGINES),$(engine)=build/venv/.venv-delta-$(engine)/bin/python)
