# Tables in object stores: real servers on loopback, which the tests start. LONG=1 does more of each, and takes a second server.

.PHONY: test-stores
test-stores: release build/venv/.venv-stores/.installed ## tables in object stores, with writers and networks that fail
	PYTHONPATH=test PYTHONDONTWRITEBYTECODE=1 build/venv/.venv-stores/bin/python -m stores $(if $(LONG),--long)
