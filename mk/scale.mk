# Engines that run on many machines, here with two workers each on this one: Dask distributed, Ray with Daft on it, and Sail, which is
# Spark SQL. make test asks a small table; the whole, with 4 million rows in 60 segments, is for figures, with a release build.

SCALE = PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-scale/bin/python -m scale

.PHONY: test-distributed
test-distributed: release build/venv/.venv-scale/.installed ## Dask, Ray and Spark SQL answer as DuckDB does, over 60 segments; 8 processes write
	$(SCALE)

.PHONY: test-scale
test-scale: release build/venv/.venv-scale/.installed ## the same over a small table
	$(SCALE) --segments 12 --rows 60000 --commits 5
