# Each target sets up what it needs; on a fresh machine `make demo` or `make test` is the first command.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Says what goes on: pip is silent for a minute while it builds and unpacks.
install = @echo "installing rungraph and $(1) into $(VENV); that takes a minute or two, once"; \
	$(PIP) install --progress-bar on

.DEFAULT_GOAL := help
.PHONY: help install demo two-tgi test peers soak test-all lint format types bench fuzz check clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "rungraph needs Python 3.11 or newer; this is $$($(PYTHON) --version). Say PYTHON=python3.12, for example."; exit 1; }
	@echo "making a Python environment in $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -qq --upgrade 'pip>=25.1'

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(call install,what the demo runs) --editable '.[quickstart]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(call install,what the tests need) --editable . --group test
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(call install,what work on it needs) --editable . --group dev
	@touch $@ $(VENV)/.test $(VENV)/.demo

install: $(VENV)/.dev  ## Set up everything for work on rungraph

demo: export RUNGRAPH_DEMO_DIR = $(CURDIR)/build/demo
demo: $(VENV)/.demo  ## Plan, start, call and stop a stack of real providers
	@rm -rf $(RUNGRAPH_DEMO_DIR)
	@PATH="$(abspath $(BIN)):$$PATH" sh configs/quickstart.sh

two-tgi: $(VENV)/.demo  ## Run two servers of one type, each with its model, and call both through one stack
	@PATH="$(abspath $(BIN)):$$PATH" sh configs/two-tgi.sh

test: $(VENV)/.test  ## Run the tests and the doctests
	$(BIN)/rungraph models pull
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope $(PYTEST_ARGS)

peers: $(VENV)/.test  ## Run the tests that install large client packages first
	$(BIN)/python -m pytest -m heavy $(PYTEST_ARGS)

test-all:  ## Run the tests on every supported Python that pyenv or the PATH has
	@set -e; for version in 3.11 3.12 3.13; do \
		python=$$(command -v $$HOME/.pyenv/versions/$$version.*/bin/python python$$version | head -n 1); \
		test -n "$$python" || { echo "Python $$version: not here"; continue; }; \
		echo "Python $$version: $$python"; $(MAKE) test PYTHON="$$python" VENV=.venv-$$version; \
	done

lint: $(VENV)/.dev  ## Check style, layers and the wheel's contents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m build --quiet --wheel --outdir build/wheel . && $(BIN)/check-wheel-contents build/wheel/*.whl

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev  ## Check the types, with two checkers
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python

bench: $(VENV)/.dev  ## Measure; prints ratios
	$(BIN)/rungraph models pull
	$(BIN)/python benchmarks/run.py

fuzz: $(VENV)/.dev  ## Fuzz every stage, FUZZ_SECONDS (60) each; what breaks one is kept
	$(call install,what the fuzzing needs) --group fuzz
	@mkdir -p build/fuzz
	@for target in $$($(BIN)/python -m tests.fuzz); do \
		$(BIN)/python -m tests.fuzz $$target $(or $(FUZZ_SECONDS),60) >build/fuzz/$$target.log 2>&1 \
			&& echo "$$target: nothing broke" \
			|| { echo "$$target: see build/fuzz/$$target.log"; failed=1; }; \
	done; exit $${failed:-0}

soak: $(VENV)/.test  ## Run SOAK_SCHEDULES (20000) random schedules; kill a server SOAK_KILLS (1000) times and call it SOAK_CALLS (100000) times
	$(BIN)/python -m tests.property.schedules $(or $(SOAK_SCHEDULES),20000)
	RUNGRAPH_KILLS=$(or $(SOAK_KILLS),1000) RUNGRAPH_CALLS=$(or $(SOAK_CALLS),100000) \
		$(BIN)/python -m pytest -q tests/contract/test_serve_attacks.py -k 'killed or flat'

check: test lint types  ## All that CI runs

clean:  ## Remove what the other targets made
	rm -rf $(VENV) .venv-* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
