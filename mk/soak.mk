# What takes too long for every day.

.PHONY: soak
soak: soak-differential ## kill, race, damage and query tables many more times than `make test` does
	TSTABLE_KILLS=300 TSTABLE_DAMAGES=20000 cargo test -p tstable-core --test safety -- --nocapture
