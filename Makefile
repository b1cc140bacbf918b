# Commands of rollback-drill. `make help` lists them; README.md explains their exit codes.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What was set on the command line; looked at before any of it is overridden.
override GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
override VENV := .venv
override BIN := $(VENV)/bin

# Variables of all commands; set them on the command line.
PYTHON ?= python3
STAGE ?= auto
FAULT ?= connection-exhaustion
PROCEDURE ?= auto
RUNBOOK ?= runbook/rollback.md
PACE ?= 60
RATE ?= 100
SEED ?= 1
HOSTS ?= 1
SUPERVISOR ?=
AUTHORIZED_BY ?=
HAZARD ?= none
ROUND_TRIP ?=
PLAN ?=
RESUME ?=
CHANNELS ?=
MODE ?= automatic
HISTORY ?= reports/history.jsonl
FAIL_ON ?= high
LISTINGS ?= 5000
DECIDE_PACE ?= 1
SIZES ?= 10000 1000000
REPORT ?= reports/latest
STAGES ?= auto
TIER ?= standard
TESTS ?=
FROM ?=

# Recipes read them from the environment, where no shell and no make takes a part of a value for a
# command: "$$FROM", never $(FROM).
override NAMES := $(shell sed -n 's/^\([A-Z_]*\) ?=.*/\1/p' $(lastword $(MAKEFILE_LIST)))
$(foreach name,$(NAMES),$(eval override $(name) := $$(value $(name))))
export $(NAMES) NAMES GIVEN

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: STAGE=auto|containers|processes|FILE.toml  FAULT=connection-exhaustion|invalid-cursors|cursor-cache-leak|… (README lists all)"
	@echo "             PROCEDURE=auto|1|2|3  RUNBOOK=FILE  PACE=60  RATE=100  SEED=1  HOSTS=1  SUPERVISOR=supervisord|systemd  LISTINGS=5000"
	@echo "             AUTHORIZED_BY=ROLES  HAZARD=none  ROUND_TRIP=  PLAN=  RESUME=REPORT  CHANNELS=FILE.toml  MODE=operator"
	@echo "             REPORT=DIR  STAGES=auto|containers|processes (tests)  TESTS='-k word' (tests)"

# A misspelt variable would be one of its own, and the command would do what nobody asked for.
.PHONY: known
known:
	@! command -v "$$PYTHON" >/dev/null || "$$PYTHON" -I rollback_drill/ground/variables.py

# A stamp instead of a phony target, so that set-up happens once for each lock file.
$(VENV)/.ready: requirements.lock
	@command -v "$$PYTHON" >/dev/null || { echo "Expected Python >= 3.11 as '$$PYTHON'; found none. Try: install it, or set PYTHON=..." >&2; exit 2; }
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Expected Python >= 3.11; found $$("$$PYTHON" --version). Try: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "Setting up $(VENV) (about a minute, once) ..."
	@"$$PYTHON" -m venv $(VENV) || { echo "Expected Python's venv module; it failed. Try: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

.PHONY: setup
setup: known $(VENV)/.ready ## Install what the suite needs into .venv

.PHONY: drill
drill: known $(VENV)/.ready ## Break a release, roll it back by the runbook, write the report
	@$(BIN)/python -m rollback_drill drill --stage="$$STAGE" --fault="$$FAULT" --procedure="$$PROCEDURE" \
		--runbook="$$RUNBOOK" --pace="$$PACE" --rate="$$RATE" --seed="$$SEED" \
		--hosts="$$HOSTS" $${SUPERVISOR:+--supervisor="$$SUPERVISOR"} --authorized-by="$$AUTHORIZED_BY" \
		--hazard="$$HAZARD" --round-trip="$$ROUND_TRIP" --listings="$$LISTINGS" \
		--plan="$$PLAN" --resume="$$RESUME" --channels="$$CHANNELS" \
		--mode="$$MODE" --history="$$HISTORY" --report="$$REPORT"

.PHONY: stage-check
stage-check: known $(VENV)/.ready ## Say what a staging environment lacks: make stage-check STAGE=FILE.toml
	@$(BIN)/python -m rollback_drill stage-check --stage="$$STAGE" --runbook="$$RUNBOOK"

.PHONY: test
test: known $(VENV)/.ready ## Run all tests: the suite's own and the features, on every stage to be had
	@$(BIN)/python -m rollback_drill.ground.variables pytest --stages="$$STAGES"

.PHONY: gate
gate: known $(VENV)/.ready ## Run the features as a CI gate: TIER=smoke (a minute), standard or full
	@case "$$TIER" in smoke|standard|full) ;; *) echo "Expected TIER=smoke, standard or full; found '$$TIER'. Try: make gate TIER=smoke" >&2; exit 2;; esac
	@$(BIN)/python -m rollback_drill claim --report="$$REPORT"
	@tier=(); case "$$TIER" in smoke) tier=(-m smoke);; standard) tier=(-m "not wide");; esac; \
	$(BIN)/python -m pytest features --stages="$$STAGES" --junitxml="$$REPORT/junit.xml" \
		--alluredir="$$REPORT/allure-results" --clean-alluredir --summary="$$REPORT/summary.md" \
		--history="$$HISTORY" "$${tier[@]}"

