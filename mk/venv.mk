# Virtual environments, one for each file in mk/requirements, below build/venv. Files here name them in full, because the order
# in which make includes them is not fixed.

PYTHON ?= python3

build/venv/.venv-%/.installed: mk/requirements/%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.PHONY: venvs
venvs: $(patsubst mk/requirements/%.txt,build/venv/.venv-%/.installed,$(wildcard mk/requirements/duckdb-*.txt)) ## install the DuckDB versions that the tests run in
