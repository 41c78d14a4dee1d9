# Every target sets up what it needs and says so; nothing that it starts is left running.
# ENGINE=own     start a private Docker engine even though one answers (root only)
# PYTEST="…"     arguments for pytest:   make test PYTEST="-k globs -x"
# BENCH="…"      arguments of the bench: make bench BENCH="chain --rounds 3", make bench BENCH=lint

SHELL := /bin/bash
VENV ?= .venv
export VENV
SETUP := runner/engine/venv
WITH_ENGINE := runner/engine/with-engine

.DEFAULT_GOAL := help
.PHONY: help demo test check bench grammar rules schema scripts constraints venv clean

help:  ## this list
	@awk -F ':.*## *' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: venv  ## from a push to a page that answers, and on to the next push, on this machine alone
	@$(WITH_ENGINE) python examples/hello-world/demo

test: venv  ## all tests, those with a Docker engine among them
ifdef PYTEST
	@$(WITH_ENGINE) pytest $(PYTEST)
else
	@$(WITH_ENGINE) tests/all
endif

check: venv  ## what needs no engine: style, types, generated files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python grammar/compile.py --check
	$(VENV)/bin/python -m dispatchfile.model.jsonschema --check
	$(VENV)/bin/python -m dispatchfile.lint.catalogue --check
	$(VENV)/bin/python -m dispatchfile.lint.pages --check
	$(VENV)/bin/python -m dispatchfile.tekton.scripts --check

grammar: venv  ## compile the grammar into dispatchfile/cue/_tables.py
	$(VENV)/bin/python grammar/compile.py

rules: venv  ## write the catalogue and the pages of lint's rules from their modules
	$(VENV)/bin/python -m dispatchfile.lint.catalogue
	$(VENV)/bin/python -m dispatchfile.lint.pages

scripts: venv  ## write dispatchfile/tekton/_scripts.py from runner/steps
	$(VENV)/bin/python -m dispatchfile.tekton.scripts

schema: venv  ## write grammar/schema/pipeline.schema.json from the model's tables
	$(VENV)/bin/python -m dispatchfile.model.jsonschema

bench: venv  ## how fast it is beside `docker run` and act, with BENCH=lint beside yamllint, BENCH=emit for a cluster, BENCH=apps for deployments
ifneq ($(filter lint emit,$(firstword $(BENCH))),)
	@$(VENV)/bin/python tests/bench/$(firstword $(BENCH)).py $(wordlist 2,9,$(BENCH))
else ifeq ($(firstword $(BENCH)),apps)
	@$(WITH_ENGINE) python tests/bench/apps.py $(wordlist 2,9,$(BENCH))
else
	@$(WITH_ENGINE) python tests/bench/bench.py $(BENCH)
endif

constraints: venv  ## renew constraints.txt with the newest versions that pyproject.toml allows
	@runner/engine/renew-constraints

venv:
	@$(SETUP)

clean:  ## remove the environment, caches and the private engine's data
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
