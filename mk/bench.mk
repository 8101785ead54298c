# Benchmarks: data, the environments of both sides, and the comparison. B picks cases: make bench B=coverage

.PHONY: bench-data
bench-data: build/venv/.venv-bench/.installed ## make the benchmark's data (a few minutes, about 700 MB)
	build/venv/.venv-bench/bin/python bench/generate.py

.PHONY: bench
bench: release bench-data build/venv/.venv-ancestor/.installed ## compare with read_parquet and the ancestor (B=part of a name)
	build/venv/.venv-bench/bin/python bench/run.py $(B)

.PHONY: bench-copy
bench-copy: release build/venv/.venv-duckdb-2.0.0/.installed ## load a query larger than memory, DuckDB held to 200 MB
	build/venv/.venv-duckdb-2.0.0/bin/python bench/copy_memory.py
