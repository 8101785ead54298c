# Calls that are interrupted.

.PHONY: test-interrupt
test-interrupt: release venvs ## an interrupted call changes nothing, or is made again without harm
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m interrupt
