# Specloop. `make help` lists what can be done; nothing but Python 3.11+, git and make is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV = $(shell test -x $(BIN)/uv && echo $(BIN)/uv pip install -q -p $(VENV) || echo $(BIN)/python -m pip install -q)

# Without its bytecode every start compiles two thousand modules.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test check check-external bench up gen lock migration clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(VENV)/.made: requirements-setup.lock
	@$(PYTHON) -c 'import sys; sys.exit("Specloop needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-setup.lock || true
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml $(VENV)/.made
	$(UV) --require-hashes -r requirements.lock
	$(UV) --no-deps --no-build-isolation -e . 2>/dev/null || $(UV) --no-deps -e .
	@$(BIN)/python -c 'import specloop.main, chdb, aiosqlite' # compiles what every start imports
	@touch $@

$(VENV)/.data: requirements-demo.lock $(VENV)/.made
	$(UV) --no-deps --require-hashes -r requirements-demo.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime $(VENV)/.data
	$(UV) --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime ## Make the virtual environment

dev: $(VENV)/.dev ## Make the virtual environment with the developer's tools

demo: $(VENV)/.runtime $(VENV)/.data ## Run the whole loop on real data; leaves the server up unless ONCE=1
	$(BIN)/specloop demo $(if $(ONCE),--once) $(DEMO_ARGS)

up: $(VENV)/.runtime ## Start the server
	$(BIN)/specloop up

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python scripts/need_browser.py
	$(BIN)/pytest -q -n 3 --dist worksteal $(TEST_ARGS)

check: $(VENV)/.dev ## Lint, types, import rules, security, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -c pyproject.toml -r src scripts
	$(BIN)/python scripts/gen.py --check

gen: $(VENV)/.dev ## Write the generated files in schemas/ and docs/reference/
	$(BIN)/python scripts/gen.py

check-external: $(VENV)/.dev ## Run suites that others wrote against a really started server
	$(BIN)/python scripts/check_external.py

bench: $(VENV)/.dev ## Measure what the README claims
	$(BIN)/python -m benchmarks

migration: $(VENV)/.dev ## Write the next migration of the state store (NAME=what_it_does)
	$(BIN)/python scripts/make_migration.py $(NAME)

lock: $(VENV)/.dev ## Write the lock files anew from pyproject.toml
	$(BIN)/python scripts/lock.py

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .demo
