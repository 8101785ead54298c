# Every package in every DuckDB, in Node too where that is installed.

NODE_FOR_LOADING = $(if $(shell command -v npm 2>/dev/null),build/node/.installed)

.PHONY: test-loading
test-loading: release venvs $(NODE_FOR_LOADING) ## every package in every DuckDB works or is refused with a sentence
	$(if $(NODE_FOR_LOADING),NODE_DIR=build/node) PYTHONPATH=test:tools PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m loading
