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

# The library asks for the newest glibc that the machine has of what it uses, and loads on no older one. Zig links for the one that
# is asked for; 2.28 is what DuckDB's own wheels need. The tag of the wheel is read from the library.
GLIBC ?= 2.28
TRIPLE = $(shell uname -m)-unknown-linux-gnu

.PHONY: wheel-portable
wheel-portable: build/venv/.venv-zig/.installed ## the same for older Linux systems, linked by Zig (GLIBC=2.28)
	PATH="$(CURDIR)/build/venv/.venv-zig/bin:$$PATH" cargo zigbuild $(if $(filter debug,$(PROFILE)),,--release) $(FEATURES) --target $(TRIPLE).$(GLIBC)
	CARGO_BUILD_TARGET=$(TRIPLE) $(PYTHON) tools/package.py $(PROFILE) --out build/portable
	$(PYTHON) tools/wheel.py $(PROFILE) --out build/portable --glibc $(GLIBC)

.PHONY: wheel-installed
wheel-installed: wheel $(PYTHON_KIT)/.installed
	rm -rf build/python/wheel
	$(PYTHON_KIT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target build/python/wheel dist/tstable-*.whl

# T picks tests by a part of the name, HOST a version: make test-python T=overlap HOST=2.0.1
.PHONY: test-python
test-python: wheel-installed venvs ## the Python package in every DuckDB (T=part of a name, HOST=version)
	$(PYTHON_KIT)/bin/python -m mypy --config-file python/mypy.ini build/python/wheel/tstable
	$(foreach host,$(or $(HOST),$(PYTHON_HOSTS)),$(call pytest,$(host),python/tests python/neighbours $(if $(T),-k "$(T)")) && ) true

# The recipes for other libraries; those for which test-python has what they need run there in every DuckDB.
.PHONY: test-neighbours
test-neighbours: wheel-installed build/venv/.venv-neighbours/.installed ## recipes for dbt, JupySQL, SQLAlchemy, polars, pandas and Arrow
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(CURDIR)/build/python/wheel build/venv/.venv-neighbours/bin/python -m pytest -q -p no:cacheprovider python/neighbours

.PHONY: bench-python
bench-python: wheel-installed venvs ## size of the wheel, time of import and of the first and second load
	for host in $(PYTHON_HOSTS); do \
		PYTHONPATH="$(CURDIR)/build/python/wheel:$$(echo $(CURDIR)/build/venv/.venv-duckdb-$$host/lib/python*/site-packages)" $(PYTHON_KIT)/bin/python bench/python_load.py || exit 1; \
	done
	ls -l dist/tstable-*.whl
