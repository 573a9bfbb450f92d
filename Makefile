# Two commands for a newcomer: `make demo` and `make test`. Everything happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUITE ?= all

.PHONY: demo test bench lint install install-dev tools clean

$(VENV)/.installed: pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dbt]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dbt,test,dev]'
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

tools:
	@scripts/external_tools.sh

demo: install
	@scripts/demo.sh $(BIN)/floec

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install-dev tools lint
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered -q

bench: install-dev tools
	@scripts/external_tools.sh peers
	$(BIN)/python -m benchmarks $(SUITE)

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
