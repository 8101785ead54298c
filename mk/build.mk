# The extension's packages: one library, packed once for each of DuckDB's two C APIs.

PYTHON ?= python3
# The versions of DuckDB that `make repository` lays the packages out for.
DUCKDB_VERSIONS ?= v1.4.0 v1.4.1 v1.4.2 v1.4.3 v1.4.4 v1.4.5 v1.5.0 v1.5.1 v1.5.2 v1.5.3 v1.5.4 v1.5.5 v1.5.6 v2.0.0

.PHONY: build release repository

# build/debug/v2.0.0 and build/debug/v1, for quick tries.
build:
	cargo build
	$(PYTHON) tools/package.py debug

# build/release/v2.0.0 and build/release/v1, as they ship.
release:
	cargo build --release
	$(PYTHON) tools/package.py release

# build/repository, for `INSTALL tstable FROM 'build/repository'`.
repository: release
	$(PYTHON) tools/package.py release --repository $(DUCKDB_VERSIONS)
