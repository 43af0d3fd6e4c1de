# The two commands are `make demo` and `make test`; `make help` lists the rest.
# Everything runs from .venv, which is made here from the lock files and made anew when they change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# PYTHON=/path/to/python3 chooses another one; it is only asked for while .venv is made.
PYTHON = $(or $(firstword $(foreach name,python3.14 python3.13 python3.12 python3.11 python3,$(call fits,$(name)))),$(error \
  voltwin needs Python 3.11 or newer and none is on PATH; install one, or name it: make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3))
# A name on PATH may be a shim for a Python that is not there, so each is run.
fits = $(shell $(1) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(1))

BIN := .venv/bin
# uv, where it is on PATH, loads in parallel. What is never imported is not compiled, unless Python may not do it later.
UV := $(shell command -v uv 2>/dev/null)
COMPILED := $(PYTHONDONTWRITEBYTECODE)
PIP := $(if $(UV),uv pip install --python $(BIN)/python $(if $(COMPILED),--compile-bytecode),$(BIN)/python -m pip \
  --disable-pip-version-check install $(if $(COMPILED),,--no-compile)) --no-build-isolation
LOG := .venv/install.log

# One line for a stage that went well; all it said for one that did not.
define stage
@printf '%-8s' '$(1)'; if said=$$($(2) 2>&1); then printf '%s\n' "$$said" | tail -n 1; \
	else code=$$?; printf 'failed\n%s\n' "$$said"; exit $$code; fi
endef
define install
@printf '%-8s%s\n' install '$(1)'; $(PIP) $(2) >$(LOG) 2>&1 || \
	{ tail -n 20 $(LOG); echo 'The installation failed; all it said is in $(LOG).' >&2; exit 1; }
endef

.PHONY: help
help: ## List what make can do
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 10

.PHONY: demo
demo: .venv/.runtime ## Run the case study and serve it until Ctrl-C; ARGS=--exit ends by itself
	@$(BIN)/voltwin demo $(ARGS)

.PHONY: test
test: lint types layers second tests ## Lint, types, layers, the whole test suite, and a part of it on a second Python

.PHONY: lint
lint: .venv/.dev ## Style and spelling: ruff check, ruff format, codespell
	$(call stage,lint,$(BIN)/codespell && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check .)

.PHONY: types
types: .venv/.dev ## Types: mypy --strict
	$(call stage,types,$(BIN)/mypy)

.PHONY: layers
layers: .venv/.dev ## Layers: who may import whom
	$(call stage,layers,PYTHONPATH=.typing $(BIN)/lint-imports --no-logo)

# A floor makes sense for the whole suite alone. Processes that a test kills leave files that cannot be read.
.PHONY: tests
tests: .venv/.dev ## The test suite with branch coverage; with ARGS, which are pytest's, without
ifdef ARGS
	@$(BIN)/pytest $(ARGS)
else
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine --quiet 2>.venv/coverage.log || { cat .venv/coverage.log >&2; exit 1; }
	$(call stage,cover,$(BIN)/coverage report --format=total && $(BIN)/coverage report | tail -n 3 | head -n 1)
endif

.PHONY: second
second: .venv/.dev ## Unit and contract tests on a second Python, if there is one: the newest, or 3.11
	@.ci/second-python

.PHONY: torture
torture: .venv/.dev ## Long tests: server and writer killed fifty times each
	@VOLTWIN_TORTURE=1 $(BIN)/pytest -s --durations=5 tests/torture $(ARGS)

.PHONY: bench
bench: .venv/.dev ## Every speed claim, beside its peer in the same run
	@set -e; for file in benchmarks/[!_]*.py; do printf '== %s\n' "$$file"; $(BIN)/python "$$file"; done

.PHONY: docs
docs: .venv/.docs ## The documentation with its API reference, in build/docs; a broken link fails
	$(call stage,docs,$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html -c docs . build/docs && \
		echo build/docs/docs/index.html)

.PHONY: release
release: .venv/.dev ## Try a release: make release VERSION=0.2.0; ARGS=--tag commits and tags it, nothing is pushed
	@$(BIN)/python deploy/release.py $(or $(VERSION),$(error say which: make release VERSION=0.2.0)) $(ARGS)

.PHONY: lock
lock: ## Make the lock files anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo 'make lock needs uv; install it with: python3 -m pip install uv' >&2; exit 1; }
	uv pip compile $(COMPILE) pyproject.toml --extra all -o requirements.lock
	uv pip compile $(COMPILE) pyproject.toml --extra all --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile $(COMPILE) --group docs -c requirements-dev.lock -o requirements-docs.lock
	uv pip compile $(COMPILE) --group build -o requirements-build.lock
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: clean
clean: ## Remove what demo and tests have made; .venv stays
	rm -rf demo-fleet out build dist *.egg-info .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# A stamp for each thing installed. Every package is held by its hash, the one that builds the others included.
.venv/.made: requirements-build.lock
	$(eval PYTHON := $(PYTHON))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo '$(PYTHON): voltwin needs Python 3.11 or newer; name one: make demo PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo '$(PYTHON): its module venv is missing; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@printf '%-8s%s\n' python "$$($(PYTHON) -c 'import sys; print(sys.version.split()[0], "at", sys.executable)')"
	@$(if $(UV),uv venv --quiet --allow-existing --python '$(PYTHON)' .venv,$(PYTHON) -m venv .venv)
	$(call install,what builds packages,--require-hashes -r requirements-build.lock)
	@touch $@

.venv/.locked: .venv/.made requirements.lock
	$(call install,the locked packages,--require-hashes -r requirements.lock)
	@touch $@

.venv/.runtime: .venv/.locked pyproject.toml
	$(call install,voltwin itself,--no-deps --editable .)
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(call install,what the tests need,--require-hashes -r requirements-dev.lock)
	@touch $@

.venv/.docs: .venv/.runtime requirements-docs.lock
	$(call install,what builds the documentation,--require-hashes -r requirements-docs.lock)
	@touch $@
