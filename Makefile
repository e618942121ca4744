# Two commands set everything up: `make demo` installs what runs into .venv, `make test` adds what tests need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(or $(JOIN_PIPELINE_DATA),data)
PORT ?= 3000

.PHONY: help statements demo dev test test-unit test-all soak bench bench-runs bench-peers bench-charts bench-fleet test-spark coverage check generated docs format constraints clean
help:
	@echo "make demo         sixty days of a made-up company, from nothing to the marts"
	@echo "make dev          the Dagster UI on http://127.0.0.1:3000 (PORT=…): the connected company's, or the demo's"
	@echo "make test         the tests of every change, in minutes; what is slow is not among them"
	@echo "make test-unit    the package's rules alone: no network, no dbt"
	@echo "make test-all     what make test leaves out: half an hour"
	@echo "make coverage     how often the marts' bounds, intervals and forecasts hold, over 1,000 companies"
	@echo "make soak         5,000 random histories of a company and its pipeline, 1,000 by Kombo, a year of hours, a million applications"
	@echo "make bench        what syncs, loads and the sandbox cost; SIZES=\"10000 100000 1000000\" takes an hour"
	@echo "make bench-runs   what a run costs: by command, by Dagster, and where nothing changed"
	@echo "make bench-peers  the same company read by a script, by dlt, by a Singer tap and by us"
	@echo "make bench-charts the charts of the figures that the others have written"
	@echo "make bench-fleet  what a company costs among many: FLEET=\"--companies 1000\", FLEET=\"--changed 5000\""
	@echo "make test-spark   Spark reads the published Parquet files; needs Java (Debian: default-jre-headless)"
	@echo "make check        ruff, mypy --strict, sqlfluff, and tsc for the report's script where it is installed"
	@echo "make generated    the committed files that are made of others: YAML of dbt's sources, pages of docs"
	@echo "make statements   what dbt makes of its project, which builds play without dbt"
	@echo "make docs         the same, and the pages as a site in build/site, with dbt's page of all models"
	@echo "make format       let ruff and sqlfluff put the code in shape"
	@echo "make constraints  resolve the dependencies anew into constraints.txt"

# Each is made once, and again when the dependencies change.
$(VENV)/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) install.py $(VENV) report
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime
	@$(PYTHON) install.py $(VENV) dev
	@touch $@

# What dbt makes of its project is made once, and again when the project changes.
STATEMENTS := join_pipeline/transform/shipped/statements.json
$(STATEMENTS): $(VENV)/.runtime ship.py $(wildcard join_pipeline/transform/*.py join_pipeline/report/*chart*.py) $(shell find dbt_project -name '*.sql' -o -name '*.yml' -o -name '*.csv' -o -name '*.py' -o -name '*.md')
	@$(BIN)/python ship.py
	@touch $@

statements: $(STATEMENTS)

demo: $(VENV)/.runtime $(STATEMENTS)
	@$(BIN)/join-pipeline demo --data $(DATA)

dev: $(VENV)/.runtime $(STATEMENTS)
	@JOIN_PIPELINE_DATA="$(DATA)" $(BIN)/join-pipeline dev --port $(PORT)

# Each worker begins with one half of the tests, in their order, so that tests beside each other share what they are
# about; who has ended first takes over tests from the end of the other's.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test: $(VENV)/.installed $(STATEMENTS)
	@$(PYTEST)

test-unit: $(VENV)/.installed $(STATEMENTS)
	@$(PYTEST) join_pipeline_tests/unit

test-all: $(VENV)/.installed $(STATEMENTS)
	@$(PYTEST) -m slow

coverage: $(VENV)/.installed
	@$(BIN)/python -m join_pipeline_tests.dbt.coverage --companies 1000
	@$(BIN)/python -m join_pipeline_tests.dbt.pass_through
	@$(BIN)/python -m join_pipeline_tests.unit.estimates.forecast_coverage --companies 1000

soak: $(VENV)/.installed
	@$(BIN)/python -m join_pipeline_tests.simulation.soak --histories 5000
	@$(BIN)/python -m join_pipeline_tests.simulation.soak --source kombo --histories 1000
	@$(BIN)/python -m join_pipeline_tests.simulation.soak --days 365
	@$(BIN)/python -m benchmarks sync --applications 1000000

SIZES ?= 10000 100000
bench: $(VENV)/.installed
	@$(BIN)/python -m benchmarks sandbox --applications $(SIZES)
	@$(BIN)/python -m benchmarks sync --applications $(SIZES)

bench-peers: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.peers

bench-runs: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.runs

bench-charts: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.charts

FLEET ?= --companies 100
bench-fleet: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.fleet $(FLEET)

test-spark: $(VENV)/.installed
	@$(PYTHON) install.py $(VENV) dev spark
	@$(BIN)/python -m join_pipeline_tests.spark

check: $(VENV)/.installed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --processes 0 dbt_project
	@if command -v tsc >/dev/null 2>&1; then tsc --project jsconfig.json; \
		else echo "the report's script was not checked: there is no tsc (npm install --global typescript)"; fi

generated: $(VENV)/.installed
	@$(BIN)/python docs/make.py --committed

docs: $(VENV)/.installed
	@$(BIN)/python docs/make.py

format: $(VENV)/.installed
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix
	@$(BIN)/sqlfluff fix --processes 0 dbt_project

# Exact versions for all supported Pythons, without a word about where they come from.
constraints:
	@uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra spark --upgrade --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

clean:
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
