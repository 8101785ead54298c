# What the log costs as it grows.

.PHONY: bench-log
bench-log: ## cost of appending, opening and space as the log grows to 100,000 commits; fails when a bound is missed
	cargo run --release -p tstable-core --example log_cost
