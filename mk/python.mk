# The wheel and the Python package in python/. Tests run what the wheel installs, in every DuckDB of mk/requirements: pytest and
# the libraries are installed once, and each DuckDB is put in front of them.

PROFILE ?= release
PYTHON_KIT = build/venv/.venv-python
PYTHON_HOSTS = $(patsubst mk/requirements/duckdb-%.txt,%,$(wildcard mk/requirements/duckdb-[0-9]*.txt))
# $(call pytest,DuckDB version,arguments)
pytest = PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$(CURDIR)/build/python/wheel:$$(echo $(CURDIR)/build/venv/.venv-duckdb-$(1)/lib/python*/site-packages)" \
	$(PYTHON_KIT)/bin/python -m pytest -q -p no:cacheprovider $(2)

.PHONY: wheel
wheel: $(if $(filter debug,$(PROFILE)),build,release) ## dist/tstable-*.whl for this platform and every DuckDB since 1.4
	$(PYTHON) tools/wheel.py $(PROFILE)

.PHONY: wheel-installed
wheel-installed: wheel $(PYTHON_KIT)/.installed
	rm -rf build/python/wheel
	$(PYTHON_KIT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target build/python/wheel dist/tstable-*.whl

# T picks tests by a part of the name, HOST a version: make test-python T=overlap HOST=2.0.1
.PHONY: test-python
test-python: wheel-installed venvs ## the Python package in every DuckDB (T=part of a name, HOST=version)
	$(PYTHON_KIT)/bin/python -m mypy --config-file python/mypy.ini build/python/wheel/tstable
	$(foreach host,$(or $(HOST),$(PYTHON_HOSTS)),$(call pytest,$(host),python/tests $(if $(T),-k "$(T)")) && ) true

.PHONY: bench-python
bench-python: wheel-installed venvs ## size of the wheel, time of import and of the first and second load
	for host in $(PYTHON_HOSTS); do \
		PYTHONPATH="$(CURDIR)/build/python/wheel:$$(echo $(CURDIR)/build/venv/.venv-duckdb-$$host/lib/python*/site-packages)" $(PYTHON_KIT)/bin/python bench/python_load.py || exit 1; \
	done
	ls -l dist/tstable-*.whl
