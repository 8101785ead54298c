.DEFAULT_GOAL := help

# Each topic lives in a file of its own; a comment after `##` in a target's line is its help.
include mk/*.mk

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14
