# Every command of the project, for people, hooks and CI alike. They need Python 3.11+ and make.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready-to-run
READY_DEV := $(VENV)/ready-to-develop
READY_EXAMPLES := $(VENV)/ready-for-examples
PEERS := .venv-bench
READY_PEERS := $(PEERS)/ready-to-measure
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt
# Where it is set, every process of the tests would compile all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE
# One order of the tests for everybody, so that who sees a failure sees the same one; SEED=2 is another.
SEED ?= 1
PYTEST := -m pytest --numprocesses logical --dist loadgroup --randomly-seed $(SEED)
SUITE := $(PYTEST) -m "not slow"

# The first Python on the PATH that is new enough and can make an environment.
USABLE := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	if $$python -c "$(USABLE)" 2>/dev/null; then echo $$python; break; fi; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run world-scale research test test-slow check lint format bench bench-full fuzz kills soak docs pin

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## Start agents in the rehearsal world, with the dashboard (ARGS="--help")
	@$(BIN)/puppets run $(ARGS)

world-scale: $(READY_DEV) ## Many machines on this one: PostgreSQL, Restate, the world and two workers
	@PYTHONPATH=. $(BIN)/python -m scripts.world_scale

research: $(READY_EXAMPLES) ## Research a stock, and write a report (TICKER=AAPL ARGS="--help")
	@$(BIN)/python -m examples.research_desk $(TICKER) $(ARGS)

test: $(READY_DEV) ## Run every test but the long soaks (ARGS="-k memory")
	@$(BIN)/python $(SUITE) $(ARGS)

test-slow: $(READY_DEV) ## Run the long soaks
	@$(BIN)/python $(PYTEST) -m slow $(ARGS)

check: lint ## Run all that CI runs: lint, and the tests with branch coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run $(SUITE)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: $(READY_DEV) ## Check style, types and architecture
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY_DEV) ## Format the code and mend what can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(READY_DEV) $(READY_PEERS) ## Measure us and our peers; write docs/benchmarks.md (ARGS="--help")
	@$(BIN)/python -m benchmarks.harness $(ARGS)

bench-full: $(READY_DEV) $(READY_PEERS) ## The same at the large sizes, which takes longer
	@$(BIN)/python -m benchmarks.harness --full $(ARGS)

fuzz: $(READY_DEV) ## Feed broken model files to Timber until one brings a traceback (ARGS="--examples 50000")
	@$(BIN)/python fuzz/model_files.py $(ARGS)

kills: $(READY_DEV) ## Kill a busy life a thousand times; fail when anything is lost or done twice (ARGS="--help")
	@PYTHONPATH=. $(BIN)/python -m kills $(ARGS)

soak: $(READY_DEV) ## Let the cast live for half an hour; fail when it holds more and more (ARGS="--minutes 5")
	@PYTHONPATH=. $(BIN)/python -m soak $(ARGS)

docs: $(READY) ## Write docs/settings.md and docs/errors.md from the code
	@$(BIN)/python scripts/docs.py

pin: $(READY) ## Resolve the dependencies afresh and write constraints.txt
	@$(BIN)/python scripts/pin.py

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "No usable Python: install 3.11 or newer with venv (Debian: apt install python3-venv),"; \
		echo "or name one: make PYTHON=/path/to/python3.12"; exit 1; } >&2
	@$(PYTHON) -c "$(USABLE)" || { \
		echo "$$($(PYTHON) --version) cannot be used: 3.11 or newer with venv is needed."; \
		echo "Name another: make PYTHON=/path/to/python3.12"; exit 1; } >&2
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what the programs need ..."
	@$(BIN)/python -m pip install --quiet --upgrade pip --constraint constraints.txt
	@$(INSTALL) --editable ".[all]"
	@touch $@

$(READY_EXAMPLES): $(READY)
	@echo "Installing what the examples need ..."
	@$(INSTALL) --editable ".[all,examples]"
	@touch $@

$(READY_DEV): $(READY_EXAMPLES)
	@echo "Installing the tools of development ..."
	@$(INSTALL) --group dev
	@touch $@

$(READY_PEERS): benchmarks/peers.txt constraints.txt | $(BIN)/python
	@echo "Installing the peers into $(PEERS) ..."
	@$(BIN)/python -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --upgrade pip --constraint constraints.txt
	@$(PEERS)/bin/python -m pip install --quiet --requirement benchmarks/peers.txt \
		--constraint constraints.txt --build-constraint constraints.txt
	@touch $@
