# Two commands: `make demo` and `make test`. Everything happens in .venv; nothing else is touched.
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: demo test test-all check format bench clean help

help:
	@echo 'make demo      make .venv, install, train a small grid and draw its learning curves'
	@echo 'make test      install what tests need, run all tests'
	@echo 'make check     format, lint, types, and the direction of the imports'
	@echo 'make test-all  the tests on every supported Python that is found'
	@echo 'make format    rewrite the sources in the house format'
	@echo 'make bench     the figures, one benchmark after another'

# Relative paths only: the checkout may lie in a path with a space in it.
.venv/.core: pyproject.toml scripts/make_venv.py
	$(PYTHON) scripts/make_venv.py .venv
	$(PY) -m pip install --quiet --editable .
	@touch $@

.venv/.dev: .venv/.core
	$(PY) -m pip install --quiet --editable '.[test,check]'
	@touch $@

demo: .venv/.core
	$(PY) -m spinup demo

test: .venv/.dev
	$(PY) -m pytest

test-all: scripts/test_all.py
	$(PYTHON) scripts/test_all.py

check: .venv/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache

format: .venv/.dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: .venv/.dev
	$(PY) benchmarks/grid.py
	$(PY) benchmarks/logger.py
	$(PY) benchmarks/import_time.py
	$(PY) benchmarks/cli.py
	$(PY) benchmarks/load.py
	$(PY) benchmarks/coverage.py
	$(PY) benchmarks/plan.py
	$(PY) benchmarks/launch.py
	$(PY) benchmarks/throughput.py

clean:
	rm -rf .venv .venvs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
