# Commands of rollback-drill. `make help` lists them with their variables, all of which are declared
# in rollback_drill/ground/options.py; README.md explains the exit codes.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What was set on the command line. Commands read it from the environment, where no shell and no make
# takes a part of a value for a command, and look at it before anything else.
override GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
PYTHON ?= python3
# Each of a drill's many processes would compile all that it imports, again and again.
unexport PYTHONDONTWRITEBYTECODE
export $(GIVEN) GIVEN PYTHON
override VENV := .venv
override BIN := $(VENV)/bin
override FOUND := command -v "$$PYTHON" >/dev/null
override NONE = { echo "Expected Python >= 3.11 as '$$PYTHON'; found none. Try: install it, or set PYTHON=..." >&2; exit 2; }
# By the standard library alone, whatever the user's own settings of Python are.
override ASK := "$$PYTHON" -E -s -m rollback_drill.ground.asked_by_make

.PHONY: help
help:
	@$(FOUND) || $(NONE)
	@$(ASK) help

# A misspelt variable would be one of its own, and the command would do what nobody asked for.
.PHONY: known
known:
	@! $(FOUND) || $(ASK) known

# A stamp instead of a phony target, so that set-up happens once for each lock file.
$(VENV)/.ready: requirements.lock
	@$(FOUND) || $(NONE)
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Expected Python >= 3.11; found $$("$$PYTHON" --version). Try: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "Setting up $(VENV) (about a minute, once) ..."
	@"$$PYTHON" -m venv $(VENV) || { echo "Expected Python's venv module; it failed. Try: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

.PHONY: setup
setup: known $(VENV)/.ready

override ASKED := drill demo init golden sabotage simulate check test test-all claim revalidate read bindings decide interruptions index monitoring report evidence example
.PHONY: $(ASKED)
$(ASKED): known $(VENV)/.ready
	@$(BIN)/python -m rollback_drill make $@

.PHONY: gate
gate: claim
	@$(BIN)/python -m rollback_drill make $@

.PHONY: bench
bench: known $(VENV)/.ready
	@$(BIN)/python -m bench.bench_start
	@$(BIN)/python -m bench.bench_detector
	@$(BIN)/python -m bench.bench_proof
	@$(BIN)/python -m bench.bench_live
	@$(BIN)/python -m rollback_drill make $@
	@$(BIN)/python -m bench.bench_traffic
	@$(BIN)/python -m bench.bench_drill

.PHONY: wheel
wheel: known $(VENV)/.ready
	@$(BIN)/python -m hatchling build -t wheel

.PHONY: lint
lint: known $(VENV)/.ready
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

override COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock"

.PHONY: lock
lock: known $(VENV)/.ready
	@$(COMPILE) --all-extras --group dev pyproject.toml -o requirements.lock
	@for name in service/requirements bench/requirements; do \
		$(COMPILE) $$name.in -o $$name.lock; done
	@for folder in examples/kinto/releases/*; do \
		$(COMPILE) $$folder/requirements.in -o $$folder/requirements.txt; done
