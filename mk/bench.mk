# Benchmarks: data, the environments of both sides, and the comparison. B picks cases: make bench B=coverage

.PHONY: bench-data
bench-data: build/venv/.venv-bench/.installed ## make the benchmark's data (a few minutes, about 700 MB)
	build/venv/.venv-bench/bin/python bench/generate.py

.PHONY: bench
bench: release bench-data build/venv/.venv-ancestor/.installed ## compare with read_parquet and the ancestor (B=part of a name)
	build/venv/.venv-bench/bin/python bench/run.py $(B)
