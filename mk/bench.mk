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

.PHONY: bench-cold
bench-cold: release bench-data ## in processes that have just started: nothing of the files in memory, first query, LOAD
	build/venv/.venv-bench/bin/python bench/fresh.py

.PHONY: bench-scale
bench-scale: release build/venv/.venv-bench/.installed ## coverage, gaps and plans of 100 entities with ten years of minutes
	build/venv/.venv-bench/bin/python bench/scale.py

# What a peer cannot be installed for is a line of the table.
PEERS = $(patsubst mk/requirements/%.txt,build/venv/.venv-%/.installed,$(wildcard mk/requirements/peer-*.txt))
.PHONY: bench-peers
bench-peers: release bench-data ## the same rows in DuckLake, delta-rs, chdb, ArcticDB and others
	-$(MAKE) --keep-going $(PEERS)
	build/venv/.venv-bench/bin/python bench/peers.py
