# What takes too long for every day.

.PHONY: soak
soak: soak-differential soak-sweep ## kill, race, damage and query tables many more times than `make test` does
	TSTABLE_KILLS=300 TSTABLE_DAMAGES=20000 cargo test -p tstable-core --test safety -- --nocapture

# T picks a target, FUZZ_SECONDS how long each runs. Needs cargo-fuzz and a nightly compiler. What it finds of new inputs goes to fuzz/target/inputs, what
# breaks a target to fuzz/artifacts; fuzz/corpus holds a few small inputs to begin with.
FUZZ_TARGETS = commit checkpoint coverage parsing operations
FUZZ_SECONDS ?= 180
.PHONY: fuzz
fuzz: ## fuzz each target for a while (T=target, FUZZ_SECONDS=180); fixed seeds of all run in `make test`
	cd fuzz && for target in $(or $(T),$(FUZZ_TARGETS)); do \
		mkdir -p target/inputs/$$target && \
		cargo +nightly fuzz run $$target target/inputs/$$target corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