.PHONY: revalidate
revalidate: known $(VENV)/.ready ## Bind and perform every procedure of a runbook: make revalidate RUNBOOK=FILE
	@$(BIN)/python -m rollback_drill revalidate --runbook="$$RUNBOOK" --stage="$$STAGE" --fail-on="$$FAIL_ON" $${SUPERVISOR:+--supervisor="$$SUPERVISOR"} --report="$$REPORT"

.PHONY: read
read: known $(VENV)/.ready ## Print a runbook as it is understood, and what of it is not: make read RUNBOOK=FILE
	@$(BIN)/python -m rollback_drill read --runbook="$$RUNBOOK"

.PHONY: bindings
bindings: known $(VENV)/.ready ## What can checkboxes say? make bindings [RUNBOOK=FILE: what holds each of its boxes]
	@$(BIN)/python -m rollback_drill bindings $(if $(filter RUNBOOK,$(GIVEN)),--runbook="$$RUNBOOK")

.PHONY: decide
decide: known $(VENV)/.ready ## What would it say? make decide FROM=timeline.jsonl or requests.csv [DECIDE_PACE=1]
	@$(BIN)/python -m rollback_drill decide --from="$$FROM" --runbook="$$RUNBOOK" --pace="$$DECIDE_PACE"

.PHONY: interruptions
interruptions: known $(VENV)/.ready ## Kill every procedure at every point, perform it again, write the table
	@$(BIN)/python -m rollback_drill interruptions --runbook="$$RUNBOOK" --stage="$$STAGE" --report="$$REPORT"

.PHONY: index
index: known $(VENV)/.ready ## Render reports/index.html over all kept drills: trends, and when the next is due
	@$(BIN)/python -m rollback_drill index --history="$$HISTORY"

.PHONY: monitoring
monitoring: known $(VENV)/.ready ## Write alert rules and a dashboard made of the runbook's thresholds
	@$(BIN)/python -m rollback_drill monitoring --runbook="$$RUNBOOK"

.PHONY: example
example: known $(VENV)/.ready ## Drill a foreign service (Kinto) over ssh, as a staging environment
	@$(BIN)/python -m examples.kinto --report="$$REPORT"

.PHONY: report
report: known $(VENV)/.ready ## Render the report again: make report FROM=TIMELINE [REPORT=DIR]
	@$(BIN)/python -m rollback_drill report --from="$$FROM" --report="$$REPORT"

.PHONY: bench
bench: known $(VENV)/.ready ## Measure detector and load generator, as ratios within one run
	@$(BIN)/python -m bench.bench_detector
	@$(BIN)/python -m bench.bench_live
	@set -f; $(BIN)/python -m bench.bench_data $$SIZES
	@$(BIN)/python -m bench.bench_traffic

.PHONY: lint
lint: known $(VENV)/.ready ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

.PHONY: lock
lock: known $(VENV)/.ready ## Pin the newest versions that fit together
	@for name in requirements service/requirements; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command "make lock" $$name.in -o $$name.lock; done
	@for folder in examples/kinto/releases/*; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command "make lock" \
			$$folder/requirements.in -o $$folder/requirements.txt; done
