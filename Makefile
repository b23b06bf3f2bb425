# The two commands of the README are `make demo` and `make test`; both do all the set-up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CASE := examples/cuba-1962

.PHONY: demo test quick lint bench clean

$(BIN)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(BIN)/.test: $(BIN)/.run scripts/debian.py
	$(BIN)/python scripts/debian.py
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(BIN)/.run  ## the board of the example on the evening of the telegram
	$(BIN)/tallybook board $(CASE)

test: $(BIN)/.test  ## every test
	$(BIN)/python -m pytest

quick: $(BIN)/.test  ## the tests that take no time
	$(BIN)/python -m pytest -m 'not slow'

lint: $(BIN)/.test  ## style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/.test  ## whole-process times, beside the interpreter's own start
	$(BIN)/python benchmarks/board.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
