# Everything a stranger needs: `make run` starts Atelier, `make test` checks it. Both need Python 3.11
# or newer and nothing else; they share one virtual environment, .venv.

.DEFAULT_GOAL := help
.PHONY: help run test lint format soak lock clean
SHELL := /bin/bash

BIN := .venv/bin
EXTRAS := dev worker bots
# A stamp's name carries the sum of what was installed: a changed lock is installed, an old one is not.
sum = $(firstword $(shell cat requirements/$(1).txt pyproject.toml | cksum))
WORKER := .venv/.worker-$(call sum,worker)
DEV := .venv/.dev-$(call sum,dev)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/'

run: $(WORKER) ## install what is needed, then start everything: atelier up
	@exec $(BIN)/atelier up

# Two processes, each with servers of its own, whole files to one of them; the long files come first.
test: $(DEV) ## install what is needed, then run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 $(ARGS)

lint: $(DEV) ## style, types and the rules between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(DEV) ## put the code in its style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

soak: $(DEV) ## the long runs
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(ARGS)

# Resolved for Python 3.11 and newer on every system at once. Which CUDA libraries torch brings is left
# to the torch that pip finds, so that the same lock fits its CPU and its CUDA builds.
lock: $(DEV) ## renew the exact versions in requirements/
	@for extra in $(EXTRAS); do \
	  $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
	    --extra $$extra $$([ $$extra = dev ] || echo --constraints requirements/dev.txt) \
	    --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	    --output-file requirements/$$extra.new || exit 1; \
	  { echo "# Exact versions of the extra \"$$extra\", and of what it needs. Renew with: make lock"; \
	    grep -Ev '^(nvidia|cuda|triton)' requirements/$$extra.new | sed -E 's/^(torch==[0-9.]+)\+[a-z0-9]+/\1/'; \
	  } > requirements/$$extra.txt && rm requirements/$$extra.new || exit 1; \
	done

clean: ## remove the virtual environment and caches (never your pictures)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@python=$$(.ci/python) && echo "making .venv with $$python" >&2 && "$$python" -m venv .venv

$(WORKER): .venv/bin/python
	@echo "installing what a worker needs into .venv (the first time takes a few minutes)" >&2
	@$(PIP_INSTALL) --requirement requirements/worker.txt >&2
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . >&2
	@rm -f .venv/.worker-* && touch $@

$(DEV): .venv/bin/python
	@echo "installing what the tests need into .venv (the first time takes a few minutes)" >&2
	@$(PIP_INSTALL) --requirement requirements/dev.txt >&2
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . >&2
	@rm -f .venv/.worker-* .venv/.dev-* && touch $@ $(WORKER)
