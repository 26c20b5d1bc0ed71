# Every target works on a fresh machine with python3 and nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test check tidy bench screenshots vendor clean

BIN := .venv/bin
# What the type checker reads of the settings must not depend on, or touch, this machine's data.
QUIET := ANLAN_SECRET_KEY=only-for-checks ANLAN_DATA=$(abspath .mypy_cache)/data

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: ## Build the demo town and serve it on http://127.0.0.1:8000
	@scripts/python
	@ANLAN_PACKS=packs/qinglan $(BIN)/anlan demo

test: ## Run every test, on SQLite, on PostgreSQL and in a browser
	@scripts/python dev
	@scripts/test

check: ## Lint, types, layers, walls and everything declared
	@scripts/python dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(QUIET) $(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(QUIET) $(BIN)/python -m pytest -q -p no:randomly tests/unit/test_walls.py
	@for pack in packs/*/; do echo anlan check --pack $$pack; $(QUIET) $(BIN)/anlan check --pack $$pack || exit 1; done

tidy: ## Format, and mend what the linter can mend
	@scripts/python dev
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: ## Measure what the README claims
	@scripts/python dev
	@scripts/bench

screenshots: ## Take the pictures of docs/images from the demo town
	@scripts/python dev
	@ANLAN_CHROMIUM=$$(scripts/browser) $(BIN)/python scripts/screenshots.py

vendor: ## Copy the pages' outside code from npm again
	cd assets && npm ci --ignore-scripts --no-audit --no-fund
	python3 assets/vendor.py

clean: ## Remove what the other targets made, but not your data in var/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache assets/node_modules
