# Everything a person needs, on a machine with python3 (3.11 or newer), pip and make. `make` alone lists it.

UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
# What the desk is compared with has an environment of its own: nobody who runs or tests the desk needs it.
BENCH := .venv-bench
PYTHON3 ?= python3

# The environment is ours: no other interpreter, no other environment, however the caller's shell is set up.
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME

# What needs the whole machine for itself, and what does not and runs in as many processes as it has cores.
LIVE := tests/e2e tests/runtime
TOGETHER := --numprocesses auto --maxprocesses 4 --dist loadfile $(LIVE:%=--ignore=%)

.DEFAULT_GOAL := help
.PHONY: help up test test-all lint format browser bench demo-site demo-micro-project demo-year migration migration-0001 documents

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s%s\n", $$1, $$2 }'

up: $(SYNCED)  ## start everything; Ctrl-C stops it
	@$(BIN)/ketang up

test: $(SYNCED) browser  ## run the tests (KETANG_WITHOUT_BROWSER=1 leaves the browser's out)
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)
	@$(BIN)/python -m pytest $(LIVE) -m "not endurance" $(ARGS)

test-all: $(SYNCED) browser  ## run these and the long live ones: kills, losses, restarts (a quarter of an hour more)
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)
	@$(BIN)/python -m pytest $(LIVE) $(ARGS)

lint: $(SYNCED)  ## check style, types and import directions
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(SYNCED)  ## put the code into shape
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

browser: $(SYNCED)  ## find a Chromium for the browser tests, or bring one
	@$(BIN)/python -m tests.chromium

bench: $(BENCH)/.synced  ## measure the desk beside what one would pick instead (QUICK=1: in a quarter of an hour)
	@$(BENCH)/bin/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

demo-site: $(SYNCED)  ## carry one site application through a stack of its own, then remove it
	@$(BIN)/ketang demo site --temporary

demo-micro-project: $(SYNCED)  ## carry one call of micro-projects through a stack of its own, then remove it
	@$(BIN)/ketang demo micro-project --temporary

demo-year: $(SYNCED)  ## live through a year of the example township, with the clock moved and no waiting
	@$(BIN)/ketang demo year

migration: $(SYNCED)  ## add a migration: make migration MESSAGE="Say what changes"
	@test -n "$(MESSAGE)" || { echo 'say what changes: make migration MESSAGE="Add the sponsor of a site"' >&2; exit 2; }
	@$(BIN)/python -m migrations.author new "$(MESSAGE)"

migration-0001: $(SYNCED)  ## write the first migration anew (until the first release)
	@$(BIN)/python -m migrations.author rewrite

documents: $(SYNCED)  ## write the shipped Word templates anew
	@$(BIN)/python -m templates.author

# Debian's python3 may lack ensurepip, so the environment is made without pip and filled by the pip outside it.
$(SYNCED): pyproject.toml uv.lock Makefile
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON3) is $$($(PYTHON3) -V 2>&1)." >&2; \
		     echo "Name another one: make PYTHON3=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON3) -m venv --without-pip $(VENV)
	@test "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" = $(UV_VERSION) \
		|| $(PYTHON3) -m pip --quiet --python $(BIN)/python install --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --frozen --quiet
	@touch $@

$(BENCH)/.synced: $(SYNCED)
	@UV_PROJECT_ENVIRONMENT=$(BENCH) $(BIN)/uv sync --frozen --quiet --group bench
	@touch $@
