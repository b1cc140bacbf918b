# Commands of rollback-drill. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp instead of a phony target, so that set-up happens once for each lock file.
$(VENV)/.ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "expected Python >= 3.11 as '$(PYTHON)'; found none; install it or set PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "expected Python >= 3.11; found $$($(PYTHON) --version); set PYTHON=python3.12 or such" >&2; exit 2; }
	@echo "Setting up $(VENV) (about a minute, once) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "expected the venv module of Python; it failed; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready ## Install what the suite needs into .venv
