# The extension's packages: one library, packed for each API of DuckDB's that tools/packages.json names.

PYTHON ?= python3
# What `make repository` lays the packages out for; all versions in tools/packages.json where nothing is said.
DUCKDB_VERSIONS ?=

# Tables in object stores need an HTTP client, which is a feature of the library. FEATURES= builds without.
FEATURES ?= --features remote

.PHONY: build release repository

# build/debug/<package>, for quick tries.
build:
	cargo build $(FEATURES)
	$(PYTHON) tools/package.py debug
	$(PYTHON) tools/community.py place debug

# build/release/<package>, as they ship.
release:
	cargo build --release $(FEATURES)
	$(PYTHON) tools/package.py release
	$(PYTHON) tools/community.py place release

# build/repository, for `INSTALL tstable FROM 'build/repository'`; signed with the key in the file TSTABLE_SIGNING_KEY, if that is set.
repository: release
	$(PYTHON) tools/package.py release --repository $(DUCKDB_VERSIONS)

# V is a version of DuckDB that PyPI has the sources of. Nothing of DuckDB is built.
.PHONY: add-duckdb
add-duckdb: ## add a package for a DuckDB that has appeared: make add-duckdb V=2.0.2
	cargo build $(FEATURES)
	$(PYTHON) tools/layout.py $(V)
