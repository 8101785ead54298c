# What the compiler and its tools have to say of the code.

.PHONY: lint
lint: ## formatting, lints and the comments' links, each without a warning
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items
