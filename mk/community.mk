# What DuckDB's build of community extensions calls, in its words. It is for the DuckDB in DUCKDB_GIT_VERSION and takes the package
# from build/release/extension/tstable/; description.yml is what it is given.

COMMUNITY = $(PYTHON) tools/community.py

# It builds for Macs with Intel processors on others.
ifeq ($(DUCKDB_PLATFORM),osx_amd64)
export CARGO_BUILD_TARGET ?= x86_64-apple-darwin
endif

.PHONY: set_duckdb_version set_duckdb_tag set_duckdb_repository output_distribution_matrix configure configure_ci debug

# No part of DuckDB is built, so no source of DuckDB is checked out; which one it is decides about the package.
set_duckdb_version:
	$(COMMUNITY) record

set_duckdb_tag set_duckdb_repository:
	@echo "nothing to do: no source of DuckDB is used"

output_distribution_matrix:
	cat extension-ci-tools/config/distribution_matrix.json

# The environment for the tests is made when they run: the containers that packages are built in run none.
configure configure_ci:
	$(COMMUNITY) record

debug: build

# On the platforms that its own tests leave out, and in the containers, no DuckDB for Python can be installed.
ifneq ($(filter 1,$(LINUX_CI_IN_DOCKER) $(SKIP_TESTS))$(filter %_musl %_mingw %_rtools,$(DUCKDB_PLATFORM)),)
.PHONY: test_debug test_release
test_debug test_release:
	@echo "tests are skipped here"
else
.PHONY: test_debug test_release
test_debug test_release: test_%:
	$(MAKE) build/venv/.venv-duckdb-$$($(COMMUNITY) host-version)/.installed
	PROFILE=$* PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m slt --host $$($(COMMUNITY) host) test/sql
endif

.PHONY: clean clean_all
clean:
	cargo clean
	rm -rf build/debug build/release build/portable build/repository build/python dist

clean_all: clean
	rm -rf build configure

# Everything that is called, in that order, in a clone of what is committed. Takes as long as a build; PROFILE=debug is quicker.
.PHONY: test-clean-clone
test-clean-clone: ## the targets of DuckDB's community build in a clean clone (PROFILE=debug, DUCKDB_GIT_VERSION=v2.0.1)
	rm -rf build/clone
	git clone --quiet . build/clone
	cd build/clone && $(MAKE) set_duckdb_version && $(MAKE) set_duckdb_tag && $(MAKE) configure_ci && $(MAKE) $(PROFILE) && \
		$(MAKE) test_$(PROFILE) && ls -l build/$(PROFILE)/extension/tstable/tstable.duckdb_extension
	rm -rf build/clone
