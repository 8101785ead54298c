.DEFAULT_GOAL := help

# Every target lives in a file of its topic; the comment after `##` in its line is its help.
include mk/*.mk

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14
