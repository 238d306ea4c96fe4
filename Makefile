# `make` lists every command. Each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check audit build format bench delivery peers faults fuzz docs lock snippet clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/run: pyproject.toml requirements/run.txt tools/set-up
	@tools/set-up run "$(PYTHON)" && touch $@

.venv/dev: .venv/run requirements/dev.txt requirements/kafka.xml tools/set-up
	@tools/set-up dev "$(PYTHON)" && touch $@

# Tests start hundreds of Pythons: none shall compile again what another has, whatever the machine is set to.
unexport PYTHONDONTWRITEBYTECODE

# Node and npm come with the dev extra, so every machine builds and tests the tracker with the same.
test audit build snippet/node_modules: export PATH := $(CURDIR)/.venv/bin:$(PATH)

snippet/node_modules: .venv/dev snippet/package-lock.json
	cd snippet && npm ci --no-audit --no-fund && touch node_modules

run: .venv/run ## Start the collector with a demo page
	@$(BIN)/headwater serve --demo

test: .venv/dev snippet/node_modules ## Run all tests, browser included
	cd snippet && npm test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/dev ## Lint and check types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

audit: .venv/dev ## Look the pinned dependencies up among known weaknesses
	@$(BIN)/python -m tools.audit

build: .venv/dev snippet/node_modules ## Build the wheel, and write what it depends on beside it (CycloneDX)
	$(BIN)/python -m build --wheel --no-isolation
	$(BIN)/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible \
	  --output-file dist/headwater.cdx.json

format: .venv/dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/dev ## Measure the cost of an event beside nginx with Lua
	$(BIN)/python -m benchmarks

delivery: .venv/dev ## Measure in a browser what arrives, whatever happens to a page
	@$(BIN)/python -m tests.browser.matrix

peers: export PATH := $(CURDIR)/.venv/bin:$(PATH)

peers: .venv/dev ## Measure the tracker beside those that npm ships
	$(BIN)/python -m benchmarks.peers

faults: .venv/dev ## Break everything for longer, and write the table to the docs
	FAULTS=long $(BIN)/pytest tests/faults

fuzz: .venv/dev ## Fuzz every parser for some seconds each, guided by coverage
	$(BIN)/python -m tests.hardening.fuzz --seconds $${FUZZ_SECONDS:-10}

docs: .venv/dev ## Write the pages that are made from the code
	$(BIN)/python -m tools.make_docs

lock: .venv/dev ## Pin the dependencies, with hashes
	tools/lock

clean: ## Remove what the commands made
	rm -rf .venv snippet/node_modules build dist
