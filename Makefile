# `make help` lists the targets.
.PHONY: help run demo test lint bench
.DEFAULT_GOAL := help

VENV := .venv
STAMP := $(VENV)/installed
REQUIREMENTS := requirements.txt requirements-dev.txt
# The first of these that is new enough.
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

help: ## lists the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: $(STAMP) ## starts everything, and prints where it is and how to sign in; Ctrl-C stops it
	@exec $(VENV)/bin/python -m tinytrail

demo: $(STAMP) ## the same, with a website full of made-up visits to look at
	@$(VENV)/bin/python manage.py demo
	@exec $(VENV)/bin/python -m tinytrail

test: $(STAMP) ## runs the whole suite against PostgreSQL and Redis of its own
	@exec $(VENV)/bin/python -m pytest -n 2

lint: $(STAMP) ## checks style and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .

bench: $(STAMP) ## runs the benchmarks, and prints ratios
	@exec $(VENV)/bin/python -m tinytrail.bench

$(STAMP): $(REQUIREMENTS)
	@test -n "$(PYTHON)" || { echo "TinyTrail needs Python 3.11 or newer, and found none: install python3.11."; exit 1; }
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv --clear $(VENV) || \
		{ echo "Python cannot make $(VENV): install python3-venv."; exit 1; }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes $(REQUIREMENTS:%=-r %)
	@touch $@
