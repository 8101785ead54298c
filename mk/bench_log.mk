# What the log costs as it grows.

.PHONY: bench-log
bench-log: ## cost of opening and appending as the log grows to 100,000 commits
	cargo run --release -p tstable-core --example log_cost
