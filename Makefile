# `make help` lists the targets. Each makes the environment it needs; nothing but Python 3.11+ is asked for.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
AUTOGLUON_VENV := .venv-autogluon
LOWEST_VENV := .venv-lowest
# Compiled modules are kept, else each of the hundred processes that tests start compiles headstart again; a worker
# that is done takes over tests of the other in blocks, so that most modules make their fixtures once.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: help demo test coverage test-full test-lowest advisories check docs fuzz honesty bench bench-tune bundled clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/ready: pyproject.toml
	@echo "== Making the environment in $(VENV) (PyTorch and friends: some minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit("headstart needs Python 3.11 to 3.13, this is " + sys.version.split()[0]) if not (3, 11) <= sys.version_info < (3, 14) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --progress-bar off --no-compile -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # pip compiles on one core; a few files are no modules
	@touch $@
	@echo "== Environment ready"

demo: $(VENV)/ready  ## Set up, then fit digits from letters offline and show what transfer gave
	@$(BIN)/headstart demo

check: $(VENV)/ready  ## Lint, types and one-way imports
	@echo "== ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== mypy"; $(BIN)/mypy
	@echo "== import-linter"; $(BIN)/lint-imports

test: check  ## Set up, then run every check and test
	@echo "== pytest"
	@$(PYTEST) -m "not full"

coverage: $(VENV)/ready  ## Branch coverage of the tests (they take about 1.3 times as long with it)
	@$(PYTEST) -m "not full" --cov --cov-report=term:skip-covered

test-full: check  ## As `make test`, with every cut of every architecture and the long forms
	@$(PYTEST)

test-lowest: $(LOWEST_VENV)/ready  ## Tests of sources and runs with the lowest version of every dependency
	@OMP_NUM_THREADS=1 $(LOWEST_VENV)/bin/python -m pytest -m "not full and not browser and not real" -n 2 tests/sources tests/runs

$(LOWEST_VENV)/ready: pyproject.toml tools/lowest.py
	@echo "== Making the environment of the lowest versions in $(LOWEST_VENV)"
	@$(PYTHON) -m venv --clear $(LOWEST_VENV)
	@$(LOWEST_VENV)/bin/python -m pip install --quiet --upgrade pip
	@$(LOWEST_VENV)/bin/python tools/lowest.py > $(LOWEST_VENV)/constraints.txt
	@$(LOWEST_VENV)/bin/python -m pip install --quiet --progress-bar off -e . -c $(LOWEST_VENV)/constraints.txt
	@$(LOWEST_VENV)/bin/python -m pip install --quiet --progress-bar off -c $(LOWEST_VENV)/constraints.txt pytest pytest-xdist hypothesis
	@touch $@

advisories: $(VENV)/ready  ## Compare the installed packages with known advisories (pip-audit)
	@$(BIN)/python -m pip install --quiet --progress-bar off pip-audit
	@$(BIN)/python tools/advisories.py

fuzz: $(VENV)/ready  ## Read damaged input of every kind for an hour, and list what is neither read nor refused
	@OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m fuzz --seconds 3600 --seed $$(date +%j)

docs: $(VENV)/ready  ## Build the documentation into site/
	@$(BIN)/mkdocs build --strict --quiet && echo "== docs built in site/"

honesty: $(BENCH_VENV)/ready  ## Simulate intervals, verdicts and choices where the truth is known; writes docs/evidence.md
	@OMP_NUM_THREADS=1 $(BENCH_VENV)/bin/python -m benchmarks.honesty

$(BENCH_VENV)/ready: benchmarks/requirements.txt pyproject.toml
	@echo "== Making the environment of the benchmarks in $(BENCH_VENV), with the peers"
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --upgrade pip
	@$(BENCH_VENV)/bin/python -m pip install --quiet --progress-bar off -e . -r benchmarks/requirements.txt
	@touch $@

$(AUTOGLUON_VENV)/ready: benchmarks/requirements-autogluon.txt
	@echo "== Making the environment of AutoGluon in $(AUTOGLUON_VENV) (it asks for older releases of its own)"
	@$(PYTHON) -m venv $(AUTOGLUON_VENV)
	@$(AUTOGLUON_VENV)/bin/python -m pip install --quiet --upgrade pip
	@$(AUTOGLUON_VENV)/bin/python -m pip install --quiet --progress-bar off -r benchmarks/requirements-autogluon.txt
	@touch $@

bench-tune: $(BENCH_VENV)/ready $(AUTOGLUON_VENV)/ready  ## Measure training against the peers (about six hours; resumes where it was stopped)
	@for part in tuning few_shot race harm policies contest; do $(BENCH_VENV)/bin/python -m benchmarks.$$part || exit 1; done

bench: $(BENCH_VENV)/ready  ## Measure against the peers, side by side (about half an hour)
	@$(BENCH_VENV)/bin/python -m benchmarks && $(BENCH_VENV)/bin/python -m benchmarks.extraction && $(BENCH_VENV)/bin/python -m benchmarks.accuracy && $(BENCH_VENV)/bin/python -m benchmarks.memory

bundled: $(VENV)/ready  ## Make the bundled source again (letters; seed 0)
	@$(BIN)/python -m headstart.bundled.letters

clean:  ## Remove the environments and build outputs
	rm -rf $(VENV) $(BENCH_VENV) $(AUTOGLUON_VENV) $(LOWEST_VENV) build dist site .pytest_cache .mypy_cache .ruff_cache
