# What the compiler and its tools have to say of the code.

ifeq ($(shell cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && echo yes),yes)
.PHONY: lint
lint: ## formatting, lints and the comments' links, each without a warning
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace $(FEATURES) --no-deps --document-private-items
	cargo package --quiet -p tstable-core --no-verify --offline --allow-dirty
else
.PHONY: lint
lint:
	@echo "Lints skipped: rustfmt or clippy is not installed (rustup component add rustfmt clippy)"
endif
