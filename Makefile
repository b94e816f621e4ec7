# Every target sets up what it needs in a local virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-long bench lint format lock lock-check audit docs console console-check clean help

help:
	@echo "make demo    collect synthetic traffic and look at it"
	@echo "make test    run the tests"
	@echo "make test-long runs them with every value"
	@echo "make bench   measure speed and size"
	@echo "make lint    check format, types and the order of the rooms"
	@echo "make console build the web console (needs Node 20.19 or later)"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Millrace needs Python 3.11 or later; set PYTHON=python3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock \
		2> $(VENV)/install.txt; status=$$?; cat $(VENV)/install.txt >&2; exit $$status
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/millrace demo

# What needs the whole machine runs alone, the rest side by side; pages in one go, since their servers take a minute to
# be filled.
SIDE_BY_SIDE := --dist loadfile -m "not alone" --maxprocesses 4 --numprocesses
test: $(READY)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) auto --ignore tests/services --ignore tests/browser
	$(BIN)/python -m pytest -m alone tests/services
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) auto --no-loadscope-reorder tests/services tests/browser

# With every variant of every test.
test-long:
	MILLRACE_LONG=1 $(MAKE) test

bench: $(READY)
	$(BIN)/millrace bench

lint: $(READY)
	$(BIN)/ruff format --check src tests scripts
	$(BIN)/ruff check src tests scripts
	$(BIN)/mypy
	$(BIN)/lint-imports

lock-check: $(READY)
	$(BIN)/python scripts/check_lock.py

# Of holes that became known since: asks an advisory service, or says why it cannot.
AUDIT := $(VENV)/audit
audit: $(READY)
	-$(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(BIN)/python scripts/audit_lock.py $(AUDIT)/bin/pip-audit

format: $(READY)
	$(BIN)/ruff format src tests scripts
	$(BIN)/ruff check --fix src tests scripts

# The built console is part of the repository: only who changes frontend/ needs Node.
frontend/node_modules/.package-lock.json: frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund

console: $(READY) frontend/node_modules/.package-lock.json
	$(BIN)/python scripts/dump_openapi.py
	cd frontend && npm run --silent api && npm run --silent build

console-check: $(READY) frontend/node_modules/.package-lock.json
	$(BIN)/python scripts/dump_openapi.py --check
	$(BIN)/python scripts/console_source_hash.py --check
	cd frontend && npm run --silent lint && npm run --silent types && npm run --silent test
	cd frontend && npm run --silent rebuild-check

docs: $(READY)
	$(BIN)/python scripts/make_reference.py

lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--all-extras --group dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
